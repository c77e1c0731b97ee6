//! What a template carries that a clone must not, where finding it is more than looking at a place.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::places::{self, bytes, is_directory};
use super::{Item, Template, edit};
use crate::changes::scrub::{self, DEPTH};
use crate::changes::{fstab, multipath};
use crate::facts::Fact;
use crate::facts::custom_changes;
use crate::facts::fstab::COMMENT;
use crate::host::files;
use crate::platform::template::RED_HAT;
use crate::state::paths;
use crate::state::vendor_script::{Outcome, Record};
use crate::steps::image::root_disk;

/// What stands for a root disk's SCSI ID in a sealed image: `3` and an identifier of NAA type 0, which no disk has. The
/// first boot of a clone finds it as the ID of another disk, and puts its own there.
pub const NO_DISK: &str = "300000000000000000000000000000000";

/// What a sealed image is called until it is given its name.
pub const NO_NAME: &str = "localhost.localdomain";

/// Where the kernel shows what it knows, and what a boot makes anew: no place of an image's files.
const KERNEL_S: [&str; 4] = ["/proc", "/sys", "/dev", "/run"];

/// Where files are replaced by renaming; what an interrupted replacement left lies beside them.
const REPLACED_IN: [&str; 10] = [
    "/etc",
    "/etc/sysconfig",
    "/etc/sysconfig/network-scripts",
    "/etc/sysconfig/networking/devices",
    "/etc/sysconfig/networking/profiles/default",
    "/etc/dhcp",
    "/usr/sbin",
    "/var/spool/mail",
    LOG_DIRECTORY,
    paths::DIRECTORY,
];

/// Where logs lie: the agent's too, which as its journal names this machine's disks.
pub(super) const LOG_DIRECTORY: &str = "/var/log";

pub(super) fn remove(path: impl Into<String>) -> Item {
    Item::Remove { path: path.into() }
}

