//! What init and login wrote into utmp(5) and wtmp(5): when this machine booted, by the clock of then, and when it was still
//! alive before.

use std::io::{self, Seek, SeekFrom};

use anyhow::Context;
use time::OffsetDateTime;

use super::read;
use crate::host::{Host, files};

/// The records of this boot. On CentOS 6 the first telinit of a boot writes that of the boot (upstart's util/utmp.c), and
/// rc.sysinit empties it before; later ones have it from systemd-update-utmp, or have none (Debian 13 on).
pub const UTMP: &str = "/var/run/utmp";

/// The records of all boots. A system without it (Debian 13 on) has one sign of life less.
const PATH: &str = "/var/log/wtmp";

/// Bytes of a record, `struct utmp` of x86_64: utmp(5), glibc's bits/utmp.h. The same on el6 and now.
const RECORD: usize = 384;

/// Where a record has its type, a `short`, its user, and its time, 32 bits of seconds since 1970.
const TYPE: usize = 0;
const USER: usize = 44;
const SECONDS: usize = 340;

/// The type of the record that the start of a system writes.
const BOOT_TIME: u16 = 2;

/// How much of its end is looked at, in records: some 12 MiB. It may have been written to for years.
const TAIL: u64 = 1 << 15;

/// When this machine booted, in seconds since 1970, by the clock of then: the last record of a boot in [`UTMP`]. A clock that is
/// set later moves the kernel's own time of boot (`btime`) with it, and not this one.
pub fn this_boot(host: &Host) -> anyhow::Result<u64> {
    let read = || files::read_at_most(files::open(&host.resolve(UTMP)?)?, files::LARGEST);
    let bytes = read().map_err(|error| read::explain(UTMP, error))?;
    last_boot(&bytes).with_context(|| format!("{UTMP} has no record of a boot"))
}

/// The time of the last record of a boot. Every init calls it `reboot`, so that garbage is not taken for one.
fn last_boot(bytes: &[u8]) -> Option<u64> {
    // A torn record stands at the end.
    let mut records = bytes.chunks_exact(RECORD).rev();
    let record = records.find(|record| is_boot(record) && record[USER..].starts_with(b"reboot\0"))?;
    Some(seconds(record)?.into()).filter(|seconds| *seconds > 0)
}

fn is_boot(record: &[u8]) -> bool {
    u16::from_le_bytes([record[TYPE], record[TYPE + 1]]) == BOOT_TIME
}

fn seconds(record: &[u8]) -> Option<u32> {
    record[SECONDS..].first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

/// The time of the last record before this boot's. Where this boot has written none, it is the last before an earlier one:
/// too old, and never too new. `None` where it cannot be read.
pub fn before_this_boot(host: &Host) -> Option<OffsetDateTime> {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = files::open(&host.resolve(PATH)?)?;
        let records = file.metadata()?.len() / RECORD as u64;
        file.seek(SeekFrom::Start(records.saturating_sub(TAIL) * RECORD as u64))?;
        files::read_at_most(file, files::LARGEST)
    };
    parse(&read().ok()?)
}

