//! `explain`: a requirement or an error code, or all that can be explained.

use std::fmt::Display;

use serde::Serialize;

use super::json::Titled;
use super::style::{Page, Paint, Style};
use super::text::heading;
use crate::steps::Belongs;
use crate::steps::explain::{Code, Entry, Explained, Explanation, Index, vcenter_only};

const SCHEMA: &str = "mt-agent/explain/v1";

/// The document of `explain`.
#[derive(Debug, Serialize)]
pub struct IndexDocument<'a> {
    schema: &'static str,
    #[serde(flatten)]
    index: &'a Index,
    only_vcenter_can_tell: &'static [&'static str],
}

pub fn document(explanation: &Explanation) -> Titled<'_, Explanation> {
    Titled { schema: SCHEMA, value: explanation }
}

pub fn index_document(index: &Index) -> IndexDocument<'_> {
    IndexDocument { schema: SCHEMA, index, only_vcenter_can_tell: vcenter_only() }
}

pub fn render(explanation: &Explanation, style: Style) -> String {
    let mut page = Page::new(style);
    match explanation {
        Explanation::Requirement(explained) => requirement(&mut page, explained),
        Explanation::Code(code) => error_code(&mut page, code),
        Explanation::Section { section, requirements } => {
            page.put(Paint::Bold, heading(section)).end();
            entries(&mut page, requirements);
            page.gap().line("mt-agent explain ID shows the cause and the fix.");
        }
    }
    page.finish()
}

pub fn render_index(index: &Index, style: Style) -> String {
    let mut page = Page::new(style);
    let mut section = "";
    for entry in &index.requirements {
        let its = entry.id.split('.').next().unwrap_or_default();
        if its != section {
            if !section.is_empty() {
                page.gap();
            }
            section = its;
            page.put(Paint::Bold, heading(section)).end();
        }
        page.wrapped("", Paint::Plain, &format!("  {:26}", entry.id), &entry.title);
    }
    page.gap().put(Paint::Bold, "Error codes of Site Recovery").end();
    entries(&mut page, &index.codes);
    page.gap().put(Paint::Bold, "What only vCenter can tell").end();
    items(&mut page, vcenter_only());
    page.gap().line("mt-agent explain ID or CODE shows the cause and the fix.");
    page.finish()
}

fn requirement(page: &mut Page, explained: &Explained) {
    page.wrapped("", Paint::Bold, explained.id, &format!(": {}", explained.title));
    field(page, "Weight", explained.severity.word());
    field(page, "Procedure", explained.section);
    field(page, "Cause", &explained.cause);
    field(page, "Fix", &explained.fix);
    field(
        page,
        "Agent",
        if explained.changeable { "mt-agent apply can change it" } else { "mt-agent checks it only" },
    );
    let stage = match explained.belongs {
        Belongs::Image => "image: a clone has it from there",
        Belongs::Machine => "machine",
        Belongs::Both => "image and machine",
    };
    field(page, "Stage", stage);
    field(page, "After", &explained.after.join(", "));
    field(page, "Before", &explained.before.join(", "));
    let codes: Vec<_> = explained.codes.iter().map(u32::to_string).collect();
    field(page, "Codes", &codes.join(", "));
    field(page, "Waiver", explained.waiver.as_deref().unwrap_or_default());
}

fn error_code(page: &mut Page, code: &Code) {
    page.wrapped("", Paint::Bold, &code.code.to_string(), &format!(": {}", code.title));
    field(page, "Explained in", code.section);
    page.gap().put(Paint::Bold, "Possible causes").end();
    items(page, code.causes);
    page.gap().put(Paint::Bold, "What to do").end();
    for (number, fix) in code.fixes.iter().enumerate() {
        page.wrapped("", Paint::Plain, &format!("{:>4}. ", number + 1), fix);
    }
    page.gap();
    field(page, "Checked by", &code.requirements.join(", "));
    field(page, "Not seen", code.not_seen);
}

/// A field; nothing when it is empty.
fn field(page: &mut Page, label: &str, text: &str) {
    if !text.is_empty() {
        page.wrapped("  ", Paint::Dim, &format!("{label:14}"), text);
    }
}

fn entries<Id: Display>(page: &mut Page, entries: &[Entry<Id>]) {
    for entry in entries {
        page.wrapped("", Paint::Plain, &format!("  {:<26}", entry.id), &entry.title);
    }
}

fn items(page: &mut Page, items: &[&str]) {
    for item in items {
        page.wrapped("", Paint::Plain, "  - ", item);
    }
}

#[cfg(test)]
mod tests {
    use super::super::style::WIDTH;
    use super::*;
    use crate::steps::explain::{explain, index};
    use crate::steps::testing::ready;

    #[test]
    fn every_explanation_fits_the_console_and_is_a_document() {
        let (profile, _) = ready();
        let index = index(&profile);
        let ids = index.requirements.iter().map(|entry| entry.id.to_owned());
        let mut pages = vec![render_index(&index, Style::default())];
        for name in ids.chain(index.codes.iter().map(|entry| entry.id.to_string())) {
            let explanation = explain(&name, &profile).unwrap();
            let page = render(&explanation, Style::default());
            assert!(page.starts_with(&format!("{name}: ")), "{page}");
            assert_eq!(serde_json::to_value(document(&explanation)).unwrap()["schema"], SCHEMA);
            pages.push(page);
        }
        for line in pages.iter().flat_map(|page| page.lines()) {
            assert!(line.chars().count() <= WIDTH && line.is_ascii(), "{line}");
        }
        assert!(
            pages[0].contains("\nWhat only vCenter can tell\n  - that the master target has no snapshot")
        );
    }

    #[test]
    fn a_section_has_its_requirements() {
        let page = render(&explain("retention", &ready().0).unwrap(), Style::default());
        assert!(page.starts_with("Retention volume (retention)\n  retention.disk "), "{page}");
        assert!(page.ends_with("\n\nmt-agent explain ID shows the cause and the fix.\n"), "{page}");
    }

    #[test]
    fn a_code_has_its_causes_and_what_bears_on_it() {
        let page = render(&explain("95226", &ready().0).unwrap(), Style::default());
        for words in [
            "Possible causes\n  - ",
            "What to do\n   1. ",
            "  Checked by    network.dns, site.configuration-server",
        ] {
            assert!(page.contains(words), "{words}\n{page}");
        }
    }
}
