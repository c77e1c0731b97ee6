//! Which disk is taken, and which is not.

use super::*;
use crate::changes::mkfs::Format;

#[test]
fn of_two_blank_disks_none_is_taken_and_both_are_listed() {
    let (profile, facts) = with_second_blank_disk();
    refused(
        &profile,
        &facts,
        &Request::default(),
        &["2 blank disks", RETENTION_ID, OTHER_ID, "--retention-disk"],
    );
    for name in [OTHER_ID, "sdc", "/dev/sdc"] {
        assert_eq!(chosen(&profile, &facts, &naming(name)), Ok(("sdc", false)), "{name}");
    }
    let named_by_profile = Profile {
        retention: crate::profile::Retention {
            disk: Some(RETENTION_ID.parse().unwrap()),
            ..profile.retention.clone()
        },
        ..profile
    };
    assert_eq!(chosen(&named_by_profile, &facts, &Request::default()), Ok(("sdb", false)));
    assert_eq!(
        chosen(&named_by_profile, &facts, &naming("sdc")),
        Ok(("sdc", false)),
        "the command line wins"
    );
}

#[test]
fn the_paths_of_one_map_are_one_candidate() {
    let (profile, mut facts) = without_volume();
    second_path(&mut facts);
    for request in [at_terminal(), naming("sdb"), Request { erase_disk: Some("sdb".into()), ..naming("sdb") }]
    {
        refused(&profile, &facts, &request, &["a VMware virtual disk has one path", "scsi.ids-unique"]);
    }
    // A disk of an array, passed through.
    disks(&mut facts)[1..].iter_mut().for_each(|disk| disk.vendor = Some("DGC".into()));
    refused(
        &profile,
        &facts,
        &at_terminal(),
        &["is the only blank disk, but it is no virtual disk of VMware"],
    );
    assert_eq!(chosen(&profile, &facts, &naming("sdb")), Ok(("sdb", false)));
    facts.probes.pop();
    assert_eq!(chosen(&profile, &facts, &naming("/dev/sdc")), Ok(("sdb", false)), "another path of it");
}

#[test]
fn a_disk_that_is_not_blank_is_taken_only_when_its_erasure_is_asked_for() {
    let (profile, mut facts) = without_volume();
    facts.probes = vec![Probe {
        found: vec!["xfs file system".into()],
        ..not_blank("sdb", "it is not blank: xfs file system")
    }];
    refused(&profile, &facts, &Request::default(), &["no attached disk may be taken", "xfs file system"]);
    refused(
        &profile,
        &facts,
        &naming("sdb"),
        &["left as it is", "xfs", &format!("--erase-disk {RETENTION_ID}")],
    );
    let erase = |disk: &str| Request { erase_disk: Some(disk.into()), ..naming("sdb") };
    assert_eq!(chosen(&profile, &facts, &erase(RETENTION_ID)), Ok(("sdb", true)));
    refused(&profile, &facts, &erase("sda"), &["both must be the same disk"]);
    refused(
        &profile,
        &facts,
        &Request { retention_disk: None, ..erase("sdb") },
        &["name the retention disk too"],
    );
    facts.probes[0].in_use = vec!["mounted at /data".into()];
    refused(&profile, &facts, &erase(RETENTION_ID), &["is in use: mounted at /data"]);
}

