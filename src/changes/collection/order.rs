//! What a collection is to hold.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::changes::package_file::PackageFile;

/// What is to be collected, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub directory: PathBuf,
    /// Packages of the profile; their dependencies come with them.
    pub packages: Vec<String>,
    /// Packages that come as files.
    pub files: Vec<PackageFile>,
    /// Repositories to take the packages from; this host's own when there are none.
    pub repositories: Vec<String>,
    /// The agent's own package.
    pub agent_package: Option<PathBuf>,
}
