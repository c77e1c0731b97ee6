//! What the agent keeps on a host: every path, spelt once, and every record with its type, its schema, and how it is read and written.
//!
//! A record is read strictly ([`record`]): what is torn, of another version or not root's alone is not believed. It is written
//! whole ([`record::write`]), so that it survives a power loss.

pub mod identity;
pub mod journal;
pub mod machine;
pub mod paths;
pub mod record;
pub mod request;
pub mod resume;
pub mod retention;
pub mod saved;
pub mod sealing;
pub mod set_aside;
pub mod time;
pub mod vendor_script;
