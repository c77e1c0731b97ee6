use std::time::Duration;

use super::*;
use crate::state::paths;
use crate::testing::{begins, ends, has, samples};

const MAPPER: Entry<'_> = Entry {
    device: "/dev/mapper/36000c2982b5df41a25811b07e74971e8",
    mount_point: "/mnt/retention",
    fs_type: "ext4",
    options: "rw,nofail",
};
const LINE: &str = "/dev/mapper/36000c2982b5df41a25811b07e74971e8 /mnt/retention ext4 rw,nofail 0 0\n";

/// As the scripts of CentOS 6 want it.
const EL6: Entry<'_> = Entry { options: "rw", ..MAPPER };

fn with(before: impl AsRef<[u8]>) -> Vec<u8> {
    with_entry(before.as_ref(), &MAPPER, Dialect::Libmount).unwrap()
}

fn pair() -> String {
    format!("{COMMENT}/mnt/retention\n{LINE}")
}

#[test]
fn an_entry_is_added_below_a_comment_and_nothing_else_changes() {
    let cases: [&[u8]; 6] = [
        b"",
        b"UUID=1 / ext4 defaults 1 1\n",
        b"# /etc/fstab\r\nUUID=1\t/\text4\tdefaults 1 1\r\n\r\n",
        b"/dev/\xff\xfe /caf\xe9 ext4 defaults 1 2\n",
        b"#/dev/sdb /mnt/retention ext4 defaults 0 0\n  # /dev/sdc /mnt/retention\n",
        b"/dev/sdb /mnt/retention2 ext4 defaults 0 0\n/dev/sdc /mnt ext4 defaults 0 0\n/mnt/retention\n",
    ];
    for before in cases {
        let mut expected = before.to_vec();
        expected.extend_from_slice(pair().as_bytes());
        assert_eq!(with(before), expected, "{}", String::from_utf8_lossy(before));
        assert_eq!(with(&expected), expected);
    }
}

#[test]
fn a_missing_line_end_is_added_first() {
    let after = with("UUID=1 / ext4 defaults 1 1");
    assert_eq!(String::from_utf8(after).unwrap(), format!("UUID=1 / ext4 defaults 1 1\n{}", pair()));
}

#[test]
fn our_own_earlier_entry_is_replaced_where_it_stands() {
    let before =
        format!("a / x y\n{COMMENT}/mnt/old\n/dev/mapper/old /mnt/old xfs rw,nofail 0 0\nb /home x y");
    let after = String::from_utf8(with(&before)).unwrap();
    assert_eq!(after, format!("a / x y\n{}b /home x y", pair()));
    let twice = format!("{0}{COMMENT}/mnt/y\n/dev/x /mnt/y ext4 rw 0 0\nb /home x y\n", pair());
    assert_eq!(String::from_utf8(with(&twice)).unwrap(), format!("{}b /home x y\n", pair()));
}

#[test]
fn what_stands_below_our_comment_but_is_not_ours_is_not_touched() {
    for below in ["# commented out by a person\n", "\n", "", "/dev/sdb /data ext4 rw,nofail 0 0\n"] {
        let before = format!("{COMMENT}/mnt/retention\n{below}");
        assert_eq!(String::from_utf8(with(&before)).unwrap(), format!("{before}{}", pair()));
    }
}

#[test]
fn an_entry_that_serves_is_left_alone_whoever_wrote_it() {
    for options in ["rw,nofail", "defaults,noatime,nofail", "nofail"] {
        for end in [" 0 0\n", "", "\t0\t0\r\n"] {
            let theirs = format!("{} /mnt/retention/ ext4 {options}{end}", MAPPER.device);
            assert_eq!(with(&theirs), theirs.as_bytes());
            let ours = format!("{COMMENT}/mnt/retention\n{theirs}");
            assert_eq!(with(&ours), ours.as_bytes());
        }
    }
}

#[test]
fn a_line_that_is_passed_over_at_boot_counts_for_nothing() {
    for passed_over in [LINE.replace("0 0", "# c"), LINE.replace("rw,", "rw, "), LINE.replace("0 0", "O O")] {
        let after = with(&passed_over);
        assert_eq!(String::from_utf8(after.clone()).unwrap(), format!("{passed_over}{}", pair()));
        assert_eq!(with(&after), after);
        // Our own is replaced.
        let ours = format!("a / x y\n{COMMENT}/mnt/retention\n{passed_over}b /home x y\n");
        assert_eq!(String::from_utf8(with(&ours)).unwrap(), format!("a / x y\n{}b /home x y\n", pair()));
    }
}

