//! The records that say something of the host, held against it.

use anyhow::Error;

use super::act::{Act, Held, REPAIR};
use crate::changes::custom_changes::DECIDE;
use crate::changes::custom_changes::in_words;
use crate::facts::custom_changes::{self as script, Outcome};
use crate::facts::identity;
use crate::facts::record::{self, Unread};
use crate::facts::retention;
use crate::facts::{Fact, Facts};
use crate::host::{Host, text};
use crate::profile::Profile;
use crate::report::state::Stands;
use crate::run::resume::{self, Pending};
use crate::run::waiting::{Order, State, describe};
use crate::run::{now, today};
use crate::steps::custom_changes::left_over;
use crate::steps::retention::{Recalled, Used, on_record, recall};
use crate::steps::{self, Selection, Status, image, is_image};

/// What the records are held against.
pub(super) struct Look<'a> {
    pub host: &'a Host,
    pub profile: &'a Profile,
    pub facts: &'a Facts,
    /// Whether the agent has been at work here, by what else it left.
    pub lived: bool,
}

/// What a person does where the host itself could not be read.
const UNREAD_HOST: &str = "see to what could not be read, then mt-agent state";

impl Look<'_> {
    fn status(&self, id: &str, facts: &Facts) -> Status {
        let one = Selection::new(vec![id.to_owned()], Vec::new()).unwrap_or_default();
        let all = steps::judge_all(self.profile, facts, today(), &one);
        let finding = all.into_iter().find(|finding| finding.id == id);
        finding.map_or(Status::Unknown { why: String::new() }, |finding| finding.status)
    }

    /// The facts without the records `spoil` takes out: what the host alone shows.
    fn without(&self, spoil: impl Fn(&mut Facts)) -> Facts {
        let mut facts = self.facts.clone();
        spoil(&mut facts);
        facts
    }

    pub(super) fn retention(&self) -> Held {
        const PATH: &str = retention::RECORD;
        let volumes = match recall(self.profile, self.facts) {
            Ok(volumes) => volumes,
            Err(status) => return self.retention_untold(&status),
        };
        let point = &self.profile.retention.mount_point;
        let host = volumes.iter().map(|volume| told(volume, point)).collect::<Vec<_>>().join("; ");
        let used = |used: Used| volumes.iter().find(|volume| volume.used == used);
        let rebuilt =
            used(Used::Mounted).or_else(|| used(Used::InFstab)).and_then(|volume| self.remade(volume));
        let adopt = || match volumes.as_slice() {
            [] => None,
            [volume, ..] => Some(format!(
                "if it is this machine's: mt-agent apply --adopt-retention {}",
                text::safe(&volume.scsi_id)
            )),
        };
        let anew = "mt-agent apply --retention-disk SCSI-ID makes another one";
        match record::load::<retention::Record>(self.host, PATH, retention::SCHEMA) {
            Err(unread) => {
                let host = if host.is_empty() {
                    "no attached disk carries a volume that mt-agent made".to_owned()
                } else {
                    host
                };
                let held = Held::unread(PATH, &unread, host).acts([Act::Aside(PATH)]);
                match rebuilt {
                    Some(act) => {
                        held.acts([act]).fix(format!("{REPAIR} sets it aside and records this volume"))
                    }
                    None => held.fix(format!(
                        "{REPAIR} sets it aside; then, {}",
                        adopt().unwrap_or_else(|| format!("attach the disk, or {anew}"))
                    )),
                }
            }
            Ok(None) => match (rebuilt, adopt()) {
                (Some(act), _) => Held::new(PATH, Stands::Missing, "", host)
                    .fix(format!("{REPAIR} records this volume"))
                    .acts([act]),
                (None, Some(adopt)) => Held::new(PATH, Stands::Missing, "", host).fix(adopt),
                (None, None) => Held::none(PATH),
            },
            Ok(Some(record)) => self.retention_as_recorded(&record, &host, adopt()),
        }
    }

    /// A record that can be read, held against the disks.
    fn retention_as_recorded(&self, record: &retention::Record, host: &str, adopt: Option<String>) -> Held {
        const PATH: &str = retention::RECORD;
        let point = &self.profile.retention.mount_point;
        let (id, uuid) = (text::safe(&record.scsi_id), text::safe(&record.uuid));
        let says = format!(
            "{} volume {uuid} on the disk {id}, {}",
            text::safe(&record.fs_type),
            text::safe(&record.started_at)
        );
        if !record.finished {
            let says = format!("{says}: its making was begun, and its end is not recorded");
            return Held::new(PATH, Stands::Differs, says, host)
                .fix(format!("mt-agent apply --retention-disk {id} goes on with it"));
        }
        if is_image(self.facts) {
            return Held::new(PATH, Stands::Agrees, says, "an image's tree has no disks to look at");
        }
        let disks = self.facts.disks.known().into_iter().flatten();
        let attached = disks.into_iter().find(|disk| disk.scsi_id.as_ref() == Some(&record.scsi_id));
        let mounted =
            self.facts.mounts.known().into_iter().flatten().find(|mount| mount.mount_point == *point);
        let (status, found, fix) = match (on_record(self.facts, record), attached, mounted) {
            (Some(name), Some(disk), Some(mount))
                if disk.all_devices().contains(&mount.major_minor.as_str()) =>
            {
                match self.status("retention.disk", self.facts) {
                    Status::Unmet { found, fix, .. } => (Stands::Differs, found, fix),
                    Status::Unknown { why } => (Stands::Differs, why, UNREAD_HOST.to_owned()),
                    _ => (Stands::Agrees, format!("{name} carries it, mounted at {point}"), String::new()),
                }
            }
            (Some(name), _, None) => {
                (Stands::Agrees, format!("{name} carries it; nothing is mounted at {point}"), String::new())
            }
            (Some(name), _, Some(mount)) => (
                Stands::Differs,
                format!("{name} carries it, but {} is mounted at {point}", text::safe(&mount.source)),
                format!("umount {point}, then mt-agent apply mounts the one on record"),
            ),
            (None, Some(disk), _) => (
                Stands::Differs,
                format!("{} has this SCSI ID and does not carry that volume", disk.name),
                format!("mt-agent disks --probe {} tells what is on it", disk.name),
            ),
            (None, None, _) => (
                Stands::Differs,
                "no attached disk has this SCSI ID".to_owned(),
                "attach it; where it is gone for good: mt-agent apply --replace-retention NEW-ID".to_owned(),
            ),
        };
        let is_other = status == Stands::Differs && !host.is_empty();
        let found = if is_other { format!("{found}; {host}") } else { found };
        let fix = match adopt.filter(|_| is_other) {
            Some(adopt) => format!("{fix}; or, {adopt}"),
            None => fix,
        };
        Held::new(PATH, status, says, found).fix(fix)
    }

    fn retention_untold(&self, status: &Status) -> Held {
        const PATH: &str = retention::RECORD;
        match record::load::<retention::Record>(self.host, PATH, retention::SCHEMA) {
            Err(unread) => Held::unread(PATH, &unread, status.describe()).fix(UNREAD_HOST),
            Ok(Some(record)) if is_image(self.facts) => self.retention_as_recorded(&record, "", None),
            Ok(Some(record)) => {
                let says = format!("a volume on the disk {}", text::safe(&record.scsi_id));
                Held::new(PATH, Stands::Differs, says, status.describe()).fix(UNREAD_HOST)
            }
            Ok(None) => Held::none(PATH),
        }
    }

    /// The record of a volume that the host shows.
    fn remade(&self, volume: &Recalled) -> Option<Act> {
        Some(Act::Retention(Box::new(retention::Record {
            schema: retention::SCHEMA.to_owned(),
            scsi_id: volume.scsi_id.clone(),
            uuid: volume.uuid.clone(),
            fs_type: volume.fs_type.clone()?,
            boot_id: self.facts.boot_id.known()?.clone(),
            started_at: now(),
            finished: true,
        })))
    }

    pub(super) fn script(&self) -> Held {
        const PATH: &str = script::RECORD;
        let bare = self.without(|facts| {
            facts.custom_changes.record = Fact::Known(None);
            facts.custom_changes.running = Fact::Known(None);
        });
        let marker = &self.profile.custom_changes.marker;
        let (trace, left) =
            match (bare.custom_changes.marker_ctime_secs.known(), left_over(self.profile, &bare)) {
                (Some(Some(_)), _) => (true, format!("{} is there", marker.display())),
                (Some(None), Ok(Some(trace))) => {
                    (true, format!("{} is not there, but {trace} is", marker.display()))
                }
                (Some(None), Ok(None)) => (false, "nothing shows that the script has run".to_owned()),
                (Some(None), Err(status)) => return self.script_untold(&status.describe()),
                (None, _) => return self.script_untold("whether its marker is there cannot be determined"),
            };
        let is_marked = bare.custom_changes.marker_ctime_secs.known().is_some_and(Option::is_some);
        let seen = || self.seen(&bare, is_marked);
        let asks = if is_marked { "" } else { "; then mt-agent apply --custom-changes=accept, or =rerun" };
        match record::load::<script::Record>(self.host, PATH, script::SCHEMA) {
            Err(unread) => Held::unread(PATH, &unread, left)
                .acts([Act::Aside(PATH)])
                .acts(seen())
                .fix(format!("{REPAIR} sets it aside and records what the host shows{asks}")),
            Ok(None) if trace && (self.lived || !is_marked) => Held::new(PATH, Stands::Missing, "", left)
                .acts(seen())
                .fix(format!("{REPAIR} records that the script has been seen{asks}")),
            Ok(None) if trace => {
                Held::new(PATH, Stands::None, "", format!("{left}: a person has run the script"))
            }
            Ok(None) => Held::none(PATH),
            Ok(Some(record)) => self.script_as_recorded(&record, left, seen()),
        }
    }

    fn script_as_recorded(&self, record: &script::Record, left: String, seen: Option<Act>) -> Held {
        const PATH: &str = script::RECORD;
        let says = format!("the vendor script {}", text::safe(&in_words(record)));
        if record.boot_id.trim().is_empty() {
            return Held::new(PATH, Stands::Damaged, format!("{says}, in no boot"), left)
                .acts([Act::Aside(PATH)])
                .acts(seen)
                .fix(format!("{REPAIR} sets it aside and records what the host shows"));
        }
        match self.status("custom-changes.applied", self.facts) {
            status if status.holds() => Held::new(PATH, Stands::Agrees, says, left),
            Status::Unmet { found, fix, .. } => Held::new(PATH, Stands::Differs, says, found).fix(fix),
            Status::Unknown { why } => Held::new(PATH, Stands::Differs, says, left).fix(why),
            status => Held::new(PATH, Stands::Differs, says, status.describe()).fix(DECIDE),
        }
    }

    fn script_untold(&self, why: &str) -> Held {
        const PATH: &str = script::RECORD;
        match record::load::<script::Record>(self.host, PATH, script::SCHEMA) {
            Err(unread) => Held::unread(PATH, &unread, why),
            Ok(record) => {
                let says =
                    record.map(|record| format!("the vendor script {}", text::safe(&in_words(&record))));
                Held::new(PATH, Stands::Differs, says.unwrap_or_default(), why)
            }
        }
        .fix(UNREAD_HOST)
    }

    /// The run of the script that the host shows. That it ended well is told by its marker alone; that the machine has restarted
    /// since, by what tells it without a record.
    fn seen(&self, bare: &Facts, is_marked: bool) -> Option<Act> {
        let boot_id = bare.boot_id.known()?.clone();
        if !is_marked {
            return Some(Act::Script(Outcome::Started, boot_id));
        }
        let restarted = self.status("custom-changes.restarted", bare).holds();
        let boot_id = if restarted { format!("before {boot_id}") } else { boot_id };
        Some(Act::Script(Outcome::Observed, boot_id))
    }

    pub(super) fn identity(&self) -> Held {
        const PATH: &str = identity::RECORD;
        let status = self.status("image.identity", self.facts);
        let make = |facts: &Facts| match (self.status("image.identity", facts), self.may_be_a_copy()) {
            (status, None) if status.holds() => Ok(Act::Identity(image::identifiers(facts))),
            (status, None) => Err(status.describe()),
            (_, Some(why)) => Err(format!("{why}: this may be a copy of another machine")),
        };
        match record::load::<identity::Record>(self.host, PATH, identity::SCHEMA) {
            Err(unread) => {
                let bare = self.without(|facts| facts.identity.recorded = Fact::Known(None));
                let held = Held::unread(PATH, &unread, "");
                match make(&bare) {
                    Ok(act) => held
                        .acts([Act::Aside(PATH), act])
                        .fix(format!("{REPAIR} sets it aside and records this machine anew")),
                    Err(why) => {
                        let mut held = held;
                        held.row.host = why;
                        held.fix(format!(
                            "compare this machine with the one that it may be a copy of, in vCenter; if it is none: \
                             mv {PATH} /root/, then mt-agent apply"
                        ))
                    }
                }
            }
            Ok(None) if self.lived && !is_image(self.facts) => match make(self.facts) {
                Ok(act) => Held::new(PATH, Stands::Missing, "", "mt-agent has been at work on this machine")
                    .acts([act])
                    .fix(format!("{REPAIR} records this machine")),
                Err(_) => Held::none(PATH),
            },
            Ok(None) => Held::none(PATH),
            Ok(Some(record)) => marks(PATH, &record, &status),
        }
    }

    /// What speaks for a copy where the record of identity cannot: another machine's disks in what was copied with the disk.
    fn may_be_a_copy(&self) -> Option<String> {
        let disks = self.facts.disks.known()?;
        let record = self.facts.retention_record.known().and_then(Option::as_ref);
        if let Some(record) = record
            && disks.iter().all(|disk| disk.scsi_id.as_ref() != Some(&record.scsi_id))
        {
            return Some(format!(
                "the retention disk on record ({}) is not attached",
                text::safe(&record.scsi_id)
            ));
        }
        match self.status("custom-changes.root-disk", self.facts) {
            Status::Unmet { found, .. } => Some(found),
            _ => None,
        }
    }

    /// The record of the image, which nothing here can rebuild.
    pub(super) fn template(&self) -> Held {
        const PATH: &str = identity::TEMPLATE;
        match record::load::<identity::Record>(self.host, PATH, identity::SCHEMA) {
            Err(unread) => Held::unread(PATH, &unread, "what the image had, and this machine must not have, is not known").fix(
                format!(
                    "copy it from the template or another clone of it; where none is left, compare this machine with the \
                     template in vCenter, then mv {PATH} /root/"
                ),
            ),
            Ok(None) => Held::none(PATH),
            Ok(Some(record)) => marks(PATH, &record, &self.status("image.identity", self.facts)),
        }
    }

    pub(super) fn resume(&self, order: &Result<Option<Order>, Error>) -> Held {
        const PATH: &str = resume::PATH;
        let order = match order {
            Ok(None) => return Held::none(PATH),
            Ok(Some(order)) => order,
            Err(error) => return self.no_order(error),
        };
        let note = describe(order).note;
        let held = |status| Held::new(PATH, status, &*note, "");
        match &order.state {
            _ if order.pending.seal.is_some() => held(Stands::Differs).fix("mt-agent seal goes on with it"),
            State::Void(_) => held(Stands::Differs)
                .acts([Act::Aside(PATH)])
                .fix(format!("{REPAIR} sets it aside; mt-agent apply plans anew")),
            _ if order.pending.first_boot => held(Stands::Agrees),
            _ if self.is_done(&order.pending) => {
                let mut held = held(Stands::Differs);
                held.row.host = "all that it was to change is so already".to_owned();
                held.acts([Act::Aside(PATH)]).fix(format!("{REPAIR} sets it aside"))
            }
            State::Asks(_) => held(Stands::Differs).fix(
                "mt-agent apply --resume at a terminal shows it and asks; mt-agent apply --forget clears it",
            ),
            State::RestartOwed | State::Due => held(Stands::Agrees),
        }
    }

    fn no_order(&self, error: &Error) -> Held {
        const PATH: &str = resume::PATH;
        let Some(unread) = error.downcast_ref::<Unread>() else {
            return Held::new(PATH, Stands::Damaged, format!("{error:#}"), "").fix(UNREAD_HOST);
        };
        let held = Held::unread(PATH, unread, "");
        if resume::is_of_sealing(&self.host.read(PATH).unwrap_or_default()) {
            return held.fix(resume::UNREADABLE_SEALING);
        }
        held.acts([Act::Aside(PATH)]).fix(format!("{REPAIR} sets it aside: nothing of it is carried out"))
    }

    /// Whether nothing that apply could change is left of what was ordered.
    fn is_done(&self, pending: &Pending) -> bool {
        let selection = Selection::new(pending.only.clone(), pending.skip.clone());
        let Ok(selection) = selection.and_then(|all| all.at_stage(pending.stage, self.profile)) else {
            return false;
        };
        let all = steps::judge_all(self.profile, self.facts, today(), &selection);
        all.iter().all(|finding| {
            finding.status.holds() || !steps::find(finding.id).is_some_and(|one| one.changeable)
        })
    }
}

