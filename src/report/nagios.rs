//! `check` for Nagios and its kin: one line with performance data, and the plugin guidelines' exit codes.

use super::style::cut;
use super::{Report, Verdict};
use crate::host::text;
use crate::steps::{Finding, Severity, Status, in_short};

/// Most characters of the text before the performance data: consoles and SMS gateways cut longer ones.
const MOST: usize = 300;

/// A state of the plugin guidelines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// Ready, and nothing to be looked at.
    Ok = 0,
    /// Ready, but a restart is owed, an apply waits, a waiver ends within 14 days, or something recommended is not so or cannot
    /// be determined.
    Warning = 1,
    /// Not ready.
    Critical = 2,
    /// Something required cannot be determined, or the check failed.
    Unknown = 3,
}

impl State {
    /// The exit code.
    pub fn code(self) -> u8 {
        self as u8
    }

    fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// The state of a report.
pub fn state(report: &Report) -> State {
    let summary = report.summary();
    let advice = summary.recommended;
    match report.verdict() {
        Verdict::NotReady if summary.required.unmet > 0 => State::Critical,
        Verdict::NotReady => State::Unknown,
        Verdict::RestartOwed => State::Warning,
        Verdict::Ready | Verdict::SelectionReady
            if advice.unmet + advice.restart_owed + advice.unknown + advice.blocked > 0
                || report.ending().next().is_some()
                || report.waiting.is_some() =>
        {
            State::Warning
        }
        Verdict::Ready | Verdict::SelectionReady => State::Ok,
    }
}

/// The line.
pub fn render(report: &Report) -> String {
    let summary = report.summary();
    let (must, ought) = (summary.required, summary.recommended);
    let verdict = super::text::verdict(report);
    // Early: what is long is cut at its end.
    let waits = report.waiting.as_ref().map_or_else(String::new, |one| format!("{}; ", one.state.words()));
    let mut text =
        format!("{verdict}: {}; {waits}{}", super::text::deciding(report), super::text::totals(report));
    let named: Vec<_> = report.findings.iter().filter(|f| is_worth_naming(f)).map(|f| f.id).collect();
    if !named.is_empty() {
        text = format!("{text} - {}", named.join(", "));
    }
    let ending: Vec<_> = report.ending().map(|(id, until)| format!("{id} until {until}")).collect();
    if !ending.is_empty() {
        text = format!("{text}; waivers that end soon: {}", ending.join(", "));
    }
    if !report.left_out.is_empty() {
        text = format!("{text}; not looked at: {}", in_short(&report.left_out));
    }
    let performance = format!(
        "met={};;;0 unmet={};;0;0 unknown={};;0;0 blocked={};;0;0 restart={};0;;0 recommended_unmet={};0;;0 \
         recommended_unknown={};0;;0 waived={};;;0",
        must.met + ought.met,
        must.unmet,
        must.unknown,
        must.blocked,
        must.restart_owed,
        ought.unmet + ought.restart_owed,
        ought.unknown + ought.blocked,
        must.waived + ought.waived,
    );
    line(state(report), &text, Some(&performance))
}

/// The line when the check itself failed.
pub fn error(message: &str) -> String {
    line(State::Unknown, message, None)
}

fn is_worth_naming(finding: &Finding) -> bool {
    !finding.status.holds()
        && !matches!(finding.status, Status::Blocked { .. })
        && (finding.severity == Severity::Required || !matches!(finding.status, Status::Unknown { .. }))
}

fn line(state: State, message: &str, performance: Option<&str>) -> String {
    // A bar begins the performance data: there can be none in the text.
    let message = text::ascii(&cut(message, MOST)).replace('|', "/");
    let performance = performance.map_or_else(String::new, |performance| format!(" | {performance}"));
    format!("MT-AGENT {} - {message}{performance}\n", state.word())
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::*;

    fn with(keep: impl Fn(&Finding) -> bool) -> Report {
        let mut report = sample();
        report.findings.retain(keep);
        report
    }

    #[test]
    fn the_line_names_what_is_wrong_and_has_one_bar() {
        let mut report = sample();
        report.findings[1].id = "a|b";
        assert_eq!(
            render(&report),
            "MT-AGENT CRITICAL - not ready: 1 required unmet, 1 required unknown, 1 restart owed, 1 blocked, 1 waived, \
             2 not looked at; 8 requirements: 1 met, 1 recommended unmet, 1 waived, 1 not applicable - a/b, a.advice, b.unknown, c.restart; \
             waivers that end soon: b.waived until 2030-01-01; not looked at: os.clock, scsi.ids | met=1;;;0 unmet=1;;0;0 unknown=1;;0;0 blocked=1;;0;0 restart=1;0;;0 recommended_unmet=1;0;;0 \
             recommended_unknown=0;0;;0 waived=1;;;0\n"
        );
        assert!(error(&"long ".repeat(200)).len() < 330);
        assert_eq!(error("no\nprofile | here"), "MT-AGENT UNKNOWN - no profile / here\n");
    }

    #[test]
    fn an_order_that_waits_is_in_the_line_however_long_that_is() {
        let mut report = with(|f| f.id == "a.met");
        report.left_out.clear();
        report.waiting = Some(super::super::waiting::Waiting::unreadable(&"long ".repeat(99)));
        let line = render(&report);
        assert!(line.starts_with("MT-AGENT WARNING - ready"), "{line}");
        assert!(line.contains("; what waits cannot be determined; "), "{line}");
        assert_eq!(state(&report), State::Warning);
    }

    #[test]
    fn the_states_follow_the_plugin_guidelines() {
        assert_eq!(state(&sample()), State::Critical);
        assert_eq!(state(&with(|f| f.id == "b.unknown")), State::Unknown);
        assert_eq!(state(&with(|f| f.id == "c.restart" || f.id == "a.met")), State::Warning);
        assert_eq!(state(&with(|f| f.id == "a.advice" || f.id == "a.met")), State::Warning);
        let mut waived = with(|f| f.id == "a.met" || f.id == "b.waived");
        assert_eq!(state(&waived), State::Warning, "it ends soon");
        let Status::Waived { ends_soon, .. } = &mut waived.findings[1].status else { panic!() };
        *ends_soon = false;
        assert_eq!(state(&waived), State::Ok);
        assert!(
            render(&waived)
                .starts_with("MT-AGENT OK - selection only: 1 required met, 1 waived, 2 not looked at; ")
        );
        assert_eq!(state(&with(|_| false)), State::Unknown);
        assert_eq!(State::Unknown.code(), 3);
    }
}
