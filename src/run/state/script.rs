//! The record of the vendor script's run, held against what the script left.

use super::act::{Act, Held, REPAIR};
use super::look::{Look, UNREAD_HOST};
use crate::changes::Change;
use crate::changes::custom_changes::{DECIDE, in_words};
use crate::facts::{Fact, Facts};
use crate::host::text;
use crate::report::state::Stands;
use crate::run::journal::{self, Event};
use crate::state::vendor_script::{self as script, Outcome};
use crate::state::{paths, record};
use crate::steps::custom_changes::left_over;
use crate::steps::{Status, id};

impl Look<'_> {
    pub(super) fn script(&self) -> Held {
        const PATH: &str = paths::VENDOR_SCRIPT;
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
                (Some(None), Err(status)) => return self.script_unknown(&status.describe()),
                (None, _) => return self.script_unknown("whether its marker is there cannot be determined"),
            };
        let is_marked = is_marked(&bare);
        let seen = || self.seen(&bare);
        let asks = if is_marked { "" } else { "; then mt-agent apply --custom-changes=accept, or =rerun" };
        match script::read(self.host) {
            Err(unread) => Held::unread(PATH, &unread, &left)
                .aside(&format!(" and records what the host shows{asks}"))
                .maybe(seen()),
            Ok(None) if trace && (self.lived || !is_marked) => Held::new(PATH, Stands::Missing, "", &left)
                .maybe(seen())
                .fix(&format!("{REPAIR} records that the script has been seen{asks}")),
            Ok(None) if trace => {
                Held::new(PATH, Stands::None, "", &format!("{left}: a person has run the script"))
            }
            Ok(None) => Held::none(PATH),
            Ok(Some(record)) => self.script_as_recorded(&record, left, seen()),
        }
    }

    fn script_as_recorded(&self, record: &script::Record, left: String, seen: Option<Act>) -> Held {
        const PATH: &str = paths::VENDOR_SCRIPT;
        let content = format!("the vendor script {}", text::safe(&in_words(record)));
        if record.boot_id.trim().is_empty() {
            return Held::new(PATH, Stands::Damaged, &format!("{content}, in no boot"), &left)
                .aside(" and records what the host shows")
                .maybe(seen);
        }
        match self.status(id::CUSTOM_CHANGES_APPLIED, self.facts) {
            status if status.holds() => Held::new(PATH, Stands::Agrees, &content, &left),
            Status::Unmet { found, fix, .. } => Held::new(PATH, Stands::Differs, &content, &found).fix(&fix),
            Status::Unknown { why } => Held::new(PATH, Stands::Differs, &content, &left).fix(&why),
            status => Held::new(PATH, Stands::Differs, &content, &status.describe()).fix(DECIDE),
        }
    }

    fn script_unknown(&self, why: &str) -> Held {
        const PATH: &str = paths::VENDOR_SCRIPT;
        match script::read(self.host) {
            Err(unread) => Held::unread(PATH, &unread, why),
            Ok(record) => {
                let content =
                    record.map(|record| format!("the vendor script {}", text::safe(&in_words(&record))));
                Held::new(PATH, Stands::Differs, &content.unwrap_or_default(), why)
            }
        }
        .fix(UNREAD_HOST)
    }

    /// Whether the journal has no end of the last run that was begun: then its marker proves nothing.
    fn is_under_way(&self) -> bool {
        let Ok(Some(text)) = record::text(self.host, paths::JOURNAL) else { return false };
        let of_it = |event: &Event| match event {
            Event::Intent { change, .. } => matches!(change, Change::RunCustomChanges { .. }).then_some(true),
            Event::Done { requirement, .. } | Event::Failed { requirement, .. } => {
                (requirement == id::CUSTOM_CHANGES_APPLIED).then_some(false)
            }
            Event::Begin { .. } | Event::End { .. } => None,
        };
        journal::parse(&text).0.iter().rev().find_map(|entry| of_it(&entry.event)).unwrap_or_default()
    }

    /// The run of the script that the host shows. Its marker alone shows that it ended well; that the machine has restarted
    /// since, by what shows it without a record.
    fn seen(&self, bare: &Facts) -> Option<Act> {
        let boot_id = bare.boot_id.known()?.clone();
        if !is_marked(bare) || self.is_under_way() {
            return Some(Act::Script(Outcome::Started, boot_id));
        }
        let restarted = self.status(id::CUSTOM_CHANGES_RESTARTED, bare).holds();
        let boot_id = if restarted { format!("before {boot_id}") } else { boot_id };
        Some(Act::Script(Outcome::Observed, boot_id))
    }
}

/// Whether the script left its marker.
fn is_marked(facts: &Facts) -> bool {
    facts.custom_changes.marker_ctime_secs.known().is_some_and(Option::is_some)
}
