//! The boot loader on the disk that carries `/`.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::libc::O_NONBLOCK;
use serde::{Deserialize, Serialize};

use super::mounts::{self, Mount};
use super::os::is_file;
use super::{Fact, disks, read};
use crate::host::{DeviceNumber, Host, Kind, files};

/// Boot code found in first sectors; reading them needs root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootLoader {
    /// Kernel name of the root disk.
    pub disk: String,
    /// What the disk's first sector carries (`GRUB`, `LILO`, `SYSLINUX`, `unknown boot code`), if anything.
    pub mbr: Option<String>,
    /// Partitions of that disk whose first sector carries boot code: name and what.
    pub partitions: Vec<(String, String)>,
    /// Configuration files present (/boot/grub/grub.conf, /boot/grub2/grub.cfg, /boot/grub/grub.cfg, EFI).
    pub configuration: Vec<String>,
}

/// Configuration files of the boot loaders that are known to boot Linux from a BIOS.
const CONFIGURATION: &str = "/boot/grub/grub.conf /boot/grub/menu.lst /boot/grub2/grub.cfg /boot/grub/grub.cfg /etc/lilo.conf \
     /boot/extlinux/extlinux.conf /boot/syslinux/syslinux.cfg";

/// Finds the disk under `/` and reads its first sector and those of its partitions. A root on several disks
/// (RAID) answers with the first of them.
pub fn load(host: &Host) -> Fact<BootLoader> {
    if host.kind() == Kind::Image {
        return Fact::NotApplicable("lies on the disk; this is an image's tree".into());
    }
    Fact::from_result(find(host))
}

fn find(host: &Host) -> Result<BootLoader> {
    let mounts = mounts::parse(&read::text(host, "/proc/self/mountinfo")?)?;
    // el6 mounts the root file system over the initial one: the last one is in effect.
    let root = mounts.iter().rfind(|mount| mount.mount_point == "/").context("nothing is mounted at /")?;
    let number = block_device(host, root)?;
    let node = sysfs_node(host, &format!("/sys/dev/block/{number}"))?;
    let disk = disk_under(host, &node, 0)?;
    let name = file_name(&disk);
    let mut partitions = Vec::new();
    for partition in partitions_of(&disk)? {
        let sector = first_sector(host, &partition)?;
        if let Some(found) = parse_partition(&sector) {
            partitions.push((partition, found.to_owned()));
        }
    }
    let mbr = parse_mbr(&first_sector(host, &name)?).map(str::to_owned);
    Ok(BootLoader { mbr, disk: name, partitions, configuration: configuration(host) })
}

/// The number of the block device that carries `root`. btrfs has a number of no device, but names its source.
fn block_device(host: &Host, root: &Mount) -> Result<DeviceNumber> {
    if !root.major_minor.is_anonymous() {
        return Ok(root.major_minor);
    }
    let node =
        host.path(&root.source).metadata().ok().filter(|_| host.is_live() && root.is_on_block_device());
    match node {
        Some(node) if node.file_type().is_block_device() => Ok(DeviceNumber::of(node.rdev())),
        _ => bail!("/ is a file system of type {} and on no block device", root.fs_type),
    }
}

fn sysfs_node(host: &Host, path: &str) -> Result<PathBuf> {
    let node = host.resolve(path).and_then(|node| node.canonicalize());
    node.map_err(|error| read::explain(path, error))
}

/// The whole disk under a block device: a partition's parent, or what a mapping is built on.
fn disk_under(host: &Host, node: &Path, depth: usize) -> Result<PathBuf> {
    if depth > 16 {
        bail!("{} is built on itself", node.display());
    }
    if node.join("partition").exists() {
        let disk = node.parent().context("a partition without a disk")?;
        return disk_under(host, disk, depth + 1);
    }
    let slaves = host_list(&node.join("slaves"))?;
    match slaves.first() {
        Some(slave) => disk_under(host, &sysfs_node(host, &format!("/sys/class/block/{slave}"))?, depth + 1),
        None => Ok(node.to_path_buf()),
    }
}

