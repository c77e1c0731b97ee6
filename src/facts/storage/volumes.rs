//! What a device and those of its partitions that the kernel does not show carry.

use super::{Place, Storage};
use crate::facts::retention::Volume;

impl Storage {
    /// What it carries, and what lies at the places of those of its partitions that the kernel does not show: the number of the
    /// partition, the volume, and the UUID of its volume group.
    pub fn volumes(&self) -> impl Iterator<Item = (Option<u32>, &Volume, Option<&str>)> {
        let whole = self.volume.as_ref().map(|volume| (None, volume, self.group.as_deref()));
        let entries = self.table.iter().flat_map(|table| &table.entries);
        whole.into_iter().chain(entries.filter_map(|entry| match &entry.place {
            Some(Place::Read { volume, group, .. }) => {
                Some((Some(entry.number), volume.as_ref()?, group.as_deref()))
            }
            _ => None,
        }))
    }

    /// The software RAIDs whose members it and its partitions are, as in [`Storage::volumes`].
    pub fn arrays(&self) -> impl Iterator<Item = (Option<u32>, &str)> {
        let entries = self.table.iter().flat_map(|table| &table.entries);
        let of_entries = entries.filter_map(|entry| match &entry.place {
            Some(Place::Read { array, .. }) => Some((Some(entry.number), array.as_deref()?)),
            _ => None,
        });
        self.array.as_deref().map(|array| (None, array)).into_iter().chain(of_entries)
    }
}
