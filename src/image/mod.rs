//! Golden images: how they are installed, and what they must not carry.

pub(crate) mod kickstart;
pub mod seal;
