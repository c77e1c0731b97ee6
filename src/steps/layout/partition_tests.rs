use crate::facts::Fact;
use crate::facts::mounts::Mount;
use crate::facts::storage::Read;
use crate::profile::{PartitionSpec, PartitionType};
use crate::steps::testing::{
    Judged, add_partition, disks, edit, entry, fstab, ignored, line_of, mount, mount_of, mounts, stored,
};

const HOME: &str = "UUID=4d9a0b16-72ce-4f83-b5d1-90e7c2a86403";

#[test]
fn each_partition_is_met_on_its_own_device() {
    let host = Judged::ready("layout.root");
    host.is("met: /: ext4 on sda1");
    host.of("layout.var-crash").is("met: /var/crash: ext4 on sda2");
    host.of("layout.home").is("met: /home: ext4 on sda3");
    host.of("layout.partitions").is("not-applicable: the profile names no further partition");
}

#[test]
fn one_that_a_later_mount_hides_is_not_there() {
    let mut host = Judged::ready("layout.var-crash");
    let all = mounts(&mut host);
    let var = mount("/var", "253:7", "/dev/vg/var", 1 << 30);
    all.push(var);
    host.starts("unmet: /var/crash (/dev/sda2) is hidden by");
    host.of("layout.home").starts("met: ");
}

#[test]
fn a_directory_of_root_is_no_partition() {
    let mut host = Judged::ready("layout.var-crash");
    mounts(&mut host).retain(|mount| mount.mount_point != "/var/crash");
    fstab(&mut host).retain(|entry| entry.mount_point != "/var/crash");
    host.starts("unmet: /var/crash is no file system of its own: it is a part of / (/dev/sda1, ext4); /etc/fstab has \
             no line for /var/crash | /var/crash on an ext4 file system of its own, in /etc/fstab | sda2 of the system disk has a \
             file system that is not mounted. If it is that of /var/crash: let /etc/fstab have one line \
             \"UUID=2b7e1c94-35af-4d60-8f12-6e09a4c3d702 /var/crash ext4 defaults 1 2\", `mount /var/crash`. If not: best: reinstall \
             with Create Custom Layout. On this machine: add a small disk").has("not the retention disk");
}

#[test]
fn what_was_only_unmounted_is_mounted_again() {
    let mut host = Judged::ready("layout.var-crash");
    mounts(&mut host).retain(|mount| mount.mount_point != "/var/crash");
    host.starts("unmet: /var/crash is not mounted, though line 5 of /etc/fstab mounts sda2 there | ")
        .ends(" | `mount /var/crash`");
    // A line that is not as wanted is mended first, and without the device it takes a new one.
    let mut spoiled = host.clone();
    line_of(&mut spoiled, "/var/crash").options = vec!["noauto".into()];
    spoiled.has("| let /etc/fstab have one line");
    line_of(&mut spoiled, "/var/crash").device = "UUID=away".into();
    spoiled.has("| sda2 of the system disk has a file system that is not mounted");
    edit(&mut spoiled.storage).retain(|device| device.name != "sda2");
    spoiled.has("| best: reinstall");
}

#[test]
fn a_missing_root_is_a_new_installation() {
    let mut host = Judged::ready("layout.root");
    mounts(&mut host).retain(|mount| mount.mount_point != "/");
    host.outcome().ends("| reinstall with Create Custom Layout and a standard ext4 partition for /");
}

#[test]
fn what_is_mounted_must_be_a_whole_file_system_of_the_right_type_on_a_disk() {
    type Spoil = fn(&mut Mount);
    let part = "no file system of its own: it is the directory or subvolume /srv/home of /dev/sda3";
    let cases: [(Spoil, &str); 7] = [
        (|home| home.root = "/srv/home".into(), &format!("is {part}")),
        (|home| home.major_minor = "8:1".into(), "and / are the same file system"),
        (|home| home.fs_type = "xfs".into(), "is xfs, not ext4"),
        (|home| home.super_options = vec!["ro".into()], "is mounted read-only"),
        (|home| home.options = vec!["ro".into()], "is mounted read-only (after an error? see dmesg)"),
        (|home| home.major_minor = "8:16".into(), "lies on the whole disk sdb, not on a partition"),
        (|home| home.major_minor = "7:0".into(), "(/dev/sda3) lies on no disk of this machine"),
    ];
    for (spoil, expected) in cases {
        let mut host = Judged::ready("layout.home");
        spoil(mount_of(&mut host, "/home"));
        host.starts(format!("unmet: /home {expected}"));
    }
}

