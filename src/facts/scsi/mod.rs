//! The SCSI ID of a disk: VPD pages 0x00, 0x83 and 0x80, from sysfs where it has them (no privilege, no I/O),
//! else from the disk itself. 2.6.32 has none of them in sysfs: there SG_IO is the only way.

mod inquiry;
pub(crate) mod json;
mod known;
pub mod vpd;

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use nix::libc;

use super::disks::{Mapped, sysfs};
use crate::host::{DeviceNumber, Host, Kind, ScsiId, files};
use inquiry::Fault;

pub use known::{KnownId, NoId};

/// The SCSI ID of the SCSI disk with the kernel name `name`.
pub fn identify(host: &Host, name: &str) -> Result<KnownId, NoId> {
    if let Some(answer) = in_sysfs(host, name) {
        return answer.map_err(NoId::from);
    }
    match host.kind() {
        Kind::Live => {
            let file = open(&host.path(format!("/dev/{}", name.replace('!', "/"))))?;
            ask("SG_IO 0x83", |page| inquiry::page(&file, page).map_err(refused(page)))
        }
        Kind::Recorded => ask("SG_IO 0x83", |page| {
            let path = format!("/commands/sg_io/{name}/page{page:02x}");
            attribute(host, &path).ok_or_else(|| format!("the recording has no {path}").into())
        }),
        Kind::Image => Err("an image's tree has no disks to ask".to_owned().into()),
    }
}

/// What sysfs says of it, which asks no disk; `None` where sysfs has no such page.
pub fn in_sysfs(host: &Host, name: &str) -> Option<Result<KnownId, String>> {
    let device = format!("/sys/block/{name}/device");
    let page = attribute(host, &format!("{device}/vpd_pg83"))?;
    let serial = attribute(host, &format!("{device}/vpd_pg80"));
    Some(named("vpd_pg83", &page, || serial.as_deref().and_then(vpd::serial)))
}

/// The SCSI ID of what is open as `file`: a whole disk, or a multipath map (the request goes through to a
/// path; where it does not, the map's own WWID counts if all its paths answer with it).
pub fn id_of(file: &File) -> Result<ScsiId, String> {
    let host = Host::live();
    let meta = file.metadata().map_err(|error| format!("looking at the open device: {error}"))?;
    if !meta.file_type().is_block_device() {
        return Err("it is not a block device".into());
    }
    let device = format!("/sys/dev/block/{}", DeviceNumber::of(meta.rdev()));
    // A request goes through a partition (before 3.2) and through a linear map to the disk below: neither is
    // that disk.
    if host.exists(format!("{device}/partition")) {
        return Err("it is a partition, not a disk".into());
    }
    let asked = || ask("SG_IO 0x83", |page| inquiry::page(file, page).map_err(refused(page)));
    let Ok(uuid) = host.read(format!("{device}/dm/uuid")) else {
        return asked().map(|known| known.id).map_err(|error| error.why);
    };
    let uuid = uuid.trim();
    let Mapped::Multipath(wwid) = Mapped::of(uuid) else {
        return Err(format!("it is a device-mapper device ({uuid}), not a disk or a multipath map"));
    };
    asked().map_or_else(|_| id_of_map(&host, &device, wwid), |known| Ok(known.id))
}

/// The WWID of the map at `device` (a directory of sysfs), when every path answers with it.
fn id_of_map(host: &Host, device: &str, wwid: &str) -> Result<ScsiId, String> {
    let paths = host
        .list(format!("{device}/slaves"))
        .map_err(|error| format!("listing the paths of the map {wwid}: {error}"))?;
    if paths.is_empty() {
        return Err(format!("the map {wwid} has no path"));
    }
    for path in paths {
        let known =
            identify(host, &path).map_err(|error| format!("{path}, a path of {wwid}: {}", error.why))?;
        if known.id != wwid {
            return Err(format!("{path} is a path of the map {wwid}, but answers with {}", known.id));
        }
    }
    Ok(wwid.into())
}

/// Bytes of an attribute; `None` where it is absent, unreadable or empty: the disk itself is asked then.
fn attribute(host: &Host, path: &str) -> Option<Vec<u8>> {
    let bytes = files::read(&host.resolve(path).ok()?).ok()?;
    (!bytes.is_empty()).then_some(bytes)
}

/// Opens a disk to ask it: for reading, and without waiting for a medium.
fn open(path: &Path) -> Result<File, NoId> {
    files::node(path, libc::O_NONBLOCK).map_err(|error| NoId {
        // An offline disk says ENXIO.
        silent: [libc::ENXIO, libc::EIO, libc::ENODEV].map(Some).contains(&error.raw_os_error()),
        why: sysfs::needs_root(&error, format!("opening {}: {error}", path.display())),
    })
}

fn refused(page: u8) -> impl Fn(Fault) -> NoId {
    move |fault| NoId {
        silent: fault.is_silence(),
        why: match fault {
            Fault::Ioctl(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                sysfs::needs_root(&error, format!("asking it for VPD page {page:#04x}: {error}"))
            }
            Fault::Ioctl(_) => fault.to_string(),
            fault if fault.is_silence() => {
                format!("it did not answer a request for VPD page {page:#04x}: {fault}")
            }
            fault => format!("it refuses VPD page {page:#04x}: {fault}"),
        },
    }
}

/// Asks for page 0, then for 0x83, and for 0x80 where that helps to say what is wrong.
fn ask(source: &str, page: impl Fn(u8) -> Result<Vec<u8>, NoId>) -> Result<KnownId, NoId> {
    let serial = || page(vpd::SERIAL).ok().as_deref().and_then(vpd::serial);
    let pages = page(vpd::SUPPORTED_PAGES)?;
    if vpd::lacks(&pages, vpd::IDENTIFICATION) {
        return Err(with_serial("its list of VPD pages lacks 0x83".into(), serial).into());
    }
    match page(vpd::IDENTIFICATION) {
        Ok(bytes) => named(source, &bytes, serial).map_err(NoId::from),
        // Who does not answer has not to be asked for more.
        Err(error) if error.silent => Err(error),
        Err(error) => Err(with_serial(error.why, serial).into()),
    }
}

