use super::*;
use crate::facts::testing;

const EL6: &str = "
#
# /etc/fstab
UUID=3e6be9de-8139-11d1-9106-a43f08d823a6 /                       ext4    defaults        1 1
UUID=\"9f2f\"\t/home\text4\tdefaults,context=\"a:b,c\",ro\t1 2 # ours
  # indented
LABEL=my\\040swap swap swap
/dev/mapper/36000c2982b5df41a25811b07e74971e8 /mnt/a\\040b ext4 rw 0 0
";

const BOTH: [Dialect; 2] = [Dialect::UtilLinuxNg, Dialect::Libmount];

fn lines(text: &str, dialect: Dialect) -> (Vec<usize>, Vec<usize>) {
    let fstab = parse(text, dialect);
    let entries = fstab.entries.iter().map(|entry| entry.line).collect();
    (entries, fstab.ignored.iter().map(|ignored| ignored.line).collect())
}

#[test]
fn comments_escapes_and_missing_numbers_are_understood() {
    for dialect in BOTH {
        let Fstab { entries, ignored, ends } = parse(EL6, dialect);
        let lines: Vec<_> = entries.iter().map(|entry| (entry.line, entry.mount_point.as_str())).collect();
        assert_eq!(lines, [(4, "/"), (5, "/home"), (7, "swap"), (8, "/mnt/a b")]);
        assert_eq!(entries[1].options, ["defaults", "ro"]);
        assert_eq!((entries[0].pass, entries[1].pass, entries[2].pass, entries[3].pass), (1, 2, 0, 0));
        assert_eq!((entries[2].device.as_str(), entries[2].options.len()), ("LABEL=my swap", 0));
        assert_eq!((ignored, ends), (vec![], None));
        testing::damage(EL6, |text| drop(parse(text, dialect)));
    }
}

#[test]
fn a_line_that_mount_passes_over_is_no_entry() {
    let cases = [
        ("/dev/a /b ext4 rw # c", "a comment stands where the dump number is expected"),
        ("/dev/a /b ext4 rw 0 # c", "a comment stands where the pass number is expected"),
        ("/dev/a /b ext4 rw, noatime 0 0", "what stands where the dump number is expected is none (a blank"),
        ("/dev/a /b ext4 rw O 0", "what stands where the dump number is expected is none"),
        ("/dev/a /b ext4 rw 0 0**", "what stands where the pass number is expected is none"),
        ("/dev/a /b ext4 rw 0\u{a0}0", "what stands where the dump number is expected is none"),
        ("/dev/a /b", "it has no mount point or no type"),
        ("/dev/a", "it has no mount point or no type"),
    ];
    for (line, why) in cases {
        for dialect in BOTH {
            let fstab = parse(&format!("{line}\n"), dialect);
            assert_eq!(fstab.entries, [], "{line}");
            let [ignored] = fstab.ignored.as_slice() else { panic!("{line}") };
            assert!(ignored.why.starts_with(why), "{line}: {}", ignored.why);
            assert_eq!(ignored.device, "/dev/a");
        }
    }
    for line in [
        "/dev/a /b ext4",
        "/dev/a /b ext4 rw 0",
        "/dev/a /b # rw",
        "/dev/a /b ext4 rw 0 0 # c",
        "\ta /b c d 1 2\t",
    ] {
        for dialect in BOTH {
            assert_eq!(lines(line, dialect), (vec![1], vec![]), "{line}");
        }
    }
}

#[test]
fn readers_differ_in_signs_and_carriage_returns() {
    let negative = "/dev/a /b ext4 rw 0 -1\n";
    assert_eq!(lines(negative, Dialect::UtilLinuxNg), (vec![], vec![1]));
    assert_eq!(parse(negative, Dialect::Libmount).entries[0].pass, 0);
    for (text, el6) in [("/dev/a /b ext4 rw 0 0\r\n", true), ("/dev/a /b ext4 rw\r\n", false)] {
        assert_eq!(lines(text, Dialect::UtilLinuxNg), (vec![1], vec![]));
        assert_eq!(parse(text, Dialect::UtilLinuxNg).entries[0].options, ["rw"]);
        assert_eq!(lines(text, Dialect::Libmount).0.len(), usize::from(el6), "{text:?}");
    }
    // Only the one before the line's end goes.
    assert_eq!(parse("/dev/a\r /b ext4 rw\n", Dialect::UtilLinuxNg).entries[0].device, "/dev/a\r");
}

