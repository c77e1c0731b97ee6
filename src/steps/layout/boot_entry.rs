//! What the boot loader of CentOS 6 starts by itself: the kernel with this host's `/`, in a runlevel with its services.

use crate::facts::Facts;
use crate::facts::boot_entry::{BootEntry, is_break, is_runlevel};
use crate::host::device_name::can_move;
use crate::steps::devices::{device_name, mount_at};
use crate::steps::tally::Tally;
use crate::steps::{Status, need, twins};

use super::leads::{SEE, SHARED, leads_to};
use super::older::misled;

const ENTRY: &str = "let default=N in that file name an entry (the first is 0) with a kernel line; reinstalling the kernel package \
    makes one";
const FILES: &str = "let default=N name an entry whose kernel and initrd are there, or bring them back: `yum reinstall \
    kernel`, `dracut --force /boot/initramfs-VERSION.img VERSION` (without a version dracut makes that of the running kernel); an entry has `root (hdX,Y)` for the partition with /boot (sda1 of the first disk is (hd0,0)), and behind its kernel line \
    `initrd FILE`: each FILE is /boot/NAME where /boot is a directory of /, and /NAME where it is a file system of its own";
const WAITS: &str = "take out of that file what waits for a person, and let it have a line `timeout=5` before the first entry";
const ROOT: &str = "put root=UUID=... in the kernel line of that entry, with the UUID that `blkid` prints for the device of /";
const RESUME: &str = "take resume= out of the kernel line of that entry: a master target does not hibernate";
const WORD: &str = "take that word out of the kernel line of that entry";

/// Adds up what is wrong with it; a host that GRUB 0.97 does not start has none.
pub(super) fn look(facts: &Facts, tally: &mut Tally) {
    let Some(Some(whole)) = tally.know(need(&facts.boot_entry, "the boot entry").map(Option::as_ref)) else {
        return;
    };
    let BootEntry { file, default, entries, kernel, lacking, waits, untold: unknown, .. } = whole;
    if !waits.is_empty() {
        tally.fault(format!("{file}: {}", waits.join(", ")), WAITS);
    }
    let Some(default) = default else {
        return tally.unknown(format!("which entry starts at boot: {file} says `default saved`"));
    };
    let entry = format!("{file}, entry {default}");
    let Some(words) = kernel.as_ref().filter(|_| default < entries) else {
        let problem = match default < entries {
            true => format!("{entry}, the default one, has no kernel line"),
            false => format!("{file} has no entry {default}, which is the default one (entries: {entries})"),
        };
        return tally.fault(problem, ENTRY);
    };
    if !lacking.is_empty() {
        tally.fault(format!("{entry}: {}", lacking.join(", ")), FILES);
    }
    for what in unknown {
        tally.unknown(format!("{entry}: {what}"));
    }
    let roots: Vec<&str> = whole.devices("root").collect();
    if roots.is_empty() {
        tally.fault(format!("{entry}: its kernel line has no root="), ROOT);
    }
    for root in roots {
        // dracut takes them for a part of the name.
        let is_quoted = root.contains(['"', '\'']);
        let shared = || twins::of(root, facts).map(|twins| !can_move(root) && !twins.is_empty());
        if !is_quoted && tally.know(shared()) == Some(true) {
            tally.fault(format!("{entry}: root={root}{SHARED}"), SEE);
        } else if is_quoted {
            tally.fault(format!("{entry}: root={root} has quotes, which no device's name has"), ROOT);
        } else if let Some(why) = misled(root, facts) {
            tally.fault(format!("{entry}: root={root}: {why}"), ROOT);
        } else if let Some(why) = wrong_root(root, facts, tally) {
            tally.fault(format!("{entry}: root={root} {why}"), ROOT);
        }
    }
    for resume in whole.devices("resume") {
        // A number, as of the kernel, is that of a device by its letter.
        let moves = can_move(resume) || !resume.contains('=') && !resume.starts_with("/dev/");
        let why = if moves {
            "can be another device after a restart, and the kernel writes to what it takes for its memory there".to_owned()
        } else if tally.know(twins::of(resume, facts)).is_some_and(|twins| !twins.is_empty()) {
            "is the name of several attached devices".to_owned()
        } else if let Some(why) = misled(resume, facts) {
            why
        } else {
            continue;
        };
        tally.fault(format!("{entry}: resume={resume} {why}"), RESUME);
    }
    for word in words {
        let Some(kind) = word.strip_prefix("rootfstype=") else { continue };
        let Ok(mounts) = need(&facts.mounts, "the mounts") else { continue };
        let Some(now) = mount_at(mounts, "/").map(|mount| mount.fs_type.as_str()) else { continue };
        if kind != "auto" && kind != now {
            tally.unknown(format!(
                "{entry}: whether / is mounted with {word}, as it is {now} (take that word out of its kernel line)"
            ));
        }
    }
    // /etc/rc.d/rc.sysinit looks for both, and for this one last.
    let is_written = words.iter().any(|word| word.contains("noreadonlyroot"));
    let is_device = |word: &str| {
        ["root=", "resume=", "rootfstype="].iter().any(|key| word.starts_with(key)) || word == "noresume"
    };
    let runlevel = words.iter().rfind(|word| is_runlevel(word));
    let runlevel = runlevel.filter(|word| !["2", "3", "4", "5"].contains(&word.as_str()));
    let others = words.iter().filter(|word| !is_device(word) && !is_runlevel(word));
    let others = others.filter(|word| !(is_written && word.contains("readonlyroot")));
    for word in others.chain(runlevel) {
        let why = match word.as_str() {
            word if word.contains("nompath") => "multipath is not started",
            word if is_break(word) => "the boot stops in the initial file system",
            word if word.contains("readonlyroot") => {
                "/ stays read-only, and what is written is lost or refused"
            }
            word if word.contains("confirm") => "the boot asks before each service",
            word if word.contains("init=") => "another program than /sbin/init is started",
            _ => "the services of this host are not started",
        };
        tally.fault(format!("{entry}: its kernel line has {word}: {why}"), WORD);
    }
}

