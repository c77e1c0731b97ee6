//! What this host is, read once, in parallel, each subject with a deadline. One file a subject.
//!
//! A parser takes text or bytes and does no I/O; a loader does the I/O and calls the parser. What could not
//! be read is [`Fact::Unknown`] with its reason, never a default.

pub mod blank;
pub(crate) mod boot_entry;
pub(crate) mod boot_id;
pub(crate) mod boot_loader;
pub(crate) mod clock;
pub(crate) mod cpu_memory;
pub(crate) mod custom_changes;
pub(crate) mod daemons;
mod decode;
pub(crate) mod device_nodes;
pub mod disks;
pub(crate) mod dmi;
mod document;
mod fact;
pub(crate) mod family;
pub(crate) mod filesystems;
pub mod fstab;
pub mod gather;
pub(crate) mod guest_info;
pub(crate) mod identity;
pub(crate) mod journal;
pub mod kept;
pub mod machine;
pub(crate) mod marks;
pub mod mounts;
pub mod multipath;
pub mod network;
pub(crate) mod os;
pub mod packages;
pub(crate) mod processes;
mod read;
pub(crate) mod records;
pub mod retention;
pub mod scsi;
pub(crate) mod services;
pub mod shell;
pub(crate) mod signature;
pub(crate) mod site_agent;
pub mod storage;
pub(crate) mod strays;
pub mod swaps;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod tools;
pub(crate) mod wtmp;

pub use self::document::{Facts, LONGEST, SCHEMA, parse};
pub use self::fact::Fact;
