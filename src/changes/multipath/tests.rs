use super::edit::{check_hidden, with_id, with_wwid};
use super::*;
use crate::facts::multipath::parse::parse;
use crate::state::paths;
use crate::testing::begins;
use std::fs;

const ROOT: &str = "36000c2982b5df41a25811b07e74971e8";
const STALE: &str = "36000c29aaaaaaaaaaaaaaaaaaaaaaaaa";
const OTHER: &str = "36000c29bbbbbbbbbbbbbbbbbbbbbbbbb";

const VENDOR: &str = "defaults {\n    user_friendly_names no\n    find_multipaths no\n}\nblacklist {\n\
    \x20   device {\n        vendor \"InMage\"\n    }\n    devnode \"^cciss!c[0-9]d[0-9]*\" # disks\n\
    \x20   wwid 36000c29aaaaaaaaaaaaaaaaaaaaaaaaa\n}\n";

fn with(before: &str, stale: Option<&str>) -> String {
    String::from_utf8(with_wwid(before.as_bytes(), ROOT, stale, Dialect::El6).unwrap()).unwrap()
}

fn refusal(before: &str) -> String {
    format!("{:#}", with_wwid(before.as_bytes(), ROOT, None, Dialect::El6).unwrap_err())
}

#[test]
fn a_stale_id_is_replaced_where_it_stands_and_nowhere_else() {
    let entry = format!("\"^{ROOT}$\"");
    let elsewhere = format!("multipaths {{\n multipath {{\n  wwid {STALE}\n }}\n}}\n# wwid {STALE}\n");
    let forms = [
        STALE.to_owned(),
        format!("\"{STALE}\""),
        format!("\"^{STALE}$\""),
        format!("^{STALE}"),
        format!("{STALE}$"),
    ];
    for form in forms {
        let before = format!("{}{elsewhere}", VENDOR.replace(STALE, &form));
        let after = with(&before, Some(STALE));
        assert_eq!(after, format!("{}{elsewhere}", VENDOR.replace(STALE, &entry)), "{form}");
        assert_eq!(with(&after, Some(STALE)), after);
    }
}

#[test]
fn without_a_stale_id_a_line_is_added_with_the_indentation_of_the_others() {
    let line = format!("    wwid \"^{ROOT}$\"\n");
    let after = with(VENDOR, None);
    assert_eq!(after, format!("{}{line}}}\n", VENDOR.strip_suffix("}\n").unwrap()));
    assert_eq!(with(&after, None), after);
    assert_eq!(with("blacklist\n{\n}\n", None), format!("blacklist\n{{\n\twwid \"^{ROOT}$\"\n}}\n"));
}

#[test]
fn without_a_blacklist_one_is_added() {
    assert_eq!(with("blacklist{\n}\n", None), format!("blacklist{{\n\twwid \"^{ROOT}$\"\n}}\n"));
    let section = format!("blacklist {{\n\twwid \"^{ROOT}$\"\n}}\n");
    assert_eq!(with("", None), section);
    assert_eq!(with("defaults {\n}", Some(STALE)), format!("defaults {{\n}}\n{section}"));
}

#[test]
fn an_entry_that_names_it_already_is_enough() {
    for entry in [ROOT.to_owned(), format!("\"^{ROOT}$\"")] {
        let before = VENDOR.replace(STALE, &entry);
        assert_eq!(with(&before, Some(STALE)), before);
    }
}

#[test]
fn bytes_that_are_not_utf8_stay() {
    let before = [b"# caf\xe9\r\nblacklist {\r\n\twwid ", STALE.as_bytes(), b" # \xff\r\n}\r\n"].concat();
    let after = with_wwid(&before, ROOT, Some(STALE), Dialect::El6).unwrap();
    let entry = format!("\"^{ROOT}$\"");
    assert_eq!(
        after,
        [b"# caf\xe9\r\nblacklist {\r\n\twwid ", entry.as_bytes(), b" # \xff\r\n}\r\n"].concat()
    );
}

