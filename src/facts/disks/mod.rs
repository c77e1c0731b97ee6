//! Every whole disk: /sys/block, with its controller, partitions, holders and users.

mod attributes;
mod controller;
mod controllers;
mod load;
mod mapped;
mod mapping;
mod partitioned;
mod paths;
mod resolve;
pub(crate) mod sysfs;
pub(crate) mod users;

use super::scsi::{self, KnownId, NoId};
use crate::host::{DeviceNumber, ScsiId};
use serde::{Deserialize, Serialize};

pub use controllers::load_controllers;
pub use load::{describe, load};
pub use mapped::Mapped;
pub use partitioned::{Partitioned, Places, Shown};
pub use paths::not_one_disk;
pub use resolve::{distinct, find, resolve};
pub use users::fill_users;

/// A whole disk (loop, RAM, optical and device-mapper devices are none).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// Kernel name: `sda`.
    pub name: String,
    /// `/dev/sda`.
    pub path: String,
    /// `8:0`.
    pub major_minor: DeviceNumber,
    /// `host:channel:target:lun`, of a SCSI disk.
    pub hctl: Option<String>,
    /// The controller it sits on.
    pub controller: Option<Controller>,
    /// INQUIRY vendor, trimmed.
    pub vendor: Option<String>,
    /// INQUIRY model, trimmed.
    pub model: Option<String>,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Whether the device is read-only.
    pub read_only: bool,
    /// Its SCSI ID, or why it has none: in JSON `scsi_id`, `scsi_id_source`, `scsi_id_error` and `silent`.
    #[serde(flatten, with = "scsi::json")]
    pub scsi_id: Result<KnownId, NoId>,
    /// What the SCSI layer does with it: `running`, or `offline`, `blocked`, `transport-offline` and the like. `None` of what is
    /// no SCSI disk, and in a recording of a version that did not look.
    #[serde(default)]
    pub state: Option<String>,
    /// Partitions, as the kernel sees them.
    pub partitions: Vec<Partition>,
    /// Device-mapper, RAID or bcache devices on the whole disk.
    pub holders: Vec<Holder>,
    /// Kernel name (`dm-0`) and name (`36000c29…`) of its multipath map.
    pub multipath: Option<Map>,
    /// What uses the disk or a part of it, in words: `/ (sda1)`, `swap (sda5)`, `LVM vg0 (sdb)`.
    pub used_by: Vec<String>,
}

/// The state of a SCSI disk that takes commands (`device/state`, since 2.6.9).
pub const RUNNING: &str = "running";

/// A disk controller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Controller {
    /// Which kind.
    pub kind: ControllerKind,
    /// The kernel's driver: `mptsas`.
    pub driver: Option<String>,
    /// PCI vendor and device: `1000:0054`.
    pub pci: Option<String>,
}

/// Kinds of controllers that a VMware VM can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ControllerKind {
    /// LSI Logic Parallel (mptspi, 1000:0030).
    LsiLogicParallel,
    /// LSI Logic SAS (mptsas, 1000:0054).
    LsiLogicSas,
    /// VMware Paravirtual (vmw_pvscsi, 15ad:07c0).
    ParavirtualScsi,
    /// BusLogic (104b:1040).
    BusLogic,
    /// AHCI SATA (15ad:07e0 or any ahci).
    Ahci,
    /// NVMe (15ad:07f0 or any nvme).
    Nvme,
    /// IDE (ata_piix).
    Ide,
    /// virtio: not VMware.
    Virtio,
    /// Anything else; see driver and PCI id.
    Other,
}

/// A partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// Kernel name: `sda1`.
    pub name: String,
    /// `8:1`.
    pub major_minor: DeviceNumber,
    /// Where it begins on its disk, in bytes; `None` in a recording of a version that did not look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_bytes: Option<u64>,
    /// Size in bytes.
    pub size_bytes: u64,
    /// What holds it.
    pub holders: Vec<Holder>,
}

/// A block device that is built on another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Kernel name: `dm-0`, `md0`.
    pub name: String,
    /// `253:0`.
    pub major_minor: DeviceNumber,
    /// Device-mapper name.
    pub dm_name: Option<String>,
    /// Device-mapper uuid: `mpath-…`, `LVM-…`, `part1-mpath-…`, `CRYPT-…`.
    pub dm_uuid: Option<String>,
    /// What is built on it in turn (partitions of a map, LVM on a map).
    pub holders: Vec<Holder>,
    /// Where a partition of a map or of a RAID begins on that, in bytes; `None` also where that cannot be determined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_bytes: Option<u64>,
}

/// A multipath map.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Map {
    /// Kernel name: `dm-0`.
    pub name: String,
    /// Device-mapper name: /dev/mapper/NAME.
    pub dm_name: String,
    /// `253:0`.
    pub major_minor: DeviceNumber,
    /// The WWID in its uuid, without `mpath-`: equal to the SCSI ID of its paths.
    pub wwid: ScsiId,
    /// Kernel names of its paths.
    pub paths: Vec<String>,
}

impl Default for Disk {
    fn default() -> Self {
        Self {
            name: String::new(),
            path: String::new(),
            major_minor: DeviceNumber::default(),
            hctl: None,
            controller: None,
            vendor: None,
            model: None,
            size_bytes: 0,
            read_only: false,
            scsi_id: Err(NoId::default()),
            state: None,
            partitions: Vec::new(),
            holders: Vec::new(),
            multipath: None,
            used_by: Vec::new(),
        }
    }
}

