//! Golden images: this machine's identity is its own, not that of the image or machine that it was copied from.

pub(crate) mod lost;

use super::devices::{carriers, mount_at};
use super::remedy::Remedy;
use super::{Belongs, Place, RemediedBy, Requirement, Status, Waivable, id, is_image, need};
use crate::changes::Change;
use crate::facts::disks::Disk;
use crate::facts::identity::{Kind, Present, Record};
use crate::facts::marks::present;
use crate::facts::{Fact, Facts};
use crate::state::paths::IDENTITY;

const SECTION: &str = "Golden images: what cloning must not copy";

pub const REQUIREMENTS: &[Requirement] = &[Requirement {
    id: id::IMAGE_IDENTITY,
    title: "This machine's identity is its own, not that of its image",
    section: SECTION,
    why: "Machines made from one template that share its BIOS UUID or its disks' UUIDs cannot be told apart: \
          reprotection fails, and data of one may be written to another.",
    by_hand: "Give the clone its own UUIDs: in vSphere clone the template instead of copying its files, answer \"I copied \
              it\", give copied disks new UUIDs (vmkfstools -J setuuid). Remove /etc/ssh/ssh_host_* and restart sshd.",
    look: "compare the BIOS UUID (`dmidecode -s system-uuid`) and the SCSI IDs of the disks (mt-agent disks) with those of \
           the template, in vCenter",
    belongs: |_| Belongs::Machine,
    waiver: Waivable::WhereUnknown,
    place: Place::Record,
    judge: |_, facts| identity(facts),
    remedy: RemediedBy::Apply(|_, facts, _| adopt(facts)),
    ..Requirement::DEFAULT
}];

const OWN: &str = "a BIOS UUID, disk UUIDs, hardware addresses and SSH host keys that no other machine has";

/// The kernel name of the disk that carries `/`.
pub fn root_disk(facts: &Facts) -> Option<&str> {
    root_disks(facts).next().map(|disk| disk.name.as_str())
}

/// The disks that carry `/`, several of a RAID, as far as they are known.
pub fn root_disks(facts: &Facts) -> impl Iterator<Item = &Disk> {
    let root = facts.mounts.known().and_then(|mounts| mount_at(mounts, "/"));
    let disks = facts.disks.known().zip(root).map(|(disks, root)| carriers(disks, root.major_minor));
    disks.into_iter().flatten()
}

pub fn identifiers(facts: &Facts) -> Vec<Present> {
    present(facts, root_disk(facts))
}

/// Whether this is the template itself, started again: it has that one's BIOS UUID and root disk, as far as these are known.
/// A clone that kept one of the two is none.
pub fn is_template(facts: &Facts) -> bool {
    let Fact::Known(Some(template)) = &facts.identity.template else { return false };
    let now = identifiers(facts);
    let here = |kind: Kind| now.iter().any(|one| one.kind == kind);
    let kept = |kind: Kind| now.iter().any(|one| one.kind == kind && template.has(one));
    let can_tell_disk = template.knows(Kind::RootDisk) && here(Kind::RootDisk);
    kept(Kind::BiosUuid) && (!can_tell_disk || kept(Kind::RootDisk))
}

fn identity(facts: &Facts) -> Result<Status, Status> {
    if is_image(facts) {
        return Err(Status::not_applicable("an image's tree has no identity yet"));
    }
    if *need(&facts.identity.half_sealed, "whether a sealing was interrupted")? {
        return Err(Status::unmet(
            "the sealing of this machine, or of the image that it was cloned from, was interrupted: what a clone must not \
             have is still here",
            "an image that was sealed to its end",
            "on the template: mt-agent seal, or start it again: it resumes. A clone of it cannot be mended: clone the \
             sealed template again",
        ));
    }
    let template = need(&facts.identity.template, "the record of the image's identity")?.as_ref();
    let recorded = need(&facts.identity.recorded, "the record of this machine's identity")?.as_ref();
    let now = identifiers(facts);
    match (template, recorded) {
        (None, None) if lost::is_lost(facts) => Err(Status::not_applicable(
            "no identity is on record any more: layout.own-disks shows what restores it",
        )),
        (None, None) => Err(Status::not_applicable(
            "no identity is on record: neither seal nor apply has run here or in this machine's image",
        )),
        (Some(template), _) => {
            of_template(facts, template, &now)?;
            let own = recorded.map_or(Ok(Kept::New), |recorded| since(facts, recorded, &now))?;
            Ok(own.status("another one than its image's"))
        }
        (None, Some(recorded)) => Ok(since(facts, recorded, &now)?.status("as recorded")),
    }
}

