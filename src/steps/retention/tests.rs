//! A ready host of [`testing`], spoiled one point at a time.

use super::choice::{Chosen, choose};
use super::lasting;
use crate::changes::Change;
use crate::facts::blank::Probe;
use crate::facts::custom_changes::Outcome;
use crate::facts::disks::{Disk, Holder};
use crate::facts::fstab::Entry;
use crate::facts::retention::Record;
use crate::facts::site_agent::SiteAgent;
use crate::facts::{Fact, Facts};
use crate::profile::Profile;
use crate::run::plan;
use crate::steps::remedy::Request;
use crate::steps::testing::{self, OS_DISK_ID, RETENTION_ID, TODAY, mount, ready, told, virtual_disk};
use crate::steps::{Selection, Severity};

const OTHER_ID: &str = "36000c29aaaaaaaaaaaaaaaaaaaaaaaaa";

type Spoiler<'a> = &'a dyn Fn(&mut Facts);

/// The known value of a fact, to be spoiled.
fn spoil<T>(fact: &mut Fact<T>) -> &mut T {
    match fact {
        Fact::Known(value) => value,
        _ => panic!("the ready host knows it"),
    }
}

fn disks(facts: &mut Facts) -> &mut Vec<Disk> {
    spoil(&mut facts.disks)
}

fn eligible(disk: &str) -> Probe {
    Probe { disk: disk.into(), blank: Some(true), eligible: true, ..Probe::default() }
}

/// The ready host before its retention volume was made: sdb is blank and idle.
fn without_volume() -> (Profile, Facts) {
    let (profile, mut facts) = ready();
    spoil(&mut facts.mounts).retain(|mount| mount.mount_point != "/mnt/retention");
    spoil(&mut facts.fstab).retain(|entry| entry.mount_point != "/mnt/retention");
    spoil(&mut facts.filesystems).by_uuid.retain(|_, device| device != "253:0");
    disks(&mut facts)[1].used_by.clear();
    facts.probes = vec![eligible("sdb")];
    (profile, facts)
}

fn with_second_blank_disk() -> (Profile, Facts) {
    let (profile, mut facts) = without_volume();
    disks(&mut facts).push(virtual_disk(2, OTHER_ID, 1 << 40));
    facts.probes.push(eligible("sdc"));
    (profile, facts)
}

fn naming(disk: &str) -> Request {
    Request { retention_disk: Some(disk.into()), ..Request::default() }
}

fn chosen<'a>(profile: &Profile, facts: &'a Facts, request: &Request) -> Result<(&'a str, bool), String> {
    match choose(profile, facts, request) {
        Chosen::Disk { disk, erase, .. } => Ok((&disk.name, erase)),
        Chosen::Refused(why) => Err(why),
    }
}

fn refused(profile: &Profile, facts: &Facts, request: &Request, words: &[&str]) {
    let why = chosen(profile, facts, request).expect_err("must be refused");
    for word in words {
        assert!(why.contains(word), "{word:?} is not in: {why}");
    }
}

#[test]
fn a_volume_in_order_is_met_in_every_point() {
    let (profile, facts) = ready();
    assert_eq!(told(&profile, &facts, "retention.disk"), format!("met: sdb ({RETENTION_ID}, 1 TiB)"));
    for id in ["mounted", "persistent", "filesystem", "capacity", "unlocked", "dedicated"] {
        let told = told(&profile, &facts, &format!("retention.{id}"));
        assert!(told.starts_with("met: "), "{id}: {told}");
    }
    assert_eq!(
        told(&profile, &facts, "retention.not-cache"),
        "not-applicable: the master target software is not installed yet"
    );
}

