//! Whose the disk is in the place of the retention volume.

use super::*;

#[test]
fn a_foreign_file_system_in_the_place_of_our_volume_is_not_taken_for_it() {
    let point = "/mnt/retention";
    let (mut profile, facts) = host(On::Nothing, |facts| {
        mounts(facts).retain(|mount| mount.mount_point != point);
        mounted(facts, point, "8:33", "/dev/sdc1");
        carries(facts, "dm-0", ("ext4", &uuid_of(RETENTION_ID).to_string(), "mt-retention"));
    });
    let finding = told(&profile, &facts, "retention.disk");
    assert!(
        finding.starts_with(&format!("unmet: sdc ({FOREIGN}")) && finding.contains(RETENTION_ID),
        "{finding}"
    );
    assert!(finding.contains(&format!("mt-agent apply --adopt-retention {RETENTION_ID}")), "{finding}");
    // A person has named the disk.
    profile.retention.disk = Some(FOREIGN.parse().unwrap());
    assert!(told(&profile, &facts, "retention.disk").starts_with("met: "));
}

#[test]
fn the_retention_volume_is_this_host_s_by_its_own_record_or_place() {
    for on in [On::Older, On::Record] {
        finding_begins(on, "met: sda, sdb", |facts| {
            mount_of(facts, "/mnt/retention").mount_point = "/mnt/old".into();
        });
        let uuid = "7a5e4c31-9b02-4d68-a7f3-c8160e2d9b4f";
        let finding = finding_of(on, |facts| carries(facts, "sdc1", ("ext", uuid, "mt-retention")));
        let devices = format!("dm-0 ({RETENTION_ID}) and sdc1 ({FOREIGN})");
        begins(&finding, &format!("unmet: the retention volume, UUID={uuid}, can be {devices}"));
    }
}

#[test]
fn what_lies_in_the_place_of_the_retention_volume_is_this_host_s_by_evidence_alone() {
    let foreign = |facts: &mut Facts| {
        let point = mount_of(facts, "/mnt/retention");
        (point.major_minor, point.source) = ("8:33".into(), "/dev/sdc1".into());
    };
    let nothing = |facts: &mut Facts| {
        facts.retention_record = Fact::Known(None);
        // It would be told as one that leads to another disk.
        fstab(facts).retain(|entry| entry.mount_point != "/mnt/retention");
    };
    // The record names another disk.
    for on in [On::Older, On::Record] {
        finding_begins(on, &format!("unmet: sdc ({FOREIGN}), "), foreign);
    }
    // No record: a host that was built by hand, before the first apply.
    let (profile, facts) = host(On::Nothing, |facts| {
        nothing(facts);
        foreign(facts);
    });
    assert_eq!(told(&profile, &facts, ID), "met: sda, sdc (not on record yet)");
    assert_eq!(first(&profile, &facts), Some(vec![OS_DISK_ID.into(), FOREIGN.into()]), "is remembered");
    for on in [On::Older, On::Record] {
        let finding = finding_of(on, |facts| {
            nothing(facts);
            foreign(facts);
        });
        let fix = format!(
            "`umount /mnt/retention`, and leave sdc to failback or detach it. If it carries this host's retention volume: mt-agent \
             apply --adopt-retention {FOREIGN} where mt-agent made it, else mt-agent apply --own-disk {FOREIGN}"
        );
        assert!(
            finding.starts_with(&format!("unmet: sdc ({FOREIGN})")) && finding.ends_with(&fix),
            "{on:?}: {finding}"
        );
        finding_begins(on, "met: sda, sdc", |facts| {
            nothing(facts);
            foreign(facts);
            carries(facts, "sdc1", ("ext", &uuid_of(FOREIGN).to_string(), "mt-retention"));
        });
        let finding = finding_of(on, |facts| {
            facts.retention_record = Fact::Unknown("torn".into());
            foreign(facts);
        });
        assert!(finding.starts_with("unknown: ") && finding.contains("torn"), "{on:?}: {finding}");
    }
    // Made by hand and put on record by a person, or by the first apply.
    let finding = finding_of(On::Record, |facts| {
        nothing(facts);
        foreign(facts);
        edit(&mut facts.identity.recorded).as_mut().unwrap().own(&[FOREIGN.into()]);
    });
    assert_eq!(finding, "met: sda, sdc");
}
