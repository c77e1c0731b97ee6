//! One run at a time: an flock that says who holds it, and that a dead process cannot keep.

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use anyhow::{Context, Result, bail};
use nix::sys::stat::{major, minor};

use crate::host::{Host, files, text};
use crate::state::paths::LOCK;
use crate::state::time;

pub struct Lock(#[allow(dead_code, reason = "held, not read")] File);

/// Takes the lock for `verb`.
/// Errors: Another run holds it (who, since when, in which boot), or the file cannot be opened.
pub fn take(host: &Host, verb: &str, boot_id: &str) -> Result<Lock> {
    let path = host.path(LOCK);
    let options = &mut OpenOptions::new();
    let mut file =
        files::own(&path, options.read(true).write(true).truncate(false)).context("opening the lock")?;
    // Who can open it can lock it, and root's alone may that be: also where an earlier version left it open to all.
    file.set_permissions(Permissions::from_mode(0o600))
        .with_context(|| format!("closing the lock {} to others", path.display()))?;
    // The standard library's, which is flock(2): nix's own panics where a lock cannot be released.
    match file.try_lock() {
        Ok(()) => {
            let note = format!("pid {}, {verb}, since {}, boot {boot_id}\n", std::process::id(), time::now());
            file.set_len(0)
                .and_then(|()| file.write_all(note.as_bytes()))
                .with_context(|| format!("writing the lock {}", path.display()))?;
            Ok(Lock(file))
        }
        Err(TryLockError::WouldBlock) => {
            let mut note = String::new();
            let _ = (&mut file).take(500).read_to_string(&mut note);
            let holder = if note.trim().is_empty() { "somebody".to_owned() } else { note.trim().to_owned() };
            bail!("another run is in progress ({holder}): wait for it to end; it holds {}", path.display())
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("locking {}", path.display())),
    }
}

/// Who holds the lock now, if anybody does: its note, which root alone can read, or the process. Asks /proc/locks and takes nothing, so that looking never
/// stands in the way of a run that is about to start.
///
/// Newer kernels take some 15 ms to list their locks: they are asked only if the process of the note lives.
pub fn holder(host: &Host) -> Option<String> {
    let meta = host.path(LOCK).metadata().ok()?;
    let note = host.read(LOCK).unwrap_or_default();
    if pid_in(&note).is_some_and(|pid| !host.exists(format!("/proc/{pid}"))) {
        return None;
    }
    let locks = host.read("/proc/locks").ok()?;
    let device = format!("{:02x}:{:02x}", major(meta.dev()), minor(meta.dev()));
    // btrfs and overlays show another device there than stat does: what the process has open is looked at. Root can.
    let has_it_open = |pid: &str| {
        let numbers = host.list(format!("/proc/{pid}/fd")).unwrap_or_default();
        numbers.iter().any(|number| {
            let open = host.path(format!("/proc/{pid}/fd/{number}")).metadata();
            open.is_ok_and(|open| (open.dev(), open.ino()) == (meta.dev(), meta.ino()))
        })
    };
    let pid = locked_by(&locks, &device, meta.ino(), &has_it_open)?;
    // An older note is of a process that has ended, or is another one now.
    let is_its =
        pid_in(&note).is_some_and(|noted| pid.parse() == Ok(noted) || has_it_open(&noted.to_string()));
    Some(if is_its { text::safe(note.trim()) } else { format!("pid {pid}") })
}

/// That a run is in progress now, in words: what is read meanwhile is not what will be found when it has ended.
pub fn under_way(host: &Host) -> Option<String> {
    let holder = host.is_live().then(|| holder(host)).flatten()?;
    Some(format!("a run that changes this host is in progress ({holder}): look again when it has ended"))
}

/// The process in a note: `pid 1234, apply, since …`.
fn pid_in(note: &str) -> Option<u32> {
    note.strip_prefix("pid ")?.split(',').next()?.parse().ok()
}

/// The process that has an flock on inode `ino` of `device`, by /proc/locks: `1: FLOCK  ADVISORY  WRITE 1234 fd:01:393 0 EOF`.
/// Of an inode of the same number elsewhere, `has_it_open` is whether it is this one after all.
fn locked_by<'a>(
    locks: &'a str,
    device: &str,
    ino: u64,
    has_it_open: &dyn Fn(&str) -> bool,
) -> Option<&'a str> {
    locks.lines().find_map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        let [_, "FLOCK", _, _, pid, file, ..] = words.as_slice() else { return None };
        let (on, inode) = file.rsplit_once(':')?;
        let is_it = inode.parse() == Ok(ino) && (on == device || has_it_open(pid));
        is_it.then_some(*pid)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_locks_is_read_by_device_and_inode_or_by_what_is_open() {
        let locks =
            "1: POSIX  ADVISORY  WRITE 9 fd:01:393 0 EOF\n2: FLOCK  ADVISORY  WRITE 10 fd:01:77 0 EOF\n";
        assert_eq!(locked_by(locks, "fd:01", 77, &|_| false), Some("10"));
        assert_eq!(locked_by(locks, "00:2a", 77, &|_| false), None);
        assert_eq!(locked_by(locks, "00:2a", 77, &|pid| pid == "10"), Some("10"));
        assert_eq!(locked_by(locks, "fd:01", 393, &|_| true), None);
        assert_eq!(locked_by("garbage\n", "fd:01", 0, &|_| true), None);
    }

    #[test]
    fn a_file_of_the_same_inode_number_elsewhere_is_not_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        for directory in ["var/run", "proc/77/fd", "proc/78/fd"] {
            std::fs::create_dir_all(dir.path().join(directory)).unwrap();
        }
        let host = Host::recorded(dir.path());
        files::replace(&host.path(LOCK), b"pid 77, apply, since 2026-06-01T10:00:00Z, boot b\n", 0o600)
            .unwrap();
        let ino = std::fs::metadata(host.path(LOCK)).unwrap().ino();
        let lock = |pid: u32| {
            let line = format!("1: FLOCK  ADVISORY  WRITE {pid} fe:fe:{ino} 0 EOF\n");
            files::replace(&host.path("/proc/locks"), line.as_bytes(), 0o600).unwrap();
        };
        lock(77);
        assert_eq!(holder(&host), None);
        std::os::unix::fs::symlink(host.path(LOCK), host.path("/proc/77/fd/3")).unwrap();
        assert!(holder(&host).unwrap().starts_with("pid 77, apply, since"));
        // Another process holds it than the one that wrote the note.
        std::fs::remove_file(host.path("/proc/77/fd/3")).unwrap();
        lock(78);
        assert_eq!(holder(&host), None);
        std::os::unix::fs::symlink(host.path(LOCK), host.path("/proc/78/fd/3")).unwrap();
        assert_eq!(holder(&host).unwrap(), "pid 78");
    }

    #[test]
    fn the_process_of_a_note_is_found() {
        assert_eq!(pid_in("pid 1234, apply, since 2026-06-01T10:00:00Z, boot b\n"), Some(1234));
        assert_eq!(pid_in(""), None);
        assert_eq!(pid_in("pid x, apply"), None);
    }

    #[test]
    fn a_second_taker_is_shown_who_holds_it_and_a_free_lock_has_no_holder() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("var/run")).unwrap();
        let host = Host::recorded(dir.path());
        let lock = take(&host, "apply", "boot-1").unwrap();
        let error = take(&host, "apply", "boot-1").err().unwrap().to_string();
        assert!(error.contains(&format!("pid {}, apply, since 20", std::process::id())), "{error}");
        assert!(error.contains("boot boot-1"), "{error}");
        let mode = std::fs::metadata(host.path(LOCK)).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600, "whoever can open it can hold it");
        drop(lock);
        drop(take(&host, "apply", "boot-1").unwrap());
        assert_eq!(holder(&host), None);
    }
}
