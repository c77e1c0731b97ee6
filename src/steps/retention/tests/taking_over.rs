//! Another volume takes the place of the retention volume.

use super::*;
use crate::changes::mkfs::Format;
use crate::facts::fstab::{COMMENTED_OUT, Ignored};
use crate::steps::remedy::Takeover;

/// The ready host with a second disk, which is blank, and our own line of fstab.
pub(super) fn with_new_disk() -> (Profile, Facts) {
    let (profile, mut facts) = ready();
    disks(&mut facts).push(virtual_disk(2, OTHER_ID, 1 << 40));
    facts.probes = vec![eligible("sdc")];
    spoil(&mut facts.storage).push(testing::answering("sdc", "8:32"));
    our_line(&mut facts).ours = true;
    // The recorded host has one of an agent that drew its UUIDs.
    spoil(&mut facts.filesystems).by_uuid.retain(|_, number| number != "253:0");
    spoil(&mut facts.filesystems).by_uuid.insert(uuid_of(RETENTION_ID), "253:0".into());
    map_carries(&mut facts, None);
    facts.retention_record = on_record(RETENTION_ID);
    (profile, facts)
}

pub(super) fn our_line(facts: &mut Facts) -> &mut Entry {
    spoil(&mut facts.fstab).iter_mut().find(|entry| entry.mount_point == "/mnt/retention").unwrap()
}

pub(super) fn on_record(id: &str) -> Fact<Option<Record>> {
    Fact::Known(Some(record_of(id)))
}

pub(super) fn ordered(takeover: Takeover, disk: &str) -> Request {
    Request { takeover: Some(takeover), ..naming(disk) }
}

pub(super) fn replacing(disk: &str) -> Request {
    ordered(Takeover::Replace, disk)
}

/// The mounted volume is one that a person made.
fn a_person_s(facts: &mut Facts) {
    facts.retention_record = Fact::Known(None);
    spoil(&mut facts.filesystems).by_uuid.retain(|_, number| number != "253:0");
    spoil(&mut facts.filesystems).by_uuid.insert("1-2".into(), "253:0".into());
}

pub(super) fn kinds(changes: &[Change]) -> Vec<String> {
    let kind = |change| serde_json::to_value(change).unwrap()["kind"].as_str().unwrap().to_owned();
    changes.iter().map(kind).collect()
}

/// Makes of the facts what the change makes of the host.
fn carried_out(facts: &mut Facts, change: &Change) {
    match change {
        Change::UnmountRetention { mount_point, .. } => {
            spoil(&mut facts.mounts).retain(|mount| mount.mount_point != *mount_point);
            for disk in disks(facts).iter_mut().filter(|disk| disk.name == "sdb") {
                disk.used_by.clear();
            }
        }
        Change::RemoveFstab { mount_point, .. } => {
            spoil(&mut facts.fstab).retain(|entry| !entry.ours || entry.mount_point != *mount_point);
            facts.fstab_ignored.retain(|line| !line.ours);
        }
        Change::FormatRetention(Format { target, .. }) => {
            let number = number_of(facts, &target.scsi_id);
            spoil(&mut facts.filesystems).by_uuid.insert(target.uuid.clone().unwrap(), number);
            facts.retention_record = on_record(&target.scsi_id);
            spoil(&mut facts.retention_record).as_mut().unwrap().fs_type.clone_from(&target.fs_type);
            facts.probes.clear();
        }
        Change::MountRetention { target, mount_point, .. } => {
            let number = number_of(facts, &target.scsi_id);
            spoil(&mut facts.mounts).push(mount(mount_point, number, &target.device, 1 << 40));
            facts.retention_record = on_record(&target.scsi_id);
        }
        Change::WriteFstab { device, mount_point, fs_type, .. } => {
            let fstab = spoil(&mut facts.fstab);
            fstab.retain(|entry| !entry.ours);
            fstab.push(Entry { ours: true, ..testing::entry(30, device, mount_point, fs_type, 0) });
        }
        other => panic!("{other:?}"),
    }
}

