//! `plan` for people: the changes, numbered, and what only a person can fix.

use super::style::{Page, Paint, Style, cut};
use super::{Manual, Plan};
use crate::steps::Severity;

/// The status of a [`Manual`] that nobody can fix before it is known.
const UNKNOWN: &str = "unknown";

/// The plan as text.
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
    for (severity, unknown, heading) in [
        (Severity::Required, false, "What only a person can fix"),
        (Severity::Required, true, "What is unknown"),
        (Severity::Recommended, false, "What only a person can fix, recommended"),
        (Severity::Recommended, true, "What is unknown, recommended"),
    ] {
        let is_of = |manual: &&Manual| manual.severity == severity && (manual.status == UNKNOWN) == unknown;
        let mut manual = plan.manual.iter().filter(is_of).peekable();
        if manual.peek().is_some() {
            page.gap().put(Paint::Bold, heading).end();
        }
        let (found, fix) = if unknown { ("reason    ", "find out  ") } else { ("found  ", "fix    ") };
        for manual in manual {
            page.put(Paint::Plain, "  ").put(Paint::Bold, &manual.id).end();
            page.wrapped("    ", Paint::Dim, found, &manual.found);
            page.wrapped("    ", Paint::Dim, fix, &manual.fix);
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
    use super::super::PlannedChange;
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
            manual: vec![
                Manual {
                    id: "os.release".into(),
                    severity: Severity::Required,
                    status: "unknown",
                    found: "not permitted".into(),
                    fix: "as root: `cat /etc/redhat-release`".into(),
                },
                Manual {
                    id: "scsi.uuid-enabled".into(),
                    severity: Severity::Required,
                    status: "unmet",
                    found: "no NAA id".into(),
                    fix: "power off, set disk.EnableUUID".into(),
                },
            ],
            restart: true,
            notes: vec!["made from a recording".into()],
            undetermined: false,
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

What is unknown
  os.release
    reason    not permitted
    find out  as root: `cat /etc/redhat-release`

1 change to make, a restart owed, 2 left to a person
"
        );
        let nothing = render(&Plan::default(), Style::default());
        assert!(nothing.ends_with("\nnothing for apply to change\n"), "{nothing}");
    }
}
