//! One partition of the profile: mounted, of the right type, and in fstab.

use crate::facts::Facts;
use crate::facts::disks::Disk;
use crate::facts::mounts::Mount;
use crate::profile::{PartitionSpec, Profile};
use crate::steps::devices::{
    Layer, LayerKind, can_move, device_name, fstab_entry, hidden_by, layers, mount_at, mount_over,
    passed_over, resolve, same_path,
};
use crate::steps::tally::Tally;
use crate::steps::{Status, need};

/// Mount points that have a requirement of their own.
const NAMED: [&str; 3] = ["/", "/var/crash", "/home"];

pub(super) fn named(profile: &Profile, facts: &Facts, mount_point: &str) -> Result<Status, Status> {
    let spec = profile.layout.partitions.iter().find(|spec| same_path(&spec.mount, mount_point));
    let Some(spec) = spec else {
        let why = format!("the profile asks for no partition {mount_point}");
        return Err(Status::NotApplicable { why });
    };
    let mut look = Look::new(profile, facts);
    let found = look.at(spec);
    let fix = if look.is_missing { make_partition(spec) } else { repair(spec) };
    Ok(look.tally.status(found, expected(spec), fix))
}

pub(super) fn further(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let is_named = |spec: &&PartitionSpec| NAMED.iter().any(|name| same_path(name, &spec.mount));
    let specs: Vec<_> = profile.layout.partitions.iter().filter(|spec| !is_named(spec)).collect();
    if specs.is_empty() {
        return Err(Status::NotApplicable { why: "the profile names no further partition".into() });
    }
    let mut look = Look::new(profile, facts);
    let found: Vec<_> = specs.iter().map(|spec| look.at(spec)).collect();
    let wanted: Vec<_> = specs.iter().map(|spec| expected(spec)).collect();
    let fix = match specs.as_slice() {
        [spec] if look.is_missing => make_partition(spec),
        [spec] => repair(spec),
        _ => "for each of them that is missing: a partition of its own, a file system on it, a line in \
              /etc/fstab, `mount -a`"
            .into(),
    };
    Ok(look.tally.status(found.join("; "), wanted.join("; "), fix))
}

fn expected(spec: &PartitionSpec) -> String {
    format!("{} on an {} file system of its own, in /etc/fstab", spec.mount, spec.fs_type)
}

fn make_partition(spec: &PartitionSpec) -> String {
    let PartitionSpec { mount, fs_type } = spec;
    if mount == "/" {
        return format!("reinstall with Create Custom Layout and a standard {fs_type} partition for /");
    }
    format!(
        "best: reinstall with Create Custom Layout. On this machine: add a small disk on the LSI Logic controller \
         (not the retention disk), make one partition on it, `mkfs.{fs_type} /dev/PARTITION`, mount it at /mnt, \
         `cp -a {mount}/. /mnt/`, unmount it, add \"UUID=... {mount} {fs_type} defaults 1 2\" to /etc/fstab with \
         the UUID that `blkid` prints, `mount {mount}`"
    )
}

fn repair(spec: &PartitionSpec) -> String {
    let PartitionSpec { mount, fs_type } = spec;
    let pass = if mount == "/" { 1 } else { 2 };
    format!(
        "let /etc/fstab have one line \"UUID=... {mount} {fs_type} defaults 1 {pass}\" with the UUID that `blkid` \
         prints for the device of {mount}, and see that `mount` shows it so after a restart"
    )
}

/// Partitions being looked at.
struct Look<'a> {
    profile: &'a Profile,
    facts: &'a Facts,
    /// Every disk, where they are known.
    disks: &'a [Disk],
    tally: Tally,
    /// Whether what is missing is a file system itself, and not only a line or an option.
    is_missing: bool,
}

impl<'a> Look<'a> {
    fn new(profile: &'a Profile, facts: &'a Facts) -> Self {
        let disks = facts.disks.known().map_or(&[][..], Vec::as_slice);
        Self { profile, facts, disks, tally: Tally::default(), is_missing: false }
    }

