//! Values that are right by themselves and wrong together.

use std::collections::BTreeMap;
use std::path::Path;

use super::model::{FileSpec, Files, Profile};
use super::values::PackageName;
use super::wrong::{Wrong, quoted, suggestion};
use crate::host::DeviceName;

/// Below this the later installation of the master target fails when the archive was unpacked there.
const NOT_FOR_WORK: &str = "/usr/local";

/// Directories that a volume mounted over them would hide.
const SYSTEM: [&str; 17] = [
    "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/mnt", "/opt", "/proc", "/root", "/run",
    "/sbin", "/sys", "/tmp", "/usr", "/var",
];

/// Directories in which nothing can be kept.
const NOT_FOR_FILES: [&str; 3] = ["/dev", "/proc", "/sys"];

/// The origins of all values, and how a contradiction is reported with them.
struct Check<'a> {
    origins: &'a BTreeMap<String, String>,
}

impl Check<'_> {
    fn wrong(&self, path: &str, what: impl Into<String>) -> Wrong {
        Wrong::at(self.at(path).unwrap_or_default(), path, what)
    }

    /// What is wrong with the value at `path` because of the one at `other`. It is reported where a person can change
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

/// Looks for contradictions. `known_ids` are the requirements that can be waived.
pub fn validate(profile: &Profile, known_ids: &[&str]) -> Result<(), Wrong> {
    let check = Check { origins: &profile.origins };
    layout(profile, &check)?;
    packages("packages.base", &profile.packages.base, &check)?;
    packages("packages.multipath", &profile.packages.multipath, &check)?;
    files(profile, &check)?;
    custom_changes(profile, &check)?;
    retention(profile, &check)?;
    installation(profile, &check)?;
    waivers(profile, known_ids, &check)
}

fn layout(profile: &Profile, check: &Check<'_>) -> Result<(), Wrong> {
    let partitions = &profile.layout.partitions;
    for (index, partition) in partitions.iter().enumerate() {
        let path = format!("layout.partitions[{index}].mount");
        let mount = &*partition.mount;
        if let Some(first) = partitions[..index].iter().position(|other| other.mount == partition.mount) {
            let first = check.named(&format!("layout.partitions[{first}].mount"));
            return Err(check.wrong(&path, format!("found `{mount}`, which is also {first}")));
        }
        if let Some(system) = NOT_FOR_FILES.iter().find(|system| inside(mount, system)) {
            return Err(check.wrong(&path, format!("found `{mount}`, but {system} belongs to the kernel")));
        }
    }
    if !partitions.iter().any(|partition| &*partition.mount == "/") {
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
                .wrong(&format!("{path}[{index}]"), format!("found `{}`, which is listed already", name)));
        }
    }
    Ok(())
}

fn files(profile: &Profile, check: &Check<'_>) -> Result<(), Wrong> {
    for (key, wanted, list) in [
        ("reiserfs", profile.sources.reiserfs, &profile.files.reiserfs),
        ("xfs", profile.sources.xfs, &profile.files.xfs),
    ] {
        if wanted && list.is_empty() {
            let (path, other) = (format!("sources.{key}"), format!("files.{key}"));
            let what = format!("found `true`, but no file is listed in {}", check.named(&other));
            return Err(check.clash(&path, &other, what));
        }
        for (index, file) in list.iter().enumerate() {
            let path = format!("files.{key}[{index}]");
            one_file(file, &profile.files, &path, check)?;
            if list[..index].iter().any(|other| other.package == file.package) {
                let what = format!("found `{}`, which is listed already", file.package);
                return Err(check.wrong(&format!("{path}.package"), what));
            }
        }
    }
    for (path, directory) in
        [("files.directory", Some(&profile.files.directory)), ("files.from", profile.files.from.as_ref())]
    {
        if let Some(directory) = directory {
            keeps(path, directory, profile, check)?;
        }
    }
    Ok(())
}