/// Refuses what this machine has of its template; what cannot be compared is unknown.
fn of_template(facts: &Facts, template: &Record, now: &[Present]) -> Result<(), Status> {
    let same: Vec<&Present> = now.iter().filter(|one| template.has(one)).collect();
    if !same.is_empty() {
        let found: Vec<_> = same.iter().map(|one| same_as_template(one)).collect();
        let fixes: Vec<_> = [Kind::BiosUuid, Kind::RootDisk, Kind::Disk, Kind::Mac, Kind::SshHostKey]
            .into_iter()
            .filter(|kind| same.iter().any(|one| one.kind == *kind))
            .map(fix)
            .collect();
        let mut fix = fixes.join(" ");
        if same.iter().any(|one| one.kind == Kind::BiosUuid) {
            fix.push_str(
                " If this is the template itself: it stays one, and only its clones become master targets; seal it \
                 again before it is cloned (to give that up, remove /var/lib/mt-agent/template.json).",
            );
        }
        return Err(Status::unmet(found.join("; "), OWN, fix));
    }
    if let Some((kind, unreadable)) = unreadable(facts).into_iter().find(|(kind, _)| template.knows(*kind)) {
        if kind == Kind::RootDisk {
            return Err(Status::blocked(id::SCSI_IDS));
        } else {
            return Err(Status::unknown(format!(
                "{unreadable}, so that it cannot be distinguished from the image's"
            )));
        }
    }
    comparable(facts, template, now, "the image", "mt-agent seal on the running template records it")
}

/// What has an identifier that cannot be read here, in words.
fn unreadable(facts: &Facts) -> Vec<(Kind, String)> {
    let disks = facts.disks.known().into_iter().flatten().filter(|disk| disk.id_of_scsi().is_err());
    let disks = disks.map(|disk| (Kind::RootDisk, format!("{} has no SCSI ID", disk.name)));
    let nics =
        facts.network.nics.known().into_iter().flatten().filter(|nic| nic.physical && nic.mac.is_none());
    let nics = nics.map(|nic| (Kind::Mac, format!("the hardware address of {} cannot be read", nic.name)));
    disks.chain(nics).collect()
}

/// What must be on both sides to say that two machines are different: the machine's UUID and its root disk's.
fn comparable(facts: &Facts, record: &Record, now: &[Present], owner: &str, how: &str) -> Result<(), Status> {
    readable(facts)?;
    need(&facts.identity.ssh_host_keys, "the SSH host keys")?;
    for (kind, what) in [(Kind::BiosUuid, "BIOS UUID"), (Kind::RootDisk, "root disk's SCSI ID")] {
        let here = now.iter().any(|one| one.kind == kind);
        let why = match (record.knows(kind), here) {
            (true, true) => continue,
            (false, _) => format!(
                "the {what} of {owner} is not on record ({how}): compare by hand in vCenter, then waive image.identity"
            ),
            (true, false) => format!("this machine's own {what} cannot be read"),
        };
        return Err(Status::unknown(why));
    }
    Ok(())
}

/// What has become of the machine that `apply` last ran on.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kept {
    /// Nothing is on record.
    New,
    /// It is the same, with what changed, in words.
    Same(Vec<String>),
    /// It is another machine: a copy that was never sealed.
    Copy,
}

impl Kept {
    fn status(self, met: &str) -> Status {
        match self {
            Self::New => Status::met(met),
            Self::Same(changed) if changed.is_empty() => Status::met(met),
            Self::Same(changed) => Status::met(format!("{met}; {}", changed.join("; "))),
            Self::Copy => Status::unmet(
                "BIOS UUID, root disk and hardware addresses are all others than apply recorded here: this machine is a \
                 copy of another one that was not sealed, and carries that one's records",
                OWN,
                "mt-agent apply sets the records of the other machine aside and begins its own; seal a machine before it \
                 is cloned",
            ),
        }
    }
}

/// Compares with this machine's own record: BIOS UUID, root disk, hardware addresses. As long as most of them are as they
/// were it is the same machine. One alone proves nothing: a VM whose files were copied has another BIOS UUID and address,
/// and its disk's UUID is the original's.
fn since(facts: &Facts, recorded: &Record, now: &[Present]) -> Result<Kept, Status> {
    readable(facts)?;
    // Begun with the disks that a person said are its own.
    if recorded.marks.is_empty() {
        return Ok(Kept::New);
    }
    let here = |kind: Kind| now.iter().any(|one| one.kind == kind);
    let kept = |kind: Kind| now.iter().any(|one| one.kind == kind && recorded.has(one));
    let marks = [
        (Kind::BiosUuid, "the VM was registered anew: its BIOS UUID is another than apply recorded"),
        (Kind::RootDisk, "/ lies on another disk than apply recorded: it moved, or was given a new UUID"),
        (Kind::Mac, "no network card is as apply recorded them"),
    ];
    let known: Vec<_> = marks.into_iter().filter(|(kind, _)| recorded.knows(*kind)).collect();
    let same = known.iter().filter(|(kind, _)| kept(*kind)).count();
    let changed = known.iter().filter(|(kind, _)| here(*kind) && !kept(*kind));
    let changed: Vec<_> = changed.map(|(_, what)| (*what).to_owned()).collect();
    if same * 2 > known.len() {
        Ok(Kept::Same(changed))
    } else if known.len() > 1 && changed.len() == known.len() {
        Ok(Kept::Copy)
    } else {
        let changed = if changed.is_empty() {
            "too little is on record or can be read".to_owned()
        } else {
            changed.join("; ")
        };
        Err(Status::unknown(format!(
            "{changed}: this may be the machine on which apply ran, or a copy of it that kept the rest. If that machine \
                 is no more: mv {IDENTITY} /root/, then mt-agent state, which shows how this one is recorded anew; if it is, this \
                 copy needs UUIDs of its own (mt-agent explain image.identity)"
        )))
    }
}

