//! `plan` for people: the changes, numbered, and what only a person can fix.

use super::Plan;
use super::style::{Page, Paint, Style, cut};
use crate::steps::Severity;

/// The plan as text.
#[must_use]
pub fn render(plan: &Plan, style: Style) -> String {
    let mut page = Page::new(style);
    page.put(Paint::Bold, &format!("Plan for {}", cut(&plan.host, 70))).end();
    page.line(&format!("profile {}", plan.profile));
    for note in &plan.notes {
        page.wrapped("", Paint::Warn, "note: ", note);
    }
    if !plan.changes.is_empty() {
        page.gap().put(Paint::Bold, "Changes that apply makes, in this order").end();
    }
    for (number, planned) in plan.changes.iter().enumerate() {
        let later = if planned.after_restart { " (after the restart)" } else { "" };
        let text = format!("{}{later}", planned.change.summary());
        page.wrapped("", Paint::Bold, &format!("{:>4}. ", number + 1), &text);
        page.put(Paint::Plain, "      ").put(Paint::Dim, &format!("for {}", planned.requirement)).end();
    }
    for (severity, heading) in [
        (Severity::Required, "What only a person can fix"),
        (Severity::Recommended, "What only a person can fix, recommended"),
    ] {
        let mut manual = plan.manual.iter().filter(|manual| manual.severity == severity).peekable();
        if manual.peek().is_some() {
            page.gap().put(Paint::Bold, heading).end();
        }
        for manual in manual {
            page.put(Paint::Plain, "  ").put(Paint::Bold, &manual.id).end();
            page.wrapped("    ", Paint::Dim, "found  ", &manual.found);
            page.wrapped("    ", Paint::Dim, "fix    ", &manual.fix);
        }
    }
    page.gap();
    page.line(&summary(plan));
    page.finish()
}

fn summary(plan: &Plan) -> String {
    let changes = match plan.changes.len() {
        0 => "nothing for apply to change".to_owned(),
        1 => "1 change to make".to_owned(),
        many => format!("{many} changes to make"),
    };
    let restart = if plan.restart { ", a restart owed" } else { "" };
    let manual = match plan.manual.len() {
        0 => String::new(),
        count => format!(", {count} left to a person"),
    };
    format!("{changes}{restart}{manual}")
}

#[cfg(test)]
mod tests {
    use super::super::{Manual, PlannedChange};
    use super::*;
    use crate::changes::Change;

    #[test]
    fn changes_are_numbered_and_what_a_person_must_do_stands_apart() {
        let change = Change::RecordCustomChanges { accepted: false };
        let plan = Plan {
            profile: "centos-6.6".into(),
            host: "mt01".into(),
            changes: vec![PlannedChange {
                requirement: "custom-changes.restarted".into(),
                change,
                after_restart: true,
            }],
            manual: vec![Manual {
                id: "scsi.uuid-enabled".into(),
                severity: Severity::Required,
                found: "no NAA id".into(),
                fix: "power off, set disk.EnableUUID".into(),
            }],
            restart: true,
            notes: vec!["made from a recording".into()],
            waiting: None,
        };
        assert_eq!(
            render(&plan, Style::default()),
            "Plan for mt01
profile centos-6.6
note: made from a recording

Changes that apply makes, in this order
   1. record the custom changes that were made by hand (after the restart)
      for custom-changes.restarted

What only a person can fix
  scsi.uuid-enabled
    found  no NAA id
    fix    power off, set disk.EnableUUID

1 change to make, a restart owed, 1 left to a person
"
        );
        let nothing = render(&Plan::default(), Style::default());
        assert!(nothing.ends_with("\nnothing for apply to change\n"), "{nothing}");
    }
}
