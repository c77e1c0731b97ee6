//! A requirement: all that is known of one thing that must hold, in one place.

use serde::Serialize;

use super::remedy::{Remedy, Request};
use super::stage::Belongs;
use super::status::Status;
use crate::facts::Facts;
use crate::profile::Profile;

/// How much a requirement weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Without it the host is not ready.
    Required,
    /// Its absence is reported, and the host can be ready all the same.
    Recommended,
}

impl Severity {
    /// The word of all outputs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Recommended => "recommended",
        }
    }
}

/// One thing that must hold. `title`, `why`, `by_hand` and `look` are templates, which [`super::wording::fill`] completes: they may
/// name values of the profile as `{retention.mount-point}`. A table begins with what has no default and ends with
/// what its section shares, or `..Requirement::DEFAULT`.
pub struct Requirement {
    /// Stable id: `retention.mounted`.
    pub id: &'static str,
    /// What must hold, in a few words.
    pub title: &'static str,
    pub severity: Severity,
    pub section: &'static str,
    /// What goes wrong when it does not hold, and when one notices.
    pub why: &'static str,
    pub by_hand: &'static str,
    /// What a person looks at where it is unknown: it changes nothing.
    pub look: &'static str,
    /// Where it is baked or made.
    pub belongs: fn(&Profile) -> Belongs,
    /// Ids that must hold first; while one does not, this one is `Blocked`.
    pub after: &'static [&'static str],
    pub waiver: Waivable,
    /// Where what is done about it is done.
    pub place: Place,
    /// The judgement; which side of the result it is on does not matter.
    pub judge: fn(&Profile, &Facts) -> Result<Status, Status>,
    /// Whether, where it is unmet, only a part fails that is recommended.
    pub only_advice: fn(&Profile, &Facts) -> bool,
    /// Who makes it hold, and how.
    pub remedy: RemediedBy,
    /// What a person can order about it.
    pub orders: Orders,
}

pub enum RemediedBy {
    Person,
    Apply(fn(&Profile, &Facts, &Request) -> Remedy),
    /// A person, or `apply` where one orders it by an option.
    Order(fn(&Profile, &Facts, &Request) -> Remedy),
}

/// Whether a requirement can be waived. A reason is that of a sentence: `retention.disk cannot be waived: REASON`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waivable {
    Always,
    /// A person can compare by hand what the agent cannot read, and nobody can decide that another machine's identity, or its
    /// disk, is one's own.
    WhereUnknown,
    /// Without it data is lost, or there is no failback that a waiver could help to.
    Never(&'static str),
}

/// Where what is done about a requirement is done. While a disk that is written to may not be this host's own, nothing is changed or
/// advised there: it would be written to that disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In this host's file systems: by `apply`, or by a person.
    Host,
    /// By a person in /boot, which may be what lies on a foreign disk.
    Boot,
    /// In this host's file systems; but what is wrong with a record is reported where that is judged.
    Record,
    /// In vCenter, on the machine that is powered off; or it is what puts right that the disk is not this host's.
    Elsewhere,
}

/// What a person can order about a requirement by options of the command line.
pub struct Orders {
    /// The option as it was given, where it decides what is done about this requirement alone.
    pub option: fn(&Request) -> Option<String>,
    /// Whether something is done although it holds.
    pub again: fn(&Profile, &Facts, &Request) -> bool,
    /// What is done in the place of the remedy where another volume takes the place of the retention volume; `None` where none
    /// does, or nothing of it is left to do.
    pub takeover: fn(&Profile, &Facts, &Request) -> Option<Remedy>,
}

impl Orders {
    pub const NONE: Self = Self { option: |_| None, again: |_, _, _| false, takeover: |_, _, _| None };
}

impl Requirement {
    /// Of a requirement whose table leaves something out. What is not judged is unknown.
    pub const DEFAULT: Self = Self {
        id: "",
        title: "",
        severity: Severity::Required,
        section: "",
        why: "",
        by_hand: "",
        look: "",
        belongs: |_| Belongs::Machine,
        after: &[],
        waiver: Waivable::Always,
        place: Place::Host,
        judge: |_, _| Err(Status::unknown("nothing judges it")),
        only_advice: |_, _| false,
        remedy: RemediedBy::Person,
        orders: Orders::NONE,
    };

    /// Whether `apply` changes it without being told how by an option.
    pub fn is_changeable(&self) -> bool {
        matches!(self.remedy, RemediedBy::Apply(_))
    }

    pub fn remedy(&self, profile: &Profile, facts: &Facts, request: &Request) -> Remedy {
        match self.remedy {
            RemediedBy::Person => Remedy::None,
            RemediedBy::Apply(remedy) | RemediedBy::Order(remedy) => remedy(profile, facts, request),
        }
    }
}
