//! What differs by the family of the system, and nothing else: acts, words, what an image must not carry. Each is a `match` on
//! [`Family`] without a `_` arm, so that a family that was forgotten does not compile. What the agent cannot do on a family yet is
//! refused by [`unsupported`].

mod installer;
pub mod packages;
pub(crate) mod services;
mod support;
pub(crate) mod template;
pub(crate) mod texts;
pub(crate) mod words;

pub use crate::facts::family::Family;
pub(crate) use installer::{Installer, installer};
pub use support::unsupported;
