//! Names that udev's links give to devices which carry another one since.

use crate::facts::Facts;
use crate::facts::fstab::Entry;
use crate::facts::storage::{LUKS, LVM};
use crate::profile::Profile;
use crate::steps::devices::resolve;
use crate::steps::twins::{self, Twin};

use super::leads::SEE;
use super::own_disks::ours::{not_alone, not_own};

/// That a link of udev's is older than what its device carries, so that the next boot makes none of that name, or another's.
pub(super) fn misled(name: &str, facts: &Facts) -> Option<String> {
    let misled = twins::misled(name, facts)?;
    let volume = misled.carries?;
    let own = misled.by_its_own().unwrap_or_else(|| "no such name".to_owned());
    let now = match in_words(&volume.fs_type) {
        Some(what) => format!("is {what} ({own})"),
        None => format!("has {own}"),
    };
    let then = match twins::alone(name, facts).as_slice() {
        [] => "does not find it".to_owned(),
        others => {
            let others: Vec<_> = others.iter().map(Twin::to_string).collect();
            format!("takes {}", others.join(" and "))
        }
    };
    Some(format!("{}, to which that leads now, {now} since, and the next boot {then}", misled.name))
}

/// What to put into a line of which the name is older than what its device carries.
pub(super) fn by_its_own(profile: &Profile, facts: &Facts, entry: &Entry) -> String {
    let Entry { line, device, .. } = entry;
    let Some(misled) = twins::misled(device, facts) else { return SEE.to_owned() };
    if !twins::alone(device, facts).is_empty() || not_own(profile, facts, misled.major_minor).is_some() {
        return SEE.to_owned();
    }
    let look = look(&misled.name);
    if let Some(volume) = misled.carries.filter(|volume| !fits(&volume.fs_type, &entry.fs_type)) {
        let (name, fs_type) = (&misled.name, volume.fs_type.as_str());
        let what = what_is(fs_type);
        return format!(
            "what line {line} of /etc/fstab means is gone from {name}, which is {what} now ({look}): restore it from a backup to a \
             device of its own, or take that line out"
        );
    }
    match misled.by_its_own() {
        Some(own) if own.starts_with("UUID=") && not_alone(profile, facts, &own).is_none() => {
            format!("in line {line} of /etc/fstab put {own} in the place of {device} ({look})")
        }
        _ => format!(
            "in line {line} of /etc/fstab name the device by what it carries now ({look}), by a UUID that it alone has"
        ),
    }
}

/// What is wrong where the device of a line carries something that the line's type is not, and what to do.
pub(super) fn unfit(facts: &Facts, entry: &Entry) -> Option<(String, String)> {
    let Entry { line, mount_point, device, fs_type, .. } = entry;
    let number = resolve(device, facts).ok().flatten()?;
    let one = facts.storage.known()?.iter().find(|one| one.major_minor == number)?;
    let carried = one.volume.as_ref()?.fs_type.as_str();
    if fits(carried, fs_type) {
        return None;
    }
    let what = what_is(carried);
    let found = format!(
        "/etc/fstab: line {line} ({mount_point} by {device}) has the type {fs_type}, and {} is {what}",
        one.name
    );
    let look = look(&one.name);
    Some((
        found,
        format!("let line {line} of /etc/fstab have the type and the name of what it is to mount ({look})"),
    ))
}

/// Whether a device that carries `carried` can be what a line of fstab with the type `fs_type` means, which may be a list.
fn fits(carried: &str, fs_type: &str) -> bool {
    if carried == LUKS || carried == LVM {
        return false;
    }
    fs_type.split(',').any(|fs_type| match (carried, fs_type) {
        ("swap", _) | (_, "swap") => carried == fs_type,
        (_, "auto") => true,
        ("vfat", _) => ["vfat", "msdos"].contains(&fs_type),
        _ if carried.starts_with("ext") => fs_type.starts_with("ext"),
        _ => carried == fs_type,
    })
}

/// What shows what the device with the kernel name `name` carries.
fn look(name: &str) -> String {
    format!("`blkid -p /dev/{}` shows it", name.replace('!', "/"))
}

fn what_is(carried: &str) -> String {
    in_words(carried).map_or_else(|| format!("a file system of type {carried}"), str::to_owned)
}

