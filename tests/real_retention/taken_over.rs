//! Another volume takes the place of the retention volume: planned from what is on these loop devices, carried out step by step,
//! and killed at the calls by which it writes.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::time::Duration;

use mt_agent::changes::fstab;
use mt_agent::changes::identity::Identity;
use mt_agent::changes::mkfs;
use mt_agent::changes::mount::mount_retention;
use mt_agent::changes::{Change, Done, Target};
use mt_agent::facts::disks::{self, Disk};
use mt_agent::facts::gather::{self, Probing, Wanted};
use mt_agent::facts::retention::{self, uuid_of};
use mt_agent::facts::{Fact, Facts, fstab as lines, mounts};
use mt_agent::host::{Host, ScsiId};
use mt_agent::run::plan;
use mt_agent::state::paths::RETENTION;
use mt_agent::steps::Selection;
use mt_agent::steps::remedy::{Request, Takeover};
use nix::mount::MsFlags;

use super::desk::*;
use super::samples::samples;

pub(super) const OLD: &str = "36000c29bbbbbbbbbbbbbbbbbbbbbbbbb";
pub(super) const NEW: &str = "36000c29ccccccccccccccccccccccccc";

/// The host of which the rest of the facts tells: ready, with a retention disk of its own, which is taken out.
const READY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios/centos-6.6-ready/host");

const CALLS: &str = "execve,fsync,fdatasync,rename,mount,umount2,unlink,mkdir,mknodat";

const VICTIM: &str = "MT_AGENT_TEST_TAKEN_OVER";

/// A machine with two disks, of which SCSI IDs are told here and all else by the kernel.
pub(super) struct Two {
    pub(super) names: [String; 2],
}

impl Two {
    fn of(old: &Loop, new: &Loop) -> Self {
        Self { names: [old.name().to_owned(), new.name().to_owned()] }
    }

    fn described(&self, host: &Host) -> Result<Vec<Disk>, String> {
        let read = |(name, id): (&String, &str)| {
            let mut disk = disks::describe(host, name)?;
            disk.scsi_id = Ok(id.into());
            Ok(disk)
        };
        self.names.iter().zip([OLD, NEW]).map(read).collect()
    }

    /// As the agent reads them: what there is of loop devices, and the rest of the recorded host.
    pub(super) fn facts(&self) -> Facts {
        let host = Host::live();
        let mut facts = gather::gather(
            &Host::recorded(READY),
            &Wanted {
                marker: "/etc/.appliedmtcustomchanges".into(),
                log: "/var/log/appliedmtcustomchanges.log".into(),
                ..Wanted::default()
            },
        );
        let devices = self.names.iter().map(|name| format!("/dev/{name}")).collect();
        let (_, probes) = gather::disks_alone(&host, &Probing::Named(devices));
        // Of what is in use the agent itself probes nothing.
        facts.probes = probes.into_iter().filter(|probe| probe.in_use.is_empty()).collect();
        let Fact::Known(live) = mounts::load(&host) else { panic!("the mounts") };
        let mounts = edit(&mut facts.mounts);
        mounts.retain(|mount| mount.mount_point != MOUNT_POINT);
        mounts.extend(live.into_iter().filter(|mount| mount.mount_point == MOUNT_POINT));
        let mounts = mounts.clone();
        let all = edit(&mut facts.disks);
        all.truncate(1);
        all.extend(self.described(&host).unwrap());
        disks::fill_users(all, &mounts, &[]);
        let links = edit(&mut facts.filesystems);
        links.by_uuid.retain(|_, number| number.major() == 8);
        for name in &self.names {
            let uuid = blkid(name, "UUID");
            if !uuid.is_empty() {
                links.by_uuid.insert(uuid.into(), number(name).parse().unwrap());
            }
        }
        let Fact::Known(lines) = lines::load(&host) else { panic!("fstab") };
        let fstab = edit(&mut facts.fstab);
        fstab.retain(|entry| entry.mount_point != MOUNT_POINT);
        fstab.extend(lines.entries.into_iter().filter(|entry| entry.mount_point == MOUNT_POINT));
        facts.retention_record = retention::load(&host);
        facts
    }

