//! What is to be mounted at boot: /etc/fstab.

use serde::{Deserialize, Serialize};

use super::disks::{Disk, Holder};
use super::filesystems::Filesystems;
use super::{Fact, decode, read};
use crate::host::Host;

/// One entry; octal escapes are decoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Line number in the file, from 1.
    pub line: usize,
    /// Device, `UUID=…` or `LABEL=…`.
    pub device: String,
    /// Where; `none` or `swap` for swap.
    pub mount_point: String,
    /// File system type.
    pub fs_type: String,
    /// Options.
    pub options: Vec<String>,
    /// fsck pass; absent means 0.
    pub pass: u32,
}

/// Reads /etc/fstab.
#[must_use]
pub fn load(host: &Host) -> Fact<Vec<Entry>> {
    Fact::from_result(read::text(host, "/etc/fstab").map(|text| parse(&text)))
}

/// The entries of an fstab. A line that does not say where is none: mount passes over it as well. Trailing
/// fields may be missing.
#[must_use]
pub fn parse(text: &str) -> Vec<Entry> {
    text.lines().enumerate().filter_map(|(index, line)| entry(index + 1, line)).collect()
}

fn entry(line: usize, text: &str) -> Option<Entry> {
    let mut fields = text.split([' ', '\t', '\r']).filter(|field| !field.is_empty());
    let device = fields.next().filter(|device| !device.starts_with('#'))?;
    let mount_point = fields.next().filter(|field| !field.starts_with('#'))?;
    let mut rest = fields.take_while(|field| !field.starts_with('#'));
    let (fs_type, options) = (rest.next().unwrap_or_default(), rest.next().unwrap_or_default());
    let pass = rest.nth(1).and_then(|pass| pass.parse().ok()).unwrap_or_default();
    Some(Entry {
        line,
        device: decode::octal(device),
        mount_point: decode::octal(mount_point),
        fs_type: decode::octal(fs_type),
        options: split_options(&decode::octal(options)),
        pass,
    })
}