#[test]
fn without_a_volume_the_rest_waits_and_the_plan_makes_it() {
    let (profile, facts) = without_volume();
    let disk = told(&profile, &facts, "retention.disk");
    assert!(
        disk.starts_with(&format!("unmet: not mounted; unused disks: sdb ({RETENTION_ID}, 1 TiB)")),
        "{disk}"
    );
    assert_eq!(told(&profile, &facts, "retention.mounted"), "blocked: retention.disk");
    assert_eq!(told(&profile, &facts, "retention.capacity"), "blocked: retention.mounted");
    let plan = plan(&profile, &facts, &Selection::default(), TODAY, &Request::default());
    let kinds: Vec<_> = plan.changes.iter().map(|planned| planned.change.summary()).collect();
    let map = format!("/dev/mapper/{RETENTION_ID}");
    assert_eq!(
        kinds,
        [
            format!("make an ext4 file system on {map} (SCSI ID {RETENTION_ID}, 1 TiB)"),
            format!("mount {map} at /mnt/retention and prove that it can be written"),
            format!("add {map} on /mnt/retention to /etc/fstab"),
        ]
    );
    assert!(plan.changes.iter().all(|planned| !planned.after_restart));
}

#[test]
fn before_the_restart_the_volume_is_only_foreseen() {
    let (profile, mut facts) = without_volume();
    spoil(&mut facts.custom_changes.record).as_mut().unwrap().boot_id = testing::BOOT_ID.into();
    assert_eq!(told(&profile, &facts, "retention.disk"), "blocked: custom-changes.restarted");
    let plan = plan(&profile, &facts, &Selection::default(), TODAY, &Request::default());
    assert!(plan.restart);
    assert_eq!(plan.changes.len(), 3);
    assert!(plan.changes.iter().all(|planned| planned.after_restart), "{:?}", plan.changes);
}

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
        retention: crate::profile::Retention { disk: Some(RETENTION_ID.into()), ..profile.retention.clone() },
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
fn after_a_restart_no_disk_is_taken_that_nobody_was_shown() {
    let (profile, facts) = without_volume();
    let unseen = Request { named_only: true, ..Request::default() };
    refused(&profile, &facts, &unseen, &["in no plan that a person agreed to"]);
    let named = Request { named_only: true, ..naming(RETENTION_ID) };
    assert_eq!(chosen(&profile, &facts, &named), Ok(("sdb", false)));
}

#[test]
fn what_fstab_names_by_a_name_that_moves_is_not_mounted() {
    let (profile, mut facts) = without_volume();
    disks(&mut facts)[1].multipath = None;
    let line = |device: &str| Entry {
        line: 9,
        device: device.into(),
        mount_point: "/mnt/retention".into(),
        fs_type: "ext4".into(),
        options: vec!["rw".into()],
        pass: 0,
    };
    spoil(&mut facts.fstab).push(line("/dev/sdb"));
    let planned = plan(&profile, &facts, &Selection::default(), TODAY, &Request::default());
    assert_eq!(planned.changes, []);
    let fix = &planned.manual.iter().find(|manual| manual.id == "retention.mounted").unwrap().fix;
    assert!(fix.starts_with("line 9 of /etc/fstab names /dev/sdb, which can be another disk"), "{fix}");
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
    let map = format!("/dev/mapper/{RETENTION_ID}");
    assert!(
        matches!(&changes[..], [Change::MountRetention { device, fs_type, .. }] if *device == map && fs_type == "auto"),
        "{changes:?}"
    );
}

#[test]
fn a_line_of_fstab_that_leads_to_the_root_disk_is_not_a_volume_that_waits() {
    let root = ("UUID=11111111-aaaa-4000-8000-000000000001", "ext4");
    let (changes, fix, said) = with_lines(&[root], "retention.disk", |_| {});
    assert_eq!(changes, []);
    assert_eq!(fix, "remove the line for /mnt/retention from /etc/fstab, and attach a disk of its own");
    let found = "unmet: /etc/fstab would mount at /mnt/retention what lies on sda, which also carries /";
    assert!(said.starts_with(found), "{said}");
    let (_, fix, said) = with_lines(&[root], "retention.mounted", |_| {});
    assert_eq!((fix.as_str(), said.as_str()), ("", "blocked: retention.disk"));
}

#[test]
fn nothing_is_formatted_while_it_cannot_be_told_whether_a_volume_waits() {
    let blank = |facts: &mut Facts| facts.probes = vec![eligible("sdb")];
    let (changes, fix, said) = with_lines(&[("PARTUUID=1-1", "ext4")], "retention.disk", blank);
    assert_eq!(changes, []);
    assert_eq!(said, "unknown: to which device PARTUUID=1-1 leads is not among the facts");
    let why =
        "no disk is formatted while it cannot be told whether a volume for /mnt/retention is there already: ";
    assert!(fix.starts_with(why), "{fix}");
}

