//! /boot as a file system of its own, on which lies what the boot loader goes by: whether it is mounted now as at the next boot.

use crate::facts::Facts;
use crate::facts::fstab::Entry;
use crate::facts::mounts::Mount;
use crate::host::command::pasted;
use crate::profile::Profile;
use crate::steps::devices::{device_name, fstab_entry, mount_at, passed_over, resolve};
use crate::steps::layout::older::{by_its_own, misled};
use crate::steps::layout::own_disks::ours::{not_alone, not_own};
use crate::steps::layout::partition;
use crate::steps::tally::Tally;
use crate::steps::{Status, need};

const BOOT: &str = "/boot";

/// The line of fstab for the directory `path`, where nothing is mounted there now; none where the mounts are not known.
pub(in crate::steps::layout) fn unmounted<'a>(path: &str, facts: &'a Facts) -> Option<&'a Entry> {
    let mounts = facts.mounts.known()?;
    fstab_entry(facts.fstab.known()?, path).filter(|_| mount_at(mounts, path).is_none())
}

/// That it is not mounted, in words.
pub(in crate::steps::layout) fn is_unmounted(entry: &Entry) -> String {
    let Entry { line, mount_point, device, .. } = entry;
    format!(
        "{mount_point} is not mounted, though line {line} of /etc/fstab has {device} for it, and what the boot loader goes by lies \
         there"
    )
}

/// What mounts it: a command alone where the name in its line leads to a device of this host's own that carries it.
pub(in crate::steps::layout) fn mount(profile: &Profile, facts: &Facts, entry: &Entry) -> String {
    let Entry { line, mount_point, device, fs_type, refused, .. } = entry;
    let at = pasted(mount_point);
    if let Some(why) = not_alone(profile, facts, device) {
        return why;
    }
    if misled(device, facts).is_some() {
        return by_its_own(profile, facts, entry);
    }
    if let Some(option) = refused {
        return format!(
            "take the option {option}, which {fs_type} does not know, out of line {line} of /etc/fstab, then `mount {at}`"
        );
    }
    match resolve(device, facts) {
        Ok(None) if entry.names_device() => format!(
            "attach the disk with {device}, or let line {line} of /etc/fstab name the file system of {mount_point} (`blkid`); then \
             `mount {at}`"
        ),
        _ => format!("`mount {at}`"),
    }
}

/// Adds up what is wrong with it; whether what lies in /boot now is what the next boot goes by.
pub(super) fn look(profile: &Profile, facts: &Facts, fstab: &[Entry], tally: &mut Tally) -> bool {
    let mounts = match need(&facts.mounts, "the mounts") {
        // An image's tree has none.
        Err(Status::NotApplicable { .. }) => return true,
        mounts => tally.know(mounts),
    };
    let Some(mounts) = mounts else { return true };
    match (mount_at(mounts, BOOT), fstab_entry(fstab, BOOT)) {
        (None, Some(entry)) => {
            tally.fault(is_unmounted(entry), mount(profile, facts, entry));
            return false;
        }
        (Some(mount), None) => without_line(profile, facts, mount, tally),
        (Some(_), Some(Entry { line, fs_type, refused: Some(option), .. })) => {
            let problem = format!(
                "line {line} of /etc/fstab has the option {option}, which {fs_type} does not know: {BOOT} is not mounted at the \
                 next boot"
            );
            tally.fault(problem, format!("take the option {option} out of line {line} of /etc/fstab"));
        }
        _ => {}
    }
    true
}

/// It is mounted, and no line of fstab does that at the next boot.
fn without_line(profile: &Profile, facts: &Facts, mount: &Mount, tally: &mut Tally) {
    let Mount { source, fs_type, root, major_minor, .. } = mount;
    // It mounts by units as well, and by the kinds of partitions.
    if facts.os.systemd.known() == Some(&true) {
        return tally.unknown(format!(
            "whether {BOOT} ({source}) is mounted at the next boot: /etc/fstab has no line for it, and of units of systemd nothing is \
             read (`systemctl cat boot.mount`)"
        ));
    }
    let name = facts.disks.known().and_then(|disks| device_name(disks, *major_minor)).unwrap_or(source);
    let line = match passed_over(facts, BOOT) {
        Some(line) => format!("line {} of /etc/fstab for it is passed over: {}", line.line, line.why),
        None => "/etc/fstab has no line for it".to_owned(),
    };
    let problem = format!(
        "{BOOT} ({name}) is mounted, but {line}: not after a restart, and a new kernel then goes to the file system of /"
    );
    // What is bound from another directory has no UUID of its own.
    let fix = if root != "/" || !mount.is_on_block_device() {
        format!(
            "let /etc/fstab have a line for what is mounted at {BOOT} now (`grep ' {BOOT} ' /proc/self/mountinfo`)"
        )
    } else {
        not_own(profile, facts, *major_minor)
            .unwrap_or_else(|| partition::line(profile, facts, BOOT, fs_type))
    };
    tally.fault(problem, fix);
}

#[cfg(test)]
mod tests {
    use crate::facts::boot_loader::BootLoader;
    use crate::facts::storage::Storage;
    use crate::facts::{Fact, Facts};
    use crate::steps::testing::{
        Judged, add_partition, disks, edit, entry, fstab, ignored, mounts, virtual_disk,
    };

    const UUID: &str = "aaaa1111-2222-4333-8444-bbbbccccdddd";

    /// The ready host with /boot on a partition of its own, of the system disk.
    fn with_boot() -> Judged {
        let mut host = Judged::ready("layout.next-boot");
        add_partition(&mut host, 0, "sda6", "8:6", (UUID, "/boot"));
        host
    }

