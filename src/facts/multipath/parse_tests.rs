use std::time::Duration;

use super::*;
use crate::testing::samples;

/// Shaped like what the vendor script leaves, with what people do to such files by hand.
const VENDOR: &str = r#"
# of the vendor
defaults {
    user_friendly_names no   # names are WWIDs
	find_multipaths "no"
}
blacklist
{
        wwid "^36000c2982b5df41a25811b07e74971e8$"
        wwid 36000c29aaaa
        devnode "^cciss!c[0-9]d[0-9]*" ! a comment in the old style
        device {
            vendor "InMage"
            product ".*"
        }
        device {
            vendor  "VMware"
        }
}
blacklist_exceptions {
    wwid "^36000c29f"
}
devices {
    device {
        vendor "X"
        user_friendly_names yes
    }
}
"#;

const BOTH: [Dialect; 2] = [Dialect::El6, Dialect::Later];

fn el6(text: impl AsRef<[u8]>) -> Parsed {
    parse(text.as_ref(), Dialect::El6)
}

#[test]
fn the_vendor_s_file_is_understood_whole() {
    let parsed = el6(VENDOR);
    let read = &parsed.configuration;
    assert_eq!(read.user_friendly_names.as_deref(), Some("no"));
    assert_eq!(read.find_multipaths.as_deref(), Some("no"));
    assert_eq!(read.blacklist_wwids, ["^36000c2982b5df41a25811b07e74971e8$", "36000c29aaaa"]);
    assert_eq!(read.blacklist_devnodes, ["^cciss!c[0-9]d[0-9]*"]);
    let pair = |vendor: &str, product: &str| (vendor.to_owned(), product.to_owned());
    assert_eq!(read.blacklist_devices, [pair("InMage", ".*"), pair("VMware", "")]);
    assert_eq!(read.exception_wwids, ["^36000c29f"]);
    assert_eq!(read.problems, [""; 0]);
    let first = &parsed.blacklist_wwids[0];
    assert_eq!((first.line, &VENDOR[first.span.clone()]), (9, "\"^36000c2982b5df41a25811b07e74971e8$\""));
    assert_eq!(&VENDOR[parsed.blacklist_wwids[1].span.clone()], "36000c29aaaa");
    assert!(VENDOR[parsed.blacklist_first.unwrap()..].starts_with("wwid \"^36000c2982"));
    assert!(VENDOR[parsed.blacklist_end.unwrap()..].starts_with("}\nblacklist_exceptions"));
    assert_eq!(parse(VENDOR.as_bytes(), Dialect::Later), parsed);
}

#[test]
fn an_expression_that_is_given_and_empty_is_an_entry() {
    for dialect in BOTH {
        let read = |text: &str| parse(text.as_bytes(), dialect).configuration;
        for empty in ["vendor \"\"", "product \"\"", "vendor \"\"\nproduct \"\""] {
            let device = format!("device {{\n{empty}\n}}\n");
            let configuration =
                read(&format!("blacklist {{\n{device}}}\nblacklist_exceptions {{\n{device}}}\n"));
            let everything = [(String::new(), String::new())];
            assert_eq!(configuration.blacklist_devices, everything, "{empty}");
            assert_eq!(configuration.exception_devices, everything, "{empty}");
        }
        assert_eq!(read("blacklist {\ndevice {\n}\n}\n").blacklist_devices, []);
        let wwids = read("blacklist {\nwwid \"\"\n}\nblacklist_exceptions {\nwwid \"\"\n}\n");
        assert_eq!(
            (wwids.blacklist_wwids, wwids.exception_wwids),
            (vec![String::new()], vec![String::new()])
        );
    }
    let hidden = |text: &str| el6(format!("blacklist {{\n{text}\n}}\n")).configuration;
    assert_eq!(hidden("device {\nvendor \"!x\"\n}").blacklist_devices, [(String::new(), String::new())]);
    assert_eq!(hidden("wwid \"#36000\"").blacklist_wwids, [""]);
}

