//! `check` for people: sections in the order of the procedure, one line a requirement, and under what is not
//! met what was found, what was expected, why it matters and what to do.

use super::style::{Page, Paint, Style, WIDTH, cut};
use super::{Counts, Report, Verdict};
use crate::steps::{self, Finding, Severity, Status};

/// How much is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// What is not met, and the verdict.
    Quiet,
    /// Every requirement on one line, what is not met in full.
    #[default]
    Normal,
    /// Nothing is shortened.
    Verbose,
}

/// Columns of mark and id: `[not applicable]` and `site.configuration-server`, each with a space.
const MARK: usize = 17;
const ID: usize = 26;
/// Where what is under a requirement begins: left of its id, which leaves it enough of 80 columns.
const UNDER: usize = 12;
const LABEL: usize = 10;

/// The report as text.
pub fn render(report: &Report, style: Style, detail: Detail) -> String {
    let mut page = Page::new(style);
    page.put(Paint::Bold, &format!("Master target check of {}", cut(&report.host, 63))).end();
    page.line(&format!("profile {}", report.profile));
    for note in &report.notes {
        page.wrapped("", Paint::Warn, "note: ", note);
    }
    let mut section = "";
    for finding in report.findings.iter().filter(|f| detail != Detail::Quiet || !f.status.holds()) {
        let its = finding.id.split('.').next().unwrap_or_default();
        if its != section {
            section = its;
            page.gap().put(Paint::Bold, heading(section)).end();
        }
        one(&mut page, finding, detail);
    }
    page.gap();
    page.line(VCENTER);
    page.gap();
    summary(&mut page, report);
    page.finish()
}

/// The heading of a section, the first word of its ids.
pub fn heading(section: &str) -> &str {
    match section {
        "os" => "Operating system (os)",
        "sizing" => "Size of the machine (sizing)",
        "layout" => "Partitions, swap and boot loader (layout)",
        "network" => "Network (network)",
        "hypervisor" => "Virtual hardware (hypervisor)",
        "scsi" => "SCSI identity of the disks (scsi)",
        "image" => "Identity of this machine and its image (image)",
        "packages" => "Packages (packages)",
        "custom-changes" => "Custom changes of the vendor (custom-changes)",
        "retention" => "Retention volume (retention)",
        "site" => "Servers and software of the site (site)",
        other => other,
    }
}

/// What no program inside the machine can see.
const VCENTER: &str = "Only vCenter can tell: snapshots, Storage vMotion, datastores, the ESXi licence and account \
     permissions. See mt-agent-check(8).";

fn one(page: &mut Page, finding: &Finding, detail: Detail) {
    let (sign, word, paint) = mark(finding);
    let sign = if page.style().unicode { format!("{sign} {word}") } else { format!("[{word}]") };
    page.put(Paint::Plain, "  ").put(paint, &format!("{sign:MARK$}"));
    page.put(Paint::Plain, &format!("{:ID$}", finding.id));
    let start = 2 + MARK + ID;
    let beside = |page: &mut Page, text: &str| {
        // What is well stands on one line.
        if detail != Detail::Verbose && matches!(finding.status, Status::Met { .. }) {
            page.put(Paint::Plain, &cut(text, WIDTH - start)).end();
        } else {
            page.hang(start, text);
        }
    };
    match &finding.status {
        Status::Met { found } => beside(page, found.as_deref().unwrap_or(&finding.title)),
        Status::NotApplicable { why } => beside(page, why),
        Status::Waived { .. } => {
            beside(page, &finding.title);
            under(page, "waived", &finding.status.waiver().unwrap_or_default());
        }
        Status::Blocked { by } => beside(page, &format!("blocked by {by}")),
        Status::Unknown { why: reason } => {
            beside(page, &finding.title);
            under(page, "unknown", reason);
            why(page, finding);
            if let Some(how) = &finding.find_out {
                under(page, "find out", how);
            }
        }
        Status::RestartOwed { found } => {
            beside(page, &finding.title);
            under(page, "found", found);
            under(page, "fix", "restart the machine");
        }
        Status::Unmet { found, expected, fix } => {
            beside(page, &finding.title);
            under(page, "found", found);
            under(page, "expected", expected);
            why(page, finding);
            under(page, "fix", fix);
        }
    }
    if let Some(note) = &finding.note {
        under(page, "note", note);
    }
}

