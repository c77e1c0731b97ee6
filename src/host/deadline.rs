//! Deadlines, and what makes them shorter.

use std::time::Duration;

/// The variable that shortens every deadline, in whole seconds: for tests, which cannot wait until a tool that hangs is
/// given up.
const SHORTENED: &str = "MT_AGENT_DEADLINE_SECONDS";

/// The deadline, or what [`SHORTENED`] says where that is less.
pub(super) fn shortened(deadline: Duration) -> Duration {
    shortened_to(deadline, std::env::var(SHORTENED).ok().as_deref())
}

fn shortened_to(deadline: Duration, seconds: Option<&str>) -> Duration {
    let most = seconds.and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
    most.map_or(deadline, |most| deadline.min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_can_be_shortened_and_never_prolonged() {
        for (seconds, expected) in
            [(Some("3"), 3), (Some("20"), 10), (None, 10), (Some(""), 10), (Some("-1"), 10), (Some("x"), 10)]
        {
            assert_eq!(
                shortened_to(Duration::from_secs(10), seconds),
                Duration::from_secs(expected),
                "{seconds:?}"
            );
        }
    }
}
