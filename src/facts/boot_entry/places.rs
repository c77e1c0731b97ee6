//! Whether what an entry opens is there: on the disk, the partition and the file system that GRUB 0.97 takes for it.

use std::fs;

use anyhow::Result;

use super::machine::{DIRECTORY, Machine, Place, Root};
use super::{BootEntry, More};
use crate::facts::disks::sysfs;
use crate::facts::{fstab, read};
use crate::host::{Host, Kind};

/// What `savedefault` writes (`savedefault_func`).
const SAVED_BYTES: u64 = 10;

/// Adds what is lacking of what the entry opens, and what of it cannot be determined.
pub(super) fn look(host: &Host, more: &More, entry: &mut BootEntry) -> Result<()> {
    let is_boot_file = |name: &String| ["vmlinuz", "init"].iter().any(|kind| name.starts_with(kind));
    // A recording is made by hand: without any such file it says nothing of them.
    let says_files =
        host.kind() != Kind::Recorded || host.list("/boot").unwrap_or_default().iter().any(is_boot_file);
    let machine = if host.kind() == Kind::Image {
        None
    } else {
        match Machine::of(host) {
            Ok(machine) => Some(machine),
            Err(error) => {
                entry.untold.push(format!("on which file system GRUB looks for its files: {error:#}"));
                return Ok(());
            }
        }
    };
    entry.lacking.extend(other_file(host, machine.as_ref(), &entry.file)?);
    // It writes into a file that has its size already, and GRUB stops where that is not there.
    let default = format!("{DIRECTORY}/default");
    let is_there = || {
        host.resolve(&default).and_then(|file| file.metadata()).is_ok_and(|meta| meta.len() >= SAVED_BYTES)
    };
    if more.saves && says_files && !is_there() {
        entry.untold.push(format!(
            "whether GRUB gets past `savedefault`, as {default} is not there or too small (take `savedefault` out)"
        ));
    }
    for named in &more.opens {
        let at = match &machine {
            Some(machine) => machine.place(named.on.as_ref()),
            // A tree has no disks, but says whether /boot is a file system of its own.
            None => Place::At(vec![Root { at: root_of(host)?, number: None }]),
        };
        let shown = &named.shown;
        match (at, &named.path) {
            (Place::NotThere(why), _) => entry.lacking.push(format!("{shown} is not there: {why}")),
            (_, Some(path)) if !path.starts_with('/') => {
                entry.lacking.push(format!("`{shown}` is no file's path for GRUB"));
            }
            (_, None) => {}
            (_, Some(_)) if !says_files => {}
            (Place::Unknown(why), Some(_)) => entry.untold.push(format!("whether {shown} is there: {why}")),
            (Place::At(roots), Some(path)) => {
                entry.lacking.extend(lacking(host, machine.as_ref(), &roots, path, shown)?);
            }
        }
    }
    entry.lacking.dedup();
    entry.untold.dedup();
    Ok(())
}

/// Why GRUB does not read the file that is read here: it follows a link on its own file system alone.
fn other_file(host: &Host, machine: Option<&Machine>, file: &str) -> Result<Option<String>> {
    let Some(real) = sysfs::real(host, DIRECTORY) else { return Ok(None) };
    let root = match machine {
        None => Root { at: root_of(host)?, number: None },
        Some(machine) => match machine.mount_of(&real.display().to_string()) {
            Some(mount) if mount.root == "/" => {
                Root { at: mount.mount_point.clone(), number: Some(mount.major_minor) }
            }
            _ => return Ok(None),
        },
    };
    let name = file.rsplit('/').next().unwrap_or_default();
    let Ok(below) = real.strip_prefix(&root.at) else { return Ok(None) };
    let path = format!("/{}", below.join(name).display());
    let found = Host::recorded(host.path(&root.at)).resolve(&path).and_then(fs::canonicalize);
    let read = host.resolve(file).and_then(fs::canonicalize);
    let is_same = matches!((found, read), (Ok(found), Ok(read)) if found == read)
        && state(host, machine, &root, &path)? != State::NotThere;
    Ok((!is_same).then(|| {
        format!(
            "{file} is a link to a file that GRUB does not find, as it sees the file system with {DIRECTORY} alone"
        )
    }))
}

