//! What the agent's own records are as facts: one that is not believed is unknown.

use super::{Fact, read};
use crate::host::Host;
use crate::state::paths::SET_ASIDE;
use crate::state::set_aside;

/// The names of the records of this machine that `state repair` has set aside (`retention.json`).
pub fn set_aside(host: &Host) -> Fact<Vec<String>> {
    let names = set_aside::names(host);
    Fact::from_result(names.map_err(|error| format!("{:#}", read::explain(SET_ASIDE, error))))
}

/// Of recordings by a version that set nothing aside.
pub(crate) fn nothing_set_aside() -> Fact<Vec<String>> {
    Fact::Known(Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;
    use crate::state::{paths, record};

    #[test]
    fn every_fact_from_a_damaged_record_shows_the_way_out() {
        let records =
            [paths::RETENTION, paths::VENDOR_SCRIPT, paths::IDENTITY, paths::TEMPLATE, paths::RESUME];
        let files: Vec<_> = records.iter().map(|path| (&path[1..], "torn")).collect();
        let dir = testing::tree(&files);
        let wanted = crate::facts::gather::Wanted::default();
        let facts = crate::facts::gather::gather(&Host::recorded(dir.path()), &wanted);
        fn why<T>(fact: &Fact<T>) -> &str {
            match fact {
                Fact::Unknown(why) => why,
                _ => panic!("known"),
            }
        }
        for (path, why) in records.iter().zip([
            why(&facts.retention_record),
            why(&facts.custom_changes.record),
            why(&facts.identity.recorded),
            why(&facts.identity.template),
            why(&facts.identity.half_sealed),
        ]) {
            // Nothing here rebuilds that of the image.
            let way_out = if *path == paths::TEMPLATE { "copy it from the template" } else { record::REPAIR };
            assert!(why.starts_with(path) && why.contains(way_out), "{why}");
        }
    }

    #[test]
    fn what_repair_set_aside_is_named_and_not_what_was_of_another_machine() {
        let dir = testing::tree(&[
            ("var/lib/mt-agent/set-aside/damaged-20260601T100000Z/retention.json", "torn"),
            ("var/lib/mt-agent/set-aside/records-20260601T100000Z/resume.json", "{}"),
        ]);
        assert_eq!(set_aside(&Host::recorded(dir.path())), Fact::Known(vec!["retention.json".to_owned()]));
        assert_eq!(set_aside(&Host::recorded(testing::tree(&[]).path())), Fact::Known(Vec::new()));
        let other = testing::tree(&[(&SET_ASIDE[1..], "a file")]);
        assert_eq!(set_aside(&Host::recorded(other.path())), Fact::Known(Vec::new()));
    }
}