/// What `wanted` of the names in `directory` are, but for directories.
fn in_directory(
    template: &Template<'_>,
    directory: &str,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<Item>> {
    let names = places::names(template, directory)?;
    let paths = names.iter().filter(|name| wanted(name)).map(|name| format!("{directory}/{name}"));
    Ok(paths.filter(|path| !is_directory(template, path)).map(remove).collect())
}

/// The file with another content, where that is another one.
pub(super) fn rewritten(
    template: &Template<'_>,
    path: &str,
    what: &str,
    edit: impl Fn(&[u8]) -> Vec<u8>,
) -> Result<Option<Item>> {
    let Some(before) = bytes(template, path)? else { return Ok(None) };
    let content = edit(&before);
    let item = || Item::Rewrite { path: path.to_owned(), what: what.to_owned(), content: content.clone() };
    Ok((content != before).then(item))
}

pub(super) fn hostname(template: &Template<'_>) -> Result<Vec<Item>> {
    let os = &template.facts.os;
    if let Some(why) = unknown(&os.configured_hostname).or(unknown(&os.hostname)) {
        bail!("what this machine is called: {why}");
    }
    let names = [os.hostname.known().cloned(), os.configured_hostname.known().cloned().flatten()];
    let mut own = BTreeSet::new();
    for name in names.into_iter().flatten().map(|name| name.to_ascii_lowercase()) {
        let short = name.split('.').next().unwrap_or_default().to_owned();
        if !short.is_empty() && short != "localhost" {
            own.extend([short, name]);
        }
    }
    let own: Vec<String> = own.into_iter().collect();
    let named = format!("named {NO_NAME}");
    let mut found = Vec::new();
    // In this order: interrupted after the last ones, nobody knows the name any more.
    for path in places::files(template, RED_HAT.named)? {
        let item = match path.rsplit('/').next().unwrap_or_default() {
            "hosts" if own.is_empty() => None,
            "hosts" => {
                let what = format!("without {}", own.join(" and "));
                rewritten(template, &path, &what, |text| edit::without_names(text, &own))?
            }
            "hostname" => rewritten(template, &path, &named, |_| format!("{NO_NAME}\n").into_bytes())?,
            _ => rewritten(template, &path, &named, |text| edit::with_value(text, "HOSTNAME", NO_NAME))?,
        };
        found.extend(item);
    }
    Ok(found)
}

/// systemd wants an empty file where it is to make an id; D-Bus wants none.
pub(super) fn machine_id(template: &Template<'_>) -> Result<Vec<Item>> {
    const OF_DBUS: &str = "/var/lib/dbus/machine-id";
    // Often a link to the other one: that is no copy of it.
    let is_file = places::size(template, OF_DBUS).is_some();
    let mut found: Vec<Item> = is_file.then(|| remove(OF_DBUS)).into_iter().collect();
    found.extend(rewritten(template, "/etc/machine-id", "empty", |_| Vec::new())?);
    Ok(found)
}

/// The root disk's ID: of the running template what its disk answers, of a tree what the vendor's script wrote down.
fn root_disk_ids(template: &Template<'_>) -> Result<Vec<String>> {
    let facts = template.facts;
    let disks = facts.disks.known().into_iter().flatten();
    let live = disks.filter(|disk| root_disk(facts) == Some(&disk.name)).find_map(|disk| disk.id().cloned());
    let written = facts.custom_changes.blacklistrootdev_id.known().cloned().flatten();
    let live = live.map(|id| id.to_string());
    let mut ids: BTreeSet<String> = live.into_iter().chain(written).collect();
    if ids.is_empty() {
        // Without both there is what is blacklisted, which a person may have added to.
        let configuration = facts.multipath.configuration.known().and_then(Option::as_ref);
        let entries = configuration.into_iter().flat_map(|configuration| &configuration.blacklist_wwids);
        let plain = |entry: &String| {
            custom_changes::parse_blacklist_script(entry.trim_start_matches('^').trim_end_matches('$'))
        };
        ids.extend(entries.filter_map(plain));
        if ids.contains(NO_DISK) {
            // Sealed before: the root disk's is out, and the others are a person's.
            return Ok(Vec::new());
        }
        if ids.len() > 1 {
            bail!(
                "cannot determine which of {} is the root disk's: take it out of the blacklist of {} by hand, then --skip \
                 root-disk-id",
                ids.into_iter().collect::<Vec<_>>().join(", "),
                multipath::CONFIGURATION
            );
        }
    }
    ids.remove(NO_DISK);
    Ok(ids.into_iter().collect())
}

pub(super) fn root_disk_id(template: &Template<'_>) -> Result<Vec<Item>> {
    if let Some(why) = unknown(&template.facts.custom_changes.blacklistrootdev_id) {
        bail!("{}: {why}", multipath::SCRIPT);
    }
    if let Some(why) = unknown(&template.facts.multipath.configuration) {
        bail!("{}: {why}", multipath::CONFIGURATION);
    }
    let ids = root_disk_ids(template)?;
    let edit =
        |text: &[u8]| ids.iter().fold(text.to_vec(), |text, id| edit::with_id_replaced(&text, id, NO_DISK));
    let mut found = Vec::new();
    let log = template.profile.custom_changes.log.display().to_string();
    // The script comes last: of a tree, and after an interruption, the ID is known from it.
    for path in [log.as_str(), multipath::CONFIGURATION, multipath::SCRIPT] {
        found.extend(rewritten(template, path, "no disk's SCSI ID in place of this root disk's", edit)?);
    }
    Ok(found)
}

fn unknown<T>(fact: &Fact<T>) -> Option<&str> {
    match fact {
        Fact::Unknown(why) => Some(why),
        _ => None,
    }
}

/// What the installer of the site's software reads the passphrase from, and what it keeps of it.
pub(super) fn passphrases(template: &Template<'_>) -> Result<Vec<Item>> {
    const NAMES: [&str; 2] = ["passphrase.txt", "connection.passphrase"];
    let mut found = BTreeSet::new();
    // Of a mount point at which nothing is mounted, the file system around it is looked through already.
    let mut seen = BTreeSet::new();
    for point in template.own_mount_points() {
        let place = template.host.resolve(point).with_context(|| format!("looking for {point}"))?;
        if template.device_of(point).is_some_and(|device| seen.insert(device)) {
            look_through(&place, Path::new(point), DEPTH, &NAMES, &mut found)?;
        }
    }
    Ok(found.into_iter().map(remove).collect())
}

/// The files below `directory`, which is `path` of the template, that have one of these names, whatever its case; what is
/// mounted there, and links, are not followed. An image has some hundred thousand files: none is looked at for its name.
fn look_through(
    directory: &Path,
    path: &Path,
    depth: usize,
    wanted: &[&str],
    found: &mut BTreeSet<String>,
) -> Result<()> {
    let reading = || format!("reading the directory {}", path.display());
    if depth == 0 {
        bail!("{} lies {DEPTH} directories deep: what is below it could not be looked at", path.display());
    }
    let opened = directory.metadata().and_then(|meta| Ok((meta.dev(), fs::read_dir(directory)?)));
    let (device, entries) = match opened {
        // The template may be running.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened.with_context(reading)?,
    };
    for entry in entries {
        let entry = entry.with_context(reading)?;
        let (name, kind) = (entry.file_name(), entry.file_type().with_context(reading)?);
        let below = path.join(&name);
        if kind.is_dir() {
            // What is mounted and cannot be looked at (FUSE tells not even root) is nobody's file system of the image.
            let is_same = entry.metadata().is_ok_and(|meta| meta.dev() == device);
            if is_same && !KERNEL_S.iter().any(|kernel_s| below == Path::new(kernel_s)) {
                look_through(&entry.path(), &below, depth - 1, wanted, found)?;
            }
        } else if wanted.iter().any(|wanted| name.eq_ignore_ascii_case(wanted)) {
            let Some(below) = below.to_str() else {
                bail!("{} has a name that is not UTF-8: rename or remove it by hand", below.display());
            };
            found.insert(below.to_owned());
        }
    }
    Ok(())
}

pub(super) fn retention_line(template: &Template<'_>) -> Result<Vec<Item>> {
    let mount_point = &template.profile.retention.mount_point;
    let what = format!("without {mount_point}");
    let edit = |text: &[u8]| edit::without_mount(text, mount_point, COMMENT);
    Ok(rewritten(template, fstab::PATH, &what, edit)?.into_iter().collect())
}

/// All that the agent keeps, but for the record of the vendor's script where that ran in this image, for what it unpacked,
/// and for what sealing itself writes.
pub(super) fn agent_state(template: &Template<'_>) -> Result<Vec<Item>> {
    let records = [paths::RETENTION, paths::IDENTITY, paths::JOURNAL];
    let mut found: Vec<Item> = places::files(template, &records)?.into_iter().map(remove).collect();
    let record = template.facts.custom_changes.record.known().and_then(Option::as_ref);
    if record.is_some_and(|record: &Record| matches!(record.outcome, Outcome::Failed(_))) {
        found.push(remove(paths::VENDOR_SCRIPT));
    }
    for directory in [paths::SAVED, paths::SET_ASIDE] {
        if template.host.exists(directory) {
            let mut below = Vec::new();
            walk(template, directory, DEPTH, &mut |path| below.push(remove(path)))?;
            found.extend(below);
            found.push(remove(directory));
        }
    }
    found.extend(in_directory(template, LOG_DIRECTORY, |name| name.starts_with(paths::log().1))?);
    let beside =
        |name: &str| name.starts_with('.') && [files::NEW, scrub::OLD].iter().any(|end| name.ends_with(end));
    let log = template.profile.custom_changes.log.parent().and_then(Path::to_str);
    let directories: BTreeSet<&str> = REPLACED_IN.into_iter().chain(log).collect();
    for directory in directories {
        found.extend(in_directory(template, directory, beside)?);
    }
    Ok(found)
}

/// Everything below `directory`, what lies in a directory before the directory itself. A link is followed where the walk
/// begins (/home may be one), and nowhere else.
pub(super) fn walk(
    template: &Template<'_>,
    directory: &str,
    depth: usize,
    seen: &mut dyn FnMut(&str),
) -> Result<()> {
    if depth == 0 {
        bail!("{directory} lies {DEPTH} directories deep: what is below it could not be looked at");
    }
    for name in places::names(template, directory)? {
        let path = format!("{}/{name}", directory.trim_end_matches('/'));
        if is_directory(template, &path) {
            walk(template, &path, depth - 1, seen)?;
        }
        seen(&path);
    }
    Ok(())
}
