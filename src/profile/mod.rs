//! What a master target must be: YAML, merged along `extends`, read as a [`Profile`], validated.
//!
//! ```text
//! source (the file, if only root can write it) -> parse (a tree with lines) -> chain (extends, merge)
//!     -> decode (the types of model and values) -> validate (contradictions) -> Profile -> show, differences
//! ```
//!
//! Every value of a [`Profile`] is complete and of the right kind; where it came from is in [`Profile::origins`].

mod builtin;
mod chain;
mod decode;
mod differences;
mod load;
mod model;
mod parse;
mod schema;
mod show;
mod source;
mod tree;
mod validate;
mod values;
mod wrong;
mod yaml;

pub use builtin::{DEFAULT, builtin, builtin_names};
pub use differences::differences;
#[cfg(feature = "fuzzing")]
pub(crate) use load::from_text;
pub(crate) use load::{Given, Setting, load_with};
pub use load::{HOST_FILE, check, load};
pub use model::{
    CustomChanges, FileSpec, Files, Hypervisor, Installation, Layout, Network, Os, Packages, PartitionSize,
    PartitionSpec, Profile, Retention, Server, Site, Sizing, Sources, Waiver,
};
pub use schema::schema;
pub use show::{digest, show, to_json};
pub use source::Writers;
pub use values::Unverified;
#[cfg(test)]
pub(crate) use values::{Architecture, BootLoaderPlace, DiskName, Finish, MountPoint, RetentionType};
pub(crate) use values::{
    InstallSource, NetworkKind, OtherAddress, PackageName, PartitionType, ScriptStage, Size,
};

#[cfg(test)]
mod tests;
