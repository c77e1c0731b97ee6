//! Which programs read fstab, by the age of the system.

use crate::facts::os;
use crate::host::Host;

/// Who reads the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// mount(8) of util-linux-ng 2.17.2, as in RHEL 6 (mount/mount_mntent.c, `my_getmntent`): lines of more than 4,095
    /// bytes and the fifth bad line end its reading, a number has digits only. Swap is read with glibc's getmntent(3)
    /// (mount/swapon.c), which takes anything for a number.
    UtilLinuxNg,
    /// libmount (libmount/src/tab_parse.c) and systemd's generator, which reads with glibc's getmntent(3) up to version 253:
    /// only what both take alike is an entry. Swap is systemd's alone.
    Libmount,
}

impl Dialect {
    /// That of the host: CentOS 6 is what has no systemd.
    pub fn of(host: &Host) -> Self {
        if os::systemd(host).unwrap_or(false) { Self::Libmount } else { Self::UtilLinuxNg }
    }
}
