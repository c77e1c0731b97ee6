//! How often a sample is taken: as often as a time budget has room for, and never less than a floor, however slow the
//! machine.

use std::io::Write;
use std::time::{Duration, Instant};

/// Numbers from 0 on.
pub struct Samples {
    floor: u64,
    taken: u64,
    until: Instant,
}

/// At least `floor` of them, and more until `budget` is over; `MT_AGENT_SAMPLE_SECONDS` is another budget, for a soak.
pub fn samples(floor: u64, budget: Duration) -> Samples {
    let budget = match std::env::var("MT_AGENT_SAMPLE_SECONDS") {
        Ok(seconds) => Duration::from_secs(seconds.parse().expect("MT_AGENT_SAMPLE_SECONDS is a number")),
        Err(_) => budget,
    };
    Samples::new(floor, budget)
}

impl Samples {
    /// At least `floor` of them, and more until `budget` is over.
    pub fn new(floor: u64, budget: Duration) -> Self {
        Self { floor, taken: 0, until: Instant::now() + budget }
    }
}

impl Iterator for Samples {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        if self.taken >= self.floor && Instant::now() >= self.until {
            return None;
        }
        self.taken += 1;
        Some(self.taken - 1)
    }
}

/// Says how many there were, past libtest, which keeps what a test prints to itself; `scripts/test` adds them up.
impl Drop for Samples {
    fn drop(&mut self) {
        let thread = std::thread::current();
        let line = format!("samples: {} of {}\n", self.taken, thread.name().unwrap_or("a test"));
        drop(std::io::stderr().write_all(line.as_bytes()));
    }
}
