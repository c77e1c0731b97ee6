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
        Ok(None) if device.starts_with("/dev/") || device.contains('=') => format!(
            "attach the disk with {device}, or let line {line} of /etc/fstab name the file system of {mount_point} (`blkid`); then \
             `mount {at}`"
        ),
        _ => format!("`mount {at}`"),
    }
}

/// Adds up what is wrong with it; whether what lies in /boot now is what the next boot goes by.
pub(super) fn look(
    profile: &Profile,
    facts: &Facts,
    fstab: &[Entry],
    tally: &mut Tally,
    fix: &mut Vec<String>,
) -> bool {
    let mounts = match need(&facts.mounts, "the mounts") {
        // An image's tree has none.
        Err(Status::NotApplicable { .. }) => return true,
        mounts => tally.know(mounts),
    };
    let Some(mounts) = mounts else { return true };
    match (mount_at(mounts, BOOT), fstab_entry(fstab, BOOT)) {
        (None, Some(entry)) => {
            tally.problem(is_unmounted(entry));
            fix.push(mount(profile, facts, entry));
            return false;
        }
        (Some(mount), None) => without_line(profile, facts, mount, tally, fix),
        (Some(_), Some(Entry { line, fs_type, refused: Some(option), .. })) => {
            tally.problem(format!(
                "line {line} of /etc/fstab has the option {option}, which {fs_type} does not know: {BOOT} is not mounted at the \
                 next boot"
            ));
            fix.push(format!("take the option {option} out of line {line} of /etc/fstab"));
        }
        _ => {}
    }
    true
}

/// It is mounted, and no line of fstab does that at the next boot.
fn without_line(profile: &Profile, facts: &Facts, mount: &Mount, tally: &mut Tally, fix: &mut Vec<String>) {
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
    tally.problem(format!(
        "{BOOT} ({name}) is mounted, but {line}: not after a restart, and a new kernel then goes to the file system of /"
    ));
    // What is bound from another directory has no UUID of its own.
    fix.push(if root != "/" || !mount.is_on_block_device() {
        format!("let /etc/fstab have a line for what is mounted at {BOOT} now (`grep ' {BOOT} ' /proc/self/mountinfo`)")
    } else {
        not_own(profile, facts, *major_minor)
            .unwrap_or_else(|| partition::line(profile, facts, BOOT, fs_type))
    });
}

#[cfg(test)]
mod tests {
    use crate::facts::boot_loader::BootLoader;
    use crate::facts::fstab::Ignored;
    use crate::facts::retention::Volume;
    use crate::facts::{Fact, Facts};
    use crate::profile::Profile;
    use crate::steps::testing::{answering, disks, edit, entry, fstab, mount, mounts, ready, told};

    const UUID: &str = "aaaa1111-2222-4333-8444-bbbbccccdddd";

    /// The ready host with /boot on a partition of its own, of the system disk.
    fn with_boot() -> (Profile, Facts) {
        let (profile, mut facts) = ready();
        let mut partition = disks(&mut facts)[0].partitions[0].clone();
        (partition.name, partition.major_minor) = ("sda6".into(), "8:6".into());
        partition.start_bytes = None;
        partition.holders = Vec::new();
        disks(&mut facts)[0].partitions.push(partition);
        let mut device = answering("sda6", "8:6");
        device.volume = Some(Volume { fs_type: "ext".into(), uuid: UUID.into(), label: String::new() });
        edit(&mut facts.storage).push(device);
        edit(&mut facts.filesystems).by_uuid.insert(UUID.into(), "8:6".into());
        fstab(&mut facts).push(entry(20, &format!("UUID={UUID}"), "/boot", "ext4", 2));
        mounts(&mut facts).push(mount("/boot", "8:6", "/dev/sda6", 500 << 20));
        (profile, facts)
    }

    fn unmount(facts: &mut Facts) {
        mounts(facts).retain(|mount| mount.mount_point != "/boot");
    }

    #[test]
    fn one_that_is_not_mounted_is_mounted_and_nothing_is_written_below_it() {
        let (profile, ready) = with_boot();
        for id in ["layout.next-boot", "layout.boot-loader"] {
            let said = told(&profile, &ready, id);
            assert!(said.starts_with("met: "), "{id}: {said}");
        }
        let found = format!(
            "unmet: /boot is not mounted, though line 20 of /etc/fstab has UUID={UUID} for it, and what the boot loader goes by lies there |"
        );
        // Whatever lies below it on / is not what the boot loader reads.
        for is_below in [true, false] {
            for option in ["rw", "noauto"] {
                let mut facts = ready.clone();
                unmount(&mut facts);
                fstab(&mut facts).last_mut().unwrap().options = vec![option.into()];
                if !is_below {
                    edit(&mut facts.boot_loader).configuration.clear();
                    facts.boot_entry = Fact::Known(None);
                }
                for id in ["layout.next-boot", "layout.boot-loader"] {
                    let said = told(&profile, &facts, id);
                    assert!(said.starts_with(&found) && said.ends_with("| `mount /boot`"), "{id}: {said}");
                }
            }
        }
        let advised = |change: &dyn Fn(&mut Facts)| {
            let mut facts = ready.clone();
            unmount(&mut facts);
            change(&mut facts);
            let said = told(&profile, &facts, "layout.boot-loader");
            said.rsplit(" | ").next().unwrap().to_owned()
        };
        let gone = advised(&|facts| {
            edit(&mut facts.filesystems).by_uuid.remove(&UUID.into());
        });
        assert!(gone.starts_with(&format!("attach the disk with UUID={UUID}, or let line 20 ")), "{gone}");
        let option = advised(&|facts| fstab(facts).last_mut().unwrap().refused = Some("huge".into()));
        assert!(
            option.starts_with("take the option huge, which ext4 does not know, out of line 20"),
            "{option}"
        );
        let stale = advised(&|facts| {
            let volume = edit(&mut facts.storage).last_mut().unwrap().volume.as_mut().unwrap();
            volume.uuid = "1-2".into();
        });
        assert!(
            stale.starts_with(&format!("in line 20 of /etc/fstab put UUID=1-2 in the place of UUID={UUID}")),
            "{stale}"
        );
        let twin = advised(&|facts| {
            let mut twin = edit(&mut facts.storage).last().unwrap().clone();
            twin.name = "sda3".into();
            twin.major_minor = "8:3".into();
            edit(&mut facts.storage).retain(|one| one.name != "sda3");
            edit(&mut facts.storage).push(twin);
        });
        assert!(twin.ends_with(": see layout.own-disks") && !twin.contains('`'), "{twin}");
    }

