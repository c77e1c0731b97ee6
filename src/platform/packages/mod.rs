//! Packages: what installs them, who holds its locks, what it says, and what package files say of themselves.

mod act;
mod database;
mod lock;
pub(crate) mod look;
mod manager;
mod name;
mod needs;
mod output;
pub(crate) mod resolve;
mod rpm;
mod signature;
pub mod version;

pub use crate::facts::packages::{Database, Manager};
pub(crate) use act::Act;
pub(crate) use database::Tool;
pub(crate) use lock::process;
pub(crate) use manager::no_repository;
pub(crate) use name::{SUFFIX, plain, plain_directory};
pub(crate) use needs::Need;
pub(crate) use output::reason;
pub(crate) use rpm::LONG_QUESTION;
#[cfg(feature = "fuzzing")]
pub(crate) use rpm::{parse_installed, parse_signature};
pub(crate) use signature::{NO_SIGNATURE, NOT_VERIFIED, Signature};
