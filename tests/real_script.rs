//! The vendor's script as a process: what it leaves of /dev/null, that it runs once, and the stand-in's own habits. The
//! real binary in a system of its own; the scripts are ours.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "files of a test are not the host's")]

mod support;

use support::system::{System, said};
use support::{contains, need_root, waived_until};

/// The stand-in of tests/vendor, as the practice machine runs it.
const STAND_IN: &str = include_str!("vendor/ApplyCustomChanges.sh");

/// Nothing but the script: what it needs of the machine is waived, as this one is no CentOS 6.6, but for its disks.
fn profile(more: &str) -> String {
    let waived = ["os.release", "layout.no-lvm", "packages.base", "packages.multipath"];
    let until = waived_until();
    let waivers = waived.map(|id| format!("- {{requirement: {id}, reason: a test, until: '{until}'}}\n"));
    format!("extends: centos-6.6\n{more}waivers:\n{}", waivers.concat())
}

/// A system with this script in the vendor's archive; `pack NAME` makes another one of /root/NAME.
fn system(script: &str, more: &str) -> System {
    need_root();
    let system = System::new().with_disks();
    system.file("/etc/mt-agent/profile.yaml", profile(more));
    system.file("/root/kit/ApplyCustomChanges.sh", script);
    system
}

/// What every script of a test begins with.
const BEGIN: &str = r#"
chmod 644 /etc/mt-agent/profile.yaml
pack() { tar -C "$1" -czf /root/latestlinuxmobsvc.tar.gz ApplyCustomChanges.sh; }
pack /root/kit
apply() { mt-agent apply --yes --only custom-changes.applied "$@" </dev/null; echo "[exit $?]"; }
runs() { echo "[runs $(cat /var/runs | wc -l)]"; }
node() { echo "[$(stat -c '%F %t:%T %a' /dev/null)]"; }
applied() { mt-agent check --only custom-changes.applied --format json | grep -E '"(status|found|reason)"'; }
"#;

const NULL: &str = "[character special file 1:3 666]";

#[test]
fn however_it_ends_dev_null_is_there_afterwards_and_that_is_said() {
    // Its ends: success with a file there, refusal with nothing there, a signal, the deadline.
    for (end, left, says) in [
        (
            "echo x >/dev/null; touch /etc/multipath.conf /etc/.appliedmtcustomchanges",
            "an ordinary file of mode 644",
            "ran to its end",
        ),
        ("exit 1", "missing", "failed: it ended with status 1"),
        ("kill -9 $$", "missing", "was ended by signal 9"),
        ("sleep 600", "missing", "did not end within 5 s"),
    ] {
        let script = format!("#!/bin/bash\nread a\nrm -f /dev/null /dev/zero\n{end}\n");
        let system = system(&script, "custom-changes: {deadline: 5s}\n");
        let output = system.run(&format!(
            "{BEGIN} apply; node; stat -c '[zero %t:%T %a]' /dev/zero; cat /var/log/mt-agent.log"
        ));
        let said = said(&output);
        contains(&said, says);
        let (answer, log) = said.split_once("[zero 1:5 666]").unwrap_or_else(|| panic!("{end}: {said}"));
        for told in [answer, log] {
            contains(told, &format!("put right: /dev/null is {left}"));
            contains(told, "/dev/zero is missing");
        }
        contains(answer, NULL);
    }
}

#[test]
fn a_script_that_was_started_never_starts_again_by_itself() {
    let script =
        "#!/bin/bash\necho x >>/var/runs\necho line >>/etc/rc.local\necho lsscsi\necho FAILED\nexit 1\n";
    let output = system(script, "").run(&format!(
        "{BEGIN} apply; apply; apply; runs; applied; cat /etc/rc.local; apply --custom-changes=rerun; runs; apply; runs"
    ));
    let said = said(&output);
    let parts: Vec<&str> = said.split("[runs ").collect();
    contains(parts[0], "failed: it ended with status 1");
    contains(parts[0], "it said: lsscsi; FAILED");
    assert_eq!(parts[0].matches("[exit 2]").count(), 1, "{said}");
    assert_eq!(parts[0].matches("[exit 1]").count(), 2, "{said}");
    assert!(parts[1].starts_with("1]") && parts[2].starts_with("2]") && parts[3].starts_with("2]"), "{said}");
    contains(parts[1], "its last run failed: it ended with status 1");
    assert_eq!(parts[1].matches("line").count(), 1, "{said}");
}

