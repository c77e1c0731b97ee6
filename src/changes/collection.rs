//! What an unconnected master target needs, collected in a directory: packages with their dependencies, the
//! packages that come as files, the agent's own package, and a manifest with the SHA-256 of each.
//!
//! `apply --download-only` makes it ([`collect`]), `apply --offline` verifies it ([`Collection::open`]) and installs
//! from it alone ([`install`]). The manifest is written last: a directory without one is no collection.

mod collect;
mod directory;
mod inspect;
mod install;
pub mod manifest;
mod resolve;

pub use collect::{Order, collect};
pub use directory::Collection;
pub use install::{install, install_with_rpm};

/// What the work under way is called in the directory; the number of the process follows.
const WORK: &str = ".mt-agent-work.";
