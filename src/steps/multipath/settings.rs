//! What the configuration of multipath says, for the judgements on it.

use crate::facts::Facts;
use crate::facts::multipath::{Configuration, Setting, matches};
use crate::steps::{Status, id, need};

/// What VMware's disks answer to INQUIRY.
pub(super) const VENDOR: &str = "VMware";
pub(super) const PRODUCT: &str = "Virtual disk";

/// The configuration. Without one everything is blacklisted, which is told once.
pub(super) fn configuration(facts: &Facts) -> Result<&Configuration, Status> {
    let configuration = need(&facts.multipath.configuration, "/etc/multipath.conf")?;
    configuration.as_ref().ok_or_else(|| Status::Blocked { by: id::MULTIPATH_FINDS.to_owned() })
}

/// What is not understood may say something else: that is told with the root disk, whose blacklist stands there.
pub(super) fn understood(configuration: &Configuration) -> Result<(), Status> {
    match configuration.problems.as_slice() {
        [] => Ok(()),
        _ => Err(Status::Blocked { by: id::CUSTOM_CHANGES_ROOT_DISK.to_owned() }),
    }
}

/// That it is known what is mounted and which swap is on: without it nobody knows which disks are this host's own.
pub(super) fn mounted(facts: &Facts) -> Result<(), Status> {
    need(&facts.mounts, "the mounts")?;
    need(&facts.swaps, "the active swap").map(drop)
}

/// Whether the setting concerns VMware's disks.
pub(super) fn concerns_disks(setting: &Setting) -> bool {
    let (vendor, product) = &setting.of;
    let fits = |pattern: &str, text: &str| pattern.is_empty() || matches(pattern, text);
    setting.section != "device" || (fits(vendor, VENDOR) && fits(product, PRODUCT))
}

/// What a value of a switch means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Switch {
    On,
    Off,
}

/// Reads `yes` and `no`, in any of the forms that every version takes.
pub(super) fn switch(value: &str) -> Option<Switch> {
    match value {
        "yes" | "1" => Some(Switch::On),
        "no" | "0" => Some(Switch::Off),
        _ => None,
    }
}

/// Whether later versions than el6's read the file.
pub(super) fn is_later(facts: &Facts) -> Result<bool, Status> {
    need(&facts.os.systemd, "whether systemd starts this machine").copied()
}