#[test]
fn an_erasure_is_for_what_was_on_the_disk_when_it_was_asked_for() {
    let (profile, mut facts) = without_volume();
    let carrying = |fingerprint: Option<&str>| Probe {
        fingerprint: fingerprint.map(str::to_owned),
        written: Some(false),
        ..not_blank("sdb", "it is not blank: xfs file system")
    };
    let now = Request { erase_disk: Some("sdb".into()), ..naming("sdb") };
    let left = |then: Option<&str>| Request {
        resumed: true,
        erase_fingerprint: then.map(str::to_owned),
        ..now.clone()
    };
    let fingerprint = |facts: &Facts, request: &Request| {
        let Format { erase, fingerprint, .. } = choose(&profile, facts, request).unwrap().format;
        assert!(erase);
        fingerprint
    };
    facts.probes = vec![carrying(Some("aa"))];
    assert_eq!(fingerprint(&facts, &now).as_deref(), Some("aa"), "who is there now means what is there now");
    assert_eq!(fingerprint(&facts, &left(Some("aa"))).as_deref(), Some("aa"));
    let again = format!(
        "say so once more: mt-agent apply --retention-disk {RETENTION_ID} --erase-disk {RETENTION_ID}"
    );
    for (then, there, why) in [
        (Some("ab"), Some("aa"), "What is on it is not what was there when --erase-disk was given"),
        (None, Some("aa"), "What was on it when --erase-disk was given is not on record"),
        (Some("aa"), None, "Whether it is what was there when --erase-disk was given cannot be determined"),
    ] {
        facts.probes = vec![carrying(there)];
        refused(&profile, &facts, &left(then), &["is left as it is: it is not blank", why, &again]);
    }
    for (written, why) in [
        (Some(true), "It was written to since this boot"),
        (None, "Whether it was written to since this boot cannot be determined"),
    ] {
        facts.probes = vec![Probe { written, ..carrying(Some("aa")) }];
        refused(&profile, &facts, &left(Some("aa")), &[why, &again]);
        assert_eq!(chosen(&profile, &facts, &now), Ok(("sdb", true)), "a person looks at it now");
    }
    // There is nothing to erase, and what comes onto the disk later is nobody's to erase.
    facts.probes = vec![eligible("sdb")];
    assert_eq!(chosen(&profile, &facts, &now), Ok(("sdb", false)));
    assert_eq!(chosen(&profile, &facts, &left(Some("aa"))), Ok(("sdb", false)));
}

#[test]
fn a_disk_that_was_written_to_since_this_boot_is_taken_only_where_it_is_named() {
    let (profile, mut facts) = without_volume();
    for (written, why) in
        [(Some(true), "was written to since this boot"), (None, "that cannot be determined")]
    {
        facts.probes[0].written = written;
        refused(&profile, &facts, &Request::default(), &[why, "--retention-disk"]);
        assert_eq!(chosen(&profile, &facts, &naming("sdb")), Ok(("sdb", false)));
    }
}

#[test]
fn a_disk_whose_storage_is_in_trouble_is_not_to_be_replaced() {
    let (profile, mut facts) = without_volume();
    let why = "the map x is suspended: dmsetup resume x";
    let trouble = Some(why.into());
    facts.probes = vec![Probe { blank: None, unreadable: true, trouble, ..not_blank("sdb", why) }];
    refused(&profile, &facts, &naming("sdb"), &["dmsetup resume x", "does not lift that: see to that first"]);
}

#[test]
fn a_disk_whose_blankness_could_not_be_told_is_not_taken() {
    let (profile, mut facts) = without_volume();
    let why = "whether it is blank cannot be determined: read error";
    facts.probes = vec![Probe { blank: None, ..not_blank("sdb", why) }];
    refused(&profile, &facts, &Request::default(), &["read error"]);
    facts.probes.clear();
    refused(&profile, &facts, &naming("sdb"), &["was not probed"]);
}

#[test]
fn a_disk_that_was_not_probed_for_its_use_is_in_use() {
    let (profile, mut facts) = without_volume();
    facts.probes.clear();
    disks(&mut facts)[1].holders.push(holder(7, "36000c29p1", "part1-mpath-36000c29"));
    refused(&profile, &facts, &naming("sdb"), &[" is in use: held by map partition 36000c29p1 (sdb)"]);
}

