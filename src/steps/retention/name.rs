//! The disk that a person names, and how long that name holds.

use crate::facts::Facts;
use crate::facts::disks::{self, Disk};
use crate::facts::guest_info::RETENTION_DISK;
use crate::host::device_name::{id_in, is_naa, short};
use crate::host::{DeviceName, ScsiId, text};
use crate::profile::Profile;
use crate::steps::nearest::nearest;
use crate::steps::remedy::{Request, Takeover};

use super::identity::{describe, identity};

/// How the retention disk is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Named<'a> {
    /// The name.
    pub name: &'a str,
    /// Who names it.
    pub by: By,
}

/// Who names the retention disk. Of several, the first one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum By {
    /// `--retention-disk`.
    Person,
    /// `retention.disk` of the profile.
    Profile,
    /// The VM's configuration.
    Guest,
}

impl By {
    fn words(self) -> String {
        match self {
            Self::Person => "--retention-disk names".to_owned(),
            Self::Profile => "the profile names".to_owned(),
            Self::Guest => format!("{RETENTION_DISK} names"),
        }
    }

    /// Whether its names outlive restarts.
    fn lasts(self) -> bool {
        self != Self::Person
    }
}

/// All that name the retention disk, the one that counts first.
fn names<'a>(profile: &'a Profile, facts: &'a Facts, request: &'a Request) -> Vec<Named<'a>> {
    let guest = facts.guest_retention_disk.known().and_then(Option::as_deref);
    let all = [
        (request.retention_disk.as_deref(), By::Person),
        (profile.retention.disk.as_deref(), By::Profile),
        (guest, By::Guest),
    ];
    all.into_iter().filter_map(|(name, by)| Some(Named { name: name?, by })).collect()
}

/// How the retention disk is named, where it is.
pub(super) fn asked<'a>(profile: &'a Profile, facts: &'a Facts, request: &'a Request) -> Option<Named<'a>> {
    names(profile, facts, request).into_iter().next()
}

/// That two name different disks, in words.
pub fn disagreement(profile: &Profile, facts: &Facts, request: &Request) -> Option<String> {
    let first = asked(profile, facts, request)?;
    let others = contrary(profile, facts, request)?;
    Some(format!("{others}, but {} {}, which counts", first.by.words(), text::safe(first.name)))
}

/// What names another disk than the name that counts, in words.
pub(super) fn contrary(profile: &Profile, facts: &Facts, request: &Request) -> Option<String> {
    let names = names(profile, facts, request);
    let (first, rest) = names.split_first()?;
    let meant = |named: &Named<'_>| match find(facts, named.name) {
        Ok(disk) => Ok(disk.device_number()),
        Err(_) => Err(named.name.to_owned()),
    };
    let others: Vec<_> = rest.iter().filter(|other| meant(other) != meant(first)).collect();
    let say = |named: &Named<'_>| format!("{} {}", named.by.words(), text::safe(named.name));
    (!others.is_empty()).then(|| others.iter().map(|other| say(other)).collect::<Vec<_>>().join(", "))
}

/// Why the name may not be used, whichever disk has it now. What a profile or the VM's configuration says outlives many
/// restarts, and after each of them a name that the kernel gives out can be another disk's.
pub(super) fn moves(facts: &Facts, named: &Named<'_>) -> Option<String> {
    if !named.by.lasts() || !can_move(facts, named.name) {
        return None;
    }
    let now = find(facts, named.name).and_then(|disk| identity(facts, disk));
    let now = now.map(|id| format!(" (now {id})")).unwrap_or_default();
    Some(format!(
        "{} the disk {}, which can be another one after each restart: put its SCSI ID{now} there",
        named.by.words(),
        text::safe(named.name)
    ))
}

/// That what a person named is a disk of this host, whether or not a disk is to be chosen yet.
/// Errors: One line that names the option and what it has.
pub(super) fn check_names(facts: &Facts, request: &Request) -> Result<(), String> {
    if facts.disks.known().is_none() {
        return Ok(());
    }
    let option = request.takeover.map_or("--retention-disk", Takeover::option);
    let named = [(option, &request.retention_disk), ("--erase-disk", &request.erase_disk)];
    let named = named.into_iter().filter_map(|(option, name)| Some((option, name.as_ref()?)));
    for (option, name) in named.chain(request.own_disks.iter().map(|name| ("--own-disk", name))) {
        if let Err(why) = find(facts, name) {
            return Err(format!("{option}: {why}"));
        }
    }
    Ok(())
}

