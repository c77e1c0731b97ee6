//! The ready master target of the recorded hosts, with its records in a tree of their own, lost and damaged in every way.

mod held;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use super::*;
use crate::changes::{Done, records};
use crate::facts::identity;
use crate::facts::retention::uuid_of;
use crate::facts::{records as facts_records, retention};
use crate::host::files;
use crate::run::journal::{self, Entry, Event};
use crate::run::waiting;
use crate::state::paths::{self, DIRECTORY, SET_ASIDE};
use crate::state::vendor_script::{self, Outcome};
use crate::steps::image;
use crate::steps::layout::own_disks;
use crate::steps::testing::{
    OS_DISK_ID, RETENTION_ID, answering, edit, entry, fstab, mount, mounts, never_ran, ready, virtual_disk,
};

struct Desk {
    _dir: tempfile::TempDir,
    host: Host,
    profile: Profile,
    facts: Facts,
}

impl Desk {
    /// The ready host, on whose retention disk the volume is that the agent makes there, with every record whole.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (profile, mut facts) = ready();
        let links = &mut edit(&mut facts.filesystems).by_uuid;
        links.retain(|_, number| number != "253:0");
        links.insert(uuid_of(RETENTION_ID), "253:0".into());
        let map = edit(&mut facts.storage).iter_mut().find(|one| one.name == "dm-0").unwrap();
        map.volume.as_mut().unwrap().uuid = uuid_of(RETENTION_ID);
        facts.identity.template = Fact::Known(None);
        let desk = Self { host: Host::image(dir.path()), _dir: dir, profile, facts };
        let mut volume = edit(&mut desk.facts.retention_record.clone()).clone().unwrap();
        volume.uuid = uuid_of(RETENTION_ID);
        desk.json(paths::RETENTION, &volume);
        desk.json(paths::VENDOR_SCRIPT, &edit(&mut desk.facts.custom_changes.record.clone()));
        records::keep_identity(&desk.host, "2017-02-06T12:00:00Z", &image::identifiers(&desk.facts), None)
            .unwrap();
        let begin =
            Event::Begin { agent: "0.1.0".into(), profile: "p".into(), resumed: false, selection: None };
        for event in [begin, Event::End { verdict: "ready".into() }] {
            journal::open(&desk.host, "b").unwrap().write(event).unwrap();
        }
        desk.put("/etc/keep", b"");
        desk
    }

    fn put(&self, path: &str, content: &[u8]) {
        fs::create_dir_all(self.host.path(path).parent().unwrap()).unwrap();
        files::replace(&self.host.path(path), content, 0o600).unwrap();
    }

    /// Removes the record; where it lay.
    fn without(&self, path: &str) -> PathBuf {
        let place = self.host.path(path);
        fs::remove_file(&place).unwrap();
        place
    }

    fn json(&self, path: &str, value: &impl serde::Serialize) {
        self.put(path, &serde_json::to_vec(value).unwrap());
    }

    /// As `read_facts` would have it: with the records that are there now.
    fn seen(&self) -> Seen {
        let mut facts = self.facts.clone();
        facts.retention_record = retention::load(&self.host);
        facts.custom_changes.record = Fact::from_result(vendor_script::read(&self.host));
        let keys = facts.identity.ssh_host_keys.clone();
        facts.identity = identity::Identity { ssh_host_keys: keys, ..identity::load(&self.host) };
        facts.records_set_aside = facts_records::set_aside(&self.host);
        facts.journal = crate::facts::journal::load(&self.host);
        let order = waiting::find(&self.host, &|_| Ok(self.profile.clone()));
        Seen { profile: self.profile.clone(), facts, order }
    }

    fn row(&self, path: &str) -> Row {
        let rows = look(&self.host, &self.seen()).records;
        rows.into_iter().find(|row| row.path == path).unwrap()
    }

    fn open(&self) -> Vec<(&'static str, Stands)> {
        let rows = look(&self.host, &self.seen()).records;
        rows.into_iter().filter(|row| !row.status.holds()).map(|row| (row.path, row.status)).collect()
    }

    /// Carries out at most `most` acts, as an interrupted repair does; returns how many.
    fn some_of_it(&self, most: usize) -> usize {
        let (_, acts) = foresee(&self.host, &self.seen());
        for act in acts.iter().take(most) {
            if let Done::Changed(what) = act.perform(&self.host).unwrap() {
                let mut journal = journal::open(&self.host, "b").unwrap();
                journal
                    .write(Event::Done { requirement: "state.repair".into(), changed: Some(what) })
                    .unwrap();
            }
        }
        acts.len()
    }

    /// Repairs: whole, and from wherever it may be interrupted. A second repair has nothing to do.
    fn repair(&self) {
        assert!(self.some_of_it(usize::MAX) > 0, "nothing to do: {:?}", self.open());
        assert_eq!(self.some_of_it(usize::MAX), 0, "a second time");
    }

    /// What lies in set-aside: name and content.
    fn aside(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for directory in self.host.list(SET_ASIDE).unwrap() {
            for name in self.host.list(format!("{SET_ASIDE}/{directory}")).unwrap() {
                let content = self.host.read(format!("{SET_ASIDE}/{directory}/{name}")).unwrap_or_default();
                found.push((name, content));
            }
        }
        found
    }

    fn judged(&self, id: &str) -> String {
        crate::steps::testing::told(&self.profile, &self.seen().facts, id)
    }
}