/// Where a tree has the root of the file system with its boot loader.
fn root_of(host: &Host) -> Result<String> {
    let text = read::text_if_exists(host, "/etc/fstab")?.unwrap_or_default();
    let entries = fstab::parse(&text, fstab::Dialect::of(host)).entries;
    let has_own = entries.iter().any(|entry| entry.mount_point.trim_end_matches('/') == "/boot");
    Ok(if has_own { "/boot" } else { "/" }.to_owned())
}

/// Why GRUB does not load the file at `path` from the file systems at `roots`.
fn lacking(
    host: &Host,
    machine: Option<&Machine>,
    roots: &[Root],
    path: &str,
    shown: &str,
) -> Result<Option<String>> {
    let mut why = None;
    for root in roots {
        match state(host, machine, root, path)? {
            State::There => return Ok(None),
            State::Empty => why = Some(format!("{shown} is empty")),
            State::NotThere => {
                // The other way to name it is a frequent slip.
                let other = path.strip_prefix("/boot").map_or_else(|| format!("/boot{path}"), str::to_owned);
                let is_other = state(host, machine, root, &other)? == State::There;
                let hint = if is_other { format!(", where GRUB finds {other}") } else { String::new() };
                why = why.or_else(|| Some(format!("{shown} is not there{hint}")));
            }
        }
    }
    Ok(why)
}

#[derive(PartialEq, Eq)]
enum State {
    There,
    Empty,
    NotThere,
}

