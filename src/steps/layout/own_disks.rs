//! Whether what this host mounts, swaps on and boots from lies on its own disks, and no other attached one answers to its names.

mod called;
mod layers;
mod names;
pub(in crate::steps) mod ours;
mod owner;
mod release;
#[cfg(test)]
mod tests;
mod to_come;
mod volume_groups;

use std::path::Path;

use crate::changes::Change;
use crate::facts::disks::Disk;
use crate::facts::disks::distinct;
use crate::facts::disks::users::Use;
use crate::facts::{Fact, Facts};
use crate::host::ScsiId;
use crate::profile::Profile;
use crate::steps::remedy::{Remedy, Request};
use crate::steps::retention::{find, identity};
use crate::steps::tally::Tally;
use crate::steps::{Status, id, image, need, twins};

use crate::state::paths::DIRECTORY;
use owner::{Look, Name, Owner};

const EXPECTED: &str = "all that this host mounts, swaps on and boots from on disks of its own, and its names on no other attached disk";

pub(super) fn own_disks(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    if image::is_copy(facts) {
        return Err(Status::Blocked { by: id::IMAGE_IDENTITY.to_owned() });
    }
    let look = Look::new(profile, facts)?;
    let (mut tally, mut fix, mut own) = (Tally::default(), Vec::new(), Vec::new());
    for disk in distinct(look.disks.iter().collect()) {
        let uses = look.uses(disk);
        if uses.is_empty() {
            continue;
        }
        match look.owner(disk) {
            Owner::Own => own.push(disk.name.as_str()),
            // Which of several it is, their names do not tell: of those more is said below.
            Owner::Unknown => {}
            Owner::NoId => {
                tally.know(Err::<(), _>(Status::Blocked { by: id::SCSI_IDS.to_owned() }));
            }
            // Which disk it is, a record that cannot be read does not say.
            Owner::Other(_) if look.is_in_its_place(disk) && facts.retention_record.known().is_none() => {
                tally.know(need(&facts.retention_record, "the record of the retention volume"));
            }
            Owner::Other(why) => {
                tally.problem(problem(disk, &uses, why));
                fix.push(release::fix(&look, disk, &uses));
            }
        }
    }
    look.on_no_disk(&mut tally);
    if let Some(trace) = look.lost {
        tally.unknown(format!(
            "the record of this machine's identity is lost ({trace}), and what is in use now does not say whose it is: mt-agent \
             state tells what this host shows, and mt-agent state repair records this machine anew, of its own disks that of / alone"
        ));
    }
    // What else is advised would be written to the disk that carries / now.
    let is_root_foreign = fix.iter().any(|fix| fix.starts_with(release::LEAVE));
    let mut by_name = Vec::new();
    names::look(&look, &mut tally, &mut by_name);
    if is_root_foreign {
        fix.retain(|fix| fix.starts_with(release::LEAVE));
    } else {
        fix.extend(by_name);
        if look.lost.is_some() && !fix.is_empty() {
            fix.push("after the release, mt-agent state repair records this machine anew".to_owned());
        }
    }
    let mut found = own.join(", ");
    if look.recorded.is_none_or(|record| record.own_disks.is_none()) {
        found.push_str(" (not on record yet)");
    }
    Ok(tally.status(found, EXPECTED, fix.join("; ")))
}

/// The file systems below which a change writes.
const WRITTEN: [&str; 8] =
    ["/boot/grub", "/etc", "/lib", "/sbin", "/usr/local", "/usr/sbin", DIRECTORY, "/var/log"];

/// Whether this host uses a disk that is not its own, or of which it is not known. Of a copy of another machine nothing is told.
pub fn uses_foreign(profile: &Profile, facts: &Facts) -> bool {
    is_foreign_where(profile, facts, |_| true)
}

/// What of that which a change or a person writes to lies on disks that are not this host's, or of which it is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    Nothing,
    /// Something below which a change writes.
    Part,
    /// `/` itself: what is found there is not this host's.
    Root,
}

