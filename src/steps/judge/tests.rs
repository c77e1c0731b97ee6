use std::collections::BTreeSet;

use serde_json::Value;
use time::macros::date;

use super::super::registry::ids;
use super::super::testing::{BOOT_ID, TODAY, disks, edit, judged, outcome, ready, waiver};
use super::*;
use crate::facts::Fact;
use crate::facts::disks::ControllerKind;

fn judge(profile: &Profile, facts: &Facts) -> Vec<Finding> {
    judge_all(profile, facts, TODAY, &Selection::default())
}

fn finding(id: &'static str, severity: Severity, status: Status) -> Finding {
    Finding { id, title: "".into(), severity, why: "".into(), status, find_out: None, note: None }
}

#[test]
fn the_ready_host_is_ready_in_every_point() {
    let (profile, facts) = ready();
    let findings = judge(&profile, &facts);
    let failing: Vec<_> = findings.iter().filter(|finding| !finding.status.holds()).collect();
    assert!(failing.is_empty(), "{failing:#?}");
    assert_eq!(verdict(&findings), Verdict::Ready);
}

#[test]
fn the_registry_is_the_table_of_the_design_in_order() {
    let ids = ids();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "an id twice");
    let expected = "os.release os.architecture os.hostname os.timezone os.clock os.device-nodes \
        sizing.memory sizing.cpus sizing.os-disk \
        layout.root layout.var-crash layout.home layout.partitions layout.swap layout.no-lvm layout.boot-loader \
        layout.own-disks layout.next-boot layout.free \
        network.static network.dns network.hosts-file \
        hypervisor.vmware hypervisor.tools hypervisor.controllers hypervisor.disk-count \
        scsi.ids scsi.ids-unique scsi.uuid-enabled \
        image.identity \
        packages.base packages.multipath packages.reiserfs packages.xfs \
        custom-changes.applied custom-changes.restarted custom-changes.root-disk \
        multipath.names multipath.finds multipath.running \
        retention.disk retention.mounted retention.persistent retention.filesystem retention.capacity \
        retention.unlocked retention.alive retention.free retention.dedicated retention.not-cache \
        site.configuration-server site.process-server site.version site.role";
    assert_eq!(ids, expected.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn what_comes_first_comes_earlier_and_exists() {
    let ids = ids();
    for requirement in all() {
        let own = ids.iter().position(|id| *id == requirement.id);
        for id in requirement.after {
            let other = ids.iter().position(|other| other == id);
            assert!(other.is_some(), "{} waits for {id}, which there is not", requirement.id);
            assert!(other < own, "{} waits for {id}, which comes later", requirement.id);
        }
    }
}

#[test]
fn a_requirement_waits_for_another_even_when_that_is_not_selected() {
    let (profile, mut facts) = ready();
    facts.os.hostname = Fact::Unknown("no uname".into());
    // `outcome` judges the one requirement alone.
    outcome(&profile, &facts, "network.hosts-file").is("blocked: os.hostname");
    let only = Selection::new(vec!["network.hosts-file".into()], Vec::new()).unwrap();
    let findings = judge_all(&profile, &facts, TODAY, &only);
    assert_eq!(findings.iter().map(|finding| finding.id).collect::<Vec<_>>(), ["network.hosts-file"]);
    assert_eq!(verdict(&findings), Verdict::NotReady);
}

#[test]
fn a_waiver_holds_to_its_last_day_and_hides_nothing() {
    let (mut profile, mut facts) = ready();
    disks(&mut facts)[1].controller.as_mut().unwrap().kind = ControllerKind::Ahci;
    profile.waivers = vec![waiver("hypervisor.controllers", TODAY)];
    let waived = judged(&profile, &facts, "hypervisor.controllers");
    let (reason, until) = ("lab".into(), "2026-06-01".into());
    assert_eq!(waived.status, Status::Waived { reason, until, approved_by: None, ends_soon: true });
    let note = waived.note.unwrap();
    assert!(note.starts_with("on SATA (AHCI): sdb; expected: every disk on an LSI Logic"), "{note}");
    assert_eq!(verdict(&judge(&profile, &facts)), Verdict::Ready);

    profile.waivers = vec![waiver("hypervisor.controllers", date!(2026 - 05 - 31))];
    let expired = judged(&profile, &facts, "hypervisor.controllers");
    assert!(matches!(expired.status, Status::Unmet { .. }));
    let note = "waiver without effect: it ended on 2026-05-31 (its reason: lab)";
    assert_eq!(expired.note.as_deref(), Some(note));
    assert_eq!(verdict(&judge(&profile, &facts)), Verdict::NotReady);
}

#[test]
fn a_waiver_covers_what_is_unknown_or_blocked_and_frees_what_waits() {
    let (mut profile, mut facts) = ready();
    facts.os.hostname = Fact::Known("localhost".into());
    profile.waivers = vec![waiver("network.hosts-file", TODAY)];
    let blocked = judged(&profile, &facts, "network.hosts-file");
    assert!(matches!(blocked.status, Status::Waived { .. }));
    assert_eq!(blocked.note.as_deref(), Some("blocked by os.hostname"));

    // Waived, os.hostname no longer blocks: the hosts file is judged.
    profile.waivers = vec![waiver("os.hostname", TODAY)];
    outcome(&profile, &facts, "network.hosts-file").starts("unmet: /etc/hosts does not map localhost");

    facts.network.resolvers = Fact::Unknown("not permitted".into());
    profile.waivers = vec![waiver("network.dns", TODAY)];
    let unknown = judged(&profile, &facts, "network.dns");
    assert!(matches!(unknown.status, Status::Waived { .. }));
    assert_eq!(unknown.note.as_deref(), Some("cannot be determined: /etc/resolv.conf: not permitted"));
}

#[test]
fn a_waiver_of_what_holds_changes_nothing_and_the_most_lasting_counts() {
    let (mut profile, mut facts) = ready();
    profile.waivers = vec![waiver("network.dns", TODAY), waiver("network.dns", date!(2020 - 01 - 01))];
    let met = judged(&profile, &facts, "network.dns");
    assert_eq!((met.status, met.note), (Status::met("192.0.2.53"), None));
    facts.network.resolvers = Fact::Known(Vec::new());
    assert!(matches!(judged(&profile, &facts, "network.dns").status, Status::Waived { .. }));
}

#[test]
fn a_recommendation_alone_does_not_keep_a_host_from_being_ready() {
    let (profile, mut facts) = ready();
    facts.clock.service = Fact::Known(None);
    facts.cpu_memory.cpus = Fact::Unknown("no /proc".into());
    assert_eq!(verdict(&judge(&profile, &facts)), Verdict::Ready);
}

#[test]
fn a_verdict_of_restart_needs_a_restart_and_nothing_else() {
    use Severity::{Recommended, Required};
    let owed = || finding("a", Required, Status::restart_owed(String::new()));
    let waits = |id, by: &str| finding(id, Required, Status::blocked(by));
    let met = || finding("m", Required, Status::Met { found: None });
    let unmet = |severity| finding("u", severity, Status::unmet("", "", ""));
    let unknown = || finding("k", Required, Status::unknown(String::new()));

    assert_eq!(verdict(&[met(), owed()]), Verdict::RestartOwed);
    assert_eq!(verdict(&[owed(), waits("b", "a"), waits("c", "b"), met()]), Verdict::RestartOwed);
    assert_eq!(verdict(&[owed(), unmet(Recommended)]), Verdict::RestartOwed);
    assert_eq!(verdict(&[owed(), unmet(Required)]), Verdict::NotReady);
    assert_eq!(verdict(&[owed(), unknown()]), Verdict::NotReady);
    assert_eq!(verdict(&[owed(), unmet(Recommended), waits("b", "u")]), Verdict::NotReady);
    // Waiting for what was not judged, for something unknown, or for each other is not waiting for a restart.
    assert_eq!(verdict(&[owed(), waits("b", "elsewhere")]), Verdict::NotReady);
    assert_eq!(verdict(&[owed(), waits("b", "k"), unknown()]), Verdict::NotReady);
    assert_eq!(verdict(&[owed(), waits("b", "c"), waits("c", "b")]), Verdict::NotReady);
    assert_eq!(
        verdict(&[met(), finding("r", Recommended, Status::restart_owed(String::new()))]),
        Verdict::Ready
    );
}

#[test]
fn after_the_custom_changes_only_a_restart_is_owed() {
    let (profile, mut facts) = ready();
    let record = edit(&mut facts.custom_changes.record).as_mut().unwrap();
    record.boot_id = BOOT_ID.into();
    let findings = judge(&profile, &facts);
    let owed = findings.iter().find(|finding| finding.id == "custom-changes.restarted").unwrap();
    assert!(matches!(owed.status, Status::RestartOwed { .. }), "{owed:?}");
    assert_eq!(verdict(&findings), Verdict::RestartOwed);

    facts.tools = Fact::Unknown("not permitted".into());
    assert_eq!(verdict(&judge(&profile, &facts)), Verdict::NotReady);
}

/// Every fact in the document, as a JSON pointer.
fn facts_in(document: &Value, path: &str, into: &mut Vec<String>) {
    match document {
        Value::Object(map) => {
            if map.len() == 1 && map.contains_key("known") {
                into.push(path.to_owned());
            }
            for (key, value) in map {
                facts_in(value, &format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")), into);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                facts_in(value, &format!("{path}/{index}"), into);
            }
        }
        _ => {}
    }
}

fn spoil(document: &mut Value, path: &str, how: &str) {
    *document.pointer_mut(path).unwrap() = serde_json::json!({ how: "spoiled" });
}

#[test]
fn no_fact_that_a_required_requirement_needs_can_be_unknown_on_a_ready_host() {
    let (profile, facts) = ready();
    let document = serde_json::to_value(&facts).unwrap();
    let mut paths = Vec::new();
    facts_in(&document, "", &mut paths);
    assert!(paths.len() > 40, "{paths:?}");

    let mut still_ready = Vec::new();
    for path in &paths {
        let mut spoiled = document.clone();
        spoil(&mut spoiled, path, "unknown");
        let findings = judge(&profile, &serde_json::from_value(spoiled).unwrap());
        if verdict(&findings) == Verdict::Ready {
            still_ready.push(path.as_str());
        }
    }
    // Facts that no required requirement needs on such a host: each was decided on.
    let expected = "/clock/boot_record_secs /clock/boot_secs /clock/service /cpu_memory/cpus /cpu_memory/memory_bytes \
        /custom_changes/archive_bytes /custom_changes/running /dmi/known/product /dmi/known/vmware_pci /journal \
        /mounts/known/5/free_bytes /mounts/known/5/free_inodes /mounts/known/5/inodes /mounts/known/5/size_bytes \
        /mounts/known/7/free_bytes /mounts/known/7/free_inodes /mounts/known/7/inodes /mounts/known/7/size_bytes \
        /mounts/known/8/free_bytes /mounts/known/8/free_inodes /mounts/known/8/inodes /mounts/known/8/size_bytes \
        /os/family /os/id /os/kernel /os/systemd /os/timezone /records_set_aside /storage/known/1/failed_paths /storage/known/5/failed_paths";
    assert_eq!(still_ready, expected.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn with_everything_unknown_nothing_is_met() {
    let (profile, facts) = ready();
    let mut document = serde_json::to_value(&facts).unwrap();
    // Outer facts hide inner ones: spoil until none is left.
    loop {
        let mut paths = Vec::new();
        facts_in(&document, "", &mut paths);
        let Some(path) = paths.first() else { break };
        spoil(&mut document, path, "unknown");
    }
    document["servers"] = serde_json::json!([]);
    let findings = judge(&profile, &serde_json::from_value(document).unwrap());
    let holding: Vec<_> = findings
        .iter()
        .filter(|finding| finding.status.holds())
        .map(|finding| (finding.id, &finding.status))
        .collect();
    let by_profile = ["layout.partitions", "packages.reiserfs", "packages.xfs"];
    assert!(holding.iter().all(|(id, _)| by_profile.contains(id)), "{holding:#?}");
    assert!(holding.iter().all(|(_, status)| matches!(status, Status::NotApplicable { .. })), "{holding:#?}");
    assert_eq!(verdict(&findings), Verdict::NotReady);
}

#[test]
fn judging_twice_gives_the_same() {
    let (profile, mut facts) = ready();
    facts.mounts = Fact::Unknown("no mountinfo".into());
    assert_eq!(judge(&profile, &facts), judge(&profile, &facts));
}
