//! All requirements.

use super::requirement::Requirement;
use super::{
    custom_changes, hypervisor, image, layout, multipath, network, os, packages, retention, scsi, site,
    sizing,
};

/// Every requirement, in the order of the procedure.
pub fn all() -> impl Iterator<Item = &'static Requirement> {
    [
        os::REQUIREMENTS,
        sizing::REQUIREMENTS,
        layout::REQUIREMENTS,
        network::REQUIREMENTS,
        hypervisor::REQUIREMENTS,
        scsi::REQUIREMENTS,
        image::REQUIREMENTS,
        packages::REQUIREMENTS,
        custom_changes::REQUIREMENTS,
        multipath::REQUIREMENTS,
        retention::REQUIREMENTS,
        site::REQUIREMENTS,
    ]
    .into_iter()
    .flatten()
}

pub fn find(id: &str) -> Option<&'static Requirement> {
    all().find(|requirement| requirement.id == id)
}

/// Every id, in the order of the procedure.
pub fn ids() -> Vec<&'static str> {
    all().map(|requirement| requirement.id).collect()
}