fn number_of(facts: &Facts, scsi_id: &str) -> DeviceNumber {
    let disks = facts.disks.known().unwrap();
    disks.iter().find(|disk| disk.has_id(scsi_id)).unwrap().device_number()
}

/// From `facts` on, what each state between two changes plans, until nothing is left: each step is one of the first plan.
pub(super) fn to_the_end(profile: &Profile, facts: &Facts, request: &Request) -> Facts {
    let (agreed, _) = planned(profile, facts, request);
    let mut facts = facts.clone();
    for number in 0..=agreed.len() {
        let (left, message) = planned(profile, &facts, request);
        let Some(next) = left.first() else {
            assert_eq!(number, agreed.len(), "{message}");
            return facts;
        };
        assert!(
            agreed.iter().any(|change| next.is_within(change)),
            "{next:?} was not agreed to: {agreed:#?}"
        );
        carried_out(&mut facts, next);
    }
    panic!("it does not end: {agreed:#?}")
}

const ALL: [&str; 5] =
    ["unmount-retention", "remove-fstab", "format-retention", "mount-retention", "write-fstab"];

#[test]
fn the_old_one_goes_and_the_new_one_is_made_in_one_plan() {
    let (profile, facts) = with_new_disk();
    let (changes, message) = planned(&profile, &facts, &replacing("sdc"));
    assert_eq!(kinds(&changes), ALL);
    has(&message, &format!("the earlier retention volume stays as it is on sdb ({RETENTION_ID}, 1 TiB)"));
    let formatted = changes.iter().filter_map(|change| match change {
        Change::FormatRetention(format) => Some(format.target.scsi_id.as_str()),
        _ => None,
    });
    assert_eq!(formatted.collect::<Vec<_>>(), [OTHER_ID], "the old disk is left");
    let after = to_the_end(&profile, &facts, &replacing("sdc"));
    for id in ["retention.disk", "retention.mounted", "retention.persistent"] {
        outcome(&profile, &after, id).starts("met: ");
    }
    let (_, message) = planned(&profile, &after, &replacing(OTHER_ID));
    assert!(message.contains("is not needed: it carries the retention volume already"), "{message}");
    assert_eq!(planned(&profile, &after, &Request::default()).0, []);
}

#[test]
fn the_old_one_gone_or_unmounted_is_replaced_as_well() {
    let (profile, mut gone) = with_new_disk();
    spoil(&mut gone.mounts).retain(|mount| mount.mount_point != "/mnt/retention");
    let mut unmounted = gone.clone();
    disks(&mut unmounted)[1].used_by.clear();
    disks(&mut gone).remove(1);
    spoil(&mut gone.filesystems).by_uuid.retain(|_, number| number != "253:0");
    spoil(&mut gone.filesystems).by_mapper.clear();
    for (facts, words) in [(gone, "is not attached"), (unmounted, "stays as it is on sdb")] {
        let (changes, message) = planned(&profile, &facts, &replacing("sdc"));
        assert_eq!(kinds(&changes), ALL[1..]);
        assert!(message.contains(words), "{message}");
        to_the_end(&profile, &facts, &replacing("sdc"));
    }
}

#[test]
fn without_the_order_nothing_of_it_is_done_and_the_command_is_told() {
    let (profile, mut facts) = with_new_disk();
    let command = format!("mt-agent apply --replace-retention {OTHER_ID}");
    let (changes, message) = planned(&profile, &facts, &naming(OTHER_ID));
    assert_eq!(changes, []);
    assert!(message.contains(&format!("--replace-retention {OTHER_ID}")), "{message}");
    let mut named = profile.clone();
    named.retention.disk = Some(OTHER_ID.parse().unwrap());
    outcome(&named, &facts, "retention.disk").has(&command);
    spoil(&mut facts.mounts).retain(|mount| mount.mount_point != "/mnt/retention");
    outcome(&named, &facts, "retention.disk").has(&command);
    // Gone: neither is the new one made, nor anything told of an erasure.
    disks(&mut facts).remove(1);
    spoil(&mut facts.filesystems).by_uuid.retain(|_, number| number != "253:0");
    spoil(&mut facts.filesystems).by_mapper.clear();
    for request in [naming("sdc"), at_terminal(), Request::default()] {
        let (changes, message) = planned(&profile, &facts, &request);
        assert_eq!(changes, [], "{request:?}");
        assert!(!message.contains("--erase-disk"), "{message}");
    }
    let (_, message) = planned(&profile, &facts, &naming("sdc"));
    assert!(message.contains(&command) && message.contains("which is not attached"), "{message}");
    outcome(&profile, &facts, "retention.disk").has("mt-agent apply --replace-retention SCSI-ID");
    // Its line alone tells as much.
    facts.retention_record = Fact::Known(None);
    let (changes, message) = planned(&profile, &facts, &naming("sdc"));
    assert_eq!(changes, []);
    assert!(
        message.contains("names another volume for /mnt/retention") && message.contains(&command),
        "{message}"
    );
}