#[test]
fn an_entry_is_added_where_centos_6_still_reads() {
    let with = |before: &str| {
        let after = with_entry(before.as_bytes(), &EL6, Dialect::UtilLinuxNg).unwrap();
        assert_eq!(with_entry(&after, &EL6, Dialect::UtilLinuxNg).unwrap(), after);
        String::from_utf8(after).unwrap()
    };
    let ours = pair().replace(",nofail", "");
    let bad = "/dev/a /b ext4 rw # c\n";
    let begin = bad.repeat(4);
    assert_eq!(with(&format!("{begin}{bad}b /home x y\n")), format!("{begin}{ours}{bad}b /home x y\n"));
    // One of ours that is not read moves there.
    assert_eq!(with(&format!("{begin}{bad}{ours}")), format!("{begin}{ours}{bad}"));
    assert_eq!(with(&format!("{begin}b /home x y\n")), format!("{begin}b /home x y\n{ours}"));
    let long = format!("# {}\n", "=".repeat(4096));
    assert_eq!(with(&format!("a / x y\n{long}b /home x y\n")), format!("a / x y\n{ours}{long}b /home x y\n"));
}

#[test]
fn an_entry_that_mounts_nothing_or_something_else_does_not_serve() {
    for option in ["defalts", "loop", "bind", "remount", "offset=4096", "data=orderd"] {
        let theirs = LINE.replace("rw,", &format!("rw,{option},"));
        begins(
            &with_entry(theirs.as_bytes(), &MAPPER, Dialect::Libmount).unwrap_err().to_string(),
            "line 1 of /etc/fstab mounts something else, or otherwise, on ",
        );
    }
}

#[test]
fn another_entry_with_that_mount_point_is_refused_with_its_line() {
    let others = [
        "/dev/sdb /mnt/retention ext4 rw 0 0",
        "UUID=2 /mnt/retention/ ext4 rw,nofail 0 0",
        "/dev/sdb /mnt/retent\\151on ext4",
        "/dev/mapper/36000c2982b5df41a25811b07e74971e8 /mnt/retention ext4 rw,nofail 0 2",
        "/dev/mapper/36000c2982b5df41a25811b07e74971e8 /mnt/retention ext4 rw,nofail,_netdev 0 0",
        "/dev/mapper/36000c2982b5df41a25811b07e74971e8 /mnt/retention xfs rw,nofail 0 0",
    ];
    for other in others {
        let error = with_entry(format!("# x\n{other}\n").as_bytes(), &MAPPER, Dialect::Libmount)
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            format!(
                "line 2 of /etc/fstab mounts something else, or otherwise, on /mnt/retention: `{other}`; \
                 expected `{}`; correct or remove that line, then run again",
                LINE.trim_end()
            )
        );
    }
}

#[test]
fn what_may_be_a_password_is_not_quoted() {
    let line = "//me:Hidden@s/x /mnt/retention cifs pass=Hidden,rw,user=a%Hidden 0 0\n";
    has(
        &with_entry(line.as_bytes(), &MAPPER, Dialect::Libmount).unwrap_err().to_string(),
        "on /mnt/retention: `***@s/x /mnt/retention cifs rw 0 0`; expected",
    );
}

#[test]
fn what_a_person_added_to_our_earlier_entry_stays() {
    let before = pair().replace("rw,nofail", "rw,noatime,nofail,commit=30");
    let after =
        String::from_utf8(with_entry(before.as_bytes(), &EL6, Dialect::UtilLinuxNg).unwrap()).unwrap();
    assert_eq!(after, pair().replace("rw,nofail", "rw,noatime,commit=30"));
    assert_eq!(with_entry(after.as_bytes(), &EL6, Dialect::UtilLinuxNg).unwrap(), after.as_bytes());
    // That of another device had its own.
    let other = before.replace("/dev/mapper/3", "/dev/mapper/4");
    assert_eq!(
        with_entry(other.as_bytes(), &EL6, Dialect::UtilLinuxNg).unwrap(),
        pair().replace(",nofail", "").as_bytes()
    );
}

#[test]
fn spaces_and_backslashes_are_escaped_and_read_back() {
    let entry = Entry { device: "UUID=a-b", mount_point: "/mnt/re tention\\x", ..MAPPER };
    let after = with_entry(b"", &entry, Dialect::Libmount).unwrap();
    ends(
        &String::from_utf8(after.clone()).unwrap(),
        "\nUUID=a-b /mnt/re\\040tention\\134x ext4 rw,nofail 0 0\n",
    );
    assert_eq!(with_entry(&after, &entry, Dialect::Libmount).unwrap(), after);
}