#[test]
fn the_last_mount_hides_those_before_it() {
    let mut host = Judged::ready("layout.home");
    mounts(&mut host).push(Mount { fs_type: "tmpfs".into(), ..mount("/home", "0:40", "tmpfs", 1 << 20) });
    host.starts("unmet: tmpfs (tmpfs) is mounted at /home over /dev/sda3, which was there before")
        .has("| `umount /home`");
}

#[test]
fn fstab_must_lead_to_what_is_mounted() {
    let (line, other) = ("line 11 of /etc/fstab", "UUID=2b7e1c94-35af-4d60-8f12-6e09a4c3d702");
    let cases = [
        ("/dev/sda3", "names /dev/sda3, which can be another device after a restart |".to_owned()),
        ("UUID=gone", "names UUID=gone, and there is no such device".to_owned()),
        (other, format!("names {other}, which is sda2 and not what is mounted at /home (sda3)")),
        (
            "LABEL=home",
            format!(
                "names LABEL=home, which can be another device after a restart; {line} names LABEL=home, and there is no such device"
            ),
        ),
    ];
    for (device, expected) in cases {
        let mut host = Judged::ready("layout.home");
        *line_of(&mut host, "/home") = entry(11, device, "/home", "ext4", 2);
        host.starts(format!("unmet: {line} {expected}"));
    }
    let unknown = "unknown: to which device PARTUUID=0001-03 leads is not among the facts";
    let cases = [
        (entry(11, HOME, "/home/", "auto", 2), "met: /home: ext4 on sda3"),
        (entry(11, HOME, "/home", "ext3", 2), "unmet: line 11 of /etc/fstab says ext3 for /home, not ext4"),
        (entry(11, "PARTUUID=0001-03", "/home", "ext4", 2), unknown),
        (entry(11, "/dev/sda3", "/homes", "ext4", 2), "unmet: /etc/fstab has no line for /home |"),
    ];
    for (line, expected) in cases {
        let mut host = Judged::ready("layout.home");
        *line_of(&mut host, "/home") = line;
        host.starts(expected);
    }
    for (option, expected) in [
        ("noauto", "unmet: line 4 of /etc/fstab does not mount /home at boot (noauto)"),
        ("bind", "unmet: line 4 of /etc/fstab makes /home a bind mount of UUID="),
        ("ro", "unmet: line 4 of /etc/fstab mounts /home read-only"),
        ("remount", "unmet: line 4 of /etc/fstab has the option remount: it mounts something other than"),
        ("loop", "unmet: line 4 of /etc/fstab has the option loop: it mounts"),
        ("offset", "unmet: line 4 of /etc/fstab has the option offset: it mounts"),
        ("encryption", "unmet: line 4 of /etc/fstab has the option encryption: it mounts"),
    ] {
        let mut host = Judged::ready("layout.home");
        line_of(&mut host, "/home").options.push(option.into());
        host.starts(expected);
    }
}

#[test]
fn a_line_that_mounts_nothing_at_boot_is_told() {
    let mut host = Judged::ready("layout.home");
    line_of(&mut host, "/home").refused = Some("defalts".into());
    host.starts("unmet: line 4 of /etc/fstab has the option defalts, which ext4 does not know");
    fstab(&mut host).retain(|entry| entry.mount_point != "/home");
    host.fstab_ignored.push(ignored(4, HOME, "/home/", "a comment"));
    host.starts("unmet: line 4 of /etc/fstab, for /home, is passed over at boot: a comment |");
}