fn why(page: &mut Page, finding: &Finding) {
    if !finding.why.is_empty() {
        under(page, "why", &finding.why);
    }
}

fn under(page: &mut Page, label: &str, text: &str) {
    page.wrapped(&" ".repeat(UNDER), Paint::Dim, &format!("{label:LABEL$}"), text);
}

/// Sign, word and colour of a status.
fn mark(finding: &Finding) -> (char, &'static str, Paint) {
    let required = finding.severity == Severity::Required;
    match finding.status {
        Status::Met { .. } => ('\u{2713}', "met", Paint::Good),
        Status::Unmet { .. } if required => ('\u{2717}', "unmet", Paint::Bad),
        Status::Unmet { .. } => ('!', "advice", Paint::Warn),
        Status::RestartOwed { .. } => ('\u{21bb}', "restart owed", Paint::Warn),
        Status::Unknown { .. } => ('?', "unknown", if required { Paint::Bad } else { Paint::Warn }),
        Status::Blocked { .. } => ('\u{b7}', "blocked", Paint::Dim),
        Status::Waived { .. } => ('~', "waived", Paint::Warn),
        Status::NotApplicable { .. } => ('-', "not applicable", Paint::Dim),
    }
}

fn summary(page: &mut Page, report: &Report) {
    let paint = match report.verdict() {
        Verdict::Ready => Paint::Good,
        Verdict::NotReady => Paint::Bad,
        Verdict::RestartOwed | Verdict::SelectionReady => Paint::Warn,
    };
    page.line(&totals(report));
    if !report.left_out.is_empty() {
        page.wrapped("", Paint::Plain, "not looked at: ", &steps::in_short(&report.left_out));
    }
    let verdict = verdict(report);
    page.put(paint, &verdict).put(Paint::Plain, ": ").hang(verdict.len() + 2, &deciding(report));
}

/// The verdict in words. One on a part must not pass for one on the host.
pub fn verdict(report: &Report) -> String {
    match report.verdict() {
        Verdict::SelectionReady if report.left_out.is_empty() => "image only".to_owned(),
        Verdict::SelectionReady => "selection only".to_owned(),
        Verdict::RestartOwed if !report.left_out.is_empty() => "restart owed, selection only".to_owned(),
        verdict => verdict.word().replace('-', " "),
    }
}

/// What the verdict follows from, in words: `3 required unmet, 1 required unknown, 2 waived`.
pub fn deciding(report: &Report) -> String {
    let summary = report.summary();
    let Counts { met, unmet, restart_owed, unknown, blocked, .. } = summary.required;
    let failing = list(&[
        (unmet, "required unmet"),
        (unknown, "required unknown"),
        (restart_owed, "restart owed"),
        (blocked, "blocked"),
    ]);
    let text = if failing.is_empty() { format!("{met} required met") } else { failing };
    let beside = list(&[
        (summary.required.waived + summary.recommended.waived, "waived"),
        (report.left_out.len(), "not looked at"),
    ]);
    if beside.is_empty() { text } else { format!("{text}, {beside}") }
}

/// All that was looked at, in words: `38 requirements: 28 met, 2 recommended unmet, 1 waived`.
pub fn totals(report: &Report) -> String {
    let summary = report.summary();
    let both = |count: fn(&Counts) -> usize| count(&summary.required) + count(&summary.recommended);
    let recommended = summary.recommended;
    let counts = list(&[
        (both(|c| c.met), "met"),
        (recommended.unmet + recommended.restart_owed, "recommended unmet"),
        (recommended.unknown + recommended.blocked, "recommended unknown"),
        (both(|c| c.waived), "waived"),
        (both(|c| c.not_applicable), "not applicable"),
    ]);
    let looked_at = report.findings.len();
    let requirements = if looked_at == 1 { "requirement" } else { "requirements" };
    format!("{looked_at} {requirements}: {}", if counts.is_empty() { "none met" } else { &counts })
}

