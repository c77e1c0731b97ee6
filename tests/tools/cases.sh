# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154 # dpkg-query's fields; run sets root, clone, printed, status, took, port
# The machines on which scripts/install-tools is tried.

case_bare() { # nothing is there, not even package lists
    install lint cli
    same "it succeeds" 0 "$status"
    prints_steps
    says "how many are installed" 'installing [0-9]+ Debian packages'
    expect "the tools run" in_root sh -c 'shellcheck --version && strace -V'
    expect "what apt said is in the log" grep -q '^Setting up shellcheck' <(log)
    local before
    before=$(log | wc -l)
    install lint cli
    same "the second time it says nothing" "0 " "$status $printed"
    same "and does nothing" "$before" "$(log | wc -l)"
    # What was there before is looked at again as well.
    in_root dpkg --remove shellcheck >/dev/null
    echo 'DPkg::Post-Invoke { "DPKG_FRONTEND_LOCKED=1 dpkg --remove strace"; };' >"$root/etc/apt/apt.conf.d/99remove"
    install lint cli
    same "one that went away meanwhile is a failure" 2 "$status"
    says "which it is" '^install-tools: still missing: strace \(target/log/install-tools.log\)$'
}

case_newer() { # qemu-utils and an rpm library from backports, which the release's createrepo-c and rpm do not go together with
    local before
    # qemu-utils 1:10.0.2+ds-2+deb13u1~bpo12+1 breaks the release's qemu-system-common so.
    deb qemu-utils '1:99.0~bpo12+1' 'Breaks: createrepo-c (<< 98.0)'
    deb librpm9 '99.0~bpo12+1'
    before=$(installed)
    install lab
    same "it succeeds" 0 "$status"
    prints_steps
    says "what was taken in the place of something newer" 'qemu-utils 1:[0-9.]+.* \(was 1:99\.0'
    same "nothing was removed" "" "$(comm -23 <(echo "$before") <(installed))"
    expect "all tools of the lab run" in_root sh -c 'qemu-img --version && rpmbuild --version &&
        mmdebstrap --version && createrepo_c --version && parted --version && command -v grub-mkimage'
}

case_needed() { # a user's package cannot be where the tools are
    local before
    deb of-the-user 1.0 'Conflicts: strace'
    deb qemu-utils '1:99.0~bpo12+1' 'Breaks: createrepo-c (<< 98.0)'
    deb needs-the-newer 1.0 'Depends: qemu-utils (>= 1:99~)'
    before=$(installed)
    install cli
    same "it fails" 2 "$status"
    says "what would be removed, and what to do" 'installing .*strace.* would remove of-the-user: nothing was changed; remove it yourself'
    says "where all of it stands" 'failed; all that was said: target/log/install-tools.log'
    install lab
    same "nor is what needs the newer version removed" 2 "$status"
    says "what would be removed" 'installing .*createrepo-c.* would remove .*needs-the-newer'
    same "all is as it was" "$before" "$(installed)"
}

case_silent() { # one third-party source takes connections and never answers, one refuses them
    local port
    mute
    echo "deb [trusted=yes] http://127.0.0.1:$port/debian mute main" >"$root/etc/apt/sources.list.d/mute.list"
    echo "deb [trusted=yes] http://127.0.0.1:1/debian refusing main" >"$root/etc/apt/sources.list.d/refusing.list"
    install lint
    same "it succeeds" 0 "$status"
    says "which sources failed" "going on without these sources, which failed: http://127.0.0.1:1 http://127.0.0.1:$port$"
    expect "the mute one was asked" test -s "$TMPDIR/accepted"
    expect "the tool runs" in_root shellcheck --version
    # apt's own patience with a mute source is some ten minutes.
    expect "it did not wait for it long ($took s)" test "$took" -lt 300
    in_root dpkg --remove shellcheck >/dev/null
    install lint
    same "the next group does not wait for them again" "0 0" "$status $(grep -c lists <<<"$printed")"
}

