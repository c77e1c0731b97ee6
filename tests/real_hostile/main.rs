//! Not one foreign byte: everything that a disk can carry, made with the tools that make it, on real loop devices;
//! and everything that can happen to a blank disk between the plan and the making of the file system. Each is
//! refused by the probe, by the choice and by the formatting itself, each with a reason that names what was found,
//! and the SHA-256 of the image stays the same. Then it is erased, as a person asked, and nothing of it is left.
#![allow(clippy::disallowed_methods, reason = "files and devices of a test are not the host's")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "../support/content.rs"]
mod content;
#[path = "../real_retention/desk.rs"]
#[allow(dead_code, reason = "shared with the tests of the retention disk")]
mod desk;
#[path = "../real_retention/stand_ins.rs"]
#[allow(dead_code, reason = "shared with the tests of the retention disk")]
mod stand_ins;

mod bytes;
mod changing;
mod contents;
mod erased;
mod fixtures;
mod judge;
mod tables;
