//! The records of the script, the volume and what waits, each held against a host that is not as it says.

use super::*;
use crate::facts::scsi::NoId;
use crate::state::resume;

#[test]
fn an_order_is_dropped_where_it_is_void_or_done_and_never_one_of_a_sealing() {
    let boot_id = Desk::new().facts.boot_id.known().unwrap().clone();
    let pending = resume::Pending { schema: resume::SCHEMA.into(), boot_id, ..resume::Pending::default() };
    let bound = resume::Binding {
        given_at: crate::run::now(),
        profile_sha256: crate::profile::digest(&Desk::new().profile),
        machine: crate::state::machine::Machine::default(),
    };
    let desk = Desk::new();
    // Without a time and a machine it is void; of an image's tree that alone is looked at.
    desk.json(paths::RESUME, &pending);
    let row = desk.row(paths::RESUME);
    assert!(row.status == Stands::Differs && row.fix.contains("sets it aside"), "{row:?}");
    desk.repair();
    assert_eq!(desk.aside()[0].0, "resume.json");

    let bound = resume::Pending { bound: Some(bound), ..pending.clone() };
    let state = |desk: &Desk, state: waiting::State| {
        let mut seen = desk.seen();
        seen.order = Ok(Some(Order { pending: bound.clone(), state }));
        let (state, acts) = foresee(&desk.host, &seen);
        (state.records.into_iter().find(|row| row.path == paths::RESUME).unwrap(), acts.len())
    };
    let mut desk = Desk::new();
    desk.json(paths::RESUME, &bound);
    let (row, acts) = state(&desk, waiting::State::Due);
    assert_eq!(
        (row.status, row.host.as_str(), acts),
        (Stands::Differs, "all that it was to change is so already", 1)
    );
    // Reverted to between apply and restart: there is more to do, and nobody's hand does it.
    mounts(&mut desk.facts).retain(|mount| mount.mount_point != "/mnt/retention");
    let (row, acts) = state(&desk, waiting::State::Due);
    assert_eq!((row.status, acts), (Stands::Agrees, 0));
    let (row, acts) = state(&desk, waiting::State::Asks("it was down for long".into()));
    assert_eq!((row.status, acts), (Stands::Differs, 0));
    assert!(
        row.fix.starts_with("mt-agent apply --resume at a terminal") && row.fix.contains("--forget"),
        "{row:?}"
    );

    let desk = Desk::new();
    let sealing = resume::Pending { seal: Some(crate::state::sealing::Order::default()), ..pending };
    desk.json(paths::RESUME, &sealing);
    assert_eq!(desk.row(paths::RESUME).fix, "mt-agent seal resumes it");
    let text = serde_json::to_string(&sealing).unwrap();
    desk.put(paths::RESUME, &text.as_bytes()[..text.len() - 3]);
    assert_eq!(desk.row(paths::RESUME).fix, resume::UNREADABLE_SEALING);
    assert!(!foresee(&desk.host, &desk.seen()).1.iter().any(|act| matches!(act, Act::Aside(paths::RESUME))));
}

#[test]
fn a_trace_of_the_script_is_a_run_whatever_became_of_its_record() {
    let lost = |damage: &dyn Fn(&mut Desk)| {
        let mut desk = Desk::new();
        desk.facts.custom_changes.marker_ctime_secs = Fact::Known(None);
        damage(&mut desk);
        desk.some_of_it(usize::MAX);
        desk
    };
    let unknown = |desk: &Desk| {
        let judged = desk.judged("custom-changes.applied");
        assert!(judged.starts_with("unknown: "), "{judged}");
        assert!(judged.contains("--custom-changes=accept") && judged.contains("=rerun"), "{judged}");
        let row = desk.row(paths::VENDOR_SCRIPT);
        assert_eq!(row.status, Stands::Differs, "{row:?}");
        assert!(row.fix.contains("--custom-changes=accept"), "{row:?}");
        let Fact::Known(Some(run)) = desk.seen().facts.custom_changes.record else { panic!() };
        assert_eq!(run.outcome, Outcome::Started, "its end is not known");
    };
    let none = |desk: &mut Desk| {
        never_ran(&mut desk.facts);
        desk.without(paths::VENDOR_SCRIPT);
    };
    // Its log alone; its script alone; the record that is torn alone.
    unknown(&lost(&|desk| {
        none(desk);
        desk.facts.custom_changes.log_tail = Fact::Known(Some(String::new()));
    }));
    unknown(&lost(&|desk| {
        none(desk);
        desk.facts.custom_changes.blacklistrootdev_script = true;
    }));
    let torn = |desk: &mut Desk| {
        never_ran(&mut desk.facts);
        desk.put(paths::VENDOR_SCRIPT, b"");
    };
    unknown(&lost(&torn));
    // Interrupted once it is set aside, and nothing else is left of the run.
    let mut desk = Desk::new();
    torn(&mut desk);
    desk.some_of_it(1);
    assert!(!desk.host.exists(paths::VENDOR_SCRIPT));
    let judged = desk.judged("custom-changes.applied");
    assert!(
        judged.starts_with("unknown: ")
            && judged.contains("a record of its run in /var/lib/mt-agent/set-aside"),
        "{judged}"
    );
    desk.repair();
    unknown(&desk);
}