/// Why `/` is not surely what it is now.
fn wrong_root(root: &str, facts: &Facts, tally: &mut Tally) -> Option<String> {
    if can_move(root) {
        return Some("can be another device after a restart".into());
    }
    let Some(device) = leads_to(root, facts, tally)? else { return Some("leads to no device".into()) };
    let mounts = match need(&facts.mounts, "the mounts") {
        // An image's tree has none.
        Err(Status::NotApplicable { .. }) => return None,
        mounts => tally.know(mounts)?,
    };
    let Some(now) = mount_at(mounts, "/") else {
        tally.unknown("what carries / is not among the mounts");
        return None;
    };
    // The number of btrfs is that of no device.
    if now.major_minor == device || now.major_minor.is_anonymous() {
        return None;
    }
    let name = facts.disks.known().and_then(|disks| device_name(disks, device));
    let name = name.map_or_else(|| device.to_string(), str::to_owned);
    Some(format!("is {name}, and not what is mounted at /"))
}

#[cfg(test)]
mod tests {
    use crate::facts::Fact;
    use crate::facts::boot_entry::{BootEntry, parse};
    use crate::steps::testing::{Judged, OS_DISK_ID, edit};

    const ID: &str = "layout.next-boot";
    const ROOT: &str = "root=UUID=0f3c6a52-8d1b-4e07-9a64-1c5b7d2e9f01";

    #[test]
    fn without_the_mounts_it_is_not_known_whose_root_it_names() {
        let mut host = Judged::ready(ID);
        host.mounts = Fact::Unknown("why".into());
        host.starts("unknown: ").has("the mounts: why");
    }

