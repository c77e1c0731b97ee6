//! What is wrong with a partition that is mounted, and with its line in fstab.

use crate::facts::kept::MOUNTS_ELSE;
use crate::facts::mounts::Mount;
use crate::host::device_name::can_move;
use crate::profile::PartitionSpec;
use crate::steps::devices::{
    Layer, LayerKind, fstab_entry, hidden_by, layers, mount_at, passed_over, resolve, same_path,
};
use crate::steps::layout::own_disks::ours::not_own;
use crate::steps::storage::answers;
use crate::steps::{boot_order, need};

use super::{Look, remount};

impl Look<'_> {
    pub(super) fn mounted(&mut self, spec: &PartitionSpec, mount: &Mount, mounts: &[Mount]) {
        let path = &*spec.mount;
        let is_below =
            |other: &&Mount| same_path(&other.mount_point, path) && other.major_minor != mount.major_minor;
        // Under / lies what the kernel began with.
        if let Some(below) = mounts.iter().rfind(is_below).filter(|_| path != "/") {
            let Mount { source, fs_type, .. } = mount;
            let below = &below.source;
            self.bring_back.push(format!("`umount {path}`"));
            return self.tally.problem(format!(
                "{source} ({fs_type}) is mounted at {path} over {below}, which was there before"
            ));
        }
        if let Some(over) = hidden_by(mounts, mount) {
            self.missing(format!(
                "{path} ({}) is hidden by {}, which was mounted at {} later",
                mount.source, over.source, over.mount_point
            ));
        }
        if mount.root != "/" {
            self.missing(format!(
                "{path} is no file system of its own: it is the directory or subvolume {} of {}",
                mount.root, mount.source
            ));
        }
        // A bind mount of a whole file system has `/` as its root too, but shares its device with the original.
        let is_twin = |other: &&PartitionSpec| {
            let twin = mount_at(mounts, &other.mount);
            !same_path(&other.mount, path) && twin.is_some_and(|twin| twin.major_minor == mount.major_minor)
        };
        if path != "/"
            && let Some(other) = self.profile.layout.partitions.iter().find(is_twin)
        {
            self.missing(format!("{path} and {} are the same file system", other.mount));
        }
        if mount.fs_type != spec.fs_type.name() {
            self.tally.problem(format!("{path} is {}, not {}", mount.fs_type, spec.fs_type));
        }
        if !mount.is_writable() {
            self.alone = Some(remount(path));
            self.tally.problem(format!("{path} is mounted read-only (after an error? see dmesg)"));
        }
        if mount.is_on_block_device() && self.facts.disks.known().is_some() {
            self.not_ours.extend(not_own(self.profile, self.facts, mount.major_minor));
        }
        for fix in answers(self.facts, mount.major_minor, &|| None, &mut self.tally) {
            if !self.bring_back.contains(&fix) {
                self.bring_back.push(fix);
            }
        }
        let Some(disks) = self.tally.know(need(&self.facts.disks, "the disks")) else { return };
        let way = disks.iter().find_map(|disk| layers(disk, mount.major_minor));
        match way.and_then(|way| way.last().copied()) {
            None => self.tally.problem(format!("{path} ({}) lies on no disk of this machine", mount.source)),
            Some(Layer { kind: LayerKind::Disk | LayerKind::Multipath, name, .. }) => {
                self.missing(format!("{path} lies on the whole disk {name}, not on a partition"));
            }
            Some(_) => {}
        }
    }

    pub(super) fn in_fstab(&mut self, spec: &PartitionSpec, mount: Option<&Mount>) {
        let path = &*spec.mount;
        let Some(fstab) = self.tally.know(need(&self.facts.fstab, "/etc/fstab")) else { return };
        let Some(entry) = fstab_entry(fstab, path) else {
            return self.tally.problem(match passed_over(self.facts, path) {
                Some(line) => {
                    format!(
                        "line {} of /etc/fstab, for {path}, is passed over at boot: {}",
                        line.line, line.why
                    )
                }
                None => format!("/etc/fstab has no line for {path}"),
            });
        };
        let line = format!("line {} of /etc/fstab", entry.line);
        if entry.has("bind") || entry.has("rbind") {
            return self.missing(format!("{line} makes {path} a bind mount of {}", entry.device));
        }
        if let Some(option) = MOUNTS_ELSE.iter().find(|option| entry.has(option)) {
            self.tally.problem(format!(
                "{line} has the option {option}: it mounts something other than the file system of {}",
                entry.device
            ));
        }
        if let Some(cover) = boot_order::covered_by(self.facts, entry) {
            self.alone = Some(boot_order::first(cover, entry));
            self.tally.problem(format!(
                "line {} of /etc/fstab is mounted at {} after {path} and hides it",
                cover.line, cover.mount_point
            ));
        }
        if entry.has("noauto") {
            self.tally.problem(format!("{line} does not mount {path} at boot (noauto)"));
        }
        if entry.has("ro") {
            self.tally.problem(format!("{line} mounts {path} read-only"));
        }
        if let Some(option) = &entry.refused {
            let fs_type = &entry.fs_type;
            self.tally.problem(format!(
                "{line} has the option {option}, which {fs_type} does not know: {path} is not mounted"
            ));
        }
        if can_move(&entry.device) {
            self.tally.problem(format!(
                "{line} names {}, which can be another device after a restart",
                entry.device
            ));
        }
        if entry.fs_type != spec.fs_type.name() && entry.fs_type != "auto" {
            self.tally.problem(format!("{line} says {} for {path}, not {}", entry.fs_type, spec.fs_type));
        }
        let Some(mount) = mount else { return };
        let problem = match self.tally.know(resolve(&entry.device, self.facts)) {
            Some(Some(device)) if device != mount.major_minor => format!(
                "{line} names {}, which is {} and not what is mounted at {path} ({})",
                entry.device,
                self.name(device),
                self.name(mount.major_minor),
            ),
            Some(None) => format!("{line} names {}, and there is no such device", entry.device),
            Some(Some(_)) | None => return,
        };
        self.tally.problem(problem);
    }
}
