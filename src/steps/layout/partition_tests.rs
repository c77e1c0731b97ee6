use crate::facts::Fact;
use crate::facts::fstab::Ignored;
use crate::facts::storage::Read;
use crate::profile::{PartitionSpec, PartitionType};
use crate::steps::testing::{answering, disks, edit, entry, fstab, mount, mounts, ready, told};

const HOME: &str = "UUID=4d9a0b16-72ce-4f83-b5d1-90e7c2a86403";

#[test]
fn each_partition_is_met_on_its_own_device() {
    let (profile, facts) = ready();
    assert_eq!(told(&profile, &facts, "layout.root"), "met: /: ext4 on sda1");
    assert_eq!(told(&profile, &facts, "layout.var-crash"), "met: /var/crash: ext4 on sda2");
    assert_eq!(told(&profile, &facts, "layout.home"), "met: /home: ext4 on sda3");
    assert_eq!(
        told(&profile, &facts, "layout.partitions"),
        "not-applicable: the profile names no further partition"
    );
}

#[test]
fn one_that_a_later_mount_hides_is_not_there() {
    let (profile, mut facts) = ready();
    let all = mounts(&mut facts);
    let var = mount("/var", "253:7", "/dev/vg/var", 1 << 30);
    all.push(var);
    let says = told(&profile, &facts, "layout.var-crash");
    assert!(says.starts_with("unmet: /var/crash (/dev/sda2) is hidden by"), "{says}");
    assert!(told(&profile, &facts, "layout.home").starts_with("met: "));
}

#[test]
fn a_directory_of_root_is_no_partition() {
    let (profile, mut facts) = ready();
    mounts(&mut facts).retain(|mount| mount.mount_point != "/var/crash");
    fstab(&mut facts).retain(|entry| entry.mount_point != "/var/crash");
    let says = told(&profile, &facts, "layout.var-crash");
    assert!(
        says.starts_with(
            "unmet: /var/crash is no file system of its own: it is a part of / (/dev/sda1, ext4); /etc/fstab has \
             no line for /var/crash | /var/crash on an ext4 file system of its own, in /etc/fstab | sda2 of the system disk has a \
             file system that is not mounted. If it is that of /var/crash: let /etc/fstab have one line \
             \"UUID=2b7e1c94-35af-4d60-8f12-6e09a4c3d702 /var/crash ext4 defaults 1 2\", `mount /var/crash`. If not: best: reinstall \
             with Create Custom Layout. On this machine: add a small disk"
        ),
        "{says}"
    );
    assert!(says.contains("not the retention disk"), "{says}");
}

#[test]
fn what_was_only_unmounted_is_mounted_again() {
    let (profile, mut facts) = ready();
    mounts(&mut facts).retain(|mount| mount.mount_point != "/var/crash");
    let says = told(&profile, &facts, "layout.var-crash");
    assert!(
        says.starts_with(
            "unmet: /var/crash is not mounted, though line 5 of /etc/fstab mounts sda2 there | "
        ),
        "{says}"
    );
    assert!(says.ends_with(" | `mount /var/crash`"), "{says}");
    // A line that is not as wanted is mended first, and without the device it takes a new one.
    let mut spoiled = facts.clone();
    let entry = fstab(&mut spoiled).iter_mut().find(|entry| entry.mount_point == "/var/crash").unwrap();
    entry.options = vec!["noauto".into()];
    let says = told(&profile, &spoiled, "layout.var-crash");
    assert!(says.contains("| let /etc/fstab have one line"), "{says}");
    let entry = fstab(&mut spoiled).iter_mut().find(|entry| entry.mount_point == "/var/crash").unwrap();
    entry.device = "UUID=away".into();
    let says = told(&profile, &spoiled, "layout.var-crash");
    assert!(says.contains("| sda2 of the system disk has a file system that is not mounted"), "{says}");
    edit(&mut spoiled.storage).retain(|device| device.name != "sda2");
    let says = told(&profile, &spoiled, "layout.var-crash");
    assert!(says.contains("| best: reinstall"), "{says}");
}

