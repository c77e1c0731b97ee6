//! What is met, unmet and foreseen.

use super::taking_over::our_line;
use super::*;
use crate::facts::scsi::NoId;

#[test]
fn a_volume_on_another_disk_than_the_profile_names_is_unmet() {
    let (mut profile, mut facts) = ready();
    for name in [RETENTION_ID.to_owned(), format!("/dev/mapper/{RETENTION_ID}")] {
        profile.retention.disk = Some(name.parse().unwrap());
        outcome(&profile, &facts, "retention.disk").starts("met: sdb");
    }
    for name in [OTHER_ID, OS_DISK_ID] {
        profile.retention.disk = Some(name.parse().unwrap());
        outcome(&profile, &facts, "retention.disk")
            .starts("unmet: sdb")
            .has(format!("profile names, {name}"));
    }
    // Nor where it only waits to be mounted.
    spoil(&mut facts.mounts).retain(|mount| mount.mount_point != "/mnt/retention");
    outcome(&profile, &facts, "retention.disk").starts("unmet: sdb");
}

#[test]
fn a_volume_that_was_not_grown_with_its_disk_is_too_small() {
    let (profile, mut facts) = ready();
    mounted(&mut facts).size_bytes = Fact::Known(500 << 30);
    outcome(&profile, &facts, "retention.capacity")
        .starts("unmet: 500 GiB on 1 TiB: it was not grown with its disk |")
        .has("resize2fs /dev/mapper/");
}

#[test]
fn a_volume_that_a_later_mount_hides_is_not_mounted() {
    let (profile, mut facts) = ready();
    let cd = mount("/mnt", "11:0", "/dev/sr0", 1 << 30);
    spoil(&mut facts.mounts).push(cd);
    outcome(&profile, &facts, "retention.mounted")
        .has("is hidden by")
        .has("mounted at /mnt later")
        .ends("umount /mnt");
}

#[test]
fn what_is_mounted_over_the_volume_is_to_be_unmounted() {
    let (profile, mut facts) = ready();
    spoil(&mut facts.mounts).push(mount("/mnt/retention", "0:40", "tmpfs", 0));
    outcome(&profile, &facts, "retention.disk")
        .starts("unmet: tmpfs (ext4) is mounted at /mnt/retention over /dev/mapper/")
        .ends("| `umount /mnt/retention`");
}

#[test]
fn a_volume_in_order_is_met_in_every_point() {
    let (profile, facts) = ready();
    outcome(&profile, &facts, "retention.disk").is(format!("met: sdb ({RETENTION_ID}, 1 TiB)"));
    for id in ["mounted", "persistent", "filesystem", "capacity", "unlocked", "dedicated"] {
        let output = told(&profile, &facts, &format!("retention.{id}"));
        assert!(output.starts_with("met: "), "{id}: {output}");
    }
    outcome(&profile, &facts, "retention.not-cache")
        .is("not-applicable: the master target software is not installed yet");
}

#[test]
fn without_a_volume_the_rest_waits_and_the_plan_makes_it() {
    let (profile, facts) = without_volume();
    let disk = told(&profile, &facts, "retention.disk");
    begins(&disk, &format!("unmet: not mounted; unused disks: sdb ({RETENTION_ID}, 1 TiB)"));
    outcome(&profile, &facts, "retention.mounted").is("blocked: retention.disk");
    outcome(&profile, &facts, "retention.capacity").is("blocked: retention.mounted");
    let plan = plan(&profile, &facts, &Selection::default(), TODAY, &at_terminal());
    let kinds: Vec<_> = plan.changes.iter().map(|planned| planned.change.summary()).collect();
    assert_eq!(
        kinds,
        [
            format!("make an ext4 file system on {MAP} (SCSI ID {RETENTION_ID}, 1 TiB)"),
            format!("mount {MAP} at /mnt/retention and prove that it can be written"),
            format!("add {MAP} on /mnt/retention to /etc/fstab"),
        ]
    );
    assert!(plan.changes.iter().all(|planned| !planned.after_restart));
}

