//! Packages: from the configured repositories in one transaction, or from files. The package database says what
//! came of it, and not an exit status: that of yum is 0 when any of the names was found.

mod files;
mod install;
mod names;
mod obtain;
mod transaction;

pub use files::{install_files, install_files_with};
pub use install::{install, install_with};
pub(super) use names::{describe, missing};
pub(super) use obtain::{copy, obtain, own, sum_of};
pub(super) use transaction::{file_transaction, wait_for_lock};