/// A volume as the host shows it.
fn told(volume: &Recalled, point: &str) -> String {
    let (disk, id) = (&volume.disk, text::safe(&volume.scsi_id));
    let how = match volume.used {
        Used::Mounted => format!("mounted at {point}"),
        Used::InFstab => format!("which the agent's line of /etc/fstab mounts at {point}"),
        Used::Attached => "which nothing mounts".to_owned(),
    };
    format!("{disk} ({id}) carries a volume that mt-agent made, {how}")
}

/// A record of identity, by what is judged of it.
fn marks(path: &'static str, record: &identity::Record, status: &Status) -> Held {
    let says = format!("{} identifiers, {}", record.marks.len(), text::safe(&record.recorded_at));
    let held = |stands, host: &str| Held::new(path, stands, &*says, host);
    match status {
        Status::Met { found } => held(Stands::Agrees, found.as_deref().unwrap_or_default()),
        Status::NotApplicable { why } => held(Stands::Agrees, why),
        Status::Waived { reason, .. } => held(Stands::Agrees, reason),
        Status::Unmet { found, fix, .. } => held(Stands::Differs, found).fix(&**fix),
        Status::Unknown { why } => held(Stands::Differs, why).fix("mt-agent explain image.identity"),
        other => held(Stands::Differs, &other.describe()).fix("mt-agent check tells what it waits for"),
    }
}