    /// Looks at one; tells what it is, for when all holds.
    fn at(&mut self, spec: &PartitionSpec) -> String {
        let path = spec.mount.as_str();
        let mounts = self.tally.know(need(&self.facts.mounts, "the mounts"));
        let mount = mounts.and_then(|mounts| mount_at(mounts, path));
        match (mounts, mount) {
            (Some(mounts), Some(mount)) => self.mounted(spec, mount, mounts),
            (Some(mounts), None) => self.missing(match mount_over(mounts, path) {
                Some(over) => format!(
                    "{path} is no file system of its own: it is a part of {} ({}, {})",
                    over.mount_point, over.source, over.fs_type
                ),
                None => format!("{path} is no file system of its own"),
            }),
            (None, _) => {}
        }
        self.in_fstab(spec, mount);
        match mount {
            Some(mount) => format!("{path}: {} on {}", mount.fs_type, self.name(&mount.major_minor)),
            None => path.to_owned(),
        }
    }

    fn missing(&mut self, problem: String) {
        self.is_missing = true;
        self.tally.problem(problem);
    }

    /// The kernel's name of a device, where it is one of the disks'.
    fn name<'b>(&'b self, major_minor: &'b str) -> &'b str {
        device_name(self.disks, major_minor).unwrap_or(major_minor)
    }

    fn mounted(&mut self, spec: &PartitionSpec, mount: &Mount, mounts: &[Mount]) {
        let path = spec.mount.as_str();
        if let Some(over) = hidden_by(mounts, mount) {
            self.missing(format!(
                "{path} ({}) is hidden by {}, which was mounted at {} later",
                mount.source, over.source, over.mount_point
            ));
        }
        if mount.root != "/" {
            self.missing(format!(
                "{path} is no file system of its own: it is the directory or subvolume {} of {}",
                mount.root, mount.source
            ));
        }
        // A bind mount of a whole file system has `/` as its root too, but shares its device with the original.
        let is_twin = |other: &&PartitionSpec| {
            let twin = mount_at(mounts, &other.mount);
            !same_path(&other.mount, path) && twin.is_some_and(|twin| twin.major_minor == mount.major_minor)
        };
        if path != "/"
            && let Some(other) = self.profile.layout.partitions.iter().find(is_twin)
        {
            self.missing(format!("{path} and {} are the same file system", other.mount));
        }
        if mount.fs_type != spec.fs_type {
            self.tally.problem(format!("{path} is {}, not {}", mount.fs_type, spec.fs_type));
        }
        if !mount.is_writable() {
            self.tally.problem(format!("{path} is mounted read-only (after an error? see dmesg)"));
        }
        let Some(disks) = self.tally.know(need(&self.facts.disks, "the disks")) else { return };
        let way = disks.iter().find_map(|disk| layers(disk, &mount.major_minor));
        match way.and_then(|way| way.last().copied()) {
            None => self.tally.problem(format!("{path} ({}) lies on no disk of this machine", mount.source)),
            Some(Layer { kind: LayerKind::Disk | LayerKind::Multipath, name, .. }) => {
                self.missing(format!("{path} lies on the whole disk {name}, not on a partition"));
            }
            Some(_) => {}
        }
    }

    fn in_fstab(&mut self, spec: &PartitionSpec, mount: Option<&Mount>) {
        let path = spec.mount.as_str();
        let Some(fstab) = self.tally.know(need(&self.facts.fstab, "/etc/fstab")) else { return };
        let Some(entry) = fstab_entry(fstab, path) else {
            return self.tally.problem(match passed_over(self.facts, path) {
                Some(line) => {
                    format!(
                        "line {} of /etc/fstab, for {path}, is passed over at boot: {}",
                        line.line, line.why
                    )
                }
                None => format!("/etc/fstab has no line for {path}"),
            });
        };
        let line = format!("line {} of /etc/fstab", entry.line);
        let has = |option: &str| entry.options.iter().any(|other| other == option);
        if has("bind") || has("rbind") {
            return self.missing(format!("{line} makes {path} a bind mount of {}", entry.device));
        }
        if has("noauto") {
            self.tally.problem(format!("{line} does not mount {path} at boot (noauto)"));
        }
        if has("ro") {
            self.tally.problem(format!("{line} mounts {path} read-only"));
        }
        if let Some(option) = &entry.refused {
            let fs_type = &entry.fs_type;
            self.tally.problem(format!(
                "{line} has the option {option}, which {fs_type} does not know: {path} is not mounted"
            ));
        }
        if can_move(&entry.device) {
            self.tally.problem(format!(
                "{line} names {}, which can be another device after a restart",
                entry.device
            ));
        }
        if entry.fs_type != spec.fs_type && entry.fs_type != "auto" {
            self.tally.problem(format!("{line} says {} for {path}, not {}", entry.fs_type, spec.fs_type));
        }
        let Some(mount) = mount else { return };
        let problem = match self.tally.know(resolve(&entry.device, self.facts)) {
            Some(Some(device)) if device != mount.major_minor => format!(
                "{line} names {}, which is {} and not what is mounted at {path} ({})",
                entry.device,
                self.name(&device),
                self.name(&mount.major_minor),
            ),
            Some(None) => format!("{line} names {}, and there is no such device", entry.device),
            Some(Some(_)) | None => return,
        };
        self.tally.problem(problem);
    }
}