#[test]
fn of_several_lines_for_the_mount_point_none_is_mounted_or_counts() {
    let map = format!("/dev/mapper/{RETENTION_ID}");
    let lines = [("/dev/sdc", "ext4"), (map.as_str(), "ext4")];
    let (changes, fix, _) = with_lines(&lines, "retention.mounted", |_| {});
    assert_eq!(changes, []);
    assert_eq!(fix, "remove all but the one that is right of the lines 20, 21 of /etc/fstab, by hand");
    let mounted = |facts: &mut Facts| {
        spoil(&mut facts.mounts).push(mount("/mnt/retention", "253:0", "/dev/mapper/x", 1 << 40));
    };
    let (changes, also, said) = with_lines(&lines, "retention.persistent", mounted);
    assert_eq!((changes, also), (vec![], fix));
    let found = "unmet: lines 20, 21 of /etc/fstab all mount on /mnt/retention";
    assert!(said.starts_with(found), "{said}");
}

#[test]
fn the_paths_of_one_map_are_one_candidate() {
    let (profile, mut facts) = without_volume();
    let mut second = Disk { name: "sdc".into(), path: "/dev/sdc".into(), ..disks(&mut facts)[1].clone() };
    second.major_minor = "8:32".into();
    disks(&mut facts).push(second);
    facts.probes.push(eligible("sdc"));
    assert_eq!(chosen(&profile, &facts, &Request::default()), Ok(("sdb", false)));
    facts.probes.pop();
    assert_eq!(chosen(&profile, &facts, &naming("/dev/sdc")), Ok(("sdb", false)), "another path of it");
}

#[test]
fn with_the_master_target_installed_a_lone_blank_disk_must_be_named() {
    let (profile, mut facts) = without_volume();
    facts.site_agent = Fact::Known(SiteAgent { version: Some("9.6.0".into()), ..SiteAgent::default() });
    refused(&profile, &facts, &Request::default(), &["protected machine's", RETENTION_ID]);
    assert_eq!(chosen(&profile, &facts, &naming(RETENTION_ID)), Ok(("sdb", false)));
    facts.site_agent = Fact::Unknown("permission denied".into());
    refused(&profile, &facts, &Request::default(), &["ever been installed could not be told"]);
}

