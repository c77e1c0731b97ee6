//! Sealing: what is taken out of a template so that its clones are machines of their own. Here it is only found; what is
//! found is done by `run::seal`.

mod act;
mod choice;
mod code;
#[cfg(not(feature = "fuzzing"))]
mod edit;
#[cfg(feature = "fuzzing")]
pub mod edit;
mod identity;
mod item;
mod places;
mod refuse;
mod rows;
mod stays;
pub mod table;
mod template;

pub(crate) use choice::choose;
pub use choice::{ids, steps};
pub use code::NO_DISK;
pub(crate) use identity::template_record;
pub(crate) use item::Item;
pub(crate) use refuse::{check_covered, refusals};
pub(crate) use rows::find;
pub(crate) use stays::{notes, stays};
pub use table::AUTHORIZED_KEYS;
pub(crate) use table::STEPS;
pub(crate) use template::Template;