#[test]
fn what_is_not_understood_is_said_with_its_line() {
    let problems = |text: &str| el6(text).configuration.problems;
    assert_eq!(problems("wwid x\n"), ["line 1: `wwid` stands outside of every section"]);
    assert_eq!(problems("blacklist {\n wwid\n devnode x\n}\n"), ["line 2: `wwid` has no value"]);
    assert_eq!(problems("}\n"), ["line 1: a `}` that closes nothing"]);
    assert_eq!(problems("\"blacklist\" {\n"), ["line 1: multipath passes over a name in quotation marks"]);
    assert_eq!(
        problems("defaults x\n"),
        [
            "line 1: a `{` was expected behind `defaults`",
            "line 1: multipath passes over what follows on this line"
        ]
    );
    assert_eq!(problems("blacklist {\nwwid \"abc\n}"), ["line 2: a quotation mark is not closed"]);
    assert_eq!(problems("{\n")[0], "line 1: a `{` without the name of a section");
    assert_eq!(problems("blaklist {\n}\n")[0], "line 1: `blaklist` is no section here");
    assert_eq!(
        problems("blacklist {\nwwid \"a(b\"\n}"),
        ["line 2: `a(b` is no regular expression: error: unclosed group"]
    );
    assert_eq!(problems("# only a comment\n\n"), [""; 0]);
}

#[test]
fn a_section_on_one_line_is_what_multipath_makes_of_it() {
    let parsed = el6("blacklist { wwid x }\n");
    assert_eq!(parsed.configuration.blacklist_wwids, [""; 0]);
    assert_eq!(parsed.configuration.problems, ["line 1: multipath passes over what follows on this line"]);
    assert_eq!(parsed.unclosed.as_deref(), Some("blacklist"));
}

#[test]
fn bytes_above_127_are_blanks_and_the_last_brace_may_be_missing() {
    for dialect in BOTH {
        let text = "\u{feff}blacklist {\r\n\u{a0}devnode \u{201c}^sd[a-z]\u{201d}\r\n wwid \"a\u{e4}b\"\n";
        let read = parse(text.as_bytes(), dialect).configuration;
        assert_eq!(read.blacklist_devnodes, ["^sd[a-z]"]);
        assert_eq!(read.blacklist_wwids, ["a\u{e4}b"], "but not in quotation marks");
        assert_eq!(read.problems, [""; 0]);
    }
}

#[test]
fn versions_differ_in_quotation_marks() {
    let read = |text: &str, dialect| {
        let text = format!("blacklist {{\n devnode {text}\n}}\n");
        parse(text.as_bytes(), dialect).configuration.blacklist_devnodes
    };
    for (text, old, later) in [
        ("\"!^sd\"", "", "!^sd"),
        ("\"#sdz\"", "", "#sdz"),
        ("\"a!b\"", "a!b", "a!b"),
        ("\"\"", "", ""),
        ("\"a\"\"b\"", "a", "a\"b"),
        ("\" a b \"", " a b ", " a b "),
        ("a{", "a", "a"),
    ] {
        assert_eq!(
            (read(text, Dialect::El6), read(text, Dialect::Later)),
            (vec![old.to_owned()], vec![later.to_owned()]),
            "{text}"
        );
    }
}

#[test]
fn names_of_other_versions_are_not_known() {
    let wwids = |text: &str, dialect| parse(text.as_bytes(), dialect).configuration.blacklist_wwids.len();
    assert_eq!(wwids("devnode_blacklist {\n wwid x\n}\n", Dialect::El6), 0);
    let text = "overrides {\n protocol {\n type x\n }\n}\nblacklist {\n protocol \"scsi:.*\"\n property x\n wwid x\n}\n";
    assert_eq!((wwids(text, Dialect::El6), wwids(text, Dialect::Later)), (1, 1));
    let later = parse(text.as_bytes(), Dialect::Later).configuration;
    assert_eq!(later.blacklist_protocols, ["scsi:.*"]);
    assert_eq!(later.problems, ["line 8: what `property` hides is not judged"]);
    assert_eq!(parse(text.as_bytes(), Dialect::El6).configuration.blacklist_protocols, [] as [&str; 0]);
}

