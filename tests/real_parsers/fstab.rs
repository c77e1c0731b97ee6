//! fstab, and findmnt(8), which reads with libmount as mount(8) does.

use std::fs;
use std::process::Command;
use std::time::Duration;

use mt_agent::facts::fstab::{Dialect, Entry, parse};
use mt_agent::facts::kept::is_judged;
use serde_json::Value;

use super::{Random, Reason, Reasons, run, samples};

/// Where libmount and our reading of what it reads differ.
const FROM_LIBMOUNT: &[Reason] = &[
    (
        "systemd and swapon(8) of CentOS 6 read swap with getmntent(3), which takes anything for a number",
        |line| {
            line.split([' ', '\t'])
                .filter(|field| !field.is_empty())
                .nth(2)
                .is_some_and(|field| field.trim_end() == "swap")
        },
    ),
    ("libmount refuses a number beyond 64 bits, where the line goes on behind it", |line| {
        line.contains("99999999999999999999")
    }),
    (
        "systemd's generator reads with getmntent(3), to which a carriage return is a part of the last field",
        |line| line.ends_with('\r'),
    ),
];

/// Where mount(8) of CentOS 6 and libmount differ, by mount/mount_mntent.c of util-linux-ng 2.17.2.
const OF_CENTOS_6: &[Reason] = &[
    (
        "2.17.2 looks for digits, libmount takes what strtol(3) takes: a sign, and other blanks before it",
        |line| {
            let numbers = line.split([' ', '\t']).filter(|field| !field.is_empty()).skip(4).take(2);
            numbers.into_iter().any(|field| field.starts_with(['-', '+', '\u{b}', '\r']))
        },
    ),
    ("systemd's generator is not on CentOS 6", |line| line.ends_with('\r')),
];

const FIELDS: [&[&str]; 6] = [
    &[
        "/dev/sda1",
        "UUID=a-b",
        "UUID='a-b'",
        "LABEL=\"x\"",
        "//srv/x",
        "tmpfs",
        "a\\040b",
        "\\x",
        "\\501",
        "#x",
        "\u{e4}",
    ],
    &["/", "/home", "/mnt/a\\040b", "none", "/x#y", "/a\\011b"],
    &["ext4", "xfs", "auto", "swap", "#", "ext4,xfs"],
    &[
        "defaults",
        "rw",
        "rw,noatime",
        "noauto,ro,nofail",
        "rw,context=\"a,b\"",
        "a=\"b",
        "rw,",
        "x-y=z",
        "#c",
        "a\\054b",
    ],
    &["0", "1", "0", "-1", "+2", "O", "0**", "0x1", "#", "1#", "00", "9999999999", "\u{b}1", "-", "\u{a0}"],
    &["0", "2", "0", "-1", "+2", "o", "0*", "2,", "# c", "99999999999999999999", "\r0"],
];

fn line(random: &mut Random) -> String {
    let mut line = random.of(&["", "", "", " ", "\t"]).to_owned();
    for of in FIELDS.iter().take(random.below(4) + 3) {
        line.push_str(random.of(of));
        line.push_str(random.of(&[" ", " ", " ", "\t", "  ", " \t", "\u{a0}"]));
    }
    let line = if random.below(2) == 0 { line.trim_end_matches([' ', '\t']).to_owned() } else { line };
    line + random.of(&["", "", "", "", "", "\r", " # c", " x y", "\r "])
}

/// What findmnt makes of each line: an entry, or none.
fn findmnt(text: &str) -> Vec<Option<Value>> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    let mut command = Command::new("findmnt");
    command.args(["--fstab", "--json", "--output", "SOURCE,TARGET,FSTYPE,OPTIONS,PASSNO", "--tab-file"]);
    let output = run(command.arg(file.path()).env("LC_ALL", "C"));
    let said = String::from_utf8(output.stderr).unwrap();
    let bad: Vec<usize> = said
        .lines()
        .map(|line| {
            let number = line.split("parse error at line ").nth(1).unwrap_or_else(|| panic!("{line}"));
            number.split(' ').next().unwrap().parse().unwrap()
        })
        .collect();
    let read: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let mut read = read["filesystems"].as_array().cloned().unwrap_or_default().into_iter();
    let is_blank = |line: &str| {
        let line = line.strip_suffix('\r').unwrap_or(line).trim_start_matches([' ', '\t']);
        line.is_empty() || line.starts_with('#')
    };
    // A line ends at a newline alone, and keeps a carriage return.
    let entries: Vec<_> = text
        .split_terminator('\n')
        .zip(1..)
        .map(|(line, number)| {
            (!is_blank(line) && !bad.contains(&number))
                .then(|| read.next().expect("an entry for each line that is read"))
        })
        .collect();
    assert_eq!(read.next(), None, "{text}");
    entries
}

fn is_same(theirs: &Value, ours: &Entry) -> bool {
    let text = |key: &str| theirs[key].as_str().unwrap_or_default().to_owned();
    let options = text("options");
    // The others are not kept.
    let options: Vec<_> = options.split(',').filter(|option| is_judged(option)).collect();
    let pass = theirs["passno"].as_i64().unwrap().max(0);
    let source = text("source");
    // Of what is no path, nothing is kept that could be a secret.
    (source == ours.device
        || ours.device.contains("***")
        || (!source.starts_with('/') || source.starts_with("//"))
            && source.split('#').next() == Some(&ours.device))
        && text("target") == ours.mount_point
        && *text("fstype") == *ours.fs_type
        && options.join(",") == ours.options.join(",")
        && pass == i64::from(ours.pass)
}

#[test]
fn lines_of_fstab_are_read_as_libmount_reads_them() {
    let mut random = Random::new();
    let (mut from_libmount, mut of_centos_6) = (Reasons::new(FROM_LIBMOUNT), Reasons::new(OF_CENTOS_6));
    for _ in samples(60, Duration::from_secs(3)) {
        let lines: Vec<String> = (0..50).map(|_| line(&mut random)).collect();
        let text = lines.join("\n") + "\n";
        let ours = parse(&text, Dialect::Libmount);
        for ((theirs, line), number) in findmnt(&text).iter().zip(&lines).zip(1..) {
            let entry = ours.entries.iter().find(|entry| entry.line == number);
            let same = match (theirs, entry) {
                (Some(theirs), Some(ours)) => is_same(theirs, ours),
                (None, None) => true,
                _ => false,
            };
            assert!(
                same || from_libmount.explain(line),
                "{line:?}: findmnt has {theirs:?}, ours is {entry:?}"
            );

            let read = |dialect| {
                let fstab = parse(&format!("{line}\n"), dialect);
                fstab.entries.into_iter().next().map(|entry| Entry { refused: None, ..entry })
            };
            let (old, new) = (read(Dialect::UtilLinuxNg), read(Dialect::Libmount));
            assert!(
                old == new || of_centos_6.explain(line),
                "{line:?}: CentOS 6 has {old:?}, later ones {new:?}"
            );
        }
    }
    from_libmount.all_occurred();
    of_centos_6.all_occurred();
}
