//! What is mounted now: /proc/self/mountinfo.

use serde::{Deserialize, Serialize};

use super::Fact;

/// One mount; octal escapes are decoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Where.
    pub mount_point: String,
    /// `major:minor` of the mounted file system.
    pub major_minor: String,
    /// The directory of the file system that is mounted: other than `/` for a bind mount.
    pub root: String,
    /// File system type.
    pub fs_type: String,
    /// What was given as its source.
    pub source: String,
    /// Options of the mount (`rw`, `nosuid`).
    pub options: Vec<String>,
    /// Options of the file system (`rw`, `data=ordered`): `ro` here means the file system itself is.
    pub super_options: Vec<String>,
    /// Size of the file system in bytes (statvfs); only asked of file systems on block devices.
    pub size_bytes: Fact<u64>,
    /// What unprivileged users can still write, in bytes.
    pub free_bytes: Fact<u64>,
}

impl Mount {
    /// Whether neither the mount nor the file system is read-only.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        !self.options.iter().chain(&self.super_options).any(|option| option == "ro")
    }
}
