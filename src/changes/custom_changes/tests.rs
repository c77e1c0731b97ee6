//! Scripts that behave as the vendor's does, well and badly, against a tree that stands for the host.
#![allow(clippy::disallowed_methods, reason = "files of a test are not the host's")]

mod decided;
mod ends;

use std::io::Write as _;
use std::os::unix::fs::{MetadataExt, symlink};
use std::time::Duration;

use super::*;
use crate::changes::testing::{Seen, profile};
use crate::profile::Profile;

/// A tree that stands for a host; scripts write into it by its real path, `$ROOT`.
struct Desk {
    dir: tempfile::TempDir,
    host: Host,
    profile: Profile,
    seen: Seen,
}

/// As the vendor's: refuses a second time with status 0, asks, rewrites, and marks its end.
const VENDOR: &str = r#"#!/bin/bash
exec > >(tee -a $ROOT/var/log/appliedmtcustomchanges.log) 2>&1
if [ -e $ROOT/etc/.appliedmtcustomchanges ]; then echo "already invoked"; exit 0; fi
while true; do
    printf 'Are you sure you want to continue? [Y|N] [default N] : '
    read answer || exit 9
    case $answer in Y|y) break;; N|n|"") exit 1;; esac
done
echo "ulimit -c unlimited" >> $ROOT/etc/bashrc
ID=${ID-36000c29aaaaaaaaaaaaaaaaaaaaaaaaa}
[ -n "$ID" ] || echo "Getting the SCSI ID of the root disk: FAILED"
printf 'defaults {\n  user_friendly_names no\n}\nblacklist {\n  wwid "%s"\n}\n' "$ID" > $ROOT/etc/multipath.conf
touch $ROOT/etc/.appliedmtcustomchanges
pwd > $ROOT/where
"#;

impl Desk {
    fn new() -> Self {
        assert!(nix::unistd::geteuid().is_root(), "these tests must be run as root");
        let dir = tempfile::tempdir().unwrap();
        for path in ["etc", "var/log", "root"] {
            fs::create_dir_all(dir.path().join(path)).unwrap();
        }
        fs::write(dir.path().join("etc/bashrc"), "# bash\n").unwrap();
        fs::write(dir.path().join("etc/multipath.conf"), "old\n").unwrap();
        fs::set_permissions(dir.path().join("etc/multipath.conf"), fs::Permissions::from_mode(0o640))
            .unwrap();
        let host = Host::image(dir.path());
        Self { dir, host, profile: profile(), seen: Seen::default() }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path.trim_start_matches('/'))
    }

    fn archive(&self, script: &str) {
        let script = script.replace("$ROOT", &self.dir.path().display().to_string());
        let file = fs::File::create(self.path("/root/agent.tar.gz")).unwrap();
        let gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        let mut tar = tar::Builder::new(gzip);
        let mut header = tar::Header::new_gnu();
        header.set_size(script.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, "agent/ApplyCustomChanges.sh", script.as_bytes()).unwrap();
        tar.into_inner().unwrap().finish().unwrap().flush().unwrap();
    }

    fn with<T>(&mut self, act: impl FnOnce(&mut Context<'_>) -> T) -> T {
        act(&mut Context {
            host: &self.host,
            profile: &self.profile,
            boot_id: "boot-1",
            observer: &mut self.seen,
        })
    }

    fn run(&mut self, script: &str) -> Result<Done, String> {
        self.archive(script);
        self.again()
    }

    fn again(&mut self) -> Result<Done, String> {
        self.start(false)
    }

    fn rerun(&mut self) -> Result<Done, String> {
        self.start(true)
    }

    fn start(&mut self, rerun: bool) -> Result<Done, String> {
        self.with(|context| run_on(context, &Host::live(), Path::new("/root/agent.tar.gz"), rerun, None))
            .map_err(|error| format!("{error:#}"))
    }

    fn record(&self) -> Record {
        recorded(&self.host).unwrap().unwrap()
    }

    fn outcome(&self) -> Outcome {
        self.record().outcome
    }

    fn set_outcome(&self, outcome: Outcome) {
        vendor_script::write(&self.host, &Record::new("ab", "boot-0", outcome)).unwrap();
    }
}

fn contains(text: &str, part: &str) {
    assert!(text.contains(part), "`{part}` is not in: {text}");
}

