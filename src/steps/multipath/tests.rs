use super::names::KEY;
use crate::changes::Change;
use crate::facts::Fact;
use crate::facts::Facts;
use crate::facts::disks::Map;
use crate::facts::multipath::COMPILED;
use crate::facts::multipath::Dialect;
use crate::facts::multipath::parse::parse;
use crate::host::DeviceNumber;
use crate::profile::Profile;
use crate::run::plan;
use crate::steps::remedy::{Remedy, Request};
use crate::steps::testing::remedy;
use crate::steps::testing::{
    OS_DISK_ID, RETENTION_ID, TODAY, disks, edit, judged, mount, ready, told, virtual_disk,
};
use crate::steps::{Selection, Severity, Verdict, judge_all, verdict};
use crate::testing::{begins, ends};

const OTHER_ID: &str = "36000c29dddddddddddddddddddddddddd";

/// What the vendor's script leaves, with more in `defaults`, in the blacklist, and behind it.
fn file(defaults: &str, blacklist: &str, more: &str) -> String {
    format!(
        "defaults {{\n{defaults}\n}}\nblacklist {{\n devnode \"^cciss!c[0-9]d[0-9]*\"\n wwid \"{OS_DISK_ID}\"\n\
         {blacklist}\n}}\n{more}\n"
    )
}

/// The ready host with that file, read by that version.
fn host(text: &str, dialect: Dialect) -> (Profile, Facts) {
    let (profile, mut facts) = ready();
    facts.multipath.configuration = Fact::Known(Some(parse(text.as_bytes(), dialect).configuration));
    facts.os.systemd = Fact::Known(dialect == Dialect::Later);
    (profile, facts)
}

fn finding_of(id: &str, text: &str, dialect: Dialect) -> String {
    let (profile, facts) = host(text, dialect);
    told(&profile, &facts, id)
}

fn mended(id: &str, profile: &Profile, facts: &Facts) -> Vec<Change> {
    match remedy(id, profile, facts, &Request::default()) {
        Remedy::With { changes, .. } => changes,
        _ => Vec::new(),
    }
}

fn configure(off: &[&str], unhide: &[&str]) -> Vec<Change> {
    let all = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    vec![Change::ConfigureMultipath { off: all(off), unhide: all(unhide) }]
}

const OFF: &str = " user_friendly_names no\n find_multipaths no";

#[test]
fn names_are_judged_by_the_section_that_counts() {
    let names = |defaults: &str, more: &str, dialect| {
        finding_of("multipath.names", &file(defaults, "", more), dialect)
    };
    let of_defaults = |text: &str| names(text, "", Dialect::El6);
    assert!(of_defaults(OFF).starts_with("met: "));
    assert!(of_defaults("").starts_with("met: "), "off without a word");
    assert!(of_defaults(" user_friendly_names 0").starts_with("met: "));
    for on in ["yes", "\"yes\"", "1"] {
        let finding = of_defaults(&format!(" user_friendly_names no\n user_friendly_names {on}"));
        begins(&finding, "unmet: user_friendly_names ");
        assert!(finding.contains("mt-agent apply sets"), "{finding}");
    }
    assert!(
        of_defaults(" user_friendly_names yes\n user_friendly_names no").starts_with("met: "),
        "the last one"
    );
    assert!(of_defaults(" user_friendly_names maybe").starts_with("unknown: "));
    let device = |vendor: &str| {
        format!("devices {{\n device {{\n vendor \"{vendor}\"\n user_friendly_names yes\n }}\n}}")
    };
    assert!(names(OFF, &device("VMware"), Dialect::El6).contains("in the section `device`"));
    assert!(names(OFF, &device("NETAPP"), Dialect::El6).starts_with("met: "), "another maker's");
    let overrides = "overrides {\n user_friendly_names no\n}";
    assert!(names(" user_friendly_names yes", overrides, Dialect::Later).starts_with("met: "));
    let one = "multipaths {\n multipath {\n wwid x\n user_friendly_names yes\n }\n}";
    assert!(
        names(OFF, &format!("{overrides}\n{one}"), Dialect::Later).contains("in the section `multipath`")
    );
}

