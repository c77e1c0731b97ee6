//! Values that are right by themselves and wrong together; and then the validated profile.

mod installation;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::model::{
    CustomChanges, FileSpec, Files, Hypervisor, Layout, Network, Os, Packages, PartitionSpec, Profile,
    Retention, Server, Site, Sizing, Sources, Waiver,
};
use super::raw::{
    Architecture, PartitionType, RawFile, RawFiles, RawProfile, RawServer, RetentionType, ScriptStage,
    Unverified,
};
use super::values::{PackageName, Whole, date};
use super::wrong::{Wrong, quoted, suggestion};

/// TCP port of a configuration server.
const CONFIGURATION_PORT: u16 = 443;

/// TCP port on which a process server takes data.
const DATA_PORT: u16 = 9443;

/// Below this the later installation of the master target fails when the archive was unpacked there.
const NOT_FOR_WORK: &str = "/usr/local";

/// Directories that a volume mounted over them would hide.
const SYSTEM: [&str; 17] = [
    "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/mnt", "/opt", "/proc", "/root", "/run",
    "/sbin", "/sys", "/tmp", "/usr", "/var",
];

/// Directories in which nothing can be kept.
const NOT_FOR_FILES: [&str; 3] = ["/dev", "/proc", "/sys"];

/// The origins of all values, and how a contradiction is told with them.
struct Check<'a> {
    origins: &'a BTreeMap<String, String>,
}

impl Check<'_> {
    /// What is wrong with the value at `path`.
    fn wrong(&self, path: &str, what: impl Into<String>) -> Wrong {
        Wrong::at(self.at(path).unwrap_or_default(), path, what)
    }

    /// What is wrong with the value at `path` because of the one at `other`. It is told where a person can change
    /// it: in the file, when one of the two is the built-in profile's.
    fn clash(&self, path: &str, other: &str, what: impl Into<String>) -> Wrong {
        let fixed = |at: &Option<String>| at.as_ref().is_none_or(|at| at.starts_with("built-in "));
        let (mut at, other) = (self.at(path), self.at(other));
        if fixed(&at) && !fixed(&other) {
            at = other;
        }
        Wrong::at(at.unwrap_or_default(), path, what)
    }

    /// Where the value at `path` came from; of a mapping, its first value; of what is not there, its neighbour.
    fn at(&self, path: &str) -> Option<String> {
        let mut path = path;
        loop {
            if let Some((_, at)) =
                self.origins.range(path.to_owned()..).find(|(key, _)| key.starts_with(path))
            {
                return Some(at.clone());
            }
            path = &path[..path.rfind(['.', '['])?];
        }
    }

    /// A key and where it is set, for the end of a message.
    fn named(&self, path: &str) -> String {
        format!("{path} ({})", self.at(path).unwrap_or_else(|| "default".into()))
    }
}

/// Looks for contradictions, then makes the profile. `known_ids` are the requirements that can be waived.
pub fn validate(
    raw: &RawProfile,
    origins: BTreeMap<String, String>,
    known_ids: &[&str],
) -> Result<Profile, Wrong> {
    let check = Check { origins: &origins };
    layout(raw, &check)?;
    packages("packages.base", &raw.packages.base, &check)?;
    packages("packages.multipath", &raw.packages.multipath, &check)?;
    files(raw, &check)?;
    custom_changes(raw, &check)?;
    retention(raw, &check)?;
    installation::check(&raw.installation, &check)?;
    waivers(raw, known_ids, &check)?;
    Ok(profile(raw, origins))
}

fn layout(raw: &RawProfile, check: &Check<'_>) -> Result<(), Wrong> {
    let partitions = &raw.layout.partitions;
    for (index, partition) in partitions.iter().enumerate() {
        let path = format!("layout.partitions[{index}].mount");
        let mount = &partition.mount.0;
        if let Some(first) = partitions[..index].iter().position(|other| other.mount.0 == *mount) {
            let first = check.named(&format!("layout.partitions[{first}].mount"));
            return Err(check.wrong(&path, format!("found `{mount}`, which is also {first}")));
        }
        if let Some(system) = NOT_FOR_FILES.iter().find(|system| inside(mount, system)) {
            return Err(check.wrong(&path, format!("found `{mount}`, but {system} belongs to the kernel")));
        }
    }
    if !partitions.iter().any(|partition| partition.mount.0 == "/") {
        return Err(check.wrong("layout.partitions", "`/` is not among them, expected at least `/`"));
    }
    Ok(())
}