#[test]
fn it_runs_once_in_its_own_directory_and_is_recorded_with_what_it_replaced() {
    let mut desk = Desk::new();
    let Ok(Done::Changed(what)) = desk.run(VENDOR) else { panic!("not changed") };
    assert_eq!(what, "ApplyCustomChanges.sh ran to its end (status 0); the machine must be restarted");
    let record = desk.record();
    assert_eq!((record.outcome, record.boot_id.as_str()), (Outcome::Applied, "boot-1"));
    assert_eq!((record.archive_sha256.len(), record.log_bytes), (64, Some(0)));
    assert!(record.process.is_some_and(|process| process.start_ticks > 0));
    assert_eq!(desk.path(VENDOR_SCRIPT).metadata().unwrap().mode() & 0o7777, 0o600);
    let place = fs::read_to_string(desk.path("/where")).unwrap();
    let place = Path::new(place.trim());
    assert!(place.starts_with(desk.path("/var/lib/mt-agent/custom-changes")), "{}", place.display());
    let script = place.join("ApplyCustomChanges.sh");
    assert_eq!(script.metadata().unwrap().mode() & 0o7777, 0o755, "the unpacked archive stays");
    let saved: Vec<_> = fs::read_dir(desk.path("/var/lib/mt-agent/saved")).unwrap().collect();
    let copy = saved[0].as_ref().unwrap().path().join("%etc%multipath.conf");
    assert_eq!(
        (fs::read(&copy).unwrap().as_slice(), copy.metadata().unwrap().mode() & 0o777),
        (&b"old\n"[..], 0o640)
    );
    assert!(desk.seen.log.iter().any(|line| line.contains("run: bash ./ApplyCustomChanges.sh")));

    let bashrc = fs::read(desk.path("/etc/bashrc")).unwrap();
    assert_eq!(desk.again().unwrap(), Done::Unchanged);
    assert_eq!(fs::read(desk.path("/etc/bashrc")).unwrap(), bashrc);
}

#[test]
fn an_empty_root_disk_id_is_applied_with_a_warning() {
    let mut desk = Desk::new();
    let Ok(Done::Changed(what)) = desk.run(&VENDOR.replace("${ID-36000c29aaaaaaaaaaaaaaaaaaaaaaaaa}", ""))
    else {
        panic!("not changed")
    };
    contains(&what, "WARNING: it said: Getting the SCSI ID of the root disk: FAILED");
    contains(&what, "WARNING: it blacklisted no disk in /etc/multipath.conf");
    assert_eq!(desk.outcome(), Outcome::Applied);
}

/// Refuses as the vendor's does where packages are missing: FAILED comes only with the last one of its list.
const REFUSES: &str = r#"#!/bin/bash
echo x >> $ROOT/runs
read a
[ "$a" = Y ] || exit 3
exec > >(tee -a $ROOT/var/log/appliedmtcustomchanges.log) 2>&1
echo "Checking packages"
echo "lsscsi kexec-tools" | tee $ROOT/var/log/missing-packages.log
[ -n "$LAST" ] && echo FAILED
echo "  these are missing"
exit 1
"#;

#[test]
fn a_refusal_is_told_with_what_it_names_and_is_not_repeated_by_itself() {
    let mut desk = Desk::new();
    // An older list is not of this run.
    fs::write(desk.path("/var/log/missing-packages.log"), "xfsprogs\n").unwrap();
    let refused = desk.run("#!/bin/bash\nread a\necho 'Checking the OS'\necho FAILED\nexit 1\n").unwrap_err();
    contains(&refused, "ApplyCustomChanges.sh failed: it ended with status 1 without its marker");
    contains(
        &refused,
        "it said: Checking the OS; FAILED; it changed none of the files that it is known to write",
    );
    contains(&refused, "it never runs again by itself: put that right, then decide with `mt-agent apply");
    assert!(!refused.contains("xfsprogs"), "{refused}");

    let mut desk = Desk::new();
    desk.archive(REFUSES);
    for _ in 0..3 {
        assert!(desk.again().is_err());
    }
    assert_eq!(runs(&desk), 1, "a person decides");
    let Outcome::Failed(why) = desk.outcome() else { panic!("not failed") };
    contains(
        &why,
        "it said: Checking packages; lsscsi kexec-tools; these are missing; packages that it misses: ",
    );
    contains(&why, "lsscsi kexec-tools (yum install -y lsscsi kexec-tools)");
    contains(&desk.again().unwrap_err(), "--custom-changes=rerun");
    assert!(matches!(desk.rerun(), Err(error) if error.contains("packages that it misses")));
    desk.archive(&REFUSES.replace("[ -n \"$LAST\" ]", "true"));
    contains(&desk.rerun().unwrap_err(), "it said: Checking packages; lsscsi kexec-tools; FAILED; packages");
    desk.archive(VENDOR);
    assert!(matches!(desk.rerun(), Ok(Done::Changed(_))));
    assert_eq!((desk.outcome(), runs(&desk)), (Outcome::Applied, 3));
}

