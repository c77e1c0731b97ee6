//! Which file systems belong to the image: that of `/` and those that its fstab mounts. What else is mounted below them is
//! another machine's, a server's or a customer's.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::Template;
use crate::facts::Facts;
use crate::facts::fstab::Entry;
use crate::host::Host;
use crate::profile::Profile;

/// Types that keep files on a disk.
const ON_DISK: [&str; 8] = ["ext2", "ext3", "ext4", "xfs", "btrfs", "reiserfs", "jfs", "auto"];

impl<'a> Template<'a> {
    /// The template `host`, of which `facts` were read.
    #[must_use]
    pub fn new(host: &'a Host, facts: &'a Facts, profile: &'a Profile) -> Self {
        let mut template = Self { host, facts, profile, devices: BTreeSet::new() };
        template.devices = template
            .own_mount_points(true)
            .into_iter()
            .filter_map(|point| template.device_of(point))
            .collect();
        template
    }

    /// The mount points that belong to the image, `/` first; with `absent` those too that may be absent at a start.
    #[must_use]
    pub fn own_mount_points(&self, absent: bool) -> Vec<&str> {
        let retention = self.profile.retention.mount_point.trim_end_matches('/');
        let part = |entry: &&Entry| {
            let point = entry.mount_point.trim_end_matches('/');
            let may_be_absent = entry.options.iter().any(|option| option == "noauto" || option == "nofail");
            point.starts_with('/')
                && point != retention
                && (absent || !may_be_absent)
                && ON_DISK.contains(&entry.fs_type.as_str())
        };
        let entries = self.facts.fstab.known().into_iter().flatten();
        let points = entries.filter(part).map(|entry| entry.mount_point.as_str());
        ["/"].into_iter().chain(points).collect()
    }

    /// The device number of the file system on which `path` lies, `None` where there is nothing.
    #[must_use]
    pub fn device_of(&self, path: &str) -> Option<u64> {
        self.host.resolve(path).ok()?.metadata().ok().map(|meta| meta.dev())
    }

    /// Whether `path` lies on a file system of the image.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.device_of(path).is_some_and(|device| self.devices.contains(&device))
    }

    /// Whether the root is a file system of its own; a tree that was unpacked or copied is not.
    #[must_use]
    pub fn is_mounted(&self) -> bool {
        let around = self.host.root().join("..").metadata().map(|meta| meta.dev()).ok();
        self.host.is_live() || around != self.device_of("/")
    }

    /// Mount points of the image at which nothing is mounted: what lies there would be left as it is.
    #[must_use]
    pub fn not_mounted(&self) -> Vec<&str> {
        if !self.is_mounted() {
            return Vec::new();
        }
        let missing = |point: &&str| {
            let around = Path::new(point).parent().and_then(Path::to_str).unwrap_or("/");
            self.device_of(point).is_none() || self.device_of(point) == self.device_of(around)
        };
        self.own_mount_points(false).into_iter().filter(|point| *point != "/").filter(missing).collect()
    }
}