#[test]
fn before_the_restart_the_volume_is_only_foreseen() {
    let (profile, mut facts) = without_volume();
    spoil(&mut facts.custom_changes.record).as_mut().unwrap().boot_id = testing::BOOT_ID.into();
    outcome(&profile, &facts, "retention.disk").is("blocked: custom-changes.restarted");
    let plan = plan(&profile, &facts, &Selection::default(), TODAY, &at_terminal());
    assert!(plan.restart);
    assert_eq!(plan.changes.len(), 3);
    assert!(plan.changes.iter().all(|planned| planned.after_restart), "{:?}", plan.changes);
}

#[test]
fn a_volume_on_the_root_disk_or_on_no_disk_is_unmet() {
    let (profile, mut facts) = ready();
    *mounted(&mut facts) = mount("/mnt/retention", "8:3", "/dev/sda3", 1 << 30);
    outcome(&profile, &facts, "retention.disk")
        .starts("unmet: /mnt/retention lies on sda, which also carries /");
    *mounted(&mut facts) = mount("/mnt/retention", "0:40", "tmpfs", 1 << 30);
    outcome(&profile, &facts, "retention.disk").starts("unmet: /mnt/retention is tmpfs");
}

#[test]
fn fstab_is_judged_by_what_the_next_boot_would_do() {
    type Spoil = fn(&mut Entry);
    let spoilt = |spoil_entry: Spoil| {
        let (profile, mut facts) = ready();
        let entry = spoil(&mut facts.fstab).last_mut().unwrap();
        spoil_entry(entry);
        told(&profile, &facts, "retention.persistent")
    };
    let cases: [(&str, Spoil); 14] = [
        ("unmet: line 11: /dev/sdb can belong to another disk", |e| e.device = "/dev/sdb".into()),
        ("unmet: line 11: LABEL=x can belong to another disk", |e| e.device = "LABEL=x".into()),
        ("unmet: line 11: /dev/disk/by-label/x can belong to another disk", |e| {
            e.device = "/dev/disk/by-label/x".into();
        }),
        ("unmet: line 11: ext4 does not know the option defalts", |e| e.refused = Some("defalts".into())),
        ("unmet: line 11: loop: it mounts something other than", |e| e.options = vec!["loop".into()]),
        ("unmet: line 11: sizelimit: it mounts", |e| e.options = vec!["sizelimit".into()]),
        ("unmet: line 11: encryption: it mounts", |e| e.options = vec!["encryption".into()]),
        ("unmet: line 11: remount: it mounts something other than", |e| e.options = vec!["remount".into()]),
        ("unmet: line 11: UUID=4d9a0b16-72ce-4f83-b5d1-90e7c2a86403 is not what is mounted", |e| {
            e.device = "UUID=4d9a0b16-72ce-4f83-b5d1-90e7c2a86403".into();
        }),
        ("unmet: line 11: UUID=gone leads to no device", |e| e.device = "UUID=gone".into()),
        ("unmet: line 11: noauto", |e| e.options = vec!["noauto".into()]),
        ("unmet: line 11: _netdev", |e| e.options = vec!["_netdev".into()]),
        ("unmet: line 11: fsck pass 2 without nofail", |e| e.pass = 2),
        ("unmet: line 11: type xfs, but ext4 is mounted", |e| e.fs_type = "xfs".into()),
    ];
    for (expected, spoil_entry) in cases {
        let output = spoilt(spoil_entry);
        assert!(output.starts_with(expected), "{expected:?} is not the begin of: {output}");
    }
    let (profile, mut facts) = ready();
    facts.os.systemd = Fact::Known(true);
    let entry = spoil(&mut facts.fstab).last_mut().unwrap();
    (entry.pass, entry.options) = (2, vec!["nofail".into()]);
    outcome(&profile, &facts, "retention.persistent").starts("met");
    let (profile, mut facts) = ready();
    spoil(&mut facts.fstab).pop();
    outcome(&profile, &facts, "retention.persistent").starts("unmet: /etc/fstab has no line for");
}