/// Whether what is written on this host would be written to a disk that is not its own.
pub fn foreign(profile: &Profile, facts: &Facts) -> Foreign {
    let is_below = |one: &Use| match one {
        Use::Mounted { at, .. } => WRITTEN.iter().any(|path| Path::new(path).starts_with(at)),
        Use::Swap { .. } | Use::Held { .. } => false,
    };
    let is_so =
        |is_it: &dyn Fn(&Use) -> bool| is_foreign_where(profile, facts, |uses| uses.iter().any(is_it));
    if !is_so(&is_below) {
        Foreign::Nothing
    } else if !is_untold(facts) && is_so(&owner::is_root) {
        Foreign::Root
    } else {
        Foreign::Part
    }
}

fn is_foreign_where(profile: &Profile, facts: &Facts, is_so: impl Fn(&[Use]) -> bool) -> bool {
    let waived = profile.waivers.iter().any(|waiver| waiver.requirement == id::OWN_DISKS);
    if waived || image::is_copy(facts) {
        return false;
    }
    let Ok(look) = Look::new(profile, facts) else { return is_untold(facts) };
    look.disks.iter().any(|disk| {
        let uses = look.uses(disk);
        !uses.is_empty() && is_so(&uses) && matches!(look.owner(disk), Owner::Other(_) | Owner::Unknown)
    })
}

/// Whether a damaged record is why whose the disks are cannot be determined: whoever is not root cannot read it, and changes nothing.
fn is_untold(facts: &Facts) -> bool {
    facts.privileged
        && match &facts.identity.recorded {
            Fact::Known(Some(_)) | Fact::NotApplicable(_) => false,
            Fact::Known(None) => image::lost::trace(facts).is_err(),
            Fact::Unknown(_) => true,
        }
}

/// Of the disks that a plan puts on record, that nothing of this host is in use on one: its name may be mistaken.
pub fn note(profile: &Profile, facts: &Facts, change: &Change) -> Option<String> {
    let Change::RecordOwnDisks { scsi_ids } = change else { return None };
    let look = Look::new(profile, facts).ok()?;
    let is_idle =
        |disk: &&Disk| disk.id().is_some_and(|id| scsi_ids.contains(id)) && look.uses(disk).is_empty();
    let idle: Vec<_> = distinct(look.disks.iter().filter(is_idle).collect());
    let names: Vec<_> = idle.into_iter().map(owner::describe).collect();
    (!names.is_empty()).then(|| {
        format!(
            "--own-disk: nothing of this host is mounted from {} or held by it now: be sure that it is no disk of a protected \
             machine before it is put on record",
            names.join(", ")
        )
    })
}

fn problem(disk: &Disk, uses: &[Use], why: &str) -> String {
    let name = owner::describe(disk);
    if uses.iter().any(owner::is_root) {
        return format!(
            "/ ITSELF LIES ON {name}, {why}: this host has started from what may be the disk of a protected machine, and \
             writes to it"
        );
    }
    let uses: Vec<_> = uses.iter().map(Use::to_string).collect();
    format!("{name}, {why}, is {}", uses.join(", "))
}

/// The SCSI IDs of the disks that an apply puts on record by itself: those in use, of a host of which none are on record yet and
/// where nothing speaks against one of them, nor is unknown.
pub fn first(profile: &Profile, facts: &Facts) -> Option<Vec<ScsiId>> {
    if facts.identity.recorded.known()?.as_ref().is_some_and(|record| record.own_disks.is_some()) {
        return None;
    }
    matches!(own_disks(profile, facts), Ok(Status::Met { .. })).then(|| in_use(profile, facts)).flatten()
}

/// The SCSI IDs of this host's own disks in use; `None` where one has none. The retention disk has a record of its own, but for
/// one that a person made.
fn in_use(profile: &Profile, facts: &Facts) -> Option<Vec<ScsiId>> {
    let look = Look::new(profile, facts).ok()?;
    let own = |disk: &&Disk| {
        !look.uses(disk).is_empty() && look.owner(disk) == Owner::Own && !look.is_retention(disk)
    };
    let disks = distinct(look.disks.iter().collect());
    // What is no SCSI disk never has one, and is told by its place.
    disks
        .into_iter()
        .filter(own)
        .filter_map(|disk| disk.id_of_scsi().transpose())
        .map(|id| id.ok().cloned())
        .collect()
}

