//! What the agent has written is for root alone. Other programs may have opened it to others since: a rotation of the log, a
//! copy, a restored backup, an earlier version.

use std::fs::{OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use nix::libc;
use nix::unistd::geteuid;

use crate::host::{Host, files};
use crate::state::paths::{self, DIRECTORY, SAVED, SET_ASIDE};

/// How many places are named in a line.
const NAMED: usize = 3;

struct Place {
    path: String,
    mode: u32,
    is_directory: bool,
    part: Part,
}

/// What it belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The log, which nobody believes: there an owner other than root is put right too.
    Log,
    State,
}

/// What is looked at below a directory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Below {
    Directories,
    FilesToo,
}

fn open_to_others(host: &Host) -> Option<String> {
    let places = places(host);
    (!places.is_empty())
        .then(|| format!("other users can read {}: the next mt-agent apply closes it", listed(&places)))
}

/// What others can read of the agent's log and state on the running machine, in one line; `None` where that is nothing.
/// Changes nothing.
pub fn note(host: &Host) -> Option<String> {
    host.is_live().then(|| open_to_others(host)).flatten()
}

/// Takes the rights of others away from the agent's log and state. In one line what was closed, and what could not be; `None`
/// where there was nothing to close.
pub fn close(host: &Host) -> Option<String> {
    let (mut closed, mut failed) = (Vec::new(), Vec::new());
    for place in places(host) {
        match shut(host, &place) {
            Ok(()) => closed.push(place),
            Err(error) => failed.push(format!("{} cannot be closed to other users: {error}", place.path)),
        }
    }
    let closed = (!closed.is_empty()).then(|| format!("closed to other users: {}", listed(&closed)));
    let lines: Vec<_> = closed.into_iter().chain(failed.into_iter().take(NAMED)).collect();
    (!lines.is_empty()).then(|| lines.join("; "))
}

/// What others can read of `path` and what belongs to it, in one line. In an empty directory there is nothing to read: apply closes it
/// as it begins.
pub fn open_below(host: &Host, path: &str) -> Option<String> {
    let mut places = places(host);
    places.retain(|place| {
        !place.is_directory || host.list(&place.path).map_or(true, |names| !names.is_empty())
    });
    places.retain(|place| place.path == path || (path != DIRECTORY && place.path.starts_with(path)));
    (!places.is_empty()).then(|| format!("other users can read {}", listed(&places)))
}

