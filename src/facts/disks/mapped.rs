//! What a device-mapper device is: each program that makes such devices begins their uuids with a word of its own.

use super::Holder;

/// What a device-mapper device is, by its uuid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mapped<'a> {
    /// A multipath map, with its WWID: `mpath-…`.
    Multipath(&'a str),
    /// A partition of a multipath map, which kpartx made, with its number: `part1-mpath-…`.
    MapPartition(u32),
    /// A logical volume, with the UUIDs of its group and itself: `LVM-…`.
    Lvm(&'a str),
    /// An encrypted volume: `CRYPT-…`.
    Encrypted,
    /// Anything else, and a device that has no uuid.
    Other,
}

impl<'a> Mapped<'a> {
    /// The kind of the device with this uuid.
    pub fn of(uuid: &'a str) -> Self {
        if let Some(wwid) = uuid.strip_prefix("mpath-") {
            return Self::Multipath(wwid);
        }
        if let Some(rest) = uuid.strip_prefix("LVM-") {
            return Self::Lvm(rest);
        }
        if uuid.starts_with("CRYPT-") {
            return Self::Encrypted;
        }
        let partition = uuid.strip_prefix("part").and_then(|rest| rest.split_once("-mpath-"));
        partition.and_then(|(number, _)| number.parse().ok()).map_or(Self::Other, Self::MapPartition)
    }

    /// Whether it is a multipath map.
    pub fn is_multipath(self) -> bool {
        matches!(self, Self::Multipath(_))
    }
}

impl Holder {
    /// What it is, where it is a device-mapper device.
    pub fn mapped(&self) -> Mapped<'_> {
        self.dm_uuid.as_deref().map_or(Mapped::Other, Mapped::of)
    }

    /// Whether it is a software RAID.
    pub fn is_raid(&self) -> bool {
        self.dm_uuid.is_none() && self.name.starts_with("md")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_before_a_uuid_tells_what_made_the_device() {
        for (uuid, expected) in [
            ("mpath-36000c29a", Mapped::Multipath("36000c29a")),
            ("part12-mpath-36000c29a", Mapped::MapPartition(12)),
            ("LVM-abc-real", Mapped::Lvm("abc-real")),
            ("CRYPT-LUKS1-x-y", Mapped::Encrypted),
        ] {
            assert_eq!(Mapped::of(uuid), expected, "{uuid}");
        }
        for other in ["", "part1-LVM-x", "part-mpath-x", "partx-mpath-x", "mpath", "DMRAID-x", "LVM"] {
            assert_eq!(Mapped::of(other), Mapped::Other, "{other}");
        }
    }
}