/// The names in a directory of sysfs, sorted; none where it is not there.
fn host_list(path: &Path) -> Result<Vec<String>> {
    Host::live().list(path).map_err(|error| read::explain(&path.display().to_string(), error))
}

fn partitions_of(disk: &Path) -> Result<Vec<String>> {
    let mut names = host_list(disk)?;
    names.retain(|name| disk.join(name).join("partition").exists());
    disks::in_order(&mut names);
    Ok(names)
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The first 512 bytes of the device with the kernel's name `name`.
fn first_sector(host: &Host, name: &str) -> Result<Vec<u8>> {
    let shown = format!("/dev/{}", name.replace('!', "/"));
    let path = if host.is_live() {
        host.path(&shown)
    } else {
        host.resolve(format!("/commands/first-sector/{name}"))?
    };
    let read = || -> io::Result<(File, Vec<u8>)> {
        let mut file = files::node(&path, O_NONBLOCK)?;
        let mut sector = Vec::new();
        file.by_ref().take(512).read_to_end(&mut sector)?;
        Ok((file, sector))
    };
    let (file, sector) =
        read().map_err(|error| read::explain(&format!("the first sector of {shown}"), error))?;
    if host.is_live() {
        // A /dev that is a plain directory may hold a node of another machine.
        let meta = file.metadata()?;
        let number = read::attribute(host, &format!("/sys/class/block/{name}/dev"))?.unwrap_or_default();
        let node = DeviceNumber::of(meta.rdev());
        if !meta.file_type().is_block_device() || node.to_string() != number {
            bail!("{shown} is not the device {number} that the kernel calls {name}");
        }
    }
    Ok(sector)
}

/// What a disk's first sector boots, if anything: code before the partition table, and the signature.
pub fn parse_mbr(sector: &[u8]) -> Option<&'static str> {
    let code = sector.get(..440)?;
    let is_code = sector.get(510..512)? == [0x55, 0xaa] && code.iter().any(|byte| *byte != 0);
    is_code.then(|| named(sector).unwrap_or("unknown boot code"))
}

/// What a partition's first sector boots, if anything. File systems that keep data of their own there, or that
/// carry a program which only says that it boots nothing, are none.
pub fn parse_partition(sector: &[u8]) -> Option<&'static str> {
    let own = sector.starts_with(b"XFSB")
        || sector.get(3..7).is_some_and(|name| name == b"NTFS")
        || [54, 82].iter().any(|at| sector.get(*at..at + 3).is_some_and(|name| name == b"FAT"));
    match parse_mbr(sector)? {
        "unknown boot code" if own => None,
        code => Some(code),
    }
}

fn named(sector: &[u8]) -> Option<&'static str> {
    const NAMES: [(&[u8], &str); 4] =
        [(b"GRUB", "GRUB"), (b"LILO", "LILO"), (b"SYSLINUX", "SYSLINUX"), (b"EXTLINUX", "SYSLINUX")];
    let has = |name: &[u8]| sector.windows(name.len()).any(|window| window == name);
    NAMES.iter().find(|(name, _)| has(name)).map(|(_, title)| *title)
}