fn listed(places: &[Place]) -> String {
    let named = places.iter().take(NAMED).map(|place| format!("{} (mode {:04o})", place.path, place.mode));
    let named = named.collect::<Vec<_>>().join(", ");
    match places.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

fn places(host: &Host) -> Vec<Place> {
    let (directory, name) = paths::log();
    // Rotated: mt-agent.log.1, mt-agent.log.2.gz, mt-agent.log-20260801.
    let is_log = |other: &&String| {
        other.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
    };
    let logs = host.list(directory).unwrap_or_default();
    let logs = logs.iter().filter(is_log).map(|name| format!("{directory}/{name}"));
    let mut found: Vec<Place> =
        logs.filter_map(|path| look(host, path, Part::Log)).filter(|log| !log.is_directory).collect();
    // Copies of files as they were have the modes that the files had, and what the vendor's archive held has those that its
    // installer needs: the directories above them are closed.
    for (directory, depth, kinds) in
        [(DIRECTORY, 0, Below::FilesToo), (SAVED, 1, Below::Directories), (SET_ASIDE, 1, Below::FilesToo)]
    {
        below(host, directory, depth, kinds, &mut found);
    }
    found
}

/// A directory and what lies in it, top down, so that nobody enters what is closed next.
fn below(host: &Host, directory: &str, depth: usize, kinds: Below, found: &mut Vec<Place>) {
    let kind = |path: &str| host.place(path).and_then(|place| place.symlink_metadata());
    if !kind(directory).is_ok_and(|meta| meta.is_dir()) {
        return;
    }
    found.extend(look(host, directory.to_owned(), Part::State));
    for name in host.list(directory).unwrap_or_default() {
        let path = format!("{directory}/{name}");
        match kind(&path) {
            Ok(meta) if meta.is_dir() && depth > 0 => below(host, &path, depth - 1, kinds, found),
            Ok(meta) if meta.is_file() && kinds == Below::FilesToo => {
                found.extend(look(host, path, Part::State));
            }
            _ => {}
        }
    }
}

/// The place, where it is a file or a directory that others can read.
fn look(host: &Host, path: String, part: Part) -> Option<Place> {
    let meta = host.place(&path).ok()?.symlink_metadata().ok()?;
    let (mode, is_directory) = (meta.mode() & 0o7777, meta.is_dir());
    let is_foreign = is_foreign(&meta);
    // What others can write is not believed, and that is reported where it is refused: closed it would look as if it had always been.
    let is_doubtful = part == Part::State && (mode & 0o022 != 0 || is_foreign);
    let is_open = mode & 0o077 != 0 || is_foreign;
    let is_ours = is_directory || meta.is_file();
    (is_ours && is_open && !is_doubtful).then_some(Place { path, mode, is_directory, part })
}

fn is_foreign(meta: &std::fs::Metadata) -> bool {
    meta.uid() != 0 && meta.uid() != geteuid().as_raw()
}

/// Closes it by its descriptor: what was looked at may have been replaced since.
fn shut(host: &Host, place: &Place) -> io::Result<()> {
    let path: PathBuf = host.place(Path::new(&place.path))?;
    let (file, mode) = if place.is_directory {
        (files::node(&path, libc::O_DIRECTORY | libc::O_NOFOLLOW)?, 0o700)
    } else {
        (files::open_with(&path, OpenOptions::new().read(true), libc::O_NOFOLLOW)?, 0o600)
    };
    let meta = file.metadata()?;
    if !place.is_directory && meta.nlink() > 1 {
        return Err(io::Error::other(format!(
            "it has {} names (hard links), one was expected: remove it",
            meta.nlink()
        )));
    }
    if place.part == Part::Log && is_foreign(&meta) {
        fchown(&file, Some(0), Some(0))?;
    }
    file.set_permissions(Permissions::from_mode(mode))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::state::paths::LOG;

    fn put(host: &Host, path: &str, mode: u32) {
        let path = host.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "x").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    }

    fn mode(host: &Host, path: &str) -> u32 {
        host.path(path).metadata().unwrap().mode() & 0o7777
    }

    fn chmod(host: &Host, path: &str, mode: u32) {
        fs::set_permissions(host.path(path), Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn logs_journal_and_directories_are_closed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::image(dir.path());
        assert_eq!((open_to_others(&host), close(&host)), (None, None), "nothing is there");
        let ours =
            [LOG, "/var/log/mt-agent.log.1", "/var/log/mt-agent.log.2.gz", "/var/log/mt-agent.log-20260801"];
        let others = [
            "/var/log/mt-agent.logs",
            "/var/log/messages",
            "/var/lib/mt-agent/saved/s/%etc%fstab",
            "/var/lib/mt-agent/custom-changes/install",
        ];
        for path in ours.iter().chain(&others) {
            put(&host, path, 0o644);
        }
        put(&host, "/var/lib/mt-agent/journal.jsonl", 0o640);
        put(&host, "/var/lib/mt-agent/resume.json", 0o600);
        put(&host, "/var/lib/mt-agent/set-aside/s/retention.json", 0o604);
        let private = ["/var/lib/mt-agent/set-aside", "/var/lib/mt-agent/set-aside/s"];
        private.iter().for_each(|directory| chmod(&host, directory, 0o700));
        for directory in ["/var/lib/mt-agent", "/var/lib/mt-agent/saved", "/var/lib/mt-agent/saved/s"] {
            chmod(&host, directory, 0o755);
        }
        let open = open_to_others(&host).unwrap();
        assert_eq!(
            open,
            "other users can read /var/log/mt-agent.log (mode 0644), /var/log/mt-agent.log-20260801 (mode 0644), \
             /var/log/mt-agent.log.1 (mode 0644) and 6 more: the next mt-agent apply closes it"
        );
        assert_eq!(mode(&host, LOG), 0o644, "looking changes nothing");
        // Interrupted after the first: the rest is done by the next run.
        chmod(&host, LOG, 0o600);
        let closed = close(&host).unwrap();
        assert!(
            closed.starts_with("closed to other users: /var/log/mt-agent.log-20260801 (mode 0644), "),
            "{closed}"
        );
        assert!(closed.ends_with(" and 5 more") && !closed.contains("cannot"), "{closed}");
        for path in ours.iter().chain(&[
            "/var/lib/mt-agent/journal.jsonl",
            "/var/lib/mt-agent/resume.json",
            "/var/lib/mt-agent/set-aside/s/retention.json",
        ]) {
            assert_eq!(mode(&host, path), 0o600, "{path}");
        }
        for path in ["/var/lib/mt-agent", "/var/lib/mt-agent/saved", "/var/lib/mt-agent/saved/s"] {
            assert_eq!(mode(&host, path), 0o700, "{path}");
        }
        for path in others {
            assert_eq!(mode(&host, path), 0o644, "{path}");
        }
        let vendor = mode(&host, "/var/lib/mt-agent/custom-changes");
        assert!(vendor & 0o055 != 0, "{vendor:o}: the vendor's");
        assert_eq!((open_to_others(&host), close(&host)), (None, None), "a second time");
    }

    #[test]
    fn in_an_empty_directory_there_is_nothing_to_read() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::image(dir.path());
        fs::create_dir_all(host.path(DIRECTORY)).unwrap();
        chmod(&host, DIRECTORY, 0o755);
        assert_eq!(open_below(&host, DIRECTORY), None);
        assert_eq!(open_below(&host, "/"), None);
        put(&host, "/var/lib/mt-agent/x", 0o600);
        assert!(open_below(&host, DIRECTORY).is_some());
    }

    #[test]
    fn what_others_may_have_put_there_is_not_touched() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::image(dir.path());
        put(&host, "/etc/passwd", 0o644);
        put(&host, LOG, 0o600);
        std::os::unix::fs::symlink("/etc/passwd", host.path("/var/log/mt-agent.log.1")).unwrap();
        fs::create_dir(host.path("/var/log/mt-agent.log.d")).unwrap();
        // A journal that others can write is refused where it is read.
        put(&host, "/var/lib/mt-agent/journal.jsonl", 0o666);
        chmod(&host, "/var/lib/mt-agent", 0o700);
        assert_eq!(close(&host), None);
        fs::hard_link(host.path("/etc/passwd"), host.path("/var/log/mt-agent.log.2")).unwrap();
        assert_eq!(
            close(&host).unwrap(),
            "/var/log/mt-agent.log.2 cannot be closed to other users: it has 2 names (hard links), one was expected: remove it"
        );
        assert_eq!(mode(&host, "/etc/passwd"), 0o644);
        assert_eq!(mode(&host, "/var/lib/mt-agent/journal.jsonl"), 0o666);
    }

    #[test]
    fn a_log_of_another_user_becomes_root_owned() {
        assert!(geteuid().is_root(), "this test needs root");
        let dir = tempfile::tempdir().unwrap();
        let host = Host::image(dir.path());
        put(&host, LOG, 0o600);
        std::os::unix::fs::chown(host.path(LOG), Some(65534), Some(65534)).unwrap();
        assert!(open_to_others(&host).is_some());
        assert!(close(&host).unwrap().starts_with("closed to other users: "));
        let meta = host.path(LOG).metadata().unwrap();
        assert_eq!((meta.uid(), meta.gid(), meta.mode() & 0o7777), (0, 0, 0o600));
        assert_eq!(close(&host), None);
    }
}