    /// The next change of the plan, and what is planned in all.
    fn next(&self, request: &Request) -> (Option<Change>, Vec<Change>) {
        let only = Selection::new(vec!["retention".into()], vec![]).unwrap();
        let today = time::macros::date!(2026 - 06 - 01);
        let planned = plan(&profile(), &self.facts(), &only, today, request);
        let all: Vec<_> = planned.changes.into_iter().map(|planned| planned.change).collect();
        (all.first().cloned(), all)
    }

    pub(super) fn carry_out(&self, change: &Change) -> Result<Done, String> {
        perform(|context| match change {
            Change::FormatRetention(format) => {
                assert!(!format.erase && format.target.scsi_id == NEW, "{change:?}");
                mkfs::format(context, self, format)
            }
            Change::MountRetention { target, mount_point, mounted: _ } => {
                mount_retention(context, self, target, mount_point)
            }
            other => other.perform(context),
        })
    }

    /// All that is planned, one change after the other; how many there were.
    pub(super) fn go_on(&self, request: &Request) -> Result<usize, String> {
        for number in 0..8 {
            let (Some(next), _) = self.next(request) else { return Ok(number) };
            self.carry_out(&next)?;
        }
        panic!("it does not end: {:?}", self.next(request).1)
    }
}

impl Identity for Two {
    fn scsi_id(&self, device: &File) -> Result<ScsiId, String> {
        let rdev = device.metadata().unwrap().rdev();
        let is = |name: &String| fs::metadata(format!("/dev/{name}")).unwrap().rdev() == rdev;
        let at = self.names.iter().position(is).ok_or("another device")?;
        Ok([OLD, NEW][at].into())
    }

    fn disks(&self, host: &Host) -> Result<Vec<Disk>, String> {
        self.described(host)
    }
}

fn edit<T>(fact: &mut Fact<T>) -> &mut T {
    let Fact::Known(value) = fact else { panic!("not known") };
    value
}

fn number(name: &str) -> String {
    fs::read_to_string(format!("/sys/block/{name}/dev")).unwrap().trim().to_owned()
}

fn blkid(name: &str, tag: &str) -> String {
    duct::cmd!("blkid", "-p", "-o", "value", "-s", tag, format!("/dev/{name}")).unchecked().read().unwrap()
}

pub(super) fn ordered(takeover: Takeover, id: &str) -> Request {
    Request { retention_disk: Some(id.into()), takeover: Some(takeover), ..Request::default() }
}

fn kinds(changes: &[Change]) -> Vec<String> {
    let kind = |change| serde_json::to_value(change).unwrap()["kind"].as_str().unwrap().to_owned();
    changes.iter().map(kind).collect()
}

