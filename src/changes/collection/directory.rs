//! A collection on disk: its manifest, and whether its files are what the manifest says.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use super::manifest::{self, Entry, FILE, LARGEST, Manifest};
use super::place::can_be_named;
use super::work::names;
use crate::changes::packages::{own, sum_of};
use crate::host::{files, text, trust};
use crate::platform::packages::SUFFIX;

/// A collection whose every file was found to be what its manifest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// Where it lies, links resolved; nobody but root can change it.
    pub directory: PathBuf,
    pub manifest: Manifest,
}

impl Collection {
    /// Opens the collection in `directory` and verifies all of it.
    /// Errors: One line: it is not there, others can write to it, it has no manifest, a file is missing, is not
    /// what the manifest says, or is a package of which the manifest says nothing.
    pub fn open(directory: &Path) -> Result<Self> {
        can_be_named(directory)?;
        let directory = trust::directory(directory)?;
        can_be_named(&directory)?;
        let Some(manifest) = read(&directory)? else {
            bail!(
                "{} has no {FILE}, so it is no whole collection: `mt-agent apply --download-only DIR` on a connected \
                 machine makes one, and writes {FILE} last",
                directory.display()
            )
        };
        no_strangers(&directory, &manifest)?;
        for entry in &manifest.files {
            verify(&directory, entry)?;
        }
        Ok(Self { directory, manifest })
    }
}

pub(super) fn read(directory: &Path) -> Result<Option<Manifest>> {
    let path = directory.join(FILE);
    match path.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.with_context(|| format!("looking at {}", path.display()))?,
    };
    let bytes = match files::read_at_most(own(&path)?, LARGEST) {
        Err(error) if error.kind() == ErrorKind::FileTooLarge => {
            bail!("{} has more than {}", path.display(), text::bytes(LARGEST))
        }
        read => read.with_context(|| format!("reading {}", path.display()))?,
    };
    let source = String::from_utf8(bytes).with_context(|| path.display().to_string())?;
    manifest::parse(&source).map(Some).with_context(|| path.display().to_string())
}

pub(super) fn packages(directory: &Path) -> Result<Vec<String>> {
    let mut found = names(directory)?;
    found.retain(|name| name.ends_with(SUFFIX));
    Ok(found)
}

/// Refuses a package that the manifest does not know: whoever put it there wants it installed.
pub(super) fn no_strangers(directory: &Path, manifest: &Manifest) -> Result<()> {
    for name in packages(directory)? {
        ensure!(
            manifest.files.iter().any(|entry| entry.file == name),
            "{} is not in the manifest: remove it, or collect again into an empty directory",
            text::safe(&directory.join(name).display().to_string())
        );
    }
    Ok(())
}

pub(super) fn verify(directory: &Path, entry: &Entry) -> Result<()> {
    let path = directory.join(&entry.file);
    if path.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        bail!("{} is missing, though the manifest names it: copy the collection anew", path.display());
    }
    let (sum, size) = sum_of(&path)?;
    ensure!(
        sum == entry.sha256 && size == entry.size,
        "{}: its SHA-256 is {sum} ({size} bytes), but the manifest says {} ({} bytes): it was changed or is damaged; \
         copy the collection anew",
        path.display(),
        entry.sha256,
        entry.size
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::super::manifest::{Role, SCHEMA};
    use super::*;
    use crate::host::files;

    const A: &str = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";

    fn made() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        files::replace(&dir.path().join("a-1-1.noarch.rpm"), b"a", 0o644).unwrap();
        let entry = Entry {
            file: "a-1-1.noarch.rpm".into(),
            size: 1,
            sha256: A.into(),
            package: "a".into(),
            epoch: None,
            version: "1-1".into(),
            architecture: "noarch".into(),
            role: Role::Package,
            verified: String::new(),
        };
        let manifest = Manifest {
            schema: SCHEMA.into(),
            agent: String::new(),
            made: String::new(),
            profile: "p".into(),
            release: "r".into(),
            architecture: "x86_64".into(),
            packages: vec!["a".into()],
            files: vec![entry],
        };
        files::replace(&dir.path().join(FILE), &serde_json::to_vec(&manifest).unwrap(), 0o644).unwrap();
        dir
    }

    /// What opening the directory says, without the directory's name.
    fn refusal(dir: &tempfile::TempDir) -> String {
        let real = dir.path().canonicalize().unwrap();
        format!("{:#}", Collection::open(dir.path()).unwrap_err()).replace(real.to_str().unwrap(), "DIR")
    }

    #[test]
    fn a_whole_collection_opens_and_other_files_beside_it_are_left_alone() {
        let dir = made();
        files::replace(&dir.path().join("README"), b"mine", 0o644).unwrap();
        let collection = Collection::open(dir.path()).unwrap();
        assert!(collection.directory.join(&collection.manifest.files[0].file).is_file());
    }

    #[test]
    fn whatever_is_not_as_the_manifest_says_is_refused_by_name() {
        let dir = made();
        let path = dir.path().join("a-1-1.noarch.rpm");
        files::replace(&path, b"b", 0o644).unwrap();
        assert_eq!(
            refusal(&dir),
            format!(
                "DIR/a-1-1.noarch.rpm: its SHA-256 is \
                 3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d (1 bytes), but the manifest says {A} \
                 (1 bytes): it was changed or is damaged; copy the collection anew"
            )
        );
        fs::rename(&path, dir.path().join("other")).unwrap();
        assert_eq!(
            refusal(&dir),
            "DIR/a-1-1.noarch.rpm is missing, though the manifest names it: copy the collection anew"
        );
        files::replace(&dir.path().join("other"), b"a", 0o644).unwrap();
        symlink("other", &path).unwrap();
        assert_eq!(refusal(&dir), "DIR/a-1-1.noarch.rpm is a symbolic link, not a regular file");
        fs::remove_file(&path).unwrap();
        files::replace(&path, b"a", 0o666).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        let refused = refusal(&dir);
        assert!(
            refused
                .starts_with("DIR/a-1-1.noarch.rpm: users other than root can write DIR/a-1-1.noarch.rpm ("),
            "{refused}"
        );
        assert!(refused.ends_with("mode 0666): run `chmod go-w DIR/a-1-1.noarch.rpm`"), "{refused}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        Collection::open(dir.path()).unwrap();
        files::replace(&dir.path().join("evil.rpm"), b"", 0o644).unwrap();
        assert_eq!(
            refusal(&dir),
            "DIR/evil.rpm is not in the manifest: remove it, or collect again into an empty directory"
        );
    }

    #[test]
    fn a_directory_without_a_manifest_is_no_collection() {
        let dir = made();
        fs::rename(dir.path().join(FILE), dir.path().join("m")).unwrap();
        let refused = refusal(&dir);
        assert!(refused.starts_with("DIR has no manifest.json, so it is no whole collection: "), "{refused}");
        symlink("m", dir.path().join(FILE)).unwrap();
        assert_eq!(refusal(&dir), "DIR/manifest.json is a symbolic link, not a regular file");
        fs::remove_file(dir.path().join(FILE)).unwrap();
        files::replace(&dir.path().join(FILE), b"{", 0o644).unwrap();
        let refused = refusal(&dir);
        assert!(refused.starts_with("DIR/manifest.json: it is no manifest: "), "{refused}");
    }
}