#[test]
fn what_is_a_person_s_is_refused_before_anything_is_changed() {
    let refusal = |spoiler: Spoiler<'_>, spoil_profile: fn(&mut Profile), request: &Request| {
        let (mut profile, mut facts) = with_new_disk();
        spoiler(&mut facts);
        spoil_profile(&mut profile);
        let why = takeover::check(&profile, &facts, request).expect_err("must be refused").to_string();
        assert_eq!(planned(&profile, &facts, request).0, [], "{why}");
        why
    };
    let same = |_: &mut Profile| {};
    let line = refusal(&|facts| our_line(facts).ours = false, same, &replacing("sdc"));
    assert!(
        line.starts_with("--replace-retention: line ") && line.ends_with("remove it, then run again"),
        "{line}"
    );
    let named = refusal(
        &|_| {},
        |profile| profile.retention.disk = Some(RETENTION_ID.parse().unwrap()),
        &replacing("sdc"),
    );
    assert_eq!(
        named,
        format!(
            "--replace-retention: the profile names {RETENTION_ID}: put {OTHER_ID} there first, then run again"
        )
    );
    let used = refusal(&|facts| facts.probes = Vec::new(), same, &replacing("sda"));
    assert!(used.contains("sda") && used.contains("in use"), "{used}");
    begins(&refusal(&|_| {}, same, &replacing("sdq")), "--replace-retention: no disk is called sdq");
    let content = refusal(
        &|facts| {
            facts.probes[0].eligible = false;
            facts.probes[0].why_not.push("it is not blank: ext4".into());
        },
        same,
        &replacing("sdc"),
    );
    assert!(content.contains("is left as it is: it is not blank: ext4"), "{content}");
    has(
        &refusal(&|facts| mounted(facts).root = "/sub".into(), same, &replacing("sdc")),
        "is no volume of its own: `umount /mnt/retention`",
    );
    has(
        &refusal(&|facts| facts.retention_record = Fact::Unknown("torn".into()), same, &replacing("sdc")),
        "cannot be read",
    );
    let adopted = refusal(&|_| {}, same, &ordered(Takeover::Adopt, "sdc"));
    assert_eq!(
        adopted,
        format!("--adopt-retention: sdc ({OTHER_ID}, 1 TiB) carries no retention volume that mt-agent made")
    );
}

/// The disk sdc with a volume that an agent made on it.
pub(super) fn with_other_volume() -> (Profile, Facts) {
    let (profile, mut facts) = with_new_disk();
    facts.probes.clear();
    spoil(&mut facts.filesystems).by_uuid.insert(uuid_of(OTHER_ID), "8:32".into());
    (profile, facts)
}