#[test]
fn records_that_are_whole_agree_with_a_host_that_is_as_they_say() {
    let desk = Desk::new();
    assert_eq!(desk.open(), []);
    assert!(foresee(&desk.host, &desk.seen()).1.is_empty());
    let retention = desk.row(paths::RETENTION);
    assert!(
        retention.content.starts_with("ext4 volume ")
            && retention.host.ends_with("mounted at /mnt/retention")
    );
    assert!(desk.row(paths::JOURNAL).content.ends_with("(ended: ready)"));
    assert_eq!(desk.row(paths::RESUME).status, Stands::None);
}

/// What the map of the retention disk carries by its first block.
fn on_map(facts: &mut Facts, volume: Option<retention::Volume>) {
    edit(&mut facts.storage).iter_mut().find(|one| one.name == "dm-0").unwrap().volume = volume;
}

#[test]
fn a_host_on_which_the_agent_never_was_has_nothing_and_nothing_is_expected() {
    let mut desk = Desk::new();
    fs::remove_dir_all(desk.host.path(DIRECTORY)).unwrap();
    mounts(&mut desk.facts).retain(|mount| mount.mount_point != "/mnt/retention");
    fstab(&mut desk.facts).retain(|entry| entry.mount_point != "/mnt/retention");
    edit(&mut desk.facts.filesystems).by_uuid.retain(|_, number| number != "253:0");
    on_map(&mut desk.facts, None);
    never_ran(&mut desk.facts);
    assert_eq!(desk.open(), []);
    assert!(look(&desk.host, &desk.seen()).records.iter().all(|row| row.status == Stands::None));
    // Nor where a person has run the script.
    desk.facts.custom_changes = Desk::new().facts.custom_changes;
    assert_eq!(desk.open(), []);
    assert!(desk.row(paths::VENDOR_SCRIPT).host.ends_with("a person has run the script"));
}

#[test]
fn a_state_directory_that_was_deleted_is_rebuilt_as_far_as_it_follows_from_the_host() {
    let desk = Desk::new();
    let before = ["custom-changes.applied", "custom-changes.restarted", "retention.disk", "image.identity"]
        .map(|id| (id, desk.judged(id).split(':').next().unwrap().to_owned()));
    fs::remove_dir_all(desk.host.path(DIRECTORY)).unwrap();
    let all = [paths::JOURNAL, paths::RETENTION, paths::VENDOR_SCRIPT, paths::IDENTITY];
    assert_eq!(desk.open(), all.map(|path| (path, Stands::Missing)));
    desk.repair();
    assert_eq!(desk.open(), []);
    let Fact::Known(Some(volume)) = desk.seen().facts.retention_record else { panic!() };
    assert_eq!((volume.scsi_id.as_str(), volume.uuid), (RETENTION_ID, uuid_of(RETENTION_ID)));
    assert!(volume.finished && volume.fs_type == "ext4");
    let Fact::Known(Some(run)) = desk.seen().facts.custom_changes.record else { panic!() };
    assert_eq!(run.outcome, Outcome::Observed, "its marker alone shows that it ended well");
    for (id, status) in before {
        assert!(desk.judged(id).starts_with(&status), "{id}: {}", desk.judged(id));
    }
    let (entries, torn) = journal::read(&desk.host).unwrap();
    assert!(torn.is_empty() && entries.len() == 4, "{entries:?}");
    assert!(entries.iter().all(|Entry { event, .. }| {
        matches!(event, Event::Done { requirement, .. } if requirement == "state.repair")
    }));
}

