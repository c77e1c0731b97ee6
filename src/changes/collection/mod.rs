//! What an unconnected master target needs, collected in a directory: packages with their dependencies, the
//! packages that come as files, the agent's own package, and a manifest with the SHA-256 of each.
//!
//! `apply --download-only` makes it ([`collect`]), `apply --offline` verifies it ([`Collection::open`]) and installs
//! from it alone ([`install`]). The manifest is written last: a directory without one is no collection.

mod collect;
mod directory;
mod examine;
mod install;
pub(crate) mod manifest;
mod order;
mod place;
mod resolve;
mod work;

pub use collect::collect;
pub use directory::Collection;
pub use examine::examine;
pub use install::install;
pub use order::Order;
pub use place::can_be_collected_in;