#[test]
fn a_volume_of_ours_is_taken_as_it_is_where_a_person_orders_it() {
    let (profile, facts) = with_other_volume();
    let adopting = ordered(Takeover::Adopt, "sdc");
    let (changes, _) = planned(&profile, &facts, &adopting);
    assert_eq!(kinds(&changes), ["unmount-retention", "remove-fstab", "mount-retention", "write-fstab"]);
    let after = to_the_end(&profile, &facts, &adopting);
    assert_eq!(after.retention_record, on_record(OTHER_ID));
    // It is not made anew, but where that is ordered too.
    has(
        &takeover::check(&profile, &facts, &replacing("sdc")).unwrap_err().to_string(),
        &format!("--adopt-retention {OTHER_ID} takes it as it is"),
    );

    // Another disk on record, which is gone: what is attached may be another master target's.
    let (profile, mut facts) = with_other_volume();
    spoil(&mut facts.mounts).retain(|mount| mount.mount_point != "/mnt/retention");
    disks(&mut facts).remove(1);
    spoil(&mut facts.filesystems).by_uuid.retain(|_, number| number != "253:0");
    let (changes, message) = planned(&profile, &facts, &Request::default());
    assert_eq!(changes, []);
    assert!(
        message.contains("--adopt-retention 36000c29aaaa") && message.contains("which is not attached"),
        "{message}"
    );
    to_the_end(&profile, &facts, &adopting);
    // After a reinstallation a person has mounted it already: it goes on record.
    let (profile, mut facts) = with_other_volume();
    mounted(&mut facts).major_minor = "8:32".into();
    let (changes, _) = planned(&profile, &facts, &adopting);
    assert_eq!(kinds(&changes), ["remove-fstab", "mount-retention", "write-fstab"]);
    outcome(&profile, &facts, "retention.disk")
        .has(format!("What is mounted now: mt-agent apply --adopt-retention {OTHER_ID}"));
    to_the_end(&profile, &facts, &adopting);
}

#[test]
fn a_label_alone_is_not_adopted() {
    let (profile, mut facts) = with_new_disk();
    facts.probes[0] = Probe {
        volume: Some(Box::new(Volume {
            fs_type: "ext4".into(),
            uuid: "1-2".into(),
            label: "mt-retention".into(),
        })),
        ..Probe { disk: "sdc".into(), blank: Some(false), ..Probe::default() }
    };
    has(
        &takeover::check(&profile, &facts, &ordered(Takeover::Adopt, "sdc")).unwrap_err().to_string(),
        "its UUID 1-2 does not follow from its SCSI ID",
    );
    assert_eq!(planned(&profile, &facts, &ordered(Takeover::Adopt, "sdc")).0, []);
}

#[test]
fn a_replacement_that_was_begun_is_resumed_whoever_runs() {
    let (profile, facts) = with_new_disk();
    let mut begun = facts.clone();
    for change in &planned(&profile, &facts, &replacing("sdc")).0[..2] {
        carried_out(&mut begun, change);
    }
    let mut making = begun.clone();
    making.retention_record = on_record(OTHER_ID);
    spoil(&mut making.retention_record).as_mut().unwrap().finished = false;
    for request in [replacing(OTHER_ID), Request::default()] {
        let (changes, message) = planned(&profile, &making, &request);
        assert_eq!(kinds(&changes), ALL[2..], "{request:?} {message}");
    }
    // Before it was begun to be made, a run without the order goes back to the volume that is there.
    let (changes, _) = planned(&profile, &begun, &Request::default());
    assert!(
        matches!(&changes[..], [Change::MountRetention { target, .. }, Change::WriteFstab { .. }]
            if target.scsi_id == RETENTION_ID),
        "{changes:?}"
    );
}

#[test]
fn another_mount_point_in_the_profile_moves_our_own_volume() {
    let (mut profile, facts) = with_new_disk();
    profile.retention.mount_point = "/srv/retention".parse().unwrap();
    outcome(&profile, &facts, "retention.mounted")
        .starts("unmet: it is mounted at /mnt/retention, and nothing at /srv/retention | ");
    let (changes, _) = planned(&profile, &facts, &Request::default());
    assert_eq!(kinds(&changes), ["unmount-retention", "mount-retention", "write-fstab"]);
    let after = to_the_end(&profile, &facts, &Request::default());
    outcome(&profile, &after, "retention.mounted").starts("met: ");
    // Where a person's line mounts it, a person moves it.
    let (mut profile, mut facts) = with_new_disk();
    profile.retention.mount_point = "/srv/retention".parse().unwrap();
    our_line(&mut facts).ours = false;
    let (changes, message) = planned(&profile, &facts, &Request::default());
    assert_eq!(changes, []);
    assert!(message.contains("`umount /mnt/retention`, then mt-agent apply"), "{message}");
}

