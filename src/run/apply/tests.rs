use super::judging::Run;
use super::*;
use crate::changes::mkfs::Format;
use crate::changes::{Change, Target};
use crate::facts::Fact;
use crate::facts::identity::{self, HostKey, Record};
use crate::host::{FileSystem, Host};
use crate::image::seal::{Template, template_record};
use crate::profile::Waiver;
use crate::report::Plan;
use crate::state;
use crate::state::paths::TEMPLATE;
use crate::steps::Status;
use crate::steps::image;
use crate::steps::testing::{RETENTION_ID, edit, ready};

fn run<'a>(host: &'a Host, profile: &'a Profile, options: &'a Options) -> Run<'a> {
    Run { host, profile, options, request: options.request.clone(), boot_id: "b" }
}

#[test]
fn the_report_says_why_a_named_disk_was_refused() {
    let (profile, mut facts) = ready();
    edit(&mut facts.mounts).retain(|mount| mount.mount_point != "/mnt/retention");
    edit(&mut facts.fstab).retain(|entry| entry.mount_point != "/mnt/retention");
    edit(&mut facts.disks)[1].used_by.clear();
    facts.retention_record = Fact::Known(None);
    facts.probes = vec![crate::facts::blank::Probe {
        disk: "sdb".into(),
        why_not: vec!["it cannot be determined whether it is blank: Input/output error".into()],
        ..Default::default()
    }];
    let request = Request { retention_disk: Some("sdb".into()), ..Request::default() };
    let options = Options { request, ..Options::default() };
    let host = Host::live();
    let run = run(&host, &profile, &options);
    let applied = run.judged(&facts, Vec::new(), Ended::Finished);
    let disk = applied.report.findings.iter().find(|finding| finding.id == "retention.disk").unwrap();
    let Status::Unmet { fix, .. } = &disk.status else { panic!("{:?}", disk.status) };
    let why =
        format!("sdb ({RETENTION_ID}, 1 TiB) is left as it is: it cannot be determined whether it is blank");
    assert!(fix.starts_with(&why), "{fix}");
}

#[test]
fn a_template_that_was_started_again_shares_nothing_with_its_clones() {
    let dir = tempfile::tempdir().unwrap();
    let (host, options) = (Host::image(dir.path()), Options { resumed: true, ..Options::default() });
    let (profile, mut facts) = ready();
    facts.identity = identity::load(&host);
    facts.identity.ssh_host_keys = Fact::Known(Vec::new());
    let sealed = Record::new("00", "t", &image::identifiers(&facts));
    state::identity::write(&host, TEMPLATE, &sealed).unwrap();
    // The next start makes another key.
    let key = HostKey { file: "ssh_host_rsa_key.pub".into(), sha256: "ab".into() };
    facts.identity.ssh_host_keys = Fact::Known(vec![key.clone()]);
    facts.identity.template = identity::template(&host);
    let run = run(&host, &profile, &options);
    assert!(run.waits_for_identity(&facts).is_some());
    assert!(run.remember_template(&facts).unwrap().unwrap().contains("seal again before it is cloned"));
    let Fact::Known(Some(record)) = identity::template(&host) else { panic!() };
    assert_eq!((record.salt.as_str(), record.marks.len()), ("00", sealed.marks.len() + 1));
    let written = std::fs::read(host.path(TEMPLATE)).unwrap();
    facts.identity.template = identity::template(&host);
    run.remember_template(&facts).unwrap();
    assert_eq!(std::fs::read(host.path(TEMPLATE)).unwrap(), written, "the next start has the same");
    assert!(image::is_template(&facts));
    let template = Template::new(&host, &facts, &profile);
    assert_eq!(template_record(&template, "t").unwrap(), None, "sealed again it is on record already");
    // A clone that kept the key.
    let mut clone = facts.clone();
    edit(&mut clone.dmi).uuid = Fact::Known(Some("564d0000-0000-0000-0000-0000000000ff".into()));
    for (number, disk) in edit(&mut clone.disks).iter_mut().enumerate() {
        disk.scsi_id = Ok(format!("36000c29fffffffffffffffffffffff{number:02}").into());
    }
    edit(&mut clone.network.nics).iter_mut().for_each(|nic| nic.mac = Some("00:50:56:00:00:ff".into()));
    let judged = run.still(&clone, "image.identity");
    assert!(judged.contains("ssh_host_rsa_key.pub is the image's SSH host key"), "{judged}");
    assert!(run.waits_for_identity(&clone).is_some() && run.remember_template(&clone).unwrap().is_none());
    // One that kept the BIOS UUID alone has a disk of its own, which is nobody else's.
    clone.dmi = facts.dmi.clone();
    assert!(!image::is_template(&clone) && run.remember_template(&clone).unwrap().is_none());
    assert_eq!(std::fs::read(host.path(TEMPLATE)).unwrap(), written);
}

/// What waits for a restart, with this request.
fn pending(request: &Request) -> Pending {
    Pending { schema: resume::SCHEMA.into(), request: request.clone(), ..Pending::default() }
}

