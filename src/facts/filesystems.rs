//! Which file system has which UUID and label: the links that udev makes in /dev/disk.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use serde::{Deserialize, Serialize};

use super::Fact;
use super::disks::sysfs;
use crate::host::{DeviceNumber, Host, Kind, Uuid};

/// Names that lead to block devices, by `major:minor`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filesystems {
    /// UUID to `major:minor` (/dev/disk/by-uuid; of the volume that we made ourselves also where udev has no link, see
    /// [`super::retention::unlinked`]).
    pub by_uuid: BTreeMap<Uuid, DeviceNumber>,
    /// Label to `major:minor` (/dev/disk/by-label; udev's `\x20` escapes decoded).
    pub by_label: BTreeMap<String, DeviceNumber>,
    /// Persistent name to `major:minor` (/dev/disk/by-id).
    pub by_id: BTreeMap<String, DeviceNumber>,
    /// Device-mapper name to `major:minor` (/sys/block/dm-*/dm/name).
    pub by_mapper: BTreeMap<String, DeviceNumber>,
}

/// Reads the links. A machine without /dev/disk has none, which is known.
pub fn load(host: &Host) -> Fact<Filesystems> {
    if host.kind() == Kind::Image {
        return Fact::NotApplicable("an image's tree has no devices".into());
    }
    Fact::from_result(read(host))
}

fn read(host: &Host) -> Result<Filesystems, String> {
    Ok(Filesystems {
        by_uuid: links(host, "/dev/disk/by-uuid")?
            .into_iter()
            .map(|(uuid, number)| (uuid.into(), number))
            .collect(),
        by_label: links(host, "/dev/disk/by-label")?,
        by_id: by_id(host)?,
        by_mapper: mapper(host)?,
    })
}

/// The links in /dev/disk/by-id.
pub(super) fn by_id(host: &Host) -> Result<BTreeMap<String, DeviceNumber>, String> {
    links(host, "/dev/disk/by-id")
}

fn links(host: &Host, directory: &str) -> Result<BTreeMap<String, DeviceNumber>, String> {
    let names = host.list(directory).map_err(|error| format!("reading {directory}: {error}"))?;
    // A link that leads nowhere belongs to a device that went away: it names nothing.
    Ok(names
        .into_iter()
        .filter_map(|name| Some((decoded(&name), number(host, &format!("{directory}/{name}"))?)))
        .collect())
}

/// The `major:minor` of the block device behind a link.
fn number(host: &Host, link: &str) -> Option<DeviceNumber> {
    if host.is_live() {
        let meta = fs::metadata(host.path(link)).ok()?;
        return meta.file_type().is_block_device().then(|| DeviceNumber::of(meta.rdev()));
    }
    // A recorded tree has no device files: the name in the link is looked up in its /sys.
    let target = fs::read_link(host.path(link)).ok()?;
    let kernel = target.file_name()?.to_str()?;
    sysfs::number(host, kernel).ok().or_else(|| {
        let disk = sysfs::disk_of_partition(host, kernel)?;
        sysfs::number(host, &format!("{disk}/{kernel}")).ok()
    })
}

fn mapper(host: &Host) -> Result<BTreeMap<String, DeviceNumber>, String> {
    let names = host.list("/sys/block").map_err(|error| format!("reading /sys/block: {error}"))?;
    let dm = names.into_iter().filter(|name| name.starts_with("dm-"));
    Ok(dm
        .filter_map(|dm| Some((sysfs::word(host, &dm, "dm/name")?, sysfs::number(host, &dm).ok()?)))
        .collect())
}

/// A name with udev's `\xNN` escapes decoded: how it writes bytes that it does not take for safe in a path.
pub fn decoded(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escape = tail
            .get(..3)
            .filter(|escape| first == b'\\' && escape[0] == b'x')
            .and_then(|escape| std::str::from_utf8(&escape[1..]).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escape {
            Some(byte) => {
                bytes.push(byte);
                rest = &rest[4..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::disks::testing::Tree;

    #[test]
    fn links_lead_to_numbers_and_escapes_are_decoded() {
        let tree = Tree::new();
        let sas = tree.adapter("0000:03:00.0", ("1000", "0054"), 0, "mptsas");
        let sda = tree.scsi_disk(&sas, "0:0:0:0", "sda", "8:0", 1 << 30);
        tree.partition(&sda, "sda1", "8:1", 0, 1 << 20)
            .mapped("dm-0", "253:0", ("36000c29", "mpath-36000c29"), &[&sda])
            .file("/dev/sda", "")
            .link("/dev/disk/by-uuid/1234-ABCD", "/dev/sda1")
            .link("/dev/disk/by-uuid/gone", "/dev/sdz1")
            .link(r"/dev/disk/by-label/my\x20data\x2f", "/dev/sda1")
            .link("/dev/disk/by-id/scsi-36000c29", "/dev/sda");
        let Fact::Known(found) = load(&tree.host()) else { panic!("not known") };
        let one = |name: &str, number: &str| BTreeMap::from([(name.to_owned(), number.into())]);
        assert_eq!(found.by_uuid, BTreeMap::from([("1234-ABCD".into(), "8:1".into())]));
        assert_eq!(found.by_label, one("my data/", "8:1"));
        assert_eq!(found.by_id, one("scsi-36000c29", "8:0"));
        assert_eq!(found.by_mapper, one("36000c29", "253:0"));
    }

    #[test]
    fn what_only_looks_like_an_escape_stays() {
        assert_eq!(decoded(r"a\x2"), r"a\x2");
        assert_eq!(decoded(r"a\xzz\x41"), r"a\xzzA");
        assert_eq!(decoded(r"\xc3\xa4"), "ä");
    }
}