/// The ID in page 0x83.
pub(crate) fn named(
    source: &str,
    page_83: &[u8],
    serial: impl Fn() -> Option<String>,
) -> Result<KnownId, String> {
    match vpd::id(page_83) {
        Ok(id) => Ok(KnownId { id: id.text.into(), source: Some(format!("{source} {}", id.kind)) }),
        Err(why) => Err(with_serial(why, serial)),
    }
}

/// A serial number is no ID (scsi_id does not take it for one, and clones share it), but it helps to find
/// the disk.
fn with_serial(why: String, serial: impl Fn() -> Option<String>) -> String {
    match serial() {
        Some(serial) => format!("{why} (serial number {serial})"),
        None => why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const NAA: &[u8] = &[0, 0x83, 0, 12, 1, 3, 0, 8, 0x50, 0, 0xc2, 0x90, 1, 2, 3, 4];
    const VENDOR: &[u8] = &[0, 0x83, 0, 7, 2, 0, 0, 3, b'd', b'r', b'0'];
    const SERIAL: &[u8] = &[0, 0x80, 0, 4, b'1', b'2', b'3', b' '];

    /// What a disk that answers with `pages` and refuses all others comes to.
    fn disk(pages: &[(u8, &[u8])]) -> Result<KnownId, NoId> {
        let pages: BTreeMap<u8, &[u8]> = pages.iter().copied().collect();
        ask("SG_IO 0x83", |page| {
            pages
                .get(&page)
                .map(|page| page.to_vec())
                .ok_or_else(|| refused(page)(Fault::IllegalRequest(0x24, 0)))
        })
    }

    #[test]
    fn every_way_to_have_no_id_has_its_reason() {
        let list: &[u8] = &[0, 0, 0, 3, 0, 0x80, 0x83];
        let good = disk(&[(0, list), (0x83, NAA)]).unwrap();
        let source = Some("SG_IO 0x83 NAA 5".to_owned());
        assert_eq!(good, KnownId { id: "35000c29001020304".into(), source });
        let reason = |pages: &[(u8, &[u8])]| {
            let error = disk(pages).unwrap_err();
            assert!(!error.silent, "{error:?}");
            error.why
        };
        assert_eq!(reason(&[]), "it refuses VPD page 0x00: ILLEGAL REQUEST (sense 05/24/00)");
        assert_eq!(reason(&[(0, &[0, 0, 0, 1, 0])]), "its list of VPD pages lacks 0x83");
        assert_eq!(
            reason(&[(0, &[0, 0, 0, 2, 0, 0x80]), (0x80, SERIAL), (0x83, NAA)]),
            "its list of VPD pages lacks 0x83 (serial number 123)"
        );
        assert_eq!(reason(&[(0, list)]), "it refuses VPD page 0x83: ILLEGAL REQUEST (sense 05/24/00)");
        assert_eq!(
            reason(&[(0, list), (0x83, SERIAL)]),
            "it answers a request for VPD page 0x83 with page 0x80"
        );
        assert_eq!(
            reason(&[(0, list), (0x83, VENDOR), (0x80, SERIAL)]),
            "VPD page 0x83 carries only a vendor-specific designator (\"dr0\"), which need not be unique \
             (serial number 123)"
        );
    }

    #[test]
    fn who_does_not_answer_may_have_an_id_all_the_same() {
        let errno = |number| Fault::Ioctl(io::Error::from_raw_os_error(number));
        let silent = [errno(libc::ENXIO), Fault::Host(1), Fault::Driver(6), Fault::Sense(4, 0, 0)];
        for fault in silent {
            let error = refused(0x83)(fault);
            assert!(error.silent, "{error:?}");
        }
        for fault in
            [errno(libc::ENOTTY), errno(libc::EPERM), Fault::IllegalRequest(0x24, 0), Fault::Status(2)]
        {
            let error = refused(0x83)(fault);
            assert!(!error.silent, "{error:?}");
        }
        let absent = open(Path::new("/dev/no-such-disk")).unwrap_err();
        assert!(
            !absent.silent && absent.why.starts_with("opening /dev/no-such-disk: No such file"),
            "{absent:?}"
        );
    }

    #[test]
    fn a_map_has_the_id_with_which_all_its_paths_answer() {
        use crate::facts::disks::testing::{Tree, vmware_id};
        let tree = Tree::new();
        let dm = "/sys/block/dm-0";
        tree.file(&format!("{dm}/slaves/sdb/x"), "").file(&format!("{dm}/slaves/sdc/x"), "");
        tree.vmware_pages("sdb", 1).vmware_pages("sdc", 1);
        let reason = || id_of_map(&tree.host(), dm, &vmware_id(1));
        assert_eq!(reason(), Ok(vmware_id(1).into()));
        tree.vmware_pages("sdc", 2);
        let (one, two) = (vmware_id(1), vmware_id(2));
        assert_eq!(reason(), Err(format!("sdc is a path of the map {one}, but answers with {two}")));
        assert_eq!(id_of_map(&tree.host(), "/sys/block/dm-9", "3x"), Err("the map 3x has no path".into()));
    }

    #[test]
    fn what_is_no_disk_has_no_id() {
        let dir = tempfile::tempdir().unwrap();
        let plain = File::create(dir.path().join("plain")).unwrap();
        assert_eq!(id_of(&plain), Err("it is not a block device".into()));
    }
}
