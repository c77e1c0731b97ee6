//! Tests of the whole room: the built-in profile, the refusal of wrong ones, and that no input can do harm.

mod chain;
mod hostile;
mod wrong;

use crate::host::Host;

use super::*;

/// The built-in default.
fn default() -> Profile {
    load(Some(DEFAULT), &Host::live(), &[], false).unwrap()
}

#[test]
fn what_is_shown_can_be_loaded_and_says_the_same() {
    let profile = default();
    let mut again = load::from_text(&show(&profile), "p.yaml", &[]).unwrap();
    let line = show(&profile).lines().position(|line| line.starts_with("  capacity: 1 TB ")).unwrap() + 1;
    assert_eq!(again.origins["retention.capacity"], format!("p.yaml:{line}"));
    again.origins.clone_from(&profile.origins);
    assert_eq!(again, profile);
}
