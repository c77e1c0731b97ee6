//! What an apply is given.

use crate::run::watcher::Consent;
use crate::state::request::Request;
use crate::state::request::Stage;
use crate::state::resume::Pending;
use crate::steps::Selection;

/// How a run is carried out.
#[derive(Clone, Copy, Debug, Default)]
pub struct How {
    /// `--yes`: nobody is asked.
    pub yes: bool,
    /// `--restart`: the host is restarted when a restart is owed.
    pub restart: bool,
    pub at_terminal: bool,
}

/// What a person asked for.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub only: Vec<String>,
    pub skip: Vec<String>,
    pub stage: Option<Stage>,
    /// `--retention-disk` and the like.
    pub request: Request,
    pub how: How,
}

/// What a run is to do.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    pub selection: Selection,
    pub request: Request,
    pub restart: bool,
    pub consent: Consent,
    /// What to record for the run after a restart; its boot id is filled in then.
    pub pending: Option<Pending>,
    /// Whether this is that run.
    pub resumed: bool,
    /// What the plan is to say beside itself: where packages come from.
    pub notes: Vec<String>,
}
