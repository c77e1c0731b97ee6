//! `mt-agent kickstart`, the real binary: what it prints is judged by ksvalidator and read back by today's version of
//! the installer's parser (pykickstart, by the rules of RHEL6); `scripts/test image` brings both.

#![allow(clippy::disallowed_methods, reason = "tests run the binary and the tools that judge it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../cli/agent.rs"]
#[allow(dead_code, reason = "another test uses all of it")]
mod agent;
mod generated;
mod golden;
mod judge;
#[path = "../support/samples.rs"]
mod samples;
mod scripts;
mod sets;
mod wrong;
