//! The real binary, run as a person or a script would.

#![allow(clippy::disallowed_methods, reason = "tests run the binary and the tools that watch it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod agent;
mod documents;
mod loop_device;
mod one_at_a_time;
mod read_only;
mod streams;
mod usage;