#[test]
fn an_alias_is_read_with_its_wwid() {
    let text =
        "multipaths {\n multipath {\n  wwid 36a\n  alias retention\n }\n multipath {\n  alias x\n }\n}\n";
    assert_eq!(el6(text).configuration.aliases, [("36a".to_owned(), "retention".to_owned())]);
}

#[test]
fn an_unclosed_device_still_counts() {
    let parsed = el6("blacklist {\ndevice {\nvendor A\n");
    assert_eq!(parsed.configuration.blacklist_devices, [("A".to_owned(), String::new())]);
    assert_eq!((parsed.configuration.problems.len(), parsed.unclosed.as_deref()), (0, Some("device")));
}

#[test]
fn no_text_makes_the_parser_panic() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let pieces =
        ["blacklist", " ", "{", "}", "\"", "\n", "#", "!", "wwid", "ä", "(", "device", "vendor", "x"];
    for _ in samples(20_000, Duration::from_millis(200)) {
        let text: String = (0..12)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                pieces[usize::try_from(state >> 33).unwrap() % pieces.len()]
            })
            .collect();
        for dialect in BOTH {
            for word in parse(text.as_bytes(), dialect).blacklist_wwids {
                let at = String::from_utf8_lossy(&text.as_bytes()[word.span]).replace("\"\"", "\"");
                assert!(at.contains(&word.text), "{text:?}");
            }
        }
    }
}

#[test]
fn what_sections_say_of_names_and_ids_is_kept_with_what_it_is_for() {
    let text = "defaults {\n user_friendly_names no\n user_friendly_names yes\n find_multipaths no\n \
                getuid_callout \"/bin/false\"\n}\noverrides {\n user_friendly_names no\n}\ndevices {\n device {\n  \
                user_friendly_names yes\n  vendor VMware\n  product \"Virtual disk\"\n }\n}\nmultipaths {\n multipath {\n  \
                wwid 36a\n  user_friendly_names yes\n }\n}\n";
    let read = |dialect| parse(text.as_bytes(), dialect);
    let said = |dialect| -> Vec<String> {
        let setting = |s: Setting| format!("{} {:?} {} {}", s.section, s.of, s.key, s.value);
        read(dialect).configuration.settings.into_iter().map(setting).collect()
    };
    let later = [
        "defaults (\"\", \"\") getuid_callout /bin/false",
        "overrides (\"\", \"\") user_friendly_names no",
        "device (\"VMware\", \"Virtual disk\") user_friendly_names yes",
        "multipath (\"36a\", \"\") user_friendly_names yes",
    ];
    assert_eq!(said(Dialect::Later), later);
    assert_eq!(said(Dialect::El6), [later[0], later[2], later[3]], "`overrides` is no section to it");
    assert_eq!(
        read(Dialect::Later).configuration.user_friendly_names.as_deref(),
        Some("yes"),
        "the last one"
    );
    let switches = read(Dialect::Later).switches;
    assert_eq!(switches.len(), 6, "{switches:?}");
}

#[test]
fn an_expression_that_gnu_reads_otherwise_is_told() {
    let problems = |pattern: &str| {
        parse(format!("blacklist {{\n devnode \"{pattern}\"\n}}\n").as_bytes(), Dialect::El6)
            .configuration
            .problems
    };
    for pattern in ["s\\d", "^sd\\b", "\\<sd", "[a&&b]", "(?:sd)"] {
        assert_eq!(problems(pattern), [format!("line 2: what `{pattern}` matches is not judged")]);
    }
    assert_eq!(problems(r"^cciss\.c[0-9]\$"), [] as [&str; 0]);
}

fn wwids(text: &str, dialect: Dialect) -> Vec<String> {
    parse(text.as_bytes(), dialect).configuration.blacklist_wwids
}

