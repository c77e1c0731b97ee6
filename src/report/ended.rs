//! How a run that changes a host ended.

use serde::Serialize;

/// How a run ended: the words of the JSON documents, which mt-agent-apply(8) and mt-agent-seal(8) list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// All that could be done is done.
    Finished,
    /// There was nothing to do.
    Nothing,
    /// Only looked at.
    DryRun,
    /// The person said no: nothing was changed.
    Declined,
    /// It would be unsafe: nothing was changed.
    Refused,
    /// A signal asked it to end; what was done is recorded.
    Interrupted,
    /// As finished, and the host is restarting.
    Restarting,
    /// `apply --resume`, `--forget`: no apply waits for a restart.
    NothingWaits,
    /// `apply --resume`: the restart has not happened yet.
    RestartOwed,
    /// `apply --resume`: what waits, waits for a person's word.
    Asks,
    /// `apply --forget`: what waited is called off.
    Forgotten,
}
