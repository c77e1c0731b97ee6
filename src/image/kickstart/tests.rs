//! Answers that are right by themselves and make no whole.

use super::*;
use crate::host::Host;
use crate::profile::{
    BootLoaderPlace, Finish, Given, NetworkKind, PartitionSize, PartitionSpec, PartitionType, Setting,
    load_with,
};

fn hash() -> PasswordHash {
    PasswordHash::parse(&format!("$6$salt${}", "a".repeat(86))).unwrap()
}

/// The built-in profile, with what differs from machine to machine given by options.
fn whole() -> Profile {
    let one = |option, key, value: &str| {
        let value = Given::One(value.to_owned());
        Setting { option, section: "installation", key, value }
    };
    let settings = [
        one("--hostname", "hostname", "mt1.example.com"),
        one("--address", "address", "10.0.0.5/24"),
        one("--gateway", "gateway", "10.0.0.1"),
        Setting {
            option: "--dns",
            section: "installation",
            key: "dns",
            value: Given::Many(vec!["10.0.0.2".into()]),
        },
    ];
    let mut profile =
        load_with(None, &Host::image("/no/such/tree"), &[], crate::profile::Writers::Root, &settings)
            .unwrap();
    profile.os.timezone = Some("Europe/Berlin".parse().unwrap());
    profile
}

fn refusal(change: impl FnOnce(&mut Profile)) -> String {
    let mut profile = whole();
    change(&mut profile);
    kickstart(&profile, Some(&hash())).unwrap_err().to_string()
}

fn printed(change: impl FnOnce(&mut Profile)) -> String {
    let mut profile = whole();
    change(&mut profile);
    kickstart(&profile, Some(&hash())).unwrap()
}

#[test]
fn all_that_is_lacking_is_told_at_once() {
    let profile =
        crate::profile::load(Some("centos-6.6"), &Host::live(), &[], crate::profile::Writers::Root).unwrap();
    assert_eq!(
        kickstart(&profile, None).unwrap_err().to_string(),
        "the profile centos-6.6 lacks what a kickstart needs: os.timezone, installation.hostname (--hostname), \
         installation.address (--address), installation.gateway (--gateway), installation.dns (--dns), \
         installation.root-hash-file (--root-hash-file); put it into the profile, or give the options"
    );
    let lacking = refusal(|profile| {
        let data = PartitionSpec { mount: "/data".parse().unwrap(), fs_type: PartitionType::Ext4 };
        profile.layout.partitions.push(data);
        profile.installation.swap = None;
    });
    assert!(
        lacking.contains(
            ": the size of /data in installation.sizes, installation.swap (layout.swap wants a partition);"
        ),
        "{lacking}"
    );
}

#[test]
fn options_say_where_they_stand() {
    let text = refusal(|profile| profile.installation.gateway = "10.0.1.1".parse().ok());
    assert_eq!(
        text,
        "--gateway: installation.gateway: found `10.0.1.1`, expected an address in the host's network 10.0.0.0/24"
    );
}

#[test]
fn contradictions_are_refused_by_name() {
    type Change = fn(&mut Profile);
    let table: [(Change, &str); 19] = [
        (
            |profile| profile.os.release = "Ubuntu 20.04.6 LTS".parse().unwrap(),
            "os.release: an unattended installation is not supported on Debian systems yet, only on those of the Red Hat family: \
             install the system by hand",
        ),
        (
            |profile| profile.os.release = "CentOS Linux release 7.4.1708 (Core)".parse().unwrap(),
            "os.release: found `CentOS Linux release 7.4.1708 (Core)`, expected a release 6: a kickstart is for its",
        ),
        (
            |profile| profile.installation.gateway = "10.0.0.5".parse().ok(),
            "installation.gateway: found `10.0.0.5`, which is the host itself, expected another",
        ),
        (
            |profile| profile.installation.gateway = "10.0.0.255".parse().ok(),
            "installation.gateway: found `10.0.0.255`, which no host can have, expected an address in",
        ),
        (
            |profile| profile.installation.network = NetworkKind::Dhcp,
            "installation.address: found a value, but installation.network (built-in centos-6.6) is `dhcp`",
        ),
        (
            |profile| {
                profile.installation.network = NetworkKind::Dhcp;
                profile.installation.address = None;
                profile.installation.gateway = None;
            },
            "--dns: installation.dns: found a value, but installation.network",
        ),
        (
            |profile| profile.layout.root_on_lvm = true,
            "layout.root-on-lvm: found `true`, but a kickstart makes plain partitions",
        ),
        (
            |profile| profile.layout.partitions[0].fs_type = PartitionType::Xfs,
            "layout.partitions[0].type: found `xfs`, expected `ext2`, `ext3` or `ext4`",
        ),
        (
            |profile| profile.layout.partitions[2].fs_type = PartitionType::Btrfs,
            "layout.partitions[2].type: found `btrfs`, expected",
        ),
        (
            |profile| {
                profile.layout.partitions[2].mount = "/etc".parse().unwrap();
                profile.installation.sizes[2].mount = "/etc".parse().unwrap();
            },
            "layout.partitions[2].mount: found `/etc`, which the installer of CentOS 6 wants on `/` itself",
        ),
        (
            |profile| profile.installation.sizes[0].size = (3 << 30).into(),
            "installation.sizes[0].size: found 3 GiB, expected at least 4 GiB",
        ),
        (
            |profile| profile.installation.sizes[1].size = (50 << 20).into(),
            "installation.sizes[1].size: found 50 MiB, expected at least 100 MiB",
        ),
        (
            |profile| profile.installation.sizes[1].size = ((200 << 20) + 1).into(),
            "installation.sizes[1].size: found 209715201 bytes, expected whole megabytes",
        ),
        (
            |profile| profile.installation.swap = Some((1 << 20).into()),
            "installation.swap: found 1 MiB, expected at least 100 MiB",
        ),
        (
            |profile| profile.installation.grow = Some("/data".parse().unwrap()),
            "installation.grow: found `/data`, expected one of layout.partitions, or null",
        ),
        (
            |profile| profile.sizing.os_disk = (46 << 30).into(),
            "installation.sizes: found 46 GiB in all, with swap, expected no more than sizing.os-disk (built-in",
        ),
        (
            |profile| profile.installation.agent = Some("http://h/mt-agent.rpm".parse().unwrap()),
            "installation.agent-sha256: found nothing, expected the SHA-256 of the agent's rpm",
        ),
        (
            |profile| {
                profile.installation.agent = Some("https://h/mt-agent.rpm".parse().unwrap());
                profile.files.xfs[0].urls.push("http://user:word@h/x.rpm".parse().unwrap());
            },
            "files.xfs[0].urls[5]: found an address with credentials, expected one without",
        ),
        (
            |profile| {
                profile.installation.agent = Some("/mnt/source/mt-agent.rpm".parse().unwrap());
                profile.installation.source = "http://h/os".parse().unwrap();
            },
            "installation.agent: found `/mnt/source/mt-agent.rpm`, but with installation.source `http://h/os` the",
        ),
    ];
    for (change, words) in table {
        let text = refusal(change);
        assert!(text.contains(words) && !text.contains('\n'), "{text}\nexpected: {words}");
    }
}