#[test]
fn a_missing_root_is_a_new_installation() {
    let (profile, mut facts) = ready();
    mounts(&mut facts).retain(|mount| mount.mount_point != "/");
    let says = told(&profile, &facts, "layout.root");
    assert!(
        says.ends_with("| reinstall with Create Custom Layout and a standard ext4 partition for /"),
        "{says}"
    );
}

#[test]
fn what_is_mounted_must_be_a_whole_file_system_of_the_right_type_on_a_disk() {
    type Spoil = fn(&mut crate::facts::mounts::Mount);
    let cases: [(Spoil, &str); 7] = [
        (
            |home| home.root = "/srv/home".into(),
            "unmet: /home is no file system of its own: it is the directory or subvolume /srv/home of /dev/sda3",
        ),
        (|home| home.major_minor = "8:1".into(), "unmet: /home and / are the same file system"),
        (|home| home.fs_type = "xfs".into(), "unmet: /home is xfs, not ext4"),
        (|home| home.super_options = vec!["ro".into()], "unmet: /home is mounted read-only"),
        (
            |home| home.options = vec!["ro".into()],
            "unmet: /home is mounted read-only (after an error? see dmesg)",
        ),
        (
            |home| home.major_minor = "8:16".into(),
            "unmet: /home lies on the whole disk sdb, not on a partition",
        ),
        (|home| home.major_minor = "7:0".into(), "unmet: /home (/dev/sda3) lies on no disk of this machine"),
    ];
    for (spoil, says) in cases {
        let (profile, mut facts) = ready();
        spoil(mounts(&mut facts).iter_mut().find(|mount| mount.mount_point == "/home").unwrap());
        let told = told(&profile, &facts, "layout.home");
        assert!(told.starts_with(says), "{told}");
    }
}

#[test]
fn the_last_mount_hides_those_before_it() {
    let (profile, mut facts) = ready();
    let mut tmp = mount("/home", "0:40", "tmpfs", 1 << 20);
    tmp.fs_type = "tmpfs".into();
    mounts(&mut facts).push(tmp);
    let says = told(&profile, &facts, "layout.home");
    assert!(
        says.starts_with("unmet: tmpfs (tmpfs) is mounted at /home over /dev/sda3, which was there before"),
        "{says}"
    );
    assert!(says.contains("| `umount /home`"), "{says}");
}

#[test]
fn fstab_must_lead_to_what_is_mounted() {
    let cases = [
        (entry(11, HOME, "/home/", "auto", 2), "met: /home: ext4 on sda3"),
        (
            entry(11, "/dev/sda3", "/home", "ext4", 2),
            "unmet: line 11 of /etc/fstab names /dev/sda3, which can be another device after a restart |",
        ),
        (
            entry(11, "UUID=gone", "/home", "ext4", 2),
            "unmet: line 11 of /etc/fstab names UUID=gone, and there is no such device",
        ),
        (
            entry(11, "UUID=2b7e1c94-35af-4d60-8f12-6e09a4c3d702", "/home", "ext4", 2),
            "unmet: line 11 of /etc/fstab names UUID=2b7e1c94-35af-4d60-8f12-6e09a4c3d702, which is sda2 and not what \
             is mounted at /home (sda3)",
        ),
        (
            entry(11, "LABEL=home", "/home", "ext4", 2),
            "unmet: line 11 of /etc/fstab names LABEL=home, which can be another device after a restart; line 11 of \
             /etc/fstab names LABEL=home, and there is no such device",
        ),
        (entry(11, HOME, "/home", "ext3", 2), "unmet: line 11 of /etc/fstab says ext3 for /home, not ext4"),
        (
            entry(11, "PARTUUID=0001-03", "/home", "ext4", 2),
            "unknown: to which device PARTUUID=0001-03 leads is not among the facts",
        ),
        (entry(11, "/dev/sda3", "/homes", "ext4", 2), "unmet: /etc/fstab has no line for /home |"),
    ];
    for (line, says) in cases {
        let (profile, mut facts) = ready();
        *fstab(&mut facts).iter_mut().find(|entry| entry.mount_point == "/home").unwrap() = line;
        let told = told(&profile, &facts, "layout.home");
        assert!(told.starts_with(says), "{told}");
    }
    for (option, says) in [
        ("noauto", "unmet: line 4 of /etc/fstab does not mount /home at boot (noauto)"),
        ("bind", "unmet: line 4 of /etc/fstab makes /home a bind mount of UUID="),
        ("ro", "unmet: line 4 of /etc/fstab mounts /home read-only"),
        ("remount", "unmet: line 4 of /etc/fstab has the option remount: it mounts something other than"),
        ("loop", "unmet: line 4 of /etc/fstab has the option loop: it mounts"),
        ("offset", "unmet: line 4 of /etc/fstab has the option offset: it mounts"),
        ("encryption", "unmet: line 4 of /etc/fstab has the option encryption: it mounts"),
    ] {
        let (profile, mut facts) = ready();
        let home = fstab(&mut facts).iter_mut().find(|entry| entry.mount_point == "/home").unwrap();
        home.options.push(option.into());
        let told = told(&profile, &facts, "layout.home");
        assert!(told.starts_with(says), "{told}");
    }
}

