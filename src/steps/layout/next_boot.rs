//! What the next boot goes by: names in fstab that move or lead nowhere, of the lines that no other requirement looks at (/boot and
//! whatever a site added), and whether their file systems are whole; that no name has several devices, which layout.own-disks names;
//! /boot, and the boot loader's entry.

pub(crate) mod boot;
mod whole;

use crate::facts::Facts;
use crate::facts::fstab::Entry;
use crate::facts::network::persistent::FILE;
use crate::facts::os::Init;
use crate::host::device_name::can_move;
use crate::platform::words;
use crate::profile::Profile;
use crate::steps::devices::same_path;
use crate::steps::links::no_links;
use crate::steps::tally::Tally;
use crate::steps::{Status, is_image, need, twins};

use super::boot_entry;
use super::leads::{SEE, SHARED, leads_to};
use super::older::{by_its_own, misled, unfit};

/// File systems that are on no disk of this host, whatever stands in the first column.
const ON_NO_DISK: [&str; 12] = [
    "tmpfs", "proc", "sysfs", "devpts", "devtmpfs", "debugfs", "usbfs", "nfs", "nfs4", "cifs", "iso9660",
    "udf",
];

const UDEV: &str = "`pgrep udevd`; where it does not run: udevd --daemon (later systems: systemctl start systemd-udevd); then \
    `udevadm trigger --subsystem-match=block; udevadm settle`, and `ls /dev/disk/by-uuid`. Where nothing comes of it, look at the \
    rules in /etc/udev/rules.d and /lib/udev/rules.d (60-persistent-storage.rules)";

const RENAMED: &str = "correct that file: one line for each card, with its hardware address (`ip link`) and its name now; or remove it: \
    the next boot writes it anew";

const GONE: &str =
    "attach that disk, remove the line, or let it end in 0 0 (where systemd starts the machine: add nofail)";

pub(super) fn next_boot(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let fstab = need(&facts.fstab, "/etc/fstab")?;
    let own = profile.layout.partitions.iter().map(|spec| &*spec.mount);
    let own: Vec<&str> = own.chain([&*profile.retention.mount_point]).collect();
    let is_other = |entry: &&Entry| {
        let judged = entry.fs_type == "swap" || own.iter().any(|path| same_path(path, &entry.mount_point));
        !judged && !ON_NO_DISK.contains(&entry.fs_type.as_str())
    };
    let others: Vec<_> = fstab.iter().filter(is_other).collect();
    let init = Init::of(&facts.os);
    let moving: Vec<_> = others
        .iter()
        .filter(|entry| is_read(entry, init) && can_move(&entry.device))
        .map(|entry| format!("line {} ({} by {})", entry.line, entry.mount_point, entry.device))
        .collect();
    let mut tally = Tally::default();
    if !moving.is_empty() {
        tally.fault(format!("/etc/fstab: {}: another device after a restart", moving.join(", ")), "put UUID=... there, with the UUIDs that `blkid` prints, or let the line have noauto and end in 0 0");
    }
    // An image has none, and of links that could not be read their readers tell.
    if facts.filesystems.known().is_some_and(|links| no_links(facts, links)) {
        tally.fault("udev has made no link below /dev/disk (by-id, by-uuid, by-label), so no name that stays is found", UDEV);
    }
    for entry in others.iter().filter(|entry| has_to_be_there(entry, init)) {
        if let Some(None) = leads_to(&entry.device, facts, &mut tally) {
            let stops = match init {
                Init::Systemd => String::new(),
                Init::Scripts => format!(" at fsck (pass {})", entry.pass),
            };
            tally.fault(format!("{} leads to no device, and the boot stops{stops}", place(entry)), GONE);
        }
    }
    let all = fstab.iter().filter(|entry| {
        is_read(entry, init) && !same_path(&profile.retention.mount_point, &entry.mount_point)
    });
    for entry in all {
        if tally.know(twins::of(&entry.device, facts)).is_some_and(|twins| !twins.is_empty()) {
            tally.fault(format!("{}{SHARED}", place(entry)), SEE);
        }
    }
    for entry in fstab.iter().filter(|entry| is_read(entry, init)) {
        if let Some(why) = misled(&entry.device, facts) {
            tally.fault(format!("{}: {why}", place(entry)), by_its_own(profile, facts, entry));
        }
    }
    for entry in &others {
        if is_read(entry, init)
            && misled(&entry.device, facts).is_none()
            && let Some((found, how)) = unfit(facts, entry)
        {
            tally.fault(found, how);
        }
    }
    for entry in others {
        if let Some(own) = whole::look(profile, facts, entry, init) {
            tally.take(&place(entry), own);
        }
    }
    // What lies at /boot where that is not mounted is not what the boot loader reads.
    if boot::look(profile, facts, fstab, &mut tally) {
        boot_entry::look(facts, &mut tally);
    }
    let off = tally.know(need(&facts.services_off, "the services"));
    let off = off.into_iter().flatten().map(|name| format!("nothing starts the service {name} at boot"));
    let off: Vec<String> = off.collect();
    if !off.is_empty() {
        tally.fault(off.join(", "), words::of(facts).enable_service);
    }
    if let Some(problem) = renamed(facts, &mut tally) {
        tally.fault(problem, RENAMED);
    }
    let fixes = tally.fixes();
    Ok(tally.status(
        "no name in /etc/fstab moves".into(),
        "names that cannot move, of what is there, and a boot entry for this host",
        fixes,
    ))
}

