//! What the kernel counts of a disk: who writes to it shows here, however it is hidden from /proc (a node outside of
//! /dev, another namespace, a mapping whose descriptor is closed). SCSI pass-through and what other machines do to the
//! same disk are not counted.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use crate::facts::disks::Disk;
use crate::host::Host;

/// How long a write may be under way that may be none: a flush without data counts as one until it ends.
const FLUSH: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(5);

/// The counts of a disk: those of its multipath map, and of each path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts(BTreeMap<String, Count>);

/// The counts of one device since it came to be. Those of its partitions are among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    /// Sectors of 512 bytes written. Until 4.18 those discarded are among them.
    written: u64,
    /// Sectors discarded.
    discarded: u64,
    /// Writes in flight, flushes without data among them.
    in_flight: u64,
}

/// The kernel names of what must not be written to: the map, and each of its paths; or the disk alone.
pub fn names(disk: &Disk) -> Vec<&str> {
    match &disk.multipath {
        None => vec![&disk.name],
        Some(map) => [&map.name].into_iter().chain(&map.paths).map(String::as_str).collect(),
    }
}

impl Counts {
    /// Reads the counts of the devices with these kernel names, once no write is in flight.
    /// Errors: A write stays in flight, or it cannot be determined: a count cannot be read, or the kernel keeps
    /// none.
    pub fn read(host: &Host, names: &[&str]) -> Result<Self, String> {
        let started = Instant::now();
        loop {
            let counts = Self::now(host, names)?;
            let Some(name) = counts.0.iter().find_map(|(name, count)| (count.in_flight > 0).then_some(name))
            else {
                return Ok(counts);
            };
            if started.elapsed() > FLUSH {
                return Err(format!("a write to {name} is in flight"));
            }
            thread::sleep(PAUSE);
        }
    }