#[test]
fn a_disk_that_cannot_be_read_is_not_even_erased() {
    let (profile, mut facts) = without_volume();
    facts.probes = vec![Probe { blank: None, unreadable: true, ..not_blank("sdb", "read error") }];
    let erase = Request { erase_disk: Some("sdb".into()), ..naming("sdb") };
    for request in [naming("sdb"), erase] {
        let words = [
            " is left as it is: read error. A volume on it would not last, and --erase-disk does not lift that: \
             attach another disk",
        ];
        refused(&profile, &facts, &request, &words);
    }
}

#[test]
fn a_disk_without_an_id_or_with_that_of_another_is_not_taken() {
    let (profile, mut facts) = with_second_blank_disk();
    disks(&mut facts)[2].scsi_id = Ok(OS_DISK_ID.into());
    refused(&profile, &facts, &naming("sdc"), &["of sda too", "scsi.ids-unique"]);
    disks(&mut facts)[2].scsi_id = Err("page 0x83 is not supported".into());
    refused(&profile, &facts, &naming("sdc"), &["has no SCSI ID (page 0x83 is not supported)"]);
}

#[test]
fn a_name_that_no_disk_or_more_than_one_has_is_refused() {
    let (profile, mut facts) = with_second_blank_disk();
    refused(&profile, &facts, &naming("/dev/sda1"), &["no disk is called /dev/sda1"]);
    refused(&profile, &facts, &naming("sdz\x1b[2J"), &["no disk is called sdz\\u{1b}[2J"]);
    refused(&profile, &facts, &naming("sda"), &["is in use: / (sda1)"]);
    disks(&mut facts)[2].scsi_id = Ok(RETENTION_ID.into());
    refused(&profile, &facts, &naming(RETENTION_ID), &["could be sdb or sdc"]);
}

#[test]
fn a_link_of_udev_that_is_older_than_the_disk_names_nothing() {
    let (profile, mut facts) = with_second_blank_disk();
    for name in [format!("scsi-{OTHER_ID}"), format!("wwn-0x{}", &OTHER_ID[1..])] {
        assert_eq!(chosen(&profile, &facts, &naming(&name)), Ok(("sdc", false)), "without any link: {name}");
        let links = &mut spoil(&mut facts.filesystems).by_id;
        links.insert(name.clone(), "8:32".into());
        assert_eq!(chosen(&profile, &facts, &naming(&name)), Ok(("sdc", false)));
        // Another disk is in its place now.
        spoil(&mut facts.filesystems).by_id.insert(name.clone(), "253:0".into());
        let stale = format!("{name} leads to sdb, which answers with the SCSI ID {RETENTION_ID}");
        refused(&profile, &facts, &naming(&name), &[&stale]);
        spoil(&mut facts.filesystems).by_id.clear();
    }
}

#[test]
fn what_facts_show_counts_whatever_a_probe_found() {
    let without = || {
        let (profile, facts) = without_volume();
        (profile, facts, Request { erase_disk: Some("sdb".into()), ..naming("sdb") })
    };
    for request in 0..3 {
        let say = |spoil_facts: fn(&mut Facts), words: &str| {
            let (profile, mut facts, erase) = without();
            spoil_facts(&mut facts);
            refused(&profile, &facts, &[at_terminal(), naming("sdb"), erase][request], &[words]);
        };
        say(|facts| facts.mounts = Fact::Unknown("?".into()), "cannot be determined");
        say(|facts| facts.swaps = Fact::Unknown("?".into()), "cannot be determined");
        say(|facts| disks(facts)[1].read_only = true, "it is read-only");
        say(|facts| disks(facts)[1].size_bytes = 0, "its size is zero");
        say(
            |facts| spoil(&mut facts.mounts).push(mount("/data", "253:0", "/dev/mapper/x", 1)),
            "is in use: mounted at /data (dm-0)",
        );
    }
    let (profile, mut facts) = without_volume();
    disks(&mut facts)[1].partitions.push(Default::default());
    refused(&profile, &facts, &naming("sdb"), &["left as it is"]);
}