/// The network cards that udev gives another name at the next boot: its rule says so, or the name is kept for another card, and
/// one without a rule gets the next that is free.
fn renamed(facts: &Facts, tally: &mut Tally) -> Option<String> {
    let nics = match need(&facts.network.nics, "the interfaces") {
        // Those of an image are none of any machine.
        _ if is_image(facts) => return None,
        nics => tally.know(nics)?,
    };
    let rules = tally.know(need(&facts.network.names, FILE))?;
    let of = |mac: &str| rules.iter().rfind(|rule| rule.mac.eq_ignore_ascii_case(mac));
    let moves = nics.iter().filter(|nic| nic.physical && !nic.member).filter_map(|nic| {
        let mac = nic.mac.as_deref()?;
        match of(mac) {
            Some(rule) if rule.name == nic.name => None,
            Some(rule) => Some(format!("{} ({mac}) becomes {}", nic.name, rule.name)),
            None => rules.iter().find(|rule| rule.name == nic.name).map(|other| {
                format!("{} ({mac}) gets another name, as this one is kept for {}", nic.name, other.mac)
            }),
        }
    });
    let moves: Vec<_> = moves.collect();
    (!moves.is_empty()).then(|| format!("{FILE}: {}", moves.join(", ")))
}

/// A line of fstab, in words.
fn place(entry: &Entry) -> String {
    let Entry { line, mount_point, device, .. } = entry;
    format!("/etc/fstab: line {line} ({mount_point} by {device})")
}

/// Whether the boot mounts the line's device or checks it: `fsck -A` of CentOS 6 passes over what has no pass number, and over
/// nothing for its noauto; systemd checks what it mounts.
fn is_read(entry: &Entry, init: Init) -> bool {
    !entry.has("noauto") || entry.pass != 0 && init == Init::Scripts
}

/// Whether the boot stops where the device of `entry` is not there: fsck of CentOS 6 (`fsck -A -t noopts=_netdev`) asks for each
/// with a pass number, `noauto` or not; systemd waits for each that it is to mount. A name that can move is told by itself.
fn has_to_be_there(entry: &Entry, init: Init) -> bool {
    let is_asked_for = match init {
        Init::Systemd => !entry.has("noauto"),
        Init::Scripts => entry.pass != 0,
    };
    entry.names_device()
        && is_asked_for
        && !can_move(&entry.device)
        && !entry.has("nofail")
        && !entry.has("_netdev")
}

#[cfg(test)]
mod tests {
    use crate::facts::disks::{Holder, Map};
    use crate::facts::network::Persistent;
    use crate::facts::storage::Read;
    use crate::facts::{Fact, Facts};
    use crate::steps::testing::{
        Judged, answering, carrying, disks, edit, entry, fstab, partition, virtual_disk, volume,
    };

    const ID: &str = "layout.next-boot";