#[test]
fn where_the_master_target_has_been_a_lone_blank_disk_must_be_named() {
    let (profile, facts) = without_volume();
    let record = |scsi_id: &str, finished| {
        Fact::Known(Some(Record {
            schema: "mt-agent/retention/v1".into(),
            scsi_id: scsi_id.into(),
            uuid: "deadbeef-0000-8000-8000-000000000000".into(),
            fs_type: "ext4".into(),
            boot_id: testing::BOOT_ID.into(),
            started_at: "2026-06-01T12:00:00Z".into(),
            finished,
        }))
    };
    let unknown = || "Input/output error".to_owned();
    let signs: [(&str, Spoiler<'_>); 9] = [
        ("the master target software has been installed (/var/log/ua_install.log)", &|facts| {
            spoil(&mut facts.site_agent).install_log = true;
        }),
        ("the vendor's changes are on record, but their marker is gone", &|facts| {
            facts.custom_changes.marker_ctime_secs = Fact::Known(None);
        }),
        ("the vendor's changes are on record, but their marker is gone", &|facts| {
            facts.custom_changes.marker_ctime_secs = Fact::Known(None);
            spoil(&mut facts.custom_changes.record).as_mut().unwrap().outcome = Outcome::Accepted;
        }),
        ("whether the vendor's changes were ever applied could not be told", &|facts| {
            facts.custom_changes.record = Fact::Unknown(unknown());
        }),
        ("whether the vendor's changes were ever applied could not be told", &|facts| {
            facts.custom_changes.marker_ctime_secs = Fact::Unknown(unknown());
        }),
        (&format!("a retention volume was made on another disk ({OTHER_ID})"), &|facts| {
            facts.retention_record = record(OTHER_ID, true);
        }),
        ("whether a retention volume was ever made could not be told", &|facts| {
            facts.retention_record = Fact::Unknown(unknown());
        }),
        ("line 13 of /etc/fstab has another volume for /mnt/retention (UUID=gone)", &|facts| {
            let gone = testing::entry(13, "UUID=gone", "/mnt/retention", "ext4", 0);
            spoil(&mut facts.fstab).push(gone);
        }),
        ("whether /etc/fstab has a line for /mnt/retention could not be told", &|facts| {
            facts.fstab = Fact::Unknown(unknown());
        }),
    ];
    for (sign, spoil_facts) in signs {
        let mut facts = facts.clone();
        spoil_facts(&mut facts);
        let why = chosen(&profile, &facts, &Request::default()).expect_err(sign);
        assert_eq!(
            why,
            format!(
                "{sign}, so a blank disk may be a protected machine's: name the disk with --retention-disk. Blank: \
                 sdb ({RETENTION_ID}, 1 TiB)"
            )
        );
        assert_eq!(chosen(&profile, &facts, &naming(RETENTION_ID)), Ok(("sdb", false)), "{sign}");
    }
    // What was begun proves nothing, nor does the record of this very disk, which was wiped or replaced.
    for begun in [record(OTHER_ID, false), record(RETENTION_ID, true)] {
        let facts = Facts { retention_record: begun, ..facts.clone() };
        assert_eq!(chosen(&profile, &facts, &Request::default()), Ok(("sdb", false)));
    }
}

#[test]
fn a_disk_that_is_not_blank_is_taken_only_when_its_erasure_is_asked_for() {
    let (profile, mut facts) = without_volume();
    facts.probes = vec![Probe {
        disk: "sdb".into(),
        blank: Some(false),
        found: vec!["xfs file system".into()],
        why_not: vec!["it is not blank: xfs file system".into()],
        ..Probe::default()
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
fn a_disk_whose_blankness_could_not_be_told_is_not_taken() {
    let (profile, mut facts) = without_volume();
    facts.probes = vec![Probe {
        disk: "sdb".into(),
        blank: None,
        why_not: vec!["whether it is blank could not be told: read error".into()],
        ..Probe::default()
    }];
    refused(&profile, &facts, &Request::default(), &["read error"]);
    facts.probes.clear();
    refused(&profile, &facts, &naming("sdb"), &["was not probed"]);
}

#[test]
fn a_disk_that_was_not_probed_for_its_use_is_in_use() {
    let (profile, mut facts) = without_volume();
    facts.probes.clear();
    disks(&mut facts)[1].holders.push(Holder {
        name: "dm-7".into(),
        major_minor: "253:7".into(),
        dm_name: Some("36000c29p1".into()),
        dm_uuid: Some("part1-mpath-36000c29".into()),
        holders: Vec::new(),
    });
    refused(&profile, &facts, &naming("sdb"), &[" is in use: held by map partition 36000c29p1 (sdb)"]);
}

#[test]
fn a_disk_that_cannot_be_read_is_not_even_erased() {
    let (profile, mut facts) = without_volume();
    facts.probes = vec![Probe {
        disk: "sdb".into(),
        unreadable: true,
        why_not: vec!["read error".into()],
        ..Probe::default()
    }];
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
    disks(&mut facts)[2].scsi_id = Some(OS_DISK_ID.into());
    refused(&profile, &facts, &naming("sdc"), &["of sda too", "scsi.ids-unique"]);
    disks(&mut facts)[2].scsi_id = None;
    disks(&mut facts)[2].scsi_id_error = Some("page 0x83 is not supported".into());
    refused(&profile, &facts, &naming("sdc"), &["has no SCSI ID (page 0x83 is not supported)"]);
}

#[test]
fn a_name_that_no_disk_or_more_than_one_has_is_refused() {
    let (profile, mut facts) = with_second_blank_disk();
    refused(&profile, &facts, &naming("/dev/sda1"), &["no disk is called /dev/sda1"]);
    refused(&profile, &facts, &naming("sdz\x1b[2J"), &["no disk is called sdz\\u{1b}[2J"]);
    refused(&profile, &facts, &naming("sda"), &["is in use: / (sda1)"]);
    disks(&mut facts)[2].scsi_id = Some(RETENTION_ID.into());
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
            refused(&profile, &facts, &[Request::default(), naming("sdb"), erase][request], &[words]);
        };
        say(|facts| facts.mounts = Fact::Unknown("?".into()), "could not be told");
        say(|facts| facts.swaps = Fact::Unknown("?".into()), "could not be told");
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
    let erase = |name: &str| Request { erase_disk: Some(name.into()), ..naming(name) };
    for request in [naming("sdc"), naming("/dev/sdc"), erase("/dev/sdc"), erase(OTHER_ID)] {
        let moved = swapped(&facts);
        let lasting = lasting(&profile, &facts, &request, None).unwrap();
        assert_eq!(lasting.retention_disk.as_deref(), Some(OTHER_ID));
        assert_eq!(lasting.erase_disk.is_some(), request.erase_disk.is_some());
        let erase = request.erase_disk.is_some();
        assert_eq!(chosen(&profile, &moved, &lasting), Ok(("sdb", erase)), "{request:?}");
    }
    // A name that leads nowhere now may lead to anything then; one made of an ID may not.
    assert_eq!(lasting(&profile, &facts, &naming("/dev/sdx"), None), None);
    assert_eq!(
        lasting(&profile, &facts, &Request { erase_disk: Some("sdx".into()), ..naming("sdc") }, None),
        None
    );
    let later = naming("/dev/disk/by-id/scsi-36000c29bbbbbbbbbbbbbbbbbbbbbbbbb");
    assert_eq!(lasting(&profile, &facts, &later, None), Some(later));
    // Where none was named, it is the one that the plan showed.
    let agreed = lasting(&profile, &facts, &Request::default(), Some(OTHER_ID.into())).unwrap();
    assert_eq!(agreed.retention_disk.as_deref(), Some(OTHER_ID));
    assert_eq!(lasting(&profile, &facts, &Request::default(), None), Some(Request::default()));
}

#[test]
fn a_profile_names_no_disk_by_a_name_that_moves() {
    let (mut profile, facts) = with_second_blank_disk();
    for name in ["sdc", "/dev/sdc", "/dev/dm-0"] {
        profile.retention.disk = Some(name.into());
        let now = if name.ends_with("dm-0") { RETENTION_ID } else { OTHER_ID };
        let why = format!(
            "the profile names the disk {name}, which can be another one after each restart: put its SCSI ID (now {now}) there"
        );
        refused(&profile, &facts, &Request::default(), &[&why]);
        assert_eq!(chosen(&profile, &facts, &naming(OTHER_ID)), Ok(("sdc", false)), "the command line wins");
    }
    for name in
        [OTHER_ID.to_owned(), format!("scsi-{OTHER_ID}"), format!("/dev/disk/by-id/wwn-0x{}", &OTHER_ID[1..])]
    {
        profile.retention.disk = Some(name.clone());
        assert_eq!(chosen(&profile, &facts, &Request::default()), Ok(("sdc", false)), "{name}");
    }
}

#[test]
fn our_own_interrupted_work_is_gone_on_with_and_nobody_elses() {
    let (profile, mut facts) = with_second_blank_disk();
    facts.probes[0] =
        Probe { disk: "sdb".into(), blank: Some(false), why_not: vec!["x".into()], ..Probe::default() };
    let record = Record {
        schema: "mt-agent/retention/v1".into(),
        scsi_id: RETENTION_ID.into(),
        uuid: "deadbeef-0000-8000-8000-000000000000".into(),
        fs_type: "ext4".into(),
        boot_id: testing::BOOT_ID.into(),
        started_at: "2026-06-01T12:00:00Z".into(),
        finished: false,
    };
    facts.retention_record = Fact::Known(Some(record.clone()));
    match choose(&profile, &facts, &Request::default()) {
        Chosen::Disk { disk, uuid, .. } => {
            assert_eq!((disk.name.as_str(), uuid), ("sdb", record.uuid.clone()));
        }
        Chosen::Refused(why) => panic!("{why}"),
    }
    facts.probes[0].in_use = vec!["mounted at /data".into()];
    refused(&profile, &facts, &Request::default(), &["is in use"]);
    facts.probes[0].in_use.clear();
    facts.retention_record = Fact::Known(Some(Record { scsi_id: "36000c29other".into(), ..record }));
    refused(&profile, &facts, &naming("sdb"), &["left as it is"]);
}

#[test]
fn a_volume_that_we_made_is_mounted_not_made_again() {
    let (profile, mut facts) = without_volume();
    let uuid = "deadbeef-0000-8000-8000-000000000000";
    facts.retention_record = Fact::Known(Some(Record {
        schema: "mt-agent/retention/v1".into(),
        scsi_id: RETENTION_ID.into(),
        uuid: uuid.into(),
        fs_type: "ext4".into(),
        boot_id: testing::BOOT_ID.into(),
        started_at: "2026-06-01T12:00:00Z".into(),
        finished: true,
    }));
    spoil(&mut facts.filesystems).by_uuid.insert(uuid.into(), "253:0".into());
    facts.probes = vec![Probe { disk: "sdb".into(), blank: Some(false), ..Probe::default() }];
    assert!(told(&profile, &facts, "retention.disk").starts_with("met: sdb"));
    let plan = plan(&profile, &facts, &Selection::default(), TODAY, &Request::default());
    let changes: Vec<_> = plan.changes.iter().map(|planned| &planned.change).collect();
    assert!(
        matches!(changes.as_slice(), [Change::MountRetention { .. }, Change::WriteFstab { .. }]),
        "{changes:?}"
    );
}

#[test]
fn a_volume_on_the_root_disk_or_on_no_disk_is_unmet() {
    let (profile, mut facts) = ready();
    let last = spoil(&mut facts.mounts).len() - 1;
    spoil(&mut facts.mounts)[last] = mount("/mnt/retention", "8:3", "/dev/sda3", 1 << 30);
    let disk = told(&profile, &facts, "retention.disk");
    assert!(disk.starts_with("unmet: /mnt/retention lies on sda, which also carries /"), "{disk}");
    spoil(&mut facts.mounts)[last] = mount("/mnt/retention", "0:40", "tmpfs", 1 << 30);
    let disk = told(&profile, &facts, "retention.disk");
    assert!(disk.starts_with("unmet: /mnt/retention is tmpfs"), "{disk}");
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
    let cases: [(&str, Spoil); 7] = [
        ("unmet: line 13: /dev/sdb can belong to another disk", |e| e.device = "/dev/sdb".into()),
        ("unmet: line 13: UUID=11111111-aaaa-4000-8000-000000000003 is not what is mounted", |e| {
            e.device = "UUID=11111111-aaaa-4000-8000-000000000003".into();
        }),
        ("unmet: line 13: UUID=gone leads to no device", |e| e.device = "UUID=gone".into()),
        ("unmet: line 13: noauto", |e| e.options = vec!["noauto".into()]),
        ("unmet: line 13: _netdev", |e| e.options = vec!["_netdev".into()]),
        ("unmet: line 13: fsck pass 2 without nofail", |e| e.pass = 2),
        ("unmet: line 13: type xfs, but ext4 is mounted", |e| e.fs_type = "xfs".into()),
    ];
    for (expected, spoil_entry) in cases {
        let told = spoilt(spoil_entry);
        assert!(told.starts_with(expected), "{expected:?} is not the begin of: {told}");
    }
    assert!(spoilt(|e| (e.pass, e.options) = (2, vec!["nofail".into()])).starts_with("met"));
    let (profile, mut facts) = ready();
    spoil(&mut facts.fstab).pop();
    assert!(told(&profile, &facts, "retention.persistent").starts_with("unmet: /etc/fstab has no line for"));
}

#[test]
fn a_friendly_multipath_name_can_move() {
    let (profile, mut facts) = ready();
    let map = disks(&mut facts)[1].multipath.as_mut().unwrap();
    map.dm_name = "mpatha".into();
    spoil(&mut facts.filesystems).by_mapper.insert("mpatha".into(), "253:0".into());
    spoil(&mut facts.fstab).last_mut().unwrap().device = "/dev/mapper/mpatha".into();
    let told = told(&profile, &facts, "retention.persistent");
    assert!(told.starts_with("unmet: line 13: /dev/mapper/mpatha can belong to another disk"), "{told}");
    assert!(told.contains("UUID=11111111-aaaa-4000-8000-000000000005"), "{told}");
    for partition in ["mpatha1", "mpathap1", "mpatha-part1"] {
        let device = format!("/dev/mapper/{partition}");
        spoil(&mut facts.fstab).last_mut().unwrap().device.clone_from(&device);
        let told = testing::told(&profile, &facts, "retention.persistent");
        assert!(told.starts_with(&format!("unmet: line 13: {device} can belong to another")), "{told}");
    }
}

#[test]
fn a_name_that_can_move_is_never_written_to_fstab() {
    let planned = |spoil_facts: Spoiler<'_>| {
        let (profile, mut facts) = ready();
        spoil(&mut facts.fstab).pop();
        spoil_facts(&mut facts);
        let said = told(&profile, &facts, "retention.persistent");
        (plan(&profile, &facts, &Selection::default(), TODAY, &Request::default()), said)
    };
    let plain = |facts: &mut Facts| {
        (disks(facts)[1].multipath, disks(facts)[1].holders) = (None, Vec::new());
        *spoil(&mut facts.mounts).last_mut().unwrap() = mount("/mnt/retention", "8:16", "/dev/sdb", 1 << 40);
    };
    let friendly = |facts: &mut Facts| {
        disks(facts)[1].multipath.as_mut().unwrap().dm_name = "mpathb".into();
        spoil(&mut facts.mounts).last_mut().unwrap().source = "/dev/mapper/mpathb".into();
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
        let (plan, said) = planned(spoil_facts);
        assert_eq!(plan.changes, [], "{name}");
        let fix = &plan.manual.iter().find(|manual| manual.id == "retention.persistent").unwrap().fix;
        assert_eq!(
            *fix,
            format!(
                "{name} can be another disk's name after the next restart, and no UUID of what is mounted at \
                 /mnt/retention is known: blkid tells it; put by hand into /etc/fstab: UUID=... /mnt/retention ext4 \
                 rw,nofail 0 0"
            )
        );
        assert!(said.ends_with(&format!("such as UUID=... | {fix}")), "{said}");
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
    assert!(told(&profile, &facts, "retention.capacity").starts_with("unmet: 500 GiB | 1 TiB or more"));
    disks(&mut facts)[1].size_bytes = 0;
    assert_eq!(testing::judged(&profile, &facts, "retention.capacity").severity, Severity::Required);

    let (profile, mut facts) = ready();
    spoil(&mut facts.mounts).last_mut().unwrap().super_options = vec!["ro".into()];
    assert!(told(&profile, &facts, "retention.unlocked").starts_with("unmet: mounted read-only"));
    disks(&mut facts)[1].read_only = true;
    assert!(told(&profile, &facts, "retention.unlocked").starts_with("unmet: the device sdb is read-only"));
    spoil(&mut facts.mounts).last_mut().unwrap().fs_type = "vfat".into();
    assert!(told(&profile, &facts, "retention.filesystem").starts_with("unmet: vfat"));

    let (profile, mut facts) = ready();
    let mut bind = spoil(&mut facts.mounts).last().unwrap().clone();
    (bind.mount_point, bind.root) = ("/srv".into(), "/data".into());
    spoil(&mut facts.mounts).push(bind);
    disks(&mut facts)[1].partitions.push(crate::facts::disks::Partition {
        name: "sdb1".into(),
        holders: vec![Holder {
            name: "dm-7".into(),
            major_minor: "253:7".into(),
            dm_name: Some("vg-data".into()),
            dm_uuid: Some("LVM-xyz".into()),
            holders: Vec::new(),
        }],
        ..Default::default()
    });
    let told = told(&profile, &facts, "retention.dedicated");
    assert!(told.starts_with("unmet: sdb is also: held by vg-data, mounted at /srv"), "{told}");
}

#[test]
fn the_installation_may_not_lie_on_the_volume() {
    let (profile, mut facts) = ready();
    let installed = |directory: &str| {
        Fact::Known(SiteAgent { installation_dir: Some(directory.into()), ..SiteAgent::default() })
    };
    facts.site_agent = installed("/mnt/retention/ASR");
    assert!(
        told(&profile, &facts, "retention.not-cache").starts_with("unmet: the master target is installed in")
    );
    facts.site_agent = installed("/mnt/retention2/ASR");
    assert_eq!(told(&profile, &facts, "retention.not-cache"), "met: installed in /mnt/retention2/ASR, on /");
}