fn packages(path: &str, names: &[PackageName], check: &Check<'_>) -> Result<(), Wrong> {
    if names.is_empty() {
        let what =
            format!("found an empty list, expected at least one package; to do without, waive `{path}`");
        return Err(check.wrong(path, what));
    }
    for (index, name) in names.iter().enumerate() {
        if names[..index].contains(name) {
            return Err(check
                .wrong(&format!("{path}[{index}]"), format!("found `{}`, which is listed already", name.0)));
        }
    }
    Ok(())
}

fn files(raw: &RawProfile, check: &Check<'_>) -> Result<(), Wrong> {
    for (key, wanted, list) in
        [("reiserfs", raw.sources.reiserfs, &raw.files.reiserfs), ("xfs", raw.sources.xfs, &raw.files.xfs)]
    {
        if wanted && list.is_empty() {
            let (path, other) = (format!("sources.{key}"), format!("files.{key}"));
            let what = format!("found `true`, but no file is listed in {}", check.named(&other));
            return Err(check.clash(&path, &other, what));
        }
        for (index, file) in list.iter().enumerate() {
            let path = format!("files.{key}[{index}]");
            one_file(file, &raw.files, &path, check)?;
            if list[..index].iter().any(|other| other.package == file.package) {
                let what = format!("found `{}`, which is listed already", file.package.0);
                return Err(check.wrong(&format!("{path}.package"), what));
            }
        }
    }
    for (path, directory) in
        [("files.directory", Some(&raw.files.directory)), ("files.from", raw.files.from.as_ref())]
    {
        if let Some(directory) = directory {
            keeps(path, &directory.0, raw, check)?;
        }
    }
    Ok(())
}

fn one_file(file: &RawFile, files: &RawFiles, path: &str, check: &Check<'_>) -> Result<(), Wrong> {
    let (package, name) = (&file.package.0, &file.file.0);
    let rest = name.strip_prefix(package.as_str()).unwrap_or_default();
    if !rest.starts_with(['-', '_']) {
        let what = format!("found `{name}`, which is no file of the package `{package}`");
        return Err(check.wrong(&format!("{path}.file"), what));
    }
    if let Some((_, architecture)) = name.strip_suffix(".rpm").and_then(|name| name.rsplit_once('.')) {
        // The procedure's own address for xfsprogs says x86_65.
        if !matches!(architecture, "x86_64" | "noarch" | "i386" | "i486" | "i586" | "i686") {
            let what = format!("found `{name}`, which is for `{architecture}`, expected x86_64 or noarch");
            return Err(check.wrong(&format!("{path}.file"), what));
        }
    }
    if file.urls.is_empty() && files.from.is_none() {
        let what = "found no address, expected at least one, or a directory in files.from";
        return Err(check.wrong(&format!("{path}.urls"), what));
    }
    Ok(())
}

fn custom_changes(raw: &RawProfile, check: &Check<'_>) -> Result<(), Wrong> {
    let custom = &raw.custom_changes;
    let work = &custom.work_directory.0;
    if inside(work, NOT_FOR_WORK) {
        let what = format!(
            "found `{work}`, expected a directory that is not below {NOT_FOR_WORK}: unpacked there, the later \
             installation of the master target fails"
        );
        return Err(check.wrong("custom-changes.work-directory", what));
    }
    keeps("custom-changes.work-directory", work, raw, check)?;
    if custom.marker == custom.log {
        let (path, other) = ("custom-changes.marker", "custom-changes.log");
        let what = format!(
            "found `{}`, which is also {}; the script begins its log before it is done",
            custom.marker.0,
            check.named(other)
        );
        return Err(check.clash(path, other, what));
    }
    Ok(())
}

/// Refuses a directory in which we could not keep files.
fn keeps(path: &str, directory: &str, raw: &RawProfile, check: &Check<'_>) -> Result<(), Wrong> {
    if let Some(system) = NOT_FOR_FILES.iter().find(|system| inside(directory, system)) {
        return Err(check.wrong(path, format!("found `{directory}`, but {system} belongs to the kernel")));
    }
    let volume = &raw.retention.mount_point.0;
    if inside(directory, volume) {
        let other = "retention.mount-point";
        let what = format!(
            "found `{directory}`, which lies on the volume of {}; that is used for nothing else",
            check.named(other)
        );
        return Err(check.clash(path, other, what));
    }
    Ok(())
}

