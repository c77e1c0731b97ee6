//! `seal` on real file systems: trees on loop devices, image files, marks that keep a file from being removed, hooks, and
//! runs that are killed. What an image must not carry is looked for in its bytes.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "files and programs of a test are not the host's"
)]

mod desk;
mod images;
mod interrupted;
mod left_alone;
mod list;
#[path = "../support/samples.rs"]
mod samples;
#[path = "../support/mod.rs"]
mod support;
mod systems;
mod taken_out;
