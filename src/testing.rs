//! What the tests of several rooms need, and those of tests/ too.

#[path = "../tests/support/samples.rs"]
mod samples;

pub(crate) use samples::{Samples, samples};

use std::time::{Duration, Instant};

/// That `text` begins so.
#[track_caller]
pub(crate) fn begins(text: &str, expected: &str) {
    assert!(text.starts_with(expected), "{text:?} does not begin with {expected:?}");
}

/// That `text` has this in it.
#[track_caller]
pub(crate) fn has(text: &str, expected: &str) {
    assert!(text.contains(expected), "{expected:?} is not in {text:?}");
}

/// That `text` ends so.
#[track_caller]
pub(crate) fn ends(text: &str, expected: &str) {
    assert!(text.ends_with(expected), "{text:?} does not end with {expected:?}");
}

/// Numbers below those asked for, the same ones for each seed (SplitMix64).
pub(crate) fn chance(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |end| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % end as u64).unwrap()
    }
}

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