#[test]
fn what_is_not_understood_is_refused_with_its_line() {
    for (before, message) in [
        ("blacklist {\n\twwid x\n", "the section `blacklist` has no end"),
        ("blacklist\n", "the section `blacklist` has no end"),
        ("}\n", "line 1: a `}` that closes nothing"),
        ("\nblacklist { wwid x }\n", "line 2: multipath passes over what follows on this line"),
        ("blacklist {\nwwid \"x\n}\n", "line 2: a quotation mark is not closed"),
        ("blacklist {\nwwid a b\n}\n", "line 2: multipath passes over what follows on this line"),
        ("blacklist {\nwwid \"(\"\n}\n", "line 2: `(` is no regular expression: error: unclosed group"),
        ("defaults# x\nblacklist {\n}\n", "line 2: `blacklist` is no section here"),
        ("defaults x\nblacklist {\n}\n", "line 1: a `{` was expected behind `defaults`"),
        ("blacklist {\n device x y\n}\n", "line 2: a `{` was expected behind `device`"),
        ("blacklist\nwwid x\n", "the section `blacklist` has no end"),
    ] {
        assert_eq!(refusal(before), message);
    }
}

#[test]
fn a_blacklist_that_hides_another_disk_is_refused() {
    let check = |entry: &str| {
        let text = VENDOR.replace(STALE, entry);
        let after = with_wwid(text.as_bytes(), ROOT, None, Dialect::Later).unwrap();
        check_hidden(&after, ROOT, &[OTHER.into()], Dialect::Later).map_err(|error| format!("{error:#}"))
    };
    assert_eq!(check(STALE), Ok(()));
    for entry in ["36000c29", "\".*\"", "*", "\"!^360\"", "\"^36000c29[0-9a-f]+$\""] {
        let hides = format!(
            "line 10 (`wwid {}`) hides the disk {OTHER} from multipath too: correct that line by hand",
            entry.trim_matches('"')
        );
        // `!^360` hides all that does not begin so: not this disk.
        let expected = if entry.contains('!') { Ok(()) } else { Err(hides) };
        assert_eq!(check(entry), expected, "{entry}");
    }
    assert_eq!(check("\"!^99\"").unwrap_err().split(" hides").next(), Some("line 10 (`wwid !^99`)"));
}

#[test]
fn an_exception_that_undoes_the_entry_is_refused() {
    let text = format!("{VENDOR}blacklist_exceptions {{\n wwid 36000c2982\n}}\n");
    let after = with_wwid(text.as_bytes(), ROOT, None, Dialect::Later).unwrap();
    assert_eq!(
        check_hidden(&after, ROOT, &[], Dialect::Later).unwrap_err().to_string(),
        format!(
            "line 14 (`wwid 36000c2982`) takes the root disk {ROOT} out of the blacklist again: remove that line \
                 by hand"
        )
    );
}

#[test]
fn in_the_script_only_the_whole_id_is_replaced() {
    let script = format!("ID={STALE}\nX='{STALE}0' Y={STALE}.\nZ=a{STALE} \u{e9}{STALE}\n");
    let after = String::from_utf8(with_id(script.as_bytes(), STALE, ROOT)).unwrap();
    assert_eq!(after, format!("ID={ROOT}\nX='{STALE}0' Y={ROOT}.\nZ=a{STALE} \u{e9}{ROOT}\n"));
}

struct Recorded(Vec<Disk>);

impl Identity for Recorded {
    fn scsi_id(&self, _device: &fs::File) -> Result<ScsiId, String> {
        Err("not asked".into())
    }

    fn disks(&self, _host: &Host) -> Result<Vec<Disk>, String> {
        Ok(self.0.clone())
    }
}

fn machine() -> (tempfile::TempDir, Host, Recorded) {
    let dir = tempfile::tempdir().unwrap();
    let host = Host::image(dir.path());
    for (path, content) in [(CONFIGURATION, VENDOR), (SCRIPT, &format!("#!/bin/sh\nID={STALE}\n"))] {
        fs::create_dir_all(host.path(path).parent().unwrap()).unwrap();
        files::replace(&host.path(path), content.as_bytes(), 0o755).unwrap();
    }
    let disk = |name: &str, number: &str, id: &str| Disk {
        name: name.into(),
        major_minor: number.into(),
        scsi_id: Ok(id.into()),
        ..Disk::default()
    };
    (dir, host, Recorded(vec![disk("sda", "8:0", ROOT), disk("sdb", "8:16", OTHER)]))
}