#[test]
fn what_cannot_be_read_after_a_run_is_no_reason_to_be_silent_about_it() {
    let script =
        "#!/bin/bash\necho x >>/var/runs\nrm -f /dev/null /etc/multipath.conf\nmkdir /etc/multipath.conf\n";
    let output = system(script, "").run(&format!(
        "{BEGIN} mkfifo /var/log/appliedmtcustomchanges.log; apply; ls /var/runs; rm /var/log/appliedmtcustomchanges.log; \
         echo ==; apply; node; apply; runs"
    ));
    let said = said(&output);
    let (before, after) = said.split_once(" == ").unwrap();
    contains(before, "reading /var/log/appliedmtcustomchanges.log: it is a FIFO, not a regular file");
    contains(before, "[exit 1] ls: cannot access '/var/runs'");
    contains(
        after,
        "the state of the custom changes is unknown: it was started, but reading /etc/multipath.conf: ",
    );
    contains(after, "put right: /dev/null is missing");
    contains(after, "decide with `mt-agent apply --custom-changes=accept`");
    contains(after, NULL);
    contains(after, "[runs 1]");
}

/// The agent is killed, the script goes on: nobody starts a second one, whatever is asked, and nothing else is changed.
#[test]
fn while_the_script_lives_no_apply_does_anything() {
    let script = r#"#!/bin/bash
echo x >>/var/runs
echo $$ >/var/pid
( while [ ! -e /var/go ]; do sleep 0.1; done; echo end >>/var/helper ) &
while [ ! -e /var/go ]; do sleep 0.1; done
wait
touch /etc/multipath.conf /etc/.appliedmtcustomchanges
"#;
    let output = system(script, "").run(&format!(
        r#"{BEGIN}
mt-agent apply --yes --only custom-changes.applied </dev/null >/var/said 2>&1 & agent=$!
until [ -s /var/pid ]; do sleep 0.1; done
kill -9 $agent; wait $agent
echo "[pid $(cat /var/pid)]"
apply; apply --custom-changes=rerun; apply --custom-changes=accept
mt-agent apply --yes --only os.device-nodes; echo "[exit $?]"
applied
echo == the leader alone is killed
kill -9 "$(cat /var/pid)"
apply --custom-changes=rerun
runs
echo == all have ended
touch /var/go
until [ -s /var/helper ]; do sleep 0.1; done
while pgrep -g "$(cat /var/pid)" >/dev/null; do sleep 0.1; done
apply; applied; touch /etc/multipath.conf; apply --custom-changes=accept; runs; applied
"#
    ));
    let said = said(&output);
    let parts: Vec<&str> = said.split(" == ").collect();
    let pid = parts[0].split("[pid ").nth(1).unwrap().split(']').next().unwrap();
    let living = format!("the vendor script is still running (process {pid}, started at 20");
    assert_eq!(parts[0].matches(&living).count(), 5, "{said}");
    assert_eq!(parts[0].matches("[exit 2]").count(), 4, "{said}");
    contains(parts[0], "\"status\": \"unknown\"");
    contains(parts[1], "the vendor script is still running (process ");
    contains(parts[1], "[exit 2] [runs 1]");
    contains(parts[2], "--custom-changes=accept");
    contains(parts[2], "\"status\": \"unknown\"");
    assert!(!parts[2].contains("still running"), "{said}");
    contains(parts[2], "[runs 1]");
    assert!(parts[2].ends_with("\"reason\": null") && parts[2].contains("\"status\": \"met\""), "{said}");
}

