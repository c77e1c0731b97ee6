//! `--offline DIR`: a profile bound to a collection. No address of it is left, so that none can be fetched.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use super::collect::{files, packages};
use crate::changes::PackageFile;
use crate::changes::collection::manifest::Role;
use crate::changes::collection::{Collection, examine};
use crate::host::{Host, text};
use crate::platform::packages::{Database, NOT_VERIFIED};
use crate::profile::Profile;

/// Verifies the collection in `directory` and makes it all that `profile` takes packages from. Answers where it lies,
/// links resolved, and a note on it.
/// Errors: One line: it is not whole, was made for another release or architecture, lacks what this host needs, or
/// a file of it is not what the manifest says or not genuine by the profile's rules.
pub fn bind(host: &Host, profile: &mut Profile, directory: &Path) -> Result<(PathBuf, String)> {
    detach(profile, directory);
    let collection =
        Collection::open(directory).with_context(|| format!("--offline {}", directory.display()))?;
    detach(profile, &collection.directory);
    let manifest = &collection.manifest;
    for (what, found, wanted) in [
        ("release", &manifest.release, &*profile.os.release),
        ("architecture", &manifest.architecture, profile.os.architecture.name()),
    ] {
        ensure!(
            found == wanted,
            "--offline {}: it was collected for the {what} {}, the profile {} names {wanted}: collect again with this \
             host's profile",
            directory.display(),
            text::safe(found),
            profile.name
        );
    }
    let entries: Vec<_> = manifest.files.iter().filter(|entry| entry.role != Role::Agent).collect();
    for spec in profile.files.reiserfs.iter_mut().chain(&mut profile.files.xfs) {
        let Some(entry) = entries.iter().find(|entry| entry.file == spec.file) else { continue };
        if let Some(pinned) = spec.sha256.as_ref().filter(|pinned| ***pinned != entry.sha256) {
            bail!(
                "--offline {}: the profile pins {pinned} for {}, but the manifest says {}: collect again with this \
                 host's profile",
                directory.display(),
                spec.file,
                entry.sha256
            );
        }
        spec.collected_sha256 = Some(entry.sha256.clone());
    }
    let wanted = packages(profile);
    let specs = files(profile);
    let lacking: Vec<&str> = wanted
        .iter()
        .filter(|name| !entries.iter().any(|entry| entry.package == **name))
        .chain(specs.iter().filter(|spec| !entries.iter().any(|entry| entry.file == spec.file)).map(package))
        .map(String::as_str)
        .collect();
    if !lacking.is_empty() {
        // What is installed already need not be there; where that cannot be determined, it has to.
        let installed =
            Database::of_release(&profile.os.release).and_then(|database| database.installed(host, &lacking));
        let installed = installed.unwrap_or_default();
        let lacking: Vec<_> = lacking.into_iter().filter(|name| !installed.contains_key(*name)).collect();
        ensure!(
            lacking.is_empty(),
            "--offline {}: it has no package {}, which the profile {} needs: it was collected for the profile {}; \
             collect again with this host's profile",
            directory.display(),
            lacking.join(", "),
            profile.name,
            text::safe(&manifest.profile)
        );
    }
    let examined =
        examine(host, &collection, profile).with_context(|| format!("--offline {}", directory.display()))?;
    let doubtful = examined.iter().filter(|file| file.is_doubtful()).count();
    let note = format!(
        "packages come from {} alone: {}, as the manifest says{}; collected {} for the profile {}",
        collection.directory.display(),
        match manifest.files.len() {
            1 => "1 file".to_owned(),
            many => format!("{many} files"),
        },
        match doubtful {
            0 => String::new(),
            some => format!(", {some} of them {NOT_VERIFIED}, as the profile accepts"),
        },
        text::safe(&manifest.made),
        text::safe(&manifest.profile)
    );
    Ok((collection.directory.clone(), note))
}

/// Takes every address out of `profile`: what comes as a file comes from `directory`.
pub fn detach(profile: &mut Profile, directory: &Path) {
    profile.files.from = Some(directory.to_owned().into());
    for spec in profile.files.reiserfs.iter_mut().chain(&mut profile.files.xfs) {
        spec.urls.clear();
    }
}

fn package(spec: &PackageFile) -> &String {
    &spec.package
}
