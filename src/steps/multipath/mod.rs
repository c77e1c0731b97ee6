//! Multipath: the names of its maps at the next boot, the disks that are attached later, and its daemon.

mod finds;
pub(crate) mod names;
pub(crate) mod running;
mod settings;
#[cfg(test)]
mod tests;

use super::stage::with_the_script;
use super::{Belongs, RemediedBy, Requirement, id};

const SECTION: &str = "Apply custom changes";

const LOOK: &str = "`cat /etc/multipath.conf`, `multipath -ll`, {system.multipathd-seen}";

/// This section's requirements, in order: the file goes before the daemon that reads it.
pub const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        id: "multipath.names",
        title: "Multipath names its maps by their IDs at the next boot too",
        section: SECTION,
        why: "With user_friendly_names a map is called mpatha after the next boot: /dev/mapper/ID in fstab is then not \
              there, the retention volume is not mounted, and mpatha can be another disk's after the one that follows. An \
              alias of the section `multipaths` is a name that stays.",
        by_hand: "Put user_friendly_names no into the section `defaults` of /etc/multipath.conf (the last one counts, and \
                  `overrides`, `devices` and `multipaths` go before it), and restart.",
        look: LOOK,
        belongs: with_the_script,
        after: &[id::CUSTOM_CHANGES_APPLIED],
        judge: names::judge,
        remedy: RemediedBy::Apply(|_, facts, _| names::mend(facts)),
        ..Requirement::DEFAULT
    },
    Requirement {
        id: id::MULTIPATH_FINDS,
        title: "A disk that is attached later gets a map",
        section: SECTION,
        why: "The disks of protected machines are attached during failback, each by one path. With find_multipaths, or \
              with an entry of the blacklist that is wider than the root disk, they get no map and failback does not find \
              them under their IDs.",
        by_hand: "Put find_multipaths no into the section `defaults` of /etc/multipath.conf, take out of `blacklist` what \
                  hides more than the root disk, and out of `defaults` and `devices` any getuid_callout; then \
                  {system.multipathd-reload}.",
        look: LOOK,
        belongs: with_the_script,
        after: &[id::CUSTOM_CHANGES_APPLIED],
        judge: finds::judge,
        remedy: RemediedBy::Apply(|profile, facts, _| finds::mend(profile, facts)),
        ..Requirement::DEFAULT
    },
    Requirement {
        id: "multipath.running",
        title: "multipathd runs by its configuration, starts at boot, and the disks have their maps",
        section: SECTION,
        why: "A disk that is attached while multipathd does not run gets no map, and a path that failed once stays failed \
              although the disk is healthy. One that has not read a file that was changed since names and takes disks by \
              the old one. A map that a detached disk leaves behind lets whatever looks at all devices wait or fail.",
        by_hand: "{system.multipathd}; multipathd -k'show config' shows what it goes by, multipath -t what the file says, \
                  multipath -ll the maps, multipath -f MAP removes one that is left of a detached disk. Not before the \
                  blacklist names the root disk.",
        look: "{system.multipathd-seen}, `multipath -ll`; and `multipathd -k'show config'`, what it goes by, beside `multipath -t`, \
               what the file says",
        belongs: |_| Belongs::Machine,
        after: &[
            id::SCSI_IDS_UNIQUE,
            id::CUSTOM_CHANGES_APPLIED,
            id::CUSTOM_CHANGES_RESTARTED,
            id::CUSTOM_CHANGES_ROOT_DISK,
            id::MULTIPATH_FINDS,
            id::PACKAGES_MULTIPATH,
        ],
        judge: running::judge,
        only_advice: running::only_leftovers_fail,
        remedy: RemediedBy::Apply(|profile, facts, _| running::mend(profile, facts)),
        ..Requirement::DEFAULT
    },
];
