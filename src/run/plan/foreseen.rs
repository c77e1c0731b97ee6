//! What will hold while a plan is made.

use std::collections::{BTreeMap, BTreeSet};

use crate::steps::{Finding, Status};

/// Which requirements will hold once the plan so far has been carried out.
pub(super) struct Foreseen {
    pub holding: BTreeSet<&'static str>,
    waiting: BTreeSet<&'static str>,
    /// What waits for which other requirement now.
    blocked: BTreeMap<&'static str, String>,
}

impl Foreseen {
    pub fn from(findings: &[Finding]) -> Self {
        let blocked = findings.iter().filter_map(|finding| match &finding.status {
            Status::Blocked { by } => Some((finding.id, by.clone())),
            _ => None,
        });
        Self {
            holding: findings.iter().filter(|finding| finding.status.holds()).map(|f| f.id).collect(),
            waiting: BTreeSet::new(),
            blocked: blocked.collect(),
        }
    }

    /// What of `needs` will not hold, but for what only waits for another of them.
    pub fn lacking(&self, needs: &[&'static str]) -> Vec<&'static str> {
        let missing: Vec<_> = needs.iter().copied().filter(|need| !self.holds(need)).collect();
        let follows = |id: &str| self.blocked.get(id).is_some_and(|by| missing.contains(&by.as_str()));
        missing.iter().copied().filter(|id| !follows(id)).collect()
    }

    pub fn holds(&self, id: &str) -> bool {
        self.holding.contains(id)
    }

    /// Whether `id` will hold only after the restart.
    pub fn waits(&self, id: &str) -> bool {
        self.waiting.contains(id)
    }

    pub fn now(&mut self, id: &'static str) {
        self.holding.insert(id);
    }

    pub fn after_restart(&mut self, id: &'static str) {
        self.holding.insert(id);
        self.waiting.insert(id);
    }
}
