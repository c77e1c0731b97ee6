//! JSON: one versioned document whatever happens. All text in it is ASCII, so that neither a console without
//! UTF-8 nor a terminal that obeys control characters beyond ASCII is a danger to it.

use std::fmt::Write;

use serde::Serialize;

use super::waiting::Waiting;
use super::{Plan, Report, Summary, Verdict};
use crate::host::text;
use crate::state::request::Part;
use crate::steps::{Finding, Stage};

/// `value` as one document, ending in a line end.
pub fn document(value: &impl Serialize) -> anyhow::Result<String> {
    Ok(in_ascii(&serde_json::to_string_pretty(value)?))
}

/// A document of a schema that has the keys of `value`.
#[derive(Debug, Serialize)]
pub struct Titled<'a, T> {
    pub(super) schema: &'static str,
    #[serde(flatten)]
    pub(super) value: &'a T,
}

/// A document without secrets, in ASCII, ending in a line end.
fn in_ascii(text: &str) -> String {
    let plain = text::json_without_secrets(text);
    let mut out = String::with_capacity(plain.len() + 1);
    for c in plain.chars() {
        if c.is_ascii() && c != '\x7f' {
            out.push(c);
        } else {
            // Beyond ASCII there are only strings in JSON.
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out.push('\n');
    out
}

/// The document that stands for an error.
pub fn error(message: &str) -> String {
    document(&Titled { schema: "mt-agent/error/v1", value: &serde_json::json!({ "error": message }) })
        .unwrap_or_else(|_| "{\"schema\": \"mt-agent/error/v1\"}\n".into())
}

/// The document of `check`.
#[derive(Debug, Serialize)]
pub struct ReportDocument<'a> {
    schema: &'static str,
    verdict: Verdict,
    profile: &'a str,
    host: &'a str,
    stage: Option<Stage>,
    selection: Option<Selected<'a>>,
    notes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<&'a Waiting>,
    findings: &'a [Finding],
    summary: Summary,
}

/// A selection, and what it leaves out by id.
#[derive(Debug, Serialize)]
struct Selected<'a> {
    #[serde(flatten)]
    part: &'a Part,
    left_out: &'a [&'static str],
}

impl<'a> From<&'a Report> for ReportDocument<'a> {
    fn from(report: &'a Report) -> Self {
        Self {
            schema: "mt-agent/report/v1",
            verdict: report.verdict(),
            profile: &report.profile,
            host: &report.host,
            stage: report.selection.part.stage,
            selection: (!report.left_out.is_empty())
                .then_some(Selected { part: &report.selection.part, left_out: &report.left_out }),
            notes: &report.notes,
            pending: report.waiting.as_ref(),
            findings: &report.findings,
            summary: report.summary(),
        }
    }
}

/// The document of `plan`.
pub type PlanDocument<'a> = Titled<'a, Plan>;

impl<'a> From<&'a Plan> for PlanDocument<'a> {
    fn from(plan: &'a Plan) -> Self {
        Self { schema: "mt-agent/plan/v1", value: plan }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::*;

    #[test]
    fn the_report_has_its_promised_keys() {
        let text = document(&ReportDocument::from(&sample())).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["schema"], "mt-agent/report/v1");
        assert_eq!(value["verdict"], "not-ready");
        assert_eq!(value["profile"], "centos-6.6");
        assert_eq!(value["host"], "mt01");
        assert_eq!(value["findings"][1]["status"], "unmet");
        assert_eq!(value["findings"][0]["found"], "it is \u{1b}[2J so");
        assert_eq!(value["findings"][4]["reason"], "blocked by a.unmet");
        assert_eq!(value["summary"]["required"]["restart_owed"], 1);
        assert_eq!(value["findings"][7]["status"], "restart-owed");
        assert_eq!(value["findings"][4]["blocked_by"], "a.unmet");
        assert_eq!(value["findings"][6]["reason"], "known");
        assert_eq!(value["findings"][6]["until"], "2030-01-01");
        assert_eq!(value["findings"][6]["approved_by"], "A. Person");
        assert_eq!(
            value["selection"],
            serde_json::json!({"only": [], "skip": ["os.clock"], "stage": null, "left_out": ["os.clock", "scsi.ids"]})
        );
        let mut whole = sample();
        whole.left_out.clear();
        let text = document(&ReportDocument::from(&whole)).unwrap();
        assert!(text.contains("\"selection\": null"), "{text}");
    }

    #[test]
    fn a_document_is_ascii_reads_back_the_same_and_keeps_no_secret() {
        let nasty = "\u{9b}2J \u{7f} Gr\u{fc}\u{df}e \u{1f4be}";
        let text = document(&[nasty, "http://user:p\"w@proxy/"]).unwrap();
        assert!(text.is_ascii() && !text.contains('\x7f'), "{text}");
        let back: Vec<String> = serde_json::from_str(&text).unwrap();
        assert_eq!(back, [nasty, "http://***@proxy/"]);
    }
}