    fn unmount(facts: &mut Facts) {
        mounts(facts).retain(|mount| mount.mount_point != "/boot");
    }

    #[test]
    fn one_that_is_not_mounted_is_mounted_and_nothing_is_written_below_it() {
        let host = with_boot();
        for id in ["layout.next-boot", "layout.boot-loader"] {
            host.of(id).starts("met: ");
        }
        let found = format!(
            "unmet: /boot is not mounted, though line 20 of /etc/fstab has UUID={UUID} for it, and what the boot loader goes by lies there |"
        );
        // Whatever lies below it on / is not what the boot loader reads.
        for is_below in [true, false] {
            for option in ["rw", "noauto"] {
                let mut host = host.clone();
                unmount(&mut host);
                fstab(&mut host).last_mut().unwrap().options = vec![option.into()];
                if !is_below {
                    edit(&mut host.boot_loader).configuration.clear();
                    host.boot_entry = Fact::Known(None);
                }
                for id in ["layout.next-boot", "layout.boot-loader"] {
                    host.of(id).starts(&found).ends("| `mount /boot`");
                }
            }
        }
        let advised = |change: &dyn Fn(&mut Facts)| {
            let mut host = host.clone();
            unmount(&mut host);
            host.judged_by("layout.boot-loader").after(change).fix()
        };
        let gone = advised(&|host| {
            edit(&mut host.filesystems).by_uuid.remove(&UUID.into());
        });
        gone.starts(format!("attach the disk with UUID={UUID}, or let line 20 "));
        let option = advised(&|host| fstab(host).last_mut().unwrap().refused = Some("huge".into()));
        option.starts("take the option huge, which ext4 does not know, out of line 20");
        let stale = advised(&|host| {
            let volume = edit(&mut host.storage).last_mut().unwrap().volume.as_mut().unwrap();
            volume.uuid = "1-2".into();
        });
        stale.starts(format!("in line 20 of /etc/fstab put UUID=1-2 in the place of UUID={UUID}"));
        let twin = advised(&|host| {
            let twin = edit(&mut host.storage).last().unwrap().clone();
            let twin = Storage { name: "sda3".into(), major_minor: "8:3".into(), ..twin };
            edit(&mut host.storage).retain(|one| one.name != "sda3");
            edit(&mut host.storage).push(twin);
        });
        twin.ends(": see layout.own-disks").lacks("`");
    }

    #[test]
    fn without_its_line_it_is_not_mounted_at_the_next_boot() {
        let mut host = with_boot();
        fstab(&mut host).pop();
        host.starts("unmet: /boot (sda6) is mounted, but /etc/fstab has no line for it: not after a restart, and a new kernel then goes to \
                 the file system of / |").has(format!("| let /etc/fstab have one line \"UUID={UUID} /boot ext4 defaults 1 2\""));
        host.fstab_ignored.push(ignored(20, "UUID=x", "/boot", "it is commented out"));
        host.has("line 20 of /etc/fstab for it is passed over: it is commented out:");
        let mut bound = host.clone();
        mounts(&mut bound).last_mut().unwrap().root = "/boot-of-old".into();
        bound.has("| let /etc/fstab have a line for what is mounted").lacks("UUID=");
        // No line is advised for another's disk.
        let mut foreign = host.clone();
        disks(&mut foreign)[0].partitions.pop();
        let mut disk = virtual_disk(2, "36000c29dddddddddddddddddddddddddd", 100 << 30);
        disk.partitions = vec![disks(&mut host.clone())[0].partitions.last().unwrap().clone()];
        disks(&mut foreign).push(disk);
        foreign.is("blocked: layout.own-disks");
        host.os.systemd = Fact::Known(true);
        host.starts("unknown: whether /boot (/dev/sda6) is mounted at the next boot:");
    }

    #[test]
    fn a_line_with_an_option_that_its_file_system_does_not_know_mounts_nothing() {
        let mut host = with_boot();
        fstab(&mut host).last_mut().unwrap().refused = Some("huge".into());
        host.starts("unmet: line 20 of /etc/fstab has the option huge, which ext4");
    }

    #[test]
    fn a_loader_whose_files_lie_where_nothing_is_mounted_is_not_written_anew() {
        let host = Judged::ready("layout.boot-loader");
        let loader = |code: Option<&str>, line: Option<(&str, &str)>, passed: bool| {
            let mut host = host.clone();
            host.boot_loader = Fact::Known(BootLoader {
                disk: "sda".into(),
                mbr: code.map(str::to_owned),
                partitions: Vec::new(),
                configuration: Vec::new(),
            });
            host.boot_entry = Fact::Known(None);
            if let Some((device, at)) = line {
                edit(&mut host.filesystems).by_uuid.insert("A-B".into(), "8:1".into());
                fstab(&mut host).push(entry(20, device, at, "vfat", 0));
            }
            if passed {
                host.fstab_ignored.push(ignored(21, "UUID=x", "/boot", "why"));
            }
            host.outcome()
        };
        loader(None, Some(("UUID=A-B", "/boot/efi")), false)
            .starts("unmet: /boot/efi is not mounted, though")
            .lacks("grub-install");
        loader(Some("GRUB"), None, true).starts("unmet: GRUB on sda, but no configuration file of it; line 21 of /etc/fstab, for /boot, is passed over at boot: why |").ends("put line 21 of /etc/fstab right, then `mount /boot`");
        loader(Some("GRUB"), None, false).has("write /boot/grub/grub.conf");
    }
}