/// What a device is that carries no file system.
fn in_words(carried: &str) -> Option<&'static str> {
    match carried {
        "swap" => Some("swap"),
        LUKS => Some("encrypted (LUKS)"),
        LVM => Some("a physical volume of LVM"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::facts::Facts;
    use crate::steps::testing::{Judged, edit, line_of, mounts, stored, volume};

    const ID: &str = "layout.next-boot";
    const NEW: &str = "ffffffff-72ce-4f83-b5d1-90e7c2a86403";

    #[test]
    fn neither_mount_nor_swapon_is_advised_for_what_carries_something_else() {
        let ready = Judged::ready(ID);
        for (id, device, kinds) in [
            ("layout.home", "sda3", ["ext", "swap", "crypto_LUKS", "LVM2_member"]),
            ("layout.swap", "sda5", ["swap", "ext", "crypto_LUKS", "LVM2_member"]),
        ] {
            for kind in kinds {
                let mut host = ready.clone().judged_by(id);
                mounts(&mut host).retain(|mount| mount.mount_point != "/home");
                edit(&mut host.swaps).clear();
                stored(&mut host, device).volume = Some(volume(kind, NEW, ""));
                let outcome = host.outcome();
                let (found, fix) = outcome.rsplit_once(" | ").unwrap();
                assert!(found.contains(&format!("{device}, to which that leads now, ")), "{outcome}");
                let is_it = kind == kinds[0];
                assert_eq!(fix.starts_with("in line "), is_it, "{outcome}");
                assert_eq!(fix.contains("of /etc/fstab means is gone from"), !is_it, "{outcome}");
                assert!(!fix.contains("`mount ") && !fix.contains("`swapon"), "{outcome}");
            }
        }
    }

    #[test]
    fn a_link_that_is_older_than_what_its_device_carries_is_unmet() {
        let host = Judged::ready(ID);
        let with = |fs_type: &str, uuid: &str, change: &dyn Fn(&mut Facts)| {
            let mut host = host.clone();
            stored(&mut host, "sda3").volume = Some(volume(fs_type, uuid, ""));
            host.after(change)
        };
        let home = "4d9a0b16-72ce-4f83-b5d1-90e7c2a86403";
        with("ext", NEW, &|_| ())
            .starts(format!(
                "unmet: /etc/fstab: line 4 (/home by UUID={home}): sda3, to which that leads now, has UUID={NEW} since, and the \
                 next boot does not find it |"
            ))
            .ends(format!(
                "| in line 4 of /etc/fstab put UUID={NEW} in the place of UUID={home} (`blkid -p /dev/sda3` shows it)"
            ));
        // Of another kind, it is not what the line means.
        for (fs_type, what) in [
            ("swap", "swap"),
            ("crypto_LUKS", "encrypted (LUKS)"),
            ("LVM2_member", "a physical volume of LVM"),
            ("xfs", "a file system of type xfs"),
        ] {
            let outcome = with(fs_type, NEW, &|_| ());
            let fix = format!(
                "| what line 4 of /etc/fstab means is gone from sda3, which is {what} now (`blkid -p /dev/sda3` shows it): restore it \
                 from a backup to a device of its own, or take that line out"
            );
            assert!(outcome.starts_with("unmet: ") && outcome.ends_with(&fix), "{outcome}");
            let now =
                if fs_type == "xfs" { format!("has UUID={NEW}") } else { format!("is {what} (UUID={NEW})") };
            assert!(outcome.contains(&format!("sda3, to which that leads now, {now} since")), "{outcome}");
        }
        for (carried, fs_type, is_it) in [
            ("ext", "ext3", true),
            ("ext", "ext3,ext4", true),
            ("ext", "auto", true),
            ("vfat", "msdos", true),
            ("xfs", "xfs", true),
            ("swap", "swap", true),
            ("swap", "auto", false),
            ("ext", "swap", false),
            ("ext", "xfs", false),
            ("crypto_LUKS", "auto", false),
            ("LVM2_member", "LVM2_member", false),
        ] {
            assert_eq!(super::fits(carried, fs_type), is_it, "{carried} {fs_type}");
        }
        // What carries it now is taken; and what has no UUID is named otherwise.
        with("ext", NEW, &|host| {
            stored(host, "sda2").volume = Some(volume("ext", home, ""));
        })
        .has("and the next boot takes sda2 (")
        .has("| see layout.own-disks");
        with("ext", "", &|_| ()).has("has no such name since").has("by a UUID that it alone has");
        // fsck looks for what has a pass; a line for a person's use is none of the boot's.
        for (pass, is_met) in [(0, true), (2, false)] {
            let outcome = with("ext", NEW, &|host| {
                let line = line_of(host, "/home");
                line.options.push("noauto".into());
                line.pass = pass;
            });
            assert_eq!(outcome.starts_with("met: "), is_met, "{outcome}");
        }
        // The boot entry goes by it too.
        host.after(|host| stored(host, "sda1").volume = Some(volume("ext", NEW, "")))
            .has("entry 0: root=UUID=")
            .has(format!("sda1, to which that leads now, has UUID={NEW}"));
    }
}