/// Puts the disks on record that a person names as this host's own.
pub(in crate::steps) fn record(profile: &Profile, facts: &Facts, request: &Request) -> Remedy {
    if request.own_disks.is_empty() {
        return Remedy::None;
    }
    let refuse = |why: &str| Remedy::Refused(format!("--own-disk: {why}"));
    let recorded = match &facts.identity.recorded {
        Fact::Known(recorded) => recorded.as_ref(),
        Fact::Unknown(why) | Fact::NotApplicable(why) => return refuse(why),
    };
    if image::is_copy(facts) {
        return refuse("this machine is a copy of another one: image.identity comes first");
    }
    let mut ids = Vec::new();
    for name in &request.own_disks {
        match find(facts, name).and_then(|disk| Ok((disk, identity(facts, disk)?))) {
            Err(why) => return refuse(&why),
            Ok((disk, id)) => match refused(profile, facts, disk) {
                Some(why) => return refuse(&why),
                None => ids.push(id),
            },
        }
    }
    let is_told = recorded.is_some_and(|record| record.own_disks.is_some());
    ids.retain(|id| !is_told || recorded.is_some_and(|record| !record.owns(id)));
    if ids.is_empty() {
        return Remedy::None;
    }
    let mut scsi_ids = Vec::new();
    if !is_told {
        let Some(own) = in_use(profile, facts) else {
            return refuse("a disk that this host uses has no SCSI ID to be put on record by: see scsi.ids");
        };
        scsi_ids = own;
    }
    for id in ids {
        if !scsi_ids.contains(&id) {
            scsi_ids.push(id);
        }
    }
    Remedy::With { changes: vec![Change::RecordOwnDisks { scsi_ids }], needs: &[id::SCSI_IDS_UNIQUE] }
}

/// How a person named disks of this host.
pub(super) fn option(request: &Request) -> Option<String> {
    let all: Vec<_> = request.own_disks.iter().map(|name| format!("--own-disk {name}")).collect();
    (!all.is_empty()).then(|| all.join(" "))
}

/// Whether a person names a disk that is not on record yet, or must not be, whatever is found otherwise.
pub fn is_asked(profile: &Profile, facts: &Facts, request: &Request) -> bool {
    record(profile, facts, request) != Remedy::None
}

/// Why a disk is not taken for this host's own, whoever says so.
fn refused(profile: &Profile, facts: &Facts, disk: &Disk) -> Option<String> {
    let named = format!("{} is not put on record", owner::describe(disk));
    let look = match Look::new(profile, facts) {
        Ok(look) => look,
        Err(status) => return Some(format!("{named}: {}", status.describe())),
    };
    if look.is_retention(disk) {
        return Some(format!("{named}: it is the retention disk, which has a record of its own"));
    }
    for Name { place, name, .. } in look.names() {
        let twins = match twins::of(name, facts) {
            Ok(twins) => twins,
            // What could not be read may be this host's own of that name.
            Err(status) => return Some(format!("{named}: {}", status.describe())),
        };
        let (mine, others): (Vec<_>, Vec<_>) =
            twins.iter().map(|twin| twin.disk).partition(|one| one.is_same(disk));
        if mine.is_empty() || others.is_empty() {
            continue;
        }
        let own = others.iter().find(|other| look.owner(other) == Owner::Own);
        return Some(match own {
            Some(own) => format!(
                "{named}: it has the name {name} ({place}) of this host's own disk {}. If it is a protected machine's, detach it",
                owner::describe(own)
            ),
            None => format!(
                "{named}: it is one of several attached disks that {place} by {name} can mean; detach first what is a protected \
                 machine's"
            ),
        });
    }
    None
}