/// What a machine is known by could be read.
fn readable(facts: &Facts) -> Result<(), Status> {
    need(&need(&facts.dmi, "the BIOS UUID")?.uuid, "the BIOS UUID")?;
    need(&facts.mounts, "the mounts")?;
    need(&facts.disks, "the disks")?;
    need(&facts.network.nics, "the interfaces").map(|_| ())
}

fn same_as_template(one: &Present) -> String {
    let place = crate::host::text::safe(&one.place);
    match one.kind {
        Kind::BiosUuid => {
            format!("the BIOS UUID {} is the image's: this VM kept it, or is the template", one.value)
        }
        Kind::RootDisk => format!(
            "{place} (/) answers with the SCSI ID {} of the image's disk: the copy kept its UUID, or the template's disk \
             itself was moved here",
            one.value
        ),
        Kind::Disk => format!(
            "{place} answers with the SCSI ID {} of a disk of the template: it was copied with its UUID, or moved here",
            one.value
        ),
        Kind::Mac => format!("{place} has the hardware address {} of the template", one.value),
        Kind::SshHostKey => format!("{place} is the image's SSH host key"),
    }
}

fn fix(kind: Kind) -> &'static str {
    match kind {
        Kind::BiosUuid => {
            "Give the VM a UUID of its own: power off, remove uuid.bios and uuid.location from its .vmx (or clone the \
             template anew in vCenter), power on."
        }
        Kind::RootDisk => {
            "Give its disk a UUID of its own: power off, vmkfstools -J setuuid DISK.vmdk, power on."
        }
        Kind::Disk => {
            "Detach the disk, or give the copy a UUID of its own (power off, vmkfstools -J setuuid DISK.vmdk)."
        }
        Kind::Mac => "Let vSphere draw a new hardware address: remove the network adapter and add one.",
        Kind::SshHostKey => "Remove /etc/ssh/ssh_host_* and restart sshd, which makes new ones.",
    }
}

/// Whether the record here is that of another machine, of which this one is a copy.
pub(super) fn is_copy(facts: &Facts) -> bool {
    let recorded = facts.identity.recorded.known().and_then(Option::as_ref);
    recorded.is_some_and(|recorded| since(facts, recorded, &identifiers(facts)) == Ok(Kept::Copy))
}