/// As after a restart that gave sdb's name to sdc, and sdc's to sdb.
fn swapped(facts: &Facts) -> Facts {
    let mut facts = facts.clone();
    for disk in disks(&mut facts) {
        disk.name = match disk.name.as_str() {
            "sdb" => "sdc".into(),
            "sdc" => "sdb".into(),
            other => other.into(),
        };
        disk.path = format!("/dev/{}", disk.name);
    }
    facts
}

#[test]
fn what_was_asked_for_by_a_name_that_moves_means_the_same_disk_after_a_restart() {
    let (profile, facts) = with_second_blank_disk();
    let erase = |name: &str| Request { erase_disk: Some(name.parse().unwrap()), ..naming(name) };
    for request in [naming("sdc"), naming("/dev/sdc"), erase("/dev/sdc"), erase(OTHER_ID)] {
        let moved = swapped(&facts);
        let lasting = lasting(&profile, &facts, &request).unwrap();
        assert_eq!(lasting.retention_disk.as_deref(), Some(OTHER_ID));
        assert_eq!(lasting.erase_disk.as_deref(), request.erase_disk.as_ref().map(|_| OTHER_ID));
        assert_eq!(chosen(&profile, &moved, &lasting), Ok(("sdb", false)), "{request:?}");
    }
    // A name that leads nowhere now may lead to anything then; one made of an ID may not.
    assert_eq!(lasting(&profile, &facts, &naming("/dev/sdx")), None);
    assert_eq!(lasting(&profile, &facts, &Request { erase_disk: Some("sdx".into()), ..naming("sdc") }), None);
    let later = naming("/dev/disk/by-id/scsi-36000c29bbbbbbbbbbbbbbbbbbbbbbbbb");
    assert_eq!(lasting(&profile, &facts, &later), Some(later));
    assert_eq!(lasting(&profile, &facts, &Request::default()), Some(Request::default()));
}

#[test]
fn a_profile_names_no_disk_by_a_name_that_moves() {
    let (mut profile, facts) = with_second_blank_disk();
    for name in ["sdc", "/dev/sdc", "/dev/dm-0"] {
        profile.retention.disk = Some(name.parse().unwrap());
        let now = if name.ends_with("dm-0") { RETENTION_ID } else { OTHER_ID };
        let why = format!(
            "the profile names the disk {name}, which can be another one after each restart: put its SCSI ID (now {now}) there"
        );
        refused(&profile, &facts, &Request::default(), &[&why]);
        assert_eq!(chosen(&profile, &facts, &naming(OTHER_ID)), Ok(("sdc", false)), "the command line wins");
        // Nor does it become a name that lasts by the way through a restart.
        let after = lasting(&profile, &facts, &Request::default()).unwrap();
        assert_eq!(after.retention_disk, None, "{name}");
    }
    for name in
        [OTHER_ID.to_owned(), format!("scsi-{OTHER_ID}"), format!("/dev/disk/by-id/wwn-0x{}", &OTHER_ID[1..])]
    {
        profile.retention.disk = Some(name.parse().unwrap());
        assert_eq!(chosen(&profile, &facts, &Request::default()), Ok(("sdc", false)), "{name}");
    }
}

#[test]
fn our_own_interrupted_work_is_resumed_and_nobody_elses() {
    let (profile, mut facts) = with_second_blank_disk();
    facts.probes[0] = not_blank("sdb", "x");
    let record = Record { uuid: DRAWN.into(), finished: false, ..record_of(RETENTION_ID) };
    facts.retention_record = Fact::Known(Some(record.clone()));
    let resumed = choose(&profile, &facts, &Request::default()).unwrap();
    assert_eq!(
        (resumed.disk.name.as_str(), &resumed.format.target.uuid),
        ("sdb", &Some(record.uuid.clone()))
    );
    facts.probes[0].in_use = vec!["mounted at /data".into()];
    refused(&profile, &facts, &Request::default(), &["is in use"]);
    facts.probes[0].in_use.clear();
    facts.retention_record = Fact::Known(Some(Record { scsi_id: "36000c29other".into(), ..record }));
    refused(&profile, &facts, &naming("sdb"), &["left as it is"]);
}