#[test]
fn both_files_are_written_once_and_kept_as_they_were() {
    let (_dir, host, machine) = machine();
    let run = |id: &str| replace_as(&host, &machine, "8:0".into(), id, Some(STALE));
    let Done::Changed(what) = run(ROOT).unwrap() else { panic!("unchanged") };
    begins(
        &what,
        &format!(
            "/etc/multipath.conf and /usr/sbin/blacklistrootdev.sh name the root disk {ROOT} (as it was: /var/lib/mt-agent/saved/multipath-"
        ),
    );
    let kept = host.path(what.split("as it was: ").nth(1).unwrap().trim_end_matches(')'));
    assert_eq!(fs::read_to_string(kept.join("%etc%multipath.conf")).unwrap(), VENDOR);
    assert!(fs::read_to_string(kept.join("%usr%sbin%blacklistrootdev.sh")).unwrap().contains(STALE));
    assert_eq!(fs::read_to_string(host.path(SCRIPT)).unwrap(), format!("#!/bin/sh\nID={ROOT}\n"));
    assert!(!fs::read_to_string(host.path(CONFIGURATION)).unwrap().contains(STALE));
    assert_eq!(run(ROOT).unwrap(), Done::Unchanged);
}

#[test]
fn only_the_disk_that_carries_root_is_blacklisted() {
    let (_dir, host, machine) = machine();
    let refused =
        |root: &str, id: &str| replace_as(&host, &machine, root.into(), id, None).unwrap_err().to_string();
    assert_eq!(
        refused("8:0", OTHER),
        format!("the SCSI ID of the root disk sda is {ROOT}; {OTHER} was planned")
    );
    assert_eq!(refused("8:99", ROOT), "no disk carries / (device 8:99)");
    fs::remove_file(host.path(CONFIGURATION)).unwrap();
    assert_eq!(
        refused("8:0", ROOT),
        "there is no /etc/multipath.conf: the vendor's ApplyCustomChanges.sh writes it, so that comes first"
    );
    assert!(!host.exists(paths::SAVED));
}

fn configured(before: &str, off: &[&str], unhide: &[&str]) -> String {
    let all = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    let after = edit::configured(before.as_bytes(), &all(off), &all(unhide), Dialect::Later).unwrap();
    String::from_utf8(after).unwrap()
}

#[test]
fn a_setting_is_changed_where_it_stands_or_added() {
    let both = ["user_friendly_names", "find_multipaths"];
    let on = VENDOR.replace("user_friendly_names no", "user_friendly_names \"yes\" # people");
    assert_eq!(configured(&on, &both, &[]), on.replace("\"yes\"", "no"));
    assert_eq!(configured(VENDOR, &both, &[]), VENDOR, "so already");
    // Several sections, and several times in one: each says no afterwards.
    let twice = "defaults {\n\tfind_multipaths yes\r\n}\ndefaults {\n find_multipaths smart\n}\n";
    assert_eq!(configured(twice, &both[1..], &[]), twice.replace("yes", "no").replace("smart", "no"));
    let elsewhere = "overrides {\n user_friendly_names yes\n}\nmultipaths {\n multipath {\n wwid x\n user_friendly_names 1\n }\n}\n";
    let after = configured(elsewhere, &both[..1], &[]);
    let expected = elsewhere.replace("yes", "no").replace("names 1", "names no");
    assert_eq!(after, format!("{expected}defaults {{\n\tuser_friendly_names no\n}}\n"));
    let devices = "devices {\n device {\n vendor x\n user_friendly_names yes\n }\n}\ndefaults {\n}\n";
    let expected = devices.replace("defaults {\n}", "defaults {\n\tuser_friendly_names no\n}");
    assert_eq!(configured(devices, &both[..1], &[]), expected, "a device's own stays");
    assert_eq!(configured("# x", &both[1..], &[]), "# x\ndefaults {\n\tfind_multipaths no\n}\n");
    for text in [&on, twice, elsewhere, devices] {
        let once = configured(text, &both, &[]);
        assert_eq!(configured(&once, &both, &[]), once);
    }
}