#[test]
fn a_line_that_mounts_nothing_at_boot_is_told() {
    let (profile, mut facts) = ready();
    let home = fstab(&mut facts).iter_mut().find(|entry| entry.mount_point == "/home").unwrap();
    home.refused = Some("defalts".into());
    let says = told(&profile, &facts, "layout.home");
    assert!(
        says.starts_with("unmet: line 4 of /etc/fstab has the option defalts, which ext4 does not know"),
        "{says}"
    );
    fstab(&mut facts).retain(|entry| entry.mount_point != "/home");
    facts.fstab_ignored.push(Ignored {
        line: 4,
        device: HOME.into(),
        mount_point: "/home/".into(),
        why: "a comment".into(),
        ours: false,
    });
    let says = told(&profile, &facts, "layout.home");
    assert!(
        says.starts_with("unmet: line 4 of /etc/fstab, for /home, is passed over at boot: a comment |"),
        "{says}"
    );
}

#[test]
fn what_is_unknown_is_not_met_and_hides_no_failure() {
    let (profile, mut facts) = ready();
    facts.filesystems = Fact::Unknown("not permitted".into());
    assert_eq!(told(&profile, &facts, "layout.home"), "unknown: the names of file systems: not permitted");
    facts.mounts = Fact::Unknown("no mountinfo".into());
    assert_eq!(told(&profile, &facts, "layout.home"), "unknown: the mounts: no mountinfo");
    facts.fstab = Fact::Known(Vec::new());
    assert!(told(&profile, &facts, "layout.home").starts_with("unmet: /etc/fstab has no line for /home |"));

    let (profile, mut facts) = ready();
    facts.disks = Fact::Unknown("no /sys".into());
    assert_eq!(told(&profile, &facts, "layout.home"), "unknown: the disks: no /sys");
}

#[test]
fn an_image_is_judged_by_its_fstab() {
    let (profile, mut facts) = ready();
    facts.mounts = Fact::NotApplicable("an image's tree".into());
    facts.disks = Fact::NotApplicable("an image's tree".into());
    assert_eq!(told(&profile, &facts, "layout.home"), "not-applicable: an image's tree");
    fstab(&mut facts).clear();
    assert!(told(&profile, &facts, "layout.home").starts_with("unmet: /etc/fstab has no line for /home"));
}

