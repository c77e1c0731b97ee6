//! When this machine was still alive before this boot: what init and login wrote into wtmp(5).

use time::OffsetDateTime;

use crate::host::{Host, files};

/// Where it lies. A system without it (Debian 13 on) has one sign of life less.
const PATH: &str = "/var/log/wtmp";

/// Bytes of a record, `struct utmp` of x86_64: utmp(5), glibc's bits/utmp.h. The same on el6 and now.
const RECORD: usize = 384;

/// Where a record has its type, a `short`, and its time, 32 bits of seconds since 1970.
const TYPE: usize = 0;
const SECONDS: usize = 340;

/// The type of the record that the start of a system writes.
const BOOT_TIME: u16 = 2;

/// The times of the records before this boot's. Where this boot has written none, they are those before an earlier one:
/// too old, and never too new. None where they cannot be read.
#[must_use]
pub fn before_this_boot(host: &Host) -> Vec<OffsetDateTime> {
    let path = host.resolve(PATH);
    path.and_then(|path| files::read(&path)).map(|bytes| parse(&bytes)).unwrap_or_default()
}

/// The times of the records before the last one of a boot, by their order in the file: clocks may be wrong.
fn parse(bytes: &[u8]) -> Vec<OffsetDateTime> {
    let records: Vec<_> = bytes.chunks_exact(RECORD).collect();
    let is_boot = |record: &&[u8]| u16::from_le_bytes([record[TYPE], record[TYPE + 1]]) == BOOT_TIME;
    let before = records.iter().rposition(is_boot).unwrap_or(0);
    let time = |record: &&[u8]| {
        let seconds = record[SECONDS..].first_chunk().map(|bytes| u32::from_le_bytes(*bytes))?;
        OffsetDateTime::from_unix_timestamp(seconds.into()).ok()
    };
    records[..before].iter().filter_map(time).collect()
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

    fn seconds(bytes: &[u8]) -> Vec<i64> {
        parse(bytes).into_iter().map(OffsetDateTime::unix_timestamp).collect()
    }

    #[test]
    fn only_what_stands_before_the_last_boot_is_of_earlier_ones() {
        // A boot, a login, the runlevel 6; this boot, whose clock was two minutes late, and its runlevel.
        let all =
            [(2, 100), (7, 200), (1, 300), (2, 180), (1, 310)].map(|(kind, at)| record(kind, at)).concat();
        assert_eq!(seconds(&all), [100, 200, 300]);
        assert_eq!(seconds(&[all.as_slice(), &[7; 100]].concat()), [100, 200, 300], "a torn record");
        assert_eq!(seconds(&[record(7, 200), record(1, 300)].concat()), [0_i64; 0]);
        assert!(before_this_boot(&Host::recorded("/nonexistent")).is_empty());
        let text = String::from_utf8([record(2, 100), record(1, 101)].concat()).unwrap();
        testing::damage(&text, |text| drop(parse(text.as_bytes())));
    }
}
