//! What the vendor's ApplyCustomChanges.sh left, and what we recorded of its run.

pub(crate) mod running;
pub(crate) mod words;

use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::LazyLock;

use anyhow::{Result, bail};
use regex::Regex;
use serde::{Deserialize, Serialize};

use super::{Fact, boot_id, read};
use crate::host::{Host, Kind, files, sum, trust};
use crate::state::vendor_script;

pub use crate::state::vendor_script::{Outcome, Record};

/// The requirement under which a run is noted in the journal.
pub const APPLIED: &str = "custom-changes.applied";

/// The decision that a run asks for of which it is not proved that it did its work; one that was never started asks for none.
pub const ACCEPT: &str = "--custom-changes=accept";

/// The script that the vendor's script leaves to blacklist the root disk.
pub const BLACKLIST_SCRIPT: &str = "/usr/sbin/blacklistrootdev.sh";

/// The flag that says that this is wanted.
pub const BLACKLIST_FLAG: &str = "/.blacklistrootdev";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomChanges {
    /// The marker file, when it is there: seconds since 1970 of its last status change (ctime).
    pub marker_ctime_secs: Fact<Option<u64>>,
    /// What says FAILED at the end of /var/log/appliedmtcustomchanges.log, with what stands above it ([`words::judged`]); of
    /// the run that is recorded, where the record has where that begins. `Known(None)` when there is no log.
    pub log_tail: Fact<Option<String>>,
    /// The SCSI ID in /usr/sbin/blacklistrootdev.sh; `Known(None)` when the file is not there or has none.
    pub blacklistrootdev_id: Fact<Option<String>>,
    #[serde(default)]
    pub blacklistrootdev_script: bool,
    pub blacklistrootdev_flag: bool,
    pub record: Fact<Option<Record>>,
    /// A process of the recorded run that still lives.
    #[serde(default = "nobody")]
    pub running: Fact<Option<u32>>,
    /// Size in bytes of the archive that the profile names; `Known(None)` when there is no such file, or none is named.
    pub archive_bytes: Fact<Option<u64>>,
}

fn nobody() -> Fact<Option<u32>> {
    Fact::Known(None)
}

impl CustomChanges {
    pub fn unknown(why: &str) -> Self {
        Self {
            marker_ctime_secs: Fact::Unknown(why.into()),
            log_tail: Fact::Unknown(why.into()),
            blacklistrootdev_id: Fact::Unknown(why.into()),
            blacklistrootdev_script: false,
            blacklistrootdev_flag: false,
            record: Fact::Unknown(why.into()),
            running: Fact::Unknown(why.into()),
            archive_bytes: Fact::Unknown(why.into()),
        }
    }
}

/// Whether the profile pins the SHA-256 of the vendor's archive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pinned {
    /// It may be anybody's.
    Yes,
    /// It has to be root's alone.
    #[default]
    No,
}

/// Reads what the script left; `marker`, `log` and `archive` are the profile's, and so is whether that is pinned.
pub fn load(host: &Host, marker: &Path, log: &Path, archive: Option<&Path>, pinned: Pinned) -> CustomChanges {
    let id = || -> Result<Option<String>> {
        Ok(read::text_if_exists(host, BLACKLIST_SCRIPT)?.and_then(|text| parse_blacklist_script(&text)))
    };
    // Once the script has run it is of no account who can write the archive; and the owners in a tree are not this machine's.
    let is_asked = host.is_live() && pinned == Pinned::No && !host.exists(marker);
    let archive_bytes = || -> Result<Option<u64>> {
        let Some(archive) = archive else { return Ok(None) };
        let size = archive_size(host, archive)?;
        // What root would run when others can write it is unknown.
        if is_asked && size.is_some() {
            trusted(archive)?;
        }
        Ok(size)
    };
    let record: Fact<Option<Record>> = Fact::from_result(vendor_script::read(host));
    let from = record.known().and_then(|record| record.as_ref()?.log_bytes).unwrap_or_default();
    CustomChanges {
        marker_ctime_secs: Fact::from_result(marker_ctime(host, marker)),
        log_tail: Fact::from_result(log_tail(host, log, from)),
        blacklistrootdev_id: Fact::from_result(id()),
        blacklistrootdev_script: host.exists(BLACKLIST_SCRIPT),
        blacklistrootdev_flag: host.exists(BLACKLIST_FLAG),
        running: still_running(host, &record),
        record,
        archive_bytes: Fact::from_result(archive_bytes()),
    }
}