/// Killed at the calls around its start: it has begun once or not at all, and where it may have, it is asked.
#[test]
fn killed_around_its_start_it_begins_once_or_not_at_all() {
    let script = "#!/bin/bash\necho x >>/var/runs\ntouch /etc/multipath.conf /etc/.appliedmtcustomchanges\n";
    let output = system(script, "").run(&format!(
        r#"{BEGIN}
exec 2>/var/noise
kills=0 asked=0
count() {{ if [ -e /var/runs ]; then wc -l </var/runs; else echo 0; fi; }}
for call in fsync rename renameat renameat2 write; do
    for number in $(seq 1 60); do
        rm -rf /var/runs /var/lib/mt-agent /etc/.appliedmtcustomchanges /etc/multipath.conf
        strace -o /var/trace -e trace=$call -e inject=$call:signal=KILL:when=$number \
            mt-agent apply --yes --only custom-changes.applied >/var/said 2>&1 </dev/null
        [ $? = 137 ] || break
        kills=$((kills + 1))
        while pgrep -f '^[^ ]*bash (\./Apply|-c read -r line)' >/var/left; do sleep 0.05; done
        mt-agent apply --yes --only custom-changes.applied >/var/said 2>&1 </dev/null
        if [ "$(count)" = 0 ] && ! grep -q custom-changes=accept /var/said || [ "$(count)" -gt 1 ]; then
            echo "$call $number: $(count) runs:"; cat /var/said
        fi
        ! grep -q custom-changes=accept /var/said || asked=$((asked + 1))
    done
done
echo "kills $kills, asked $asked"
"#
    ));
    let said = said(&output);
    let numbers: Vec<u32> = said.split([' ', ',']).filter_map(|word| word.parse().ok()).collect();
    assert!(matches!(numbers[..], [kills, asked] if kills >= 20 && asked >= 3 && asked < kills), "{said}");
    assert_eq!(said, format!("kills {}, asked {}", numbers[0], numbers[1]));
}

/// A machine as the stand-in wants it.
const CENTOS: &str = r#"
printf 'CentOS release 6.6 (Final)\n' >/etc/redhat-release
printf '#!/bin/sh\ncat /root/id\n' >/usr/lib/udev/scsi_id
printf '#!/bin/sh\ngrep -qx "$2" /root/missing || echo "$2-1.0"\n' >/usr/sbin/rpm
chmod 755 /usr/lib/udev/scsi_id /usr/sbin/rpm
touch /root/missing; echo 36000c29aaaaaaaaaaaaaaaaaaaaaaaaa >/root/id
run() { (cd /root/kit; bash ./ApplyCustomChanges.sh) >/var/said 2>&1; echo "[exit $?]"; }
again() { rm -f /etc/.appliedmtcustomchanges /dev/null; mknod -m 666 /dev/null c 1 3; }
left() { if [ -e /dev/null ]; then stat -c '[%F %a]' /dev/null; else echo '[nothing]'; fi; }
"#;