/// Whether `name` means the disk `disk`.
pub fn means(facts: &Facts, name: &str, disk: Option<&str>) -> bool {
    find(facts, name).is_ok_and(|found| Some(found.name.as_str()) == disk)
}

/// What is asked for, as it holds after a restart: disks by their SCSI IDs alone. The kernel gives out `sdb` anew
/// at every boot, and `mpatha` can move too.
/// `None` where a name that can move leads to no disk with an ID now: whichever disk has it then was never meant.
pub fn lasting(profile: &Profile, facts: &Facts, request: &Request) -> Option<Request> {
    let lasting = |name: &str| {
        let now = find(facts, name).and_then(|disk| identity(facts, disk)).ok().map(|id| id.to_string());
        now.or_else(|| (!can_move(facts, name)).then(|| name.to_owned()))
    };
    let mut request = request.clone();
    request.retention_disk = match asked(profile, facts, &request) {
        Some(named) if moves(facts, &named).is_none() => Some(lasting(named.name)?),
        _ => None,
    };
    if request.retention_disk.is_none() {
        request.takeover = None;
    }
    request.erase_disk = match request.erase_disk.as_deref() {
        Some(name) => Some(lasting(name)?),
        None => None,
    };
    Some(request)
}

/// Whether `name` is one that another disk can have after a restart: whatever is not made of a SCSI ID.
pub(super) fn can_move(facts: &Facts, name: &str) -> bool {
    // What an attached disk answers with is its SCSI ID, whatever that looks like; one that is no NAA name is known by that alone.
    let is_of_a_disk = || facts.disks.known().into_iter().flatten().any(|disk| disk.has_id(name));
    let is_other_id = ScsiId::is_one(name) && !is_naa(name);
    let lasts = DeviceName::of_disk(name).names_a_disk_for_good() && !is_other_id;
    !lasts && !is_of_a_disk()
}

/// The disk that `name` means: kernel name, path, SCSI ID, by-id name or map.
pub(in crate::steps) fn find<'a>(facts: &'a Facts, name: &str) -> Result<&'a Disk, String> {
    let disks = facts.disks.known().ok_or("the disks could not be read")?;
    if DeviceName::of_disk(name) == DeviceName::Place {
        return Err(format!(
            "{} is the name of a place, whatever disk is in it: give the SCSI ID of the disk (mt-agent disks lists them)",
            text::safe(name)
        ));
    }
    let by_id = facts.filesystems.known().map(|links| &links.by_id);
    disks::find(disks, by_id, name)?.ok_or_else(|| nobody(facts, name))
}

/// That no disk is called `name`.
fn nobody(facts: &Facts, name: &str) -> String {
    let id = id_in(short(name)).unwrap_or_else(|| short(name).to_owned());
    let name = text::safe(name);
    let record = facts.retention_record.known().and_then(Option::as_ref);
    if record.is_some_and(|record| record.scsi_id == *id) {
        return format!("{name} is the disk on record, which is not attached");
    }
    let ids = facts.disks.known().into_iter().flatten().filter_map(Disk::id).map(ScsiId::as_str);
    let close = nearest(&id, ids);
    let close = if close.is_empty() {
        String::new()
    } else {
        let all = close.into_iter().map(text::safe).collect::<Vec<_>>().join(", ");
        format!("; close to it: {all}")
    };
    format!(
        "no disk is called {name}{close}: give a SCSI ID, a /dev/disk/by-id name or a /dev path of a whole disk (mt-agent disks \
         lists them)"
    )
}

/// Where the disk with this SCSI ID is: `is on sdb (36000c29…, 1 TiB)`.
pub(super) fn whereabouts(facts: &Facts, scsi_id: &str) -> String {
    match find(facts, scsi_id) {
        Ok(disk) => format!("is on {}", describe(disk)),
        Err(_) => format!("is on the disk {}, which is not attached", text::safe(scsi_id)),
    }
}