fn one_file(file: &FileSpec, files: &Files, path: &str, check: &Check<'_>) -> Result<(), Wrong> {
    let (package, name) = (&*file.package, &*file.file);
    let rest = name.strip_prefix(package).unwrap_or_default();
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

fn custom_changes(profile: &Profile, check: &Check<'_>) -> Result<(), Wrong> {
    let custom = &profile.custom_changes;
    let work = &*custom.work_directory;
    if inside(work, NOT_FOR_WORK) {
        let what = format!(
            "found `{}`, expected a directory that is not below {NOT_FOR_WORK}: unpacked there, the later \
             installation of the master target fails",
            work.display()
        );
        return Err(check.wrong("custom-changes.work-directory", what));
    }
    keeps("custom-changes.work-directory", work, profile, check)?;
    if custom.marker == custom.log {
        let (path, other) = ("custom-changes.marker", "custom-changes.log");
        let what = format!(
            "found `{}`, which is also {}; the script begins its log before it is done",
            custom.marker,
            check.named(other)
        );
        return Err(check.clash(path, other, what));
    }
    Ok(())
}

/// Refuses a directory in which we could not keep files.
fn keeps(path: &str, directory: &Path, profile: &Profile, check: &Check<'_>) -> Result<(), Wrong> {
    if let Some(system) = NOT_FOR_FILES.iter().find(|system| inside(directory, system)) {
        return Err(
            check.wrong(path, format!("found `{}`, but {system} belongs to the kernel", directory.display()))
        );
    }
    let volume = &*profile.retention.mount_point;
    if inside(directory, volume) {
        let other = "retention.mount-point";
        let what = format!(
            "found `{}`, which lies on the volume of {}; that is used for nothing else",
            directory.display(),
            check.named(other)
        );
        return Err(check.clash(path, other, what));
    }
    Ok(())
}

fn retention(profile: &Profile, check: &Check<'_>) -> Result<(), Wrong> {
    let path = "retention.mount-point";
    let mount = &*profile.retention.mount_point;
    if SYSTEM.contains(&mount) || NOT_FOR_FILES.iter().any(|system| inside(mount, system)) {
        let what = format!(
            "found `{mount}`, a directory of the system, expected one of its own such as `/mnt/retention`"
        );
        return Err(check.wrong(path, what));
    }
    for (index, partition) in profile.layout.partitions.iter().enumerate() {
        let other = format!("layout.partitions[{index}].mount");
        if inside(&*partition.mount, mount) {
            let what = format!(
                "found `{mount}`, but the retention volume is used for nothing else, and `{}` is {}",
                partition.mount,
                check.named(&other)
            );
            return Err(check.clash(path, &other, what));
        }
    }
    Ok(())
}

/// Refuses a name of the retention disk that could never name one to format: what the kernel or multipath gives out anew at each
/// start, a place, which is whatever disk is in it, and what a disk carries.
pub fn disk_lasts(profile: &Profile) -> Result<(), Wrong> {
    let moves = |name: &&str| !DeviceName::of_disk(name).names_a_disk_for_good();
    let Some(name) = profile.retention.disk.as_deref().filter(moves) else { return Ok(()) };
    let what = format!(
        "found `{name}`, which can be another disk after each restart, expected its SCSI ID, /dev/mapper/ with that ID, or a \
         name below /dev/disk/by-id"
    );
    Err(Check { origins: &profile.origins }.wrong("retention.disk", what))
}

fn installation(profile: &Profile, check: &Check<'_>) -> Result<(), Wrong> {
    let sizes = &profile.installation.sizes;
    for (index, item) in sizes.iter().enumerate() {
        if let Some(first) = sizes[..index].iter().position(|other| other.mount == item.mount) {
            let first = check.named(&format!("installation.sizes[{first}].mount"));
            let path = format!("installation.sizes[{index}].mount");
            return Err(check.wrong(&path, format!("found `{}`, which is also {first}", item.mount)));
        }
    }
    Ok(())
}

fn waivers(profile: &Profile, known_ids: &[&str], check: &Check<'_>) -> Result<(), Wrong> {
    for (index, waiver) in profile.waivers.iter().enumerate() {
        let path = format!("waivers[{index}].requirement");
        let id = &*waiver.requirement;
        if !known_ids.contains(&id) {
            let meant = suggestion(id, known_ids);
            let what =
                format!("there is no requirement {}{meant}; `mt-agent explain` lists them", quoted(id));
            return Err(check.wrong(&path, what));
        }
        if let Some(first) =
            profile.waivers[..index].iter().position(|other| other.requirement == waiver.requirement)
        {
            let first = check.named(&format!("waivers[{first}].requirement"));
            return Err(check.wrong(&path, format!("found `{id}`, which is also {first}")));
        }
    }
    Ok(())
}

/// Whether `path` is `directory` or lies below it.
fn inside(path: impl AsRef<Path>, directory: &str) -> bool {
    path.as_ref().starts_with(directory)
}