#[test]
fn the_stand_in_ends_as_the_vendors_does() {
    let output = system(STAND_IN, "").run(&format!(
        r#"{BEGIN}{CENTOS}
printf '== no answer '; : | run; left
printf '== no '; echo N | run; left
printf '== nonsense, then no '; printf 'x\nmaybe\n\n' | run; grep -c 'Answer Y or N' /var/said
printf '== not root '; chmod -R go+rX /root; echo Y | setpriv --reuid 99 --clear-groups bash -c 'cd /root/kit; bash ./ApplyCustomChanges.sh' >/var/said 2>&1; echo "[exit $?]"
printf '== another system '; echo other >/etc/redhat-release; echo Y | run; cat /var/said; left
printf 'CentOS release 6.6 (Final)\n' >/etc/redhat-release
printf '== some packages missing '; printf 'perl\nlsscsi\n' >/root/missing; echo Y | run; cat /var/said; left; cat /var/log/missing-packages.log
again; printf '== the last one too '; echo device-mapper-multipath >>/root/missing; echo Y | run; cat /var/said; left
again; : >/root/missing; ls -a / /etc | grep -c -e appliedmt -e blacklistrootdev
printf '== done '; echo Y | run; cat /var/said; left; tail -n 1 /etc/bashrc; cat /etc/multipath.conf; ls /.blacklistrootdev
printf '== once more '; run; cat /var/said
again; printf '== no id '; : >/root/id; echo Y | run; cat /var/said; grep -n wwid /etc/multipath.conf | cat -A; ls /etc/.appliedmtcustomchanges
printf '== its sed '; printf 'wwid "other"\nblacklist_exceptions {{\n}}\nblacklist {{\n}}\n' >/etc/multipath.conf
sed -i "s/wwid '/wwid NEW'/" /usr/sbin/blacklistrootdev.sh
/usr/sbin/blacklistrootdev.sh; cat /etc/multipath.conf
"#
    ));
    let said = said(&output);
    let part = |name: &str| {
        let found = said.split("== ").find(|part| part.starts_with(name));
        found.unwrap_or_else(|| panic!("{name}: {said}")).to_owned()
    };
    contains(&part("no answer"), "[exit 1] [character special file 666]");
    contains(&part("no [exit"), "[exit 1] [character special file 666]");
    contains(&part("nonsense"), "[exit 1] 2");
    contains(&part("not root"), "[exit 1]");
    let other = part("another system");
    contains(&other, "[exit 1]");
    contains(&other, "is for CentOS release 6.6 (Final) only. FAILED [character special file 666]");
    let some = part("some packages");
    contains(&some, "[exit 1]");
    contains(&some, "perl lsscsi Install them and run this script again. [nothing] perl lsscsi");
    contains(&part("the last one"), "perl lsscsi device-mapper-multipath FAILED Install them");
    let done = part("done");
    contains(&done, "[exit 0]");
    contains(&done, "[regular empty file 644] ulimit -c unlimited defaults {");
    contains(&done, "wwid 36000c29aaaaaaaaaaaaaaaaaaaaaaaaa device { vendor \"InMage\"");
    contains(&part("once more"), "[exit 0] ApplyCustomChanges (stand-in) started");
    contains(&part("once more"), "already invoked");
    let no_id = part("no id");
    contains(&no_id, "[exit 0]");
    contains(&no_id, "Blacklisting the root disk: OK");
    contains(&no_id, ": wwid $ /etc/.appliedmtcustomchanges");
    contains(&part("its sed"), "blacklist_exceptions { wwid NEW } blacklist { wwid NEW }");
    assert!(!part("its sed").contains("other"), "{said}");
}

/// Apply with the stand-in, in both of its editions, and on a machine whose root disk has no ID.
#[test]
fn apply_tells_what_the_stand_in_did_from_the_host() {
    let quoted = STAND_IN.replacen("quote=''", "quote='\"'", 1);
    assert_ne!(quoted, STAND_IN);
    for edition in [STAND_IN, &quoted] {
        let output = system(edition, "").run(&format!(
            r#"{BEGIN}{CENTOS}
TRACES='/var/lib/mt-agent /etc/.appliedmtcustomchanges /etc/multipath.conf /.blacklistrootdev /usr/sbin/blacklistrootdev.sh
    /var/log/appliedmtcustomchanges.log'
apply; applied; node; apply
printf '== no id '
rm -rf $TRACES; : >/root/id
apply; applied; apply; wc -l </var/lib/vendor-stand-in.runs
printf '== missing '
rm -rf $TRACES; printf 'perl\nlsscsi\n' >/root/missing
apply; node; : >/root/missing; echo 36000c29aaaaaaaaaaaaaaaaaaaaaaaaa >/root/id; apply --custom-changes=rerun; applied
"#
        ));
        let said = said(&output);
        let parts: Vec<&str> = said.split(" == ").collect();
        contains(parts[0], "ran to its end (status 0)");
        contains(parts[0], "put right: /dev/null is an ordinary file of mode 644");
        contains(parts[0], "\"status\": \"met\"");
        contains(parts[0], NULL);
        contains(
            parts[1],
            "\"status\": \"unmet\", \"found\": \"it reached its end without the root disk's SCSI ID",
        );
        assert!(parts[1].ends_with(" 2"), "it ran once more for this part alone: {said}");
        contains(
            parts[2],
            "; Checking the packages.; perl lsscsi; Install them and run this script again.; packages",
        );
        contains(parts[2], "packages that it misses: perl lsscsi (yum install -y perl lsscsi)");
        contains(parts[2], "put right: /dev/null is missing");
        contains(parts[2], NULL);
        contains(parts[2], "\"status\": \"met\"");
    }
}