impl Disk {
    /// What keeps it from answering, in words; `None` where nothing is known to.
    pub fn not_answering(&self) -> Option<String> {
        match &self.state {
            Some(state) if state != RUNNING => Some(format!("{} is {state}", self.name)),
            _ => {
                let is_silent = self.scsi_id.as_ref().is_err_and(|no_id| no_id.silent);
                is_silent.then(|| format!("{} does not answer", self.name))
            }
        }
    }

    /// Its SCSI ID, where it has one.
    pub fn id(&self) -> Option<&ScsiId> {
        self.scsi_id.as_ref().ok().map(|known| &known.id)
    }

    /// Its SCSI ID; `None` of what is no SCSI disk and never has one.
    /// Errors: Why a SCSI disk has none.
    pub fn id_of_scsi(&self) -> Result<Option<&ScsiId>, &NoId> {
        match &self.scsi_id {
            Ok(known) => Ok(Some(&known.id)),
            Err(_) if !self.is_scsi() => Ok(None),
            Err(no_id) => Err(no_id),
        }
    }

    /// Whether its SCSI ID is this one.
    pub fn has_id(&self, id: &str) -> bool {
        self.id().is_some_and(|own| own == id)
    }

    /// Why it has no SCSI ID; empty where it has one.
    pub fn no_id(&self) -> &str {
        self.scsi_id.as_ref().err().map_or("", |no_id| &no_id.why)
    }

    /// Its SCSI ID, for people.
    pub fn shown_id(&self) -> &str {
        self.id().map_or("no SCSI ID", ScsiId::as_str)
    }

    /// Whether the SCSI layer drives it.
    pub fn is_scsi(&self) -> bool {
        self.hctl.is_some()
    }

    /// Every `major:minor` that belongs to the disk: itself, its partitions, and all that is built on them.
    pub fn all_devices(&self) -> Vec<DeviceNumber> {
        let partitions = self.partitions.iter().map(|one| one.major_minor);
        let holders = self.all_holders().into_iter().map(|one| one.major_minor);
        [self.major_minor].into_iter().chain(holders).chain(partitions).collect()
    }

    /// All that is built on it or its partitions, at any depth.
    pub fn all_holders(&self) -> Vec<&Holder> {
        fn add<'a>(holders: &'a [Holder], into: &mut Vec<&'a Holder>) {
            for holder in holders {
                into.push(holder);
                add(&holder.holders, into);
            }
        }
        let mut all = Vec::new();
        add(&self.holders, &mut all);
        self.partitions.iter().for_each(|one| add(&one.holders, &mut all));
        all
    }

    /// Name and `major:minor` of the block devices on it that can be mounted: nothing is built on them, and they are larger than
    /// an extended partition. Of a disk under multipath it is what its map has, not the path.
    pub fn ends(&self) -> Vec<(&str, DeviceNumber)> {
        const LEAST: u64 = 4096;
        fn add<'a>(
            name: &'a str,
            number: DeviceNumber,
            holders: &'a [Holder],
            into: &mut Vec<(&'a str, DeviceNumber)>,
        ) {
            if holders.is_empty() {
                into.push((name, number));
            }
            for holder in holders {
                add(&holder.name, holder.major_minor, &holder.holders, into);
            }
        }
        let mut all = Vec::new();
        if self.size_bytes >= LEAST {
            add(&self.name, self.major_minor, &self.holders, &mut all);
        }
        let partitions =
            self.partitions.iter().filter(|one| self.multipath.is_none() && one.size_bytes >= LEAST);
        for partition in partitions {
            add(&partition.name, partition.major_minor, &partition.holders, &mut all);
        }
        all
    }

    /// The device to address it by: its multipath map where it has one, never a path of the map.
    pub fn device(&self) -> String {
        self.multipath
            .as_ref()
            .map_or_else(|| self.path.clone(), |map| format!("/dev/mapper/{}", map.dm_name))
    }

    /// `major:minor` of that device.
    pub fn device_number(&self) -> DeviceNumber {
        self.multipath.as_ref().map_or(self.major_minor, |map| map.major_minor)
    }
}

/// Sorts kernel names in the order in which people count: sdb before sdaa, sda2 before sda10.
pub fn in_order(names: &mut [String]) {
    names.sort_by(|a, b| order(a).cmp(&order(b)));
}

/// A key that sorts kernel names as people count them: `sda … sdz, sdaa`, `sda2` before `sda10`.
pub fn order(name: &str) -> Vec<(&str, u64)> {
    let mut key = Vec::new();
    let mut rest = name;
    // The letters behind these count disks: b follows a, aa follows z.
    if let Some((family, tail)) =
        ["sd", "hd", "vd", "xvd"].iter().find_map(|family| Some((*family, name.strip_prefix(family)?)))
    {
        let end = tail.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(tail.len());
        let index = tail[..end]
            .bytes()
            .fold(0u64, |n, b| n.saturating_mul(26).saturating_add(u64::from(b - b'a') + 1));
        key.push((family, index));
        rest = &tail[end..];
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(digits);
        let end = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
        key.push((word, tail[..end].parse().unwrap_or(0)));
        rest = &tail[end..];
    }
    key
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