#[test]
fn a_map_with_an_earlier_name_owes_a_restart_and_an_alias_is_none() {
    let (profile, mut facts) = host(&file(OFF, "", ""), Dialect::El6);
    edit(&mut facts.multipath.maps)[0].dm_name = "mpatha".into();
    let finding = told(&profile, &facts, "multipath.names");
    assert_eq!(
        finding,
        format!(
            "restart-owed: the map of {RETENTION_ID} is called mpatha, and {RETENTION_ID} from the next boot on"
        )
    );
    let restart = Remedy::Restart { first: Vec::new() };
    assert_eq!(remedy("multipath.names", &profile, &facts, &Request::default()), restart);
    assert_eq!(verdict(&judge_all(&profile, &facts, TODAY, &Selection::default())), Verdict::RestartOwed);
    let alias = format!("multipaths {{\n multipath {{\n wwid {RETENTION_ID}\n alias mpatha\n }}\n}}");
    let (profile, mut facts) = host(&file(OFF, "", &alias), Dialect::El6);
    edit(&mut facts.multipath.maps)[0].dm_name = "mpatha".into();
    assert!(told(&profile, &facts, "multipath.names").starts_with("met: "));
    facts.multipath.maps = Fact::Unknown("no /sys".into());
    assert!(told(&profile, &facts, "multipath.names").starts_with("unknown: "));
}

#[test]
fn single_paths_are_taken_by_the_dialect_of_the_version() {
    let finds = |value: &str, dialect| {
        let line = if value.is_empty() { String::new() } else { format!(" find_multipaths {value}") };
        finding_of("multipath.finds", &file(&line, "", ""), dialect)
    };
    for (value, old, later) in [
        ("no", "met", "met"),
        ("0", "met", "met"),
        ("\"no\"", "met", "met"),
        ("", "met", "unmet"),
        ("yes", "unmet", "unmet"),
        ("1", "unmet", "unmet"),
        ("off", "unknown", "met"),
        ("greedy", "unknown", "met"),
        ("on", "unknown", "unmet"),
        ("strict", "unknown", "unmet"),
        ("smart", "unknown", "unmet"),
        ("never", "unknown", "unknown"),
    ] {
        for (dialect, expected) in [(Dialect::El6, old), (Dialect::Later, later)] {
            let finding = finds(value, dialect);
            assert!(finding.starts_with(&format!("{expected}: ")), "{value} {dialect:?}: {finding}");
        }
    }
    // Facts of a version that did not look for systemd.
    let (profile, mut facts) = host(&file("", "", ""), Dialect::El6);
    facts.os.systemd = Fact::Unknown("not read".into());
    assert!(told(&profile, &facts, "multipath.finds").starts_with("unknown: whether systemd"));
}

#[test]
fn what_hides_a_disk_that_is_attached_later_is_told() {
    let finds = |entry: &str, dialect| finding_of("multipath.finds", &file(OFF, entry, ""), dialect);
    for entry in [
        "devnode \"^sd[a-z]\"",
        "devnode \u{201c}^sd[b-z]\u{201d}",
        "devnode \"^sda\"",
        "devnode \"^sd[c-z]$\"",
        "devnode \"^sd[a-z][a-z]$\"",
        "devnode *",
        "devnode \"#sdz\"",
        "device {\n vendor VMware\n}",
        "device {\n product \"Virtual.*\"\n}",
        "wwid \".*\"",
        "wwid 36000c29",
        "wwid \"^36000c29[0-4]\"",
        "wwid \"7$\"",
        &format!("wwid {}", &OS_DISK_ID[3..]),
        &format!("wwid {}", &OS_DISK_ID[..30]),
    ] {
        let finding = finds(entry, Dialect::El6);
        assert!(
            finding.starts_with("unmet: ") && finding.contains("of the blacklist hides "),
            "{entry}: {finding}"
        );
    }
    for entry in [
        "devnode \"^(ram|raw|loop|fd|md|dm-|sr|scd|st)[0-9]*\"",
        "devnode \"^hd[a-z]\"",
        "devnode \"^sda$\"",
        "device {\n vendor InMage\n product \".*\"\n}",
        "wwid \"^35000\"",
    ] {
        let finding = finds(entry, Dialect::El6);
        assert!(finding.starts_with("met: "), "{entry}: {finding}");
    }
    assert!(finds("devnode \"!^(sd[a-z]|dasd[a-z]|nvme[0-9])\"", Dialect::Later).starts_with("met: "));
    assert!(finds("devnode \"!^nvme\"", Dialect::Later).starts_with("unmet: "));
    // The practice machine's disks show it (tests/lab/guest/multipathconf.py).
    assert!(finds("protocol \"scsi:unspec\"", Dialect::Later).starts_with("unmet: "));
    assert!(finds("protocol \"scsi:\"", Dialect::Later).starts_with("unmet: "));
    assert!(finds("protocol \"scsi:(fcp|iscsi|sas|spi)\"", Dialect::Later).starts_with("met: "));
    assert_eq!(finds("property \"^ID_\"", Dialect::Later), "blocked: custom-changes.root-disk");
    let lifted = file(OFF, "devnode \"^sd\"", "blacklist_exceptions {\n devnode \"^sd\"\n}");
    assert!(finding_of("multipath.finds", &lifted, Dialect::El6).starts_with("met: "));
    for dialect in [Dialect::El6, Dialect::Later] {
        let by_product = |vendor: &str| {
            let device = format!(
                "devices {{\n device {{\n vendor {vendor}\n product x\n product_blacklist \"Virtual disk\"\n }}\n}}"
            );
            finding_of("multipath.finds", &file(OFF, "", &device), dialect)
        };
        let hides =
            "unmet: `device { vendor VMware product_blacklist Virtual disk }` of the blacklist hides ";
        assert!(by_product("VMware").starts_with(hides), "{}", by_product("VMware"));
        assert!(by_product("InMage").starts_with("met: "));
    }
    // One that is attached now.
    let finding = finds(&format!("wwid \"^{RETENTION_ID}$\""), Dialect::El6);
    assert!(finding.contains(&format!("hides sdb ({RETENTION_ID})")), "{finding}");
}