#[test]
fn further_partitions_are_judged_together() {
    let (mut profile, mut facts) = ready();
    let spec = |mount: &str| PartitionSpec { mount: mount.parse().unwrap(), fs_type: PartitionType::Ext4 };
    profile.layout.partitions.push(spec("/var/log"));
    let one = told(&profile, &facts, "layout.partitions");
    assert!(one.starts_with("unmet: /var/log is no file system of its own: it is a part of /"), "{one}");
    // A mount at /mnt would hide the retention volume.
    let copied = "`mkdir /root/new-log`, `mount /dev/PARTITION /root/new-log`, `cp -a /var/log/. /root/new-log/`, `umount \
                  /root/new-log`, let";
    assert!(one.contains(copied) && !one.contains("/mnt"), "{one}");

    profile.layout.partitions.push(spec("/srv"));
    let two = told(&profile, &facts, "layout.partitions");
    assert!(two.contains("/srv is no file system of its own"), "{two}");

    disks(&mut facts)[0].partitions.extend([("sda5", "8:5"), ("sda6", "8:6")].map(|(name, device)| {
        crate::facts::disks::Partition { name: name.into(), major_minor: device.into(), ..Default::default() }
    }));
    mounts(&mut facts).push(mount("/var/log", "8:5", "/dev/sda5", 1 << 30));
    mounts(&mut facts).push(mount("/srv", "8:6", "/dev/sda6", 1 << 30));
    edit(&mut facts.storage).extend([answering("sda5", "8:5"), answering("sda6", "8:6")]);
    edit(&mut facts.filesystems).by_uuid.extend([("5".into(), "8:5".into()), ("6".into(), "8:6".into())]);
    fstab(&mut facts).push(entry(14, "UUID=5", "/var/log", "ext4", 2));
    fstab(&mut facts).push(entry(15, "UUID=6", "/srv", "ext4", 2));
    assert_eq!(
        told(&profile, &facts, "layout.partitions"),
        "met: /var/log: ext4 on sda5; /srv: ext4 on sda6"
    );
    disks(&mut facts)[0].state = Some("offline".into());
    let dead = told(&profile, &facts, "layout.partitions");
    assert!(
        dead.starts_with("unmet: sda is offline; sda is offline |") && dead.contains("see in dmesg"),
        "{dead}"
    );
}

#[test]
fn what_does_not_answer_is_not_in_place() {
    for (id, device) in [("layout.root", "8:1"), ("layout.var-crash", "8:2"), ("layout.home", "8:3")] {
        let (profile, mut facts) = ready();
        let one = edit(&mut facts.storage).iter_mut().find(|one| one.major_minor == device).unwrap();
        one.read = Fact::Known(Read::Failed("reading /dev/x: Input/output error".into()));
        let says = told(&profile, &facts, id);
        let name = format!("sda{}", &device[2..]);
        let expected = format!("unmet: {name} does not answer: reading /dev/x: Input/output error |");
        assert!(says.starts_with(&expected) && says.contains("| see in dmesg and in vSphere"), "{says}");
        facts.storage = Fact::Unknown("why".into());
        assert_eq!(told(&profile, &facts, id), "unknown: whether storage answers: why");
    }
}

#[test]
fn errors_of_root_are_mended_without_writing_to_it() {
    let (profile, mut facts) = ready();
    let root = edit(&mut facts.storage).iter_mut().find(|one| one.major_minor == "8:1").unwrap();
    root.read = Fact::Known(Read::Errors("its journal was aborted".into()));
    let says = told(&profile, &facts, "layout.root");
    assert!(
        says.starts_with("unmet: the file system on sda1 has errors: its journal was aborted |"),
        "{says}"
    );
    assert!(says.contains("add the word forcefsck to the kernel line of the boot entry"), "{says}");
    assert!(says.contains("`fsck -f /dev/sda1`") && !says.contains("touch"), "{says}");
    for root in mounts(&mut facts).iter_mut().filter(|mount| mount.mount_point == "/") {
        root.fs_type = "xfs".into();
    }
    let says = told(&profile, &facts, "layout.root");
    assert!(says.contains("`xfs_repair /dev/sda1`") && !says.contains("fsck"), "{says}");
}

#[test]
fn a_partition_that_the_profile_does_not_name_is_not_asked_for() {
    let (mut profile, facts) = ready();
    profile.layout.partitions.retain(|spec| spec.mount != "/home");
    assert_eq!(
        told(&profile, &facts, "layout.home"),
        "not-applicable: the profile asks for no partition /home"
    );
}
