//! What a device carries, as libblkid and the superblock itself say.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::host::apart::apart;
use crate::host::command::Command;
use crate::host::{FileSystem, Host, Uuid, text};

/// A probe reads a few hundred KiB; a path that hangs is not waited for longer.
const DEADLINE: Duration = Duration::from_secs(60);

/// A file system that is alone on its disk, as libblkid shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// `ext4`.
    pub fs_type: FileSystem,
    /// Its UUID, empty where it has none.
    pub uuid: Uuid,
    /// Its label, likewise.
    pub label: String,
}

/// The tags that libblkid's probe found: `TYPE` to `ext4`. None: nothing known to it is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signature {
    tags: BTreeMap<String, String>,
}

/// Probes the device with the node `path`.
/// Errors: The probe could not run, or was ambivalent: what is there is then not known.
pub fn read(host: &Host, path: &str) -> Result<Signature> {
    // `-o udev`: the one format for single probes that udev 147 itself relies on, so CentOS 6 has it.
    let command = Command::new("blkid", ["-p", "-o", "udev", path], DEADLINE).only_looks();
    let output = command.run(host).with_context(|| format!("probing {path}"))?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    let signature = parse(&stdout);
    ensure!(!signature.is_ambivalent(), "probing {path}: it carries more than one signature: {signature}");
    // Status 2 means nothing found, and on CentOS 6 also ambivalent or unreadable: then something was said.
    let silent = signature.is_nothing() && output.stderr.iter().all(u8::is_ascii_whitespace);
    match output.status {
        0 => Ok(signature),
        2 if silent => Ok(signature),
        status => bail!("`{}` ended with status {status}: {}", command.line(), output.message()),
    }
}

/// The devices that carry a file system with this UUID, all of them, as libblkid finds them now.
pub fn devices_with(host: &Host, uuid: &Uuid) -> Result<Vec<String>> {
    let tag = format!("UUID={uuid}");
    // Without the cache, whose lines outlive what was there.
    let arguments = ["-c", "/dev/null", "-o", "device", "-t", &tag];
    let command = Command::new("blkid", arguments, DEADLINE).only_looks();
    let output = command.run(host).with_context(|| format!("looking for {tag}"))?;
    match output.status {
        0 | 2 => Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()),
        status => bail!("`{}` ended with status {status}: {}", command.line(), output.message()),
    }
}

pub(crate) fn parse(stdout: &str) -> Signature {
    let tags = stdout.lines().filter_map(|line| line.trim().split_once('='));
    let name = |key| match key {
        // So it is written by util-linux-ng 2.17.2, that of CentOS 6.
        "ID_FS_AMBIVALEN" => "FS_AMBIVALENT",
        _ => str::strip_prefix(key, "ID_").unwrap_or(key),
    };
    let tags = tags.map(|(key, value)| (name(key), value.trim_matches('"')));
    Signature { tags: tags.map(|(key, value)| (key.to_owned(), value.to_owned())).collect() }
}

impl Signature {
    /// Whether nothing was found.
    pub fn is_nothing(&self) -> bool {
        self.tags.is_empty()
    }

    /// Whether signatures were found that contradict each other.
    fn is_ambivalent(&self) -> bool {
        self.tags.contains_key("FS_AMBIVALENT")
    }

    fn tag(&self, name: &str) -> &str {
        self.tags.get(name).map_or("", String::as_str)
    }

    /// The type of the file system, where it is one with nothing beside it (a partition table, a RAID).
    pub fn file_system(&self) -> Option<FileSystem> {
        let alone =
            self.tag("FS_USAGE") == "filesystem" && !self.tags.keys().any(|key| key.starts_with("PART_"));
        Some(self.tag("FS_TYPE")).filter(|fs_type| alone && !fs_type.is_empty()).map(FileSystem::from)
    }

    /// Whether it is a file system of type `fs_type`, and nothing beside it.
    pub fn is_only(&self, fs_type: &FileSystem) -> bool {
        self.file_system().as_ref() == Some(fs_type)
    }

    /// The file system that is there with nothing beside it.
    pub fn volume(&self) -> Option<Volume> {
        Some(Volume { fs_type: self.file_system()?, uuid: self.uuid(), label: self.label().to_owned() })
    }

    /// The file system's UUID.
    pub fn uuid(&self) -> Uuid {
        self.tag("FS_UUID").into()
    }

    /// The file system's label.
    pub fn label(&self) -> &str {
        self.tag("FS_LABEL")
    }
}

impl std::fmt::Display for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = Vec::new();
        for (tag, after) in [("FS_AMBIVALENT", ""), ("FS_TYPE", ""), ("PART_TABLE_TYPE", " partition table")]
        {
            if !self.tag(tag).is_empty() {
                parts.push(format!("{}{after}", self.tag(tag)));
            }
        }
        for (tag, before) in [("FS_UUID", "UUID "), ("FS_LABEL", "label ")] {
            if !self.tag(tag).is_empty() {
                parts.push(format!("{before}{}", self.tag(tag)));
            }
        }
        match parts.is_empty() {
            true if self.is_nothing() => f.write_str("nothing"),
            true => f.write_str("an unnamed signature"),
            false => f.write_str(&text::safe(&parts.join(", "))),
        }
    }
}

