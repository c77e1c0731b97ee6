//! Disks, and what they are used for.

use super::State::{
    self, Encrypted, Lvm, Mounted, MountedBySource, MountedLvm, MountedPartition, Partitions, Raid, Root,
    RootOnLvm, SwapPartition,
};
use super::{Truth, World};
use crate::facts::disks::{ControllerKind, Disk, Holder, Map, Partition};
use crate::facts::scsi::KnownId;
use crate::facts::swaps::Swap;
use crate::host::DeviceNumber;
use crate::run::property_tests::dice::Dice;
use crate::steps::testing::{edit, mount, virtual_disk};

impl World {
    /// Attaches a disk by one path or two, with or without a map, and makes what its state says of it.
    pub(super) fn attach(&mut self, dice: &mut Dice, state: State, id: Option<String>, size: u64) {
        let number = self.truths.len();
        let first = edit(&mut self.facts.disks).len();
        let paths = if state != Root && dice.percent(15) { 2 } else { 1 };
        let read_only = dice.percent(5);
        let map = id.clone().filter(|_| state != Root && dice.percent(45)).map(|id| {
            let dm_name = if dice.percent(20) { format!("mpath{number}") } else { id };
            (dm_name, numbered(253, number))
        });
        let lone_second_path = dice.percent(10);
        let names: Vec<String> = (first..first + paths).map(kernel_name).collect();
        // Of two paths mostly an array's, passed through: a virtual disk of VMware has one.
        let vmware = dice.percent(if paths > 1 { 25 } else { 85 });
        let lsi = dice.percent(85);
        for path in 0..paths {
            let index = first + path;
            let mut disk = virtual_disk(u8::try_from(index).unwrap(), "", size);
            disk.scsi_id = id.clone().map(KnownId::from).ok_or_else(|| "page 0x83 is not supported".into());
            if !vmware {
                disk.vendor = Some("DGC".into());
            }
            if !lsi {
                disk.controller.as_mut().unwrap().kind = ControllerKind::ParavirtualScsi;
            }
            disk.read_only = read_only;
            let in_map = map.as_ref().filter(|_| path == 0 || !lone_second_path);
            self.build_on(&mut disk, state, number, in_map, &names);
            edit(&mut self.facts.disks).push(disk);
        }
        let top = map.as_ref().map_or_else(|| numbered(8, first * 16), |(_, number)| *number);
        self.use_it(state, number, first, top, map.as_ref());
        let likely = vmware && lsi && size >= 1 << 40;
        let truth = Truth { state, names, id, map, size, read_only, vmware, likely, seen_eligible: false };
        self.truths.push(truth);
    }

    /// Holders and partitions.
    #[expect(clippy::too_many_arguments, reason = "what was drawn for one disk")]
    fn build_on(
        &self,
        disk: &mut Disk,
        state: State,
        number: usize,
        map: Option<&(String, DeviceNumber)>,
        names: &[String],
    ) {
        let holder = |name: String, major_minor: DeviceNumber, dm: Option<(String, String)>| Holder {
            start_bytes: None,
            name,
            major_minor,
            dm_name: dm.as_ref().map(|(name, _)| name.clone()),
            dm_uuid: dm.map(|(_, uuid)| uuid),
            holders: Vec::new(),
        };
        let upper = match state {
            Lvm | MountedLvm | RootOnLvm => Some(holder(
                format!("dm-{}", 40 + number),
                numbered(253, 40 + number),
                Some((format!("vg{number}-data"), format!("LVM-{number}"))),
            )),
            Encrypted => Some(holder(
                format!("dm-{}", 60 + number),
                numbered(253, 60 + number),
                Some((format!("secret{number}"), format!("CRYPT-LUKS1-{number}"))),
            )),
            Raid => Some(holder(format!("md{number}"), numbered(9, number), None)),
            _ => None,
        };
        let partitioned = matches!(state, Partitions | MountedPartition | SwapPartition | Root | RootOnLvm);
        if partitioned {
            disk.partitions.push(Partition {
                name: format!("{}1", disk.name),
                start_bytes: None,
                major_minor: DeviceNumber::of(disk.major_minor.dev() + 1),
                size_bytes: disk.size_bytes / 2,
                holders: upper.iter().filter(|_| state == RootOnLvm).cloned().collect(),
            });
        }
        let upper = upper.filter(|_| state != RootOnLvm);
        match map {
            None => disk.holders.extend(upper),
            Some((dm_name, major_minor)) => {
                let wwid = disk.id().cloned().unwrap();
                let name = format!("dm-{number}");
                let uuid = format!("mpath-{wwid}");
                let mut own = holder(name.clone(), *major_minor, Some((dm_name.clone(), uuid)));
                own.holders.extend(upper);
                if partitioned {
                    let part = (format!("{dm_name}1"), format!("part1-mpath-{wwid}"));
                    own.holders.push(holder(
                        format!("dm-{}", 20 + number),
                        numbered(253, 20 + number),
                        Some(part),
                    ));
                }
                disk.holders.push(own);
                disk.multipath = Some(Map {
                    name,
                    dm_name: dm_name.clone(),
                    major_minor: *major_minor,
                    wwid,
                    paths: names.to_vec(),
                });
            }
        }
    }

    /// Mounts and swap.
    #[expect(clippy::too_many_arguments, reason = "what was drawn for one disk")]
    fn use_it(
        &mut self,
        state: State,
        number: usize,
        first: usize,
        top: DeviceNumber,
        map: Option<&(String, DeviceNumber)>,
    ) {
        let name = kernel_name(first);
        let part = if map.is_some() { numbered(253, 20 + number) } else { numbered(8, first * 16 + 1) };
        let lvm = numbered(253, 40 + number);
        let source =
            map.map_or_else(|| format!("/dev/{name}"), |(dm_name, _)| format!("/dev/mapper/{dm_name}"));
        let at = format!("/data{number}");
        let mounts = edit(&mut self.facts.mounts);
        match state {
            Root => {
                mounts.push(mount("/", numbered(8, first * 16 + 1), &format!("/dev/{name}1"), 1 << 30));
            }
            RootOnLvm => mounts.push(mount("/", lvm, "/dev/mapper/vg-root", 1 << 30)),
            Mounted => mounts.push(mount(&at, top, &source, 1 << 30)),
            MountedPartition => mounts.push(mount(&at, part, "/dev/root-of-something", 1 << 30)),
            MountedBySource => mounts.push(mount(&at, "0:57", &source, 1 << 30)),
            MountedLvm => mounts.push(mount(&at, lvm, "/dev/mapper/vg-data", 1 << 30)),
            _ => {}
        }
        let device = match state {
            State::Swap => top,
            SwapPartition => part,
            _ => return,
        };
        edit(&mut self.facts.swaps).push(Swap {
            path: format!("/dev/block/{device}"),
            is_partition: true,
            major_minor: Some(device),
        });
    }
}

fn numbered(major: u32, minor: usize) -> DeviceNumber {
    DeviceNumber::new(major, u32::try_from(minor).unwrap())
}

fn kernel_name(index: usize) -> String {
    format!("sd{}", char::from(b'a' + u8::try_from(index).unwrap()))
}