#[test]
fn ids_that_come_from_elsewhere_are_none_that_failback_knows() {
    let finds = |more: &str, dialect| {
        finding_of("multipath.finds", &file(&format!("{OFF}\n{more}"), "", ""), dialect)
    };
    assert!(
        finds("getuid_callout \"/bin/false\"", Dialect::El6)
            .starts_with("unmet: `getuid_callout /bin/false`")
    );
    let usual = "getuid_callout \"/lib/udev/scsi_id --whitelisted --device=/dev/%n\"";
    assert!(finds(usual, Dialect::El6).starts_with("met: "));
    assert!(
        finds("getuid_callout \"/lib/udev/scsi_id -p 0x80 -g -d /dev/%n\"", Dialect::El6)
            .starts_with("unmet: ")
    );
    assert!(finds("uid_attribute ID_SERIAL", Dialect::Later).starts_with("met: "));
    assert!(finds("uid_attribute DM_UUID", Dialect::Later).starts_with("unmet: "));
    assert!(
        finds("uid_attribute DM_UUID", Dialect::El6).starts_with("met: "),
        "a word that it does not know"
    );
    let of = |vendor: &str| {
        let devices = format!("devices {{\n device {{\n vendor {vendor}\n getuid_callout /bin/true\n }}\n}}");
        finding_of("multipath.finds", &file(OFF, "", &devices), Dialect::El6)
    };
    assert!(of("VMware").starts_with("unmet: ") && of("NETAPP").starts_with("met: "));
    let (profile, facts) = host(&file(&format!("{OFF}\ngetuid_callout x"), "", ""), Dialect::El6);
    assert_eq!(mended("multipath.finds", &profile, &facts), [], "a person's");
}