#[test]
fn what_cannot_be_a_line_is_refused() {
    for (device, mount_point, message) in [
        ("", "/mnt/r", "the device is empty"),
        ("/dev/a\n/dev/b", "/mnt/r", "the device `/dev/a /dev/b` has a control character"),
        ("UUID=a", "mnt/r", "the mount point `mnt/r` is not an absolute path"),
    ] {
        let error = with_entry(b"", &Entry { device, mount_point, ..MAPPER }, Dialect::Libmount).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    for device in [
        "#x",
        "/dev/sdb",
        "/dev/dm-1",
        "/dev/mapper/mpathb",
        "/dev/mapper/vg-data",
        "/dev/mapper/3600",
        "/dev/disk/by-path/x",
        "LABEL=mt-retention",
        "UUID=",
    ] {
        let error = with_entry(b"", &Entry { device, ..MAPPER }, Dialect::Libmount).unwrap_err();
        let message = format!(
            "the device `{device}` can be another disk after a restart: expected UUID=... or /dev/mapper/SCSI-ID"
        );
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn without_systemd_our_earlier_entry_loses_nofail_and_a_person_s_is_left() {
    let before = format!("UUID=1 / ext4 defaults 1 1\n{}b /home x y", pair());
    let after =
        String::from_utf8(with_entry(before.as_bytes(), &EL6, Dialect::UtilLinuxNg).unwrap()).unwrap();
    assert_eq!(after, before.replace(" rw,nofail ", " rw "));
    assert_eq!(with_entry(after.as_bytes(), &EL6, Dialect::UtilLinuxNg).unwrap(), after.as_bytes());
    // Back again, as after a move to a release with systemd.
    assert_eq!(with(&after), before.as_bytes());
    begins(
        &with_entry(LINE.as_bytes(), &EL6, Dialect::UtilLinuxNg).unwrap_err().to_string(),
        "line 1 of /etc/fstab mounts something else, or otherwise, on ",
    );
    let documented = LINE.replace(",nofail", "");
    assert_eq!(with_entry(documented.as_bytes(), &EL6, Dialect::UtilLinuxNg).unwrap(), documented.as_bytes());
    assert_eq!((options(Init::Scripts), options(Init::Systemd)), ("rw", "rw,nofail"));
}

/// A generator of its own, with a fixed seed: a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit).unwrap()
    }
}

#[test]
fn of_any_file_every_line_that_is_not_ours_is_kept() {
    let pieces: [&[u8]; 14] = [
        b"/dev/sda1",
        b" ",
        b"\t",
        b"\n",
        b"\r\n",
        b"/mnt/retentio",
        b"ext4",
        b"defaults,nofail",
        b"0",
        b"#",
        b"\\040",
        b"\xff",
        b"# mt-agent keeps the next line: the retention volume on /mnt\n",
        b"UUID=x / ext4 defaults 1 1\n",
    ];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let ours = pair();
    for _ in samples(5000, Duration::from_millis(500)) {
        let mut before = Vec::new();
        for _ in 0..random.below(40) {
            before.extend_from_slice(pieces[random.below(14)]);
        }
        let mut with_ours = before.clone();
        if random.below(2) == 0 && (before.is_empty() || before.ends_with(b"\n")) {
            with_ours.extend_from_slice(COMMENT.as_bytes());
            with_ours
                .extend_from_slice(b"/mnt/retention\n/dev/mapper/old /mnt/retention ext4 rw,nofail 0 0\n");
            with_ours.extend_from_slice(&before);
        }
        let after = with(&with_ours);
        let at = after.windows(ours.len()).position(|window| window == ours.as_bytes()).unwrap();
        let mut rest = after[..at].to_vec();
        let tail = &after[at + ours.len()..];
        if tail.is_empty() && !before.ends_with(b"\n") && !before.is_empty() {
            assert_eq!(rest.pop(), Some(b'\n'));
        }
        rest.extend_from_slice(tail);
        let others = if with_ours.len() == before.len() { before } else { [&before[..], &before].concat() };
        assert_eq!(rest, others, "{}", String::from_utf8_lossy(&with_ours));
        assert_eq!(with(&after), after);
    }
}

#[test]
fn a_line_that_is_read_only_when_ours_is_right_is_refused_before_anything_is_written() {
    // mount(8) of el6 reads no further than the fifth wrong line: the first of them is ours, a person's stands behind the last.
    let wrong = "/dev/x /y ext4 defaults z\n".repeat(4);
    let before = format!(
        "{COMMENT}/mnt/retention\n{} /mnt/retention ext4 rw,nofail 0z\n{wrong}/dev/other /mnt/retention ext4 rw 0 0\n",
        MAPPER.device
    );
    let refused = with_entry(before.as_bytes(), &MAPPER, Dialect::UtilLinuxNg).unwrap_err();
    begins(&format!("{refused:#}"), "with the line for the retention volume put right: line 7 of /etc/fstab");
}

#[test]
fn the_file_is_replaced_once_and_kept_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let host = Host::image(dir.path());
    std::fs::create_dir(dir.path().join("etc")).unwrap();
    let before = b"UUID=\xff / ext4 defaults 1 1";
    files::replace(&host.path(PATH), before, 0o600).unwrap();
    let run = || install(&host, &MAPPER).unwrap();
    let Done::Changed(what) = run() else { panic!("unchanged") };
    let copy = what.split("(as it was: ").nth(1).unwrap().trim_end_matches(')');
    assert!(copy.starts_with(host.path(paths::SAVED).to_str().unwrap()), "{what}");
    assert_eq!(std::fs::read(copy).unwrap(), before);
    let after = std::fs::read(host.path(PATH)).unwrap();
    assert_eq!(after, [before.as_slice(), b"\n", pair().as_bytes()].concat());
    assert_eq!(run(), Done::Unchanged);
    assert_eq!(std::fs::read_dir(host.path(paths::SAVED)).unwrap().count(), 1);
}

