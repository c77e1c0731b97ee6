//! Could a disk become the retention volume: blank, idle, writable? Reads only.
//!
//! Every doubt counts against the disk: what cannot be determined is neither blank nor idle.

pub mod blkid;
pub(crate) mod counts;
pub mod examine;
pub(crate) mod in_use;
mod many;
mod probing;
mod remains;
pub(crate) mod trouble;

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::time::Duration;

use nix::libc;
use serde::{Deserialize, Serialize};

use super::disks::{Disk, sysfs, users};
use super::mounts::Mount;
use super::retention::Volume;
use super::swaps::Swap;
use super::{Fact, signature};
use crate::host::apart::apart;
use crate::host::{DeviceNumber, Host, Kind, files, ioctl};
use blkid::Signatures;
use counts::Counts;

pub use many::probes;
pub use probing::Probing;

/// How long opening a disk may take: the SCSI layer lets nobody open one while it recovers.
const OPENING: Duration = Duration::from_secs(30);

/// The outcome of probing one disk: the `probe` of `disks --probe`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Kernel name of the disk.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub disk: String,
    /// Whether it is blank; `None` where that cannot be determined, which counts as not blank.
    pub blank: Option<bool>,
    /// What was found on it: `ext4 file system (libblkid)`, `non-zero bytes at offset 512`.
    pub found: Vec<String>,
    /// The file system that is alone on it, where one is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub volume: Option<Box<Volume>>,
    /// Whether some of it could not be read, which nobody can lift.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub unreadable: bool,
    /// What is wrong with the storage under it and what to do, where it could not be read and that is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub trouble: Option<Box<str>>,
    /// What uses it now: `mounted at /data (sdb1)`, `held by RAID md0 (sdb)`; and why that cannot be determined.
    pub in_use: Vec<String>,
    /// Whether anything was written to it since this boot, by the kernel's own count; `None`: not known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub written: Option<bool>,
    /// Whether it could become the retention volume.
    pub eligible: bool,
    /// Why not.
    pub why_not: Vec<String>,
    /// What is on it, for the disk that a person wants erased: [`examine::fingerprint`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fingerprint: Option<String>,
    /// What a person should know of an eligible disk: that none is needed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub note: Option<String>,
}

/// How much a probe looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    /// Whether the disk is blank.
    Blank,
    Fingerprint,
}

/// Probes `disk`, through its multipath map where it has one. Reading a disk needs root.
fn probe(
    host: &Host,
    disk: &Disk,
    mounts: &Fact<Vec<Mount>>,
    swaps: &Fact<Vec<Swap>>,
    depth: Depth,
) -> Probe {
    match host.kind() {
        Kind::Live => {}
        Kind::Recorded => return recorded(host, disk),
        Kind::Image => return refused(&disk.name, "an image's tree has no disks"),
    }
    let mut trial = Trial::new(host, disk, mounts, swaps, depth);
    if trial.nothing_to_read() {
        return trial.verdict();
    }
    let device = disk.device();
    let path = host.path(&device);
    // An exclusive open fails while the kernel has the disk or a part of it claimed: mounted, swap, RAID, LVM,
    // a map, another program's O_EXCL. It is given back at once, so that nobody else's claim fails for it.
    let is_busy =
        || files::node(&path, libc::O_EXCL).is_err_and(|error| error.raw_os_error() == Some(libc::EBUSY));
    match apart(&format!("opening {device}"), OPENING, &[], is_busy) {
        // Where the holder is known it has been named already.
        Ok(true) if trial.probe.in_use.is_empty() => {
            trial.probe.in_use.push("claimed by the kernel or another program (EBUSY)".into());
        }
        Ok(_) => {}
        Err(error) => {
            trial.unreadable(error.to_string());
            return trial.verdict();
        }
    }
    match files::node(&path, 0) {
        Ok(file) => trial.read(&file, &device),
        Err(error) => trial.doubts.push(sysfs::needs_root(&error, format!("opening {device}: {error}"))),
    }
    trial.verdict()
}

/// A probe under way.
struct Trial<'a> {
    host: &'a Host,
    disk: &'a Disk,
    probe: Probe,
    /// Why it cannot be determined whether the disk is blank.
    doubts: Vec<String>,
    /// Whether the bytes were read and the signatures looked for.
    read: bool,
    depth: Depth,
}

impl<'a> Trial<'a> {
    fn new(
        host: &'a Host,
        disk: &'a Disk,
        mounts: &Fact<Vec<Mount>>,
        swaps: &Fact<Vec<Swap>>,
        depth: Depth,
    ) -> Self {
        let mut probe = Probe { disk: disk.name.clone(), ..Probe::default() };
        for (fact, what) in [(unknown(mounts), "what is mounted"), (unknown(swaps), "what is swap")] {
            probe.why_not.extend(fact.map(|why| format!("{what} cannot be determined: {why}")));
        }
        let (no_mounts, no_swaps) = (Vec::new(), Vec::new());
        let mounts = mounts.known().unwrap_or(&no_mounts);
        let swaps = swaps.known().unwrap_or(&no_swaps);
        probe.in_use.extend(users::uses(disk, mounts, swaps).iter().map(ToString::to_string));
        probe.in_use.extend(in_use::loops(host, disk));
        // What is not known counts as a use, which nobody can lift.
        match in_use::writers(host, std::slice::from_ref(disk)) {
            Ok(writers) => probe.in_use.extend(writers),
            Err(error) => probe.in_use.push(format!("cannot determine who has it open: {error}")),
        }
        if !disk.partitions.is_empty() {
            let names: Vec<_> = disk.partitions.iter().map(|partition| partition.name.as_str()).collect();
            probe.found.push(format!("partitions {}", names.join(", ")));
        }
        if disk.read_only {
            probe.why_not.push("it is read-only".into());
        }
        Self { host, disk, probe, doubts: Vec::new(), read: false, depth }
    }

