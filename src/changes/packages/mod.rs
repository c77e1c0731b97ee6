//! Packages: from the configured repositories in one transaction, or from files. The package database says what
//! came of it; the exit status of yum, which is 0 when any of the names was found, is not asked.

mod files;
mod install;
mod names;
mod obtain;
mod transaction;

pub use files::{install_files, install_files_with_rpm};
pub use install::{install, install_with};
pub(super) use names::{describe, missing};
pub(super) use obtain::{copy, obtain, own, sum_of};
pub(super) use transaction::{rpm_transaction, wait_for_rpm};
