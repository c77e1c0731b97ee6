//! The habits of yum 3.2 and rpm 4.8, CentOS 6's: the real binary in a world with stand-ins that have them. What the
//! stand-ins say is what those versions say, word for word where the agent reads it.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "files of a test are not the host's")]

mod support;

use std::process::Output;

use support::world::World;
use support::{contains, need_root};

/// rpm 4.8: knows the tags that it has, and with a database that it cannot open says first that, and then that
/// nothing is installed.
const RPM: &str = r#"
echo "rpm $*" >>/var/lib/old/calls
for word; do
    for tag in $(printf '%s\n' "$word" | grep -o '%{[^}]*}'); do
        case $tag in
        '%{NAME}' | '%{VERSION}' | '%{RELEASE}' | '%{ARCH}' | '%{EPOCH}' | '%{_dbpath}' | '%{SOURCERPM}') ;;
        '%{PAYLOADCOMPRESSOR}' | '%{REQUIRENAME}' | '%{PROVIDENAME}' | '%{OBSOLETE'*) ;;
        *) echo "error: incorrect format: unknown tag: $tag" >&2; exit 1 ;;
        esac
    done
done
if [ -e /var/lib/old/no-database ] && [ "$1" != -E ]; then
    echo 'error: cannot open Packages index using db3 - Permission denied (13)' >&2
    echo 'error: cannot open Packages database in /var/lib/rpm' >&2
fi
case $1 in
-E) echo /var/lib/rpm ;;
-qa)
    [ ! -e /var/lib/old/no-database ] || exit 0
    case $* in *EPOCH*) epoch='(none)\t' ;; *) epoch= ;; esac
    while read -r name version; do printf "%s\t$epoch%s\n" "$name" "$version"; done </var/lib/old/installed ;;
-q)
    [ "$2" = --qf ] || exit 64
    shift 3
    absent=0
    for name; do
        line=$(grep "^$name " /var/lib/old/installed)
        if [ -n "$line" ] && [ ! -e /var/lib/old/no-database ]; then
            printf '%s\t%s\n' "$name" "${line#* }"
        else
            echo "package $name is not installed"
            absent=$((absent + 1))
        fi
    done
    exit $absent ;;
-qp)
    printf 'N\told-file\t(none)\t1.0-1.el6\tx86_64\told-file-1.0-1.el6.src.rpm\txz\n'
    printf 'R\trpmlib(PayloadIsXz)\n\nP\told-file\n\n(none)\n' ;;
-K | -Kv)
    printf '%s:\n    Header V3 RSA/SHA1 Signature, key ID c105b9de: OK\n    Header SHA1 digest: OK (2fae)\n' "$2"
    printf '    V3 RSA/SHA1 Signature, key ID c105b9de: OK\n    MD5 digest: OK (9c2a)\n' ;;
-iv)
    # As of an installed package: "package x is already installed", and the status counts the failures.
    if grep -q '^old-file ' /var/lib/old/installed; then echo "package old-file-1.0-1.el6 is already installed"; exit 1; fi
    echo 'Preparing packages for installation...'
    echo 'old-file 1.0-1.el6' >>/var/lib/old/installed ;;
*) echo "rpm: $1: unknown option" >&2; exit 1 ;;
esac
"#;