#[test]
fn a_disk_that_was_attached_before_the_repair_is_not_this_host_s_by_the_record_made_anew() {
    const FOREIGN: &str = "36000c29dddddddddddddddddddddddddd";
    type Lose = fn(&Desk);
    let ways: [(Lose, usize); 3] = [
        (|desk| drop(desk.without(paths::IDENTITY)), usize::MAX),
        (|desk| desk.put(paths::IDENTITY, b"torn"), usize::MAX),
        // Killed between the two acts.
        (|desk| desk.put(paths::IDENTITY, b"torn"), 1),
    ];
    for (lose, most) in ways {
        let mut desk = Desk::new();
        let facts = &mut desk.facts;
        edit(&mut facts.disks).push(virtual_disk(2, FOREIGN, 1 << 40));
        edit(&mut facts.storage).push(answering("sdc", "8:32"));
        edit(&mut facts.mounts).push(mount("/data", "8:32", "/dev/sdc", 1 << 40));
        edit(&mut facts.fstab).push(entry(20, "UUID=1-1", "/data", "ext4", 0));
        edit(&mut facts.filesystems).by_uuid.insert("1-1".into(), "8:32".into());
        lose(&desk);
        desk.some_of_it(most);
        let judged = desk.judged("layout.own-disks");
        assert!(judged.starts_with(&format!("unmet: sdc ({FOREIGN})")), "{judged}");
        assert!(judged.contains(&format!("mt-agent apply --own-disk {FOREIGN}")), "{judged}");
        let facts = desk.seen().facts;
        assert_eq!(own_disks::first(&desk.profile, &facts), None);
        if let Fact::Known(Some(record)) = facts.identity.recorded {
            assert!(record.owns(OS_DISK_ID) && !record.owns(FOREIGN));
        }
    }
}

#[test]
fn a_repair_that_is_interrupted_anywhere_is_resumed() {
    let damage = |desk: &Desk| {
        for path in [paths::RETENTION, paths::VENDOR_SCRIPT, paths::IDENTITY, paths::RESUME] {
            desk.put(path, b"torn");
        }
        desk.put(
            paths::JOURNAL,
            &[desk.host.read(paths::JOURNAL).unwrap().as_bytes(), b"garbage\n"].concat(),
        );
    };
    let whole = Desk::new();
    damage(&whole);
    let acts = foresee(&whole.host, &whole.seen()).1.len();
    assert!(acts > 6, "{acts}");
    for after in 0..acts {
        let desk = Desk::new();
        damage(&desk);
        desk.some_of_it(after);
        desk.repair();
        assert_eq!(desk.open(), [], "after {after}");
        let mut names: Vec<_> = desk.aside().into_iter().map(|(name, _)| name).collect();
        names.sort();
        let all = ["custom-changes.json", "identity.json", "journal.jsonl", "resume.json", "retention.json"];
        assert_eq!(names, all, "after {after}");
        assert!(desk.judged("custom-changes.applied").starts_with("met"), "after {after}");
    }
}