#[test]
fn a_run_that_is_seen_owes_a_restart_where_none_is_proved() {
    let mut desk = Desk::new();
    desk.without(paths::VENDOR_SCRIPT);
    desk.facts.multipath.maps = Fact::Known(Vec::new());
    desk.repair();
    assert!(desk.judged("custom-changes.restarted").starts_with("restart-owed: "));
}

#[test]
fn a_disk_whose_scsi_id_was_not_read_may_be_the_one_on_record() {
    let mut desk = Desk::new();
    edit(&mut desk.facts.disks)[1].scsi_id = Err(NoId::default());
    let row = desk.row(paths::RETENTION);
    let found = "cannot determine whether its disk is attached: sdb shows no SCSI ID";
    assert_eq!((row.status, row.host.as_str()), (Stands::Differs, found));
    assert!(!row.fix.contains("--replace-retention"), "{row:?}");
}

#[test]
fn a_retention_volume_that_is_not_as_recorded_is_a_persons_to_decide() {
    let other = "36000c29ffffffffffffffffffffffff1";
    // Another disk in its place.
    let mut desk = Desk::new();
    edit(&mut desk.facts.disks)[1].scsi_id = Ok(other.into());
    let row = desk.row(paths::RETENTION);
    assert_eq!((row.status, row.host.as_str()), (Stands::Differs, "no attached disk has this SCSI ID"));
    assert!(row.fix.ends_with("mt-agent apply --replace-retention NEW-ID"), "{row:?}");
    // It carries a volume of its own, as after a reinstallation.
    edit(&mut desk.facts.filesystems).by_uuid.insert(uuid_of(other), "253:0".into());
    let volume = retention::Volume { fs_type: "ext".into(), uuid: uuid_of(other), label: String::new() };
    on_map(&mut desk.facts, Some(volume));
    let row = desk.row(paths::RETENTION);
    assert!(
        row.host.contains(&format!("sdb ({other}) carries a volume that mt-agent made, mounted")),
        "{row:?}"
    );
    assert!(row.fix.ends_with(&format!("mt-agent apply --adopt-retention {other}")), "{row:?}");
    // Another file system than the one on record is mounted there.
    let mut desk = Desk::new();
    let map = edit(&mut desk.facts.storage).iter_mut().find(|one| one.name == "dm-0").unwrap();
    map.volume.as_mut().unwrap().uuid = "1-2".into();
    let row = desk.row(paths::RETENTION);
    assert_eq!(
        (row.status, row.host.as_str()),
        (Stands::Differs, "the file system at /mnt/retention has the UUID 1-2")
    );
    // Reverted: the volume is attached, and nothing here names it.
    let mut desk = Desk::new();
    fs::remove_dir_all(desk.host.path(DIRECTORY)).unwrap();
    mounts(&mut desk.facts).retain(|mount| mount.mount_point != "/mnt/retention");
    fstab(&mut desk.facts).retain(|entry| entry.mount_point != "/mnt/retention");
    let row = desk.row(paths::RETENTION);
    assert_eq!(row.status, Stands::Missing);
    assert!(row.fix.ends_with(&format!("mt-agent apply --adopt-retention {RETENTION_ID}")), "{row:?}");
    assert!(!foresee(&desk.host, &desk.seen()).1.iter().any(|act| matches!(act, Act::Retention(_))));
    // A line of fstab that is not the agent's names it no more than that.
    let mut desk = Desk::new();
    desk.without(paths::RETENTION);
    mounts(&mut desk.facts).retain(|mount| mount.mount_point != "/mnt/retention");
    let line = |desk: &mut Desk, ours| {
        let entries = fstab(&mut desk.facts);
        entries.iter_mut().find(|entry| entry.mount_point == "/mnt/retention").unwrap().ours = ours;
    };
    line(&mut desk, false);
    assert!(desk.row(paths::RETENTION).fix.contains("--adopt-retention"));
    line(&mut desk, true);
    assert_eq!(desk.row(paths::RETENTION).fix, "mt-agent state repair records this volume");
    desk.repair();
    assert_eq!(desk.row(paths::RETENTION).status, Stands::Agrees);
    // What cannot be read rebuilds nothing.
    let mut desk = Desk::new();
    desk.put(paths::RETENTION, b"");
    desk.facts.filesystems = Fact::Unknown("udev is not there".into());
    assert_eq!(desk.row(paths::RETENTION).status, Stands::Damaged);
    assert!(foresee(&desk.host, &desk.seen()).1.is_empty());
}
