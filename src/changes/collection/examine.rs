//! What the files of a collection are, by their own word and by their signatures: looked at before anything runs.
//!
//! The manifest's sums say that nothing has changed since; they say nothing of who made a file, and its names and versions
//! are only what somebody wrote.

use anyhow::{Context as _, Result, ensure};

use super::directory::Collection;
use super::manifest::{Entry, Role};
use crate::changes::package_file::PackageFile;
use crate::host::Host;
use crate::platform::packages::look::{Package, nevra};
use crate::platform::packages::{Database, NOT_VERIFIED, Signature, Tool};
use crate::profile::Profile;

/// A file of a collection, looked into.
#[derive(Clone, Debug)]
pub struct Examined<'a> {
    pub entry: &'a Entry,
    pub package: Package,
    /// How it is known to be genuine on this host.
    pub verified: String,
}

impl Examined<'_> {
    /// Whether nothing shows that it is genuine, which the profile accepts.
    pub fn is_doubtful(&self) -> bool {
        self.verified.starts_with(NOT_VERIFIED)
    }
}

/// Looks into every file of `collection`: it is the package that the manifest names, this profile's system can install it,
/// and it is genuine by the profile's rules, as a file from elsewhere has to be. The agent's own package, which is not
/// installed from here, comes last and needs no signature.
/// Errors: One line: which file in the directory is not so, and why.
pub fn examine<'a>(host: &Host, collection: &'a Collection, profile: &Profile) -> Result<Vec<Examined<'a>>> {
    let database = Database::of_release(&profile.os.release)?;
    let directory = &collection.directory;
    let all = &collection.manifest.files;
    let (agents, others): (Vec<&Entry>, Vec<&Entry>) =
        all.iter().partition(|entry| entry.role == Role::Agent);
    let everything = [others.as_slice(), agents.as_slice()].concat();
    let packages = database.look(host, directory, &names(&everything))?;
    let signatures = database.signatures(host, directory, &names(&others))?;
    let verdicts = signatures.into_iter().map(Some).chain(agents.iter().map(|_| None));
    let mut examined = Vec::new();
    for ((entry, package), signature) in everything.into_iter().zip(packages).zip(verdicts) {
        let expected = nevra(&entry.package, entry.epoch, &entry.version, &entry.architecture);
        ensure!(
            package.to_string() == expected,
            "{}: it is the package {package}, but the manifest says {expected}: collect again",
            entry.file
        );
        let verified = package
            .fits(&profile.os)
            .and_then(|()| genuine(entry, &package, signature, profile))
            .with_context(|| entry.file.clone())?;
        examined.push(Examined { entry, package, verified });
    }
    Ok(examined)
}

fn names<'a>(entries: &[&'a Entry]) -> Vec<&'a str> {
    entries.iter().map(|entry| entry.file.as_str()).collect()
}

fn genuine(
    entry: &Entry,
    package: &Package,
    signature: Option<Signature>,
    profile: &Profile,
) -> Result<String> {
    let files = &profile.files;
    let Some(signature) = signature else { return Ok("the agent's own package".into()) };
    if let Some(spec) = files.reiserfs.iter().chain(&files.xfs).find(|spec| entry.file == spec.file) {
        PackageFile::from(spec).names(package, &entry.sha256)?;
        if spec.sha256.as_deref() == Some(&entry.sha256) {
            return Ok("verified by its SHA-256".into());
        }
    }
    let Tool { import_key, keys, .. } = Database::of_release(&profile.os.release)?.tool();
    signature.settle(files, &format!("import its maker's key ({import_key}; {keys})"))
}
