//! /dev/null and its like, wrong in every way, in a /dev of their own: found, made anew, and done without meanwhile.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "files of a test are not the host's")]

mod support;

use support::system::{System, said};
use support::{contains, need_root};

/// Each is put right, and a second run changes nothing; tells the inode that /dev/null has then.
const MEND: &str = r#"
node() { stat -c '%F %t:%T %a %u:%g' "/dev/$1"; }
only="--only os.device-nodes"
check() { mt-agent check $only --format json | tr -d '\n' | sed 's/.*"status": *"\([a-z]*\)".*/\1/'; }
begin() {
    printf '\n== %s: ' "$1"
    rm -rf /dev/null
}
mend() {
    printf 'check %s; ' "$(check)"
    mt-agent apply --yes $only; printf 'apply %s; ' $?
    [ "$(node null)" = 'character special file 1:3 666 0:0' ] && printf 'right; '
    inode=$(stat -c %i /dev/null)
    mt-agent apply --yes $only; printf 'again %s; ' $?
    [ "$inode" = "$(stat -c %i /dev/null)" ] && printf 'the same; '
    printf 'check %s\n' "$(check)"
    find /dev -maxdepth 1 -name '.mt-agent*'
}
"#;

#[test]
fn whatever_is_wrong_with_a_node_is_found_and_mended_once() {
    need_root();
    let script = format!(
        r#"{MEND}
begin missing; mend
begin content; printf hello >/dev/null; mend; cat /dev/null.was-a-file*; ls -l /dev/null.was-a-file*
begin empty; touch /dev/null; mend; ls /dev | grep -c was-a-file
begin numbers; mknod -m 666 /dev/null c 1 5; mend
begin mode; mknod -m 600 /dev/null c 1 3; mend
begin owner; mknod -m 666 /dev/null c 1 3; chown 99:99 /dev/null; mend
begin pipe; mkfifo -m 666 /dev/null; mend
echo untouched >/root/victim; chmod 640 /root/victim
begin link; ln -s /root/victim /dev/null; mend; cat /root/victim; stat -c %a /root/victim
begin leftover; mknod -m 600 /dev/.mt-agent-null c 1 3; mend
begin all; for n in zero full random urandom tty; do rm /dev/$n; done; mend
for n in zero full random urandom tty; do echo "$n $(node $n)"; done
"#
    );
    let output = System::new().run(&script);
    let said = said(&output);
    for (name, wrong) in [
        ("missing", "/dev/null is missing"),
        (
            "content",
            "/dev/null is an ordinary file of mode 644 (5 bytes), whose content is /dev/null.was-a-file-",
        ),
        ("empty", "/dev/null is an ordinary file of mode 644 (0 bytes)"),
        ("numbers", "/dev/null is the device 1:5"),
        ("mode", "/dev/null has mode 600"),
        ("owner", "/dev/null is owned by 99:99"),
        ("pipe", "/dev/null is no character device"),
        ("link", "/dev/null is a link to /root/victim"),
        ("leftover", "/dev/null is missing"),
        ("all", "/dev/null is missing; /dev/zero is missing; /dev/full is missing; /dev/random is missing"),
    ] {
        let part = said.split("== ").find(|part| part.starts_with(&format!("{name}: "))).unwrap_or_default();
        contains(part, "check unmet; ");
        contains(part, wrong);
        contains(part, "apply 0; right; ");
        contains(part, "again 0; the same; check met");
        assert!(!part.contains(".mt-agent-null"), "{part}");
    }
    contains(&said, "hello");
    contains(&said, "untouched 640");
    for (name, number, group) in
        [("zero", "1:5", 0), ("random", "1:8", 0), ("urandom", "1:9", 0), ("tty", "5:0", 5)]
    {
        contains(&said, &format!("{name} character special file {number} 666 0:{group}"));
    }
}

#[test]
fn a_directory_is_left_to_a_person_and_the_others_are_mended() {
    need_root();
    let output = System::new().run(&format!(
        r#"{MEND}
rm /dev/zero
begin directory; mkdir /dev/null; echo kept >/dev/null/file; mend; cat /dev/null/file; node zero
echo a file | cat - /dev/null 2>&1
"#
    ));
    let said = said(&output);
    contains(&said, "done: put right: /dev/zero is missing all that could be changed is changed");
    contains(&said, " apply 1; ");
    contains(&said, " again 1; the same; check unmet");
    contains(&said, "kept character special file 1:5 666 0:0");
    contains(&said, "/dev/null is a directory: look at what it holds and move it away (mv /dev/null /root/)");
}

