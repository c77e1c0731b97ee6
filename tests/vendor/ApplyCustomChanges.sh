#!/bin/bash
# A stand-in for the vendor's script of this name, written from the description of its behaviour; no line of it is the
# vendor's. It keeps the habits that make the real one awkward:
#   - it asks on stdin, and exits 0 when it had run before;
#   - it removes /dev/null together with a log of its own: what writes there next makes an ordinary file of it, and where
#     it stops before that, there is none;
#   - it names the packages that it misses, and says FAILED only when the last one of its list is among them;
#   - without a SCSI ID of the root disk it says OK, and writes entries without a value;
#   - what it leaves to be run later puts the ID into every section whose name begins with `blacklist`.
#
# One thing is ours: it counts its runs in /var/lib/vendor-stand-in.runs, so that a test can see
# how often it was really started.

log=/var/log/appliedmtcustomchanges.log
marker=/etc/.appliedmtcustomchanges
missing_log=/var/log/missing-packages.log
blacklist_script=/usr/sbin/blacklistrootdev.sh
release='CentOS release 6.6 (Final)'
packages='xfsprogs perl lsscsi rsync wget kexec-tools device-mapper-multipath'
# What stands around an ID: nothing, as in the edition that was read. `pack` makes one that quotes.
quote=''

echo run >>/var/lib/vendor-stand-in.runs
sync /var/lib/vendor-stand-in.runs || sync

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
    local name missing='' last=''
    say 'Checking the packages.'
    # The name of a place that swallows stands where only files should.
    rm -f "$missing_log" /dev/null
    for name in $packages; do
        last=$(rpm -qa "$name")
        [ -n "$last" ] || missing="$missing $name"
    done
    [ -z "$missing" ] && return
    echo "$missing" | tee -a "$log" "$missing_log"
    [ -n "$last" ] || say 'FAILED'
    say 'Install them and run this script again.'
    exit 1
}

# `mount` says /dev/root where the kernel mounted the root device by itself: ask sysfs then.
root_disk() {
    local device number
    device=$(mount | grep 'on / ' | head -1 | awk '{print $1}')
    if [ ! -b "$device" ] || [ "$device" = /dev/root ]; then
        number=$(mountpoint -d /)
        device=/dev/$(basename "$(readlink -f "/sys/dev/block/$number")")
    fi
    while [[ $device == *[0-9] ]]; do device=${device%[0-9]}; done
    echo "$device"
}

write_multipath_conf() {
    cat >/etc/multipath.conf <<EOT
defaults {
    user_friendly_names no
    find_multipaths no
}
blacklist {
    device {
        vendor "InMage"
    }
    devnode "^cciss!c[0-9]d[0-9]*"
}
EOT
}

# Run again it takes away every line that begins with wwid, whatever section that stands in, and adds its own to each
# section that is called blacklist-something.
write_blacklist_script() {
    cat >"$blacklist_script" <<EOT
#!/bin/bash
# Keeps the root disk out of multipath.
sed -i -e '/^ *wwid/d' -e '/^blacklist.*{/a\\    wwid $quote$1$quote' /etc/multipath.conf
EOT
    chmod 755 "$blacklist_script"
}

say "ApplyCustomChanges (stand-in) started at $(date)"

if [ -e "$marker" ]; then
    say 'This script was already invoked on this machine.'
    exit 0
fi

ask

if [ "$(id -u)" != 0 ]; then
    say 'This script must be run as root.'
    exit 1
fi
if ! grep -qxF "$release" /etc/redhat-release; then
    say "This script is for $release only."
    say 'FAILED'
    exit 1
fi
check_packages

echo 'ulimit -c unlimited' >>/etc/bashrc

wwid=$(/lib/udev/scsi_id --whitelisted --device="$(root_disk)")
write_multipath_conf
write_blacklist_script "$wwid"
# The one that makes an ordinary file of it.
"$blacklist_script" >/dev/null
# Whatever became of the ID.
if touch /.blacklistrootdev; then say 'Blacklisting the root disk: OK'; else say 'Blacklisting the root disk: FAILED'; fi

touch "$marker"
say 'Custom changes are applied. Restart this machine to let them take effect.'
exit 0
