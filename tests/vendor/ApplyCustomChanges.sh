#!/bin/bash
# A stand-in for the vendor's script of this name, written from the description of its behaviour;
# no line of it is the vendor's. It keeps the habits that make the real one awkward: it asks on
# stdin, it exits 0 when it had run before, and it prints FAILED and carries on to exit 0 when the
# root disk has no SCSI ID.
#
# One thing is ours: it counts its runs in /var/lib/vendor-stand-in.runs, so that a test can see
# how often it was really started.

log=/var/log/appliedmtcustomchanges.log
marker=/etc/.appliedmtcustomchanges
missing_log=/var/log/missing-packages.log
blacklist_script=/usr/sbin/blacklistrootdev.sh
release='CentOS release 6.6 (Final)'
packages='xfsprogs perl lsscsi rsync wget kexec-tools device-mapper-multipath'

echo run >>/var/lib/vendor-stand-in.runs
sync /var/lib/vendor-stand-in.runs 2>/dev/null || sync

say() { echo "$*" | tee -a "$log"; }

ask() {
    local answer
    while true; do
        # End of input without an answer counts as the default.
        read -r -p 'Are you sure you want to continue? [Y|N] [default N] : ' answer || answer=N
        case $answer in
            Y | y) return 0 ;;
            N | n | '') say 'Stopped: nothing was changed.'; exit 1 ;;
            *) echo 'Answer Y or N.' ;;
        esac
    done
}

check_packages() {
    local name missing=''
    for name in $packages; do
        [ -n "$(rpm -qa "$name")" ] || missing="$missing $name"
    done
    [ -z "$missing" ] && return
    say 'FAILED: these packages are not installed:'
    printf '%s\n' "$missing" | tr ' ' '\n' | tail -n +2 | tee -a "$log" "$missing_log"
    exit 1
}

# `mount` says /dev/root where the kernel mounted the root device by itself: ask sysfs then.
root_disk() {
    local device number
    device=$(mount | grep 'on / ' | head -1 | awk '{print $1}')
    if [ ! -b "$device" ] || [ "$device" = /dev/root ]; then
        number=$(mountpoint -d / 2>/dev/null)
        device=/dev/$(basename "$(readlink -f "/sys/dev/block/$number")")
    fi
    while [[ $device == *[0-9] ]]; do device=${device%[0-9]}; done
    echo "$device"
}

write_multipath_conf() {
    cat >/etc/multipath.conf <<EOF
defaults {
    user_friendly_names no
    find_multipaths no
}
blacklist {
    device {
        vendor "InMage"
    }
    devnode "^cciss!c[0-9]d[0-9]*"
    wwid "$1"
}
EOF
}

write_blacklist_script() {
    cat >"$blacklist_script" <<EOF
#!/bin/bash
# Keeps the root disk out of multipath.
root_wwid="$1"
grep -q "wwid \"\$root_wwid\"" /etc/multipath.conf ||
    sed -i "s/^blacklist {/blacklist {\n    wwid \"\$root_wwid\"/" /etc/multipath.conf
EOF
    chmod 755 "$blacklist_script"
    touch /.blacklistrootdev
}

say "ApplyCustomChanges (stand-in) started at $(date)"

if [ -e "$marker" ]; then
    say 'This script was already invoked on this machine.'
    exit 0
fi

ask

if [ "$(id -u)" != 0 ]; then
    say 'FAILED: this script must be run as root.'
    exit 1
fi
if ! grep -qxF "$release" /etc/redhat-release 2>/dev/null; then
    say "FAILED: this script is for $release only."
    exit 1
fi
check_packages

echo 'ulimit -c unlimited' >>/etc/bashrc

disk=$(root_disk)
wwid=$(/lib/udev/scsi_id --whitelisted --device="$disk")
[ -n "$wwid" ] || say "FAILED: no SCSI ID for the root disk $disk."
write_multipath_conf "$wwid"
write_blacklist_script "$wwid"

touch "$marker"
say 'Custom changes are applied. Restart this machine to let them take effect.'
exit 0
