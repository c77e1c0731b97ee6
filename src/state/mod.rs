//! What the agent keeps on a host: every path, spelt once, and every record with its type, its schema, and how it is read and written.
//!
//! A record is read strictly ([`record`]): what is torn, of another version or not root's alone is not believed. It is written
//! whole ([`record::write`]), so that it survives a power loss.

pub(crate) mod identity;
pub(crate) mod journal;
pub(crate) mod machine;
pub mod paths;
pub(crate) mod record;
pub(crate) mod request;
pub mod resume;
pub mod retention;
pub mod saved;
pub(crate) mod sealing;
pub(crate) mod set_aside;
pub(crate) mod time;
pub(crate) mod vendor_script;
