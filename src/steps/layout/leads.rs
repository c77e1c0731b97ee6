//! To what a name leads, and what is said where that is not one device.

use crate::facts::Facts;
use crate::host::DeviceNumber;
use crate::steps::Status;
use crate::steps::devices::resolve;
use crate::steps::tally::Tally;

/// Of a name that several devices answer to: which ones, and what to do, is reported once.
pub(super) const SHARED: &str = ": several attached devices have that name";
pub(super) const SEE: &str = "see layout.own-disks";

/// The block device to which a name leads now, where that can be determined: `Some(None)` is none. An image has no devices.
pub(super) fn leads_to(name: &str, facts: &Facts, tally: &mut Tally) -> Option<Option<DeviceNumber>> {
    match resolve(name, facts) {
        Err(Status::NotApplicable { .. }) => None,
        device => tally.know(device),
    }
}