#[test]
fn an_entry_that_hides_disks_becomes_a_comment_and_no_other_does() {
    let entry = "    devnode \"^sd[b-z]\" # all of them\n";
    let before = VENDOR.replace("    wwid", &format!("{entry}    wwid"));
    let exceptions = "blacklist_exceptions {\n devnode \"^sd[b-z]\"\n}\n";
    let before = format!("{before}{exceptions}");
    let after = configured(&before, &[], &["^sd[b-z]"]);
    assert_eq!(after, before.replace(entry, &format!("#{entry}")));
    assert_eq!(configured(&after, &[], &["^sd[b-z]"]), after);
    assert_eq!(configured(&before, &[], &["^sd"]), before);
}

#[test]
fn the_file_is_changed_once_and_only_while_it_leaves_the_root_disk_alone() {
    let (_dir, host, machine) = machine();
    let off = ["find_multipaths".to_owned()];
    let run = || configure::edit_as(&host, &machine, "8:0".into(), &off, &[]);
    let put = |text: &str| files::replace(&host.path(CONFIGURATION), text.as_bytes(), 0o644).unwrap();
    let on = VENDOR.replace("find_multipaths no", "find_multipaths yes");
    put(&on);
    let refused = format!("{:#}", run().unwrap_err());
    assert_eq!(
        refused,
        format!("changing {CONFIGURATION}: the blacklist does not name {ROOT} after the change")
    );
    assert_eq!(fs::read_to_string(host.path(CONFIGURATION)).unwrap(), on);
    assert!(!host.exists(paths::SAVED));
    put(&on.replace(STALE, ROOT));
    let Done::Changed(what) = run().unwrap() else { panic!("unchanged") };
    begins(&what, "/etc/multipath.conf says find_multipaths no (as it was: ");
    let kept = host.path(what.split("as it was: ").nth(1).unwrap().trim_end_matches(')'));
    let kept = fs::read_to_string(kept.join("%etc%multipath.conf")).unwrap();
    assert_eq!(kept, on.replace(STALE, ROOT));
    assert_eq!(fs::read_to_string(host.path(CONFIGURATION)).unwrap(), VENDOR.replace(STALE, ROOT));
    assert_eq!(run().unwrap(), Done::Unchanged);
    put("defaults {\n");
    assert!(format!("{:#}", run().unwrap_err()).contains("the section `defaults` has no end"));
}

#[test]
fn a_file_whose_last_line_el6_does_not_read_gets_its_end() {
    let read = |text: &str| parse(text.as_bytes(), Dialect::El6).configuration.blacklist_wwids;
    // The brace is lost, and then the section that would be added stood within the blacklist.
    for stale in [None, Some(STALE)] {
        let open = VENDOR.strip_suffix('\n').unwrap();
        let after = with(open, stale);
        assert!(after.ends_with("}\n") && read(&after).contains(&format!("^{ROOT}$")), "{after}");
        assert_eq!(with(&after, stale), after);
    }
    // Nothing but the end is missing.
    let named = format!("{}blacklist {{\n wwid {ROOT}\n}}", VENDOR.replace(STALE, "x"));
    assert_eq!(with(&named, None), format!("{named}\n"));
    let off = ["find_multipaths".to_owned()];
    let after = edit::configured(b"blacklist {\n}", &off, &[], Dialect::El6).unwrap();
    assert_eq!(String::from_utf8(after).unwrap(), "blacklist {\n}\ndefaults {\n\tfind_multipaths no\n}\n");
    assert_eq!(refusal("blacklist {\n wwid x"), "the section `blacklist` has no end");
}

#[test]
fn the_comment_is_made_where_el6_begins_the_line() {
    let before = "blacklist {\n# by name\rdevnode \"^sd\"\r\n}\n";
    let after = edit::configured(before.as_bytes(), &[], &["^sd".to_owned()], Dialect::El6).unwrap();
    assert_eq!(String::from_utf8(after).unwrap(), before.replace("devnode", "#devnode"));
}

#[test]
fn a_line_that_multipath_divides_is_not_edited_around() {
    let long = format!("{VENDOR}#{}\n", "x".repeat(1100));
    let message = "line 12 is longer than multipath reads at once, and the rest is a line of its own to it: divide it by hand";
    assert_eq!(refusal(&long), message);
    let checked = check_hidden(long.as_bytes(), ROOT, &[], Dialect::El6).unwrap_err();
    assert_eq!(checked.to_string(), message, "nor is one left behind");
}
