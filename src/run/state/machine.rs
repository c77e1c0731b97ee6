//! The records of this machine's identity and of its image's.

use super::act::{Act, Held, REPAIR};
use super::look::Look;
use crate::facts::{Fact, Facts};
use crate::host::{ScsiId, text};
use crate::report::state::Stands;
use crate::state::{identity, paths};
use crate::steps::{Status, custom_changes, id, image, is_image};

impl Look<'_> {
    pub(super) fn identity(&self) -> Held {
        const PATH: &str = paths::IDENTITY;
        let status = self.status(id::IMAGE_IDENTITY, self.facts);
        let make = |facts: &Facts| match (self.status(id::IMAGE_IDENTITY, facts), self.may_be_a_copy()) {
            (status, None) if status.holds() => {
                let own = image::root_disks(facts).filter_map(|disk| disk.id().cloned());
                Ok(Act::Identity(image::identifiers(facts), own.collect()))
            }
            (status, None) => Err(status.describe()),
            (_, Some(why)) => Err(format!("{why}: this may be a copy of another machine")),
        };
        match identity::read(self.host) {
            Err(unread) => {
                let bare = self.without(|facts| facts.identity.recorded = Fact::Known(None));
                let held = Held::unread(PATH, &unread, "");
                match make(&bare) {
                    Ok(act) => held.aside(" and records this machine anew").act(act),
                    Err(why) => {
                        let mut held = held;
                        held.row.host = why;
                        held.fix(&format!("mv {PATH} /root/; {}", self.by_a_person()))
                    }
                }
            }
            Ok(None) if self.lived && !is_image(self.facts) => match make(self.facts) {
                Ok(act) => Held::new(PATH, Stands::Missing, "", "mt-agent has been at work on this machine")
                    .act(act)
                    .fix(&format!("{REPAIR} records this machine")),
                Err(why) if image::lost::is_lost(self.facts) => {
                    Held::new(PATH, Stands::Missing, "", &why).fix(&self.by_a_person())
                }
                Err(why) => Held::new(PATH, Stands::None, "", &why),
            },
            Ok(None) => Held::none(PATH),
            Ok(Some(record)) => marks(PATH, &record, &status),
        }
    }

    /// How a person states that this machine is no copy, where a repair must not.
    fn by_a_person(&self) -> String {
        let root: Vec<&str> =
            image::root_disks(self.facts).filter_map(|disk| disk.id().map(ScsiId::as_str)).collect();
        let own = match root.as_slice() {
            [] => "give the disk of / a SCSI ID (scsi.ids), then mt-agent state".to_owned(),
            ids => {
                let ids: Vec<_> = ids.iter().map(|id| format!(" --own-disk {}", text::safe(id))).collect();
                format!("mt-agent apply{}", ids.concat())
            }
        };
        format!(
            "compare this machine with the one that it may be a copy of, in vCenter; if it is none: {own}"
        )
    }

    /// What speaks for a copy where the record of identity cannot: another machine's disks in what was copied with the disk.
    fn may_be_a_copy(&self) -> Option<String> {
        let disks = self.facts.disks.known()?;
        let record = self.facts.retention_record.known().and_then(Option::as_ref);
        if let Some(record) = record
            && self.unnamed_disk().is_none()
            && disks.iter().all(|disk| !disk.has_id(&record.scsi_id))
        {
            return Some(format!(
                "the retention disk on record ({}) is not attached",
                text::safe(&record.scsi_id)
            ));
        }
        let status = match self.status(id::CUSTOM_CHANGES_ROOT_DISK, self.facts) {
            Status::Blocked { by } if by == id::OWN_DISKS => {
                custom_changes::root_disk_in_blacklist(self.profile, self.facts)
            }
            status => status,
        };
        match status {
            Status::Unmet { found, .. } => Some(found),
            _ => None,
        }
    }

    /// The record of the image, which nothing here can rebuild.
    pub(super) fn template(&self) -> Held {
        const PATH: &str = paths::TEMPLATE;
        match identity::template(self.host) {
            Err(unread) => Held::unread(PATH, &unread, "what the image had, and this machine must not have, is not known").fix(
                &format!(
                    "copy it from the template or another clone of it; where none is left, compare this machine with the \
                     template in vCenter, then mv {PATH} /root/"
                ),
            ),
            Ok(None) => Held::none(PATH),
            Ok(Some(record)) => marks(PATH, &record, &self.status(id::IMAGE_IDENTITY, self.facts)),
        }
    }
}

/// A record of identity, by what is judged of it.
fn marks(path: &'static str, record: &identity::Record, status: &Status) -> Held {
    let count = record.marks.len();
    let what = if count == 1 { "identifier" } else { "identifiers" };
    let content = format!("{count} {what}, {}", text::safe(&record.recorded_at));
    let held = |stands, host: &str| Held::new(path, stands, &content, host);
    match status {
        Status::Met { found } => held(Stands::Agrees, found.as_deref().unwrap_or_default()),
        Status::NotApplicable { why } => held(Stands::Agrees, why),
        Status::Waived { reason, .. } => held(Stands::Agrees, reason),
        Status::Unmet { found, fix, .. } => held(Stands::Differs, found).fix(fix),
        Status::Unknown { why } => held(Stands::Differs, why).fix("mt-agent explain image.identity"),
        other => held(Stands::Differs, &other.describe()).fix("mt-agent check shows what it waits for"),
    }
}
