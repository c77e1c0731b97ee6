# shellcheck shell=bash
# no package repository answers: apply fails and stops there

hardware() { disk retention 1T; }

boot_1() {
    # A closed port of the machine itself: refused at once, where an unreachable host costs time-outs.
    sed -i 's#^baseurl=.*#baseurl=http://127.0.0.1:9/el6#' /etc/yum.repos.d/lab.repo
    agent 2 apply --yes
    for package in xfsprogs perl lsscsi rsync wget kexec-tools; do
        said $package
    done
    expect "the vendor's script did not run" [ "$(vendor_runs)" = 0 ]
    expect_not "there is no multipath.conf" test -e /etc/multipath.conf
    expect_not "nothing was unpacked" test -e /etc/.appliedmtcustomchanges
    judge
    expect "the verdict is not-ready" [ "$(report verdict "$out/check.json")" = not-ready ]
    finding packages.base unmet

    say "the repository is back: apply resumes"
    sed -i 's#^baseurl=.*#baseurl=file:///srv/lab/repo#' /etc/yum.repos.d/lab.repo
    agent 3 apply --yes
}

after() { untouched retention; }
