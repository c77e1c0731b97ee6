//! The root disk in multipath's blacklist.

use super::*;

#[test]
fn the_blacklist_names_this_root_disk_and_not_that_of_a_template() {
    let mut host = Judged::ready("custom-changes.root-disk");
    host.is(format!("met: {OS_DISK_ID} (sda)"));
    host.custom_changes.blacklistrootdev_id = Fact::Known(Some(RETENTION_ID.into()));
    host.starts("unmet: /usr/sbin/blacklistrootdev.sh");
    configuration(&mut host).blacklist_wwids = vec![format!("^{RETENTION_ID}$"), "(".into()];
    host.starts(format!("unmet: blacklisted: ^{RETENTION_ID}$, ("));
    assert_eq!(
        host.remedy(),
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
    let host = Judged::ready("custom-changes.root-disk");
    let judged = |change: &dyn Fn(&mut Configuration)| {
        let mut host = host.clone();
        change(configuration(&mut host));
        (host.outcome(), host.remedy())
    };
    let (outcome, remedy) = judged(&|c| c.exception_wwids.push(OS_DISK_ID.into()));
    outcome.has("takes the root disk out of the blacklist again").ends(CORRECT_BY_HAND);
    assert_eq!(remedy, Remedy::Refused(CORRECT_BY_HAND.to_owned()));
    let (outcome, _) = judged(&|c| c.problems.push("line 3: a quotation mark is not closed".into()));
    outcome.is("unknown: /etc/multipath.conf is not understood: line 3: a quotation mark is not closed");
    for narrow in [format!("^{OS_DISK_ID}$"), format!("^{OS_DISK_ID}"), "^cciss".into()] {
        assert!(judged(&|c| c.blacklist_wwids.push(narrow.clone())).0.starts_with("met: "), "{narrow}");
    }
}

fn configuration(facts: &mut Facts) -> &mut Configuration {
    edit(&mut facts.multipath.configuration).as_mut().unwrap()
}

/// Gives the disk a map, as the kernel would show it.
fn under_a_map(facts: &mut Facts, name: &str) {
    let disk = disks(facts).iter_mut().find(|disk| disk.name == name).unwrap();
    let wwid = disk.id().cloned().unwrap();
    let paths = vec![name.to_owned()];
    disk.multipath =
        Some(Map { name: "dm-7".into(), dm_name: "mpathz".into(), major_minor: "253:7".into(), wwid, paths });
}

#[test]
fn a_map_that_holds_a_disk_of_this_host_now_counts_whatever_the_file_says_since() {
    let mut host = Judged::ready("custom-changes.root-disk");
    under_a_map(&mut host, "sda");
    host.starts("restart-owed: multipath holds sda, with /, /home, /var/crash, swap, as mpathz still");
    let restart = Remedy::Restart { first: Vec::new() };
    assert_eq!(host.remedy(), restart);
    assert_eq!(verdict(&judge_all(&host.profile, &host, TODAY, &Selection::default())), Verdict::RestartOwed);
    // The file first, where it is wrong as well.
    configuration(&mut host).blacklist_wwids.clear();
    host.starts("unmet: no wwid is blacklisted");
    assert!(matches!(host.remedy(), Remedy::With { .. }));

    // Swap on a disk of its own that the blacklist does not name.
    let mut host = Judged::ready("custom-changes.root-disk");
    let swap = "36000c29cccccccccccccccccccccccccc";
    disks(&mut host).push(virtual_disk(2, swap, 1 << 30));
    edit(&mut host.swaps)[0].major_minor = Some("8:32".into());
    under_a_map(&mut host, "sdc");
    // Of a disk that is not this host's nothing gets into the blacklist.
    host.is("blocked: layout.own-disks");
    let own = [OS_DISK_ID.into(), swap.into()];
    edit(&mut host.identity.recorded).as_mut().unwrap().own(&own);
    let Remedy::Refused(fix) = host.remedy() else { panic!("a person's") };
    assert!(fix.contains(&format!("wwid \"^{swap}$\"")), "{fix}");
    host.starts("unmet: multipath holds sdc, with swap, as mpathz | ").ends(fix);
    // The retention volume may be mounted anywhere, and twice.
    let mut host = Judged::ready("custom-changes.root-disk");
    let twin = Mount { mount_point: "/srv/also".into(), ..mount_of(&mut host, "/mnt/retention").clone() };
    mounts(&mut host).push(twin);
    host.starts("met: ");
    host.profile.retention.mount_point = "/srv/retention".parse().unwrap();
    mount_of(&mut host, "/mnt/retention").mount_point = "/srv/retention".into();
    host.starts("met: ");
    host.multipath.maps = Fact::Unknown("no /sys".into());
    host.starts("unknown: ");
}
