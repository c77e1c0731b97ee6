//! What lies below a loop device.

use nix::libc;

use crate::facts::disks::sysfs;
use crate::host::{Host, files, ioctl};

/// `major:minor` of the block device below the loop device `name` (`loop0`), or of the one on which the file below it lies; of a
/// recording its path, as sysfs has it since 2.6.37.
pub(super) fn below(host: &Host, name: &str) -> Option<String> {
    if !host.is_live() {
        return sysfs::word(host, name, "loop/backing_file");
    }
    let node = files::node(&host.path(format!("/dev/{name}")), libc::O_NONBLOCK).ok()?;
    ioctl::below_loop(&node).ok().map(|number| number.to_string())
}
