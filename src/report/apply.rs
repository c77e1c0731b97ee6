//! `apply`: how it ended, what was changed, the host as it is judged then, and what is left.

use serde::Serialize;

use super::ended::Ended;
use super::json::{self, PlanDocument, ReportDocument, Titled};
use super::seal::Sealing;
use super::style::Style;
use super::text::{self, Detail};
use super::{Plan, Report};

const SCHEMA: &str = "mt-agent/apply/v1";

const NOTHING_WAITS: &str = "no apply waits for a restart";

/// What an apply came to.
#[derive(Debug)]
pub struct Applied {
    pub report: Report,
    /// What is left, among it what only a person can do.
    pub left: Plan,
    pub changed: Vec<String>,
    /// What was recorded of this machine's identity as it ended, beside that.
    pub recorded: Option<String>,
    pub ended: Ended,
}

impl Applied {
    fn note(&self) -> String {
        let note = match (self.ended, &self.recorded) {
            (Ended::Finished, Some(recorded)) if self.changed.is_empty() => {
                return format!("nothing was changed; {recorded}");
            }
            (Ended::Finished, None) if self.changed.is_empty() => "nothing was changed",
            (Ended::Finished, _) => "all that could be changed is changed",
            (Ended::Declined, _) => "declined: nothing was changed",
            (Ended::Interrupted, _) => {
                "interrupted: the changes made so far are recorded, run apply again to resume it"
            }
            (Ended::Restarting, _) => "restarting the machine",
            (Ended::NothingWaits, _) => NOTHING_WAITS,
            // They look at nothing: see `Idle`; or no apply ends so.
            (Ended::RestartOwed | Ended::Asks | Ended::Forgotten, _)
            | (Ended::Nothing | Ended::DryRun | Ended::Refused, _) => "",
        };
        note.to_owned()
    }
}

/// An apply that looked at nothing: of `--resume` before the restart, and of `--forget`.
#[derive(Debug, Serialize)]
pub struct Idle {
    pub ended: Ended,
    pub note: String,
}

impl Idle {
    pub fn nothing_waits() -> Self {
        Self { ended: Ended::NothingWaits, note: NOTHING_WAITS.to_owned() }
    }
}

/// What came of `apply --resume`.
#[derive(Debug)]
pub enum Outcome {
    /// The apply was resumed, or none waits.
    Applied(Box<Applied>),
    Idle(Idle),
    Sealed(Sealing),
}

pub fn document(applied: &Applied) -> anyhow::Result<String> {
    #[derive(Serialize)]
    struct Document<'a> {
        schema: &'static str,
        ended: Ended,
        note: &'a str,
        changed: &'a [String],
        report: ReportDocument<'a>,
        left: PlanDocument<'a>,
    }
    json::document(&Document {
        schema: SCHEMA,
        ended: applied.ended,
        note: &applied.note(),
        changed: &applied.changed,
        report: ReportDocument::from(&applied.report),
        left: PlanDocument::from(&applied.left),
    })
}

pub fn render(applied: &Applied, style: Style) -> String {
    let note = applied.note();
    if applied.ended == Ended::Declined {
        return format!("{note}\n");
    }
    format!("{note}\n\n{}", text::render(&applied.report, style, Detail::Quiet))
}

pub fn idle_document(idle: &Idle) -> anyhow::Result<String> {
    json::document(&Titled { schema: SCHEMA, value: idle })
}