    #[test]
    fn a_uuid_on_two_attached_disks_is_unmet_whichever_of_them_is_mounted_now() {
        const TWIN: &str = "36000c29dddddddddddddddddddddddddd";
        let host = Judged::ready(ID);
        // A protected machine's disk with the same home, from the same template.
        let home = "4d9a0b16-72ce-4f83-b5d1-90e7c2a86403";
        let with_twin = || {
            let mut host = host.clone();
            let mut disk = virtual_disk(2, TWIN, 100 << 30);
            disk.partitions = vec![partition("sdc1", "8:33")];
            disks(&mut host).push(disk);
            let twin = carrying("sdc1", "8:33", volume("ext", home, "home"));
            edit(&mut host.storage).extend([answering("sdc", "8:32"), twin]);
            host
        };
        with_twin().is(format!(
            "unmet: /etc/fstab: line 4 (/home by UUID={home}): several attached devices have that name | names that cannot \
             move, of what is there, and a boot entry for this host | see layout.own-disks"
        ));
        // Paths of a map, with the map's partition, and members of a RAID are one device.
        let mut host = with_twin();
        let held = |host: &mut Facts, holder: &Holder| {
            for (disk, partition) in [(0, 2), (2, 0)] {
                disks(host)[disk].partitions[partition].holders = vec![holder.clone()];
            }
            edit(&mut host.storage).push(carrying("md0", "9:0", volume("ext", home, "")));
        };
        held(&mut host, &Holder { name: "md0".into(), major_minor: "9:0".into(), ..Holder::default() });
        host.is("met: no name in /etc/fstab moves");
        let mut host = with_twin();
        let map = Holder {
            name: "dm-5".into(),
            major_minor: "253:5".into(),
            dm_uuid: Some("mpath-x".into()),
            holders: vec![Holder { name: "dm-6".into(), major_minor: "253:6".into(), ..Holder::default() }],
            ..Holder::default()
        };
        disks(&mut host)[2].holders = vec![map];
        disks(&mut host)[2].multipath = Some(Map::default());
        edit(&mut host.storage).push(answering("dm-6", "253:6"));
        host.is("met: no name in /etc/fstab moves");
        edit(&mut host.storage).last_mut().unwrap().volume = Some(volume("ext", home, ""));
        host.of("layout.own-disks").has(format!("and dm-6 ({TWIN})"));
        host.starts("unmet: ");
        // What could not be read can be a twin.
        for read in
            [Fact::Known(Read::Failed("Input/output error".into())), Fact::Unknown("needs root".into())]
        {
            let mut host = with_twin();
            let twin = edit(&mut host.storage).last_mut().unwrap();
            (twin.read, twin.volume) = (read, None);
            host.starts("unknown: whether another attached device has a name of this host's too: sdc1: ");
        }
        let mut host = with_twin();
        edit(&mut host.storage).retain(|one| one.name != "sdc1");
        host.starts("unknown: ");
        host.storage = Fact::needs_kernel();
        assert!(host.outcome().starts_with("met: "), "an image");
    }

    #[test]
    fn services_and_the_names_of_cards_are_the_same_at_the_next_boot() {
        let host = Judged::ready(ID);
        let with = |change: &dyn Fn(&mut Facts)| host.after(change);
        with(&|host| host.services_off = Fact::Known(vec!["network".into(), "vmtoolsd".into()])).starts("unmet: nothing starts the service network at boot, nothing starts the service vmtoolsd at boot |");
        with(&|host| host.services_off = Fact::Unknown("why".into())).starts("unknown: the services: why");
        let mac = edit(&mut host.clone().network.nics)[0].mac.clone().unwrap();
        let named = |mac: &str, name: &str| Persistent { mac: mac.into(), name: name.into() };
        let rules = |rules: &[Persistent]| with(&|host| host.network.names = Fact::Known(rules.to_vec()));
        rules(&[named(&mac, "eth0"), named("00:50:56:00:00:ff", "eth1")]).starts("met: ");
        rules(&[named("00:50:56:00:00:ff", "eth1")]).starts("met: ");
        rules(&[named(&mac, "eth1")]).has(format!("70-persistent-net.rules: eth0 ({mac}) becomes eth1 |"));
        rules(&[named("00:50:56:00:00:ff", "eth0")])
            .has("gets another name, as this one is kept for 00:50:56:00:00:ff |");
        with(&|host| host.network.names = Fact::Unknown("why".into())).starts("unknown: ");
    }