#[test]
fn a_line_ends_where_the_version_that_reads_it_has_its_end() {
    let both = |body: &str| {
        let text = format!("blacklist {{\n{body}");
        [wwids(&text, Dialect::El6), wwids(&text, Dialect::Later)]
    };
    let none: [&str; 0] = [];
    assert_eq!(both(" wwid a\n wwid b"), [vec!["a"], vec!["a", "b"]], "the last line without its end");
    assert_eq!(both("# note\rwwid a\n"), [vec!["a"], none.to_vec()]);
    assert_eq!(both("\r wwid a\r\n\r wwid b\r wwid c\n"), [vec!["a", "b", "c"], vec!["a", "b"]]);
    assert_eq!(both("wwid a\0b\nwwid c\n"), [["a", "c"], ["a", "c"]], "to C a line ends there as well");
    let problems = el6("blacklist {\r\n wwid a\r\n wwid\r\n}\r\n").configuration.problems;
    assert_eq!(problems, ["line 3: `wwid` has no value"], "lines are counted as editors count them");
}

#[test]
fn of_a_line_that_is_too_long_the_rest_is_another() {
    for (dialect, room, dropped) in [(Dialect::El6, 1024, 1), (Dialect::Later, 1023, 0)] {
        let read = |comment: usize, dropped: usize| {
            let text =
                format!("blacklist {{\n#{}{}wwid a\n}}\n", "x".repeat(comment - 1), "y".repeat(dropped));
            let parsed = parse(text.as_bytes(), dialect);
            (parsed.configuration.blacklist_wwids, parsed.overlong)
        };
        assert_eq!(read(room, dropped), (vec!["a".to_owned()], Some(2)), "{dialect:?}");
        assert_eq!(read(room - 1, dropped), (Vec::new(), Some(2)), "`wid`, or behind the comment");
        assert_eq!(read(room - "wwid a\n".len(), 0), (Vec::new(), None), "{dialect:?}");
        let problems = parse(format!("#{}\n", "x".repeat(1100)).as_bytes(), dialect).configuration.problems;
        assert!(problems[0].starts_with("line 1, which is too long and divided: `xxx"), "{problems:?}");
    }
}

#[test]
fn of_two_sections_for_one_map_the_version_has_its_own() {
    let text = |one: &str, other: &str| {
        let section = |alias: &str| format!(" multipath {{\n wwid 36a\n{alias}\n }}\n");
        format!("multipaths {{\n{}{}}}\n", section(one), section(other))
    };
    let last = |text: &str, dialect| {
        let aliases = parse(text.as_bytes(), dialect).configuration.aliases;
        aliases.into_iter().next_back().map(|(_, alias)| alias)
    };
    for (one, other, old, later) in [
        (" alias x", " alias y", Some("x"), Some("y")),
        (" alias x", "", Some("x"), Some("x")),
        ("", " alias y", None, Some("y")),
    ] {
        let text = text(one, other);
        assert_eq!(last(&text, Dialect::El6).as_deref(), old, "{text}");
        assert_eq!(last(&text, Dialect::Later).as_deref(), later, "{text}");
    }
}

#[test]
fn a_device_s_product_blacklist_is_kept_with_its_vendor() {
    for dialect in BOTH {
        let read = |vendor: &str| {
            let text =
                format!("devices {{\n device {{\n {vendor}\n product_blacklist \"Virtual disk\"\n }}\n}}\n");
            parse(text.as_bytes(), dialect).configuration
        };
        let kept = |vendor: &str| [(vendor.to_owned(), "Virtual disk".to_owned())];
        assert_eq!(read("vendor VMware").product_blacklists, kept("VMware"));
        assert_eq!(read("product x").product_blacklists, kept(""));
        assert_eq!(read("vendor VMware").blacklist_devices, []);
        assert_eq!(read("vendor \"(\"").problems.len(), 1, "the vendor is an expression then");
    }
}
