//! A package that comes as a file, as a change names it.

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use crate::platform::packages::look::Package;
use crate::profile::FileSpec;

/// A package that comes as a file: what the profile says of it, and a collection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageFile {
    /// Its name in the package database.
    pub package: String,
    /// The file's name.
    pub file: String,
    /// Addresses to fetch it from, tried in this order.
    pub urls: Vec<String>,
    /// Its pinned SHA-256, lower-case hex.
    pub sha256: Option<String>,
    /// SHA-256, lower-case hex, that a collection's manifest says: the file is still what was collected. Who made it, it
    /// does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected_sha256: Option<String>,
}

impl PackageFile {
    /// Makes sure that `package` is this one, and of this version, unless the SHA-256 (`sum`, lower-case hex)
    /// is pinned. A signature is as good on an older version, whose faults are known.
    pub(super) fn names(&self, package: &Package, sum: &str) -> Result<()> {
        ensure!(package.name == self.package, "it is the package {}, not {}", package.name, self.package);
        ensure!(
            self.sha256.is_some() || package.file() == self.file,
            "it is {package}, but the profile names {}: another version; pin its SHA-256 in the profile ({sum}) if it is the \
             one that you want",
            self.file
        );
        Ok(())
    }
}

impl From<&FileSpec> for PackageFile {
    fn from(spec: &FileSpec) -> Self {
        Self {
            package: spec.package.to_string(),
            file: spec.file.to_string(),
            urls: spec.urls.iter().map(ToString::to_string).collect(),
            sha256: spec.sha256.as_ref().map(ToString::to_string),
            collected_sha256: spec.collected_sha256.clone(),
        }
    }
}