    #[test]
    fn without_links_of_udev_no_line_of_fstab_is_to_blame() {
        let mut host = Judged::ready(ID);
        let own = edit(&mut host.retention_record).as_ref().unwrap().uuid.clone();
        let links = edit(&mut host.filesystems);
        links.by_id.clear();
        links.by_uuid.clear();
        // The volume on record is known without udev.
        for own in [None, Some(own)] {
            edit(&mut host.filesystems).by_uuid.extend(own.map(|uuid| (uuid, "253:0".into())));
            host.starts("unmet: udev has made no link below /dev/disk").has("udevadm trigger");
            for id in ["layout.root", "layout.home", "layout.swap"] {
                host.of(id).starts("unknown: udev has made no link below /dev/disk");
            }
            // A map's name is the device mapper's.
            host.of("retention.persistent").starts("met: /dev/mapper/");
        }
        edit(&mut host.filesystems).by_id.insert("scsi-x".into(), "8:0".into());
        host.boot_entry = Fact::Known(None);
        host.starts("met: ");
    }

    #[test]
    fn a_line_that_nobody_else_looks_at_has_a_name_that_stays() {
        let mut host = Judged::ready(ID);
        host.is("met: no name in /etc/fstab moves");
        let moving =
            ["/dev/sda2", "LABEL=boot", "PARTLABEL=b", "/dev/disk/by-path/x", "/dev/dm-0", "/dev/root"];
        for name in moving {
            fstab(&mut host).push(entry(20, name, "/srv", "ext4", 2));
            let expected =
                format!("unmet: /etc/fstab: line 20 (/srv by {name}): another device after a restart |");
            host.starts(&expected);
            // fsck asks for it all the same, and writes to what has the name then.
            fstab(&mut host).last_mut().unwrap().options = vec!["noauto".into()];
            host.starts(expected);
            fstab(&mut host).last_mut().unwrap().pass = 0;
            host.starts("met");
            fstab(&mut host).pop();
        }
        for (name, fs_type) in
            [("UUID=1", "ext4"), ("server:/x", "nfs"), ("/dev/sr0", "iso9660"), ("none", "tmpfs")]
        {
            fstab(&mut host).push(entry(20, name, "/x", fs_type, 0));
            assert!(host.outcome().starts_with("met"), "{name}");
            fstab(&mut host).pop();
        }
        host.fstab = Fact::Unknown("why".into());
        host.is("unknown: /etc/fstab: why");
    }

    #[test]
    fn a_line_that_is_checked_at_boot_has_its_device_there() {
        let host = Judged::ready(ID);
        let with = |systemd: bool, device: &str, fs_type: &str, option: &str, pass: u32| {
            let mut host = host.clone();
            host.os.systemd = Fact::Known(systemd);
            let mut line = entry(20, device, "/data", fs_type, pass);
            line.options = vec![option.into()];
            fstab(&mut host).push(line);
            host.outcome()
        };
        for (device, option) in
            [("UUID=gone", "rw"), ("/dev/mapper/36gone", "rw"), ("/dev/vg/lv", "rw"), ("UUID=gone", "noauto")]
        {
            with(false, device, "ext4", option, 2).starts(format!(
                "unmet: /etc/fstab: line 20 (/data by {device}) leads to no device, and the boot stops at fsck (pass 2) |"
            ));
        }
        with(true, "UUID=gone", "ext4", "rw", 0).has("leads to no device, and the boot stops |");
        for (systemd, device, fs_type, option, pass) in [
            (false, "UUID=gone", "ext4", "rw", 0),
            (false, "UUID=gone", "ext4", "nofail", 2),
            (false, "UUID=gone", "ext4", "_netdev", 2),
            (false, "UUID=4d9a0b16-72ce-4f83-b5d1-90e7c2a86403", "ext4", "rw", 2),
            (false, "server:/x", "nfs", "rw", 2),
            (false, "/srv/image", "ext4", "loop", 2),
            (false, "PARTUUID=1", "ext4", "rw", 0),
            (true, "UUID=gone", "ext4", "noauto", 2),
            (true, "UUID=gone", "ext4", "nofail", 2),
        ] {
            let outcome = with(systemd, device, fs_type, option, pass);
            assert!(outcome.starts_with("met: "), "{systemd} {device} {option} {pass}: {outcome}");
        }
        with(false, "PARTUUID=1", "ext4", "rw", 2)
            .is("unknown: to which device PARTUUID=1 leads is not among the facts");
    }
}