    #[test]
    fn the_entry_that_starts_by_itself_has_to_start_this_host() {
        let host = Judged::ready(ID);
        let parsed = |text: &str| {
            let entry = BootEntry { file: "/boot/grub/grub.conf".into(), ..parse(text).0 };
            host.after(|host| host.boot_entry = Fact::Known(Some(entry)))
        };
        let with =
            |words: &str| parsed(&format!("timeout=5\ntitle a\nkernel /vmlinuz ro {words}\ninitrd /i\n"));
        let by_id = format!("root=/dev/disk/by-id/scsi-{OS_DISK_ID}-part1");
        for words in [ROOT, &by_id, &format!("{ROOT} init=/sbin/init 3 quiet"), &format!("1 {ROOT} 5")] {
            assert!(with(words).starts_with("met: "), "{words}: {}", with(words));
        }
        for (words, expected) in [
            ("", "its kernel line has no root= |"),
            ("root=/dev/sda1", "root=/dev/sda1 can be another device after a restart |"),
            ("root=LABEL=/", "root=LABEL=/ can be another device after a restart |"),
            ("root=UUID=gone", "root=UUID=gone leads to no device |"),
            ("root=801", "root=801 leads to no device |"),
            (
                "root=UUID=4d9a0b16-72ce-4f83-b5d1-90e7c2a86403",
                "root=UUID=4d9a0b16-72ce-4f83-b5d1-90e7c2a86403 is sda3, and not what is mounted at / |",
            ),
        ] {
            with(words).starts(format!("unmet: /boot/grub/grub.conf, entry 0: {expected}"));
        }
        let services = "the services of this host are not started";
        for (word, why) in [
            ("nompath", "multipath is not started"),
            ("single", services),
            ("S", services),
            ("1", services),
            ("6", services),
            ("emergency", services),
            ("rdbreak", "the boot stops in the initial file system"),
            ("rd.break=mount", "the boot stops in the initial file system"),
            ("confirm", "the boot asks before each service"),
            ("readonlyroot", "/ stays read-only, and what is written is lost or refused"),
            ("init=/bin/bash", "another program than /sbin/init is started"),
            ("rdinit=/bin/sh", "another program than /sbin/init is started"),
        ] {
            with(&format!("{ROOT} {word}"))
                .starts(format!("unmet: /boot/grub/grub.conf, entry 0: its kernel line has {word}: {why} |"));
        }
        for words in ["rootfstype=ext4", "rootfstype=auto", "readonlyroot noreadonlyroot"] {
            assert!(with(&format!("{ROOT} {words}")).starts_with("met: "), "{words}");
        }
        with(&format!("{ROOT} rootfstype=xfs")).starts(
            "unknown: /boot/grub/grub.conf, entry 0: whether / is mounted with rootfstype=xfs, as it is ext4",
        );
        // From a swap area that this host alone has, or from none.
        let swap = "resume=UUID=68c2f3d7-1e45-4a9b-8c70-3f5d6b0e2a05";
        for words in [swap, "resume=/dev/sda5 noresume"] {
            assert!(with(&format!("{ROOT} {words}")).starts_with("met: "), "{words}");
        }
        for resume in ["/dev/sda5", "LABEL=swap", "0805"] {
            with(&format!("{ROOT} resume={resume}"))
                .starts(format!("unmet: /boot/grub/grub.conf, entry 0: resume={resume} can be another device after a restart"))
                .has(" after a restart, and the kernel writes")
                .has("take resume= out");
        }
        let lacking = vec!["/vmlinuz is not there".into(), "/initrd is empty".into()];
        host.after(|host| edit(&mut host.boot_entry).as_mut().unwrap().lacking = lacking)
            .starts("unmet: /boot/grub/grub.conf, entry 0: /vmlinuz is not there, /initrd is empty |");
        with("root=UUID=\"0f3c6a52-8d1b-4e07-9a64-1c5b7d2e9f01\"")
            .has("9f01\" has quotes, which no device's name has |");
        let entry = format!(
            "timeout=5\ntitle a\nkernel /vmlinuz {ROOT}\ninitrd /i\ntitle Windows\nrootnoverify (hd0)\n"
        );
        parsed(&entry.replace("timeout", "timeouts"))
            .starts("unmet: /boot/grub/grub.conf: without a timeout the menu waits for a key |");
        parsed(&entry.replace("initrd /i", "initrd /i\nconfigfile /x"))
            .is("unknown: /boot/grub/grub.conf, entry 0: what comes of its command `configfile`");
        parsed(&entry.replace("initrd /i", "")).has("entry 0: its kernel is started without an initrd |");
        for (text, expected) in [
            (
                "timeout=5\n".to_owned(),
                "unmet: /boot/grub/grub.conf has no entry 0, which is the default one (entries: 0) |",
            ),
            (format!("default=2\n{entry}"), "unmet: /boot/grub/grub.conf has no entry 2, which is the"),
            (
                format!("default=1\n{entry}"),
                "unmet: /boot/grub/grub.conf, entry 1, the default one, has no kernel line |",
            ),
            (
                format!("default saved\n{entry}"),
                "unknown: which entry starts at boot: /boot/grub/grub.conf says `default saved`",
            ),
        ] {
            parsed(&text).starts(expected);
        }
    }

    #[test]
    fn a_host_without_such_a_loader_and_an_image_are_judged_by_the_rest() {
        let mut host = Judged::ready(ID);
        for links in [host.filesystems.clone(), Fact::needs_kernel()] {
            host.filesystems = links;
            assert!(host.outcome().starts_with("met: "), "{}", host.outcome());
        }
        host.boot_entry = Fact::Known(None);
        host.starts("met: ");
        host.boot_entry = Fact::Unknown("reading /boot/grub/grub.conf: not permitted".into());
        host.is("unknown: the boot entry: reading /boot/grub/grub.conf: not permitted");
        edit(&mut host.fstab).clear();
        host.starts("unknown: ");
    }
}
