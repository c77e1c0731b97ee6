//! What the tests of several rooms need, and those of tests/ too.

#[path = "../tests/support/samples.rs"]
mod samples;

pub(crate) use samples::{Samples, samples};

use std::time::{Duration, Instant};

#[test]
fn samples_reach_their_floor_without_time_and_use_the_time_there_is() {
    // Forgotten: they say no count, which would be added to those of others.
    let mut none = Samples::new(7, Duration::ZERO);
    assert_eq!(none.by_ref().collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6]);
    std::mem::forget(none);
    let since = Instant::now();
    let mut some = Samples::new(1, Duration::from_millis(20));
    assert!(some.by_ref().count() > 1);
    assert!(since.elapsed() >= Duration::from_millis(20));
    std::mem::forget(some);
}
