//! The error codes of Site Recovery that the procedure and the troubleshooting chapters explain.

mod code;
mod failback;
mod mobility;

pub use code::Code;

/// Every code that can be explained.
pub fn codes() -> impl Iterator<Item = &'static Code> + Clone {
    failback::CODES.iter().chain(mobility::CODES)
}
