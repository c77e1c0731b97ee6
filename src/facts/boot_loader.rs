//! The boot loader on the disk that carries `/`.

use serde::{Deserialize, Serialize};

/// Boot code found in first sectors; reading them needs root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootLoader {
    /// Kernel name of the root disk.
    pub disk: String,
    /// What the disk's first sector carries (`GRUB`, `LILO`, `SYSLINUX`, `unknown boot code`), if anything.
    pub mbr: Option<String>,
    /// Partitions of that disk whose first sector carries boot code: name and what.
    pub partitions: Vec<(String, String)>,
    /// Configuration files present (/boot/grub/grub.conf, /boot/grub2/grub.cfg, /boot/grub/grub.cfg, EFI).
    pub configuration: Vec<String>,
}