#[test]
fn the_file_is_mended_where_its_meaning_is_plain() {
    let mend = |id, text: &str, dialect| {
        let (profile, facts) = host(text, dialect);
        mended(id, &profile, &facts)
    };
    let on = file(" user_friendly_names yes\n find_multipaths yes", "", "");
    assert_eq!(mend("multipath.names", &on, Dialect::El6), configure(&[KEY], &[]));
    assert_eq!(mend("multipath.finds", &on, Dialect::El6), configure(&["find_multipaths"], &[]));
    assert_eq!(
        mend("multipath.finds", &file("", "", ""), Dialect::Later),
        configure(&["find_multipaths"], &[])
    );
    let hidden = file(OFF, "devnode \"^sd[b-z]\"\ndevnode \"^sda[a-z]\"", "");
    assert_eq!(mend("multipath.finds", &hidden, Dialect::El6), configure(&[], &["^sd[b-z]", "^sda[a-z]"]));
    for by_hand in ["wwid 36000c29", "device {\n vendor VMware\n}", "devnode \"^sd[b-z]\"\nwwid \".*\""] {
        assert_eq!(mend("multipath.finds", &file(OFF, by_hand, ""), Dialect::El6), [], "{by_hand}");
    }
    // What keeps multipath off another disk of this host stays.
    let (profile, mut facts) = host(&hidden, Dialect::El6);
    disks(&mut facts).push(virtual_disk(2, OTHER_ID, 1 << 30));
    edit(&mut facts.swaps)[0].major_minor = Some("8:32".into());
    assert_eq!(mended("multipath.finds", &profile, &facts), []);
    // Not while the root disk is none of the blacklist's.
    let lifted = format!("{on}blacklist_exceptions {{\n wwid {OS_DISK_ID}\n}}\n");
    let (profile, facts) = host(&lifted, Dialect::El6);
    let planned = plan(&profile, &facts, &Selection::default(), TODAY, &Request::default());
    assert!(
        planned.changes.iter().all(|planned| !matches!(planned.change, Change::ConfigureMultipath { .. }))
    );
    assert!(planned.changes.iter().all(|planned| !matches!(planned.change, Change::StartMultipathd { .. })));
}

#[test]
fn without_a_file_everything_is_blacklisted_and_that_is_told_once() {
    let (profile, mut facts) = ready();
    facts.multipath.configuration = Fact::Known(None);
    // Whoever has accepted the script's changes has no marker for its absence to be seen by.
    edit(&mut facts.custom_changes.record).as_mut().unwrap().outcome =
        crate::facts::custom_changes::Outcome::Accepted;
    facts.custom_changes.marker_ctime_secs = Fact::Known(None);
    assert!(told(&profile, &facts, "multipath.finds").starts_with("unmet: there is no /etc/multipath.conf"));
    assert_eq!(told(&profile, &facts, "multipath.names"), "blocked: multipath.finds");
    assert_eq!(told(&profile, &facts, "multipath.running"), "blocked: custom-changes.root-disk");
}

fn map(number: u32, wwid: &str, path: &str) -> Map {
    Map {
        name: format!("dm-{number}"),
        dm_name: wwid.into(),
        major_minor: DeviceNumber::new(253, number),
        wwid: wwid.into(),
        paths: vec![path.into()],
    }
}