#[test]
fn what_it_changes_beyond_the_known_files_is_changed_once_all_the_same() {
    let mut desk = Desk::new();
    fs::write(desk.path("/etc/rc.local"), "").unwrap();
    desk.archive("#!/bin/bash\necho line >> $ROOT/etc/rc.local\nexit 1\n");
    for _ in 0..3 {
        assert!(desk.again().is_err());
    }
    assert_eq!(fs::read_to_string(desk.path("/etc/rc.local")).unwrap(), "line\n");
}

#[test]
fn one_that_could_not_be_started_is_tried_again() {
    let mut desk = Desk::new();
    desk.archive(VENDOR);
    // Our own record cannot be written: the script does not begin.
    fs::create_dir_all(desk.path("/var/lib/mt-agent/.custom-changes.json.mt-agent-new")).unwrap();
    let error = desk.again().unwrap_err();
    contains(&error, "ApplyCustomChanges.sh was not started: ");
    contains(&error, "put that right and apply again");
    assert!(recorded(&desk.host).unwrap().is_none() && !desk.path("/where").exists());
    fs::remove_dir(desk.path("/var/lib/mt-agent/.custom-changes.json.mt-agent-new")).unwrap();
    assert!(matches!(desk.again(), Ok(Done::Changed(_))));
}

#[test]
fn while_a_process_of_its_group_lives_nothing_is_run_and_nothing_decided() {
    let mut desk = Desk::new();
    // It ends, and leaves something behind that holds none of our pipes.
    let error = desk.run(
        "#!/bin/bash\necho x >> $ROOT/runs\nsleep 600 </dev/null >/dev/null 2>&1 &\necho $! > $ROOT/left\nexit 1\n",
    );
    contains(&error.unwrap_err(), "failed: it ended with status 1");
    let left = fs::read_to_string(desk.path("/left")).unwrap();
    let expected = format!("the vendor script is still running (process {}, started at ", left.trim());
    contains(&desk.again().unwrap_err(), &expected);
    contains(&desk.rerun().unwrap_err(), &expected);
    // On the running host `record` looks at the same: here its host is a tree, so the look itself is tried.
    let refused = has_ended(&Host::live(), "boot-1", &desk.record()).unwrap_err().to_string();
    contains(&refused, &expected);
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(left.trim().parse().unwrap()),
        nix::sys::signal::Signal::SIGKILL,
    )
    .unwrap();
    let gone = || has_ended(&Host::live(), "boot-1", &desk.record()).is_ok();
    assert!((0..3000).any(|_| gone() || {
        std::thread::sleep(Duration::from_millis(10));
        false
    }));
    contains(&desk.again().unwrap_err(), "it is not run again by itself");
    assert_eq!(runs(&desk), 1);
}

#[test]
fn the_work_directory_is_never_under_usr_local() {
    let mut desk = Desk::new();
    fs::create_dir_all(desk.path("/usr/local/x")).unwrap();
    desk.profile.custom_changes.work_directory = "/usr/local/x/y".parse().unwrap();
    contains(&desk.run(VENDOR).unwrap_err(), "lies under /usr/local, where");
    symlink(desk.path("/usr/local/x"), desk.path("/root/link")).unwrap();
    desk.profile.custom_changes.work_directory = "/root/link/y".parse().unwrap();
    contains(&desk.run(VENDOR).unwrap_err(), "lies under /usr/local, where");
    assert!(!desk.path("/usr/local/x/y").exists());
    fs::create_dir(desk.path("/open")).unwrap();
    fs::set_permissions(desk.path("/open"), fs::Permissions::from_mode(0o777)).unwrap();
    desk.profile.custom_changes.work_directory = "/open/y".parse().unwrap();
    contains(
        &desk.run(VENDOR).unwrap_err(),
        "/open (owner 0, group 0, mode 0777): choose another directory, or run `chmod go-w ",
    );
    assert!(recorded(&desk.host).unwrap().is_none());
}

#[test]
fn a_script_that_is_none_is_not_run() {
    let mut desk = Desk::new();
    for (script, part) in [
        ("", "is empty: the archive is damaged"),
        ("#!/bin/bash\r\ntouch $ROOT/where\r\n", "CR LF"),
        ("#!/usr/bin/perl\n", "is not a shell script: it begins with `#!/usr/bin/perl`"),
        ("\x7fELF\0\0", "is not a shell script"),
    ] {
        contains(&desk.run(script).unwrap_err(), part);
    }
    desk.profile.custom_changes.sha256 = Some("0".repeat(64).parse().unwrap());
    contains(&desk.run(VENDOR).unwrap_err(), "but the profile names 000");
    assert!(recorded(&desk.host).unwrap().is_none());
    assert!(!desk.path("/where").exists());
}

fn runs(desk: &Desk) -> usize {
    fs::read_to_string(desk.path("/runs")).unwrap_or_default().lines().count()
}