fn retention(raw: &RawProfile, check: &Check<'_>) -> Result<(), Wrong> {
    let path = "retention.mount-point";
    let mount = &raw.retention.mount_point.0;
    if SYSTEM.contains(&mount.as_str()) || NOT_FOR_FILES.iter().any(|system| inside(mount, system)) {
        let what = format!(
            "found `{mount}`, a directory of the system, expected one of its own such as `/mnt/retention`"
        );
        return Err(check.wrong(path, what));
    }
    for (index, partition) in raw.layout.partitions.iter().enumerate() {
        let other = format!("layout.partitions[{index}].mount");
        if inside(&partition.mount.0, mount) {
            let what = format!(
                "found `{mount}`, but the retention volume is used for nothing else, and `{}` is {}",
                partition.mount.0,
                check.named(&other)
            );
            return Err(check.clash(path, &other, what));
        }
    }
    Ok(())
}

/// Refuses a name of the retention disk that the kernel gives out anew at each start, or that of a place, which is whatever
/// disk is in it.
pub fn disk_lasts(profile: &Profile) -> Result<(), Wrong> {
    let moves = |name: &&str| is_kernel_s(name) || is_place(name) || is_friendly(name);
    let Some(name) = profile.retention.disk.as_deref().filter(moves) else { return Ok(()) };
    let what = format!(
        "found `{name}`, which can be another disk after each restart, expected its SCSI ID, /dev/mapper/ with that ID, or a \
         name below /dev/disk/by-id"
    );
    Err(Check { origins: &profile.origins }.wrong("retention.disk", what))
}

/// Whether `name` is one such as `sdb`, `/dev/sdb` or `/dev/sdb1`.
fn is_kernel_s(name: &str) -> bool {
    let name = name.strip_prefix("/dev/").unwrap_or(name).trim_end_matches(|c: char| c.is_ascii_digit());
    let letters = ["sd", "hd", "vd", "xvd"].iter().find_map(|kind| name.strip_prefix(kind));
    letters.is_some_and(|letters| {
        !letters.is_empty() && letters.bytes().all(|letter| letter.is_ascii_lowercase())
    })
}

/// Whether `name` is udev's for a place (`pci-0000:03:00.0-scsi-0:0:1:0`), or for what a disk carries (by-uuid, by-label).
fn is_place(name: &str) -> bool {
    name.starts_with("pci-")
        || name.strip_prefix("/dev/disk/").is_some_and(|below| !below.starts_with("by-id/"))
}

/// Whether `name` is one that multipath deals out: `mpatha`, `/dev/dm-0`.
fn is_friendly(name: &str) -> bool {
    let short = name.strip_prefix("/dev/").unwrap_or(name);
    let dealt = |kind: &str, part: fn(&u8) -> bool| {
        let rest = short.strip_prefix("mapper/").unwrap_or(short).strip_prefix(kind);
        rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| part(&byte)))
    };
    dealt("mpath", u8::is_ascii_lowercase) || dealt("dm-", u8::is_ascii_digit)
}

fn waivers(raw: &RawProfile, known_ids: &[&str], check: &Check<'_>) -> Result<(), Wrong> {
    for (index, waiver) in raw.waivers.iter().enumerate() {
        let path = format!("waivers[{index}].requirement");
        let id = &waiver.requirement.0;
        if !known_ids.contains(&id.as_str()) {
            let meant = suggestion(id, known_ids);
            let what =
                format!("there is no requirement {}{meant}; `mt-agent explain` lists them", quoted(id));
            return Err(check.wrong(&path, what));
        }
        if let Some(first) =
            raw.waivers[..index].iter().position(|other| other.requirement == waiver.requirement)
        {
            let first = check.named(&format!("waivers[{first}].requirement"));
            return Err(check.wrong(&path, format!("found `{id}`, which is also {first}")));
        }
    }
    Ok(())
}

/// Whether `path` is `directory` or lies below it.
fn inside(path: &str, directory: &str) -> bool {
    Path::new(path).starts_with(directory)
}