case_mirror() { # Debian's own mirror fails
    rm -f "$root"/etc/apt/sources.list.d/* "$root/etc/apt/sources.list"
    echo 'deb http://127.0.0.1:1/debian bookworm main' >"$root/etc/apt/sources.list"
    install lint
    same "it fails" 2 "$status"
    says "what apt cannot do" 'E: Unable to locate package shellcheck'
    says "because of what" 'E: sources that failed: http://127.0.0.1:1'
    says "where all of it stands" 'failed; all that was said: target/log/install-tools.log'
}

case_dying() { # the mirror was there once, and then accepts connections and never answers
    local port list
    # One index, as each is waited for.
    for list in "$root"/etc/apt/sources.list.d/*.sources; do
        [[ ! -f $list ]] || { awk -v RS= 'NR == 1' "$list" | sed -E 's/^(Suites: [^ ]+).*/\1/' >"$list.one" && mv "$list.one" "$list"; }
    done
    [[ ! -s $root/etc/apt/sources.list ]] || sed -i '/^deb /{n;q}' "$root/etc/apt/sources.list"
    in_root apt-get update -q >/dev/null 2>&1
    mute
    echo "Acquire::http::Proxy \"http://127.0.0.1:$port\";" >"$root/etc/apt/apt.conf.d/99mute"
    install lint cli
    same "it fails" 2 "$status"
    says "why" 'E: Unable to fetch the packages: no answer from http://[^ ]*$'
    # And not for each package once more.
    expect "it did not wait for it long ($took s)" test "$took" -lt 600
}

case_stale() { # the package lists are older than the mirror: what they name is not there any more
    in_root apt-get update -q >/dev/null 2>&1
    local list
    # An older index, of which apt has other sums; dated so that the mirror says that it has a newer one.
    for list in "$root"/var/lib/apt/lists/*_InRelease; do
        sed -i -E 's/^ [0-9a-f]{8}/ 00000000/' "$list"
        touch -d 2022-01-01 "$list"
    done
    for list in "$root"/var/lib/apt/lists/*_Packages; do
        sed -i '/^Package: shellcheck$/,/^$/s/^Filename: .*/Filename: pool\/main\/gone.deb/' "$list"
    done
    mkdir -p "$root$clone/target/log"
    touch "$root$clone/target/log/install-tools.updated"
    install lint
    same "it reads them anew" 0 "$status"
    expect "the tool runs" in_root shellcheck --version
}

case_kernel() { # all is installed, and there are no package lists: the lab's kernel is fetched all the same
    mkdir -p "$root$clone/tests/lab"
    cp "$top/tests/lab/image.sh" "$root$clone/tests/lab/"
    expect "it is fetched" in_root bash -c 'top=$1 && . "$top/tests/lab/image.sh" && fetch_kernel /kernel' - "$clone"
    expect "it is a kernel" dpkg-deb --info "$(echo "$root"/kernel/linux-image-*.deb)"
}

case_locked() { # dpkg is at work already, for a minute
    mkdir -p "$root/slow/DEBIAN"
    # And on a slow machine until somebody waits for it.
    cat >"$root/slow/DEBIAN/postinst" <<'POSTINST'
#!/bin/sh
touch /begun
sleep 60
more=600
until grep -q 'waiting for' /printed || [ $((more -= 1)) -lt 0 ]; do sleep 1; done
touch /ended
POSTINST
    chmod 755 "$root/slow/DEBIAN/postinst"
    pack slow 1.0
    # In one PID namespace, so that apt can tell who it is.
    beside=(sh -c 'dpkg --install /slow.deb >/slow.log 2>&1 & until [ -e /begun ]; do sleep 0.2; done; exec "$@"' -)
    install lint
    same "it succeeds" 0 "$status"
    prints_steps
    says "that it waits, and for whom" 'waiting for process [1-9][0-9]* \(dpkg\), which holds /var/lib/dpkg/lock'
    same "the other one has ended well" "installed" "$(in_root dpkg-query -W -f '${db:Status-Status}' slow)"
    expect "the tool was installed after that" test \
        "$root/var/lib/dpkg/info/shellcheck.list" -nt "$root/ended"
}

case_updating() { # another apt reads the package lists
    local port
    mute
    echo "deb [trusted=yes] http://127.0.0.1:$port/debian mute main" >"$root/mute.list"
    in_root apt-get update -o Dir::Etc::sourcelist=/mute.list -o Dir::Etc::sourceparts=/dev/null \
        -o Acquire::http::Timeout=12 -o Acquire::Retries=0 >"$TMPDIR/other" 2>&1 &
    until [[ -s $TMPDIR/accepted ]]; do sleep 0.1; done
    install lint
    same "it succeeds" 0 "$status"
    says "that it waits, and for whom" 'waiting for .*which holds /var/lib/apt/lists/lock \.\.\.'
    expect "the tool runs" in_root shellcheck --version
}
