//! Small trees for tests: a /sys as the kernel lays it out, links and all.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::Holder;
use crate::host::{Host, files};

/// What is built on a device: its number, its device-mapper name and uuid, and what is built on it.
pub fn holder(name: &str, number: &str, dm: Option<(&str, &str)>, holders: Vec<Holder>) -> Holder {
    Holder {
        start_bytes: None,
        name: name.into(),
        major_minor: number.into(),
        dm_name: dm.map(|dm| dm.0.into()),
        dm_uuid: dm.map(|dm| dm.1.into()),
        holders,
    }
}

/// A tree under construction; it is removed when dropped.
pub struct Tree(tempfile::TempDir);

impl Tree {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn host(&self) -> Host {
        Host::recorded(self.0.path())
    }

    /// Writes a file, with the directories above it.
    pub fn file(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.make(path);
        files::replace(&path, content.as_ref(), 0o644).unwrap();
        self
    }

    /// Makes a link with an absolute target of the tree, as a relative link.
    pub fn link(&self, path: &str, target: &str) -> &Self {
        let up = "../".repeat(Path::new(path).components().count() - 2);
        symlink(format!("{up}{}", target.trim_start_matches('/')), self.make(path)).unwrap();
        self
    }

    fn make(&self, path: &str) -> std::path::PathBuf {
        let path = self.0.path().join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    /// A block device whose directory is `directory`: dev, size in bytes, ro, holders, and its links.
    pub fn block(&self, directory: &str, dev: &str, size: u64) -> &Self {
        let name = directory.rsplit('/').next().unwrap();
        fs::create_dir_all(self.make(&format!("{directory}/holders/.."))).unwrap();
        fs::create_dir_all(self.make(&format!("{directory}/slaves/.."))).unwrap();
        self.file(&format!("{directory}/dev"), format!("{dev}\n"))
            .file(&format!("{directory}/size"), format!("{}\n", size / 512))
            .file(&format!("{directory}/ro"), "0\n");
        self.link(&format!("/sys/block/{name}"), directory)
    }

    /// A partition of the block device at `disk`.
    #[expect(clippy::too_many_arguments, reason = "a line of a table of devices")]
    pub fn partition(&self, disk: &str, name: &str, dev: &str, start: u64, size: u64) -> &Self {
        let directory = format!("{disk}/{name}");
        fs::create_dir_all(self.make(&format!("{directory}/holders/.."))).unwrap();
        let number = name.trim_start_matches(|c: char| !c.is_ascii_digit());
        self.file(&format!("{directory}/dev"), format!("{dev}\n"))
            .file(&format!("{directory}/start"), format!("{}\n", start / 512))
            .file(&format!("{directory}/size"), format!("{}\n", size / 512))
            .file(&format!("{directory}/partition"), format!("{number}\n"))
    }

    /// A device-mapper device on `below` (directories of block devices).
    pub fn mapped(&self, name: &str, dev: &str, dm: (&str, &str), below: &[&str]) -> &Self {
        let directory = format!("/sys/devices/virtual/block/{name}");
        self.block(&directory, dev, 1 << 30)
            .file(&format!("{directory}/dm/name"), format!("{}\n", dm.0))
            .file(&format!("{directory}/dm/uuid"), format!("{}\n", dm.1));
        self.holds(name, below)
    }

    /// Makes the virtual block device `name` the holder of `below`.
    pub fn holds(&self, name: &str, below: &[&str]) -> &Self {
        let directory = format!("/sys/devices/virtual/block/{name}");
        for path in below {
            let under = path.rsplit('/').next().unwrap();
            self.link(&format!("{path}/holders/{name}"), &directory);
            self.link(&format!("{directory}/slaves/{under}"), path);
        }
        self
    }

    /// A SCSI disk on the SCSI host `host` below the PCI function at `pci`; its block directory.
    #[expect(clippy::too_many_arguments, reason = "a line of a table of devices")]
    pub fn scsi_disk(&self, pci: &str, hctl: &str, name: &str, dev: &str, size: u64) -> String {
        let number = hctl.split(':').next().unwrap();
        let device = format!("{pci}/host{number}/target0/{hctl}");
        let block = format!("{device}/block/{name}");
        self.file(&format!("{device}/vendor"), "VMware  \n")
            .file(&format!("{device}/model"), "Virtual disk    \n")
            .file(&format!("{device}/type"), "0\n")
            .block(&block, dev, size)
            .link(&format!("{block}/device"), &device);
        block
    }

    /// A PCI function with a SCSI host and its driver; its directory.
    pub fn adapter(&self, address: &str, ids: (&str, &str), number: u32, driver: &str) -> String {
        let pci = format!("/sys/devices/pci0000:00/{address}");
        self.file(&format!("{pci}/vendor"), format!("0x{}\n", ids.0))
            .file(&format!("{pci}/device"), format!("0x{}\n", ids.1))
            .file(&format!("{pci}/host{number}/scsi_host/host{number}/proc_name"), format!("{driver}\n"))
            .link(
                &format!("/sys/class/scsi_host/host{number}"),
                &format!("{pci}/host{number}/scsi_host/host{number}"),
            );
        pci
    }

    /// A recorded VPD page of a disk.
    pub fn page(&self, disk: &str, page: u8, body: &[u8]) -> &Self {
        let length = u8::try_from(body.len()).unwrap();
        self.file(&format!("/commands/sg_io/{disk}/page{page:02x}"), [&[0, page, 0, length], body].concat())
    }

    /// The recorded VPD pages of a VMware disk with EnableUUID: its ID is `3`, `6000c29`, zeros and `last`.
    pub fn vmware_pages(&self, disk: &str, last: u8) -> &Self {
        self.page(disk, 0, &[0, 0x80, 0x83]).page(disk, 0x83, &vmware_designator(last))
    }
}

/// A NAA 6 designator of VMware's, with its header.
pub fn vmware_designator(last: u8) -> Vec<u8> {
    let mut bytes = vec![1, 3, 0, 16, 0x60, 0x00, 0xc2, 0x90];
    bytes.extend([0; 11]);
    bytes.push(last);
    bytes
}

/// The ID in [`vmware_designator`].
pub fn vmware_id(last: u8) -> String {
    format!("36000c290{:022}{last:02x}", 0)
}
