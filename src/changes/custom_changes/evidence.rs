//! What the host shows of a run: the files that the script rewrites, its marker, and its log. Its exit
//! status shows nothing: it is 0 when the root disk had no id, and 0 when it had already run.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::facts::custom_changes::words;
use crate::facts::multipath::{Dialect, parse::parse};
use crate::host::{Host, files, sync};
use crate::state::saved;
use crate::state::vendor_script::{Outcome, Record};

/// What the script is known to write (its log aside); the first three are there before it runs, or not.
const REWRITTEN: [&str; 4] =
    [MULTIPATH, "/etc/bashrc", "/usr/sbin/blacklistrootdev.sh", "/.blacklistrootdev"];

const MULTIPATH: &str = "/etc/multipath.conf";

/// Where it lists the packages that it misses.
const MISSING: &str = "/var/log/missing-packages.log";

/// How much of the log's new part is read, in bytes.
const LOG: u64 = 1 << 20;

pub struct Before {
    files: Vec<(&'static str, Option<State>)>,
    log: PathBuf,
    pub log_bytes: u64,
    missing: Option<Stamp>,
    /// Where copies of the files lie, if there were any.
    pub copies: Vec<PathBuf>,
}

/// What tells one writing of a file from another: inode, time of change in seconds and nanoseconds, size.
type Stamp = (u64, i64, i64, u64);

#[derive(PartialEq, Eq)]
struct State {
    content: Vec<u8>,
    mode: u32,
    owner: (u32, u32),
}

impl Before {
    /// Looks at the host, and keeps copies of the files that the script rewrites.
    /// Errors: A file cannot be read or copied: then the script must not run.
    pub fn take(host: &Host, log: &Path) -> Result<Self> {
        let stamp = saved::stamp("custom-changes");
        let mut copies = Vec::new();
        let mut files = Vec::new();
        for path in REWRITTEN {
            copies.extend(saved::keep(host, path, &stamp)?);
            files.push((path, state(host, path)?));
        }
        let log = host.path(log);
        let log_bytes = match fs::metadata(&log) {
            Ok(meta) if meta.is_file() => meta.len(),
            Ok(_) => bail!("{} is no regular file, and the script writes to it: move it away", log.display()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error).with_context(|| format!("looking at {}", log.display())),
        };
        Ok(Self { files, log, log_bytes, missing: stamp_of(host), copies })
    }

    /// Which of the files are not as they were, in words.
    pub fn changed(&self, host: &Host) -> Result<Vec<&'static str>> {
        let mut changed = Vec::new();
        for (path, before) in &self.files {
            if state(host, path)? != *before {
                changed.push(*path);
            }
        }
        Ok(changed)
    }

    /// What was added to the log since, decoded as far as it can be.
    /// Errors: It is there, but cannot be read.
    pub fn new_log(&self) -> Result<String> {
        let reading = || format!("reading {}", self.log.display());
        let mut file = match files::open(&self.log) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
            Err(error) => return Err(error).with_context(reading),
        };
        let length = file.metadata().with_context(reading)?.len();
        // A log that became shorter is a new one.
        let from = if length < self.log_bytes { 0 } else { self.log_bytes };
        file.seek(SeekFrom::Start(from.max(length.saturating_sub(LOG)))).with_context(reading)?;
        let bytes = files::read_at_most(file.take(LOG), LOG).with_context(reading)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The packages that the script has written down as missing since.
    pub fn missing_packages(&self, host: &Host) -> Vec<String> {
        let now = stamp_of(host);
        if now.is_none() || now == self.missing {
            return Vec::new();
        }
        host.read(MISSING).map(|list| words::packages(&list)).unwrap_or_default()
    }

    /// Where the copies lie, as the end of a sentence about what changed.
    pub fn kept(&self) -> String {
        let directory = self.copies.first().and_then(|copy| copy.parent());
        directory.map_or_else(String::new, |directory| {
            format!("; the files as they were are in {}", directory.display())
        })
    }
}

fn stamp_of(host: &Host) -> Option<Stamp> {
    let meta = fs::metadata(host.path(MISSING)).ok()?;
    Some((meta.ino(), meta.ctime(), meta.ctime_nsec(), meta.len()))
}

/// Waits until what the script wrote is on disk: it syncs nothing, and a machine that loses power would come up with
/// its marker and an empty multipath.conf.
pub fn settle(host: &Host, marker: &Path) -> Result<()> {
    for path in REWRITTEN.map(Path::new).into_iter().chain([marker]) {
        let path = host.path(path);
        match files::open(&path) {
            Ok(file) => file.sync_all().with_context(|| format!("syncing {}", path.display()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                return Err(error).with_context(|| format!("opening {} to sync it", path.display()));
            }
        }
        files::sync_parent(&path)?;
    }
    // What else an edition of the script writes.
    sync::system(host)
}

fn state(host: &Host, path: &str) -> Result<Option<State>> {
    let file = host.path(path);
    let read = || -> io::Result<State> {
        let meta = fs::metadata(&file)?;
        Ok(State { content: files::read(&file)?, mode: meta.mode(), owner: (meta.uid(), meta.gid()) })
    };
    match read() {
        Ok(state) => Ok(Some(state)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("reading {}", file.display())),
    }
}

/// The `wwid` entries of /etc/multipath.conf that are not empty: on a host where the script did its work,
/// one names the root disk.
/// Errors: The file is there, but cannot be read.
pub fn wwids(host: &Host) -> Result<Vec<String>> {
    let text = host.read_if_exists(MULTIPATH).with_context(|| format!("reading {MULTIPATH}"))?;
    let configuration = parse(text.unwrap_or_default().as_bytes(), Dialect::of(host)).configuration;
    Ok(configuration.blacklist_wwids.into_iter().filter(|id| !id.trim().is_empty()).collect())
}

pub fn in_words(record: &Record) -> String {
    let at = &record.started_at;
    match &record.outcome {
        // Of a run that this agent started the archive is on record.
        Outcome::Started if record.archive_sha256.is_empty() => {
            format!("was started at an unknown time and its end is not known (recorded at {at})")
        }
        Outcome::Started => format!("was started at {at} and its end is not known"),
        Outcome::Applied => format!("ran at {at}"),
        Outcome::Failed(why) => format!("failed at {at} ({why})"),
        Outcome::Observed => format!("was run by a person before {at}"),
        Outcome::Accepted => format!("was started at {at} and its changes were accepted by a person"),
    }
}