/// The host without a volume, whose retention disk has a partition table: kpartx made a partition of its map.
fn with_map_partition(built_on_it: bool) -> (Profile, Facts) {
    let (profile, mut facts) = without_volume();
    let logical = holder(2, "vg-data", "LVM-abc");
    let holders = if built_on_it { vec![logical] } else { Vec::new() };
    let partition =
        Holder { holders, ..holder(1, &format!("{RETENTION_ID}p1"), &format!("part1-mpath-{RETENTION_ID}")) };
    disks(&mut facts)[1].holders[0].holders = vec![partition];
    let disk = disks(&mut facts)[1].clone();
    let (mounts, swaps) = (spoil(&mut facts.mounts).clone(), spoil(&mut facts.swaps));
    let uses = crate::facts::disks::users::uses(&disk, &mounts, swaps);
    facts.probes = vec![Probe {
        disk: "sdb".into(),
        blank: Some(false),
        found: vec!["MBR partition table (libblkid)".into()],
        in_use: uses.iter().map(ToString::to_string).collect(),
        ..Probe::default()
    }];
    (profile, facts)
}

#[test]
fn a_map_partition_on_which_nothing_is_built_is_erased_with_the_table_that_it_shows() {
    let request = |erase: bool| Request {
        retention_disk: Some(RETENTION_ID.parse().unwrap()),
        erase_disk: erase.then(|| RETENTION_ID.into()),
        ..Request::default()
    };
    let (profile, mut facts) = with_map_partition(false);
    let why = chosen(&profile, &facts, &request(false)).unwrap_err();
    assert!(why.contains("is in use: held by map partition"), "{why}");
    assert!(why.ends_with(&format!(". If nothing on it is needed: --erase-disk {RETENTION_ID}")), "{why}");
    assert_eq!(chosen(&profile, &facts, &request(true)), Ok(("sdb", true)));
    // Mounted, it is in use for that.
    spoil(&mut facts.mounts).push(mount("/data", "253:1", "/dev/mapper/x", 1 << 30));
    let why = chosen(&profile, &facts, &request(true)).unwrap_err();
    assert!(why.contains("mounted at /data"), "{why}");
    let (profile, facts) = with_map_partition(true);
    let why = chosen(&profile, &facts, &request(true)).unwrap_err();
    assert!(why.contains("LVM vg-data") && !why.contains("--erase-disk"), "{why}");
}

/// What is mounted is not erased, wherever it is mounted, and whoever says so twice.
#[test]
fn a_mounted_disk_is_not_erased_whoever_names_it_twice() {
    let partition = || crate::facts::disks::Partition {
        name: "sdc1".into(),
        major_minor: "8:33".into(),
        ..Default::default()
    };
    for (point, number) in
        [("/mnt/retention", "8:32"), ("/mnt/retention", "8:33"), ("/data", "8:33"), ("/a/b", "8:32")]
    {
        let (profile, mut facts) = without_volume();
        let mut foreign = virtual_disk(2, OTHER_ID, 1 << 40);
        foreign.partitions.push(partition());
        disks(&mut facts).push(foreign);
        // The probe saw nothing of it, as where it was mounted in between.
        facts.probes.push(eligible("sdc"));
        spoil(&mut facts.mounts).push(mount(point, number, "/dev/sdc1", 1 << 40));
        for name in [OTHER_ID, "sdc"] {
            let twice = Request { erase_disk: Some(name.parse().unwrap()), ..naming(name) };
            refused(&profile, &facts, &twice, &["sdc", "is in use: mounted at", point]);
            assert!(!formats(&planned(&profile, &facts, &twice).0), "{point} {name}");
        }
    }
}
