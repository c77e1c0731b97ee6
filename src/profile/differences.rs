//! A profile as the file that says only what is different from the built-in one.

use serde_yaml::{Mapping, Value};

use super::decode::below;
use super::model::Profile;
use super::show::masked_values;
use super::tree::BUILT_IN;
use super::yaml::{Writer, pairs};
use crate::host::text::safe;

/// The profile as a file for the host that it describes: what it extends, and every value that is not the built-in
/// one's, in ASCII. `installation` is left out where it can be: an installed system needs it no more, and a golden image must not
/// carry the name and the address of the machine that it was made on. Credentials in addresses are masked.
pub fn differences(profile: &Profile) -> String {
    let mut out = format!("# {}\n", safe(&profile.name));
    let base = profile.origins.values().find_map(|origin| origin.strip_prefix(BUILT_IN));
    if let Some(base) = base {
        out.push_str(&format!("extends: {base}\n"));
    }
    let mut writer = Writer::new(out, &|_| None);
    for (key, value) in pairs(&masked_values(profile)) {
        let needed = base.is_none() || key != "installation";
        if let Some(value) = different(value, key, profile).filter(|_| needed) {
            writer.entry(key, &value);
        }
    }
    escaped(&writer.out)
}

/// `text` in ASCII, which tools of any age pass on: what is beyond it stands in double quotes, where YAML knows `\U`.
fn escaped(text: &str) -> String {
    let escape = |c: char| if c.is_ascii() { c.to_string() } else { format!("\\U{:08x}", u32::from(c)) };
    text.chars().map(escape).collect()
}

/// What of `value` is different. A list is replaced as a whole.
fn different(value: &Value, path: &str, profile: &Profile) -> Option<Value> {
    let Value::Mapping(entries) = value else {
        // What a file leaves out is its default there too.
        let origin = profile.origins.get(path)?;
        return (!origin.starts_with(BUILT_IN)).then(|| value.clone());
    };
    let kept: Mapping = pairs(entries)
        .filter_map(|(key, value)| Some((key.into(), different(value, &below(path, key), profile)?)))
        .collect();
    (!kept.is_empty()).then_some(Value::Mapping(kept))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::load::from_text;

    #[track_caller]
    fn same_again(text: &str) -> String {
        let profile = from_text(text, "p.yaml", &["sizing.memory"]).unwrap();
        let shown = differences(&profile);
        let mut again = from_text(&shown, "again.yaml", &["sizing.memory"])
            .unwrap_or_else(|wrong| panic!("{wrong}\n{shown}"));
        again.origins.clone_from(&profile.origins);
        assert_eq!(again, profile, "{shown}");
        shown
    }

    #[test]
    fn only_what_is_different_is_told_and_it_loads_as_the_same() {
        let shown = same_again(
            "extends: centos-6.6\nsizing: {memory: 8 GB}\nsite: {process-server: {address: ps}}\nwaivers:\n  - \
             requirement: sizing.memory\n    reason: 'x: #y \u{e9}\u{1f600}'\n    until: '2026-03-31'\nfiles: {xfs: []}\n",
        );
        assert!(
            shown.is_ascii() && shown.contains("extends: centos-6.6\n") && shown.contains("  memory: 8 GB\n"),
            "{shown}"
        );
        for none in ["cpus", "layout", "reiserfs", "port: 443", "installation"] {
            assert!(!shown.contains(none), "{none}\n{shown}");
        }
        assert_eq!(same_again("extends: centos-6.6\nname: x\n"), "# x\nextends: centos-6.6\nname: x\n");
        let text = "extends: centos-6.6\nname: x\ninstallation: {hostname: mt1}\n";
        let profile = from_text(text, "p.yaml", &[]).unwrap();
        assert_eq!(differences(&profile), "# x\nextends: centos-6.6\nname: x\n");
    }

    #[test]
    fn one_that_extends_nothing_is_told_whole() {
        let built_in = crate::profile::builtin("centos-6.6").unwrap();
        let shown = same_again(built_in);
        assert!(!shown.contains("extends") && shown.contains("  max-disks: 60\n"), "{shown}");
    }
}
