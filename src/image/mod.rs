//! Golden images, and the installation that they come from.

pub mod kickstart;
