//! A requirement judged.

/// A requirement judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It holds.
    Met {
        /// What was found, when that says more than the title.
        found: Option<String>,
    },
    /// It does not hold.
    Unmet {
        /// What was found.
        found: String,
        /// What was expected.
        expected: String,
        /// What to do, concretely, for what was found.
        fix: String,
    },
    /// It cannot be determined: never counts as met.
    Unknown {
        /// Why.
        why: String,
    },
    /// It does not apply to this host or tree.
    NotApplicable {
        /// Why.
        why: String,
    },
    /// It does not hold, or cannot be determined, and the profile waives it.
    Waived {
        /// The reason given.
        reason: String,
        /// The last day, ISO 8601.
        until: String,
        /// Who approved it.
        approved_by: Option<String>,
        /// Whether it ends within 14 days.
        ends_soon: bool,
    },
    /// Not judged: another requirement must hold first.
    Blocked {
        /// Its id.
        by: String,
    },
    /// It holds but for a restart that is still owed.
    RestartOwed {
        /// What was found.
        found: String,
    },
}

impl Status {
    /// Met, saying what was found.
    pub fn met(found: impl Into<String>) -> Self {
        Self::Met { found: Some(found.into()) }
    }

    pub(crate) fn unknown(why: impl Into<String>) -> Self {
        Self::Unknown { why: why.into() }
    }

    pub(crate) fn not_applicable(why: impl Into<String>) -> Self {
        Self::NotApplicable { why: why.into() }
    }

    pub(crate) fn blocked(by: impl Into<String>) -> Self {
        Self::Blocked { by: by.into() }
    }

    pub(crate) fn restart_owed(found: impl Into<String>) -> Self {
        Self::RestartOwed { found: found.into() }
    }

    /// Unmet.
    pub fn unmet(found: impl Into<String>, expected: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Unmet { found: found.into(), expected: expected.into(), fix: fix.into() }
    }

    /// The status in one line, for messages.
    pub fn describe(&self) -> String {
        match self {
            Self::Unmet { found, expected, .. } => format!("{found}; expected: {expected}"),
            Self::Unknown { why } => format!("cannot be determined: {why}"),
            Self::Blocked { by } => format!("blocked by {by}"),
            Self::RestartOwed { found } => format!("{found}; a restart is owed"),
            Self::Met { .. } | Self::NotApplicable { .. } | Self::Waived { .. } => self.word().to_owned(),
        }
    }

    /// The word of the JSON documents.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Met { .. } => "met",
            Self::Unmet { .. } => "unmet",
            Self::RestartOwed { .. } => "restart-owed",
            Self::Unknown { .. } => "unknown",
            Self::NotApplicable { .. } => "not-applicable",
            Self::Waived { .. } => "waived",
            Self::Blocked { .. } => "blocked",
        }
    }

    /// Of a waiver: its reason, its end, and who approved it.
    pub fn waiver(&self) -> Option<String> {
        let Self::Waived { reason, until, approved_by, .. } = self else { return None };
        let by = approved_by.as_ref().map(|who| format!(", approved by {who}")).unwrap_or_default();
        Some(format!("{reason} (until {until}{by})"))
    }

    /// Whether a host with this status of a required requirement can be ready.
    pub fn holds(&self) -> bool {
        matches!(self, Self::Met { .. } | Self::NotApplicable { .. } | Self::Waived { .. })
    }
}

/// The status of a judgement written with `?`.
pub(super) fn settle(result: Result<Status, Status>) -> Status {
    match result {
        Ok(status) | Err(status) => status,
    }
}
