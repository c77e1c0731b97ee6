//! What is to be mounted at boot: /etc/fstab.

use serde::{Deserialize, Serialize};

/// One entry; octal escapes are decoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Line number in the file, from 1.
    pub line: usize,
    /// Device, `UUID=…` or `LABEL=…`.
    pub device: String,
    /// Where; `none` or `swap` for swap.
    pub mount_point: String,
    /// File system type.
    pub fs_type: String,
    /// Options.
    pub options: Vec<String>,
    /// fsck pass; absent means 0.
    pub pass: u32,
}