    fn now(host: &Host, names: &[&str]) -> Result<Self, String> {
        names
            .iter()
            .map(|name| Ok(((*name).to_owned(), Count::read(host, name)?)))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// What was written from these counts to the `later` ones; none: nothing.
    pub fn moved(&self, later: &Self) -> Vec<String> {
        let mut moved = Vec::new();
        for (name, now) in &later.0 {
            match self.0.get(name) {
                None => moved.push(format!("{name} came to it")),
                // Not only more: less is another device of that name.
                Some(then) => moved.extend(
                    [
                        (then.written, now.written, "written to"),
                        (then.discarded, now.discarded, "discarded on"),
                    ]
                    .into_iter()
                    .filter(|(then, now, _)| then != now)
                    .map(|(then, now, what)| match now.checked_sub(then) {
                        Some(sectors) => format!("{} bytes were {what} {name}", sectors.saturating_mul(512)),
                        None => format!("the count of what was {what} {name} began anew"),
                    }),
                ),
            }
        }
        moved.extend(
            self.0.keys().filter(|name| !later.0.contains_key(*name)).map(|name| format!("{name} went away")),
        );
        moved
    }

    /// Whether anything was ever written to it or discarded on it, since it came to be at this boot.
    pub fn any(&self) -> bool {
        self.0.values().any(|count| count.written > 0 || count.discarded > 0)
    }
}

impl Count {
    fn read(host: &Host, name: &str) -> Result<Self, String> {
        let read = |file: &str| {
            let path = format!("/sys/block/{name}/{file}");
            host.read(&path).map_err(|error| format!("reading {path}: {error}"))
        };
        match read("queue/iostats")?.trim() {
            "1" => {}
            "0" => {
                return Err(format!(
                    "the kernel keeps no count of what is written to {name}: echo 1 >/sys/block/{name}/queue/iostats"
                ));
            }
            other => {
                return Err(format!("/sys/block/{name}/queue/iostats holds \"{other}\", 1 was expected"));
            }
        }
        let (stat, inflight) = (read("stat")?, read("inflight")?);
        parse(&stat, &inflight).ok_or_else(|| {
            format!(
                "/sys/block/{name}/stat and inflight hold \"{}\" and \"{}\"",
                stat.trim(),
                inflight.trim()
            )
        })
    }
}

/// `stat` and `inflight` of a block device (kernel: Documentation/block/stat.rst): 11 numbers, since 4.18 with four more
/// for discards.
fn parse(stat: &str, inflight: &str) -> Option<Count> {
    let numbers = |text: &str| -> Option<Vec<u64>> {
        text.split_ascii_whitespace().map(|word| word.parse().ok()).collect()
    };
    let (stat, inflight) = (numbers(stat)?, numbers(inflight)?);
    let discarded = match stat.len() {
        11 => 0,
        15.. => stat[13],
        _ => return None,
    };
    let [_, in_flight] = inflight[..] else { return None };
    Some(Count { written: stat[6], discarded, in_flight })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::disks::Map;
    use crate::facts::testing;
    use crate::testing::begins;

    /// As 2.6.32 prints them, and as 6.1 does.
    const OLD: &str = "     120        3     2460      144        7        1      640       12        0      110      156\n";
    const NEW: &str = " 120 3 2460 144 7 1 640 12 0 110 156 2 0 2048 5 9 3\n";

    fn host(files: &[(&str, &str)]) -> (tempfile::TempDir, Host) {
        let files: Vec<(String, &str)> =
            files.iter().map(|(path, text)| (format!("sys/block/{path}"), *text)).collect();
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
        let dir = testing::tree(&files);
        let host = Host::recorded(dir.path());
        (dir, host)
    }

    fn of(stat: &str, inflight: &str) -> Result<Counts, String> {
        let (_dir, host) =
            host(&[("sdb/stat", stat), ("sdb/inflight", inflight), ("sdb/queue/iostats", "1\n")]);
        Counts::read(&host, &["sdb"])
    }

    #[test]
    fn both_shapes_are_understood_and_others_are_not() {
        assert_eq!(
            parse(OLD, "       0        2\n"),
            Some(Count { written: 640, discarded: 0, in_flight: 2 })
        );
        assert_eq!(parse(NEW, "4 0"), Some(Count { written: 640, discarded: 2048, in_flight: 0 }));
        for (stat, inflight) in [("", "0 0"), ("1 2 3", "0 0"), (OLD, ""), (OLD, "0"), ("1 2 3 x", "0 0")] {
            assert_eq!(parse(stat, inflight), None, "{stat:?} {inflight:?}");
        }
        testing::damage(NEW, |text| {
            let _ = parse(text, text);
        });
    }

    #[test]
    fn writes_and_discards_are_movement_and_reads_and_flushes_are_none() {
        let began = of(NEW, "0 0").unwrap();
        let moved = |stat: &str| began.moved(&of(stat, "0 0").unwrap());
        // More reads, more flushes, a write request without data, more time.
        assert_eq!(moved("990 3 92460 199 8 1 640 99 0 990 999 2 0 2048 5 77 9"), [""; 0]);
        assert_eq!(
            moved("120 3 2460 144 8 1 648 12 0 110 156 2 0 2048 5 9 3"),
            ["4096 bytes were written to sdb"]
        );
        assert_eq!(
            moved("120 3 2460 144 7 1 640 12 0 110 156 3 0 2056 5 9 3"),
            ["4096 bytes were discarded on sdb"]
        );
        assert_eq!(
            moved("0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"),
            [
                "the count of what was written to sdb began anew",
                "the count of what was discarded on sdb began anew"
            ]
        );
        let old = of(OLD, "0 0").unwrap();
        assert_eq!(old.moved(&old), [""; 0]);
        // 2.6.32 counts what was discarded among the sectors written.
        let discarded = of(&OLD.replace("640", "2688"), "0 0").unwrap();
        assert_eq!(old.moved(&discarded), ["1048576 bytes were written to sdb"]);
    }

    #[test]
    fn anything_since_the_boot_is_told() {
        assert!(of(NEW, "0 0").unwrap().any() && of(OLD, "0 0").unwrap().any());
        assert!(!of("120 3 2460 144 7 0 0 0 0 110 156", "0 0").unwrap().any());
        assert!(of("120 3 2460 144 0 0 0 0 0 110 156 1 0 8 1", "0 0").unwrap().any());
    }

    #[test]
    fn what_is_not_counted_or_stays_in_flight_is_no_calm() {
        let (_dir, host) = host(&[("sdb/stat", OLD), ("sdb/inflight", "0 0"), ("sdb/queue/iostats", "0\n")]);
        let error = Counts::read(&host, &["sdb"]).unwrap_err();
        assert_eq!(
            error,
            "the kernel keeps no count of what is written to sdb: echo 1 >/sys/block/sdb/queue/iostats"
        );
        begins(&Counts::read(&host, &["sdc"]).unwrap_err(), "reading /sys/block/sdc/queue/iostats: ");
        assert_eq!(of(OLD, "0 1").unwrap_err(), "a write to sdb is in flight");
        assert!(of("x", "0 0").unwrap_err().starts_with("/sys/block/sdb/stat and inflight hold"));
    }

    #[test]
    fn of_a_map_its_paths_count_too() {
        let disk = |multipath| Disk { name: "sdb".into(), multipath, ..Disk::default() };
        assert_eq!(names(&disk(None)), ["sdb"]);
        let map = Map { name: "dm-0".into(), paths: vec!["sdb".into(), "sdc".into()], ..Map::default() };
        assert_eq!(names(&disk(Some(map))), ["dm-0", "sdb", "sdc"]);
        let (one, both) = (
            Counts([("sdb".to_owned(), Count::default())].into()),
            Counts([("sdb".to_owned(), Count::default()), ("sdc".to_owned(), Count::default())].into()),
        );
        assert_eq!(one.moved(&both), ["sdc came to it"]);
        assert_eq!(both.moved(&one), ["sdc went away"]);
    }
}
