//! The ids that code names beside the table of their requirement.

pub use crate::facts::custom_changes::APPLIED as CUSTOM_CHANGES_APPLIED;
pub use crate::state::journal::IDENTITY as IMAGE_IDENTITY;

pub const CUSTOM_CHANGES_RESTARTED: &str = "custom-changes.restarted";
pub const CUSTOM_CHANGES_ROOT_DISK: &str = "custom-changes.root-disk";
pub const DEVICE_NODES: &str = "os.device-nodes";
pub const MULTIPATH_FINDS: &str = "multipath.finds";
pub const NO_LVM: &str = "layout.no-lvm";
pub const OS_RELEASE: &str = "os.release";
pub const OWN_DISKS: &str = "layout.own-disks";
pub const PACKAGES_BASE: &str = "packages.base";
pub const PACKAGES_MULTIPATH: &str = "packages.multipath";
pub const RETENTION_CAPACITY: &str = "retention.capacity";
pub const RETENTION_DISK: &str = "retention.disk";
pub const RETENTION_MOUNTED: &str = "retention.mounted";
pub const RETENTION_PERSISTENT: &str = "retention.persistent";
pub const SCSI_IDS: &str = "scsi.ids";
pub const SCSI_IDS_UNIQUE: &str = "scsi.ids-unique";
pub const UUID_ENABLED: &str = "scsi.uuid-enabled";
