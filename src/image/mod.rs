//! Golden images: how they are installed, and what they must not carry.

pub mod kickstart;
pub mod seal;
