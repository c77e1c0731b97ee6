//! What the tests of several rooms need, and those of tests/ too.

#[path = "../tests/support/samples.rs"]
mod samples;

pub(crate) use samples::samples;

use std::time::{Duration, Instant};

#[test]
fn samples_reach_their_floor_without_time_and_use_the_time_there_is() {
    assert_eq!(samples(7, Duration::ZERO).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6]);
    let since = Instant::now();
    assert!(samples(1, Duration::from_millis(20)).count() > 1);
    assert!(since.elapsed() >= Duration::from_millis(20));
}
