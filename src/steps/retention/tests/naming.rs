//! Who names the disk, and by what.

use super::*;
use crate::steps::retention::disagreement;
use crate::steps::retention::name::check_names;

fn told_by_guest(facts: &mut Facts, name: &str) {
    facts.guest_retention_disk = Fact::Known(Some(name.to_owned()));
}

#[test]
fn the_vm_s_configuration_names_a_disk_as_the_profile_does() {
    let (mut profile, mut facts) = with_second_blank_disk();
    told_by_guest(&mut facts, OTHER_ID);
    assert_eq!(chosen(&profile, &facts, &Request::default()), Ok(("sdc", false)), "unattended too");
    assert_eq!(disagreement(&profile, &facts, &Request::default()), None);
    // It is recorded for after the restart, as the profile's is.
    let after = lasting(&profile, &facts, &Request::default()).unwrap();
    assert_eq!(after.retention_disk.as_deref(), Some(OTHER_ID));

    profile.retention.disk = Some(RETENTION_ID.parse().unwrap());
    assert_eq!(chosen(&profile, &facts, &Request::default()), Ok(("sdb", false)), "the profile counts first");
    let message = format!(
        "guestinfo.mt-agent.retention-disk names {OTHER_ID}, but the profile names {RETENTION_ID}, which counts"
    );
    assert_eq!(disagreement(&profile, &facts, &Request::default()), Some(message.clone()));
    let planned = plan(&profile, &facts, &Selection::default(), TODAY, &Request::default());
    assert_eq!(planned.notes, [message]);
    let message = disagreement(&profile, &facts, &naming("sdc")).unwrap();
    assert_eq!(
        message,
        format!("the profile names {RETENTION_ID}, but --retention-disk names sdc, which counts")
    );
    assert_eq!(chosen(&profile, &facts, &naming("sdc")), Ok(("sdc", false)), "and the person first of all");
    told_by_guest(&mut facts, &format!("scsi-{RETENTION_ID}"));
    assert_eq!(disagreement(&profile, &facts, &Request::default()), None, "two names of one disk");
}

#[test]
fn what_the_vm_s_configuration_names_by_another_name_is_refused() {
    let (profile, mut facts) = with_second_blank_disk();
    told_by_guest(&mut facts, "/dev/sdc");
    let why = format!(
        "guestinfo.mt-agent.retention-disk names the disk /dev/sdc, which can be another one after each restart: put its \
         SCSI ID (now {OTHER_ID}) there"
    );
    for request in [Request::default(), at_terminal()] {
        refused(&profile, &facts, &request, &[&why]);
    }
    told_by_guest(&mut facts, "36000c29bbbbbbbbbbbbbbbbbbbbbbbbb\x1b");
    refused(&profile, &facts, &Request::default(), &["36000c29bbbbbbbbbbbbbbbbbbbbbbbbb\\u{1b}"]);
    // What could not be read names none, and is no disk that a person agreed to.
    facts.guest_retention_disk = Fact::Unknown("it did not answer".into());
    refused(&profile, &facts, &Request::default(), &["2 blank disks"]);
}

#[test]
fn the_name_of_a_place_names_no_disk() {
    let (mut profile, facts) = with_second_blank_disk();
    let bare = "pci-0000:03:00.0-scsi-0:0:1:0";
    refused(&profile, &facts, &naming(bare), &[&format!("{bare} is the name of a place")]);
    let place = "/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:1:0";
    let why = format!("{place} is the name of a place, whatever disk is in it: give the SCSI ID of the disk");
    refused(&profile, &facts, &naming(place), &[&why]);
    begins(
        &format!("{:#}", check_names(&facts, &naming(place)).unwrap_err()),
        &format!("--retention-disk: {why}"),
    );
    let erase = Request { erase_disk: Some(place.parse().unwrap()), ..naming("sdb") };
    refused(&profile, &facts, &erase, &[&why]);
    profile.retention.disk = Some(place.parse().unwrap());
    refused(&profile, &facts, &at_terminal(), &["can be another one after each restart"]);
}
