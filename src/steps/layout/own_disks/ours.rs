//! Whether advice may have a command or a line of fstab for a device: those for a disk of a protected machine would change it.

use crate::facts::Facts;
use crate::host::DeviceNumber;
use crate::profile::Profile;
use crate::steps::devices::{carriers, resolve};
use crate::steps::twins::{self, Twin};

use super::owner::{Look, Owner, below, describe};

/// What is advised in the place of a command or a line of fstab for the block device `number`; `None` where it lies on disks of this
/// host's own alone.
pub(in crate::steps) fn not_own(profile: &Profile, facts: &Facts, number: DeviceNumber) -> Option<String> {
    let Ok(look) = Look::new(profile, facts) else { return Some("see layout.own-disks".to_owned()) };
    let numbers = below(number, facts, look.all_mounts, look.disks);
    for number in numbers {
        let disks = carriers(look.disks, number);
        if disks.is_empty() {
            return Some("it lies on no disk that was found: see layout.own-disks".to_owned());
        }
        if let Some(disk) = disks.into_iter().find(|disk| look.owner(disk) != Owner::Own) {
            return Some(format!(
                "{} is not known to be this host's own: write nothing to it, and see layout.own-disks",
                describe(disk)
            ));
        }
    }
    None
}

/// What is advised in the place of a command that goes by `name`, as in the first column of fstab, or of a line with it; `None` where
/// it leads to one device alone, on disks of this host's own, or nowhere.
pub(in crate::steps::layout) fn not_alone(profile: &Profile, facts: &Facts, name: &str) -> Option<String> {
    match twins::of(name, facts) {
        Err(_) => {
            return Some(format!(
                "whether {name} is the name of another attached device too is not known: see layout.own-disks"
            ));
        }
        Ok(twins) if !twins.is_empty() => {
            let list: Vec<_> = twins.iter().map(Twin::to_string).collect();
            return Some(format!("{name} can mean {}: see layout.own-disks", list.join(" and ")));
        }
        Ok(_) => {}
    }
    if twins::unrecognised(name, facts).is_some() {
        return Some(format!(
            "whether {name} is the name of another attached device too is not known: see layout.own-disks"
        ));
    }
    match resolve(name, facts) {
        Err(_) => Some(format!("which device {name} means is not known: see layout.own-disks")),
        Ok(number) => not_own(profile, facts, number?),
    }
}