fn still_running(host: &Host, record: &Fact<Option<Record>>) -> Fact<Option<u32>> {
    match record {
        Fact::Known(Some(record)) if record.process.is_some() && host.kind() != Kind::Image => {
            let boot_id = read::text(host, boot_id::PATH);
            Fact::from_result(boot_id.and_then(|boot_id| running::living(host, boot_id.trim(), record)))
        }
        // Without a process on record there is none to look for.
        Fact::Known(_) => Fact::Known(None),
        Fact::Unknown(why) | Fact::NotApplicable(why) => Fact::Unknown(why.clone()),
    }
}

/// The most bytes that the vendor's archive may have: it has some hundred MiB.
pub const LARGEST_ARCHIVE: u64 = 2 << 30;

/// The archive's size, where it is a file.
fn archive_size(host: &Host, archive: &Path) -> Result<Option<u64>> {
    let found = host.resolve(archive).and_then(|path| path.metadata());
    let meta = read::if_there(&archive.display().to_string(), found)?;
    Ok(meta.filter(|meta| meta.is_file()).map(|meta| meta.len()))
}

fn trusted(archive: &Path) -> Result<()> {
    let name = archive.display().to_string();
    let seen = trust::look(Path::new("/"), archive).map_err(|error| read::explain(&name, error))?;
    let Some(doubt) = seen.doubt else { return Ok(()) };
    let sum = sum::to_pin(&seen.file, LARGEST_ARCHIVE).map_err(|error| read::explain(&name, error))?;
    bail!("{name}: {}", doubt.unless_pinned("custom-changes.sha256", &sum))
}

fn marker_ctime(host: &Host, marker: &Path) -> Result<Option<u64>> {
    let name = marker.display().to_string();
    anyhow::ensure!(marker.file_name().is_some(), "no marker file is named");
    read::ctime(host, &name)
}

/// How much of the log's end is looked at, in bytes; a log can be of any size.
const TAIL: u64 = 64 << 10;

/// From byte `from` on, where the log is that long: one that became shorter is a new one.
fn log_tail(host: &Host, log: &Path, from: u64) -> Result<Option<String>> {
    let name = log.display().to_string();
    anyhow::ensure!(log.file_name().is_some(), "no log file is named");
    let read = || -> io::Result<Vec<u8>> {
        let mut file = files::open(&host.resolve(log)?)?;
        let length = file.metadata()?.len();
        let from = if length < from { 0 } else { from };
        file.seek(SeekFrom::Start(from.max(length.saturating_sub(TAIL))))?;
        files::read_at_most(file.take(TAIL), TAIL)
    };
    Ok(read::if_there(&name, read())?.map(|bytes| words::judged(&String::from_utf8_lossy(&bytes))))
}

