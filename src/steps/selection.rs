//! Which requirements are looked at: `--only` and `--skip`, by id or section.

use anyhow::{Result, bail};

use super::nearest::nearest;
use super::registry::all;
use super::stage::Stage;
use crate::host::text;
use crate::profile::Profile;
use crate::state::request::Part;

/// Requirements selected by id (`retention.mounted`) or section (`retention`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// As a person gave it.
    pub part: Part,
    /// What does not belong to its stage, by id.
    of_another: Vec<&'static str>,
}

impl Selection {
    /// A selection by names of requirements and sections.
    /// Errors: A name that is neither an id nor a section; a selection that leaves nothing to look at.
    pub fn new(only: Vec<String>, skip: Vec<String>) -> Result<Self> {
        for (option, names) in [("--only", &only), ("--skip", &skip)] {
            for name in names {
                if !all().any(|requirement| covers(name, requirement.id)) {
                    bail!("{option}: {}", unknown(name));
                }
            }
        }
        let part = Part { only, skip, stage: None };
        let selection = Self { part, of_another: Vec::new() };
        if !all().any(|requirement| selection.includes(requirement.id)) {
            bail!("--only and --skip leave no requirement to look at");
        }
        Ok(selection)
    }

    /// This selection without what, by `profile`, does not belong to `stage`.
    /// Errors: That leaves nothing to look at.
    pub fn at_stage(self, stage: Option<Stage>, profile: &Profile) -> Result<Self> {
        let part = Part { stage, ..self.part };
        let Some(wanted) = stage else { return Ok(Self { part, of_another: Vec::new() }) };
        let other = all().filter(|requirement| !(requirement.belongs)(profile).is_of(wanted));
        let selection = Self { part, of_another: other.map(|requirement| requirement.id).collect() };
        if !all().any(|requirement| selection.includes(requirement.id)) {
            bail!("of what --only and --skip leave, nothing belongs to the stage `{}`", wanted.word());
        }
        Ok(selection)
    }

    /// Whether nothing is left out.
    pub fn is_everything(&self) -> bool {
        self.part == Part::default()
    }

    /// What it leaves out, by id, in the order of the procedure.
    pub fn left_out(&self) -> Vec<&'static str> {
        all().map(|requirement| requirement.id).filter(|id| !self.includes(id)).collect()
    }

    /// That not everything is looked at, in words.
    pub fn note(&self) -> Option<String> {
        let is_part = !self.left_out().is_empty();
        is_part.then(|| {
            format!("selection only ({}): nothing is said of the rest of the host", self.part.options())
        })
    }

    /// Whether the requirement `id` is selected.
    pub fn includes(&self, id: &str) -> bool {
        (self.part.only.is_empty() || self.part.only.iter().any(|name| covers(name, id)))
            && !self.part.skip.iter().any(|name| covers(name, id))
            && !self.of_another.contains(&id)
    }
}

/// The sections, in the order of the procedure: the first words of the ids.
pub fn sections() -> Vec<&'static str> {
    let mut sections: Vec<_> = all().map(|requirement| section(requirement.id)).collect();
    sections.dedup();
    sections
}

