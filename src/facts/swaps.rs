//! Active swap: /proc/swaps.

use serde::{Deserialize, Serialize};

/// One active swap area.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swap {
    /// Device or file; octal escapes are decoded.
    pub path: String,
    /// Whether it is a block device (`partition` in the kernel's words) and not a file.
    pub is_partition: bool,
    /// `major:minor` of the block device.
    pub major_minor: Option<String>,
    /// Size in bytes.
    pub size_bytes: u64,
}
