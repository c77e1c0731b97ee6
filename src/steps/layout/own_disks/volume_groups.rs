//! Volume groups of LVM: this host's own, and those on other attached disks that have their names.

use std::collections::BTreeSet;

use crate::facts::disks::{Disk, Holder, Mapped};
use crate::facts::retention::Volume;
use crate::facts::storage::{LVM, Storage, UUID_LETTERS};
use crate::steps::tally::Tally;
use crate::steps::{need, twins};

use super::called::{add, called, is_there};
use super::owner::{Look, Owner};

/// Volume groups of this host's whose name a physical volume on another disk has. One of the very group, by the UUID of that, is this
/// host's too, unless it is a copy of another one.
pub(super) fn look(look: &Look<'_>, tally: &mut Tally, fix: &mut Vec<String>) {
    let own = own_groups(look);
    if own.is_empty() {
        return;
    }
    let Some(storage) = tally.know(need(&look.facts.storage, "what the attached devices carry")) else {
        return;
    };
    if let Some(why) = twins::untold(look.facts) {
        tally.unknown(format!("whether another attached device has a name of this host's too: {why}"));
    }
    for disk in look.disks.iter().filter(|disk| look.owner(disk) != Owner::Own) {
        for Physical { on, number, volume, group: id_of_it } in physical(disk, storage) {
            let group = &volume.label;
            let mut ids = own.iter().filter(|(own, _)| own == group).map(|(_, id)| id).peekable();
            if ids.peek().is_none() {
                continue;
            }
            let is_same = |id: &Option<String>| Some(id.as_deref()? == id_of_it?);
            let same: Vec<_> = ids.map(is_same).collect();
            let name = called(disk, on, number);
            let detach = format!("detach {} before any command of LVM", disk.name);
            if same.contains(&Some(true)) {
                let all = storage.iter().flat_map(|one| one.volumes().map(move |volume| (one, volume)));
                let mut copies = all.filter(|(other, (of, copy, _))| {
                    (other.major_minor, *of) != (on.major_minor, number)
                        && copy.fs_type == LVM
                        && copy.uuid == volume.uuid
                });
                if let Some((other, (of, ..))) = copies.next() {
                    tally.problem(format!(
                        "{name} is a copy of {}, a physical volume of this host's own volume group {group}",
                        twins::named(&other.name, of)
                    ));
                    add(fix, format!("{detach}, which may take either"));
                }
            } else if same.contains(&None) {
                tally.problem(format!(
                    "{name} belongs to a volume group {group}, as this host's own is named"
                ));
                let own = disk.id().map(|id| format!("mt-agent apply --own-disk {id}"));
                add(
                    fix,
                    format!(
                        "{detach}, which may take either group. If it belongs to this host's own group: {}",
                        own.as_deref().unwrap_or("give it a SCSI ID (scsi.ids) first")
                    ),
                );
            } else {
                tally.problem(format!(
                    "{name} belongs to another volume group {group} than this host's own of that name"
                ));
                add(fix, format!("{detach}, which may take either group"));
            }
        }
    }
}

/// A physical volume of LVM.
struct Physical<'a> {
    /// The device on which it lies.
    on: &'a Storage,
    /// The number of its partition there, where the kernel does not show that.
    number: Option<u32>,
    volume: &'a Volume,
    /// The UUID of its group.
    group: Option<&'a str>,
}

fn physical<'a>(disk: &Disk, storage: &'a [Storage]) -> Vec<Physical<'a>> {
    let of = |on: &'a Storage| {
        on.volumes().map(move |(number, volume, group)| Physical { on, number, volume, group })
    };
    let all = storage.iter().flat_map(of);
    all.filter(|one| one.volume.fs_type == LVM && is_there(disk, one.on, one.number)).collect()
}

/// The volume groups with an active volume on this host's own disks: name and UUID.
fn own_groups(look: &Look<'_>) -> BTreeSet<(String, Option<String>)> {
    look.disks.iter().filter(|disk| look.owner(disk) == Owner::Own).flat_map(active).collect()
}

/// Whether a volume group of this host's has the name.
pub(super) fn is_own(look: &Look<'_>, group: &str) -> bool {
    own_groups(look).iter().any(|(own, _)| own == group)
}

/// The volume groups with an active volume on `disk`: name and UUID, with which the UUID of the mapping begins (LVM2's
/// lib/activate/dev_manager.c).
pub(super) fn active(disk: &Disk) -> impl Iterator<Item = (String, Option<String>)> {
    let of_lvm = |holder: &Holder| {
        let Mapped::Lvm(uuid) = holder.mapped() else { return None };
        let group = uuid.get(..UUID_LETTERS).filter(|_| uuid.len() >= 2 * UUID_LETTERS);
        Some((group_of(holder.dm_name.as_deref()?), group.map(str::to_owned)))
    };
    disk.all_holders().into_iter().filter_map(of_lvm)
}

/// The volume group of the mapping `name`, in which each hyphen of a name is doubled (LVM2's lib/misc/lvm-string.c).
pub(super) fn group_of(name: &str) -> String {
    let marked = name.replace("--", "\0");
    marked.split('-').next().unwrap_or_default().replace('\0', "-")
}
