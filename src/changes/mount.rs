//! The mount point of the retention volume, its mount, and the proof that it can be written.

mod probe;

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, umount2};

use super::device::Device;
use super::identity::{self, Identity};
use super::mkfs::record;
use super::{Context, Done, Target};
use crate::facts::disks::sysfs;
use crate::facts::mounts::{self, Mount};
use crate::facts::signature;
use crate::host::apart::apart;
use crate::host::command::Command;
use crate::host::{DeviceNumber, FileSystem, Host, Uuid, files, text};
use crate::state::retention;

/// How long mounting and unmounting may take: a journal is replayed, what is dirty is written out.
const MOUNTING: Duration = Duration::from_secs(120);

/// Makes the directory `path` and those above it that are missing.
/// Errors: Something that is no directory is there, or an operating system error.
pub fn create_mount_point(context: &mut Context<'_>, path: &str) -> Result<Done> {
    let host = context.host;
    ensure!(
        path.starts_with('/') && path.len() > 1,
        "the mount point `{}` is not an absolute path",
        text::safe(path)
    );
    let whole = host.path(path);
    if whole.symlink_metadata().is_ok() {
        directory(host, path)?;
        return Ok(Done::Unchanged);
    }
    let missing: Vec<&Path> = whole.ancestors().take_while(|dir| dir.symlink_metadata().is_err()).collect();
    for dir in missing.into_iter().rev() {
        match DirBuilder::new().mode(0o755).create(dir) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made.with_context(|| format!("making the directory {}", dir.display()))?,
        }
        files::sync_parent(dir)?;
    }
    directory(host, path)?;
    Ok(Done::Changed(format!("made the directory {path}")))
}

/// Mounts the retention volume, at a directory that is made where it is missing, and proves that it can be written.
/// Errors: Why it was not mounted, or what failed; a mount of ours that does not prove itself is undone.
pub fn mount_retention(
    context: &mut Context<'_>,
    identity: &dyn Identity,
    target: &Target,
    mount_point: &str,
) -> Result<Done> {
    attempt(context, identity, target, mount_point)
        .with_context(|| format!("mounting {} at {mount_point}", target.device))
}

fn attempt(
    context: &mut Context<'_>,
    identity: &dyn Identity,
    target: &Target,
    mount_point: &str,
) -> Result<Done> {
    let host = context.host;
    ensure!(host.is_live(), "{host} is not the running machine: nothing is mounted there");
    let device = Device::open(host, &target.device)?;
    identity::verify(host, identity, &device, &target.scsi_id)?;
    create_mount_point(context, mount_point)?;
    let place = directory(host, mount_point)?;
    ensure!(!device.is_read_only()?, "the disk is read-only");
    let number = device.major_minor();
    let mut target = target.clone();
    if target.fs_type == FileSystem::Auto {
        let found = signature::read(host, &device.node(host)?.path())?;
        let none = || format!("it carries {found}; a file system was expected");
        target.fs_type = found.file_system().with_context(none)?;
    }
    let target = &target;

    let mounted = identity::known(mounts::load(host)).context("reading what is mounted")?;
    if let Some(there) = top(&mounted, mount_point) {
        ensure!(
            there.major_minor == number && there.root == "/" && there.fs_type == target.fs_type,
            "{} ({}, {}) is mounted there already: unmount it, or name another mount point",
            text::safe(&there.source),
            there.fs_type,
            there.major_minor
        );
        ensure!(
            there.is_writable(),
            "it is mounted there already, but read-only: look into the kernel's log for why"
        );
        // One that a person mounted, and orders to be taken for ours.
        let on_record = record::is_on_record(host, target)?;
        if !on_record {
            is_ours(host, &device, target)?;
        }
        probe::write_and_read_back(&place)?;
        record::adopt(context, target)?;
        return Ok(if on_record {
            Done::Unchanged
        } else {
            Done::Changed(format!("recorded that {} is the retention volume", target.device))
        });
    }
    if let Some(elsewhere) = mounted.iter().find(|mount| mount.major_minor == number) {
        bail!("the disk is mounted at {} already: unmount it there", text::safe(&elsewhere.mount_point));
    }
    refuse_to_hide(&place)?;
    is_ours(host, &device, target)?;

    context.observer.log(&format!("mount: {} at {mount_point} ({})", target.device, target.fs_type));
    device.still_at_path(host)?;
    let (source, fs_type) = (host.path(&target.device), &target.fs_type);
    let call = || {
        nix::mount::mount(Some(&source), &place, Some(fs_type.as_str()), MsFlags::empty(), None::<&str>)
            .map_err(|errno| errno as i32)
    };
    apart("mounting it", MOUNTING, &[], call)?
        .map_err(Errno::from_raw)
        .with_context(|| format!("the kernel refuses the {fs_type} file system"))?;
    let guard = Mounted { place: &place, keep: false };
    let proved = prove(host, &device, mount_point, &place);
    let undone = guard.end(&proved);
    match (proved, undone) {
        (Ok(()), _) => {}
        (Err(error), Ok(())) => return Err(error.context("it was unmounted again")),
        (Err(error), Err(still)) => return Err(error.context(format!("it is still mounted: {still}"))),
    }
    note_in_mtab(context, target, mount_point);
    record::adopt(context, target)?;
    Ok(Done::Changed(format!(
        "mounted {} at {mount_point}; 1 MiB was written, synced, read back and removed",
        target.device
    )))
}