/// The host that is ready, with `nofail` in the line for the retention volume.
fn with_nofail(ours: bool, systemd: Fact<bool>) -> (Profile, Facts) {
    let (profile, mut facts) = ready();
    facts.os.systemd = systemd;
    let entry = spoil(&mut facts.fstab).last_mut().unwrap();
    (entry.ours, entry.options) = (ours, vec!["rw".into(), "noatime".into(), "nofail".into()]);
    (profile, facts)
}

#[test]
fn on_centos_6_nofail_is_advised_against_and_taken_out_of_our_own_line_alone() {
    const FOUND: &str =
        "line 11: nofail, with which `service netfs stop` takes it for a volume of the network";
    for ours in [true, false] {
        let (profile, facts) = with_nofail(ours, Fact::Known(false));
        let finding = testing::judged(&profile, &facts, "retention.persistent");
        let Status::Unmet { found, fix, .. } = &finding.status else { panic!("{finding:?}") };
        assert!(found.starts_with(FOUND), "{found}");
        // It is mounted at every boot all the same.
        assert_eq!(finding.severity, Severity::Recommended);
        let plan = plan(&profile, &facts, &Selection::default(), TODAY, &Request::default());
        if ours {
            assert_eq!(plan.manual, []);
            let [planned] = plan.changes.as_slice() else { panic!("{:?}", plan.changes) };
            assert_eq!(
                planned.change.summary(),
                "give our own line for /mnt/retention in /etc/fstab the options rw,noatime instead of rw,noatime,nofail"
            );
            assert_eq!(fix, "mt-agent apply takes it out");
        } else {
            assert_eq!(plan.changes, []);
            assert_eq!(plan.manual[0].id, "retention.persistent");
            let line =
                format!("in line 11 of /etc/fstab put /dev/mapper/{RETENTION_ID} /mnt/retention ext4 rw 0 0");
            assert_eq!(*fix, line);
        }
    }
    let (profile, facts) = with_nofail(true, Fact::Known(true));
    outcome(&profile, &facts, "retention.persistent").starts("met");
    let (profile, facts) = with_nofail(true, Fact::Unknown("not read".into()));
    let finding = testing::judged(&profile, &facts, "retention.persistent");
    assert!(matches!(finding.status, Status::Unknown { .. }), "{finding:?}");
    assert_eq!(finding.severity, Severity::Required);
    let plan = plan(&profile, &facts, &Selection::default(), TODAY, &Request::default());
    assert_eq!(plan.changes, []);
    // Beside something that does weigh it changes no weight.
    let (profile, mut facts) = with_nofail(true, Fact::Known(false));
    spoil(&mut facts.fstab).last_mut().unwrap().options.push("noauto".into());
    assert_eq!(testing::judged(&profile, &facts, "retention.persistent").severity, Severity::Required);
}

#[test]
fn our_own_line_loses_nofail_in_the_run_that_mounts_the_volume_too() {
    let (profile, mut facts) = with_nofail(true, Fact::Known(false));
    spoil(&mut facts.mounts).retain(|mount| mount.mount_point != "/mnt/retention");
    let plan = plan(&profile, &facts, &Selection::default(), TODAY, &Request::default());
    let kinds: Vec<_> = plan.changes.iter().map(|planned| &planned.change).collect();
    assert!(
        matches!(
            kinds.as_slice(),
            [Change::MountRetention { .. }, Change::WriteFstab { replaces: Some(_), .. }]
        ),
        "{kinds:?}"
    );
}

#[test]
fn the_line_is_written_as_what_starts_the_machine_wants_it() {
    for (systemd, expected) in [(false, "rw"), (true, "rw,nofail")] {
        let (profile, mut facts) = ready();
        facts.os.systemd = Fact::Known(systemd);
        spoil(&mut facts.fstab).pop();
        let plan = plan(&profile, &facts, &Selection::default(), TODAY, &Request::default());
        let Change::WriteFstab { options, replaces: None, .. } = &plan.changes[0].change else {
            panic!("{plan:?}")
        };
        assert_eq!(options, expected);
    }
    let (profile, mut facts) = ready();
    facts.os.systemd = Fact::Unknown("not read".into());
    spoil(&mut facts.fstab).pop();
    let plan = plan(&profile, &facts, &Selection::default(), TODAY, &Request::default());
    assert_eq!(plan.changes, []);
}