/// A database of real rpm's, with nothing in it: what is missing is told, and nothing is unknown.
#[test]
fn without_dev_null_packages_are_judged_and_nothing_is_installed_before_it_is_back() {
    need_root();
    let output = System::new().run(
        r#"
printf 'CentOS release 6.6 (Final)\n' >/etc/redhat-release
mkdir -p /var/lib/rpm /etc/rpm && echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros && rpm --initdb
packages() { mt-agent check --only packages.base --format json | grep -E '"(status|found|reason)"'; }
rm /dev/null
packages; [ -e /dev/null ] || echo still away
echo ==
printf text >/dev/null
packages; cat /dev/null; echo; echo ==
rm /dev/null
mt-agent plan --only packages.base
echo ==
mt-agent plan --only packages.base,os.device-nodes
"#,
    );
    let said = said(&output);
    let parts: Vec<&str> = said.split(" == ").collect();
    for part in &parts[..2] {
        contains(part, "\"status\": \"unmet\"");
        contains(part, "not installed: xfsprogs, perl");
    }
    contains(parts[0], "still away");
    assert!(parts[1].ends_with("text"), "nothing has written into it: {}", parts[1]);
    contains(parts[2], "needs os.device-nodes first; then mt-agent apply does it");
    contains(parts[3], "1. make /dev/null anew");
    contains(parts[3], "2. install xfsprogs, perl");
}

/// Killed before every call that alters something: there is always something at /dev/null, and the next run mends it.
#[test]
fn killed_at_every_call_there_is_never_less_than_before() {
    need_root();
    let output = System::new().run(
        r#"
# The shell says of each that it was killed.
exec 2>/var/noise
node() { stat -c '%F %t:%T %a %u:%g' /dev/null; }
kills=0
for call in unlink unlinkat linkat link mknodat mknod lchown fchownat fchmodat chmod rename renameat renameat2 fsync; do
    for number in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24; do
        rm -f /dev/null /dev/null.was* /var/lib/mt-agent/* /var/log/mt-agent.log 2>&1; printf content >/dev/null
        strace -o /var/trace -e trace=$call -e inject=$call:signal=KILL:when=$number \
            mt-agent apply --yes --only os.device-nodes >/var/said 2>&1
        status=$?
        [ -e /dev/null ] || echo "nothing at /dev/null after $call $number"
        case $(node) in
            'regular file 0:0 644 0:0') [ "$(cat /dev/null)" = content ] || echo "content lost at $call $number" ;;
            'character special file 1:3 666 0:0') ;;
            *) echo "half a node after $call $number: $(node)" ;;
        esac
        if [ $status = 137 ]; then kills=$((kills + 1)); else break; fi
        mt-agent apply --yes --only os.device-nodes >/var/said 2>&1 || { echo "apply ends with $?:"; cat /var/said; }
        [ "$(node)" = 'character special file 1:3 666 0:0' ] || echo "not mended after $call $number: $(node)"
        cat /dev/null.was* | grep -qx content || echo "the content has no name after $call $number"
        [ "$(ls -A /dev | grep -c mt-agent)" = 0 ] || echo "left behind after $call $number"
    done
    [ $status = 0 ] || { echo "$call: a run that nobody ends exits $status"; cat /var/said; }
done
echo "kills: $kills"
"#,
    );
    let said = said(&output);
    let kills: u32 = said.rsplit("kills: ").next().unwrap().parse().unwrap_or_else(|_| panic!("{said}"));
    assert_eq!(said, format!("kills: {kills}"));
    assert!(kills >= 10, "{said}");
}

#[test]
fn nodes_that_cannot_be_opened_are_left_to_a_person() {
    need_root();
    let script = format!(
        r#"{MEND}
mount -o remount,nodev /dev
printf 'check %s; ' "$(check)"
mt-agent plan $only | tr -s ' \n' ' '
mt-agent apply --yes $only; printf 'apply %s\n' $?
"#
    );
    let output = System::new().run(&script);
    let said = said(&output);
    contains(&said, "check unmet; ");
    contains(&said, "/dev/null lies on a file system that is mounted nodev");
    contains(&said, "mount -o remount,dev /dev, then mt-agent check");
    // Random bytes cannot be had either.
    contains(&said, "opening /dev/urandom: Permission denied");
    contains(&said, "apply 2");
}
