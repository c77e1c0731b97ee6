//! Whether a directory can be changed by others: what root unpacks, verifies and runs must lie where only
//! root can put something else in its place.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::unistd::geteuid;

/// The directory behind `path`, links resolved, when nobody but root (or we) can change what lies in it.
///
/// # Errors
/// It is no directory, or it or one above it belongs to somebody else or can be written by others.
pub fn directory(path: &Path) -> Result<PathBuf> {
    let real = path.canonicalize().with_context(|| format!("looking at the directory {}", path.display()))?;
    let own = geteuid().as_raw();
    for (depth, level) in real.ancestors().enumerate() {
        let meta = fs::symlink_metadata(level).with_context(|| format!("looking at {}", level.display()))?;
        if !meta.is_dir() {
            bail!("{} is not a directory", level.display());
        }
        if meta.uid() != 0 && meta.uid() != own {
            bail!(
                "{} belongs to user {}, not to root: choose another directory",
                level.display(),
                meta.uid()
            );
        }
        let by_group = meta.mode() & 0o020 != 0 && meta.gid() != 0;
        let by_others = meta.mode() & 0o002 != 0;
        // In a sticky directory above it (/tmp), others can add names but not move ours away.
        let sticky = depth > 0 && meta.mode() & 0o1000 != 0;
        if (by_group || by_others) && !sticky {
            bail!(
                "{} can be written by others than root (mode {:04o}): choose another directory, or `chmod go-w {}`",
                level.display(),
                meta.mode() & 0o7777,
                level.display()
            );
        }
    }
    Ok(real)
}

/// As [`directory`], and makes it, for root alone, where it does not exist.
///
/// # Errors
/// As [`directory`], and what making it says.
pub fn make_directory(path: &Path) -> Result<PathBuf> {
    if !path.is_absolute() {
        bail!("{} is not an absolute path", path.display());
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("making the directory {}", path.display()))?;
    directory(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_directory_that_others_can_write_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let inner = make_directory(&dir.path().join("a/b")).unwrap();
        assert_eq!(fs::metadata(&inner).unwrap().mode() & 0o777, 0o700);
        fs::set_permissions(dir.path().join("a"), fs::Permissions::from_mode(0o777)).unwrap();
        let error = directory(&inner).unwrap_err().to_string();
        assert!(error.contains("/a can be written by others than root (mode 0777)"), "{error}");
        // A link does not hide it.
        let link = dir.path().join("link");
        symlink(&inner, &link).unwrap();
        assert!(directory(&link).unwrap_err().to_string().contains("can be written by others"));
    }

    #[test]
    fn a_sticky_directory_is_good_above_but_not_itself() {
        let error = directory(Path::new("/tmp")).unwrap_err().to_string();
        assert!(error.contains("/tmp can be written by others"), "{error}");
        let dir = tempfile::tempdir_in("/tmp").unwrap();
        directory(dir.path()).unwrap();
    }

    #[test]
    fn a_file_is_no_directory() {
        let error = directory(Path::new("/etc/passwd")).unwrap_err().to_string();
        assert_eq!(error, "/etc/passwd is not a directory");
    }
}