#[test]
fn a_friendly_multipath_name_can_move() {
    let (profile, mut facts) = ready();
    let map = disks(&mut facts)[1].multipath.as_mut().unwrap();
    map.dm_name = "mpatha".into();
    spoil(&mut facts.filesystems).by_mapper.insert("mpatha".into(), "253:0".into());
    spoil(&mut facts.fstab).last_mut().unwrap().device = "/dev/mapper/mpatha".into();
    outcome(&profile, &facts, "retention.persistent")
        .starts("unmet: line 11: /dev/mapper/mpatha can belong to another disk")
        .has("UUID=7a5e4c31-9b02-4d68-a7f3-c8160e2d9b4f");
    for partition in ["mpatha1", "mpathap1", "mpatha-part1"] {
        let device = format!("/dev/mapper/{partition}");
        spoil(&mut facts.fstab).last_mut().unwrap().device.clone_from(&device);
        outcome(&profile, &facts, "retention.persistent")
            .starts(format!("unmet: line 11: {device} can belong to another"));
    }
}

#[test]
fn an_alias_of_multipath_conf_stays_and_the_id_beside_it_does_not() {
    let (profile, mut facts) = ready();
    disks(&mut facts)[1].multipath.as_mut().unwrap().dm_name = "failback".into();
    spoil(&mut facts.filesystems).by_mapper.insert("failback".into(), "253:0".into());
    spoil(&mut facts.fstab).last_mut().unwrap().device = "/dev/mapper/failback".into();
    outcome(&profile, &facts, "retention.persistent")
        .starts("unmet: line 11: /dev/mapper/failback can belong to another disk");
    let configuration = spoil(&mut facts.multipath.configuration).as_mut().unwrap();
    configuration.aliases.push((RETENTION_ID.into(), "failback".into()));
    outcome(&profile, &facts, "retention.persistent").starts("met: /dev/mapper/failback");
    spoil(&mut facts.fstab).last_mut().unwrap().device = format!("/dev/mapper/{RETENTION_ID}");
    outcome(&profile, &facts, "retention.persistent").has("gives this disk the alias failback");
}