    #[test]
    fn without_its_line_it_is_not_mounted_at_the_next_boot() {
        let (profile, mut facts) = with_boot();
        fstab(&mut facts).pop();
        let said = told(&profile, &facts, "layout.next-boot");
        assert!(
            said.starts_with(
                "unmet: /boot (sda6) is mounted, but /etc/fstab has no line for it: not after a restart, and a new kernel then goes to \
                 the file system of / |"
            ) && said.contains(&format!("| let /etc/fstab have one line \"UUID={UUID} /boot ext4 defaults 1 2\"")),
            "{said}"
        );
        facts.fstab_ignored.push(Ignored {
            line: 20,
            device: "UUID=x".into(),
            mount_point: "/boot".into(),
            why: "it is commented out".into(),
            ours: false,
        });
        let said = told(&profile, &facts, "layout.next-boot");
        assert!(said.contains("line 20 of /etc/fstab for it is passed over: it is commented out:"), "{said}");
        let mut bound = facts.clone();
        mounts(&mut bound).last_mut().unwrap().root = "/boot-of-old".into();
        let said = told(&profile, &bound, "layout.next-boot");
        assert!(
            said.contains("| let /etc/fstab have a line for what is mounted") && !said.contains("UUID="),
            "{said}"
        );
        // No line is advised for another's disk.
        let mut foreign = facts.clone();
        disks(&mut foreign)[0].partitions.pop();
        let mut disk =
            crate::steps::testing::virtual_disk(2, "36000c29dddddddddddddddddddddddddd", 100 << 30);
        disk.partitions = vec![disks(&mut facts.clone())[0].partitions.last().unwrap().clone()];
        disks(&mut foreign).push(disk);
        let said = told(&profile, &foreign, "layout.next-boot");
        assert_eq!(said, "blocked: layout.own-disks");
        facts.os.systemd = Fact::Known(true);
        let said = told(&profile, &facts, "layout.next-boot");
        assert!(
            said.starts_with("unknown: whether /boot (/dev/sda6) is mounted at the next boot:"),
            "{said}"
        );
    }

    #[test]
    fn a_line_with_an_option_that_its_file_system_does_not_know_mounts_nothing() {
        let (profile, mut facts) = with_boot();
        fstab(&mut facts).last_mut().unwrap().refused = Some("huge".into());
        let said = told(&profile, &facts, "layout.next-boot");
        assert!(said.starts_with("unmet: line 20 of /etc/fstab has the option huge, which ext4"), "{said}");
    }

    #[test]
    fn a_loader_whose_files_lie_where_nothing_is_mounted_is_not_written_anew() {
        let (profile, ready) = ready();
        let loader = |code: Option<&str>, line: Option<(&str, &str)>, passed: bool| {
            let mut facts = ready.clone();
            facts.boot_loader = Fact::Known(BootLoader {
                disk: "sda".into(),
                mbr: code.map(str::to_owned),
                partitions: Vec::new(),
                configuration: Vec::new(),
            });
            facts.boot_entry = Fact::Known(None);
            if let Some((device, at)) = line {
                edit(&mut facts.filesystems).by_uuid.insert("A-B".into(), "8:1".into());
                fstab(&mut facts).push(entry(20, device, at, "vfat", 0));
            }
            if passed {
                let (device, mount_point) = ("UUID=x".into(), "/boot".into());
                facts.fstab_ignored.push(Ignored {
                    line: 21,
                    device,
                    mount_point,
                    why: "why".into(),
                    ours: false,
                });
            }
            told(&profile, &facts, "layout.boot-loader")
        };
        let said = loader(None, Some(("UUID=A-B", "/boot/efi")), false);
        assert!(
            said.starts_with("unmet: /boot/efi is not mounted, though") && !said.contains("grub-install"),
            "{said}"
        );
        let said = loader(Some("GRUB"), None, true);
        assert!(
            said.starts_with("unmet: GRUB on sda, but no configuration file of it; line 21 of /etc/fstab, for /boot, is passed over at boot: why |")
                && said.ends_with("put line 21 of /etc/fstab right, then `mount /boot`"),
            "{said}"
        );
        assert!(loader(Some("GRUB"), None, false).contains("write /boot/grub/grub.conf"));
    }
}