#[test]
fn what_is_unknown_is_not_met_and_hides_no_failure() {
    let mut host = Judged::ready("layout.home");
    host.filesystems = Fact::Unknown("not permitted".into());
    host.is("unknown: the names of file systems: not permitted");
    host.mounts = Fact::Unknown("no mountinfo".into());
    host.is("unknown: the mounts: no mountinfo");
    host.fstab = Fact::Known(Vec::new());
    host.starts("unmet: /etc/fstab has no line for /home |");

    let mut host = Judged::ready("layout.home");
    host.disks = Fact::Unknown("no /sys".into());
    host.is("unknown: the disks: no /sys");
}

#[test]
fn an_image_is_judged_by_its_fstab() {
    let mut host = Judged::ready("layout.home");
    host.mounts = Fact::NotApplicable("an image's tree".into());
    host.disks = Fact::NotApplicable("an image's tree".into());
    host.is("not-applicable: an image's tree");
    fstab(&mut host).clear();
    host.starts("unmet: /etc/fstab has no line for /home");
}

#[test]
fn further_partitions_are_judged_together() {
    let mut host = Judged::ready("layout.partitions");
    let spec = |mount: &str| PartitionSpec { mount: mount.parse().unwrap(), fs_type: PartitionType::Ext4 };
    host.profile.layout.partitions.push(spec("/var/log"));
    let one = host.outcome();
    assert!(one.starts_with("unmet: /var/log is no file system of its own: it is a part of /"), "{one}");
    // A mount at /mnt would hide the retention volume.
    let copied = "`mkdir /root/new-log`, `mount /dev/PARTITION /root/new-log`, `cp -a /var/log/. /root/new-log/`, `umount \
                  /root/new-log`, let";
    assert!(one.contains(copied) && !one.contains("/mnt"), "{one}");

    host.profile.layout.partitions.push(spec("/srv"));
    host.has("/srv is no file system of its own");

    add_partition(&mut host, 0, "sda7", "8:7", ("7", "/var/log"));
    add_partition(&mut host, 0, "sda8", "8:8", ("8", "/srv"));
    host.is("met: /var/log: ext4 on sda7; /srv: ext4 on sda8");
    disks(&mut host)[0].state = Some("offline".into());
    host.starts("unmet: sda is offline; sda is offline |").has("see in dmesg");
}

#[test]
fn what_does_not_answer_is_not_in_place() {
    for (id, name) in [("layout.root", "sda1"), ("layout.var-crash", "sda2"), ("layout.home", "sda3")] {
        let mut host = Judged::ready(id);
        stored(&mut host, name).read = Fact::Known(Read::Failed("reading /dev/x: Input/output error".into()));
        host.starts(format!("unmet: {name} does not answer: reading /dev/x: Input/output error |"))
            .has("| see in dmesg and in vSphere");
        host.storage = Fact::Unknown("why".into());
        host.is("unknown: whether storage answers: why");
    }
}

#[test]
fn errors_of_root_are_mended_without_writing_to_it() {
    let mut host = Judged::ready("layout.root");
    stored(&mut host, "sda1").read = Fact::Known(Read::Errors("its journal was aborted".into()));
    host.starts("unmet: the file system on sda1 has errors: its journal was aborted |")
        .has("add the word forcefsck to the kernel line of the boot entry")
        .has("`fsck -f /dev/sda1`")
        .lacks("touch");
    for root in mounts(&mut host).iter_mut().filter(|mount| mount.mount_point == "/") {
        root.fs_type = "xfs".into();
    }
    host.has("`xfs_repair /dev/sda1`").lacks("fsck");
}

#[test]
fn a_partition_that_the_profile_does_not_name_is_not_asked_for() {
    let mut host = Judged::ready("layout.home");
    host.profile.layout.partitions.retain(|spec| spec.mount != "/home");
    host.is("not-applicable: the profile asks for no partition /home");
}