/// Configuration files, and the boot loader's files on the EFI system partition where the firmware is EFI.
fn configuration(host: &Host) -> Vec<String> {
    let mut found: Vec<String> =
        CONFIGURATION.split(' ').filter(|path| is_file(host, path)).map(str::to_owned).collect();
    if host.exists("/sys/firmware/efi") {
        for vendor in host.list("/boot/efi/EFI").unwrap_or_default() {
            let directory = format!("/boot/efi/EFI/{vendor}");
            let names = host.list(&directory).unwrap_or_default();
            let loader = |name: &&String| {
                let name = name.to_ascii_lowercase();
                name.starts_with("grub") || name.starts_with("shim") || name.starts_with("bootx64")
            };
            found.extend(names.iter().filter(loader).map(|name| format!("{directory}/{name}")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

    fn sector(code: &[u8]) -> Vec<u8> {
        let mut sector = vec![0; 512];
        sector[..code.len()].copy_from_slice(code);
        sector[510..].copy_from_slice(&[0x55, 0xaa]);
        sector
    }

    #[test]
    fn boot_code_is_told_from_data() {
        assert_eq!(parse_mbr(&sector(b"\xeb\x48 GRUB \0Geom\0")), Some("GRUB"));
        assert_eq!(parse_mbr(&sector(b"\xfa\xeb\x21\x01LILO")), Some("LILO"));
        assert_eq!(parse_mbr(&sector(b"\xfa\x31\xc0")), Some("unknown boot code"));
        assert_eq!(parse_mbr(&sector(b"")), None);
        assert_eq!(parse_mbr(&[0; 512]), None);
        assert_eq!(parse_mbr(b"\xeb"), None);
        assert_eq!(parse_partition(&sector(b"\xeb\x58\x90EXTLINUX")), Some("SYSLINUX"));
        assert_eq!(parse_partition(&sector(b"XFSB\0")), None);
        assert_eq!(parse_partition(&sector(b"\xeb\x52\x90NTFS    ")), None);
    }

    /// A tree with a root on LVM on a partition of sda, GRUB in the MBR.
    fn lvm() -> tempfile::TempDir {
        let dir = testing::tree(&[
            (
                "proc/self/mountinfo",
                "1 1 0:1 / / rw - rootfs rootfs rw\n20 1 253:0 / / rw - ext4 /dev/root rw\n",
            ),
            ("sys/dev/block/253:0", "-> ../../devices/virtual/block/dm-0"),
            ("sys/devices/virtual/block/dm-0/slaves/sda10", "-> ../../../../pci0/block/sda/sda10"),
            ("sys/class/block/sda10", "-> ../../devices/pci0/block/sda/sda10"),
            ("sys/devices/pci0/block/sda/dev", "8:0\n"),
            ("sys/devices/pci0/block/sda/sda10/partition", "10\n"),
            ("sys/devices/pci0/block/sda/sda2/partition", "2\n"),
            ("boot/grub/grub.conf", ""),
        ]);
        std::fs::create_dir_all(dir.path().join("commands/first-sector")).unwrap();
        dir
    }

    fn put(dir: &Path, name: &str, bytes: &[u8]) {
        files::replace(&dir.join("commands/first-sector").join(name), bytes, 0o644).unwrap();
    }

    #[test]
    fn the_disk_is_found_through_mappings() {
        let dir = lvm();
        std::os::unix::fs::symlink("gone.conf", dir.path().join("boot/grub/menu.lst")).unwrap();
        put(dir.path(), "sda", &sector(b"GRUB"));
        put(dir.path(), "sda2", &sector(b"GRUB"));
        put(dir.path(), "sda10", &[0; 512]);
        let expected = BootLoader {
            disk: "sda".into(),
            mbr: Some("GRUB".into()),
            partitions: vec![("sda2".into(), "GRUB".into())],
            configuration: vec!["/boot/grub/grub.conf".into()],
        };
        assert_eq!(load(&Host::recorded(dir.path())), Fact::Known(expected));
    }

    #[test]
    fn a_sector_that_cannot_be_read_is_unknown() {
        let dir = lvm();
        let Fact::Unknown(why) = load(&Host::recorded(dir.path())) else { panic!() };
        assert!(why.starts_with("reading the first sector of /dev/sda2: No such file"), "{why}");
        let overlay = testing::tree(&[("proc/self/mountinfo", "1 1 0:9 / / rw - overlay overlay rw\n")]);
        let why = "/ is a file system of type overlay and on no block device";
        assert_eq!(load(&Host::recorded(overlay.path())), Fact::Unknown(why.into()));
    }
}