/// One line of words.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn profile(raw: &RawProfile, origins: BTreeMap<String, String>) -> Profile {
    let names = |names: &[PackageName]| names.iter().map(|name| name.0.clone()).collect();
    Profile {
        name: raw.name.0.clone(),
        description: raw.description.as_ref().map(|text| one_line(&text.0)).unwrap_or_default(),
        os: Os {
            release: raw.os.release.0.clone(),
            architecture: match raw.os.architecture {
                Architecture::X86_64 => "x86_64".into(),
            },
            timezone: raw.os.timezone.as_ref().map(|zone| zone.0.clone()),
        },
        sizing: Sizing {
            memory_bytes: raw.sizing.memory.0,
            cpus: raw.sizing.cpus.0,
            os_disk_bytes: raw.sizing.os_disk.0,
        },
        layout: Layout {
            partitions: raw
                .layout
                .partitions
                .iter()
                .map(|partition| PartitionSpec {
                    mount: partition.mount.0.clone(),
                    fs_type: partition_type(partition.fs_type).into(),
                })
                .collect(),
            swap: raw.layout.swap,
            root_on_lvm: raw.layout.root_on_lvm,
        },
        network: Network { static_address: raw.network.static_address },
        hypervisor: Hypervisor {
            // At most 60: see the type.
            max_disks: usize::try_from(raw.hypervisor.max_disks.0).unwrap_or_default(),
        },
        packages: Packages {
            base: names(&raw.packages.base),
            multipath: names(&raw.packages.multipath),
            lock_timeout: raw.packages.lock_timeout.0,
            deadline: raw.packages.deadline.0,
        },
        sources: Sources { reiserfs: raw.sources.reiserfs, xfs: raw.sources.xfs },
        files: Files {
            directory: PathBuf::from(&raw.files.directory.0),
            from: raw.files.from.as_ref().map(|path| PathBuf::from(&path.0)),
            ca_file: raw.files.ca_file.as_ref().map(|path| PathBuf::from(&path.0)),
            deadline: raw.files.deadline.0,
            accept_unverified: raw.files.unverified == Unverified::InstallWithoutVerification,
            reiserfs: raw.files.reiserfs.iter().map(file_spec).collect(),
            xfs: raw.files.xfs.iter().map(file_spec).collect(),
        },
        custom_changes: CustomChanges {
            archive: raw.custom_changes.archive.as_ref().map(|path| PathBuf::from(&path.0)),
            sha256: raw.custom_changes.sha256.as_ref().map(|sum| sum.0.to_lowercase()),
            script: raw.custom_changes.script.0.clone(),
            marker: PathBuf::from(&raw.custom_changes.marker.0),
            log: PathBuf::from(&raw.custom_changes.log.0),
            work_directory: PathBuf::from(&raw.custom_changes.work_directory.0),
            deadline: raw.custom_changes.deadline.0,
            in_image: raw.custom_changes.stage == ScriptStage::Image,
        },
        retention: Retention {
            disk: raw.retention.disk.as_ref().map(|disk| disk.0.clone()),
            mount_point: raw.retention.mount_point.0.clone(),
            fs_type: match raw.retention.filesystem {
                RetentionType::Ext4 => "ext4".into(),
                RetentionType::Xfs => "xfs".into(),
            },
            capacity_bytes: raw.retention.capacity.0,
            free_percent: raw.retention.free_percent.0,
        },
        site: Site {
            configuration_server: raw
                .site
                .configuration_server
                .as_ref()
                .map(|server| self::server(server, CONFIGURATION_PORT)),
            process_server: raw.site.process_server.as_ref().map(|server| self::server(server, DATA_PORT)),
            configuration_server_version: raw
                .site
                .configuration_server_version
                .as_ref()
                .map(|version| version.0.clone()),
        },
        installation: installation::made(&raw.installation),
        waivers: raw
            .waivers
            .iter()
            .filter_map(|waiver| {
                // Always a date: the type checked it.
                let until = date(&waiver.until.0)?;
                let (requirement, reason) = (waiver.requirement.0.clone(), one_line(&waiver.reason.0));
                let approved_by = waiver.approved_by.as_ref().map(|words| one_line(&words.0));
                Some(Waiver { requirement, reason, approved_by, until })
            })
            .collect(),
        origins,
    }
}

fn partition_type(fs_type: PartitionType) -> &'static str {
    match fs_type {
        PartitionType::Ext2 => "ext2",
        PartitionType::Ext3 => "ext3",
        PartitionType::Ext4 => "ext4",
        PartitionType::Xfs => "xfs",
        PartitionType::Btrfs => "btrfs",
        PartitionType::Vfat => "vfat",
    }
}

fn file_spec(file: &RawFile) -> FileSpec {
    FileSpec {
        package: file.package.0.clone(),
        file: file.file.0.clone(),
        urls: file.urls.iter().map(|url| url.0.clone()).collect(),
        sha256: file.sha256.as_ref().map(|sum| sum.0.to_lowercase()),
        collected_sha256: None,
    }
}

fn server(server: &RawServer, port: u16) -> Server {
    let Whole(named) = server.port.unwrap_or(Whole(port.into()));
    Server { address: server.address.0.clone(), port: u16::try_from(named).unwrap_or(port) }
}
