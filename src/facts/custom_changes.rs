//! What the vendor's ApplyCustomChanges.sh left, and what we recorded of its run.

use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use regex::Regex;
use serde::{Deserialize, Serialize};

use super::{Fact, decode, read};
use crate::host::{Host, Kind, files, sum, text, trust};

/// Where our own record of the run lies: written before the script starts and after it ended.
pub const RECORD: &str = "/var/lib/mt-agent/custom-changes.json";

/// The version of the record.
pub const SCHEMA: &str = "mt-agent/custom-changes/v1";

/// The script that the vendor's script leaves to blacklist the root disk.
pub const BLACKLIST_SCRIPT: &str = "/usr/sbin/blacklistrootdev.sh";

/// The flag that says that this is wanted.
pub const BLACKLIST_FLAG: &str = "/.blacklistrootdev";

/// State of the custom changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomChanges {
    /// The marker file, when it is there: seconds since 1970 of its last status change (ctime).
    pub marker_ctime_secs: Fact<Option<u64>>,
    /// The end of /var/log/appliedmtcustomchanges.log, at most 40 lines; `Known(None)` when there is none.
    pub log_tail: Fact<Option<String>>,
    /// The SCSI ID in /usr/sbin/blacklistrootdev.sh; `Known(None)` when the file is not there or has none.
    pub blacklistrootdev_id: Fact<Option<String>>,
    /// Whether /.blacklistrootdev is there.
    pub blacklistrootdev_flag: bool,
    /// Our record.
    pub record: Fact<Option<Record>>,
    /// Size in bytes of the archive that the profile names; `Known(None)` when there is no such file, or none is named.
    pub archive_bytes: Fact<Option<u64>>,
}

/// Our record of the one run of the vendor script: [`RECORD`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// `mt-agent/custom-changes/v1`.
    pub schema: String,
    /// SHA-256 of the archive, lower-case hex; empty when a person ran the script and we only observed it.
    pub archive_sha256: String,
    /// Boot id under which it was started (or first observed).
    pub boot_id: String,
    /// When, RFC 3339 UTC.
    pub started_at: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was about to start; if this is what is found later, the run was interrupted and its state is unknown.
    Started,
    /// Judged from the host as having done its work.
    Applied,
    /// It reached no end, and why; the host is known to lack its changes.
    Failed(String),
    /// A person ran it; seen by `apply` under the recorded boot id.
    Observed,
    /// A person decided, after an interrupted run, that the changes are in place (`--custom-changes=accept`).
    Accepted,
}

impl CustomChanges {
    /// Nothing is known, for one reason.
    #[must_use]
    pub fn unknown(why: &str) -> Self {
        Self {
            marker_ctime_secs: Fact::Unknown(why.into()),
            log_tail: Fact::Unknown(why.into()),
            blacklistrootdev_id: Fact::Unknown(why.into()),
            blacklistrootdev_flag: false,
            record: Fact::Unknown(why.into()),
            archive_bytes: Fact::Unknown(why.into()),
        }
    }
}

/// Reads what the script left; `marker`, `log` and `archive` are the profile's, and so is whether its SHA-256 is pinned.
#[must_use]
pub fn load(
    host: &Host,
    marker: &Path,
    log: &Path,
    archive: Option<&Path>,
    is_pinned: bool,
) -> CustomChanges {
    let id = || -> Result<Option<String>> {
        Ok(read::text_if_exists(host, BLACKLIST_SCRIPT)?.and_then(|text| parse_blacklist_script(&text)))
    };
    // Once the script has run it is of no account who can write the archive; and a tree says of its owners what it likes.
    let is_asked = host.is_live() && !is_pinned && !host.exists(marker);
    let archive_bytes = archive.map_or(Ok(None), |archive| archive_size(host, archive, is_asked));
    CustomChanges {
        marker_ctime_secs: Fact::from_result(marker_ctime(host, marker)),
        log_tail: Fact::from_result(log_tail(host, log)),
        blacklistrootdev_id: Fact::from_result(id()),
        blacklistrootdev_flag: host.exists(BLACKLIST_FLAG),
        record: read::record(host, RECORD, SCHEMA),
        archive_bytes: Fact::from_result(archive_bytes),
    }
}

/// How long the SHA-256 to pin may take: a look at the host is not to take minutes.
const SUMMING: Duration = Duration::from_secs(4);