/// How far the making of a file system came, by its own superblock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It was made to its end.
    Complete,
    /// It was not, and nobody has ever mounted it.
    HalfMade,
    /// It was not, or is damaged, and may have been mounted: files can be on it.
    Doubtful,
}

/// Reads the superblock of the file system of type `fs_type` at the start of `file`.
///
/// ext4 (kernel: fs/ext4/ext4.h): mke2fs writes the primary superblock last, marked valid, after a sync; a time
/// of last mount and a mount count tell whether it was ever mounted. XFS (xfs_format.h): `sb_inprogress`
/// stands at 1 until mkfs.xfs is through, and the kernel refuses to mount it so.
/// Errors: It cannot be read, or there is no such superblock.
pub fn stage(file: &File, fs_type: &FileSystem) -> Result<Stage> {
    let start: [u8; 2048] = start(file)?;
    let found = match fs_type {
        FileSystem::Ext4 => ext4_stage(&start),
        FileSystem::Xfs => xfs_stage(&start),
        FileSystem::Auto | FileSystem::Other(_) => None,
    };
    found.with_context(|| format!("there is no {fs_type} superblock"))
}

/// The first bytes of a device that may never answer.
pub fn start<const LENGTH: usize>(file: &File) -> Result<[u8; LENGTH]> {
    let read = || {
        let mut start = vec![0; LENGTH];
        file.read_exact_at(&mut start, 0).map(|()| start).map_err(|error| error.to_string())
    };
    let start = apart("reading its first sectors", DEADLINE, &[file.as_fd()], read)?
        .map_err(|error| anyhow!("reading its first sectors: {error}"))?;
    start.try_into().map_err(|_| anyhow!("reading its first sectors: not all of them came"))
}

fn ext4_stage(start: &[u8; 2048]) -> Option<Stage> {
    let word = |at: usize| u16::from_le_bytes([start[1024 + at], start[1024 + at + 1]]);
    if word(0x38) != 0xef53 {
        return None;
    }
    let last_mounted = [word(0x2c), word(0x2e)];
    Some(match word(0x3a) {
        1 => Stage::Complete,
        _ if last_mounted == [0, 0] && word(0x34) == 0 => Stage::HalfMade,
        _ => Stage::Doubtful,
    })
}

fn xfs_stage(start: &[u8; 2048]) -> Option<Stage> {
    if !start.starts_with(b"XFSB") {
        return None;
    }
    Some(match start[126] {
        0 => Stage::Complete,
        1 => Stage::HalfMade,
        _ => Stage::Doubtful,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_alone_is_told_from_one_beside_something_else() {
        let alone = parse("ID_FS_UUID=1-2\nID_FS_TYPE=ext4\nID_FS_USAGE=filesystem\n");
        assert!(alone.is_only(&FileSystem::Ext4) && !alone.is_only(&FileSystem::Xfs) && !alone.is_nothing());
        assert_eq!((alone.uuid(), alone.to_string().as_str()), ("1-2".into(), "ext4, UUID 1-2"));
        let beside = parse("ID_FS_TYPE=ext4\nID_FS_USAGE=filesystem\nID_PART_TABLE_TYPE=dos\n");
        assert!(!beside.is_only(&FileSystem::Ext4) && beside.file_system().is_none());
        assert_eq!(alone.file_system(), Some(FileSystem::Ext4));
        assert_eq!(beside.to_string(), "ext4, dos partition table");
        assert!(
            !parse("ID_FS_TYPE=linux_raid_member\nID_FS_USAGE=raid\n").is_only(&"linux_raid_member".into())
        );
        assert_eq!(parse("").to_string(), "nothing");
        for name in ["ID_FS_AMBIVALENT", "ID_FS_AMBIVALEN"] {
            let both = parse(&format!("{name}=filesystem:ext4:1.0 other:swap:1\n"));
            assert!(both.is_ambivalent() && both.file_system().is_none());
            assert_eq!(both.to_string(), "filesystem:ext4:1.0 other:swap:1");
        }
        assert!(!alone.is_ambivalent());
        assert_eq!(parse("ID_FS_LABEL=a\x1bb").to_string(), "label a\\u{1b}b");
    }

    #[test]
    fn a_superblock_tells_how_far_it_came() {
        let ext4 = |state: u8, mounted: u8, count: u8| {
            let mut start = [0; 2048];
            start[1024 + 0x38..1024 + 0x3b].copy_from_slice(&[0x53, 0xef, state]);
            start[1024 + 0x2e] = mounted;
            start[1024 + 0x34] = count;
            ext4_stage(&start)
        };
        assert_eq!(ext4(1, 7, 3), Some(Stage::Complete));
        assert_eq!(ext4(0, 0, 0), Some(Stage::HalfMade));
        assert_eq!(ext4(0, 7, 0), Some(Stage::Doubtful));
        assert_eq!(ext4(0, 0, 1), Some(Stage::Doubtful));
        assert_eq!(ext4(3, 7, 0), Some(Stage::Doubtful));
        assert_eq!(ext4_stage(&[0; 2048]), None);
        let xfs = |progress: u8| {
            let mut start = [0; 2048];
            start[..4].copy_from_slice(b"XFSB");
            start[126] = progress;
            xfs_stage(&start)
        };
        assert_eq!([xfs(0), xfs(1)], [Some(Stage::Complete), Some(Stage::HalfMade)]);
        assert_eq!(xfs_stage(&[0; 2048]), None);
    }
}
