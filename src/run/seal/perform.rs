//! One thing that sealing does, done.

use std::fs;
use std::io::ErrorKind;
use std::os::fd::AsRawFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Error, Result, anyhow};

use crate::changes::{free_space, scrub};
use crate::host::{Host, files, trust};
use crate::image::seal::Item;
use crate::state::paths::{self, TEMPLATE};
use crate::state::resume::Pending;

pub(super) fn perform(host: &Host, item: &Item, stop: &dyn Fn() -> bool) -> Result<()> {
    match item {
        // The next run reads these: one that is overwritten in part would be damaged to it.
        Item::Remove { path } if path.starts_with(paths::DIRECTORY) => {
            scrub::remove_record(&place(host, path)?).map(drop)
        }
        Item::Remove { path } => reached(host, path, scrub::remove),
        Item::Rewrite { path, content, .. } => {
            let mode = if path == TEMPLATE { 0o600 } else { 0o644 };
            write(host, path, content, mode)
        }
        Item::Empty { path } => reached(host, path, scrub::empty),
        // By no name in it: with a slash at its end, which lets the number be followed.
        Item::Clear { path, overwrite, .. } => reached(host, &format!("{path}/"), |directory| {
            let files = if *overwrite { scrub::Files::Overwritten } else { scrub::Files::Discarded };
            scrub::clear(directory, files, stop).map(|()| true)
        }),
        Item::FillFreeSpace { path } => free_space::fill(&resolve(host, path)?, stop).map(drop),
    }
}

/// Does `act` with the name `path`, in its directory as that was opened: users can write to many of them, and replace one by
/// a link while it is looked for. Where there is no such directory there is nothing to do.
fn reached(host: &Host, path: &str, act: impl FnOnce(&Path) -> Result<bool>) -> Result<()> {
    let (directory, name) = path.rsplit_once('/').unwrap_or_default();
    let (open, real) = match trust::reach(host.root(), Path::new(&format!("{directory}/"))) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        reached => reached.with_context(|| format!("looking for {path}"))?,
    };
    let through = format!("/proc/self/fd/{}", open.as_raw_fd());
    let done = act(&Path::new(&through).join(name));
    // Nobody knows what was open by number.
    let by_path = |error: Error| anyhow!(format!("{error:#}").replace(&through, &real.to_string_lossy()));
    done.map(drop).map_err(by_path)
}

pub(super) fn place(host: &Host, path: &str) -> Result<PathBuf> {
    host.place(path).with_context(|| format!("looking for {path}"))
}

fn resolve(host: &Host, path: &str) -> Result<PathBuf> {
    host.resolve(path).with_context(|| format!("looking for {path}"))
}

pub(super) fn write_pending(host: &Host, pending: &Pending) -> Result<()> {
    let content = serde_json::to_vec_pretty(pending).context("encoding the first boot")?;
    write(host, paths::RESUME, &content, 0o600)
}

/// Writes a file of the agent's or of the system; the directory of the agent's is made where it is missing.
fn write(host: &Host, path: &str, content: &[u8], mode: u32) -> Result<()> {
    if path.starts_with(paths::DIRECTORY) && !host.exists(paths::DIRECTORY) {
        let directory = place(host, paths::DIRECTORY)?;
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory)
            .with_context(|| format!("making the directory {}", directory.display()))?;
        files::label_like_parent(&directory)?;
        files::sync_parent(&directory)?;
    }
    let place = resolve(host, path)?;
    // Of a link, what it leads to is replaced.
    scrub::replace(&place.canonicalize().unwrap_or(place), content, mode)
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// A tree in which `/home/u` can be written by users other than root, and `/srv` cannot.
    fn tree() -> (tempfile::TempDir, Host) {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::image(dir.path());
        for directory in ["/home/u/.ssh", "/srv/u/.ssh", "/etc"] {
            fs::create_dir_all(host.path(directory)).unwrap();
        }
        fs::set_permissions(host.path("/home/u"), Permissions::from_mode(0o777)).unwrap();
        for file in ["/home/u/.ssh/passwd", "/srv/u/.ssh/passwd", "/etc/passwd"] {
            files::replace(&host.path(file), b"a line", 0o600).unwrap();
        }
        (dir, host)
    }

    fn items(directory: &str) -> [Item; 3] {
        let path = format!("{directory}/passwd");
        let clear = Item::Clear { path: directory.into(), overwrite: true, entries: 1 };
        [Item::Remove { path: path.clone() }, Item::Empty { path }, clear]
    }

    #[test]
    fn a_directory_above_that_a_user_replaced_by_a_link_leads_nowhere() {
        for (link, target) in [("/home/u/.ssh", "/etc"), ("/home/u/.ssh", "../../etc")] {
            for item in items("/home/u/.ssh") {
                let (_dir, host) = tree();
                fs::rename(host.path(link), host.path("/home/u/away")).unwrap();
                symlink(target, host.path(link)).unwrap();
                let error = format!("{:#}", perform(&host, &item, &|| false).unwrap_err());
                assert!(error.contains("/home/u/.ssh is a link that a user can have made"), "{error}");
                assert_eq!(host.read("/etc/passwd").unwrap(), "a line", "{item:?}");
            }
        }
    }

    #[test]
    fn a_link_of_root_s_leads_on_and_what_fails_is_named_by_its_path() {
        for item in items("/var/u/.ssh") {
            let (_dir, host) = tree();
            symlink("/srv", host.path("/var")).unwrap();
            perform(&host, &item, &|| false).unwrap();
            assert_ne!(host.read("/srv/u/.ssh/passwd").unwrap_or_default(), "a line", "{item:?}");
            assert_eq!(host.read("/home/u/.ssh/passwd").unwrap(), "a line");
        }
        let (_dir, host) = tree();
        let error = perform(&host, &Item::Remove { path: "/home/u/.ssh".into() }, &|| false).unwrap_err();
        let real = host.path("/home/u/.ssh").canonicalize().unwrap();
        assert!(format!("{error:#}").starts_with(&format!("removing {}: ", real.display())), "{error:#}");
        perform(&host, &Item::Empty { path: "/gone/for/good".into() }, &|| false).unwrap();
    }
}
