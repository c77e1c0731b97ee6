//! Whether the file systems of the lines of fstab that no other requirement looks at are whole: `fsck -A` of the next boot stops at
//! one that it cannot mend by itself, and asks for the password of root; what met errors may be mounted read-only, or not at all.

use crate::facts::Facts;
use crate::facts::fstab::Entry;
use crate::facts::kept::MOUNTS_ELSE;
use crate::facts::mounts::Mount;
use crate::facts::os::Init;
use crate::profile::Profile;
use crate::steps::devices::{mount_at, resolve, same_path};
use crate::steps::layout::older::misled;
use crate::steps::layout::own_disks::ours::not_own;
use crate::steps::layout::partition::remount;
use crate::steps::storage::answers;
use crate::steps::tally::Tally;

/// File systems that the kernel only reads.
const ONLY_READ: [&str; 5] = ["squashfs", "cramfs", "romfs", "erofs", "ntfs"];

/// Floppy and optical drives.
const REMOVABLE: [u32; 2] = [2, 11];

/// What is wrong with that of `entry`, where the boot mounts it or looks at it, and what a person does about it.
pub(super) fn look(
    profile: &Profile,
    facts: &Facts,
    entry: &Entry,
    init: Init,
) -> Option<(Tally, Vec<String>)> {
    let Entry { mount_point, device, .. } = entry;
    // That its device carries something else is reported by itself.
    if !counts(entry, init) || misled(device, facts).is_some() {
        return None;
    }
    let mount = facts.mounts.known().and_then(|mounts| mount_at(mounts, mount_point));
    let mount = mount.filter(|mount| mount.is_on_block_device());
    let named = resolve(device, facts).ok().flatten();
    let now = mount.map(|mount| mount.major_minor).filter(|number| !number.is_anonymous());
    let number = named.or(now)?;
    if REMOVABLE.contains(&number.major()) {
        return None;
    }
    let mut own = Tally::default();
    let mut fixes = answers(facts, number, &|| None, &mut own);
    if mount.is_some_and(|mount| is_stopped(mount, entry)) {
        own.problem("it is mounted read-only, though its line does not say so (after an error? see dmesg)");
        if fixes.is_empty() {
            fixes.push(remount(mount_point));
        }
    }
    if own.failures() > 0
        && let Some(not_own) = not_own(profile, facts, number)
    {
        fixes = vec![not_own];
    }
    Some((own, fixes))
}

/// Whether the boot mounts it, or looks at it: `fsck -A` of CentOS 6 takes each with a pass number, `noauto` or not. From /boot it
/// starts, whatever its line says.
fn counts(entry: &Entry, init: Init) -> bool {
    let has = |option: &str| entry.options.iter().any(|own| own == option);
    let is_device = entry.device.starts_with("/dev/") || entry.device.contains('=');
    let is_taken = match init {
        Init::Systemd => !has("noauto") && !has("nofail"),
        Init::Scripts => !has("noauto") || entry.pass != 0,
    };
    is_device
        && !MOUNTS_ELSE.iter().any(|option| has(option))
        && (is_taken || same_path(&entry.mount_point, "/boot"))
}

/// Whether the kernel mounted it read-only by itself, or since.
fn is_stopped(mount: &Mount, entry: &Entry) -> bool {
    let is_wanted = entry.options.iter().any(|option| option == "ro");
    !mount.is_writable() && !is_wanted && !ONLY_READ.contains(&mount.fs_type.as_str())
}

#[cfg(test)]
mod tests {
    use crate::facts::storage::Read;
    use crate::facts::{Fact, Facts};
    use crate::steps::testing::{
        answering, disks, edit, entry, fstab, mount, mounts, ready, told, virtual_disk,
    };

    const ID: &str = "layout.next-boot";
    const LINE: &str = "/etc/fstab: line 20 (/data by UUID=data): ";

    /// The ready host with /data on a partition of the system disk, or on a disk of a protected machine.
    fn with(is_foreign: bool, change: &dyn Fn(&mut Facts)) -> String {
        let (profile, mut facts) = ready();
        let mut partition = disks(&mut facts)[0].partitions[0].clone();
        partition.holders = Vec::new();
        partition.start_bytes = None;
        (partition.name, partition.major_minor) = if is_foreign {
            disks(&mut facts).push(virtual_disk(2, "36000c29dddddddddddddddddddddddddd", 100 << 30));
            edit(&mut facts.storage).push(answering("sdc", "8:32"));
            ("sdc1".into(), "8:33".into())
        } else {
            ("sda6".into(), "8:6".into())
        };
        let (name, number) = (partition.name.clone(), partition.major_minor);
        let at = if is_foreign { disks(&mut facts).len() - 1 } else { 0 };
        disks(&mut facts)[at].partitions.push(partition);
        let mut device = answering(&name, number);
        device.volume = Some(crate::facts::retention::Volume {
            fs_type: "ext".into(),
            uuid: "data".into(),
            label: String::new(),
        });
        edit(&mut facts.storage).push(device);
        edit(&mut facts.filesystems).by_uuid.insert("data".into(), number);
        fstab(&mut facts).push(entry(20, "UUID=data", "/data", "ext4", 2));
        mounts(&mut facts).push(mount("/data", number, &format!("/dev/{name}"), 1 << 30));
        change(&mut facts);
        told(&profile, &facts, ID)
    }

