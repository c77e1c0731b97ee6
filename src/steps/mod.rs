//! The procedure: requirements in its order, one file a section. Pure: the same profile and facts give the
//! same findings on any machine.

mod boot_order;
pub(crate) mod custom_changes;
pub(crate) mod devices;
pub(crate) mod explain;
mod find_out;
mod finding;
mod hypervisor;
pub(crate) mod id;
pub(crate) mod image;
mod judge;
mod known;
pub(crate) mod layout;
mod links;
pub(crate) mod multipath;
mod nearest;
pub(crate) mod network;
pub(crate) mod os;
pub(crate) mod packages;
mod registry;
pub mod remedy;
mod requirement;
pub mod retention;
pub(crate) mod scsi;
mod selection;
mod site;
mod sizing;
mod stage;
mod status;
mod storage;
mod tally;
#[cfg(test)]
pub(crate) mod testing;
mod twins;
mod unmounting;
pub(crate) mod waivers;
mod wording;

pub use explain::vcenter_only;
pub use finding::Finding;
pub use judge::{Verdict, judge_all, verdict};
pub(crate) use known::is_image;
pub(crate) use known::need;
#[cfg(test)]
pub(crate) use registry::all;
pub(crate) use registry::find;
pub use registry::ids;
pub use requirement::Severity;
pub(crate) use requirement::{Orders, Place, RemediedBy, Requirement, Waivable};
pub use selection::Selection;
pub(crate) use selection::in_short;
pub(crate) use stage::Belongs;
pub use stage::Stage;
pub use status::Status;
