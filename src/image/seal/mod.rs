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

pub use choice::{AROUND, choose, ids};
pub use code::{NO_DISK, NO_NAME};
pub use identity::template_record;
pub use item::Item;
pub use refuse::{check_covered, refusals};
pub use rows::find;
pub use stays::{notes, stays};
pub use table::{AUTHORIZED_KEYS, STEPS};
pub use template::Template;