#[test]
fn a_name_that_can_move_is_never_written_to_fstab() {
    let planned = |spoil_facts: Spoiler<'_>| {
        let (profile, mut facts) = ready();
        spoil(&mut facts.fstab).pop();
        // A volume that a person made.
        facts.retention_record = Fact::Known(None);
        spoil_facts(&mut facts);
        let message = told(&profile, &facts, "retention.persistent");
        (plan(&profile, &facts, &Selection::default(), TODAY, &Request::default()), message)
    };
    let plain = |facts: &mut Facts| {
        (disks(facts)[1].multipath, disks(facts)[1].holders) = (None, Vec::new());
        *mounted(facts) = mount("/mnt/retention", "8:16", "/dev/sdb", 1 << 40);
    };
    let friendly = |facts: &mut Facts| {
        disks(facts)[1].multipath.as_mut().unwrap().dm_name = "mpathb".into();
        mounted(facts).source = "/dev/mapper/mpathb".into();
        // A link to a path, not to the map.
        spoil(&mut facts.filesystems).by_uuid.retain(|_, device| device != "253:0");
        spoil(&mut facts.filesystems).by_uuid.insert("7a5e4c31".into(), "8:16".into());
    };
    let unlinked = |facts: &mut Facts| {
        plain(facts);
        facts.filesystems = Fact::Unknown("reading /dev/disk/by-uuid: Input/output error".into());
    };
    let cases: [(&str, Spoiler<'_>); 3] =
        [("/dev/sdb", &plain), ("/dev/mapper/mpathb", &friendly), ("/dev/sdb", &unlinked)];
    for (name, spoil_facts) in cases {
        let (plan, message) = planned(spoil_facts);
        assert_eq!(plan.changes, [], "{name}");
        let fix = &plan.manual.iter().find(|manual| manual.id == "retention.persistent").unwrap().fix;
        assert_eq!(
            *fix,
            format!(
                "{name} can be another disk's name after the next restart, and no UUID of what is mounted at \
                 /mnt/retention is known: blkid shows it; put by hand into /etc/fstab: UUID=... /mnt/retention ext4 \
                 rw 0 0"
            )
        );
        assert!(message.ends_with(&format!("such as UUID=... | {fix}")), "{message}");
    }
    let (plan, _) = planned(&|facts| {
        plain(facts);
        spoil(&mut facts.filesystems).by_uuid.insert("7a5e4c31".into(), "8:16".into());
    });
    assert!(
        matches!(&plan.changes[0].change, Change::WriteFstab { device, .. } if device == "UUID=7a5e4c31")
    );
}

#[test]
fn size_lock_type_and_other_uses_are_told() {
    let (profile, mut facts) = ready();
    disks(&mut facts)[1].size_bytes = 500 << 30;
    let finding = testing::judged(&profile, &facts, "retention.capacity");
    assert_eq!(finding.severity, Severity::Recommended);
    outcome(&profile, &facts, "retention.capacity").starts("unmet: 500 GiB | 1 TiB or more");
    disks(&mut facts)[1].size_bytes = 0;
    assert_eq!(testing::judged(&profile, &facts, "retention.capacity").severity, Severity::Required);

    let (profile, mut facts) = ready();
    mounted(&mut facts).super_options = vec!["ro".into()];
    outcome(&profile, &facts, "retention.unlocked").starts("unmet: mounted read-only");
    disks(&mut facts)[1].read_only = true;
    outcome(&profile, &facts, "retention.unlocked").starts("unmet: the device sdb is read-only");
    mounted(&mut facts).fs_type = "vfat".into();
    outcome(&profile, &facts, "retention.filesystem").starts("unmet: vfat");

    let (profile, mut facts) = ready();
    let mut bind = mounted(&mut facts).clone();
    (bind.mount_point, bind.root) = ("/srv".into(), "/data".into());
    spoil(&mut facts.mounts).push(bind.clone());
    bind.mount_point = "/srv/a b;c".into();
    spoil(&mut facts.mounts).push(bind);
    disks(&mut facts)[1].partitions.push(crate::facts::disks::Partition {
        name: "sdb1".into(),
        holders: vec![holder(7, "vg-data", "LVM-xyz")],
        ..Default::default()
    });
    let output = told(&profile, &facts, "retention.dedicated");
    begins(&output, "unmet: sdb is also: held by vg-data, mounted at /srv, mounted at /srv/a b;c");
    has(
        &output,
        "| `umount '/srv/a b;c'`, `umount /srv`, move what holds it to another disk, and take it out of",
    );
}

#[test]
fn the_installation_may_not_lie_on_the_volume() {
    let (profile, mut facts) = ready();
    let installed = |directory: &str| {
        Fact::Known(SiteAgent { installation_dir: Some(directory.into()), ..SiteAgent::default() })
    };
    facts.site_agent = installed("/mnt/retention/ASR");
    outcome(&profile, &facts, "retention.not-cache").starts("unmet: the master target is installed in");
    facts.site_agent = installed("/mnt/retention2/ASR");
    outcome(&profile, &facts, "retention.not-cache").is("met: installed in /mnt/retention2/ASR, on /");
}

#[test]
fn a_record_of_another_disk_or_file_system_than_is_mounted_is_not_met() {
    let (profile, ready) = ready();
    let message = |change: &dyn Fn(&mut Facts)| {
        let mut facts = ready.clone();
        change(&mut facts);
        assert_ne!(verdict(&judge_all(&profile, &facts, TODAY, &Selection::default())), Verdict::Ready);
        told(&profile, &facts, "retention.disk")
    };
    let record = |facts: &mut Facts, change: &dyn Fn(&mut Record)| {
        change(spoil(&mut facts.retention_record).as_mut().unwrap());
    };
    let uuid = "7a5e4c31-9b02-4d68-a7f3-c8160e2d9b4f";
    let other = message(&|facts| record(facts, &|record| record.scsi_id = OTHER_ID.into()));
    let expected = format!(
        "unmet: sdb ({RETENTION_ID}, 1 TiB) carries it | the disk on record in /var/lib/mt-agent/retention.json, {OTHER_ID} | find"
    );
    assert!(other.starts_with(&expected), "{other}");
    assert!(other.ends_with("`mv /var/lib/mt-agent/retention.json /root/`, then mt-agent check"), "{other}");
    let begun = message(&|facts| {
        record(facts, &|record| (record.scsi_id, record.finished) = (OTHER_ID.into(), false));
    });
    assert!(begun.starts_with("unmet: sdb ("), "{begun}");
    let made_anew = message(&|facts| record(facts, &|record| record.uuid = "1-2".into()));
    let expected = format!(
        "unmet: the file system at /mnt/retention has the UUID {uuid} | the file system on record in \
         /var/lib/mt-agent/retention.json, UUID 1-2 | find"
    );
    assert!(made_anew.starts_with(&expected), "{made_anew}");
    let linked = message(&|facts| {
        map_carries(facts, None);
        record(facts, &|record| record.uuid = "1-2".into());
    });
    assert_eq!(linked, made_anew);
    let no_link = message(&|facts| {
        map_carries(facts, None);
        spoil(&mut facts.filesystems).by_uuid.remove(&uuid.into());
    });
    assert!(no_link.starts_with("unknown: the UUID of what is mounted at /mnt/retention"), "{no_link}");
    let torn = message(&|facts| facts.retention_record = Fact::Unknown("torn".into()));
    assert_eq!(torn, "unknown: the record of the retention disk: torn");
    let nameless = message(&|facts| disks(facts)[1].scsi_id = Err(NoId::default()));
    assert_eq!(nameless, "blocked: scsi.ids");
    // A host whose volume a person made has no record.
    let mut facts = ready.clone();
    facts.retention_record = Fact::Known(None);
    outcome(&profile, &facts, "retention.disk").starts("met: sdb");
}

#[test]
fn a_uuid_of_the_retention_volume_that_another_disk_carries_is_not_persistent() {
    let (profile, mut facts) = ready();
    let uuid = "7a5e4c31-9b02-4d68-a7f3-c8160e2d9b4f";
    let line = |facts: &mut Facts, device: &str| our_line(facts).device = device.into();
    line(&mut facts, &format!("UUID={uuid}"));
    outcome(&profile, &facts, "retention.persistent").starts("met: UUID=");
    disks(&mut facts).push(virtual_disk(2, OTHER_ID, 1 << 40));
    let mut twin = testing::answering("sdc", "8:32");
    twin.volume = Some(Volume { fs_type: "ext".into(), uuid: uuid.into(), label: String::new() });
    spoil(&mut facts.storage).push(twin);
    let message = told(&profile, &facts, "retention.persistent");
    let expected =
        format!("unmet: line 11: UUID={uuid}: several attached devices have that name | a line for");
    assert!(message.starts_with(&expected) && message.ends_with("| see layout.own-disks"), "{message}");
    let message = told(&profile, &facts, "layout.own-disks");
    let devices = format!("dm-0 ({RETENTION_ID}) and sdc ({OTHER_ID})");
    assert!(message.contains(&format!("the retention volume, UUID={uuid}, can be {devices}")), "{message}");
    line(&mut facts, &format!("/dev/mapper/{RETENTION_ID}"));
    outcome(&profile, &facts, "retention.persistent").starts("met: /dev/mapper/");
    outcome(&profile, &facts, "layout.own-disks").starts("unmet: the retention volume");
    spoil(&mut facts.storage).pop();
    line(&mut facts, &format!("UUID={uuid}"));
    outcome(&profile, &facts, "retention.persistent").starts("unknown: whether another attached device");
}
