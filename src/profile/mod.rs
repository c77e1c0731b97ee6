//! What a master target must be: raw YAML, merged along `extends`, validated.
//!
//! ```text
//! source (the file, if only root can write it) -> tree (YAML with lines) -> load (extends, merge)
//!     -> decode (typed: raw, values) -> validate (contradictions) -> Profile -> show
//! ```
//!
//! [`Profile`] is the validated result that the rest of the crate works with. Every value in it is complete
//! and of the right kind; where it came from is in [`Profile::origins`].

mod builtin;
mod decode;
mod load;
mod model;
mod raw;
mod schema;
mod show;
mod source;
mod tree;
mod validate;
mod values;
mod wrong;

pub use builtin::{DEFAULT, builtin, builtin_names};
#[cfg(feature = "fuzzing")]
pub(crate) use load::from_text;
pub use load::{Given, HOST_FILE, Setting, check, load, load_with};
pub use model::{
    BootLoaderPlace, CustomChanges, FileSpec, Files, Finish, Hypervisor, InstallSource, Installation, Layout,
    Network, NetworkKind, Os, Packages, PartitionSize, PartitionSpec, Profile, Retention, Server, Site,
    Sizing, Sources, Waiver,
};
pub use schema::schema;
pub use show::{differences, digest, show, to_json};

#[cfg(test)]
mod tests;