/// A plan that formats the disk of the ready host after the restart.
fn formats_after_restart(fingerprint: Option<&str>) -> Plan {
    let change = Change::FormatRetention(Format {
        target: Target {
            scsi_id: RETENTION_ID.into(),
            device: "/dev/sdb".into(),
            fs_type: FileSystem::Ext4,
            uuid: Some("30ef1c40-2cfe-8764-838a-54b27fe8b884".into()),
        },
        size_bytes: 1 << 40,
        erase: fingerprint.is_some(),
        fingerprint: fingerprint.map(str::to_owned),
    });
    let planned =
        crate::report::PlannedChange { requirement: "retention.disk".into(), change, after_restart: true };
    Plan { changes: vec![planned], ..Plan::default() }
}

#[test]
fn what_is_erased_after_the_restart_is_what_was_there_when_it_was_agreed_to() {
    let (profile, facts) = ready();
    let request = Request {
        retention_disk: Some("/dev/sdb".into()),
        erase_disk: Some("/dev/sdb".into()),
        ..Request::default()
    };
    let pending = pending(&request);
    let host = Host::live();
    let left = |pending: &Pending, resumed: bool, agreed: &Plan| {
        let options = Options { resumed, ..Options::default() };
        let request = pending.request.clone();
        let run = Run { host: &host, profile: &profile, options: &options, request, boot_id: "b" };
        run.after_restart(pending, &facts, agreed).unwrap()
    };
    let id = Some(RETENTION_ID);
    let order = left(&pending, false, &formats_after_restart(Some("aa")));
    assert_eq!(order.request.retention_disk.as_deref(), id);
    assert_eq!(order.request.erase_disk.as_deref(), id);
    assert_eq!(order.request.erase_fingerprint.as_deref(), Some("aa"));
    // Written, read and left for one more restart, it is for the same still: nobody has looked at the disk meanwhile.
    let text = serde_json::to_string(&order).unwrap();
    let order: Pending = serde_json::from_str(&text).unwrap();
    let again = left(&order, true, &formats_after_restart(Some("ab")));
    assert_eq!(again.request.erase_fingerprint.as_deref(), Some("aa"));
    // Where the disk was blank, or no plan showed its erasure, there is no order.
    for agreed in [formats_after_restart(None), Plan::default()] {
        let none = left(&pending, false, &agreed);
        assert_eq!((none.request.erase_disk, none.request.erase_fingerprint), (None, None));
        assert_eq!(none.request.retention_disk.as_deref(), id);
    }
    // Version 0.1.0 kept no fingerprint.
    let old = left(&pending, true, &formats_after_restart(Some("aa")));
    assert_eq!((old.request.erase_disk, old.request.erase_fingerprint), (None, None));
}

#[test]
fn what_waits_for_the_restart_is_what_was_named_confirmed_and_not_yet_done() {
    let (profile, facts) = ready();
    let asked = Request {
        retention_disk: Some("sdb".into()),
        erase_disk: Some("sdb".into()),
        at_terminal: true,
        ..Request::default()
    };
    let (host, options) = (Host::live(), Options { request: asked.clone(), ..Options::default() });
    let left = |run: &Run<'_>| {
        run.after_restart(&pending(&run.options.request), &facts, &formats_after_restart(Some("aa")))
            .unwrap()
            .request
    };
    let mut named = run(&host, &profile, &options);
    let id = Some(RETENTION_ID.to_owned());
    assert_eq!((left(&named).retention_disk, left(&named).erase_disk), (id.clone(), id.clone()));
    // Erased once, it is not erased again.
    named.request.erase_disk = None;
    assert_eq!((left(&named).retention_disk, left(&named).erase_disk), (id.clone(), None));
    // Nobody named a disk, whatever the plan showed; then a person confirmed one.
    let options =
        Options { request: Request { at_terminal: true, ..Request::default() }, ..Options::default() };
    let mut unnamed = run(&host, &profile, &options);
    assert_eq!(left(&unnamed).retention_disk, None);
    unnamed.request.retention_disk.clone_from(&id);
    assert_eq!(left(&unnamed).retention_disk, id);
}

#[test]
fn each_end_is_a_word_of_the_manual_page() {
    let page = include_str!("../../../packaging/man/mt-agent-apply.roff");
    let all = [
        Ended::Finished,
        Ended::Declined,
        Ended::Interrupted,
        Ended::Restarting,
        Ended::NothingWaits,
        Ended::RestartOwed,
        Ended::Asks,
        Ended::Forgotten,
    ];
    for ended in all {
        let word = serde_json::to_value(ended).unwrap();
        let word = word.as_str().unwrap();
        assert!(page.contains(&format!(".B {}\n", word.replace('-', "\\-"))), "{word}");
    }
}

#[test]
fn a_waiver_lets_no_run_that_nobody_watches_change_another_machine() {
    let (host, options) = (Host::live(), Options { resumed: true, ..Options::default() });
    let (mut profile, mut facts) = ready();
    facts.identity.template = facts.identity.recorded.clone();
    assert!(run(&host, &profile, &options).waits_for_identity(&facts).is_some());
    profile.waivers = vec![Waiver {
        requirement: "image.identity".parse().unwrap(),
        reason: "tried".parse().unwrap(),
        approved_by: None,
        until: (today() + time::Duration::days(30)).into(),
    }];
    assert!(run(&host, &profile, &options).waits_for_identity(&facts).is_some());
    facts.identity.template = Fact::Unknown("torn".into());
    assert!(run(&host, &profile, &options).waits_for_identity(&facts).is_none());
}