/// yum 3.2.29: waits for its lock without end unless told otherwise, and ends with 0 when any of the names was found.
const YUM: &str = r#"
echo "yum $*" >>/var/lib/old/calls
give_up=
names=
protected=
for word; do
    case $word in
    -y | install) ;;
    --setopt=exit_on_lock=1) give_up=yes ;;
    --setopt=protected_packages=*) protected=,${word##*=}, ;;
    -*) echo "Command line error: no such option: $word" >&2; exit 1 ;;
    */*) echo "Examining $word"; echo 'Error: Nothing to do' >&2; exit 1 ;;
    *) names="$names $word" ;;
    esac
done
echo 'Loaded plugins: fastestmirror'
if [ -e /var/run/yum.pid ]; then
    echo "Existing lock /var/run/yum.pid: another copy is running as pid $(cat /var/run/yum.pid)."
    if [ -z "$give_up" ]; then
        echo 'Another app is currently holding the yum lock; waiting for it to exit...'
        sleep 1000
    fi
    echo 'Another app is currently holding the yum lock; exiting as configured by exit_on_lock'
    # Somebody else ends after a while.
    left=$(cat /var/lib/old/lock-ends)
    if [ "$left" = 0 ]; then rm /var/run/yum.pid; else echo $((left - 1)) >/var/lib/old/lock-ends; fi
    exit "$(cat /var/lib/old/lock-status)"
fi
if [ -e /var/lib/old/no-mirror ]; then
    echo "Could not retrieve mirrorlist http://mirrorlist.centos.org/?release=6&arch=x86_64&repo=os error was"
    echo "14: PYCURL ERROR 6 - \"Couldn't resolve host 'mirrorlist.centos.org'\""
    echo 'Error: Cannot find a valid baseurl for repo: base' >&2
    exit 1
fi
if ls /var/lib/yum/transaction-all* >/dev/null 2>&1; then
    echo 'There are unfinished transactions remaining. You might consider running yum-complete-transaction first to finish them.' >&2
fi
echo 'Setting up Install Process'
found=
for name in $names; do
    if grep -q "^$name " /var/lib/old/installed; then
        echo "Package $name already installed and latest version"
        found=yes
    elif version=$(grep "^$name " /var/lib/old/repository); then
        found=yes
        gone=$(sed -n "s/^$name //p" /var/lib/old/obsoletes 2>/dev/null)
        case ,$gone, in
        ,,) ;;
        *) case $protected in
            *,"$gone",*) echo "Error: Trying to remove \"$gone\", which is protected" >&2; exit 1 ;;
            esac
            sed -i "/^$gone /d" /var/lib/old/installed ;;
        esac
        [ -e /var/lib/old/breaks ] || echo "$version" >>/var/lib/old/installed
        echo "Installing : $name"
        [ ! -e /var/lib/old/breaks ] || echo "error: %pre($name-1.0-1) scriptlet failed, exit status 1" >&2
    else
        echo "No package $name available."
    fi
done
if [ -z "$found" ]; then echo 'Error: Nothing to do' >&2; exit 1; fi
echo 'Complete!'
exit "$(cat /var/lib/old/status)"
"#;

const PROFILE: &str = "extends: centos-6.6\npackages:\n  base: [old-a, old-b]\n  lock-timeout: 4m\n";

/// A host of CentOS 6.6 whose repository has these packages, and `more` files.
fn world(repository: &str, more: &[(&str, &str)]) -> World {
    need_root();
    let world = World::new();
    world.tool("rpm", RPM);
    world.tool("yum", YUM);
    let files = [
        ("/var/lib/rpm/Packages", ""),
        ("/etc/redhat-release", "CentOS release 6.6 (Final)\n"),
        ("/etc/mt-agent/profile.yaml", PROFILE),
        ("/var/lib/old/installed", "bash 4.1.2-29.el6\n"),
        ("/var/lib/old/repository", repository),
        ("/var/lib/old/status", "0\n"),
        ("/var/lib/old/calls", ""),
    ];
    for (path, content) in files.iter().chain(more) {
        world.file(path, content);
    }
    world
}

const BOTH: &str = "old-a 1.0-1.el6\nold-b 2.0-1.el6\n";
const APPLY: &str = "$AGENT apply --yes --only packages.base";

/// Everything that was said, on both streams, in one line: messages are wrapped.
fn said(output: &Output) -> String {
    let both = [output.stdout.as_slice(), b"\n", &output.stderr].concat();
    String::from_utf8_lossy(&both).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn yum_calls(world: &World) -> Vec<String> {
    let calls = world.left("/var/lib/old/calls");
    calls.lines().filter(|line| line.starts_with("yum ")).map(str::to_owned).collect()
}

#[test]
fn one_transaction_brings_all_and_a_second_apply_starts_none() {
    let world = world(BOTH, &[]);
    let output = world.run(&format!("{APPLY} && {APPLY}"), &[]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    contains(&said, "done: installed old-a 1.0-1.el6, old-b 2.0-1.el6");
    assert_eq!(
        yum_calls(&world),
        ["yum -y --setopt=exit_on_lock=1 --setopt=protected_packages=bash install old-a old-b"]
    );
}

#[test]
fn a_status_of_0_with_one_of_two_found_is_no_success() {
    let world = world("old-a 1.0-1.el6\n", &[]);
    let output = world.run(&format!("{APPLY}; echo first $?; {APPLY}; echo second $?"), &[]);
    let said = said(&output);
    contains(&said, "yum did not install old-b: No package old-b available.");
    contains(&said, "first 2");
    contains(&said, "second 2");
    // What was found stays, and is not asked for again; of none found, the status is 1.
    assert_eq!(
        yum_calls(&world),
        [
            "yum -y --setopt=exit_on_lock=1 --setopt=protected_packages=bash install old-a old-b",
            "yum -y --setopt=exit_on_lock=1 --setopt=protected_packages=bash,old-a install old-b"
        ]
    );
    contains(&said, "yum did not install old-b: No package old-b available.; Error: Nothing to do");
}

#[test]
fn what_is_obsoleted_stays() {
    let world = world(BOTH, &[("/var/lib/old/obsoletes", "old-b bash\n")]);
    let output = world.run(APPLY, &[]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    contains(
        &said,
        "yum did not install old-b: Error: Trying to remove \"bash\", which is protected; what is to be installed",
    );
    contains(&world.left("/var/lib/old/installed"), "bash 4.1.2-29.el6");
}

#[test]
fn a_status_of_0_with_nothing_installed_is_no_success() {
    let world = world(BOTH, &[("/var/lib/old/breaks", "")]);
    let output = world.run(APPLY, &[]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    contains(&said, "yum did not install old-a, old-b: ");
    contains(&said, "%pre(old-a-1.0-1) scriptlet failed, exit status 1");
}

#[test]
fn a_failing_status_with_all_installed_is_a_success() {
    // 1 after a failing %post, 200 when yum could not remove its own lock at the end.
    for status in ["1\n", "200\n"] {
        let world = world(BOTH, &[("/var/lib/old/status", status)]);
        let output = world.run(APPLY, &[]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(0), "{said}");
        contains(&said, "done: installed old-a 1.0-1.el6, old-b 2.0-1.el6");
    }
}

#[test]
fn a_lock_that_is_let_go_is_waited_for_whatever_the_status() {
    for status in ["1\n", "200\n"] {
        let held = [
            ("/var/run/yum.pid", "1"),
            ("/var/lib/old/lock-ends", "1\n"),
            ("/var/lib/old/lock-status", status),
        ];
        let world = world(BOTH, &held);
        let output = world.run(APPLY, &[]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(0), "{said}");
        contains(&said, "process 1 (");
        contains(&said, "holds the lock of yum; waiting up to 240 s");
        contains(&said, "done: installed old-a 1.0-1.el6, old-b 2.0-1.el6");
        assert_eq!(yum_calls(&world).len(), 3, "{said}");
    }
}

#[test]
fn a_lock_that_is_kept_is_named_and_not_waited_for_without_end() {
    let profile = PROFILE.replace("4m", "4s");
    let held = [
        ("/var/run/yum.pid", "1"),
        ("/var/lib/old/lock-ends", "1000\n"),
        ("/var/lib/old/lock-status", "200\n"),
        ("/etc/mt-agent/profile.yaml", profile.as_str()),
    ];
    let world = world(BOTH, &held);
    let started = std::time::Instant::now();
    let output = world.run(APPLY, &[]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    contains(&said, "yum did not install old-a, old-b: process 1 (");
    contains(&said, "holds the lock of yum, for more than 4 s: let it end, then apply again");
    assert!(started.elapsed().as_secs() < 500, "{:?}", started.elapsed());
}

#[test]
fn mirrors_that_are_gone_are_told_as_such() {
    let world = world(BOTH, &[("/var/lib/old/no-mirror", "")]);
    let output = world.run(APPLY, &[]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    contains(&said, "Cannot find a valid baseurl for repo: base");
    contains(&said, "no repository answers: CentOS 6 has left the mirrors, name vault.centos.org/6.6");
}

#[test]
fn an_unfinished_transaction_is_a_finding_and_holds_up_no_installation() {
    let left = "/var/lib/yum/transaction-all.2015-01-01.10:00.00";
    let world = world(BOTH, &[(left, "1:x,0,1,1,x86_64\n")]);
    let output = world.run(&format!("{APPLY}; echo applied $?; $AGENT facts"), &[]);
    let said = said(&output);
    contains(&said, "done: installed old-a 1.0-1.el6, old-b 2.0-1.el6");
    contains(&said, &format!("left unfinished: {left}: 1 of 1 steps are left"));
    contains(&said, "applied 1");
    contains(&said, &format!("\"unfinished\": [ \"{left}: 1 of 1 steps are left\" ]"));
}

#[test]
fn package_files_go_through_rpm_once_and_never_through_yum() {
    // `yum install ./installed.rpm` ends with 1, and rpm -i of an installed one too.
    let name = "old-file-1.0-1.el6.x86_64.rpm";
    let profile = format!(
        "{PROFILE}sources: {{reiserfs: true}}\nfiles:\n  from: /root/files\n  directory: /var/lib/files\n  reiserfs:\n    \
         - {{package: old-file, file: {name}, urls: []}}\n"
    );
    let world = world(BOTH, &[("/etc/mt-agent/profile.yaml", profile.as_str())]);
    let apply = APPLY.replace("packages.base", "packages.reiserfs");
    // By its lead, and by what begins the header behind it, it is a package.
    let lead = "\\355\\253\\356\\333%092d\\216\\255\\350%0200d";
    let file = format!("mkdir /root/files && printf '{lead}' 0 0 >/root/files/{name}");
    let output = world.run(&format!("{file} && {apply} && {apply}"), &[]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    contains(&said, "done: installed old-file 1.0-1.el6");
    let calls = world.left("/var/lib/old/calls");
    let installing: Vec<&str> = calls.lines().filter(|line| line.starts_with("rpm -i")).collect();
    assert_eq!(installing, [format!("rpm -iv {name}")], "{calls}");
    assert_eq!(yum_calls(&world), [""; 0], "{said}");
}

#[test]
fn a_database_that_cannot_be_opened_is_not_an_empty_one() {
    let world = world(BOTH, &[("/var/lib/old/no-database", "")]);
    let output = world.run(&format!("{APPLY}; echo applied $?; $AGENT check --only packages.base"), &[]);
    let said = said(&output);
    contains(&said, "cannot open Packages index using db3 - Permission denied (13)");
    contains(&said, "nothing was changed");
    contains(&said, "applied 1");
    contains(&said, "unknown packages.base The packages");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(yum_calls(&world), [""; 0], "{said}");
}