/// An /etc of its own, with an fstab of its own.
pub(super) fn own_etc() {
    run("cp", &["-a", "/etc", "/var/lib/etc"]);
    nix::mount::mount(Some("/var/lib/etc"), "/etc", None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
    own_fstab("UUID=1-2 /data ext4 defaults 0 0\n");
}

fn own_fstab(text: &str) {
    mt_agent::host::files::replace(Path::new("/etc/fstab"), text.as_bytes(), 0o644).unwrap();
}

/// Where the systemd of this machine is not asked: the facts are of a CentOS 6.
const OPTIONS: &str = "rw";

/// The image of a volume of ours on the disk OLD, with a file on it.
pub(super) fn made(size: u64) -> Loop {
    let device = Loop::new(size);
    let target = with(&device.target("ext4"), |target| {
        (target.scsi_id, target.uuid) = (OLD.into(), Some(uuid_of(OLD)));
    });
    let (spare, id) = (Loop::new(MIB), OLD.to_owned());
    let identity = StandIn { answer: Ok(id), ..StandIn::of(&device) };
    drop(spare);
    changed(perform(|context| mkfs::format(context, &identity, &target)));
    run("mount", &[&device.device, "/mnt"]);
    fs::write("/mnt/points-in-time", "kept").unwrap();
    run("umount", &["/mnt"]);
    device
}

/// OLD as its image is, recorded and in fstab, mounted or not; NEW is blank.
fn ready(image: &Loop, mounted: bool) -> (Loop, Loop, Two) {
    let _ = duct::cmd!("umount", MOUNT_POINT).stderr_null().unchecked().run();
    let old = Loop::with(image.size(), &[], |path| {
        fs::copy(image.image(), path).unwrap();
    });
    let new = Loop::new(image.size());
    let two = Two::of(&old, &new);
    own_fstab("UUID=1-2 /data ext4 defaults 0 0\n");
    let device = format!("UUID={}", uuid_of(OLD));
    let entry = fstab::Entry { device: &device, mount_point: MOUNT_POINT, fs_type: "ext4", options: OPTIONS };
    changed(perform(|context| fstab::write(context, &entry)));
    let target = Target { scsi_id: OLD.into(), uuid: Some(uuid_of(OLD)), ..volume(&old, "ext4") };
    let _ = fs::remove_file(RETENTION);
    changed(perform(|context| mount_retention(context, &two, &target, MOUNT_POINT)));
    if !mounted {
        run("umount", &[MOUNT_POINT]);
    }
    (old, new, two)
}

/// That the volume of the disk `id`, `device`, is the retention volume now, and that nothing else is left of another one.
pub(super) fn holds(device: &Loop, id: &str) {
    let live = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let there: Vec<_> = live.lines().filter(|line| line.split(' ').nth(4) == Some(MOUNT_POINT)).collect();
    assert!(there.len() == 1 && there[0].split(' ').nth(2) == Some(&number(device.name())), "{there:?}");
    assert_eq!(record().map(|record| (record.scsi_id, record.finished)), Some((id.into(), true)));
    let fstab = fs::read_to_string("/etc/fstab").unwrap();
    let expected = format!(
        "UUID=1-2 /data ext4 defaults 0 0\n{}{MOUNT_POINT}\nUUID={} {MOUNT_POINT} ext4 {OPTIONS} 0 0\n",
        lines::COMMENT,
        uuid_of(id)
    );
    assert_eq!(fstab, expected);
}

/// That the volume on OLD is whole and has its file.
pub(super) fn is_kept(old: &Loop) {
    run("e2fsck", &["-fn", &old.device]);
    assert_eq!(run("debugfs", &["-R", "cat /points-in-time", &old.device]), "kept");
    assert_eq!(old.carries().1, uuid_of(OLD).to_string());
}

#[test]
fn a_new_disk_takes_the_place_and_the_old_one_is_taken_back() {
    isolated(module_path!(), "a_new_disk_takes_the_place_and_the_old_one_is_taken_back", || {
        own_etc();
        let image = made(64 * MIB);
        for mounted in [true, false] {
            let (old, new, two) = ready(&image, mounted);
            let hash = old.hash();
            let replacing = ordered(Takeover::Replace, NEW);
            let all =
                ["unmount-retention", "remove-fstab", "format-retention", "mount-retention", "write-fstab"];
            assert_eq!(kinds(&two.next(&replacing).1), all[usize::from(!mounted)..]);
            two.go_on(&replacing).unwrap();
            holds(&new, NEW);
            is_kept(&old);
            if !mounted {
                assert_eq!(old.hash(), hash, "the old disk is left bit for bit");
            }
            assert_eq!(two.go_on(&replacing), Ok(0), "a second run changes nothing");
            assert_eq!(two.go_on(&Request::default()), Ok(0));
            // What is known of the old one by its record alone is kept.
            let kept = run("sh", &["-c", "cat /var/lib/mt-agent/saved/retention-*/*"]);
            assert!(kept.contains(OLD), "{kept}");

            let adopting = ordered(Takeover::Adopt, OLD);
            let all = ["unmount-retention", "remove-fstab", "mount-retention", "write-fstab"];
            assert_eq!(kinds(&two.next(&adopting).1), all);
            two.go_on(&adopting).unwrap();
            holds(&old, OLD);
            assert_eq!(fs::read_to_string("/mnt/retention/points-in-time").unwrap(), "kept");
            assert_eq!(two.go_on(&adopting), Ok(0));
            assert_eq!(new.carries().1, uuid_of(NEW).to_string(), "nor is that one touched");
            run("umount", &[MOUNT_POINT]);
        }
    });
}

#[test]
fn a_volume_in_use_stays_mounted_and_who_uses_it_is_named() {
    isolated(module_path!(), "a_volume_in_use_stays_mounted_and_who_uses_it_is_named", || {
        own_etc();
        let image = made(64 * MIB);
        let (old, new, two) = ready(&image, true);
        let (blank, fstab) = (new.hash(), fs::read("/etc/fstab").unwrap());
        let replacing = ordered(Takeover::Replace, NEW);
        let refused = |said: &[&str]| {
            let error = two.go_on(&replacing).unwrap_err();
            for word in said {
                assert!(error.contains(word), "{word}: {error}");
            }
            assert!(
                error.starts_with("unmounting /mnt/retention: it is in use, and stays mounted: "),
                "{error}"
            );
            assert!(is_mounted(MOUNT_POINT));
            assert_eq!((new.hash(), fs::read("/etc/fstab").unwrap()), (blank.clone(), fstab.clone()));
            assert_eq!(record().unwrap().scsi_id, OLD);
        };
        // A file that is open, a working directory, a mapped program, a mount and a loop device.
        let open = File::open("/mnt/retention/points-in-time").unwrap();
        let own = format!("process {} (", std::process::id());
        refused(&[&own, ") has a file open on it"]);
        drop(open);
        let there = duct::cmd!("sleep", "600").dir(MOUNT_POINT).start().unwrap();
        refused(&[&format!("process {} (sleep) has its working directory on it", there.pids()[0])]);
        there.kill().unwrap();
        fs::copy("/bin/sleep", "/mnt/retention/sleep").unwrap();
        let program = duct::cmd!("/mnt/retention/sleep", "600").start().unwrap();
        refused(&[&format!("process {} (sleep) has a file mapped on it", program.pids()[0])]);
        program.kill().unwrap();
        fs::remove_file("/mnt/retention/sleep").unwrap();
        fs::create_dir("/mnt/retention/below").unwrap();
        run("mount", &["-t", "tmpfs", "another", "/mnt/retention/below"]);
        refused(&["another is mounted at /mnt/retention/below"]);
        run("umount", &["/mnt/retention/below"]);
        fs::remove_dir("/mnt/retention/below").unwrap();
        let inner = Loop::at(Path::new(MOUNT_POINT), MIB, &[], |_| {});
        refused(&["/image lies below the loop device loop"]);
        drop(inner);
        // Nobody any more.
        two.go_on(&replacing).unwrap();
        holds(&new, NEW);
        is_kept(&old);
    });
}

/// Runs the victim under strace with `options`; whether it came to its end.
fn victim(two: &Two, order: &str, options: &[&str]) -> bool {
    let own = std::env::current_exe().unwrap();
    let name = "taken_over::a_takeover_that_is_killed_at_any_call_is_finished_by_the_next_run";
    let trace = format!("trace={CALLS}");
    let words = [&["-f", "-qq", "-e", &trace], options, &[own.to_str().unwrap(), "--exact", name]].concat();
    let told = format!("{order} {} {}", two.names[0], two.names[1]);
    let output = duct::cmd("strace", words).env(VICTIM, told).stdout_null().stderr_null().unchecked().run();
    output.unwrap().status.success()
}

/// The orders that a takeover is tried with: its request, and whether NEW is the volume at its end.
pub(super) fn order(word: &str) -> (Request, bool) {
    match word {
        "replace" => (ordered(Takeover::Replace, NEW), true),
        _ => (ordered(Takeover::Adopt, OLD), false),
    }
}

/// Before the order is given: for an adoption the volume was moved to NEW.
pub(super) fn before(word: &str, image: &Loop, mounted: bool) -> (Loop, Loop, Two) {
    let (old, new, two) = ready(image, mounted);
    if word == "adopt" {
        two.go_on(&ordered(Takeover::Replace, NEW)).unwrap();
    }
    (old, new, two)
}

/// Looks at what the order left: the new disk's volume, with the old one as it was, or the old one's taken back.
pub(super) fn is_taken_over(old: &Loop, new: &Loop, is_new: bool) {
    if is_new {
        holds(new, NEW);
        is_kept(old);
    } else {
        holds(old, OLD);
        assert_eq!(fs::read_to_string("/mnt/retention/points-in-time").unwrap(), "kept");
    }
}

#[test]
fn a_takeover_that_is_killed_at_any_call_is_finished_by_the_next_run() {
    if let Ok(told) = std::env::var(VICTIM) {
        let words: Vec<&str> = told.split(' ').collect();
        let two = Two { names: [words[1].to_owned(), words[2].to_owned()] };
        two.go_on(&order(words[0]).0).unwrap();
        return;
    }
    isolated(module_path!(), "a_takeover_that_is_killed_at_any_call_is_finished_by_the_next_run", || {
        own_etc();
        let image = made(64 * MIB);
        for word in ["replace", "adopt"] {
            let (request, is_new) = order(word);
            let check = |old: &Loop, new: &Loop| is_taken_over(old, new, is_new);
            let after = |old: &Loop, new: &Loop, two: &Two, said: &str| {
                // Who runs it without the order makes nothing on another disk than the one that was begun.
                let (_, without) = two.next(&Request::default());
                let making = record().is_some_and(|record| record.scsi_id == NEW && !record.finished);
                let makes = |change: &Change| matches!(change, Change::FormatRetention { .. });
                assert!(making || !without.iter().any(makes), "{said}: {without:?}");
                if let Err(why) = two.go_on(&request) {
                    panic!("{said}: {why}");
                }
                check(old, new);
                assert_eq!(two.go_on(&request), Ok(0), "{said}");
            };
            killed(word, &image, Duration::from_secs(20), &check, &after);
        }
    });
}

/// Runs the order `word` to its end, and again and again, killed at one of its calls each time: every sixth of them, and the ones
/// between as far as there is time. `whole` looks at what the first left, `after` at the others, with what is said of each.
pub(super) fn killed(
    word: &str,
    image: &Loop,
    time: Duration,
    whole: &dyn Fn(&Loop, &Loop),
    after: &dyn Fn(&Loop, &Loop, &Two, &str),
) {
    let (old, new, two) = before(word, image, true);
    assert!(victim(&two, word, &["-o", "/var/lib/trace"]), "{word}");
    whole(&old, &new);
    let points = points(&fs::read_to_string("/var/lib/trace").unwrap());
    assert!(points.len() > 20, "{points:?}");
    drop((old, new));

    let sixth = |first: usize| (first..points.len()).step_by(6);
    let floor = u64::try_from(sixth(0).count()).unwrap();
    let (mut killed, mut all) = (0, 0);
    for (at, _) in (0..6).flat_map(sixth).zip(samples(floor, time)) {
        let (old, new, two) = before(word, image, at % 2 == 0);
        let (call, number) = &points[at];
        let inject = format!("inject={call}:signal=KILL:when={number}");
        killed += usize::from(!victim(&two, word, &["-o", "/dev/null", "-e", &inject]));
        all += 1;
        after(&old, &new, &two, &format!("{word}, {call} {number}"));
    }
    assert!(killed >= all / 2, "{killed} of {all} runs were killed");
}

/// The calls of a trace with their numbers, each process having its own count: so strace counts them.
fn points(trace: &str) -> Vec<(String, u32)> {
    let mut counts: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for line in trace.lines() {
        let Some((pid, call)) = line.split_once(' ') else { continue };
        let name = call.trim().split('(').next().unwrap_or_default();
        if CALLS.split(',').any(|call| call == name) {
            *counts.entry((pid, name)).or_default() += 1;
        }
    }
    let most =
        |name: &str| counts.iter().filter(|((_, call), _)| *call == name).map(|(_, count)| *count).max();
    let of =
        |name: &str| (1..=most(name).unwrap_or_default()).map(|at| (name.to_owned(), at)).collect::<Vec<_>>();
    CALLS.split(',').flat_map(of).collect()
}

#[test]
fn what_is_named_and_not_blank_is_not_made_and_the_old_one_stays() {
    isolated(module_path!(), "what_is_named_and_not_blank_is_not_made_and_the_old_one_stays", || {
        own_etc();
        let image = made(64 * MIB);
        let (_old, new, two) = ready(&image, true);
        run("mkfs.ext4", &["-q", "-F", &new.device]);
        let hash = new.hash();
        let (_, planned) = two.next(&ordered(Takeover::Replace, NEW));
        assert_eq!(planned, [], "nothing is unmounted either");
        assert!(is_mounted(MOUNT_POINT));
        assert_eq!(new.hash(), hash);
        assert!(fs::metadata(&new.device).unwrap().file_type().is_block_device());
        run("umount", &[MOUNT_POINT]);
    });
}