#[test]
fn our_line_as_a_comment_is_a_person_s_to_undo() {
    let (profile, mut facts) = with_new_disk();
    let line = our_line(&mut facts).clone();
    spoil(&mut facts.fstab).retain(|entry| entry.mount_point != "/mnt/retention");
    facts.fstab_ignored.push(Ignored {
        line: 14,
        device: line.device,
        mount_point: line.mount_point,
        why: COMMENTED_OUT.into(),
        ours: true,
    });
    let (changes, message) = planned(&profile, &facts, &Request::default());
    assert_eq!(changes, []);
    assert!(message.contains("take the # from the beginning of line 14 of /etc/fstab"), "{message}");
    outcome(&profile, &facts, "retention.persistent")
        .has("line 14 of /etc/fstab, for /mnt/retention, is passed over at boot: it is commented out");
    // With the volume it goes.
    assert_eq!(kinds(&planned(&profile, &facts, &replacing("sdc")).0), ALL);
}

#[test]
fn what_is_made_by_another_type_than_the_profile_s_is_told_and_left() {
    let (mut profile, facts) = with_new_disk();
    profile.retention.filesystem = crate::profile::RetentionType::Xfs;
    outcome(&profile, &facts, "retention.filesystem")
        .starts("unmet: ext4 | xfs, by the profile | put ext4 into the profile")
        .has("--replace-retention SCSI-ID");
    assert_eq!(planned(&profile, &facts, &Request::default()).0, []);
    // A person's own is of the type that the person gave it.
    let mut own = facts;
    a_person_s(&mut own);
    outcome(&profile, &own, "retention.filesystem").is("met: ext4");
}

#[test]
fn a_disk_that_was_grown_is_told_and_the_volume_grown_where_it_is_asked_for() {
    use crate::facts::storage::Extent;
    let (profile, mut facts) = with_new_disk();
    disks(&mut facts)[1].size_bytes = 2 << 40;
    mounted(&mut facts).size_bytes = Fact::Known(1 << 40);
    let extent = |facts: &mut Facts, bytes, log_bytes| {
        let storage = spoil(&mut facts.storage).iter_mut().find(|one| one.name == "dm-0").unwrap();
        storage.extent = Some(Extent { bytes, log_bytes });
    };
    extent(&mut facts, 1 << 40, 0);
    outcome(&profile, &facts, "retention.capacity")
        .starts("unmet: 1 TiB of 2 TiB are not used")
        .has(format!("mt-agent apply --grow, or by hand: `multipathd -k'resize map {RETENTION_ID}'`"));
    assert_eq!(testing::judged(&profile, &facts, "retention.capacity").severity, Severity::Recommended);
    assert_eq!(planned(&profile, &facts, &Request::default()).0, [], "not unasked");
    let grow = Request { grow: true, ..Request::default() };
    let (changes, _) = planned(&profile, &facts, &grow);
    assert!(
        matches!(&changes[..], [Change::GrowRetention { target, .. }] if target.scsi_id == RETENTION_ID
            && target.uuid == Some(uuid_of(RETENTION_ID)) && target.fs_type == "ext4"),
        "{changes:?}"
    );
    // A person's own volume is grown by a person.
    let mut own = facts.clone();
    a_person_s(&mut own);
    let (changes, message) = planned(&profile, &own, &grow);
    assert_eq!(changes, []);
    assert!(message.contains("--grow is for a volume that mt-agent made"), "{message}");
    // On disk XFS can be older than what the kernel has: that counts, with the log that statvfs leaves out.
    mounted(&mut facts).size_bytes = Fact::Known((2 << 40) - (2 << 30));
    extent(&mut facts, 1 << 40, 2 << 30);
    outcome(&profile, &facts, "retention.capacity").starts("met: ");
    let (changes, message) = planned(&profile, &facts, &grow);
    assert_eq!(changes, []);
    assert!(message.contains("--grow: the file system has all of sdb"), "{message}");
}
