//! The seam to the operating system: root-prefixed paths, whole-file replacement, the command runner, work with a
//! deadline.
//!
//! Every reader takes a [`Host`]; no function elsewhere has a literal path that it opens by itself.

pub(crate) mod apart;
pub mod command;
mod deadline;
pub mod device_name;
mod device_number;
pub(crate) mod each;
mod file_system;
pub mod files;
#[cfg(mt_agent_el6)]
mod glibc;
pub(crate) mod ioctl;
pub(crate) mod isolation;
pub(crate) mod map_status;
mod root;
mod running;
mod scsi_id;
pub mod sum;
pub(crate) mod sync;
pub mod text;
pub mod trust;
mod uuid;

pub use self::apart::end_waiting;
pub use self::device_name::DeviceName;
pub use self::device_number::DeviceNumber;
pub use self::file_system::FileSystem;
pub use self::root::{Host, Kind};
pub use self::scsi_id::ScsiId;
pub use self::uuid::Uuid;
