//! Not one foreign byte: everything that a disk can carry, made with the tools that make it, on real loop devices;
//! and everything that can happen to a blank disk between the plan and the making of the file system. Each is
//! refused by the probe, by the choice and by the formatting itself, each with a reason that names what was found,
//! and the SHA-256 of the image stays the same.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "../real_retention/desk.rs"]
#[allow(dead_code, reason = "shared with the tests of the retention disk")]
mod desk;

mod bytes;
mod changing;
mod contents;
mod fixtures;
mod judge;
mod tables;
