//! Golden images: what they must not carry, and how they are installed.

pub mod seal;
