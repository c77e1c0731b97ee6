//! The root disk in multipath's blacklist.

use super::*;

#[test]
fn the_blacklist_names_this_root_disk_and_not_that_of_a_template() {
    let (profile, mut facts) = ready();
    assert_eq!(told(&profile, &facts, "custom-changes.root-disk"), format!("met: {OS_DISK_ID} (sda)"));
    facts.custom_changes.blacklistrootdev_id = Fact::Known(Some(RETENTION_ID.into()));
    assert!(
        told(&profile, &facts, "custom-changes.root-disk")
            .starts_with("unmet: /usr/sbin/blacklistrootdev.sh")
    );
    let Fact::Known(Some(configuration)) = &mut facts.multipath.configuration else { panic!("it has one") };
    configuration.blacklist_wwids = vec![format!("^{RETENTION_ID}$"), "(".into()];
    let told = told(&profile, &facts, "custom-changes.root-disk");
    assert!(told.starts_with(&format!("unmet: blacklisted: ^{RETENTION_ID}$, (")), "{told}");
    assert_eq!(
        remedy("custom-changes.root-disk", &profile, &facts, &Request::default()),
        Remedy::With {
            changes: vec![Change::BlacklistRootDisk {
                scsi_id: OS_DISK_ID.into(),
                replaces: Some(RETENTION_ID.into())
            }],
            needs: &["scsi.ids-unique"],
        }
    );
}

#[test]
fn a_blacklist_that_is_lifted_or_not_understood_is_for_a_person_to_correct() {
    let (profile, ready) = ready();
    let judged = |change: &dyn Fn(&mut Configuration)| {
        let mut facts = ready.clone();
        let Fact::Known(Some(configuration)) = &mut facts.multipath.configuration else {
            panic!("it has one")
        };
        change(configuration);
        let request = Request::default();
        (
            told(&profile, &facts, "custom-changes.root-disk"),
            remedy("custom-changes.root-disk", &profile, &facts, &request),
        )
    };
    let (said, remedy) = judged(&|c| c.exception_wwids.push(OS_DISK_ID.into()));
    assert!(said.contains("takes the root disk out of the blacklist again"), "{said}");
    assert!(said.ends_with(CORRECT_BY_HAND), "{said}");
    assert_eq!(remedy, Remedy::Refused(CORRECT_BY_HAND.to_owned()));
    let (said, _) = judged(&|c| c.problems.push("line 3: a quotation mark is not closed".into()));
    assert_eq!(
        said,
        "unknown: /etc/multipath.conf is not understood: line 3: a quotation mark is not closed"
    );
    for narrow in [format!("^{OS_DISK_ID}$"), format!("^{OS_DISK_ID}"), "^cciss".into()] {
        assert!(judged(&|c| c.blacklist_wwids.push(narrow.clone())).0.starts_with("met: "), "{narrow}");
    }
}

/// Gives the disk a map, as the kernel would show it.
fn under_a_map(facts: &mut Facts, name: &str) {
    let Fact::Known(disks) = &mut facts.disks else { panic!("known") };
    let disk = disks.iter_mut().find(|disk| disk.name == name).unwrap();
    let wwid = disk.id().cloned().unwrap();
    let paths = vec![name.to_owned()];
    disk.multipath =
        Some(Map { name: "dm-7".into(), dm_name: "mpathz".into(), major_minor: "253:7".into(), wwid, paths });
}

#[test]
fn a_map_that_holds_a_disk_of_this_host_now_counts_whatever_the_file_says_since() {
    let id = "custom-changes.root-disk";
    let (profile, mut facts) = ready();
    under_a_map(&mut facts, "sda");
    let said = told(&profile, &facts, id);
    assert!(
        said.starts_with(
            "restart-owed: multipath holds sda, with /, /home, /var/crash, swap, as mpathz still"
        ),
        "{said}"
    );
    let restart = Remedy::Restart { first: Vec::new() };
    assert_eq!(remedy(id, &profile, &facts, &Request::default()), restart);
    assert_eq!(verdict(&judge_all(&profile, &facts, TODAY, &Selection::default())), Verdict::RestartOwed);
    // The file first, where it is wrong as well.
    let Fact::Known(Some(configuration)) = &mut facts.multipath.configuration else { panic!("it has one") };
    configuration.blacklist_wwids.clear();
    assert!(told(&profile, &facts, id).starts_with("unmet: no wwid is blacklisted"));
    assert!(matches!(remedy(id, &profile, &facts, &Request::default()), Remedy::With { .. }));

    // Swap on a disk of its own that the blacklist does not name.
    let (profile, mut facts) = ready();
    let swap = "36000c29cccccccccccccccccccccccccc";
    disks(&mut facts).push(virtual_disk(2, swap, 1 << 30));
    edit(&mut facts.swaps)[0].major_minor = Some("8:32".into());
    under_a_map(&mut facts, "sdc");
    // Of a disk that is not this host's nothing gets into the blacklist.
    assert_eq!(told(&profile, &facts, id), "blocked: layout.own-disks");
    let own = [OS_DISK_ID.into(), swap.into()];
    edit(&mut facts.identity.recorded).as_mut().unwrap().own(&own);
    let said = told(&profile, &facts, id);
    assert!(said.starts_with("unmet: multipath holds sdc, with swap, as mpathz | "), "{said}");
    let Remedy::Refused(fix) = remedy(id, &profile, &facts, &Request::default()) else {
        panic!("a person's")
    };
    assert!(fix.contains(&format!("wwid \"^{swap}$\"")) && said.ends_with(&fix), "{fix}");
    // The retention volume may be mounted anywhere, and twice.
    let (mut profile, mut facts) = ready();
    let mounts = edit(&mut facts.mounts);
    let mut twin = mounts.iter().find(|mount| mount.mount_point == "/mnt/retention").unwrap().clone();
    twin.mount_point = "/srv/also".into();
    mounts.push(twin);
    assert!(told(&profile, &facts, id).starts_with("met: "));
    profile.retention.mount_point = "/srv/retention".parse().unwrap();
    let mounts = edit(&mut facts.mounts);
    mounts.iter_mut().find(|mount| mount.mount_point == "/mnt/retention").unwrap().mount_point =
        "/srv/retention".into();
    assert!(told(&profile, &facts, id).starts_with("met: "));
    facts.multipath.maps = Fact::Unknown("no /sys".into());
    assert!(told(&profile, &facts, id).starts_with("unknown: "));
}