#[test]
fn the_daemon_runs_and_starts_at_boot_and_every_foreign_disk_has_its_map() {
    let id = "multipath.running";
    let start = |disks: &[&str]| {
        vec![Change::StartMultipathd {
            disks: disks.iter().map(|&disk| disk.into()).collect(),
            reload: false,
        }]
    };
    let (profile, facts) = ready();
    assert!(
        told(&profile, &facts, id).starts_with("met: process 618, at boot by /etc/rc.d/rc3.d/S06multipathd")
    );

    let mut stopped = facts.clone();
    stopped.multipath.daemon = Fact::Known(None);
    stopped.multipath.others = vec!["process 9 is called multipathd, but it runs /tmp/x".into()];
    begins(&told(&profile, &stopped, id), "unmet: multipathd does not run; process 9 is called multipathd");
    assert_eq!(mended(id, &profile, &stopped), start(&[]));

    let mut off = facts.clone();
    off.multipath.at_boot = Fact::Known(None);
    assert!(told(&profile, &off, id).starts_with("unmet: nothing starts multipathd at boot | "));
    assert_eq!(mended(id, &profile, &off), start(&[]));

    let mut attached = facts.clone();
    disks(&mut attached).push(virtual_disk(2, OTHER_ID, 1 << 40));
    begins(&told(&profile, &attached, id), &format!("unmet: no map over sdc ({OTHER_ID}) | "));
    assert_eq!(mended(id, &profile, &attached), start(&[OTHER_ID]));
    edit(&mut attached.multipath.maps).push(map(3, OTHER_ID, "sdd"));
    assert!(told(&profile, &attached, id).starts_with("unmet: "), "the map of another path");
    *edit(&mut attached.multipath.maps).last_mut().unwrap() = map(4, OTHER_ID, "sdc");
    assert!(told(&profile, &attached, id).starts_with("met: "));

    // Started before the file was changed.
    let mut unread = facts.clone();
    unread.multipath.unread = Fact::Known(Some("it goes by `x`, the file has `y`".into()));
    let finding = told(&profile, &unread, id);
    let expected = "unmet: multipathd has not read /etc/multipath.conf as it is now: it goes by `x`, the file has `y` | ";
    assert!(finding.starts_with(expected) && finding.contains("mt-agent apply lets multipathd"), "{finding}");
    assert_eq!(mended(id, &profile, &unread), [Change::StartMultipathd { disks: Vec::new(), reload: true }]);
    // One that does not run has nothing to read.
    unread.multipath.daemon = Fact::Known(None);
    assert!(told(&profile, &unread, id).starts_with("unmet: multipathd does not run | "));

    // In use already: a map cannot be laid under it.
    let mut used = facts.clone();
    edit(&mut used.multipath.maps).clear();
    let finding = told(&profile, &used, id);
    begins(&finding, &format!("unmet: no map over sdb ({RETENTION_ID}) | "));
    assert!(finding.contains(" | restart the machine: "), "{finding}");
    assert_eq!(mended(id, &profile, &used), []);

    // A second disk of this host needs none.
    let mut own = facts.clone();
    disks(&mut own).push(virtual_disk(2, OTHER_ID, 1 << 30));
    edit(&mut own.swaps)[0].major_minor = Some("8:32".into());
    let ids = [OS_DISK_ID.into(), OTHER_ID.into()];
    edit(&mut own.identity.recorded).as_mut().unwrap().own(&ids);
    assert!(told(&profile, &own, id).starts_with("met: "));

    for unknown in [
        &(|facts: &mut Facts| facts.multipath.daemon = Fact::Unknown("x".into())) as &dyn Fn(&mut Facts),
        &|facts| facts.multipath.at_boot = Fact::Unknown("x".into()),
        &|facts| facts.multipath.unread = Fact::Unknown("x".into()),
    ] {
        let mut facts = facts.clone();
        unknown(&mut facts);
        assert!(told(&profile, &facts, id).starts_with("unknown: "));
    }
}

#[test]
fn before_the_restart_no_map_is_expected() {
    let (profile, mut facts) = ready();
    let record = edit(&mut facts.custom_changes.record).clone().unwrap();
    facts.boot_id = Fact::Known(record.boot_id);
    facts.multipath.daemon = Fact::Known(None);
    edit(&mut facts.multipath.maps).clear();
    assert_eq!(told(&profile, &facts, "multipath.running"), "blocked: custom-changes.restarted");
    assert_eq!(verdict(&judge_all(&profile, &facts, TODAY, &Selection::default())), Verdict::RestartOwed);
    let planned = plan(&profile, &facts, &Selection::default(), TODAY, &Request::default());
    let started: Vec<_> =
        planned.changes.iter().map(|planned| (&planned.change, planned.after_restart)).collect();
    assert_eq!(started, [(&Change::StartMultipathd { disks: Vec::new(), reload: false }, true)]);
}

#[test]
fn two_disks_of_one_id_become_no_map() {
    let (profile, mut facts) = ready();
    disks(&mut facts).push(virtual_disk(2, RETENTION_ID, 1 << 40));
    assert_eq!(told(&profile, &facts, "multipath.running"), "blocked: scsi.ids-unique");
    let planned = plan(&profile, &facts, &Selection::default(), TODAY, &Request::default());
    assert!(planned.changes.iter().all(|planned| !matches!(planned.change, Change::StartMultipathd { .. })));
}

#[test]
fn of_an_image_only_the_start_at_boot_is_judged() {
    let (profile, mut facts) = ready();
    let image = || "needs the running kernel".to_owned();
    facts.boot_id = Fact::NotApplicable(image());
    facts.disks = Fact::NotApplicable(image());
    facts.mounts = Fact::NotApplicable(image());
    facts.multipath.maps = Fact::NotApplicable(image());
    facts.multipath.daemon = Fact::NotApplicable(image());
    facts.multipath.unread = Fact::NotApplicable(image());
    for id in ["multipath.names", "multipath.finds", "multipath.running"] {
        assert!(told(&profile, &facts, id).starts_with("met: "), "{id}: {}", told(&profile, &facts, id));
    }
    facts.multipath.at_boot = Fact::Known(None);
    assert!(
        told(&profile, &facts, "multipath.running")
            .starts_with("unmet: nothing starts multipathd at boot | ")
    );
}

