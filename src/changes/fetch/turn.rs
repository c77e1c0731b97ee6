//! How long an address may take while others wait.

use std::time::{Duration, Instant};

use crate::host::text;

/// How long it is one address's turn: what comes too slowly ends as [`GivenUp`], for another one to be tried.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// When it ends, unless all will be there before [`Fetch::until`](super::Fetch::until) as things go.
    pub ends: Instant,
    /// The fewest bytes that have to come in any time of the length `within`.
    pub least: u64,
    /// How long that time is.
    pub within: Duration,
}

/// An address was given up for being slow: it may be tried again once the others were.
#[derive(Debug)]
pub struct GivenUp(pub(super) String);

impl std::fmt::Display for GivenUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for GivenUp {}

/// How fast a file comes.
pub struct Pace {
    began: Instant,
    first: u64,
    /// Since when it is looked at, and how much there was then.
    since: Instant,
    at: u64,
}

impl Pace {
    /// From byte `at` on, from now on.
    pub fn new(at: u64) -> Self {
        let now = Instant::now();
        Self { began: now, first: at, since: now, at }
    }

    /// Why `done` bytes by now are too few for `turn`, if they are.
    pub fn too_slow(&mut self, turn: &Turn, until: Instant, done: u64, total: Option<u64>) -> Option<String> {
        if total == Some(done) {
            return None;
        }
        let now = Instant::now();
        let passed = now - self.since;
        if passed >= turn.within {
            let came = done - self.at;
            if came < turn.least {
                return Some(format!("only {} came in {} s", text::bytes(came), passed.as_secs()));
            }
            (self.since, self.at) = (now, done);
        }
        if now < turn.ends {
            return None;
        }
        let came = u128::from(done - self.first).max(1);
        let takes =
            total.map(|total| (now - self.began).as_millis() * u128::from(total.saturating_sub(done)) / came);
        let in_time = takes.is_some_and(|takes| takes <= (until.saturating_duration_since(now)).as_millis());
        (!in_time).then(|| "its share of the time was over".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_in_time_goes_on_after_its_share() {
        let now = Instant::now();
        let hour = Duration::from_secs(3600);
        let turn = Turn { ends: now, least: 10, within: hour };
        let mut pace = Pace { began: now - Duration::from_secs(60), first: 0, since: now, at: 0 };
        // A third came in a minute: two more are needed.
        assert_eq!(pace.too_slow(&turn, now + hour, 100, Some(300)), None);
        let over = Some("its share of the time was over".to_owned());
        assert_eq!(pace.too_slow(&turn, now + Duration::from_secs(100), 100, Some(300)), over);
        assert_eq!(pace.too_slow(&turn, now + hour, 100, None), over);
        assert_eq!(pace.too_slow(&turn, now, 300, Some(300)), None, "all of it is there");
    }

    #[test]
    fn what_trickles_is_told_from_what_flows() {
        let now = Instant::now();
        let turn = Turn { ends: now + Duration::from_secs(3600), least: 10, within: Duration::from_secs(5) };
        let ago = now - Duration::from_secs(7);
        let mut pace = Pace { began: ago, first: 0, since: ago, at: 50 };
        assert_eq!(pace.too_slow(&turn, turn.ends, 60, None), None);
        // The next time begins anew.
        assert_eq!(pace.too_slow(&turn, turn.ends, 60, None), None);
        let mut pace = Pace { began: ago, first: 0, since: ago, at: 51 };
        let why = pace.too_slow(&turn, turn.ends, 60, None).unwrap();
        assert!(why.starts_with("only 9 bytes came in "), "{why}");
    }
}