/// What mount(8) knows of our mount is what its table says, where /etc/mtab is a file (CentOS 6): `-f` adds the
/// line and mounts nothing. Only for people's eyes, and at the next boot fstab does the same.
fn note_in_mtab(context: &mut Context<'_>, target: &Target, mount_point: &str) {
    let host = context.host;
    if host.path("/etc/mtab").symlink_metadata().is_ok_and(|meta| meta.is_file()) {
        let arguments = ["-f", "-t", target.fs_type.as_str(), &target.device, mount_point];
        let _ = context.run(&Command::new("mount", arguments, Duration::from_secs(20)));
    }
}

/// The mount that is seen at `mount_point`: the last one made there.
pub(super) fn top<'a>(mounted: &'a [Mount], mount_point: &str) -> Option<&'a Mount> {
    let wanted = mount_point.trim_end_matches('/');
    mounted.iter().rfind(|mount| mount.mount_point == wanted)
}

/// The path of the process of the directory `path`, reached through no link: what is mounted on a link shows up
/// elsewhere, and whoever looks for it at `path` does not find it.
fn directory(host: &Host, path: &str) -> Result<PathBuf> {
    let whole = host.path(path);
    let meta = whole.symlink_metadata().with_context(|| format!("looking at {path}"))?;
    ensure!(!meta.is_symlink(), "{path} is a symbolic link: name the directory itself");
    ensure!(meta.is_dir(), "{path} is not a directory: move it away");
    let real = whole.canonicalize().with_context(|| format!("looking at {path}"))?;
    // Compared by component: a slash at the end makes no other directory.
    let plain: PathBuf = whole.components().collect();
    ensure!(
        real == plain,
        "{path} is reached through a symbolic link: name the directory {}",
        real.display()
    );
    Ok(plain)
}

/// A mount hides what the directory holds.
fn refuse_to_hide(place: &Path) -> Result<()> {
    let entries =
        fs::read_dir(place).with_context(|| format!("reading the directory {}", place.display()))?;
    let mut names = entries
        .map(|entry| entry.map(|entry| text::safe(&entry.file_name().to_string_lossy())))
        .collect::<io::Result<Vec<_>>>()
        .with_context(|| format!("reading the directory {}", place.display()))?;
    names.sort();
    let more = if names.len() > 5 { format!(" and {} more", names.len() - 5) } else { String::new() };
    names.truncate(5);
    ensure!(
        names.is_empty(),
        "{} is not empty, and the mount would hide what is in it ({}{more}): move that away",
        place.display(),
        names.join(", ")
    );
    Ok(())
}

/// That the device carries the file system, and where we made it, that it is the one we made; else that it can be no other one
/// than was meant.
fn is_ours(host: &Host, device: &Device, target: &Target) -> Result<()> {
    let node = device.node(host)?;
    let found = signature::read(host, &node.path())?;
    ensure!(found.is_only(&target.fs_type), "it carries {found}; {} was expected", target.fs_type);
    if let Some(uuid) = &target.uuid {
        // Before it is mounted: that alone replays a journal.
        ensure!(
            found.uuid() == *uuid,
            "it carries {found}; the volume that mt-agent made has the UUID {uuid}"
        );
    }
    let (record, other) = match retention::read(host)? {
        Some(record) if record.scsi_id == target.scsi_id => (Some(record), None),
        other => (None, other),
    };
    if let Some(record) = &record {
        ensure!(record.finished, "the making of its file system was interrupted: run apply again");
        ensure!(
            record.uuid == found.uuid(),
            "it carries {found}; our record says that we made {} {} on it",
            record.fs_type,
            record.uuid
        );
    } else if target.uuid.is_none() {
        // Only a line of fstab says that it is this machine's: it can be a copy, or a disk of a protected machine.
        if let Some(other) = other {
            bail!(
                "the retention volume on record is on another disk, {}, and it carries {found}",
                text::safe(&other.scsi_id)
            );
        }
        is_the_only_one(host, device, &found.uuid())?;
    }
    Ok(())
}