/// Sets the records of another machine aside, where this is a copy of it.
pub(super) fn adopt(facts: &Facts) -> Remedy {
    if is_copy(facts) { Remedy::one(Change::SetRecordsAside) } else { Remedy::None }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Judged, OS_DISK_ID, disks, edit};
    use super::*;
    use crate::facts::identity::HostKey;
    use crate::facts::scsi::NoId;

    /// The ready host with a host key, and a record of it.
    fn recorded() -> (Judged, Record) {
        let mut host = Judged::ready("image.identity");
        host.identity.template = Fact::Known(None);
        host.identity.recorded = Fact::Known(None);
        let key = HostKey { file: "ssh_host_rsa_key.pub".into(), sha256: "ab".into() };
        host.identity.ssh_host_keys = Fact::Known(vec![key]);
        let record = Record::new("00", "2026-06-01T00:00:00Z", &identifiers(&host));
        (host, record)
    }

    fn with_uuid(facts: &mut Facts, uuid: &str) {
        edit(&mut facts.dmi).uuid = Fact::Known(Some(uuid.into()));
    }

    fn with_disk(facts: &mut Facts, id: &str) {
        disks(facts)[0].scsi_id = Ok(id.into());
    }

    fn with_mac(facts: &mut Facts, mac: &str) {
        for nic in edit(&mut facts.network.nics) {
            nic.mac = Some(mac.into());
        }
    }

    /// The host made another machine in all but its keys.
    fn cloned(facts: &mut Facts) {
        with_uuid(facts, "564d0000-0000-0000-0000-0000000000ff");
        with_disk(facts, "36000c29ffffffffffffffffffffffff1");
        disks(facts)[1].scsi_id = Ok("36000c29ffffffffffffffffffffffff2".into());
        with_mac(facts, "00:50:56:00:00:ff");
    }

    #[test]
    fn without_a_record_nothing_is_claimed() {
        let (mut host, _) = recorded();
        host.starts("not-applicable: no identity is on record");
        host.identity.template = Fact::Unknown("torn".into());
        host.starts("unknown: ");
    }

    #[test]
    fn each_thing_that_a_clone_kept_is_told_apart() {
        let (clean, record) = recorded();
        let judge = |change: &dyn Fn(&mut Facts)| {
            let mut host = clean.clone();
            host.identity.template = Fact::Known(Some(record.clone()));
            cloned(&mut host);
            host.identity.ssh_host_keys = Fact::Known(Vec::new());
            host.after(change)
        };
        judge(&|_| ()).is("met: another one than its image's");
        judge(&|facts| facts.dmi = clean.dmi.clone())
            .starts("unmet: the BIOS UUID 420a6b1c-")
            .has("uuid.bios")
            .has("template.json")
            .lacks("vmkfstools");
        judge(&|facts| with_disk(facts, OS_DISK_ID))
            .starts("unmet: sda (/) answers with the SCSI ID")
            .has("setuuid");
        judge(&|facts| disks(facts)[1].scsi_id = Ok(OS_DISK_ID.into()))
            .starts("unmet: sdb answers with")
            .has("moved here");
        judge(&|facts| facts.network.nics = clean.network.nics.clone()).has("has the hardware address");
        judge(&|facts| facts.identity.ssh_host_keys = clean.identity.ssh_host_keys.clone())
            .starts("unmet: ssh_host_rsa_key.pub is the image's SSH host key");
    }

    #[test]
    fn what_cannot_be_compared_is_unknown() {
        let (mut host, record) = recorded();
        let mut bare = record.clone();
        bare.marks.retain(|mark| mark.kind != Kind::BiosUuid);
        host.identity.template = Fact::Known(Some(bare));
        cloned(&mut host);
        host.identity.ssh_host_keys = Fact::Known(Vec::new());
        host.starts("unknown: the BIOS UUID of the image is not on record");
        host.identity.template = Fact::Known(Some(record));
        edit(&mut host.network.nics)[0].mac = None;
        host.starts("unknown: the hardware address of eth0 cannot be read");
        host.dmi = Fact::Unknown("no /sys".into());
        with_mac(&mut host, "00:50:56:00:00:ff");
        host.starts("unknown: the BIOS UUID: no /sys");
    }

    #[test]
    fn what_was_sealed_in_part_is_never_its_own() {
        let (mut host, _) = recorded();
        host.identity.half_sealed = Fact::Known(true);
        host.starts("unmet: the sealing of this machine");
        host.identity.half_sealed = Fact::Unknown("torn".into());
        host.starts("unknown: ");
    }

    #[test]
    fn a_machine_is_known_again_in_spite_of_one_change_and_a_copy_is_told() {
        let (clean, record) = recorded();
        let judge = |change: &dyn Fn(&mut Facts)| {
            let mut host = clean.clone();
            host.identity.recorded = Fact::Known(Some(record.clone()));
            change(&mut host);
            (host.outcome(), host.remedy())
        };
        let (outcome, none) = judge(&|_| ());
        outcome.is("met: as recorded");
        assert_eq!(none, Remedy::None);
        let (outcome, none) = judge(&|facts| with_uuid(facts, "564d0000"));
        outcome.starts("met: as recorded; the VM was registered anew");
        assert_eq!(none, Remedy::None);
        let (outcome, _) = judge(&|facts| with_disk(facts, "36000c29ffffffffffffffffffffffff1"));
        outcome.has("/ lies on another disk");
        let (outcome, change) = judge(&|facts| cloned(facts));
        outcome.starts("unmet: BIOS UUID, root disk and hardware addresses");
        assert_eq!(change, Remedy::one(Change::SetRecordsAside));
        let (outcome, none) = judge(&|facts| facts.dmi = Fact::Unknown("no /sys".into()));
        outcome.starts("unknown: ");
        assert_eq!(none, Remedy::None);
        // Another machine in two points, and nobody knows about the third.
        let (outcome, none) = judge(&|facts| {
            cloned(facts);
            disks(facts)[0].scsi_id = Err(NoId::default());
        });
        outcome.starts("unknown: ");
        assert_eq!(none, Remedy::None);
        // Files that were copied: the disk's UUID is the original's.
        let (outcome, none) = judge(&|facts| {
            cloned(facts);
            with_disk(facts, OS_DISK_ID);
        });
        outcome.starts("unknown: the VM was registered anew").has("a copy of it that kept the rest");
        assert_eq!(none, Remedy::None);
    }
}