/// The archive's size, where it is a file; with `is_asked` it is unknown what root would run when others can write it.
fn archive_size(host: &Host, archive: &Path, is_asked: bool) -> Result<Option<u64>> {
    match host.resolve(archive).and_then(|path| path.metadata()) {
        Ok(meta) if !meta.is_file() => Ok(None),
        Ok(meta) => {
            if is_asked {
                trusted(archive)?;
            }
            Ok(Some(meta.len()))
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(read::explain(&archive.display().to_string(), error)),
    }
}

fn trusted(archive: &Path) -> Result<()> {
    let name = archive.display().to_string();
    let seen = trust::look(Path::new("/"), archive).map_err(|error| read::explain(&name, error))?;
    let Some(doubt) = seen.doubt else { return Ok(()) };
    let sum = sum::sha256_within(&seen.file, SUMMING).map_err(|error| read::explain(&name, error))?;
    let sum = sum.unwrap_or_else(|| "what sha256sum says of it".to_owned());
    bail!("{name}: {}", doubt.unless_pinned("custom-changes.sha256", &sum))
}

fn marker_ctime(host: &Host, marker: &Path) -> Result<Option<u64>> {
    let name = marker.display().to_string();
    anyhow::ensure!(marker.file_name().is_some(), "no marker file is named");
    match host.resolve(marker).and_then(|path| path.metadata()) {
        Ok(_) if host.kind() == Kind::Recorded => recorded_ctime(host, &name).map(Some),
        Ok(meta) => {
            u64::try_from(meta.ctime()).map(Some).with_context(|| format!("{name} is older than 1970"))
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(read::explain(&name, error)),
    }
}

/// A copy of a tree has times of its own: those of the machine stand in lines `PATH SECONDS`.
fn recorded_ctime(host: &Host, path: &str) -> Result<u64> {
    let text = host.read("/commands/ctime").unwrap_or_default();
    let found = text.lines().find_map(|line| {
        let (name, secs) = line.rsplit_once(' ')?;
        (decode::octal(name) == path).then(|| secs.trim().parse().ok()).flatten()
    });
    found.with_context(|| format!("{path} is there, but the recording does not tell since when"))
}

/// How much of the log's end is looked at, in bytes; a log can be of any size.
const TAIL: u64 = 64 << 10;

fn log_tail(host: &Host, log: &Path) -> Result<Option<String>> {
    let name = log.display().to_string();
    anyhow::ensure!(log.file_name().is_some(), "no log file is named");
    let read = || -> io::Result<Vec<u8>> {
        let mut file = files::open(&host.resolve(log)?)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        files::read_at_most(file.take(TAIL), TAIL)
    };
    match read() {
        Ok(bytes) => Ok(Some(tail(&String::from_utf8_lossy(&bytes)))),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(read::explain(&name, error)),
    }
}

/// The last 40 lines, each cut to 500 characters, without credentials and without control characters.
pub(crate) fn tail(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    let kept = lines.iter().skip(lines.len().saturating_sub(40));
    let line = |line: &&str| text::safe(&text::without_secrets(line)).chars().take(500).collect::<String>();
    kept.map(line).collect::<Vec<_>>().join("\n")
}

/// The SCSI ID that the script carries literally: NAA (3 and 16 or 32 hex digits) or EUI-64 (2 and 16 or more).
#[must_use]
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

    const MARKER: &str = "/etc/.appliedmtcustomchanges";
    const LOG: &str = "/var/log/appliedmtcustomchanges.log";

    fn look(dir: &Path) -> CustomChanges {
        load(
            &Host::recorded(dir),
            Path::new(MARKER),
            Path::new(LOG),
            Some(Path::new("/root/agent.tar.gz")),
            false,
        )
    }

    #[test]
    fn an_untouched_host_has_nothing_and_that_is_known() {
        let dir = testing::tree(&[]);
        let none = CustomChanges {
            marker_ctime_secs: Fact::Known(None),
            log_tail: Fact::Known(None),
            blacklistrootdev_id: Fact::Known(None),
            blacklistrootdev_flag: false,
            record: Fact::Known(None),
            archive_bytes: Fact::Known(None),
        };
        assert_eq!(look(dir.path()), none);
    }

    #[test]
    fn marker_log_script_and_record_are_read() {
        let record = Record {
            schema: SCHEMA.into(),
            archive_sha256: "ab".into(),
            boot_id: "b".into(),
            started_at: "2015-01-01T00:00:00Z".into(),
            outcome: Outcome::Failed("no disk".into()),
        };
        let log: String = (1..=100).map(|n| format!("line {n} \u{1b}[2J\n")).collect();
        let dir = testing::tree(&[
            (&MARKER[1..], ""),
            ("commands/ctime", "/etc/.appliedmtcustomchanges 1420000000\n"),
            (&LOG[1..], &log),
            (
                &BLACKLIST_SCRIPT[1..],
                "#!/bin/sh\n# 36000c290000000000000000000000000\nID=36000c2982b5df41a25811b07e74971e8\n",
            ),
            (".blacklistrootdev", ""),
            (&RECORD[1..], &serde_json::to_string(&record).unwrap()),
        ]);
        let seen = look(dir.path());
        assert_eq!(seen.marker_ctime_secs, Fact::Known(Some(1_420_000_000)));
        let tail = seen.log_tail.known().cloned().flatten().unwrap();
        assert_eq!((tail.lines().count(), tail.lines().next()), (40, Some("line 61 \\u{1b}[2J")));
        assert_eq!(seen.blacklistrootdev_id, Fact::Known(Some("36000c2982b5df41a25811b07e74971e8".into())));
        assert!(seen.blacklistrootdev_flag);
        assert_eq!(seen.record, Fact::Known(Some(record)));
    }

    #[test]
    fn a_huge_log_is_read_from_its_end() {
        let dir = testing::tree(&[(&LOG[1..], "begin\n")]);
        let file = std::fs::File::options().append(true).open(dir.path().join(&LOG[1..])).unwrap();
        file.set_len(1 << 40).unwrap();
        io::Write::write_all(&mut &file, b"\nend\n").unwrap();
        let tail = look(dir.path()).log_tail.known().cloned().flatten().unwrap();
        assert!(tail.ends_with("\nend") && tail.len() < 20_000, "{}", tail.len());
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
        assert_eq!(why, "/etc/.appliedmtcustomchanges is there, but the recording does not tell since when");
        let unnamed = load(&Host::recorded(dir.path()), Path::new(""), Path::new(""), None, false);
        assert_eq!(unnamed.marker_ctime_secs, Fact::Unknown("no marker file is named".into()));
        assert_eq!(unnamed.log_tail, Fact::Unknown("no log file is named".into()));
        let live =
            load(&Host::image(dir.path()), Path::new(MARKER), Path::new(LOG), None, false).marker_ctime_secs;
        assert!(matches!(live, Fact::Known(Some(secs)) if secs > 1_500_000_000));
    }
}