    fn read(facts: &mut Facts, read: Fact<Read>) {
        edit(&mut facts.storage).last_mut().unwrap().read = read;
    }

    fn errors(facts: &mut Facts) {
        read(facts, Fact::Known(Read::Errors("its superblock counts 3".into())));
    }

    fn read_only(facts: &mut Facts) {
        mounts(facts).last_mut().unwrap().options = vec!["ro".into()];
    }

    #[test]
    fn errors_of_another_file_system_stop_the_next_boot() {
        assert_eq!(with(false, &|_| ()), "met: no name in /etc/fstab moves");
        let told = with(false, &errors);
        assert!(
            told.starts_with(&format!(
                "unmet: {LINE}the file system on sda6 has errors: its superblock counts 3 |"
            )) && told.ends_with("| `umount /data`, `fsck -f /dev/sda6`, `mount /data`"),
            "{told}"
        );
        let told = with(false, &|facts| read(facts, Fact::Known(Read::Failed("Input/output error".into()))));
        assert!(
            told.starts_with(&format!("unmet: {LINE}sda6 does not answer: Input/output error |")),
            "{told}"
        );
        // Not mounted, fsck takes it all the same.
        let told = with(false, &|facts| {
            errors(facts);
            mounts(facts).pop();
            fstab(facts).last_mut().unwrap().options = vec!["noauto".into()];
        });
        assert!(told.starts_with(&format!("unmet: {LINE}the file system on sda6 has errors")), "{told}");
    }

    #[test]
    fn what_could_not_be_read_is_unknown() {
        let told = with(false, &|facts| read(facts, Fact::Unknown("needs root".into())));
        assert!(told.starts_with("unknown: ") && told.contains(&format!("{LINE}sda6: needs root")), "{told}");
        let told = with(false, &|facts| read(facts, Fact::Known(Read::Lost("x".into()))));
        assert!(
            told.starts_with(&format!("unknown: {LINE}whether the file system on sda6 was checked")),
            "{told}"
        );
    }

    #[test]
    fn one_that_the_kernel_made_read_only_is_unmet() {
        let told = with(false, &read_only);
        assert!(
            told.starts_with(&format!(
                "unmet: {LINE}it is mounted read-only, though its line does not say so"
            )) && told.contains("`mount -o remount,rw /data`"),
            "{told}"
        );
        let told = with(false, &|facts| {
            read_only(facts);
            fstab(facts).last_mut().unwrap().options = vec!["ro".into()];
        });
        assert!(told.starts_with("met: "), "{told}");
        let told = with(false, &|facts| {
            read_only(facts);
            errors(facts);
        });
        assert!(told.contains("fsck -f /dev/sda6") && !told.contains("remount"), "{told}");
    }

    #[test]
    fn nothing_is_advised_that_writes_to_a_disk_of_another_machine() {
        for change in [errors, read_only] {
            let told = with(true, &change);
            assert!(told.contains(LINE) && told.contains("see layout.own-disks"), "{told}");
            assert!(!told.contains("fsck -f") && !told.contains("remount"), "{told}");
        }
    }

    #[test]
    fn what_no_boot_takes_up_is_no_matter_of_it() {
        let told = |systemd: bool, option: &str, pass: u32| {
            with(false, &|facts| {
                errors(facts);
                facts.os.systemd = Fact::Known(systemd);
                let line = fstab(facts).last_mut().unwrap();
                (line.options, line.pass) = (vec![option.into()], pass);
            })
        };
        for (systemd, option, pass, is_met) in [
            (false, "noauto", 0, true),
            (false, "noauto", 2, false),
            (false, "nofail", 2, false),
            (false, "rw", 0, false),
            (true, "noauto", 2, true),
            (true, "nofail", 2, true),
            (true, "rw", 2, false),
        ] {
            let told = told(systemd, option, pass);
            assert_eq!(told.starts_with("met: "), is_met, "{systemd} {option} {pass}: {told}");
        }
    }
}
