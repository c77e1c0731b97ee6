# shellcheck shell=bash
# without internet access: collected in a directory, applied from it alone

hardware() { disk retention 1T; }

boot_1() {
    say "a connected machine collects"
    agent 0 apply --download-only /srv/collected
    said "the agent's own package is not among them"
    expect_not "nothing was installed" rpm -q --quiet xfsprogs
    for package in xfsprogs perl-Pod-Escapes glibc device-mapper-multipath-libs; do
        expect "$package was collected" sh -c "ls /srv/collected/$package-*.rpm"
    done
    agent 0 apply --download-only /srv/collected
    said "nothing to collect"

    say "the same machine without network and repositories"
    sed -i 's#^baseurl=.*#baseurl=http://127.0.0.1:9/el6#' /etc/yum.repos.d/lab.repo
    rm -rf /srv/lab/repo /var/cache/dnf
    ip route del default
    agent 2 apply --yes --offline /srv
    said "/srv has no manifest.json, so it is no whole collection"
    agent 2 apply --yes --offline /srv/collected
    said "it cannot be verified: it has no signature"
    printf 'files: {unverified: install-without-verification}\n' >>/etc/mt-agent/profile.yaml
    agent 1 plan --offline /srv/collected
    said "from /srv/collected"
    agent 3 apply --yes --offline /srv/collected --retention-disk "$(id_of /dev/sdb)"
    expect "the packages are installed" rpm -q --quiet xfsprogs perl lsscsi rsync wget kexec-tools device-mapper-multipath
    expect "with what they need" rpm -q --quiet perl-Pod-Escapes busybox device-mapper-multipath-libs
    expect "the vendor's script ran once" [ "$(vendor_runs)" = 1 ]
    run grep -c 'run: \(dnf\|yum\)' /var/log/mt-agent.log
    expect "yum was asked by the connected machine alone" [ "$(cat "$out/last")" = 1 ]
}

boot_2() {
    say "after the restart, the medium with the collection is gone"
    rm -rf /srv/collected
    agent 0 apply --resume
    agent 0 check
    judge
    expect "the verdict is ready" [ "$(report verdict "$out/check.json")" = ready ]
}

after() { changed retention; }
