//! What a collection is to hold.

use std::path::Path;

use crate::changes::package_file::PackageFile;

/// What is to be collected, and where.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    pub directory: &'a Path,
    /// Packages of the profile; their dependencies come with them.
    pub packages: &'a [String],
    /// Packages that come as files.
    pub files: &'a [PackageFile],
    /// Repositories to take the packages from; this host's own when there are none.
    pub repositories: &'a [String],
    /// The agent's own package.
    pub agent_package: Option<&'a Path>,
}
