//! Packages: what installs them, who holds its locks, what it says, and what package files say of themselves.

pub(crate) mod lock;
pub(crate) mod look;
mod manager;
mod name;
mod output;
pub(crate) mod resolve;
pub(crate) mod rpm;
pub mod version;

pub use crate::facts::packages::{Database, Manager};
pub use manager::{OWN_REPOSITORIES, can_install, needs_rpm, no_repository};
pub use name::{SUFFIX, plain};
pub use output::reason;