/// That no other device than `device`, and the paths of its map, carries a file system with this UUID.
fn is_the_only_one(host: &Host, device: &Device, uuid: &Uuid) -> Result<()> {
    if uuid.is_empty() {
        return Ok(());
    }
    let number = device.major_minor();
    let name = sysfs::kernel_name(host, number).context("sysfs does not list it")?;
    let own = sysfs::down(host, &name);
    let mut others = Vec::new();
    for path in signature::devices_with(host, uuid)? {
        let meta = fs::metadata(host.path(&path)).with_context(|| format!("looking at {path}"))?;
        let found = sysfs::kernel_name(host, DeviceNumber::of(meta.rdev()));
        if found.as_ref().is_none_or(|found| !own.contains(found)) {
            others.push(path);
        }
    }
    ensure!(
        others.is_empty(),
        "{} carries the UUID {uuid} as well: detach the one that is not this machine's retention volume",
        text::safe(&others.join(", "))
    );
    Ok(())
}

/// That the kernel mounted what was meant, for writing, and that it holds what is written.
fn prove(host: &Host, device: &Device, mount_point: &str, place: &Path) -> Result<()> {
    let mounted = identity::known(mounts::load(host)).context("reading what is mounted")?;
    let there = top(&mounted, mount_point).context("the kernel does not list it as mounted")?;
    ensure!(
        there.major_minor == device.major_minor(),
        "the device {} is mounted there; {} was meant",
        there.major_minor,
        device.major_minor()
    );
    ensure!(there.is_writable(), "the kernel mounted it read-only");
    probe::write_and_read_back(place)
}

/// A mount of ours, undone unless it proved itself.
struct Mounted<'a> {
    place: &'a Path,
    keep: bool,
}

impl Mounted<'_> {
    fn end(mut self, proved: &Result<()>) -> Result<()> {
        self.keep = true;
        if proved.is_ok() { Ok(()) } else { self.unmount() }
    }

    fn unmount(&self) -> Result<()> {
        let call = || umount2(self.place, MntFlags::UMOUNT_NOFOLLOW).map_err(|errno| errno as i32);
        Ok(apart("unmounting it", MOUNTING, &[], call)?.map_err(Errno::from_raw)?)
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        if !self.keep {
            let _ = self.unmount();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_link_a_file_and_a_way_through_a_link_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().canonicalize().unwrap();
        let host = Host::image(&real);
        fs::create_dir_all(real.join("data/retention")).unwrap();
        symlink("data", real.join("mnt")).unwrap();
        symlink("data/retention", real.join("link")).unwrap();
        fs::File::create(real.join("file")).unwrap();
        let error = |path: &str| format!("{:#}", directory(&host, path).unwrap_err());
        assert_eq!(error("/link"), "/link is a symbolic link: name the directory itself");
        assert_eq!(error("/file"), "/file is not a directory: move it away");
        assert_eq!(
            error("/mnt/retention"),
            format!(
                "/mnt/retention is reached through a symbolic link: name the directory {}",
                real.join("data/retention").display()
            )
        );
        assert_eq!(directory(&host, "/data/retention/").unwrap(), real.join("data/retention"));
    }

    #[test]
    fn what_a_mount_would_hide_is_named() {
        let dir = tempfile::tempdir().unwrap();
        refuse_to_hide(dir.path()).unwrap();
        for name in ["b", "a\x1b", "c", "d", "e", "f", "g"] {
            fs::File::create(dir.path().join(name)).unwrap();
        }
        assert_eq!(
            refuse_to_hide(dir.path()).unwrap_err().to_string(),
            format!(
                "{} is not empty, and the mount would hide what is in it (a\\u{{1b}}, b, c, d, e and 2 more): move \
                 that away",
                dir.path().display()
            )
        );
    }
}
