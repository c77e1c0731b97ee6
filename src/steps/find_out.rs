//! How a person finds out what the agent could not: read-only looks, never a repair.

use super::known::is_image;
use super::requirement::Requirement;
use super::wording::fill;
use crate::facts::Facts;
use crate::platform::words;
use crate::profile::Profile;
use crate::state::record::REPAIR;

/// How a person finds out about `requirement`, of which these facts do not tell enough: `why`. A record that is lost or damaged has a
/// repair of its own, which shows what it would do and asks.
pub fn how(requirement: &Requirement, why: &str, profile: &Profile, facts: &Facts) -> String {
    if why.contains(REPAIR) && !is_image(facts) {
        let as_root = if facts.privileged { "" } else { "as root: " };
        return format!("{as_root}mt-agent state, then {REPAIR}");
    }
    let look = fill(requirement.look, profile, words::family(facts));
    if is_image(facts) {
        format!("by hand, in the tree or on a machine that was started from it: {look}")
    } else if facts.privileged {
        format!("by hand: {look}; then mt-agent check again")
    } else {
        format!("run mt-agent check as root, which can read more; or by hand, as root: {look}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::ready;
    use super::super::{all, find};
    use super::*;
    use crate::platform::Family;

    fn how(id: &str, why: &str, facts: &Facts) -> String {
        super::how(find(id).unwrap(), why, &ready().0, facts)
    }

    #[test]
    fn of_everything_it_can_be_found_out() {
        let (profile, facts) = ready();
        for requirement in all() {
            for family in [Family::RedHat, Family::Debian] {
                let look = fill(requirement.look, &profile, family);
                assert!(look.contains('`') || look.len() > 40, "{}", requirement.id);
            }
            assert!(how(requirement.id, "", &facts).contains("by hand: "), "{}", requirement.id);
        }
    }

    #[test]
    fn nobody_is_told_to_change_anything() {
        let (profile, _) = ready();
        let acts = ["apply", "install ", "--custom-changes", "restart", "mkfs", "mount ", "chmod", "start"];
        for requirement in all() {
            for family in [Family::RedHat, Family::Debian] {
                let look = fill(requirement.look, &profile, family);
                assert!(!acts.iter().any(|act| look.contains(act)), "{}: {look}", requirement.id);
            }
        }
    }

    #[test]
    fn others_than_root_are_told_to_be_root_first() {
        let (_, mut facts) = ready();
        facts.privileged = false;
        assert!(how("os.release", "", &facts).starts_with("run mt-agent check as root"));
    }

    #[test]
    fn a_record_that_is_lost_or_damaged_is_repaired_and_not_compared_by_hand() {
        let (_, mut facts) = ready();
        let why = format!("it is torn: {}", crate::state::record::SEE);
        for id in ["layout.own-disks", "retention.disk", "custom-changes.applied", "image.identity"] {
            assert_eq!(how(id, &why, &facts), "mt-agent state, then mt-agent state repair", "{id}");
        }
        facts.privileged = false;
        assert!(how("image.identity", &why, &facts).starts_with("as root: mt-agent state"));
    }
}