#[test]
fn each_record_damaged_in_each_way_is_told_and_set_aside() {
    type Damage = (&'static str, fn(&Desk, &str), Stands);
    let ways: [Damage; 7] = [
        ("empty", |desk, path| desk.put(path, b""), Stands::Damaged),
        ("garbage", |desk, path| desk.put(path, b"\x00\xff{garbage\n"), Stands::Damaged),
        ("cut short", |desk, path| desk.put(path, b"{\"schema\":\"mt-agent/"), Stands::Damaged),
        ("a directory", |desk, path| fs::create_dir(desk.without(path)).unwrap(), Stands::Damaged),
        (
            "a link that leads nowhere",
            |desk, path| symlink("/nowhere", desk.without(path)).unwrap(),
            Stands::Damaged,
        ),
        (
            "a link to another one",
            |desk, path| {
                fs::rename(desk.host.path(path), desk.host.path("/root.json")).unwrap();
                symlink("/root.json", desk.host.path(path)).unwrap();
            },
            Stands::Damaged,
        ),
        (
            "of a newer version",
            |desk, path| {
                let kind = path.rsplit('/').next().unwrap().split('.').next().unwrap();
                let text = format!("{{\"schema\":\"mt-agent/{kind}/v2\",\"more\":1}}\n");
                desk.put(path, text.as_bytes());
            },
            Stands::Newer,
        ),
    ];
    for path in [paths::RETENTION, paths::VENDOR_SCRIPT, paths::IDENTITY, paths::RESUME, paths::JOURNAL] {
        for (way, damage, status) in ways {
            let desk = Desk::new();
            if path == paths::RESUME {
                desk.put(paths::RESUME, b"{}");
            }
            damage(&desk, path);
            if (path, way) == (paths::JOURNAL, "empty") {
                assert_eq!(desk.row(path).status, Stands::Missing);
            } else {
                let row = desk.row(path);
                assert_eq!(row.status, status, "{path}, {way}: {row:?}");
                assert!(row.fix.contains("mt-agent state repair"), "{path}, {way}: {row:?}");
                assert_eq!(desk.open().len(), 1, "{path}, {way}: {:?}", desk.open());
            }
            desk.repair();
            assert_eq!(desk.open(), [], "{path}, {way}");
            if (path, way) != (paths::JOURNAL, "empty") {
                let name = path.rsplit('/').next().unwrap();
                assert!(desk.aside().iter().any(|(aside, _)| aside == name), "{path}, {way}: never deleted");
            }
        }
    }
}

#[test]
fn the_record_of_the_image_is_a_persons_to_bring_back() {
    let desk = Desk::new();
    desk.put(paths::TEMPLATE, b"torn");
    let row = desk.row(paths::TEMPLATE);
    assert_eq!(row.status, Stands::Damaged);
    assert!(row.fix.starts_with("copy it from the template or another clone of it"), "{row:?}");
    assert!(
        foresee(&desk.host, &desk.seen()).1.is_empty(),
        "set aside, a clone that shares its identity would be its own"
    );
    assert!(desk.judged("image.identity").starts_with("unknown: "));
}

#[test]
fn a_torn_record_of_identity_is_not_made_anew_where_this_may_be_a_copy() {
    let mut desk = Desk::new();
    desk.put(paths::IDENTITY, b"");
    // The retention disk on record is another machine's.
    let other = "36000c29ffffffffffffffffffffffff1";
    edit(&mut desk.facts.disks)[1].scsi_id = Ok(other.into());
    let row = desk.row(paths::IDENTITY);
    assert!(row.host.contains("this may be a copy of another machine"), "{row:?}");
    desk.some_of_it(usize::MAX);
    assert_eq!(desk.host.read(paths::IDENTITY).unwrap(), "");
    let way_out = format!("if it is none: mt-agent apply --own-disk {OS_DISK_ID}");
    assert!(
        row.fix.starts_with("mv /var/lib/mt-agent/identity.json /root/; ") && row.fix.ends_with(&way_out),
        "{row:?}"
    );
    // Nor where it is gone, which is damage and no new machine.
    desk.without(paths::IDENTITY);
    let row = desk.row(paths::IDENTITY);
    assert!(row.status == Stands::Missing && row.fix.ends_with(&way_out), "{row:?}");
    desk.some_of_it(usize::MAX);
    assert!(!desk.host.exists(paths::IDENTITY));
    let judged = desk.judged("layout.own-disks");
    assert!(judged.starts_with("unmet: ") && judged.contains("of which the record that is lost"), "{judged}");
}

#[test]
fn a_lost_record_of_identity_is_told_by_the_journal_alone_until_a_repair() {
    let desk = Desk::new();
    for path in [paths::IDENTITY, paths::RETENTION, paths::VENDOR_SCRIPT] {
        desk.without(path);
    }
    let lost =
        "unknown: the record of this machine's identity is lost (the journal shows that it was recorded)";
    let judged = desk.judged("layout.own-disks");
    assert!(judged.starts_with(lost), "{judged}");
    assert!(own_disks::first(&desk.profile, &desk.seen().facts).is_none());
    desk.repair();
    assert!(desk.judged("layout.own-disks").starts_with("met: "), "{}", desk.judged("layout.own-disks"));
    let Fact::Known(Some(record)) = identity::recorded(&desk.host) else { panic!() };
    assert!(record.owns(OS_DISK_ID) && record.own_disks.is_some_and(|own| own.len() == 1), "that of / alone");
    // Noted by the repair, whatever else the journal said.
    let all = desk.host.read(paths::JOURNAL).unwrap();
    let noted: Vec<&str> = all.lines().filter(|line| line.contains("state.repair")).collect();
    desk.put(paths::JOURNAL, (noted.join("\n") + "\n").as_bytes());
    desk.without(paths::IDENTITY);
    desk.without(paths::RETENTION);
    assert!(desk.judged("layout.own-disks").starts_with(lost));
}

#[test]
fn a_journal_too_large_to_read_is_set_aside_and_stands_in_no_way_after() {
    let desk = Desk::new();
    let whole = desk.host.read(paths::JOURNAL).unwrap();
    let file = fs::OpenOptions::new().write(true).open(desk.host.path(paths::JOURNAL)).unwrap();
    file.set_len(files::LARGEST + 1).unwrap();
    assert_eq!(desk.row(paths::JOURNAL).status, Stands::Damaged);
    desk.without(paths::VENDOR_SCRIPT);
    desk.repair();
    assert_eq!(desk.open(), []);
    // What it began with counts on.
    let Fact::Known(journal) = desk.seen().facts.journal else { panic!("not known") };
    assert!(journal.identity && whole.contains("\"ready\""));
}

#[test]
fn a_file_in_the_place_of_the_directory_of_what_is_set_aside_is_to_be_moved_away() {
    let desk = Desk::new();
    desk.put(SET_ASIDE, b"");
    desk.put(paths::RETENTION, b"{");
    let (_, acts) = foresee(&desk.host, &desk.seen());
    let error = format!("{:#}", acts[0].perform(&desk.host).unwrap_err());
    assert!(error.ends_with("/set-aside is not a directory: move it away"), "{error}");
    fs::remove_file(desk.host.path(SET_ASIDE)).unwrap();
    desk.repair();
}

#[test]
fn a_journal_keeps_what_can_be_read_of_it() {
    let desk = Desk::new();
    let whole = desk.host.read(paths::JOURNAL).unwrap();
    // A power loss is no damage.
    let torn = format!("{}{}\n", whole, &whole[..30]);
    desk.put(paths::JOURNAL, torn.as_bytes());
    assert_eq!(desk.row(paths::JOURNAL).status, Stands::Agrees);
    assert!(desk.row(paths::JOURNAL).content.ends_with("line 3 torn, as by a power loss"));
    let newer = "{\"version\":2,\"at\":\"t\",\"event\":\"begin\",\"agent\":\"0.9.0\"}\n";
    desk.put(paths::JOURNAL, format!("{whole}{newer}").as_bytes());
    let row = desk.row(paths::JOURNAL);
    assert_eq!(row.status, Stands::Newer);
    assert!(row.fix.starts_with("use mt-agent 0.9.0 (so the journal), or: mt-agent state repair"), "{row:?}");
    let garbage = format!("x\n\n{whole}{}{newer}", "y\n".repeat(3));
    desk.put(paths::JOURNAL, garbage.as_bytes());
    let row = desk.row(paths::JOURNAL);
    assert_eq!(row.status, Stands::Damaged);
    assert!(row.content.ends_with("line 8 of a newer mt-agent; lines 1, 5-7 of something else"), "{row:?}");
    desk.repair();
    assert_eq!(desk.aside(), [("journal.jsonl".to_owned(), garbage)]);
    assert!(desk.host.read(paths::JOURNAL).unwrap().starts_with(&whole));
    assert_eq!(journal::read(&desk.host).unwrap().1, [] as [usize; 0]);
}
