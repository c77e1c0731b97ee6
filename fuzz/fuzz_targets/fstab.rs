//! /etc/fstab, read and edited: what is not ours stays byte for byte.

use mt_agent::changes::fstab::{Entry, with_entry};
use mt_agent::facts::fstab::{Dialect, parse};
use mt_agent_fuzz::{safe_line, text};

const ENTRIES: [Entry<'static>; 2] = [
    Entry {
        device: "/dev/mapper/36000c2982b5df41a25811b07e74971e8",
        mount_point: "/mnt/retention",
        fs_type: "ext4",
        options: "rw,nofail",
    },
    Entry {
        device: "UUID=12b0d5f9-6d1f-4f0e-9c3a-6f6d0a3c1a11",
        mount_point: "/mnt/my disk",
        fs_type: "xfs",
        options: "rw",
    },
];

/// The lines that are not ours, each with its end: what an edit must keep, in this order.
fn others(text: &[u8]) -> Vec<&[u8]> {
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let ours = |line: &[u8]| line.trim_ascii().starts_with(b"# mt-agent");
    let mut kept = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        // Our comment, and the line that belongs to it.
        if ours(lines[at]) {
            at += 2;
            continue;
        }
        kept.push(lines[at].strip_suffix(b"\n").unwrap_or(lines[at]));
        at += 1;
    }
    kept
}

pub fn run(data: &[u8]) {
    for dialect in [Dialect::UtilLinuxNg, Dialect::Libmount] {
        edited(data, dialect);
    }
}

fn edited(data: &[u8], dialect: Dialect) {
    drop(parse(&text(data), dialect));
    for entry in &ENTRIES {
        match with_entry(data, entry, dialect) {
            Ok(after) => {
                // Nobody else's line is lost, moved or altered. A file full of comments of ours is not counted:
                // there a line can be ours or not by what follows it.
                if !data.windows(10).any(|window| window == b"# mt-agent") {
                    let kept = others(&after);
                    assert_eq!(others(data), kept, "{:?} became {:?}", text(data), text(&after));
                }
                // What was written is read back, and a second time changes nothing.
                let read = parse(&text(&after), dialect).entries;
                assert!(
                    read.iter().any(|one| one.device == entry.device
                        && one.mount_point.trim_end_matches('/') == entry.mount_point
                        && one.options.iter().any(|option| option == "nofail") == entry.options.contains("nofail")),
                    "not read back from {:?}",
                    text(&after)
                );
                assert_eq!(with_entry(&after, entry, dialect).ok().as_deref(), Some(after.as_slice()));
            }
            Err(error) => safe_line(&format!("{error:#}")),
        }
    }
}
