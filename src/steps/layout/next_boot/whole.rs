//! Whether the file systems of the lines of fstab that no other requirement looks at are whole: `fsck -A` of the next boot stops at
//! one that it cannot mend by itself, and asks for the password of root; what met errors may be mounted read-only, or not at all.

use crate::facts::Facts;
use crate::facts::fstab::Entry;
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
pub(super) fn look(profile: &Profile, facts: &Facts, entry: &Entry, init: Init) -> Option<Tally> {
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
    fixes.into_iter().for_each(|fix| own.fix(fix));
    Some(own)
}

/// Whether the boot mounts it, or looks at it: `fsck -A` of CentOS 6 takes each with a pass number, `noauto` or not. From /boot it
/// starts, whatever its line says.
fn counts(entry: &Entry, init: Init) -> bool {
    let is_taken = match init {
        Init::Systemd => !entry.has("noauto") && !entry.has("nofail"),
        Init::Scripts => !entry.has("noauto") || entry.pass != 0,
    };
    entry.names_device() && !entry.mounts_else() && (is_taken || same_path(&entry.mount_point, "/boot"))
}

/// Whether the kernel mounted it read-only by itself, or since.
fn is_stopped(mount: &Mount, entry: &Entry) -> bool {
    !mount.is_writable() && !entry.has("ro") && !ONLY_READ.contains(&mount.fs_type.as_str())
}

#[cfg(test)]
mod tests {
    use crate::facts::storage::Read;
    use crate::facts::{Fact, Facts};
    use crate::steps::testing::{
        Judged, Outcome, add_partition, answering, disks, edit, fstab, mounts, virtual_disk,
    };

    const ID: &str = "layout.next-boot";
    const LINE: &str = "/etc/fstab: line 20 (/data by UUID=data): ";

    /// The ready host with /data on a partition of the system disk, or on a disk of a protected machine.
    fn with(is_foreign: bool, change: &dyn Fn(&mut Facts)) -> Outcome {
        let mut host = Judged::ready(ID);
        if is_foreign {
            disks(&mut host).push(virtual_disk(2, "36000c29dddddddddddddddddddddddddd", 100 << 30));
            edit(&mut host.storage).push(answering("sdc", "8:32"));
            add_partition(&mut host, 2, "sdc1", "8:33", ("data", "/data"));
        } else {
            add_partition(&mut host, 0, "sda6", "8:6", ("data", "/data"));
        }
        host.after(change)
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
        with(false, &|_| ()).is("met: no name in /etc/fstab moves");
        with(false, &errors)
            .starts(format!("unmet: {LINE}the file system on sda6 has errors: its superblock counts 3 |"))
            .ends("| `umount /data`, `fsck -f /dev/sda6`, `mount /data`");
        with(false, &|facts| read(facts, Fact::Known(Read::Failed("Input/output error".into()))))
            .starts(format!("unmet: {LINE}sda6 does not answer: Input/output error |"));
        // Not mounted, fsck takes it all the same.
        with(false, &|facts| {
            errors(facts);
            mounts(facts).pop();
            fstab(facts).last_mut().unwrap().options = vec!["noauto".into()];
        })
        .starts(format!("unmet: {LINE}the file system on sda6 has errors"));
    }

    #[test]
    fn what_could_not_be_read_is_unknown() {
        with(false, &|facts| read(facts, Fact::Unknown("needs root".into())))
            .starts("unknown: ")
            .has(format!("{LINE}sda6: needs root"));
        with(false, &|facts| read(facts, Fact::Known(Read::Lost("x".into()))))
            .starts(format!("unknown: {LINE}whether the file system on sda6 was checked"));
    }

    #[test]
    fn one_that_the_kernel_made_read_only_is_unmet() {
        with(false, &read_only)
            .starts(format!("unmet: {LINE}it is mounted read-only, though its line does not say so"))
            .has("`mount -o remount,rw /data`");
        with(false, &|facts| {
            read_only(facts);
            fstab(facts).last_mut().unwrap().options = vec!["ro".into()];
        })
        .starts("met: ");
        with(false, &|facts| {
            read_only(facts);
            errors(facts);
        })
        .has("fsck -f /dev/sda6")
        .lacks("remount");
    }

    #[test]
    fn nothing_is_advised_that_writes_to_a_disk_of_another_machine() {
        for change in [errors, read_only] {
            with(true, &change).has(LINE).has("see layout.own-disks").lacks("fsck -f").lacks("remount");
        }
    }

    #[test]
    fn what_no_boot_takes_up_is_no_matter_of_it() {
        let outcome = |systemd: bool, option: &str, pass: u32| {
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
            let outcome = outcome(systemd, option, pass);
            assert_eq!(outcome.starts_with("met: "), is_met, "{systemd} {option} {pass}: {outcome}");
        }
    }
}