/// What is at `path` of the file system that is mounted at `root`. GRUB follows its links from its own root, and sees nothing of
/// what is mounted upon it.
fn state(host: &Host, machine: Option<&Machine>, root: &Root, path: &str) -> Result<State> {
    let inner = Host::recorded(host.path(&root.at));
    let found = inner.resolve(path).and_then(|found| Ok((found.metadata()?, found)));
    let Some((meta, found)) = read::if_there(path, found)? else { return Ok(State::NotThere) };
    let is_on_it = machine.is_none_or(|machine| {
        let below = found.strip_prefix(host.root()).unwrap_or(&found);
        let path = format!("/{}", below.display());
        machine.mount_of(&path).is_some_and(|mount| Some(mount.major_minor) == root.number)
    });
    Ok(match meta.is_file() && is_on_it {
        true if meta.len() == 0 => State::Empty,
        true => State::There,
        false => State::NotThere,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::boot_entry::load;
    use crate::facts::boot_entry::tests::INSTALLED;
    use crate::facts::testing::tree;

    const FILE: &str = "boot/grub/grub.conf";
    /// Two disks, of which the first has two partitions, and a mirror, a map and a logical volume.
    const DISKS: [(&str, &str); 23] = [
        ("sys/block/sda/dev", "8:0"),
        ("sys/block/sda/sda1/dev", "8:1"),
        ("sys/block/sda/sda1/partition", "1"),
        ("sys/block/sda/sda2/dev", "8:2"),
        ("sys/block/sda/sda2/partition", "2"),
        ("sys/block/sdb/dev", "8:16"),
        ("sys/block/sdb/sdb1/dev", "8:17"),
        ("sys/block/sdb/sdb1/partition", "1"),
        ("sys/block/md0/dev", "9:0"),
        ("sys/block/md0/md/level", "raid1"),
        ("sys/block/md0/slaves/sda1/x", ""),
        ("sys/block/md1/dev", "9:1"),
        ("sys/block/md1/md/level", "raid5"),
        ("sys/block/md1/slaves/sda1/x", ""),
        ("sys/block/dm-0/dev", "253:0"),
        ("sys/block/dm-0/dm/uuid", "mpath-3600"),
        ("sys/block/dm-0/slaves/sda/x", ""),
        ("sys/block/dm-1/dev", "253:1"),
        ("sys/block/dm-1/dm/uuid", "part1-mpath-3600"),
        ("sys/block/dm-1/slaves/dm-0/x", ""),
        ("sys/block/dm-2/dev", "253:2"),
        ("sys/block/dm-2/dm/uuid", "LVM-x"),
        ("sys/block/dm-2/slaves/sda2/x", ""),
    ];

    fn recorded(files: &[(&str, &str)]) -> BootEntry {
        load(&Host::recorded(tree(files).path())).known().cloned().unwrap().unwrap()
    }

    /// What is lacking and what is untold, where `mounts` (number and mount point) are and `there` has files.
    fn judged(text: &str, mounts: &[(&str, &str)], there: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let line = |(number, at): &(&str, &str)| format!("1 1 {number} / {at} rw - ext4 /dev/x rw\n");
        let mounts: String = mounts.iter().map(line).collect();
        let files = [&[(FILE, text), ("proc/self/mountinfo", &mounts)], &DISKS[..], there].concat();
        let entry = recorded(&files);
        (entry.lacking, entry.untold)
    }

    const ROOT: [(&str, &str); 1] = [("8:1", "/")];
    const WITH_BOOT: [(&str, &str); 2] = [("8:2", "/"), ("8:1", "/boot")];
    const THERE: [(&str, &str); 2] = [("boot/vmlinuz", "x"), ("boot/initrd", "x")];

    fn entry(root: &str, prefix: &str) -> String {
        format!("timeout=5\ntitle a\n{root}\nkernel {prefix}/vmlinuz ro\ninitrd {prefix}/initrd\n")
    }

    #[test]
    fn what_the_entry_loads_has_to_be_there() {
        let [kernel, initrd] =
            ["boot/vmlinuz-2.6.32-504.el6.x86_64", "boot/initramfs-2.6.32-504.el6.x86_64.img"];
        let none = (vec![], vec![]);
        assert_eq!(judged(INSTALLED, &ROOT, &[(kernel, "x"), (initrd, "x")]), none);
        // A recording without any file says nothing of them.
        assert_eq!(judged(INSTALLED, &ROOT, &[]), none);
        let found = judged(INSTALLED, &ROOT, &[(initrd, "")]).0;
        assert_eq!(found, [format!("/{kernel} is not there"), format!("/{initrd} is empty")]);
        let two = "default=1\ntitle a\nkernel /gone\ntitle b\nkernel /boot/vmlinuz ro\ninitrd boot/initrd\n";
        assert_eq!(
            judged(two, &ROOT, &THERE),
            (vec!["`boot/initrd` is no file's path for GRUB".into()], vec![])
        );
        // GRUB stops at the first that it cannot load.
        let twice = "title a\nkernel /boot/gone\nkernel /boot/vmlinuz\ninitrd /boot/initrd\n";
        assert_eq!(judged(twice, &ROOT, &THERE).0, ["/boot/gone is not there"]);
        let nothing = "title a\nkernel /boot/vmlinuz\ninitrd\n";
        assert_eq!(judged(nothing, &ROOT, &THERE).0, ["`` is no file's path for GRUB"]);
        let links = [("boot/vmlinuz", "-> k"), ("boot/k", "x"), ("boot/initrd", "-> /boot/gone")];
        assert_eq!(judged(&entry("", "/boot"), &ROOT, &links).0, ["/boot/initrd is not there"]);
    }

    #[test]
    fn a_file_is_named_from_the_root_of_its_file_system() {
        for root in ["", "root (hd0,0)", "rootnoverify (hd0,0)"] {
            let none = (vec![], vec![]);
            assert_eq!(judged(&entry(root, "/boot"), &ROOT, &THERE), none, "{root}");
            assert_eq!(judged(&entry(root, ""), &WITH_BOOT, &THERE), none, "{root}");
            let found = judged(&entry(root, ""), &ROOT, &THERE);
            let hint = |wrong: &str, right: &str| format!("{wrong} is not there, where GRUB finds {right}");
            assert_eq!(found.0, [hint("/vmlinuz", "/boot/vmlinuz"), hint("/initrd", "/boot/initrd")]);
            let found = judged(&entry(root, "/boot"), &WITH_BOOT, &THERE);
            assert_eq!(found.0, [hint("/boot/vmlinuz", "/vmlinuz"), hint("/boot/initrd", "/initrd")]);
        }
        // The partition of / has nothing of what is mounted upon it.
        let found = judged(&entry("root (hd0,1)", "/boot"), &WITH_BOOT, &THERE);
        assert_eq!(found.0, ["/boot/vmlinuz is not there", "/boot/initrd is not there"]);
        // A file with a device of its own goes by that.
        let own = entry("root (hd0,1)", "(hd0,0)");
        assert_eq!(judged(&own, &WITH_BOOT, &THERE), (vec![], vec![]));
        let gone = entry("root (hd0,0)", "(hd0,0)/boot");
        assert_eq!(judged(&gone, &ROOT, &[("boot/initrd", "x")]).0, ["(hd0,0)/boot/vmlinuz is not there"]);
    }

    #[test]
    fn a_link_to_the_file_leads_where_grub_finds_it() {
        let lacking = |prefix: &str, mounts: &[(&str, &str)], link: &str, file: &str| {
            let text = entry("root (hd0,0)", prefix);
            let there = [THERE[0], THERE[1], (file, text.as_str())];
            judged(link, mounts, &there).0
        };
        let why = "/boot/grub/grub.conf is a link to a file that GRUB does not find, as it sees the file system with /boot/grub alone";
        for link in ["-> ../../etc/grub.conf", "-> /etc/grub.conf"] {
            assert_eq!(lacking("", &WITH_BOOT, link, "etc/grub.conf"), [why], "{link}");
            assert_eq!(lacking("/boot", &ROOT, link, "etc/grub.conf"), [""; 0], "{link}");
        }
        assert_eq!(lacking("", &WITH_BOOT, "-> ./menu", "boot/grub/menu"), [""; 0]);
        // From the root of the file system of /boot it is another one.
        assert_eq!(lacking("", &WITH_BOOT, "-> /boot/grub/menu", "boot/grub/menu"), [why]);
    }

    #[test]
    fn savedefault_needs_the_file_that_it_writes_to() {
        let text = format!("{}savedefault\n", entry("root (hd0,0)", "/boot"));
        let of = |saved: &'static str| {
            let there = [THERE[0], THERE[1], ("boot/grub/default", saved)];
            judged(&text, &ROOT, if saved.is_empty() { &THERE } else { &there })
        };
        assert_eq!(of("0\n\n\n\n\n\n\n\n\n\n"), (vec![], vec![]));
        for saved in ["", "0\n"] {
            let (lacking, untold) = of(saved);
            assert_eq!((lacking.len(), untold.len()), (0, 1), "{saved}");
            assert!(
                untold[0].starts_with("whether GRUB gets past `savedefault`, as /boot/grub/default"),
                "{untold:?}"
            );
        }
    }

    #[test]
    fn a_device_has_to_be_there() {
        for (root, why) in [
            ("(hd5,0)", "disks of this machine: 2, of which the first is hd0"),
            ("(hd2)", "disks of this machine: 2, of which the first is hd0"),
            ("(hd0,5)", "sda has no partition 6"),
        ] {
            // Without any file as well.
            for there in [&THERE[..], &[]] {
                let (lacking, _) = judged(&entry(&format!("root {root}"), "/boot"), &ROOT, there);
                assert_eq!(lacking[0], format!("{root} is not there: {why}"));
            }
        }
        for (root, why) in [
            ("(hd1,0)", "which disk is hd1 at boot is not known here"),
            ("(hd0,1)", "the file system of that partition is not mounted"),
            ("(hd0)", "the file system of that partition is not mounted"),
            ("(nd)", "what lies on (nd) is not known here"),
        ] {
            let (lacking, untold) = judged(&entry(&format!("root {root}"), "/boot"), &ROOT, &THERE);
            assert_eq!(lacking, [""; 0], "{root}");
            assert_eq!(untold[0], format!("whether /boot/vmlinuz is there: {why}"));
        }
        // The map of devices has the disk with GRUB's own files as the second.
        let with_map = |map: &'static str| {
            let there = [("boot/grub/device.map", map), THERE[0], THERE[1]];
            judged(&entry("root (hd1,0)", "/boot"), &ROOT, &there)
        };
        assert_eq!(with_map("(hd0) /dev/sdb\n(hd1)\t/dev/sda\n"), (vec![], vec![]));
        assert_eq!(with_map("(hd0) /dev/sda\n(hd1) /dev/sdb\n").1.len(), 2);
        let by_link = |map: &'static str, root: &str| {
            let id = ("dev/disk/by-id/scsi-3600", "-> ../../sda");
            let there = [("boot/grub/device.map", map), id, THERE[0], THERE[1]];
            judged(&entry(root, "/boot"), &ROOT, &there)
        };
        let by_id = "(hd0) /dev/sdb\n(hd1) /dev/disk/by-id/scsi-3600\n";
        assert_eq!(by_link(by_id, "root (hd1,0)"), (vec![], vec![]));
        assert_eq!(by_link("(hd0) /dev/disk/by-id/scsi-3600\n", "root (hd0,0)"), (vec![], vec![]));
        // What is not there says nothing of the first.
        assert_eq!(by_link("(hd0) /dev/vda\n", "root (hd0,0)"), (vec![], vec![]));
        let (lacking, untold) = by_link(by_id, "root (hd0,0)");
        assert_eq!(lacking, [""; 0]);
        let why = "/boot/grub/device.map says that hd0 is sdb, and GRUB's own files are on sda";
        assert_eq!(untold[0], format!("whether /boot/vmlinuz is there: {why}"));
    }

    #[test]
    fn grub_reads_mirrors_and_maps_and_no_logical_volume() {
        let of = |number: &str| judged(&entry("root (hd0,0)", "/boot"), &[(number, "/")], &THERE);
        for number in ["9:0", "253:1"] {
            assert_eq!(of(number), (vec![], vec![]), "{number}");
        }
        for number in ["9:1", "253:2", "0:20"] {
            let (lacking, untold) = of(number);
            assert_eq!((lacking.len(), untold.len()), (0, 2), "{number}");
            assert!(untold[0].ends_with("the partition with GRUB's own files was not found"), "{untold:?}");
        }
        // Without the partitions of the path itself.
        let of_map = |root: &str| {
            let text = entry(root, "/boot");
            let mounts = "1 1 253:1 / / rw - ext4 /dev/x rw\n";
            let own = [
                (FILE, text.as_str()),
                ("proc/self/mountinfo", mounts),
                ("sys/block/sda/holders/dm-0/x", ""),
            ];
            let shown = DISKS.iter().filter(|(path, _)| !path.starts_with("sys/block/sda/sda")).copied();
            let files: Vec<_> = own.into_iter().chain(THERE).chain(shown).collect();
            let entry = recorded(&files);
            (entry.lacking.len(), entry.untold.len())
        };
        assert_eq!([of_map("root (hd0,0)"), of_map("root (hd0,6)")], [(0, 0), (0, 2)]);
        let entry = recorded(&[(FILE, INSTALLED)]);
        assert!(entry.untold[0].starts_with("on which file system GRUB looks for its files: "), "{entry:?}");
    }

    #[test]
    fn of_a_tree_fstab_says_whether_boot_is_a_file_system_of_its_own() {
        let lacking = |prefix: &str, fstab: &str| {
            let text = entry("root (hd5,0)", prefix);
            let files = [&[(FILE, text.as_str()), ("etc/fstab", fstab)], &THERE[..]].concat();
            load(&Host::image(tree(&files).path())).known().cloned().unwrap().unwrap().lacking.len()
        };
        let own = "UUID=1 /boot ext4 defaults 1 2\n";
        assert_eq!([lacking("/boot", ""), lacking("", own)], [0, 0]);
        assert_eq!([lacking("", ""), lacking("/boot", own)], [2, 2]);
    }
}