#[test]
fn centos_6_reads_no_further_than_five_bad_lines_or_one_too_long() {
    let bad = "/dev/a /b ext4 rw # c\n".repeat(5);
    let text = format!("{bad}/dev/c /c ext4 rw 0 0\nUUID=x swap swap defaults # c\n");
    let fstab = parse(&text, Dialect::UtilLinuxNg);
    assert_eq!(fstab.ends, Some(5));
    assert_eq!(fstab.ignored[5].why, "mount(8) of CentOS 6 reads no further than the bad line 5");
    assert_eq!(fstab.entries.iter().map(|entry| entry.line).collect::<Vec<_>>(), [7], "swapon(8) reads on");
    assert_eq!(lines(&text, Dialect::Libmount), (vec![6, 7], vec![1, 2, 3, 4, 5]));
    let four = format!("{}/dev/c /c ext4 rw 0 0\n", "/dev/a /b ext4 rw # c\n".repeat(4));
    assert_eq!(lines(&four, Dialect::UtilLinuxNg), (vec![5], vec![1, 2, 3, 4]));

    let line = |length: usize| format!("/dev/a /b ext4 {}\n", "x".repeat(length - 16));
    for (length, read) in [(4095, true), (4096, false)] {
        for begin in ["", "#"] {
            let text = format!("{begin}{}/dev/c /c ext4 rw 0 0\n", line(length - begin.len()));
            let last = parse(&text, Dialect::UtilLinuxNg).entries.iter().any(|entry| entry.line == 2);
            assert_eq!(last, read, "{length} {begin}");
            assert!(parse(&text, Dialect::Libmount).entries.iter().any(|entry| entry.line == 2));
        }
    }
    let without_end = |length: usize| line(length).trim_end().to_owned();
    assert_eq!(lines(&without_end(4095), Dialect::UtilLinuxNg).0, [1]);
    assert_eq!(lines(&without_end(4096), Dialect::UtilLinuxNg).0, [0; 0]);
}

#[test]
fn an_option_that_the_file_system_refuses_is_named() {
    let entry = &parse("/dev/a /b ext4 defalts 0 0\n", Dialect::UtilLinuxNg).entries[0];
    assert_eq!(entry.refused.as_deref(), Some("defalts"));
    assert_eq!(parse(EL6, Dialect::UtilLinuxNg).entries[1].refused, None);
}

#[test]
fn only_what_is_judged_is_kept() {
    for options in [
        "rw,user=me,pass=Hidden",
        "password=a,Hidden,noauto",
        "password=\"a,Hidden",
        "username=me%Hidden",
        "credentials=/root/Hidden,_netdev",
        "rw,password=a\\040Hidden",
        "ro,context=\"Hidden,x\"",
        "key=Hidden,sec=ntlm",
    ] {
        for device in ["//me:Hidden@server/x", "https://me:Hidden@server/", "//server/x", "a:Hidden@b:/x"] {
            for end in ["", " # c", "x"] {
                let shown = format!(
                    "{:?}",
                    parse(&format!("{device} /y cifs {options} 0 0{end}\n"), Dialect::Libmount)
                );
                assert!(!shown.contains("Hidden") && shown.contains("/y"), "{shown}");
            }
        }
    }
    let line = "//s/x /y cifs noatime,noauto,ro,password=a,_netdev,bind,loop=/dev/loop0,encryption=Hidden,sizelimit=9 0 2\n";
    let entry = &parse(line, Dialect::Libmount).entries[0];
    assert_eq!(
        (entry.options.join(","), entry.pass),
        ("noauto,ro,_netdev,bind,loop,encryption,sizelimit".to_owned(), 2)
    );
}

#[test]
fn the_agent_s_own_entry_is_the_one_below_its_comment_with_its_mount_point() {
    let entry = "/dev/mapper/36 /mnt/a\\040b/ ext4 rw 0 0\n";
    let ours = |text: &str| {
        let fstab = parse(text, Dialect::UtilLinuxNg);
        let entries: Vec<_> = fstab.entries.iter().map(|entry| entry.ours).collect();
        (entries, fstab.ignored.iter().map(|ignored| ignored.ours).collect::<Vec<_>>())
    };
    let comment = format!("{COMMENT}/mnt/a\\040b\n");
    assert_eq!(ours(&format!("{entry}{comment}{entry}{entry}")), (vec![false, true, false], vec![]));
    assert_eq!(ours(&format!("{comment}{}", entry.replace("0 0", "# c"))), (vec![], vec![true]));
    for between in ["\n", "# a person's\n", "/dev/sdb /data ext4 rw 0 0\n"] {
        assert!(!ours(&format!("{comment}{between}{entry}")).0.contains(&true), "{between:?}");
    }
}

#[test]
fn the_agent_s_own_entry_that_a_person_made_a_comment_is_told() {
    let comment = format!("{COMMENT}/mnt/retention\n");
    for dialect in [Dialect::UtilLinuxNg, Dialect::Libmount] {
        for mark in ["#", "# ", "  #\t", "##"] {
            let fstab = parse(&format!("{comment}{mark}UUID=1-2 /mnt/retention/ ext4 rw 0 0\n"), dialect);
            assert_eq!(fstab.entries, []);
            let expected = Ignored {
                line: 2,
                device: "UUID=1-2".into(),
                mount_point: "/mnt/retention/".into(),
                why: COMMENTED_OUT.into(),
                ours: true,
            };
            assert_eq!(fstab.ignored, [expected], "{mark:?}");
        }
        // A person's words, another mount point, and what does not stand below our comment.
        for line in
            ["# see the ticket\n", "#UUID=1-2 /mnt/other ext4 rw 0 0\n", "#\n", "\n#x /mnt/retention\n"]
        {
            assert_eq!(parse(&format!("{comment}{line}"), dialect), Fstab::default(), "{line:?}");
        }
        assert_eq!(parse("#UUID=1-2 /mnt/retention ext4 rw 0 0\n", dialect), Fstab::default());
    }
}

#[test]
fn a_missing_fstab_is_unknown() {
    let dir = testing::tree(&[]);
    let Fact::Unknown(why) = load(&Host::image(dir.path())) else { panic!() };
    assert!(why.starts_with("reading /etc/fstab: No such file"), "{why}");
}