fn without_device(before: &str, devices: &[&str]) -> String {
    let devices: Vec<String> = devices.iter().map(|device| (*device).to_owned()).collect();
    let after = without(before.as_bytes(), "/mnt/retention", &devices, Dialect::Libmount).unwrap();
    String::from_utf8(after).unwrap()
}

#[test]
fn our_own_entry_goes_and_nothing_else() {
    let pair = pair();
    let rest = "UUID=1 / ext4 defaults 1 1\r\n# a person's\n";
    assert_eq!(
        without_device(&format!("{rest}{pair}b /home x y"), &[MAPPER.device]),
        format!("{rest}b /home x y")
    );
    // Commented out or passed over at boot it is ours as well.
    for line in [format!("#{LINE}"), LINE.replace("0 0", "# c")] {
        let before = format!("{COMMENT}/mnt/retention\n{line}");
        assert_eq!(without_device(&format!("{rest}{before}"), &[MAPPER.device]), rest, "{line}");
    }
    // Another device, another mount point, and a person's own line stay.
    for before in [
        format!("{rest}{LINE}"),
        pair.replace(MAPPER.device, "UUID=3"),
        pair.replace("/mnt/retention", "/mnt/other"),
        format!("{COMMENT}/mnt/retention\n\n{LINE}"),
    ] {
        assert_eq!(without_device(&before, &[MAPPER.device]), before);
    }
    let two = format!("{pair}{}", pair.replace(MAPPER.device, "UUID=3"));
    assert_eq!(without_device(&two, &[MAPPER.device, "UUID=3"]), "");
}

#[test]
fn an_entry_whose_going_would_bring_others_back_stays() {
    // The fifth bad line ends the reading of mount(8): without one of them more is read.
    let bad = "x /y\n".repeat(4);
    let ours = format!("{COMMENT}/mnt/retention\n{}", LINE.replace("0 0", "# c"));
    let before = format!("{bad}{ours}UUID=2 /data ext4 rw 0 0\n");
    let devices = [MAPPER.device.to_owned()];
    let error = without(before.as_bytes(), "/mnt/retention", &devices, Dialect::UtilLinuxNg).unwrap_err();
    assert_eq!(
        error.to_string(),
        "without it other lines would be read otherwise: correct its lines by hand"
    );
}

#[test]
fn of_any_file_the_removal_takes_our_own_lines_alone() {
    for _ in samples(2_000, Duration::from_secs(2)) {
        // Lines in any order: what is left is what was there without ours.
        let mut dice = RANDOM.with(|random| {
            let next = random.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            random.set(next);
            next
        });
        let (mut text, mut rest) = (String::new(), String::new());
        for _ in 0..6 {
            let kind = dice % 5;
            dice /= 5;
            let other =
                ["# x\n", "UUID=7 /data ext4 rw 0 0\n", "\n", "/dev/sdb /mnt/retention ext4 rw 0 0\n"];
            match usize::try_from(kind).unwrap() {
                4 => text.push_str(&pair()),
                at => {
                    text.push_str(other[at]);
                    rest.push_str(other[at]);
                }
            }
        }
        assert_eq!(without_device(&text, &[MAPPER.device]), rest, "{text}");
    }
}

thread_local! {
    static RANDOM: std::cell::Cell<u64> = const { std::cell::Cell::new(0x6d74) };
}