#[test]
fn sizes_of_no_partition_are_refused_where_a_person_wrote_them() {
    let without_home = |profile: &mut Profile| drop(profile.layout.partitions.remove(2));
    // The built-in sizes may be more than are needed.
    assert!(!printed(without_home).contains("/home"));
    let stray = refusal(|profile| {
        profile
            .installation
            .sizes
            .push(PartitionSize { mount: "/data".parse().unwrap(), size: (1 << 30).into() });
        profile.origins.insert("installation.sizes[3].mount".into(), "p.yaml:9".into());
    });
    assert_eq!(
        stray,
        "p.yaml:9: installation.sizes[3].mount: found `/data`, which is none of layout.partitions"
    );
}

#[test]
fn the_disk_by_a_name_that_can_move_is_guarded_and_one_that_cannot_is_taken() {
    let text = printed(|_| ());
    assert!(text.contains("\n%pre --erroronfail\n") && text.contains("!= ' sda' ]"), "{text}");
    let path = "/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:0:0";
    let text = printed(|profile| profile.installation.disk = path.parse().unwrap());
    assert!(!text.contains("%pre"), "{text}");
    let named = path.trim_start_matches("/dev/");
    assert!(text.contains(&format!("\nignoredisk --only-use={named}\nzerombr\n")), "{text}");
    assert!(text.contains(&format!("\nclearpart --all --initlabel --drives={named}\n")), "{text}");
    assert_eq!(text.matches(&format!(" --ondisk={named}\n")).count(), 4, "{text}");
}

#[test]
fn the_kernel_lies_on_a_primary_partition() {
    assert!(printed(|_| ()).contains("part / --fstype=ext4 --size=20480 --grow --asprimary --ondisk=sda\n"));
    let text = printed(|profile| {
        profile
            .layout
            .partitions
            .push(PartitionSpec { mount: "/boot".parse().unwrap(), fs_type: PartitionType::Ext3 });
        profile
            .installation
            .sizes
            .push(PartitionSize { mount: "/boot".parse().unwrap(), size: (500 << 20).into() });
        profile.installation.boot_loader = BootLoaderPlace::Partition;
    });
    assert!(text.contains("part /boot --fstype=ext3 --size=500 --asprimary --ondisk=sda\n"), "{text}");
    assert!(text.contains("part / --fstype=ext4 --size=20480 --grow --ondisk=sda\n"), "{text}");
    assert!(text.contains("bootloader --location=partition "), "{text}");
}

#[test]
fn what_is_left_out_stands_nowhere() {
    let text = printed(|profile| {
        profile.layout.swap = false;
        profile.installation.grow = None;
        profile.installation.finish = Finish::Poweroff;
        profile.installation.network = NetworkKind::Dhcp;
        profile.installation.address = None;
        profile.installation.gateway = None;
        profile.installation.dns = Vec::new();
    });
    for none in ["part swap", "--grow", "reboot", "--ip=", "%post", "/etc/hosts"] {
        assert!(!text.contains(none), "{none}\n{text}");
    }
    assert!(text.contains("\npoweroff\n"), "{text}");
}