/// `ids`, in the order of the procedure, as one list: a section whose requirements are all among them by its name.
pub fn in_short(ids: &[&'static str]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for id in ids {
        let its = section(id);
        let whole = all().filter(|other| section(other.id) == its).all(|other| ids.contains(&other.id));
        let name = if whole { its } else { id };
        if names.last() != Some(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

fn covers(name: &str, id: &str) -> bool {
    name == id || is_section(name, id)
}

pub(super) fn is_section(name: &str, id: &str) -> bool {
    name == section(id)
}

fn section(id: &str) -> &str {
    id.split_once('.').map_or(id, |(section, _)| section)
}

/// One line for a name that is no requirement's.
pub(super) fn unknown(name: &str) -> String {
    let name = &text::safe(name);
    let sections = sections();
    let close = nearest(name, all().map(|requirement| requirement.id).chain(sections.iter().copied()));
    if close.is_empty() {
        format!("no requirement or section is called \"{name}\"; the sections are {}", sections.join(", "))
    } else {
        format!("no requirement or section is called \"{name}\"; close to it: {}", close.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Verdict, judge_all, testing, verdict};
    use super::*;

    fn strings(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn select(only: &[&str], skip: &[&str]) -> Result<Vec<&'static str>> {
        let selection = Selection::new(strings(only), strings(skip))?;
        let (profile, facts) = testing::ready();
        let findings = judge_all(&profile, &facts, testing::TODAY, &selection);
        Ok(findings.iter().map(|finding| finding.id).collect())
    }

    fn refused(only: &[&str], skip: &[&str]) -> String {
        format!("{:#}", select(only, skip).unwrap_err())
    }

    #[test]
    fn requirements_are_selected_by_id_and_section() {
        assert_eq!(select(&[], &[]).unwrap(), super::super::ids());
        assert_eq!(select(&["scsi"], &[]).unwrap(), ["scsi.ids", "scsi.ids-unique", "scsi.uuid-enabled"]);
        assert_eq!(
            select(&["scsi", "os.release"], &["scsi.ids"]).unwrap(),
            ["os.release", "scsi.ids-unique", "scsi.uuid-enabled"]
        );
        let without = select(&[], &["site", "os.clock"]).unwrap();
        assert!(without.iter().all(|id| !id.starts_with("site.") && *id != "os.clock"));
        assert_eq!(without.len(), super::super::ids().len() - 5);
    }

    #[test]
    fn an_unknown_name_is_refused_with_what_comes_close() {
        assert_eq!(
            refused(&["retention.monted"], &[]),
            "--only: no requirement or section is called \"retention.monted\"; close to it: retention.mounted"
        );
        assert_eq!(
            refused(&[], &["zzz"]),
            "--skip: no requirement or section is called \"zzz\"; the sections are os, sizing, layout, network, \
             hypervisor, scsi, image, packages, custom-changes, multipath, retention, site"
        );
        // A part of a name selects nothing by accident.
        assert!(refused(&["retention."], &[]).starts_with("--only: no requirement or section is called"));
        assert!(refused(&[""], &[]).starts_with("--only: no requirement or section is called \"\""));
    }

    #[test]
    fn a_stage_has_its_own_requirements_and_what_is_of_both() {
        let (profile, _) = testing::ready();
        let at = |only: &[&str], stage| {
            Selection::new(strings(only), Vec::new()).unwrap().at_stage(stage, &profile)
        };
        let image = at(&[], Some(Stage::Image)).unwrap();
        assert!(image.includes("packages.base") && image.includes("os.clock"));
        assert!(
            !image.includes("retention.disk") && !image.includes("os.hostname") && !image.is_everything()
        );
        let machine = at(&[], Some(Stage::Machine)).unwrap();
        assert!(machine.includes("retention.disk") && machine.includes("os.clock"));
        assert!(!machine.includes("packages.base"));
        assert!(at(&[], None).unwrap().is_everything());
        let none = at(&["retention"], Some(Stage::Image)).unwrap_err().to_string();
        assert_eq!(none, "of what --only and --skip leave, nothing belongs to the stage `image`");
    }

    #[test]
    fn what_is_left_out_is_told_by_sections_where_they_are_whole() {
        let selection =
            Selection::new(strings(&["scsi", "os.clock", "retention"]), strings(&["scsi.ids"])).unwrap();
        assert_eq!(selection.part.options(), "--only scsi,os.clock,retention --skip scsi.ids");
        let left = selection.left_out();
        assert!(left.contains(&"scsi.ids") && !left.contains(&"os.clock"), "{left:?}");
        let short = in_short(&left);
        assert!(short.starts_with("os.release, os.architecture, ") && !short.contains("os.clock"), "{short}");
        assert!(short.contains(", sizing, layout, network, hypervisor, scsi.ids, image, "), "{short}");
        assert!(short.ends_with(", site"), "{short}");
        assert_eq!((Selection::default().left_out(), in_short(&[])), (Vec::new(), String::new()));
        let (profile, _) = testing::ready();
        let image = Selection::default().at_stage(Some(Stage::Image), &profile).unwrap();
        assert_eq!(image.part.options(), "--stage image");
        assert!(in_short(&image.left_out()).contains("retention"));
        let back: Part = serde_json::from_value(serde_json::to_value(&selection.part).unwrap()).unwrap();
        assert_eq!(back, selection.part);
    }

    #[test]
    fn a_selection_of_nothing_is_refused_and_never_ready() {
        assert_eq!(refused(&["scsi"], &["scsi"]), "--only and --skip leave no requirement to look at");
        assert_eq!(verdict(&[]), Verdict::NotReady);
    }
}