/// The SCSI ID that the script carries literally: NAA (3 and 16 or 32 hex digits) or EUI-64 (2 and 16 or more).
pub fn parse_blacklist_script(script: &str) -> Option<String> {
    static ID: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\b(3[0-9A-Fa-f]{32}|3[0-9A-Fa-f]{16}|2[0-9A-Fa-f]{16,32})\b").ok());
    let code = |line: &&str| !line.trim_start().starts_with('#');
    let id = |line: &str| Some(ID.as_ref()?.find(line)?.as_str().to_owned());
    script.lines().filter(code).find_map(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;
    use crate::state::paths::VENDOR_SCRIPT;
    use crate::state::vendor_script::Outcome;

    const MARKER: &str = "/etc/.appliedmtcustomchanges";
    const LOG: &str = "/var/log/appliedmtcustomchanges.log";

    fn look(dir: &Path) -> CustomChanges {
        load(
            &Host::recorded(dir),
            Path::new(MARKER),
            Path::new(LOG),
            Some(Path::new("/root/agent.tar.gz")),
            Pinned::No,
        )
    }

    #[test]
    fn an_untouched_host_has_nothing_and_that_is_known() {
        let dir = testing::tree(&[]);
        let none = CustomChanges {
            marker_ctime_secs: Fact::Known(None),
            log_tail: Fact::Known(None),
            blacklistrootdev_id: Fact::Known(None),
            blacklistrootdev_script: false,
            blacklistrootdev_flag: false,
            record: Fact::Known(None),
            running: Fact::Known(None),
            archive_bytes: Fact::Known(None),
        };
        assert_eq!(look(dir.path()), none);
    }

    #[test]
    fn marker_log_script_and_record_are_read() {
        let record =
            Record { outcome: Outcome::Failed("no disk".into()), process: None, ..running::tests::record() };
        let log: String = (1..=100).map(|n| format!("line {n} \u{1b}[2J\n")).collect();
        let log = log.replace("line 70", "line 70 FAILED");
        let dir = testing::tree(&[
            (&MARKER[1..], ""),
            ("commands/ctime", "/etc/.appliedmtcustomchanges 1420000000\n"),
            (&LOG[1..], &log),
            (
                &BLACKLIST_SCRIPT[1..],
                "#!/bin/sh\n# 36000c290000000000000000000000000\nID=36000c2982b5df41a25811b07e74971e8\n",
            ),
            (".blacklistrootdev", ""),
            (&VENDOR_SCRIPT[1..], &serde_json::to_string(&record).unwrap()),
        ]);
        let seen = look(dir.path());
        assert_eq!(seen.marker_ctime_secs, Fact::Known(Some(1_420_000_000)));
        let tail = seen.log_tail.known().cloned().flatten().unwrap();
        assert_eq!((tail.lines().count(), tail.lines().next()), (3, Some("line 68 \\u{1b}[2J")));
        assert_eq!(seen.blacklistrootdev_id, Fact::Known(Some("36000c2982b5df41a25811b07e74971e8".into())));
        assert!(seen.blacklistrootdev_flag && seen.blacklistrootdev_script);
        assert_eq!(seen.record, Fact::Known(Some(record)));
    }

    #[test]
    fn of_the_log_the_part_of_the_recorded_run_counts_and_a_failure_before_its_last_lines() {
        let earlier = "earlier: FAILED\n";
        let more = "more\n".repeat(50);
        let text = |log_bytes: Option<usize>, log: &str| {
            let log_bytes = log_bytes.map(|bytes| bytes as u64);
            let applied = Record { outcome: Outcome::Applied, process: None, ..running::tests::record() };
            let record = Record { log_bytes, ..applied };
            let record = serde_json::to_string(&record).unwrap();
            let dir = testing::tree(&[(&LOG[1..], log), (&VENDOR_SCRIPT[1..], &record)]);
            look(dir.path()).log_tail.known().cloned().flatten().unwrap()
        };
        let log = format!("{earlier}begin\n{more}");
        assert_eq!(text(None, &log), "earlier: FAILED");
        assert_eq!(text(Some(earlier.len()), &log), "", "what nobody judges is not kept");
        assert!(text(Some(log.len() + 1), &log).contains("FAILED"), "it is a new log");
        let own = format!("{earlier}now: FAILED\n{more}");
        assert_eq!(text(Some(earlier.len()), &own).matches("FAILED").count(), 1);
    }

    #[test]
    fn a_huge_log_is_read_from_its_end() {
        let dir = testing::tree(&[(&LOG[1..], "begin\n")]);
        let file = std::fs::File::options().append(true).open(dir.path().join(&LOG[1..])).unwrap();
        file.set_len(1 << 40).unwrap();
        io::Write::write_all(&mut &file, b"\nFAILED\nend\n").unwrap();
        let tail = look(dir.path()).log_tail.known().cloned().flatten().unwrap();
        assert!(tail.ends_with("\nFAILED") && tail.len() < 20_000, "{}", tail.len());
    }

    #[test]
    fn ids_are_whole_words_of_code() {
        let id = |script: &str| parse_blacklist_script(script);
        assert_eq!(id("x=236000c2982b5df41a25811b07e74971e8ff00"), None);
        assert_eq!(id("ROOT=\"3500507630afffc2e\"").as_deref(), Some("3500507630afffc2e"));
        assert_eq!(id("multipath -f 1234\n"), None);
        testing::damage("a=36000c2982b5df41a25811b07e74971e8\n", |text| drop(id(text)));
    }

    #[test]
    fn a_marker_of_unknown_age_is_unknown() {
        let dir = testing::tree(&[(&MARKER[1..], "")]);
        let Fact::Unknown(why) = look(dir.path()).marker_ctime_secs else { panic!() };
        assert_eq!(why, "/etc/.appliedmtcustomchanges is there, but the recording does not say since when");
        let unnamed = load(&Host::recorded(dir.path()), Path::new(""), Path::new(""), None, Pinned::No);
        assert_eq!(unnamed.marker_ctime_secs, Fact::Unknown("no marker file is named".into()));
        assert_eq!(unnamed.log_tail, Fact::Unknown("no log file is named".into()));
        let live = load(&Host::image(dir.path()), Path::new(MARKER), Path::new(LOG), None, Pinned::No)
            .marker_ctime_secs;
        assert!(matches!(live, Fact::Known(Some(secs)) if secs > 1_500_000_000));
    }
}
