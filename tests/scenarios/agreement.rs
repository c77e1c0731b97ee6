//! Who mends what: `check`, `plan` and `apply` say the same of every recorded host.

use mt_agent::report::{Manual, Plan, Report};
use mt_agent::steps::remedy::Request;
use mt_agent::steps::{Selection, Status};

use super::{TODAY, facts_of, names, run};

/// Whether this advice says that apply does it, by itself and without another word.
fn by_apply(fix: &str) -> bool {
    fix.strip_prefix("mt-agent apply").is_some_and(|rest| !rest.starts_with(" --"))
}

/// Everything in which the report of `check` and the plan do not agree.
fn disagreement(report: &Report, plan: &Plan) -> Vec<String> {
    let left = |id: &str| plan.manual.iter().find(|manual| manual.id == id);
    let mut wrong = Vec::new();
    let mut must = |holds: bool, what: String| wrong.extend((!holds).then_some(what));
    for finding in &report.findings {
        let id = finding.id;
        let planned = plan.changes.iter().any(|change| change.requirement == id);
        match (&finding.status, left(id)) {
            (Status::Unmet { fix, .. }, Some(manual)) => {
                // Which disk could be taken is told by a plan alone.
                must(id == "retention.disk" || *fix == manual.fix, format!("{id}: {fix} | {}", manual.fix));
                must(!planned && !by_apply(&manual.fix), format!("{id}: apply does not: {}", manual.fix));
            }
            (Status::Unmet { fix, .. }, None) => {
                must(by_apply(fix) && !plan.changes.is_empty(), format!("{id}: apply does, unsaid: {fix}"));
            }
            (Status::Unknown { .. }, Some(Manual { status, fix, .. })) => {
                must(
                    *status == "unknown" && finding.find_out.as_deref() == Some(fix),
                    format!("{id}: {fix}"),
                );
                must(!planned, format!("{id} is unknown, and gets a repair"));
            }
            // The restart is how to find out.
            (Status::Unknown { .. }, None) => must(plan.restart, format!("{id} is unknown, and not told")),
            (Status::RestartOwed { .. }, manual) => must(plan.restart && manual.is_none(), id.to_owned()),
            (Status::Blocked { .. }, manual) => {
                // To name the disk is a person's before the run that goes on after the restart.
                must(manual.is_none() || id == "retention.disk", format!("{id} waits, and is told twice"));
            }
            (_, manual) => must(manual.is_none() && !planned, format!("{id} holds")),
        }
    }
    wrong
}

#[test]
fn check_plan_and_apply_agree_on_who_mends_what() {
    let (mut mended, mut left, mut unknown) = (0, 0, 0);
    for name in names() {
        for privileged in [true, false] {
            let (profile, mut facts) = facts_of(&name);
            facts.privileged = privileged;
            let everything = Selection::default();
            let checked = run::check(&profile, &facts, &everything, TODAY);
            let plan = run::plan(&profile, &facts, &everything, TODAY, &Request::default());
            let applied = run::check::report(&profile, &facts, &everything, TODAY, &plan);
            assert_eq!(disagreement(&checked, &plan), [] as [String; 0], "{name}: check");
            assert_eq!(disagreement(&applied, &plan), [] as [String; 0], "{name}: apply");
            mended += plan.changes.len();
            left += plan.manual.iter().filter(|manual| manual.status == "unmet").count();
            unknown += plan.manual.iter().filter(|manual| manual.status == "unknown").count();
        }
    }
    assert!(mended > 5 && left > 10 && unknown > 10, "{mended} {left} {unknown}");
}

#[test]
fn an_order_to_grow_of_which_nothing_can_be_determined_is_no_success() {
    // Of the recorded host the superblock is not read.
    let (_, facts) = facts_of("centos-6.6-ready");
    let file = tempfile::NamedTempFile::new().unwrap();
    serde_json::to_writer(&file, &facts).unwrap();
    let plan = |options: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_mt-agent"));
        let profile = ["plan", "--profile", "centos-6.6", "--facts"];
        let output = command.args(profile).arg(file.path()).args(options).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), said.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let (code, said) = plan(&[]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = plan(&["--grow"]);
    let note = "--grow is not carried out: the size of the ext4 file system cannot be determined";
    assert!(code == Some(1) && said.contains(note), "{code:?}: {said}");
}