    /// Whether it is settled without reading the disk.
    fn nothing_to_read(&mut self) -> bool {
        let refusal = if let Some(map) = &self.disk.multipath
            && map.paths.first() != Some(&self.disk.name)
        {
            let first = map.paths.first().map_or("its first path", String::as_str);
            Some(format!(
                "it is one more path of the multipath map {}: the disk is probed as {first}",
                map.dm_name
            ))
        } else if let Some(what) = sysfs::not_a_disk(&self.disk.name).filter(|what| *what != "a loop device")
        {
            Some(format!("it is {what}, not a disk"))
        } else {
            (self.disk.size_bytes == 0).then(|| "its size is zero".into())
        };
        let settled = refusal.is_some();
        self.probe.why_not.extend(refusal);
        settled
    }

    fn unreadable(&mut self, why: String) {
        self.probe.unreadable = true;
        self.probe.trouble = trouble::of(self.host, self.disk).map(String::into_boxed_str);
        self.doubts.push(why);
    }

    /// What was written to it so far. That it is not known counts as a use, which nobody can lift.
    fn counted(&mut self) -> Option<Counts> {
        let counts = Counts::read(self.host, &counts::names(self.disk));
        counts
            .map_err(|why| {
                self.probe.in_use.push(format!("whether it is written to cannot be determined: {why}"));
            })
            .ok()
    }

    fn read(&mut self, file: &File, device: &str) {
        match self.identity(file, device) {
            Ok(size) => {
                let began = self.counted();
                self.probe.written = began.as_ref().map(Counts::any);
                let signatures = blkid::signatures(self.host, device);
                if self.depth == Depth::Fingerprint {
                    // Without one nothing is erased.
                    self.probe.fingerprint = examine::fingerprint(file, size, &signatures).ok();
                }
                match signatures {
                    Signatures::Nothing => {}
                    Signatures::Found(found) => {
                        self.probe.found.extend(found);
                        self.probe.volume = signature::read(self.host, device)
                            .ok()
                            .and_then(|found| found.volume().map(Box::new));
                    }
                    Signatures::Unknown(why) => self.doubts.push(why),
                }
                let examination = examine::examine(file, size);
                self.probe.found.extend(examination.found());
                if let Some(error) = examination.error {
                    self.unreadable(format!("{device}: {error}"));
                }
                // Who wrote to it meanwhile may be hidden from /proc, or gone.
                if let Some(began) = began
                    && let Some(now) = self.counted()
                {
                    self.probe.in_use.extend(began.moved(&now));
                }
                self.read = true;
            }
            Err(why) => self.doubts.push(why),
        }
    }

    /// Proves that `file` and the file at `device` both are the disk (or its map) that was described, and
    /// as large; returns the size in bytes.
    fn identity(&mut self, file: &File, device: &str) -> Result<u64, String> {
        let looking = |error: io::Error| format!("looking at {device}: {error}");
        let expected = self.disk.multipath.as_ref().map_or(self.disk.major_minor, |map| map.major_minor);
        let by_name = std::fs::metadata(self.host.path(device)).map_err(looking)?;
        for meta in [file.metadata().map_err(looking)?, by_name] {
            let number = DeviceNumber::of(meta.rdev());
            if !meta.file_type().is_block_device() || number != expected {
                return Err(format!("{device} is not the block device {expected} that it should be"));
            }
        }
        if ioctl::is_read_only(file).map_err(looking)? && !self.disk.read_only {
            self.probe.why_not.push("it is read-only".into());
        }
        let size = ioctl::size_bytes(file).map_err(looking)?;
        if size != self.disk.size_bytes {
            return Err(format!("{device} has {size} bytes now, and had {}", self.disk.size_bytes));
        }
        Ok(size)
    }

    fn verdict(self) -> Probe {
        let mut probe = self.probe;
        probe.blank = match (probe.found.is_empty(), self.read && self.doubts.is_empty()) {
            (false, _) => Some(false),
            (true, true) => Some(true),
            (true, false) => None,
        };
        let mut why_not = Vec::new();
        if !probe.in_use.is_empty() {
            why_not.push(format!("it is in use: {}", probe.in_use.join("; ")));
        }
        why_not.append(&mut probe.why_not);
        if !probe.found.is_empty() {
            why_not.push(format!("it is not blank: {}", probe.found.join("; ")));
        }
        if !self.doubts.is_empty() {
            why_not.push(format!("it cannot be determined whether it is blank: {}", self.doubts.join("; ")));
        }
        why_not.extend(probe.trouble.as_deref().map(str::to_owned));
        probe.eligible = probe.blank == Some(true) && why_not.is_empty();
        probe.why_not = why_not;
        probe
    }
}

fn unknown<T>(fact: &Fact<T>) -> Option<&str> {
    match fact {
        Fact::Known(_) => None,
        Fact::Unknown(why) | Fact::NotApplicable(why) => Some(why),
    }
}

fn refused(disk: &str, why: impl Into<String>) -> Probe {
    Probe { disk: disk.to_owned(), why_not: vec![why.into()], ..Probe::default() }
}

/// What a recording says: `commands/probe/NAME.json`.
fn recorded(host: &Host, disk: &Disk) -> Probe {
    let path = format!("/commands/probe/{}.json", disk.name);
    let read = host.read(&path).map_err(|error| format!("reading {path}: {error}"));
    read.and_then(|text| serde_json::from_str(&text).map_err(|error| format!("reading {path}: {error}")))
        .map_or_else(
            |why: String| refused(&disk.name, why),
            |probe| Probe { disk: disk.name.clone(), ..probe },
        )
}

#[cfg(test)]
mod tests;
