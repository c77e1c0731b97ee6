//! The only code that alters a host, one file a kind of change. A change is a value: `plan` prints it, the
//! journal records it, a test compares it.

pub mod archive;
mod change;
pub(crate) mod collection;
mod consent;
mod context;
pub(crate) mod custom_changes;
mod device;
mod device_nodes;
pub mod fetch;
pub(crate) mod free_space;
pub mod fstab;
pub mod grow;
pub mod identity;
pub mod mkfs;
pub mod mount;
pub(crate) mod multipath;
mod package_file;
pub mod packages;
mod perform;
pub(crate) mod records;
pub(crate) mod scrub;
mod target;
#[cfg(test)]
mod testing;
pub(crate) mod unmount;

pub use self::change::Change;
pub use self::context::{Context, Done, Observer};
pub use self::package_file::PackageFile;
pub use self::target::Target;
