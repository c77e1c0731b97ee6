//! The changes of multipath.conf and of multipathd, by the scripts of CentOS 6 and by systemd: made once, killed at each call,
//! and found undone by the next run. The file is the old one or the new one, and multipathd goes by it in the end. Needs root,
//! a C compiler, strace and multipath-tools.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "files of a test are not the host's")]

mod support;

use support::world::World;
use support::{contains, need_root, waived_until};

/// The root disk of the recording.
const ROOT: &str = "36000c29b3c1a4e5f60718293a4b5c6d7";

/// What stands before every script. The recorded root disk carries this machine's `/`.
const BEGIN: &str = r#"
exec 2>&1
cc -O1 -o /usr/sbin/multipathd /var/tmp/multipathd.c || exit 70
mountpoint -d / >/sys/block/sda/sda1/dev
chmod 755 /usr/sbin/service /usr/sbin/chkconfig /usr/sbin/systemctl
only=multipath.names,multipath.finds,multipath.running
conf=/etc/multipath.conf
pid=/var/run/multipathd.pid
# by SYSTEM: what starts services.
by() {
    if [ "$1" = systemd ]; then
        [ -e /usr/lib/systemd/systemd ] || exit 71
    else
        rm -f /usr/lib/systemd/systemd
        mkdir -p /etc/rc.d/init.d
        for level in 0 1 2 3 4 5 6; do mkdir /etc/rc.d/rc$level.d; done
        cp /var/tmp/init-script /etc/rc.d/init.d/multipathd
        chmod 755 /etc/rc.d/init.d/multipathd
    fi
}
at_boot() { ls /etc/rc.d/rc3.d/S06multipathd /etc/systemd/system/sysinit.target.wants/multipathd.service 2>/dev/null; }
off() {
    settled
    rm -f /etc/rc.d/rc?.d/* /etc/systemd/system/sysinit.target.wants/multipathd.*
    # This world's own: a command that a killed apply had started may have started one. A process that is killed is there until
    # it has had its turn.
    while runs multipathd; do
        for process in $(pgrep -x multipathd); do
            [ ! /proc/$process/exe -ef /usr/sbin/multipathd ] || kill -9 $process
        done
        sleep 0.02
    done
    rm -f $pid
}
on() {
    mkdir -p /etc/systemd/system/sysinit.target.wants
    ln -sf ../init.d/multipathd /etc/rc.d/rc3.d/S06multipathd 2>/dev/null
    ln -sf /usr/lib/systemd/system/multipathd.service /etc/systemd/system/sysinit.target.wants/multipathd.service
    multipathd
    until [ -s $pid ]; do
        runs multipathd || { echo "multipathd has ended"; exit 72; }
        sleep 0.02
    done
}
apply() { $AGENT apply --yes --only $only "$@" </dev/null; }
# runs NAME: a process of this world has that name; other tests have theirs.
runs() {
    for process in $(pgrep -x "$1"); do
        [ "$(readlink /proc/$process/ns/mnt)" != "$(readlink /proc/self/ns/mnt)" ] || return 0
    done
    return 1
}
# What a killed apply had started is at its end, and a multipathd that begins answers.
settled() {
    for _ in $(seq 5000); do
        runs service || runs systemctl || runs chkconfig || { runs multipathd && [ ! -s $pid ]; } || return
        sleep 0.02
    done
}
# What it goes by is what the file says.
goes_by_it() { [ "$(multipathd '-kshow config')" = "$(multipath -t 2>/dev/null)" ]; }
"#;

fn file(find_multipaths: &str) -> String {
    format!(
        "defaults {{\n\tuser_friendly_names no\n\tfind_multipaths {find_multipaths} # by hand\n}}\nblacklist {{\n\twwid \"{ROOT}\"\n}}\n"
    )
}

fn world() -> World {
    need_root();
    let world = World::new().with_disks();
    let waived = ["custom-changes.applied", "custom-changes.restarted", "packages.multipath"];
    let until = waived_until();
    let waivers = waived.map(|id| format!("- {{requirement: {id}, reason: a test, until: '{until}'}}\n"));
    world.file("/etc/mt-agent/profile.yaml", &format!("extends: centos-6.6\nwaivers:\n{}", waivers.concat()));
    world.file("/etc/redhat-release", "CentOS release 6.6 (Final)\n");
    world.file("/var/tmp/old", &file("yes"));
    world.file("/var/tmp/new", &file("no"));
    world.file("/var/tmp/multipathd.c", include_str!("multipathd/multipathd.c"));
    world.file("/var/tmp/init-script", include_str!("lab/guest/multipathd"));
    world.file("/usr/sbin/systemctl", include_str!("multipathd/systemctl"));
    world.file("/usr/sbin/service", include_str!("lab/guest/service"));
    world.file("/usr/sbin/chkconfig", include_str!("lab/guest/chkconfig"));
    world
}

/// The ways in which services are started: by systemd, and by the scripts of CentOS 6.
const WAYS: &[&str] = &["systemd", "scripts"];

/// What the script said, for each of the ways.
fn said(ways: &[&str], script: &str) -> Vec<String> {
    let one = |way: &&str| {
        let output = world().run(&format!("{BEGIN}\nby {way}\n{script}\noff"), &[]);
        format!("{way}: {}", String::from_utf8_lossy(&output.stdout))
    };
    ways.iter().map(one).collect()
}

#[test]
fn a_file_that_multipathd_has_not_read_is_told_and_read_once() {
    for said in said(
        WAYS,
        r#"
cp /var/tmp/old $conf; on
cp /var/tmp/new $conf
echo "== by hand"; $AGENT check --only multipath.running; echo "[check $?]"
$AGENT plan --only multipath.running
apply; echo "[apply $?]"; goes_by_it && echo "[it goes by it]"; cmp $conf /var/tmp/new
apply; echo "[again $?]"
echo "== told by hand"; for file in old new; do
    cp /var/tmp/$file $conf; multipathd reconfigure
    until goes_by_it; do sleep 0.1; done
done
touch $conf; $AGENT check --only multipath.running; echo "[check $?]"
echo "== no answer"; rm /var/run/multipathd.shown
$AGENT check --only multipath.running; echo "[check $?]"
echo "== no answer, and older"; off; sleep 3; on; rm /var/run/multipathd.shown
$AGENT check --only multipath.running; echo "[check $?]"
"#,
    ) {
        let part = |name: &str| {
            let part = said.split("== ").find(|part| part.starts_with(&format!("{name}\n")));
            part.unwrap_or_else(|| panic!("{name}: {said}")).split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let by_hand = part("by hand");
        contains(
            &by_hand,
            "multipathd has not read /etc/multipath.conf as it is now: it goes by `find_multipaths",
        );
        contains(&by_hand, "[check 1]");
        contains(&by_hand, "1. have multipathd read /etc/multipath.conf again");
        contains(&by_hand, "multipathd has read /etc/multipath.conf all that could be changed is changed");
        contains(&by_hand, "[apply 0] [it goes by it]");
        let again = by_hand.split("[it goes by it]").nth(1).unwrap();
        assert!(again.contains("[again 0]") && !again.contains("done:"), "{said}");
        contains(&part("told by hand"), "[check 0]");
        let unknown = part("no answer");
        contains(&unknown, "and the file is not older than multipathd");
        contains(&unknown, "[check 1]");
        contains(&part("no answer, and older"), "[check 0]");
    }
}

/// Kills apply before each of the calls by which the changes alter something, and of those that come before a command is
/// started. `before` makes the state before, `whole` says whether the file is whole.
const SWEEP: &str = r#"
calls='fsync fdatasync rename renameat renameat2 link linkat unlink unlinkat mkdir mkdirat fchmod fchown ftruncate pipe2'
begin() { off; rm -rf /var/lib/mt-agent/*; before; }
first() { strace -qq -e trace="$(echo $calls | tr ' ' ,)" "$@" $AGENT apply --yes --only $only </dev/null >/var/tmp/first 2>&1; }
begin
first -o /var/tmp/trace || { echo "a run that nobody ends exits $?"; cat /var/tmp/first; }
kills=0
for call in $calls; do
    for number in $(seq 1 "$(grep -c "^$call(" /var/tmp/trace)"); do
        begin
        first -o /dev/null -e inject=$call:signal=KILL:when=$number
        status=$?
        # How often it looks whether multipathd is there differs: the last calls of a run are not another's.
        [ $status != 0 ] || continue
        [ $status = 137 ] || { echo "exits $status at $call $number"; cat /var/tmp/first; }
        kills=$((kills + 1))
        whole || echo "half a file after $call $number"
        settled
        apply >/var/tmp/second 2>&1 || { echo "apply ends with $? after $call $number:"; cat /var/tmp/second; }
        cmp $conf /var/tmp/new || echo "not mended after $call $number"
        goes_by_it || echo "multipathd goes by another file after $call $number"
        [ -n "$(at_boot)" ] || echo "not at boot after $call $number"
        ls -A /etc | grep -e mt-agent. && echo "left behind after $call $number"
        apply --format json >/var/tmp/third 2>&1 || echo "the third ends with $?"
        tr -d ' \n' </var/tmp/third | grep -q '"changed":\[\]' || { echo "once more after $call $number:"; cat /var/tmp/third; }
    done
done
echo "kills: $kills"
"#;

fn swept(ways: &[&str], state: &str) {
    for said in said(ways, &format!("{state}\n{SWEEP}")) {
        let (way, rest) = said.split_once(": ").unwrap();
        let kills: u32 =
            rest.trim_start_matches("kills: ").trim().parse().unwrap_or_else(|_| panic!("{said}"));
        assert!(kills >= 20, "{way}: {kills}");
        eprintln!("{way}: {kills} kills");
    }
}

/// By systemd it is the same but for the reload, which the test above has.
#[test]
fn a_changed_file_is_the_old_or_the_new_wherever_apply_is_killed_and_multipathd_goes_by_it_in_the_end() {
    swept(
        &WAYS[1..],
        "before() { cp /var/tmp/old $conf; on; }
         whole() { cmp -s $conf /var/tmp/old || cmp -s $conf /var/tmp/new; }",
    );
}

#[test]
fn multipathd_is_started_wherever_apply_is_killed() {
    swept(WAYS, "before() { cp /var/tmp/new $conf; }\nwhole() { cmp -s $conf /var/tmp/new; }");
}
