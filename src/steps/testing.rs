//! A ready master target in code, for the tests of the sections to spoil.

use std::collections::BTreeMap;

use crate::facts::boot_loader::BootLoader;
use crate::facts::clock::Clock;
use crate::facts::cpu_memory::CpuMemory;
use crate::facts::custom_changes::{CustomChanges, Outcome, Record};
use crate::facts::disks::{Controller, ControllerKind, Disk, Holder, Map, Partition};
use crate::facts::dmi::Dmi;
use crate::facts::filesystems::Filesystems;
use crate::facts::fstab::Entry;
use crate::facts::identity::{Identity, Kind, Present, Record as Identified};
use crate::facts::mounts::Mount;
use crate::facts::multipath::{Configuration, Multipath};
use crate::facts::network::{Answer, HostsEntry, Network, Nic, NicConfiguration, Server};
use crate::facts::os::{Os, Timezone};
use crate::facts::packages::Packages;
use crate::facts::site_agent::SiteAgent;
use crate::facts::swaps::Swap;
use crate::facts::tools::Tools;
use crate::facts::{Fact, Facts, SCHEMA};
use crate::host::Host;
use crate::profile::{self, Profile};

use super::{Finding, Selection, Status, image, judge_all};

/// SCSI ID of the OS disk `sda`.
pub const OS_DISK_ID: &str = "36000c2982b5df41a25811b07e74971e8";

/// SCSI ID of the retention disk `sdb`, and the name of its multipath map `dm-0`.
pub const RETENTION_ID: &str = "36000c29f0c4be2a1d0a7b9d3c2e1f405";

/// Boot id of the boot under which the facts were read.
pub const BOOT_ID: &str = "5a0a9d4e-1111-4c5e-9d3b-2f1f6a7b8c9d";

/// A day on which nothing has expired.
pub const TODAY: time::Date = time::macros::date!(2026 - 06 - 01);

const GIB: u64 = 1 << 30;

/// A profile and the facts of a host that meets it in every point.
pub fn ready() -> (Profile, Facts) {
    let mut facts = facts();
    let record = |marks: &[Present]| Fact::Known(Some(Identified::new("00", "2026-06-01T00:00:00Z", marks)));
    // A clone of another machine, on which apply has run.
    let other = |kind| Present { kind, place: String::new(), value: "of the template".into() };
    facts.identity.template = record(&[other(Kind::BiosUuid), other(Kind::RootDisk)]);
    facts.identity.recorded = record(&image::identifiers(&facts));
    (profile(), facts)
}

/// The finding for `id`, as `check --only ID` would have it.
pub fn judged(profile: &Profile, facts: &Facts, id: &str) -> Finding {
    let selection = Selection::new(vec![id.to_owned()], Vec::new()).unwrap();
    let mut findings = judge_all(profile, facts, TODAY, &selection);
    assert_eq!(findings.len(), 1, "{id}: {findings:?}");
    findings.remove(0)
}

/// What stands in the status for `id`, as one text: `met: …`, `unmet: FOUND | EXPECTED | FIX`, `unknown: …`.
pub fn told(profile: &Profile, facts: &Facts, id: &str) -> String {
    match judged(profile, facts, id).status {
        Status::Met { found } => format!("met: {}", found.unwrap_or_default()),
        Status::Unmet { found, expected, fix } => format!("unmet: {found} | {expected} | {fix}"),
        Status::Unknown { why } => format!("unknown: {why}"),
        Status::NotApplicable { why } => format!("not-applicable: {why}"),
        Status::Waived { reason, until } => format!("waived: {reason} until {until}"),
        Status::Blocked { by } => format!("blocked: {by}"),
        Status::RestartOwed { found } => format!("restart-owed: {found}"),
    }
}

/// The disks, to be spoiled.
pub fn disks(facts: &mut Facts) -> &mut Vec<Disk> {
    edit(&mut facts.disks)
}

/// The mounts, to be spoiled.
pub fn mounts(facts: &mut Facts) -> &mut Vec<Mount> {
    edit(&mut facts.mounts)
}

/// The lines of fstab, to be spoiled.
pub fn fstab(facts: &mut Facts) -> &mut Vec<Entry> {
    edit(&mut facts.fstab)
}

