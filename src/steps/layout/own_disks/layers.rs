//! Members of this host's own software RAIDs, and its own encrypted volumes, on other attached disks: the next boot assembles or opens
//! whichever it finds first.

use crate::facts::storage::{LUKS, Storage};
use crate::steps::need;
use crate::steps::tally::Tally;

use super::called::{add, called, is_there};
use super::owner::{Look, Owner, describe};

/// What of this host's own is built on a device.
struct Own<'a> {
    /// Kernel name of the device.
    on: &'a str,
    uuid: String,
}

pub(super) fn look(look: &Look<'_>, tally: &mut Tally, fix: &mut Vec<String>) {
    let own_disks = look.disks.iter().filter(|disk| look.owner(disk) == Owner::Own);
    let members: Vec<_> = own_disks.flat_map(|disk| disk.members()).collect();
    if members.is_empty() {
        return;
    }
    let Some(storage) = tally.know(need(&look.facts.storage, "what the attached devices carry")) else {
        return;
    };
    let (mut arrays, mut encrypted) = (Vec::new(), Vec::new());
    for one in storage.iter().filter(|one| members.iter().any(|(_, number)| *number == one.major_minor)) {
        let on = one.name.as_str();
        arrays.extend(one.array.clone().map(|uuid| Own { on, uuid }));
        let volume = one.volume.as_ref().filter(|volume| volume.fs_type == LUKS);
        encrypted.extend(volume.map(|volume| Own { on, uuid: volume.uuid.to_string() }));
    }
    for disk in look.disks.iter().filter(|disk| look.owner(disk) != Owner::Own) {
        let mut tell = |on: &Storage, number, own: &Own<'_>, what: &str| {
            if !is_there(disk, on, number) {
                return;
            }
            tally.problem(format!(
                "{} is {what} {}, as this host's own {} is",
                called(disk, on, number),
                own.uuid,
                own.on
            ));
            let own = disk.id().map(|id| format!("mt-agent apply --own-disk {id}"));
            add(
                fix,
                format!(
                    "detach {} before the next boot, which may take either. If it is this host's own: {}",
                    describe(disk),
                    own.as_deref().unwrap_or("give it a SCSI ID (scsi.ids) first")
                ),
            );
        };
        for on in storage {
            for (number, uuid) in on.arrays() {
                if let Some(own) = arrays.iter().find(|own| own.uuid == uuid) {
                    tell(on, number, own, "a member of the software RAID");
                }
            }
            for (number, volume, _) in on.volumes().filter(|(_, volume, _)| volume.fs_type == LUKS) {
                if let Some(own) = encrypted.iter().find(|own| volume.uuid == *own.uuid) {
                    tell(on, number, own, "an encrypted volume with the UUID");
                }
            }
        }
    }
}
