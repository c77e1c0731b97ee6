//! Which file systems belong to the image: that of `/` and those that its fstab mounts. What else is mounted below them is
//! another machine's, a server's or a customer's.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::facts::Facts;
use crate::facts::fstab::Entry;
use crate::host::Host;
use crate::profile::Profile;

/// Types that keep files on a disk.
const ON_DISK: [&str; 8] = ["ext2", "ext3", "ext4", "xfs", "btrfs", "reiserfs", "jfs", "auto"];

/// What is to be sealed.
#[derive(Clone, Debug)]
pub struct Template<'a> {
    pub host: &'a Host,
    pub facts: &'a Facts,
    pub profile: &'a Profile,
    devices: BTreeSet<u64>,
}

impl<'a> Template<'a> {
    pub fn new(host: &'a Host, facts: &'a Facts, profile: &'a Profile) -> Self {
        let mut template = Self { host, facts, profile, devices: BTreeSet::new() };
        template.devices =
            template.own_mount_points().into_iter().filter_map(|point| template.device_of(point)).collect();
        template
    }

    /// The mount points that belong to the image, `/` first; of those that may be absent at a start, the ones that are not.
    pub fn own_mount_points(&self) -> Vec<&str> {
        let there = |entry: &&Entry| !may_be_absent(entry) || self.is_mounted_at(&entry.mount_point);
        let points = self.own_entries().filter(there).map(|entry| entry.mount_point.as_str());
        ["/"].into_iter().chain(points).collect()
    }

    /// What of fstab belongs to the image, below `/`.
    fn own_entries(&self) -> impl Iterator<Item = &Entry> {
        let retention = Path::new(&*self.profile.retention.mount_point);
        self.facts.fstab.known().into_iter().flatten().filter(move |entry| {
            // Paths are compared by their components: `//` and a slash at the end say nothing.
            let point = Path::new(&entry.mount_point);
            let is_below = point.is_absolute() && point != Path::new("/");
            // mount(8) takes a list of types, to be tried one after the other.
            let is_on_disk = entry.fs_type.split(',').any(|fs_type| ON_DISK.contains(&fs_type));
            is_below && point != retention && is_on_disk
        })
    }

    /// The device number of the file system on which `path` lies, `None` where there is nothing.
    pub fn device_of(&self, path: &str) -> Option<u64> {
        self.host.resolve(path).ok()?.metadata().ok().map(|meta| meta.dev())
    }

    pub fn has(&self, path: &str) -> bool {
        self.device_of(path).is_some_and(|device| self.devices.contains(&device))
    }

    /// Whether the root is a file system of its own; a tree that was unpacked or copied is not.
    pub fn is_mounted(&self) -> bool {
        let around = self.host.root().join("..").metadata().map(|meta| meta.dev()).ok();
        self.host.is_live() || around != self.device_of("/")
    }

    /// Mount points of the image at which nothing is mounted: what lies there would be left as it is.
    pub fn not_mounted(&self) -> Vec<&Entry> {
        self.missing(|entry| !may_be_absent(entry))
    }

    /// Likewise, of those that may be absent at a start: nobody knows whether they are the image's.
    pub fn absent(&self) -> Vec<&Entry> {
        self.missing(may_be_absent)
    }

    fn missing(&self, of: impl Fn(&Entry) -> bool) -> Vec<&Entry> {
        // A tree that was unpacked or copied has it all on one file system.
        if !self.is_mounted() {
            return Vec::new();
        }
        self.own_entries().filter(|entry| of(entry) && !self.is_mounted_at(&entry.mount_point)).collect()
    }

    fn is_mounted_at(&self, point: &str) -> bool {
        let around = Path::new(point).parent().and_then(Path::to_str).unwrap_or("/");
        let device = self.device_of(point);
        device.is_some() && device != self.device_of(around)
    }
}

fn may_be_absent(entry: &Entry) -> bool {
    entry.options.iter().any(|option| option == "noauto" || option == "nofail")
}