/// What is planned is what can be done, whatever marker, record and decision there are: judging and changing are
/// two files, and where they differ a person is promised what is then refused, or the script runs a second time.
#[test]
fn what_is_planned_can_be_done_and_the_script_never_runs_again_by_itself() {
    use crate::facts::Fact;
    use crate::run::plan;
    use crate::steps::remedy::{Decision, Request};
    use crate::steps::testing::{TODAY, ready};
    use crate::steps::{Selection, Status, judge_all};

    let counted = VENDOR.replacen('\n', "\necho x >> $ROOT/runs\n", 1);
    let outcomes = [
        None,
        Some(Outcome::Started),
        Some(Outcome::Applied),
        Some(Outcome::Failed("no perl".into())),
        Some(Outcome::Observed),
        Some(Outcome::Accepted),
    ];
    let only = Selection::new(vec!["custom-changes.applied".into()], vec![]).unwrap();
    let mut seen = 0;
    for marked in [false, true] {
        for configured in [false, true] {
            for outcome in &outcomes {
                for decision in [None, Some(Decision::Accept), Some(Decision::Rerun)] {
                    let case =
                        format!("marker {marked}, multipath.conf {configured}, {outcome:?}, {decision:?}");
                    let mut desk = Desk::new();
                    desk.archive(&counted);
                    if marked {
                        fs::write(desk.path("/etc/.appliedmtcustomchanges"), "").unwrap();
                    }
                    if !configured {
                        fs::remove_file(desk.path("/etc/multipath.conf")).unwrap();
                    }
                    if let Some(outcome) = outcome {
                        desk.set_outcome(outcome.clone());
                    }
                    let (mut profile, mut facts) = ready();
                    profile.custom_changes.archive = Some("/root/agent.tar.gz".parse().unwrap());
                    let read = |desk: &Desk, facts: &mut crate::facts::Facts| {
                        let settings = &profile.custom_changes;
                        facts.custom_changes = crate::facts::custom_changes::load(
                            &desk.host,
                            &settings.marker,
                            &settings.log,
                            settings.archive.as_deref(),
                            crate::facts::custom_changes::Pinned::No,
                        );
                        facts.multipath.configuration =
                            crate::facts::multipath::load(&desk.host).configuration;
                        assert!(matches!(facts.multipath.configuration, Fact::Known(_)));
                    };
                    read(&desk, &mut facts);
                    let status = |facts: &crate::facts::Facts| {
                        judge_all(&profile, facts, TODAY, &only).remove(0).status
                    };
                    let before = status(&facts);
                    let request = Request { custom_changes: decision, ..Request::default() };
                    let planned = plan(&profile, &facts, &only, TODAY, &request);
                    assert!(planned.changes.len() <= 1, "{case}");
                    let Some(change) = planned.changes.first().map(|planned| planned.change.clone()) else {
                        // Nothing is done: then it holds, and a decision is said to be idle; or a person is told why.
                        if before.holds() {
                            // That it is a part of the host is told as well.
                            assert_eq!(planned.notes.len(), 1 + usize::from(decision.is_some()), "{case}");
                        } else {
                            assert!(planned.manual[0].fix.len() > 20, "{case}: {:?}", planned.manual);
                            assert_ne!(decision, Some(Decision::Rerun), "{case}: {:?}", planned.manual);
                        }
                        continue;
                    };
                    assert!(!before.holds(), "{case}: {change:?}");
                    let done = match &change {
                        crate::changes::Change::RunCustomChanges { rerun, .. } => {
                            assert_eq!(*rerun, decision == Some(Decision::Rerun), "{case}");
                            desk.start(*rerun)
                        }
                        crate::changes::Change::RecordCustomChanges { accepted } => desk
                            .with(|context| record(context, *accepted))
                            .map_err(|error| format!("{error:#}")),
                        other => panic!("{case}: {other:?}"),
                    };
                    assert!(matches!(done, Ok(Done::Changed(_))), "{case}: {change:?}: {done:?}");
                    read(&desk, &mut facts);
                    let after = status(&facts);
                    assert!(matches!(after, Status::Met { .. }), "{case}: {after:?}");
                    let never_ran = !marked && outcome.is_none();
                    let may = decision == Some(Decision::Rerun) || (never_ran && decision.is_none());
                    assert_eq!(runs(&desk), usize::from(may), "{case}");
                    // And once more: nothing is left to do, and nothing runs.
                    let again = plan(&profile, &facts, &only, TODAY, &request);
                    assert_eq!(again.changes, [], "{case}");
                    seen += 1;
                }
            }
        }
    }
    assert_eq!(seen, 24, "as many of the 72 combinations have something to do");
}
