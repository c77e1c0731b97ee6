//! A block device held open while it is judged and changed, so that its name cannot come to mean another.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use nix::libc;
use nix::sys::stat::{Mode, SFlag, mknod};
use nix::unistd::mkdtemp;

use crate::facts::processes;
use crate::host::apart::apart;
use crate::host::command::Command;
use crate::host::{DeviceNumber, Host, files, ioctl};

/// An open block device. While it lives the kernel keeps the device's number: a disk that is pulled out gives
/// it up only after the last close, and a device-mapper device cannot be removed at all.
pub struct Device {
    path: String,
    file: File,
    number: u64,
}

/// A node of our own for a device, in a directory that only root can enter: the name that is handed to tools.
/// It names the device by number, and no rename by udev, no link and no race can lead it elsewhere.
pub struct Node {
    directory: PathBuf,
    path: PathBuf,
}

/// How long opening a device may take.
const OPENING: Duration = Duration::from_secs(30);

/// How long what mkfs wrote may take to reach the disk; it has synced most of it itself.
const FLUSHING: Duration = Duration::from_secs(300);

/// How long giving a node its label may take.
const LABELLING: Duration = Duration::from_secs(20);

/// How the directories of our nodes are called in /dev; the process id and a random part follow.
const NODES: &str = ".mt-agent-";

impl Device {
    /// Opens the block device at `path`, for reading: what is not open for writing cannot be written by
    /// mistake, and closing it makes udev look at nothing.
    /// Errors: It does not exist, is no block device, or an operating system error.
    pub fn open(host: &Host, path: &str) -> Result<Self> {
        let place = host.path(path);
        let open = || files::node(&place, libc::O_NONBLOCK);
        // First where it can be left behind: the SCSI layer lets nobody open a disk while it recovers.
        apart(&format!("opening {path}"), OPENING, &[], || drop(open()))?;
        let file = open().with_context(|| format!("opening {path}"))?;
        let meta = file.metadata().with_context(|| format!("opening {path}"))?;
        ensure!(meta.file_type().is_block_device(), "{path} is not a block device");
        Ok(Self { path: path.to_owned(), file, number: meta.rdev() })
    }

    /// The path that it was opened by.
    pub fn path(&self) -> &str {
        &self.path
    }

    pub fn file(&self) -> &File {
        &self.file
    }

    pub fn major_minor(&self) -> DeviceNumber {
        DeviceNumber::of(self.number)
    }

    /// Size in bytes.
    pub fn size_bytes(&self) -> Result<u64> {
        ioctl::size_bytes(&self.file).with_context(|| format!("asking the size of {}", self.path))
    }

    /// Whether the kernel holds it for read-only.
    pub fn is_read_only(&self) -> Result<bool> {
        ioctl::is_read_only(&self.file).with_context(|| format!("asking whether {} is read-only", self.path))
    }

    /// Claims it: a descriptor opened with `O_EXCL`, which the kernel grants only for a device that is not
    /// mounted (in any namespace), not swap, not held by device-mapper, RAID or another claimant, and of which
    /// no partition is. While the claim lives none of that can come to be.
    /// Errors: It is in use, or an operating system error.
    pub fn claim(&self) -> Result<File> {
        // Through our own descriptor: the path may lead elsewhere by now.
        let own = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        let opened = files::node(Path::new(&own), libc::O_EXCL);
        match opened {
            Ok(file) => {
                let meta = file.metadata().with_context(|| format!("claiming {}", self.path))?;
                ensure!(meta.rdev() == self.number, "{} became another device", self.path);
                Ok(file)
            }
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) => bail!(
                "it is in use: the kernel does not give exclusive access to it (mounted, swap, or held by \
                 multipath, LVM, RAID or another program)"
            ),
            Err(error) => Err(error).with_context(|| format!("claiming {}", self.path)),
        }
    }

    /// Whether its path still leads to it.
    /// Errors: The path leads to another device, or nowhere.
    pub fn still_at_path(&self, host: &Host) -> Result<()> {
        let meta =
            fs::metadata(host.path(&self.path)).with_context(|| format!("looking at {}", self.path))?;
        ensure!(
            meta.file_type().is_block_device() && meta.rdev() == self.number,
            "{} leads to another device than before",
            self.path
        );
        Ok(())
    }

    /// Writes out what the kernel still holds for it, and forgets what it read, so that what is read next
    /// comes from the disk.
    pub fn flush(&self) -> Result<()> {
        let what = format!("syncing {}", self.path);
        let sync = || self.file.sync_all().map_err(|error| error.to_string());
        apart(&what, FLUSHING, &[self.file.as_fd()], sync)?.map_err(|why| anyhow!("{what}: {why}"))?;
        self.forget();
        Ok(())
    }

    /// Forgets what the kernel read of it, so that what is read next comes from the disk: another path or
    /// another host may have written to it since. Only advice; what is not yet written out stays.
    pub fn forget(&self) {
        let _ = posix_fadvise(&self.file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED);
    }

    /// A node of our own for it.
    pub fn node(&self, host: &Host) -> Result<Node> {
        remove_stale_nodes(host);
        // In /dev, not in our own directory: /var is often mounted with `nodev`.
        let template = host.path(format!("/dev/{NODES}{}-XXXXXX", std::process::id()));
        let directory = mkdtemp(&template).context("making a private directory in /dev")?;
        // The name is the device's own, for what tools print: `mkfs.ext4: /dev/.mt-agent-812-x1y2z3/sdb …`.
        let name = Path::new(&self.path).file_name().unwrap_or_else(|| "device".as_ref());
        let node = Node { path: directory.join(name), directory };
        mknod(&node.path, SFlag::S_IFBLK, Mode::S_IRUSR | Mode::S_IWUSR, self.number)
            .with_context(|| format!("making {}, a private node for {}", node.path.display(), self.path))?;
        // SELinux knows a disk by its label, and gives a new node in /dev that of nothing in particular: mkfs
        // started by a service could then not open it. Where it is not enforced, a failure means nothing, and
        // where it is, mkfs says so.
        if ["/sys/fs/selinux/enforce", "/selinux/enforce"].iter().any(|path| host.exists(path)) {
            let reference = format!("--reference={}", self.path);
            let command = Command::new("chcon", [reference, node.path()], LABELLING);
            let _ = command.run(host);
        }
        Ok(node)
    }
}

/// Removes the nodes of runs that were killed: their processes are gone.
fn remove_stale_nodes(host: &Host) {
    // Where a part of the processes is hidden, others' look as if they were gone.
    if processes::sees_all(host).is_err() {
        return;
    }
    for name in host.list("/dev").unwrap_or_default() {
        let process = name.strip_prefix(NODES).and_then(|rest| rest.split_once('-'));
        let Some(process) = process.and_then(|(process, _)| process.parse::<u32>().ok()) else { continue };
        if !host.exists(format!("/proc/{process}")) {
            let _ = fs::remove_dir_all(host.path("/dev").join(name));
        }
    }
}

impl Node {
    /// Its path, as text for a command line.
    pub fn path(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let removed = fs::remove_file(&self.path);
        if removed.is_ok() || removed.is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            let _ = fs::remove_dir(&self.directory);
        }
    }
}
