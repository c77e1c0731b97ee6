//! The procedure: requirements in its order, one file a section. Pure: the same profile and facts give the
//! same findings on any machine.

mod boot_order;
pub mod custom_changes;
pub mod devices;
pub mod explain;
mod find_out;
mod finding;
pub mod hypervisor;
pub mod ids;
pub mod image;
mod judge;
mod known;
pub mod layout;
mod links;
pub mod multipath;
mod nearest;
pub mod network;
pub mod os;
pub mod packages;
mod registry;
pub mod remedy;
mod requirement;
pub mod retention;
pub mod scsi;
mod selection;
pub mod site;
pub mod sizing;
mod stage;
mod status;
mod storage;
mod tally;
#[cfg(test)]
pub mod testing;
mod twins;
mod unmounting;
pub mod waivers;
mod wording;

pub use finding::Finding;
pub use judge::{Verdict, judge_all, verdict};
pub(crate) use known::is_image;
pub use known::need;
pub use registry::{all, find, ids};
pub use requirement::{Orders, Place, RemediedBy, Requirement, Severity, Waivable};
pub use selection::{Selection, in_short, sections};
pub use stage::{Belongs, Stage};
pub use status::Status;
