//! The order that waits for a restart.

use anyhow::Error;

use super::act::Held;
use super::look::{Look, UNREAD_HOST};
use crate::report::state::Stands;
use crate::run::today;
use crate::run::waiting::{Order, State, describe};
use crate::state::paths;
use crate::state::record::Unread;
use crate::state::resume::{self, Pending};
use crate::steps::{self, Requirement, Selection};

impl Look<'_> {
    pub(super) fn resume(&self, order: &Result<Option<Order>, Error>) -> Held {
        const PATH: &str = paths::RESUME;
        let order = match order {
            Ok(None) => return Held::none(PATH),
            Ok(Some(order)) => order,
            Err(error) => return self.no_order(error),
        };
        let note = describe(order).note;
        let held = |status| Held::new(PATH, status, &note, "");
        match &order.state {
            _ if order.pending.seal.is_some() => held(Stands::Differs).fix("mt-agent seal resumes it"),
            State::Void(_) => held(Stands::Differs).aside("; mt-agent apply plans anew"),
            _ if order.pending.first_boot => held(Stands::Agrees),
            _ if self.is_done(&order.pending) => {
                let mut held = held(Stands::Differs);
                held.row.host = "all that it was to change is so already".to_owned();
                held.aside("")
            }
            State::Asks(_) => held(Stands::Differs).fix(
                "mt-agent apply --resume at a terminal shows it and asks; mt-agent apply --forget clears it",
            ),
            State::RestartOwed | State::Due => held(Stands::Agrees),
        }
    }

    fn no_order(&self, error: &Error) -> Held {
        const PATH: &str = paths::RESUME;
        let Some(unread) = error.downcast_ref::<Unread>() else {
            return Held::new(PATH, Stands::Damaged, &format!("{error:#}"), "").fix(UNREAD_HOST);
        };
        let held = Held::unread(PATH, unread, "");
        if resume::is_of_sealing(&self.host.read(PATH).unwrap_or_default()) {
            return held.fix(resume::UNREADABLE_SEALING);
        }
        held.aside(": nothing of it is carried out")
    }

    /// Whether nothing that apply could change is left of what was ordered. Of what is to be done with a disk that is in order
    /// already only the person knows.
    fn is_done(&self, pending: &Pending) -> bool {
        let request = &pending.request;
        if request.takeover.is_some() || request.grow || request.erase_disk.is_some() {
            return false;
        }
        let selection = Selection::new(pending.only.clone(), pending.skip.clone());
        let Ok(selection) = selection.and_then(|all| all.at_stage(pending.stage, self.profile)) else {
            return false;
        };
        let all = steps::judge_all(self.profile, self.facts, today(), &selection);
        all.iter().all(|finding| {
            finding.status.holds() || !steps::find(finding.id).is_some_and(Requirement::is_changeable)
        })
    }
}