#[test]
fn whose_a_disk_is_nobody_knows_without_what_is_mounted_and_the_swap() {
    let (profile, mut known) = host(&file(OFF, "", ""), Dialect::El6);
    edit(&mut known.multipath.maps)[0].dm_name = "mpatha".into();
    let untold: [fn(&mut Facts); 2] = [
        |facts| facts.mounts = Fact::Unknown("reading /proc/self/mountinfo: a line is cut short".into()),
        |facts| facts.swaps = Fact::Unknown("no /proc/swaps".into()),
    ];
    for spoil in untold {
        let mut facts = known.clone();
        spoil(&mut facts);
        for id in ["multipath.finds", "multipath.names", "multipath.running"] {
            let finding = told(&profile, &facts, id);
            let is_open = finding.starts_with("unknown: ") || finding == "blocked: custom-changes.root-disk";
            assert!(is_open, "{id}: {finding}");
            assert_eq!(mended(id, &profile, &facts), [], "{id}");
        }
        // No map has a name of its own: nothing is to be known of it.
        RETENTION_ID.clone_into(&mut edit(&mut facts.multipath.maps)[0].dm_name);
        assert!(told(&profile, &facts, "multipath.names").starts_with("met: "));
    }
}

#[test]
fn a_blacklist_of_thousands_is_compiled_in_proportion_to_its_expressions() {
    let ids: String = (0..20_000).map(|number| format!(" wwid \"^36000d{number:027}$\"\n")).collect();
    let expressions: String =
        (0..20).map(|number| format!(" wwid \"^36000e[0-9]{number:026}$\"\n")).collect();
    let (profile, mut facts) = host(&file(OFF, &(ids + &expressions), ""), Dialect::El6);
    let mut count = |numbers: std::ops::Range<u8>| {
        disks(&mut facts)
            .extend(numbers.map(|number| virtual_disk(number, &format!("36000c29{number:025}"), 1 << 30)));
        let before = COMPILED.get();
        begins(&told(&profile, &facts, "multipath.running"), "unmet: no map over sdc (");
        COMPILED.get() - before
    };
    // All is judged: the disks that lack their map, those that are attached, and those that will be.
    let of_one = count(2..3);
    assert_eq!(of_one, 3 * 21, "the expressions, and the devnode of the vendor's");
    assert_eq!(count(3..62), of_one);
}

#[test]
fn a_map_without_disks_is_told_and_keeps_no_host_from_being_ready() {
    let (profile, mut facts) = ready();
    assert!(told(&profile, &facts, "multipath.running").starts_with("met: "));
    let gone = "36000c29dddddddddddddddddddddddddd";
    let mut dead = map(7, gone, "sdq");
    edit(&mut facts.multipath.maps).push(dead.clone());
    let finding = told(&profile, &facts, "multipath.running");
    begins(&finding, &format!("unmet: the map {gone} (dm-7) has lost all of its disks | "));
    ends(&finding, &format!("`multipath -f {gone}`, which leaves one that is in use"));
    let finding = judged(&profile, &facts, "multipath.running");
    assert_eq!(finding.severity, Severity::Recommended);
    assert_eq!(verdict(&judge_all(&profile, &facts, TODAY, &Selection::default())), Verdict::Ready);
    assert_eq!(mended("multipath.running", &profile, &facts), []);
    // As the kernel shows it once multipathd has taken its last path out; and mounted still.
    dead.paths.clear();
    *edit(&mut facts.multipath.maps).last_mut().unwrap() = dead;
    edit(&mut facts.mounts).push(mount("/mnt/x", "253:7", "/dev/mapper/x", 1 << 30));
    let finding = told(&profile, &facts, "multipath.running");
    assert!(finding.contains(&format!("`umount /mnt/x`, then `multipath -f {gone}`")), "{finding}");
    edit(&mut facts.mounts).last_mut().unwrap().mount_point = "/mnt/x y".into();
    let finding = told(&profile, &facts, "multipath.running");
    assert!(finding.contains("`umount '/mnt/x y'`, then "), "{finding}");
    // Beside something that is required it is no excuse.
    facts.multipath.daemon = Fact::Known(None);
    assert_eq!(judged(&profile, &facts, "multipath.running").severity, Severity::Required);
}