/// What a known fact holds, to be spoiled.
pub fn edit<T>(fact: &mut Fact<T>) -> &mut T {
    match fact {
        Fact::Known(value) => value,
        Fact::Unknown(why) | Fact::NotApplicable(why) => panic!("not known: {why}"),
    }
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The built-in profile, with a site.
fn profile() -> Profile {
    let none = Host::recorded("/nonexistent");
    let mut profile = profile::load(Some(profile::DEFAULT), &none, &super::ids(), false).unwrap();
    profile.site = profile::Site {
        configuration_server: Some(profile::Server { address: "10.0.0.5".into(), port: 443 }),
        process_server: Some(profile::Server { address: "10.0.0.6".into(), port: 9443 }),
        configuration_server_version: Some("9.6.0".into()),
    };
    profile
}

fn facts() -> Facts {
    Facts {
        schema: SCHEMA.into(),
        agent: env!("CARGO_PKG_VERSION").into(),
        recorded_at: "2026-06-01T12:00:00Z".into(),
        privileged: true,
        boot_id: Fact::Known(BOOT_ID.into()),
        os: Os {
            release: Fact::Known("CentOS release 6.6 (Final)".into()),
            id: Fact::Known(Some("centos".into())),
            architecture: Fact::Known("x86_64".into()),
            kernel: Fact::Known("2.6.32-504.el6.x86_64".into()),
            hostname: Fact::Known("mt1.example.com".into()),
            configured_hostname: Fact::Known(Some("mt1.example.com".into())),
            timezone: Fact::Known(Timezone { name: Some("Europe/Berlin".into()), localtime: true }),
        },
        dmi: Fact::Known(Dmi {
            vendor: Fact::Known(Some("VMware, Inc.".into())),
            product: Fact::Known(Some("VMware Virtual Platform".into())),
            uuid: Fact::Known(Some("564D1C2B-0000-0000-0000-000000000001".into())),
            serial: Fact::Known(Some("VMware-56 4d 1c 2b 00 00 00 00-00 00 00 00 00 00 00 01".into())),
        }),
        cpu_memory: CpuMemory {
            // A VM of 6 GiB under 2.6.32 with its crash kernel.
            memory_bytes: Fact::Known(5_861_180 << 10),
            cpus: Fact::Known(4),
        },
        clock: Clock {
            now_secs: 1_780_315_200,
            boot_secs: Fact::Known(1_780_311_600),
            service: Fact::Known(Some("ntpd".into())),
        },
        disks: Fact::Known(vec![os_disk(), retention_disk()]),
        controllers: Fact::Known(vec![
            Controller {
                kind: ControllerKind::Ide,
                driver: Some("ata_piix".into()),
                pci: Some("8086:7111".into()),
            },
            lsi_logic_sas(),
        ]),
        mounts: Fact::Known(ready_mounts()),
        fstab: Fact::Known(ready_fstab()),
        swaps: Fact::Known(vec![Swap {
            path: "/dev/sda4".into(),
            is_partition: true,
            major_minor: Some("8:4".into()),
            size_bytes: 8 * GIB,
        }]),
        filesystems: Fact::Known(filesystems()),
        boot_loader: Fact::Known(BootLoader {
            disk: "sda".into(),
            mbr: Some("GRUB".into()),
            partitions: Vec::new(),
            configuration: strings(&["/boot/grub/grub.conf"]),
        }),
        network: network(),
        packages: Fact::Known(packages()),
        tools: Fact::Known(Tools {
            program: Some("/usr/sbin/vmtoolsd".into()),
            pid: Fact::Known(Some(1201)),
        }),
        multipath: Multipath {
            configuration: Fact::Known(Some(Configuration {
                user_friendly_names: Some("no".into()),
                find_multipaths: Some("no".into()),
                blacklist_wwids: vec![OS_DISK_ID.into()],
                blacklist_devnodes: vec!["^cciss!c[0-9]d[0-9]*".into()],
                blacklist_devices: vec![("InMage".into(), ".*".into())],
                ..Configuration::default()
            })),
            maps: Fact::Known(vec![retention_map()]),
        },
        custom_changes: CustomChanges {
            marker_ctime_secs: Fact::Known(Some(1_780_300_000)),
            log_tail: Fact::Known(Some("Custom changes are applied. Restart the machine.".into())),
            blacklistrootdev_id: Fact::Known(Some(OS_DISK_ID.into())),
            blacklistrootdev_flag: true,
            record: Fact::Known(Some(Record {
                schema: "mt-agent/custom-changes/v1".into(),
                archive_sha256: "ab".repeat(32),
                boot_id: "00000000-0000-4000-8000-000000000000".into(),
                started_at: "2026-06-01T07:46:40Z".into(),
                outcome: Outcome::Applied,
            })),
            archive_bytes: Fact::Known(Some(200 << 20)),
        },
        site_agent: Fact::Known(SiteAgent::default()),
        identity: Identity {
            ssh_host_keys: Fact::Known(Vec::new()),
            recorded: Fact::Known(None),
            template: Fact::Known(None),
            half_sealed: Fact::Known(false),
        },
        retention_record: Fact::Known(None),
        guest_retention_disk: Fact::Known(None),
        servers: vec![
            server("configuration-server", "10.0.0.5", 443),
            server("process-server", "10.0.0.6", 9443),
        ],
        probes: Vec::new(),
    }
}

fn lsi_logic_sas() -> Controller {
    Controller {
        kind: ControllerKind::LsiLogicSas,
        driver: Some("mptsas".into()),
        pci: Some("1000:0054".into()),
    }
}

/// A VMware virtual disk on an LSI Logic SAS controller: `sda` is number 0.
pub fn virtual_disk(number: u8, scsi_id: &str, size_bytes: u64) -> Disk {
    let name = format!("sd{}", char::from(b'a' + number));
    Disk {
        path: format!("/dev/{name}"),
        name,
        major_minor: format!("8:{}", u32::from(number) * 16),
        hctl: Some(format!("2:0:{number}:0")),
        controller: Some(lsi_logic_sas()),
        vendor: Some("VMware".into()),
        model: Some("Virtual disk".into()),
        size_bytes,
        scsi_id: Some(scsi_id.into()),
        scsi_id_source: Some("SG_IO 0x83 NAA 6".into()),
        ..Disk::default()
    }
}

fn os_disk() -> Disk {
    let partition = |number: u64, start: u64, size: u64| Partition {
        name: format!("sda{number}"),
        major_minor: format!("8:{number}"),
        start_bytes: start * GIB + (1 << 20),
        size_bytes: size * GIB,
        holders: Vec::new(),
    };
    Disk {
        partitions: vec![
            partition(1, 0, 60),
            partition(2, 60, 10),
            partition(3, 70, 20),
            partition(4, 90, 8),
        ],
        used_by: strings(&["/ (sda1)", "/var/crash (sda2)", "/home (sda3)", "swap (sda4)"]),
        ..virtual_disk(0, OS_DISK_ID, 100 * GIB)
    }
}

fn retention_disk() -> Disk {
    Disk {
        holders: vec![Holder {
            name: "dm-0".into(),
            major_minor: "253:0".into(),
            dm_name: Some(RETENTION_ID.into()),
            dm_uuid: Some(format!("mpath-{RETENTION_ID}")),
            holders: Vec::new(),
        }],
        multipath: Some(retention_map()),
        used_by: strings(&["/mnt/retention (dm-0)"]),
        ..virtual_disk(1, RETENTION_ID, 1 << 40)
    }
}

fn retention_map() -> Map {
    Map {
        name: "dm-0".into(),
        dm_name: RETENTION_ID.into(),
        major_minor: "253:0".into(),
        wwid: RETENTION_ID.into(),
        paths: strings(&["sdb"]),
    }
}

/// A mount of the whole of an ext4 file system, read-write.
pub fn mount(mount_point: &str, major_minor: &str, source: &str, size_bytes: u64) -> Mount {
    Mount {
        mount_point: mount_point.into(),
        major_minor: major_minor.into(),
        root: "/".into(),
        fs_type: "ext4".into(),
        source: source.into(),
        options: strings(&["rw", "relatime"]),
        super_options: strings(&["rw", "barrier=1", "data=ordered"]),
        size_bytes: Fact::Known(size_bytes),
        free_bytes: Fact::Known(size_bytes / 2),
    }
}

fn ready_mounts() -> Vec<Mount> {
    let mut proc = mount("/proc", "0:3", "proc", 0);
    proc.fs_type = "proc".into();
    proc.size_bytes = Fact::NotApplicable("not on a block device".into());
    proc.free_bytes = proc.size_bytes.clone();
    let rootfs = Mount {
        mount_point: "/".into(),
        major_minor: "0:1".into(),
        fs_type: "rootfs".into(),
        source: "rootfs".into(),
        ..proc.clone()
    };
    vec![
        rootfs,
        proc,
        mount("/", "8:1", "/dev/sda1", 59 * GIB),
        mount("/var/crash", "8:2", "/dev/sda2", 9 * GIB),
        mount("/home", "8:3", "/dev/sda3", 19 * GIB),
        mount("/mnt/retention", "253:0", &format!("/dev/mapper/{RETENTION_ID}"), 1007 * GIB),
    ]
}

/// A line of fstab.
pub fn entry(line: usize, device: &str, mount_point: &str, fs_type: &str, pass: u32) -> Entry {
    Entry {
        line,
        device: device.into(),
        mount_point: mount_point.into(),
        fs_type: fs_type.into(),
        options: strings(&["defaults"]),
        pass,
    }
}

fn ready_fstab() -> Vec<Entry> {
    vec![
        entry(9, "UUID=11111111-aaaa-4000-8000-000000000001", "/", "ext4", 1),
        entry(10, "UUID=11111111-aaaa-4000-8000-000000000002", "/var/crash", "ext4", 2),
        entry(11, "UUID=11111111-aaaa-4000-8000-000000000003", "/home", "ext4", 2),
        entry(12, "UUID=11111111-aaaa-4000-8000-000000000004", "swap", "swap", 0),
        entry(13, &format!("/dev/mapper/{RETENTION_ID}"), "/mnt/retention", "ext4", 0),
    ]
}

fn filesystems() -> Filesystems {
    let uuid = |number: u32| format!("11111111-aaaa-4000-8000-00000000000{number}");
    Filesystems {
        by_uuid: [(1, "8:1"), (2, "8:2"), (3, "8:3"), (4, "8:4"), (5, "253:0")]
            .into_iter()
            .map(|(number, device)| (uuid(number), device.to_owned()))
            .collect(),
        by_label: BTreeMap::new(),
        by_id: [
            (format!("scsi-{OS_DISK_ID}"), "8:0".to_owned()),
            (format!("scsi-{RETENTION_ID}"), "253:0".to_owned()),
        ]
        .into(),
        by_mapper: [(RETENTION_ID.to_owned(), "253:0".to_owned())].into(),
    }
}

/// A physical interface with a static IPv4 address.
pub fn nic(name: &str, address: &str) -> Nic {
    Nic {
        name: name.into(),
        mac: Some("00:50:56:00:00:01".into()),
        driver: Some("vmxnet3".into()),
        physical: true,
        state: Some("up".into()),
        addresses: vec![address.parse().unwrap()],
        configuration: Fact::Known(Some(NicConfiguration {
            file: format!("/etc/sysconfig/network-scripts/ifcfg-{name}"),
            on_boot: true,
            protocol: "static".into(),
            address: Some(address.into()),
            problem: None,
        })),
    }
}

fn network() -> Network {
    let hosts = |line: usize, address: &str, names: &[&str]| HostsEntry {
        line,
        address: address.parse().unwrap(),
        names: strings(names),
    };
    Network {
        nics: Fact::Known(vec![nic("eth0", "10.0.0.20")]),
        resolvers: Fact::Known(strings(&["10.0.0.2"])),
        hosts: Fact::Known(vec![
            hosts(1, "127.0.0.1", &["localhost", "localhost.localdomain"]),
            hosts(2, "::1", &["localhost", "localhost.localdomain"]),
            hosts(3, "10.0.0.20", &["mt1.example.com", "mt1"]),
        ]),
    }
}

fn packages() -> Packages {
    let installed = [
        ("xfsprogs", "3.1.1-16.el6"),
        ("perl", "5.10.1-136.el6"),
        ("lsscsi", "0.23-2.el6"),
        ("rsync", "3.0.6-12.el6"),
        ("wget", "1.12-5.el6"),
        ("kexec-tools", "2.0.0-280.el6"),
        ("device-mapper-multipath", "0.4.9-80.el6"),
        ("rpm", "4.8.0-37.el6"),
        ("yum", "3.2.29-60.el6.centos"),
    ];
    Packages {
        manager: "rpm".into(),
        installed: installed.iter().map(|(name, version)| ((*name).into(), (*version).into())).collect(),
        unfinished: Vec::new(),
    }
}

fn server(role: &str, address: &str, port: u16) -> Server {
    Server { role: role.into(), address: address.into(), port, answers: Fact::Known(Answer::Connected(3)) }
}
