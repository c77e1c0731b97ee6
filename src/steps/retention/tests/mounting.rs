//! A volume that is made and waits to be mounted.

use super::*;

#[test]
fn what_fstab_names_by_a_name_that_moves_is_not_mounted() {
    let (profile, mut facts) = without_volume();
    disks(&mut facts)[1].multipath = None;
    spoil(&mut facts.storage).push(testing::answering("sdb", "8:16"));
    let line = |device: &str| testing::entry(9, device, "/mnt/retention", "ext4", 0);
    spoil(&mut facts.fstab).push(line("/dev/sdb"));
    let planned = plan(&profile, &facts, &Selection::default(), TODAY, &Request::default());
    assert_eq!(planned.changes, []);
    begins(
        &planned.manual.iter().find(|manual| manual.id == "retention.mounted").unwrap().fix,
        "line 9 of /etc/fstab names /dev/sdb, which can be another disk",
    );
    spoil(&mut facts.filesystems).by_uuid.insert("deadbeef".into(), "8:16".into());
    *spoil(&mut facts.fstab).last_mut().unwrap() = line("UUID=deadbeef");
    let planned = plan(&profile, &facts, &Selection::default(), TODAY, &Request::default());
    assert!(matches!(planned.changes[0].change, Change::MountRetention { .. }), "{:?}", planned.changes);
}

/// What the plan changes, what it says of `id`, and the verdict on `id`, where fstab has these lines for the mount point.
fn with_lines(
    lines: &[(&str, &str)],
    id: &str,
    spoil_facts: fn(&mut Facts),
) -> (Vec<Change>, String, String) {
    let (profile, mut facts) = without_volume();
    facts.probes.clear();
    for (number, (device, fs_type)) in lines.iter().enumerate() {
        let line = testing::entry(20 + number, device, "/mnt/retention", fs_type, 0);
        spoil(&mut facts.fstab).push(line);
    }
    spoil_facts(&mut facts);
    let plan = plan(&profile, &facts, &Selection::default(), TODAY, &naming("sdb"));
    let fix = plan.manual.iter().find(|manual| manual.id == id).map(|manual| manual.fix.clone());
    let changes = plan.changes.into_iter().map(|planned| planned.change).collect();
    (changes, fix.unwrap_or_default(), told(&profile, &facts, id))
}

#[test]
fn a_volume_on_a_part_of_a_disk_is_a_person_s_to_mount() {
    let part = |facts: &mut Facts| {
        (disks(facts)[1].multipath, disks(facts)[1].holders) = (None, Vec::new());
        disks(facts)[1].partitions.push(crate::facts::disks::Partition {
            name: "sdb1".into(),
            major_minor: "8:17".into(),
            ..Default::default()
        });
        spoil(&mut facts.filesystems).by_uuid.insert("ret".into(), "8:17".into());
        spoil(&mut facts.storage).push(testing::answering("sdb", "8:16"));
    };
    let (changes, fix, _) = with_lines(&[("UUID=ret", "ext4")], "retention.mounted", part);
    assert_eq!(changes, []);
    assert_eq!(
        fix,
        "UUID=ret is a part of sdb or lies on LVM or the like, and apply mounts whole disks only: mount it by hand: \
         mount /mnt/retention"
    );
    // The disk itself, by any name and with any type, is addressed through its map.
    let whole = |facts: &mut Facts| {
        spoil(&mut facts.filesystems).by_uuid.insert("ret".into(), "253:0".into());
    };
    let (changes, ..) = with_lines(&[("UUID=ret", "auto")], "retention.mounted", whole);
    assert!(
        matches!(&changes[..], [Change::MountRetention { target, .. }]
            if target.device == MAP && target.fs_type == "auto"),
        "{changes:?}"
    );
}

#[test]
fn a_line_of_fstab_that_leads_to_the_root_disk_is_not_a_volume_that_waits() {
    let root = ("UUID=0f3c6a52-8d1b-4e07-9a64-1c5b7d2e9f01", "ext4");
    let (changes, fix, message) = with_lines(&[root], "retention.disk", |_| {});
    assert_eq!(changes, []);
    assert_eq!(fix, "remove the line for /mnt/retention from /etc/fstab, and attach a disk of its own");
    let found = "unmet: /etc/fstab would mount at /mnt/retention what lies on sda, which also carries /";
    assert!(message.starts_with(found), "{message}");
    let (_, fix, message) = with_lines(&[root], "retention.mounted", |_| {});
    assert_eq!((fix.as_str(), message.as_str()), ("", "blocked: retention.disk"));
}

#[test]
fn nothing_is_formatted_while_it_cannot_be_told_whether_a_volume_waits() {
    let blank = |facts: &mut Facts| facts.probes = vec![eligible("sdb")];
    let (changes, fix, message) = with_lines(&[("PARTUUID=1-1", "ext4")], "retention.disk", blank);
    assert_eq!(changes, []);
    assert_eq!(message, "unknown: to which device PARTUUID=1-1 leads is not among the facts");
    let why = "no disk is formatted while it cannot be determined whether a volume for /mnt/retention is there already: ";
    assert!(fix.starts_with(why), "{fix}");
}

#[test]
fn of_several_lines_for_the_mount_point_none_is_mounted_or_counts() {
    let lines = [("/dev/sdc", "ext4"), (MAP, "ext4")];
    let (changes, fix, _) = with_lines(&lines, "retention.mounted", |_| {});
    assert_eq!(changes, []);
    assert_eq!(fix, "remove all but the one that is right of the lines 20, 21 of /etc/fstab, by hand");
    let mounted = |facts: &mut Facts| {
        spoil(&mut facts.mounts).push(mount("/mnt/retention", "253:0", "/dev/mapper/x", 1 << 40));
    };
    let (changes, also, message) = with_lines(&lines, "retention.persistent", mounted);
    assert_eq!((changes, also), (vec![], fix));
    let found = "unmet: lines 20, 21 of /etc/fstab all mount on /mnt/retention";
    assert!(message.starts_with(found), "{message}");
}

#[test]
fn a_volume_that_we_made_is_mounted_not_made_again() {
    let (profile, mut facts) = without_volume();
    facts.retention_record = Fact::Known(Some(Record { uuid: DRAWN.into(), ..record_of(RETENTION_ID) }));
    spoil(&mut facts.filesystems).by_uuid.insert(DRAWN.into(), "253:0".into());
    facts.probes = vec![Probe { disk: "sdb".into(), blank: Some(false), ..Probe::default() }];
    outcome(&profile, &facts, "retention.disk").starts("met: sdb");
    let plan = plan(&profile, &facts, &Selection::default(), TODAY, &Request::default());
    let changes: Vec<_> = plan.changes.iter().map(|planned| &planned.change).collect();
    assert!(
        matches!(changes.as_slice(), [Change::MountRetention { .. }, Change::WriteFstab { .. }]),
        "{changes:?}"
    );
}