#[cfg(test)]
mod tests {
    use crate::facts::Fact;
    use crate::facts::fstab::Ignored;
    use crate::profile::PartitionSpec;
    use crate::steps::testing::{disks, edit, entry, fstab, mount, mounts, ready, told};

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
                 no line for /var/crash | /var/crash on an ext4 file system of its own, in /etc/fstab | best: \
                 reinstall with Create Custom Layout. On this machine: add a small disk"
            ),
            "{says}"
        );
        assert!(says.contains("not the retention disk"), "{says}");
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
            (|home| home.options = vec!["ro".into()], "unmet: /home is mounted read-only"),
            (
                |home| home.major_minor = "8:16".into(),
                "unmet: /home lies on the whole disk sdb, not on a partition",
            ),
            (
                |home| home.major_minor = "7:0".into(),
                "unmet: /home (/dev/sda3) lies on no disk of this machine",
            ),
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
        assert!(says.starts_with("unmet: /home is tmpfs, not ext4; /home (tmpfs) lies on no disk"), "{says}");
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
            (
                entry(11, HOME, "/home", "ext3", 2),
                "unmet: line 11 of /etc/fstab says ext3 for /home, not ext4",
            ),
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
        assert_eq!(
            told(&profile, &facts, "layout.home"),
            "unknown: the names of file systems: not permitted"
        );
        facts.mounts = Fact::Unknown("no mountinfo".into());
        assert_eq!(told(&profile, &facts, "layout.home"), "unknown: the mounts: no mountinfo");
        facts.fstab = Fact::Known(Vec::new());
        assert!(
            told(&profile, &facts, "layout.home").starts_with("unmet: /etc/fstab has no line for /home |")
        );

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
        let spec = |mount: &str| PartitionSpec { mount: mount.into(), fs_type: "ext4".into() };
        profile.layout.partitions.push(spec("/var/log"));
        let one = told(&profile, &facts, "layout.partitions");
        assert!(one.starts_with("unmet: /var/log is no file system of its own: it is a part of /"), "{one}");
        assert!(one.contains("`cp -a /var/log/. /mnt/`"), "{one}");

        profile.layout.partitions.push(spec("/srv"));
        let two = told(&profile, &facts, "layout.partitions");
        assert!(two.contains("/srv is no file system of its own"), "{two}");

        disks(&mut facts)[0].partitions.extend([("sda5", "8:5"), ("sda6", "8:6")].map(|(name, device)| {
            crate::facts::disks::Partition {
                name: name.into(),
                major_minor: device.into(),
                ..Default::default()
            }
        }));
        mounts(&mut facts).push(mount("/var/log", "8:5", "/dev/sda5", 1 << 30));
        mounts(&mut facts).push(mount("/srv", "8:6", "/dev/sda6", 1 << 30));
        edit(&mut facts.filesystems).by_uuid.extend([("5".into(), "8:5".into()), ("6".into(), "8:6".into())]);
        fstab(&mut facts).push(entry(14, "UUID=5", "/var/log", "ext4", 2));
        fstab(&mut facts).push(entry(15, "UUID=6", "/srv", "ext4", 2));
        assert_eq!(
            told(&profile, &facts, "layout.partitions"),
            "met: /var/log: ext4 on sda5; /srv: ext4 on sda6"
        );
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
}