/// The time of the last record before the last one of a boot, by their order in the file. The latest of their times it is
/// not: one that was written while the clock was ahead, or ahead of its time, would cover what came after it.
fn parse(bytes: &[u8]) -> Option<OffsetDateTime> {
    // A torn one stands at the end.
    let mut records = bytes[..bytes.len() - bytes.len() % RECORD].rchunks_exact(RECORD);
    records.find(|record| is_boot(record))?;
    OffsetDateTime::from_unix_timestamp(seconds(records.next()?)?.into()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

    fn record(kind: u16, seconds: u32) -> Vec<u8> {
        let mut record = vec![0; RECORD];
        record[TYPE..TYPE + 2].copy_from_slice(&kind.to_le_bytes());
        record[SECONDS..SECONDS + 4].copy_from_slice(&seconds.to_le_bytes());
        record
    }

    fn alive(bytes: &[u8]) -> Option<i64> {
        parse(bytes).map(OffsetDateTime::unix_timestamp)
    }

    #[test]
    fn only_what_stands_before_the_last_boot_is_of_earlier_ones() {
        // A boot, a login, the runlevel 6; this boot, whose clock was two minutes late, and its runlevel.
        let all =
            [(2, 100), (7, 200), (1, 300), (2, 180), (1, 310)].map(|(kind, at)| record(kind, at)).concat();
        assert_eq!(alive(&all), Some(300));
        assert_eq!(alive(&[all.as_slice(), &[7; 100]].concat()), Some(300), "a torn record");
        assert_eq!(alive(&[record(7, 200), record(1, 300)].concat()), None);
        assert_eq!(alive(&record(2, 100)), None, "the first boot");
        // Written while the clock was ahead: what was written after it is later.
        let ahead = [(2, 100), (7, 9000), (1, 300), (2, 400)].map(|(kind, at)| record(kind, at)).concat();
        assert_eq!(alive(&ahead), Some(300));
        assert_eq!(before_this_boot(&Host::recorded("/nonexistent")), None);
        let text = String::from_utf8([record(2, 100), record(1, 101)].concat()).unwrap();
        testing::damage(&text, |text| {
            let _ = parse(text.as_bytes());
        });
    }

    #[test]
    fn the_last_record_of_a_boot_tells_when_it_was() {
        let boot = |seconds: u32| {
            let mut record = record(2, seconds);
            record[USER..USER + 6].copy_from_slice(b"reboot");
            record
        };
        assert_eq!(last_boot(&[boot(100), record(1, 110), record(7, 200)].concat()), Some(100));
        assert_eq!(last_boot(&[boot(100), record(1, 110), boot(90)].concat()), Some(90), "the last one");
        assert_eq!(last_boot(&[&boot(100)[..], &boot(200)[..300]].concat()), Some(100), "a torn record");
        let none =
            [record(1, 100), record(2, 100), boot(0), boot(100)[..RECORD - 1].to_vec(), vec![2; 4 * RECORD]];
        for bytes in none {
            assert_eq!(last_boot(&bytes), None, "{bytes:?}");
        }
        let text = String::from_utf8([boot(100), record(1, 101)].concat()).unwrap();
        testing::damage(&text, |text| {
            let _ = last_boot(text.as_bytes());
        });
        let dir = testing::tree(&[("run/utmp", &text), ("var/run", "-> ../run")]);
        assert_eq!(this_boot(&Host::recorded(dir.path())).unwrap(), 100);
        let why = |text: &str| {
            let dir = testing::tree(&[("var/run/utmp", text)]);
            this_boot(&Host::recorded(dir.path())).unwrap_err().to_string()
        };
        assert_eq!(why(""), "/var/run/utmp has no record of a boot");
        assert!(
            this_boot(&Host::recorded("/nonexistent")).unwrap_err().to_string().contains("/var/run/utmp")
        );
    }

    #[test]
    fn of_a_long_one_the_end_is_read() {
        let dir = testing::tree(&[("var/log/wtmp", "")]);
        let path = dir.path().join("var/log/wtmp");
        let end = [record(2, 100), record(1, 300), record(2, 400), vec![0; 100]].concat();
        // Records of nothing before them, which take no room, and a torn one behind them.
        let long = RECORD as u64 * 100_000;
        for before in [0, RECORD as u64, files::LARGEST / RECORD as u64 * RECORD as u64, long] {
            let file = files::open_with(&path, std::fs::OpenOptions::new().write(true), 0).unwrap();
            file.set_len(before + end.len() as u64).unwrap();
            std::os::unix::fs::FileExt::write_all_at(&file, &end, before).unwrap();
            let time = before_this_boot(&Host::recorded(dir.path()));
            assert_eq!(time.map(OffsetDateTime::unix_timestamp), Some(300), "{before}");
        }
    }
}