fn list(counts: &[(usize, &str)]) -> String {
    let shown: Vec<_> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::*;

    #[test]
    fn each_status_is_told_in_its_own_way_and_the_summary_comes_last() {
        let text = render(&sample(), Style::default(), Detail::Normal);
        let expected = "
a
  [met]            a.met                     it is \\u{1b}[2J so
  [unmet]          a.unmet                   What must hold
            found     nothing | at all
            expected  something
            fix       1. do it
                      2. do more
  [advice]         a.advice                  What must hold
            found     4 GiB
            expected  6 GiB
            fix       give the VM more

b
  [unknown]        b.unknown                 What must hold
            unknown   not root
            find out  run it as root, or by hand: `ls`
  [blocked]        b.blocked                 blocked by a.unmet
  [not applicable] b.na                      no kernel runs
  [waived]         b.waived                  What must hold
            waived    known (until 2030-01-01, approved by A. Person)

c
  [restart owed]   c.restart                 What must hold
            found     it ran in this boot
            fix       restart the machine
";
        assert!(text.contains(expected), "{text}");
        assert!(
            text.starts_with("Master target check of mt01\nprofile centos-6.6\nnote: not run as root\n"),
            "{text}"
        );
        let last = "\n8 requirements: 1 met, 1 recommended unmet, 1 waived, 1 not applicable\n\
                    not looked at: os.clock, scsi.ids\n\
                    not ready: 1 required unmet, 1 required unknown, 1 restart owed, 1 blocked, 1\n\
                    \x20          waived, 2 not looked at\n";
        assert!(text.ends_with(last), "{text}");
        assert!(text.is_ascii() && text.lines().all(|line| line.len() <= WIDTH), "{text}");
    }

    #[test]
    fn quiet_leaves_out_what_holds_and_verbose_cuts_nothing() {
        let mut report = sample();
        let long = "word ".repeat(40);
        report.findings[0].status = Status::met(long.trim());
        let quiet = render(&report, Style::default(), Detail::Quiet);
        assert!(!quiet.contains("a.met") && quiet.contains("a.unmet"), "{quiet}");
        let normal = render(&report, Style::default(), Detail::Normal);
        assert!(normal.contains("wo..."), "{normal}");
        let verbose = render(&report, Style::default(), Detail::Verbose);
        assert_eq!(verbose.matches("word").count(), 40, "{verbose}");
        assert!(verbose.lines().all(|line| line.len() <= WIDTH), "{verbose}");
    }

    #[test]
    fn a_verdict_on_a_part_does_not_pass_for_one_on_the_host() {
        let mut report = sample();
        report.findings.truncate(1);
        let last = |report: &Report| {
            render(report, Style::default(), Detail::Normal).lines().last().map(str::to_owned).unwrap()
        };
        assert_eq!(last(&report), "selection only: 1 required met, 2 not looked at");
        assert!(!render(&report, Style::default(), Detail::Normal).contains("ready"));
        report.findings.push(sample().findings.pop().unwrap());
        assert_eq!(last(&report), "restart owed, selection only: 1 restart owed, 2 not looked at");
        report.findings.pop();
        report.left_out.clear();
        assert_eq!(last(&report), "ready: 1 required met");
        let tree = Report { of_tree: true, ..report.clone() };
        assert_eq!(last(&tree), "image only: 1 required met");
        assert_eq!(tree.verdict(), Verdict::SelectionReady);
        report.findings.push(sample().findings[6].clone());
        assert_eq!(last(&report), "ready: 1 required met, 1 waived");
    }

    #[test]
    fn a_terminal_with_colours_and_utf8_gets_both() {
        let text = render(&sample(), Style { color: true, unicode: true }, Detail::Normal);
        assert!(text.contains("\x1b[31m\u{2717} unmet          \x1b[0m"), "{text}");
        assert!(text.contains("\x1b[31mnot ready\x1b[0m: "), "{text}");
        assert!(!text.contains("\x1b[2J"), "{text}");
    }
}
