# shellcheck shell=bash disable=SC2154 # for run
# The unit under a systemd that is PID 1 of a root: what becomes of a daemon that the agent's work leaves behind, as
# packages' scripts and the vendor's do.

# boot ROOT NAME [SETTING]: starts it with a stand-in for the agent, and the unit changed by SETTING; sets $seen to what is told
# of the service when it has ended, and of the daemon.
boot() {
    local root=$1 seen_by=$1/test/$2 group process left=240
    local units=$root/etc/systemd/system
    rm -rf "$units/mt-agent-resume.service.d"
    [[ -z ${3-} ]] || { mkdir -p "$units/mt-agent-resume.service.d"; printf '[Service]\n%s\n' "$3" >"$units/mt-agent-resume.service.d/x.conf"; }
    mkdir -p "$root/test" "$root/var/lib/mt-agent"
    touch "$root/var/lib/mt-agent/resume.json"
    printf '#!/bin/sh\n[ "$*" = "apply --resume" ] || exit 99\nsetsid sleep 600 </dev/null >/dev/null 2>&1 &\necho $! >/test/daemon\nsleep 1\nrm /var/lib/mt-agent/resume.json\n' \
        >"$root/usr/sbin/mt-agent"
    cat >"$root/test/look" <<END
#!/bin/sh
while [ "\$(systemctl is-active mt-agent-resume)" = activating ]; do sleep 0.2; done
# What it is to kill it has killed when it is inactive, or has failed.
while [ "\$(systemctl is-active mt-agent-resume)" = deactivating ]; do sleep 0.2; done
{ systemctl show -p Result --value mt-agent-resume
if kill -0 "\$(cat /test/daemon)" 2>/dev/null; then echo lives; else echo died; fi; } >/test/$2.new 2>&1
mv /test/$2.new /test/$2
END
    chmod 755 "$root/usr/sbin/mt-agent" "$root/test/look"
    printf '[Unit]\nRequires=basic.target\nWants=mt-agent-resume.service look.service\n' >"$units/test.target"
    printf '[Unit]\nAfter=mt-agent-resume.service\n[Service]\nExecStart=/test/look\n' >"$units/look.service"
    ln -sf test.target "$units/default.target"
    group=$(findmnt -n -o TARGET -t cgroup2 | head -n 1)
    [[ -n $group ]] || die "cgroup2 is mounted nowhere, and systemd needs it"
    group+=/mt-agent-test-$$
    mkdir "$group"
    # shellcheck disable=SC2016 # they are the inner shells'
    bash -c 'echo $$ >"$1/cgroup.procs" && shift && exec unshare --mount --pid --uts --ipc --net --cgroup --fork --kill-child bash -c "$@"' \
        - "$group" '
        cd "$1" && mount --make-rprivate / && mount -t proc proc proc && mount -t tmpfs run run &&
        mount -t tmpfs dev dev && mount -t tmpfs sys sys && mkdir -p sys/fs/cgroup && mount -t cgroup2 cgroup sys/fs/cgroup || exit
        for node in null:3 zero:5 full:7 random:8 urandom:9 console:3; do mknod -m 666 dev/${node%:*} c 1 ${node#*:}; done
        mount -o remount,ro sys
        exec chroot . /usr/bin/env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /usr/lib/systemd/systemd --system
        ' - "$root" </dev/null >"$root/test/said" 2>&1 &
    process=$!
    until [[ -e $seen_by ]] || ((left-- == 0)) || ! kill -0 $process 2>/dev/null; do sleep 0.5; done
    seen=$(cat "$seen_by" 2>&1) || { seen="nothing was seen"; tail -n 20 "$root/test/said"; }
    kill -KILL $process 2>/dev/null || true
    wait $process 2>/dev/null || true
    # Its processes end a moment later.
    left=100
    until find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || ((left-- == 0)); do sleep 0.1; done
}

booted=$work/booted
cp -a --reflink=auto "$tree" "$booted"
install -D -m 644 "$top/packaging/files/mt-agent-resume.service" "$booted/usr/lib/systemd/system/mt-agent-resume.service"
boot "$booted" ours
same "under systemd a daemon that the work leaves lives on" "success
lives" "$seen"
boot "$booted" default KillMode=control-group
same "which it would not by systemd's own rule" "success
died" "$seen"
