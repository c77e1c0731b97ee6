//! A facts recording, from anybody: judged, planned and reported in every format.
//!
//! The input is a document as it is; or lines `NUMBER TEXT` (or `NUMBER` and a JSON value behind `=`), each of
//! which replaces one value of a whole recording: that reaches further than damaged JSON does.

use std::sync::LazyLock;

use mt_agent::facts;
use mt_agent::facts::gather::Probing;
use mt_agent::host::Host;
use mt_agent::profile::{self, Profile};
use mt_agent::report::style::Style;
use mt_agent::report::text::Detail;
use mt_agent::report::{disks, json, nagios, plan, text};
use mt_agent::run;
use mt_agent::steps::remedy::Request;
use mt_agent::steps::{self, Selection, Verdict};
use mt_agent_fuzz::{STYLES, safe_document, safe_line, safe_page};
use serde_json::Value;

static PROFILE: LazyLock<Profile> = LazyLock::new(|| {
    profile::load(Some(profile::DEFAULT), &Host::live(), &steps::ids(), profile::Writers::Root).expect("a built-in profile")
});

/// The host that is ready, as it is recorded today.
static RECORDING: LazyLock<Value> = LazyLock::new(|| {
    let host =
        Host::recorded(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/scenarios/centos-6.6-ready/host"));
    let facts = run::read_facts(&host, &PROFILE, Probing::None);
    let report = run::check(&PROFILE, &facts, &Selection::default(), TODAY);
    assert_eq!(report.verdict(), Verdict::Ready, "the recording to begin with");
    serde_json::to_value(facts).expect("a document")
});

const TODAY: time::Date = time::macros::date!(2026 - 06 - 01);

/// The values of a document in which something can stand, numbered.
fn leaves(value: &mut Value) -> Vec<&mut Value> {
    let is_leaf = match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        _ => true,
    };
    if is_leaf {
        return vec![value];
    }
    match value {
        Value::Array(items) => items.iter_mut().flat_map(leaves).collect(),
        Value::Object(entries) => entries.values_mut().flat_map(leaves).collect(),
        _ => Vec::new(),
    }
}

fn edited(lines: &str) -> Value {
    let mut document = RECORDING.clone();
    for line in lines.lines().take(40) {
        let (number, text) = line.split_once(' ').unwrap_or((line, ""));
        let number: usize =
            number.bytes().fold(0, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let mut leaves = leaves(&mut document);
        let place = number % leaves.len();
        *leaves[place] = match text.strip_prefix('=') {
            Some(json) => serde_json::from_str(json).unwrap_or(Value::Null),
            None => Value::String(text.to_owned()),
        };
    }
    document
}

pub fn run(data: &[u8]) {
    let input = mt_agent_fuzz::text(data);
    let document = if input.starts_with('{') { input.into_owned() } else { edited(&input).to_string() };
    let facts = match facts::parse(&document) {
        Ok(facts) => facts,
        Err(error) => return safe_line(&mt_agent::host::text::safe(&format!("{error:#}"))),
    };
    let all = Selection::default();
    let report = run::check(&PROFILE, &facts, &all, TODAY);
    let planned = run::plan(&PROFILE, &facts, &all, TODAY, &Request::default());
    let probed = facts.disks.known().map(Vec::as_slice).unwrap_or_default();
    // One style and one detail for each input: all of them take long.
    let style = STYLES[data.len() % STYLES.len()];
    let detail = [Detail::Quiet, Detail::Normal, Detail::Verbose][data.len() / STYLES.len() % 3];
    safe_page(&text::render(&report, style, detail), style);
    safe_page(&plan::render(&planned, style), style);
    safe_page(&disks::render(probed, &facts.probes, style), style);
    let line = nagios::render(&report);
    safe_page(&line, Style::default());
    assert_eq!(line.lines().count(), 1, "{line:?}");
    let judged = safe_document(&json::document(&json::ReportDocument::from(&report)).expect("a document"));
    safe_document(&json::document(&json::PlanDocument::from(&planned)).expect("a document"));
    safe_document(&json::document(&disks::document(probed, &facts.probes)).expect("a document"));
    if data.len() % 8 == 0 {
        safe_document(&json::document(&facts).expect("a document"));
    }

    // What is not so, or nobody could read, is never said to be well.
    let bad = judged["findings"].as_array().expect("findings").iter().any(|finding| {
        finding["severity"] == "required" && (finding["status"] == "unmet" || finding["status"] == "unknown")
    });
    assert!(!bad || report.verdict() == Verdict::NotReady, "{:?}", report.verdict());
}