/// Options stand between commas; an SELinux context in quotes has commas of its own.
fn split_options(options: &str) -> Vec<String> {
    let mut quoted = false;
    options
        .split(|c| {
            quoted ^= c == '"';
            c == ',' && !quoted
        })
        .filter(|option| !option.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The `major:minor` of the block device that `device` names: an fstab entry's first field, or the path of a
/// swap area or a mount's source. `None` where no device of that name is there now, or where several disks
/// could be meant.
#[must_use]
pub fn device_of(device: &str, filesystems: &Filesystems, disks: &[Disk]) -> Option<String> {
    if let Some((tag, value)) = device.split_once('=') {
        let value = value.trim_matches(['"', '\'']);
        return match tag {
            "UUID" => filesystems.by_uuid.get(value),
            "LABEL" => filesystems.by_label.get(value),
            _ => None,
        }
        .cloned();
    }
    let name = device.strip_prefix("/dev/")?;
    match name.split('/').collect::<Vec<_>>()[..] {
        ["mapper", name] => filesystems.by_mapper.get(name).cloned(),
        ["disk", "by-uuid", uuid] => filesystems.by_uuid.get(&decode::hex(uuid)).cloned(),
        ["disk", "by-label", label] => filesystems.by_label.get(&decode::hex(label)).cloned(),
        ["disk", "by-id", id] => {
            filesystems.by_id.get(id).or_else(|| filesystems.by_id.get(&decode::hex(id))).cloned()
        }
        ["block", number] => number.contains(':').then(|| number.to_owned()),
        [name] => kernel_device(name, disks),
        // LVM's own links: device-mapper joins group and volume by a dash and doubles those inside.
        [group, volume] => kernel_device(&format!("{group}!{volume}"), disks).or_else(|| {
            let double = |name: &str| name.replace('-', "--");
            filesystems.by_mapper.get(&format!("{}-{}", double(group), double(volume))).cloned()
        }),
        _ => None,
    }
}

/// A device by its kernel's name: a disk, a partition, or what is built on them.
fn kernel_device(name: &str, disks: &[Disk]) -> Option<String> {
    fn held(name: &str, holders: &[Holder]) -> Option<String> {
        holders.iter().find_map(|holder| {
            if holder.name == name { Some(holder.major_minor.clone()) } else { held(name, &holder.holders) }
        })
    }
    disks.iter().find_map(|disk| {
        if disk.name == name {
            return Some(disk.major_minor.clone());
        }
        held(name, &disk.holders).or_else(|| {
            disk.partitions.iter().find_map(|part| {
                if part.name == name { Some(part.major_minor.clone()) } else { held(name, &part.holders) }
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::disks::Partition;
    use crate::facts::testing;

    const EL6: &str = "
#
# /etc/fstab
UUID=3e6be9de-8139-11d1-9106-a43f08d823a6 /                       ext4    defaults        1 1
UUID=\"9f2f\"\t/home\text4\tdefaults,context=\"a:b,c\",noatime\t1 2 # ours
  # indented
LABEL=my\\040swap swap swap
/dev/mapper/36000c2982b5df41a25811b07e74971e8 /mnt/a\\040b ext4 rw 0 0
lonely
tmpfs /dev/shm # nothing more
";

    #[test]
    fn comments_escapes_and_missing_fields_are_understood() {
        let entries = parse(EL6);
        let lines: Vec<_> = entries.iter().map(|entry| (entry.line, entry.mount_point.as_str())).collect();
        assert_eq!(lines, [(4, "/"), (5, "/home"), (7, "swap"), (8, "/mnt/a b"), (10, "/dev/shm")]);
        assert_eq!(entries[1].options, ["defaults", "context=\"a:b,c\"", "noatime"]);
        assert_eq!((entries[0].pass, entries[1].pass, entries[2].pass, entries[3].pass), (1, 2, 0, 0));
        assert_eq!((entries[2].device.as_str(), entries[2].options.len()), ("LABEL=my swap", 0));
        assert_eq!(entries[4].fs_type, "");
        testing::damage(EL6, |text| drop(parse(text)));
    }

    #[test]
    fn every_way_to_name_a_device_leads_to_it() {
        let map = |name: &str, number: &str| [(name.to_owned(), number.to_owned())].into();
        let mut filesystems = Filesystems {
            by_uuid: map("9f2f", "8:2"),
            by_label: map("my swap", "8:3"),
            by_id: map("scsi-36000c29-part1", "8:1"),
            by_mapper: map("36000c29", "253:0"),
        };
        filesystems.by_mapper.insert("vg--a-root".into(), "253:1".into());
        let held = Holder { name: "dm-1".into(), major_minor: "253:1".into(), ..Holder::default() };
        let part = |name: &str, number: &str, holders| Partition {
            name: name.into(),
            major_minor: number.into(),
            holders,
            ..Partition::default()
        };
        let disk = |name: &str, number: &str, partitions| Disk {
            name: name.into(),
            major_minor: number.into(),
            partitions,
            ..Disk::default()
        };
        let disks = [
            disk("sda", "8:0", vec![part("sda1", "8:1", vec![]), part("sda10", "8:10", vec![held])]),
            disk("cciss!c0d0", "104:0", vec![part("cciss!c0d0p1", "104:1", vec![])]),
        ];
        for (device, expected) in [
            ("UUID=9f2f", Some("8:2")),
            ("UUID=\"9f2f\"", Some("8:2")),
            ("UUID=9f2", None),
            ("LABEL=my swap", Some("8:3")),
            ("PARTUUID=9f2f", None),
            ("/dev/mapper/36000c29", Some("253:0")),
            ("/dev/disk/by-uuid/9f2f", Some("8:2")),
            ("/dev/disk/by-label/my\\x20swap", Some("8:3")),
            ("/dev/disk/by-id/scsi-36000c29-part1", Some("8:1")),
            ("/dev/disk/by-path/pci-0", None),
            ("/dev/sda", Some("8:0")),
            ("/dev/sda1", Some("8:1")),
            ("/dev/sda10", Some("8:10")),
            ("/dev/sda100", None),
            ("/dev/dm-1", Some("253:1")),
            ("/dev/vg-a/root", Some("253:1")),
            ("/dev/cciss/c0d0p1", Some("104:1")),
            ("/dev/block/8:7", Some("8:7")),
            ("tmpfs", None),
        ] {
            assert_eq!(device_of(device, &filesystems, &disks).as_deref(), expected, "{device}");
        }
    }

    #[test]
    fn a_missing_fstab_is_unknown() {
        let dir = testing::tree(&[]);
        let Fact::Unknown(why) = load(&Host::image(dir.path())) else { panic!() };
        assert!(why.starts_with("reading /etc/fstab: No such file"), "{why}");
    }
}
