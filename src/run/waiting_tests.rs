use super::*;
use crate::host::files;
use crate::state::resume::Binding;

const GIVEN: &str = "2026-06-01T10:00:00Z";

fn at(text: &str) -> OffsetDateTime {
    time::PrimitiveDateTime::parse(text, FORMAT).unwrap().assume_utc()
}

fn here() -> Machine {
    Machine { bios_uuid: Some("aa".into()), machine_id: Some("bb".into()) }
}

fn bound() -> Pending {
    Pending {
        schema: resume::SCHEMA.into(),
        boot_id: "another".into(),
        bound: Some(Binding { given_at: GIVEN.into(), profile_sha256: "cc".into(), machine: here() }),
        request: Request { erase_disk: Some("36000c29".into()), ..Request::default() },
        ..Pending::default()
    }
}

/// Whether the order of `bound`, changed, holds at a time and for what is found then.
fn binding(change: impl Fn(&mut Pending), now: &str, machine: &Machine, sum: &str) -> Result<(), String> {
    let mut pending = bound();
    change(&mut pending);
    binds(&pending, at(now), machine, &|| Ok(sum.to_owned()))
}

#[test]
fn an_order_holds_for_a_day_and_not_before_it_was_given() {
    for (now, holds) in [
        (GIVEN, true),
        ("2026-06-02T10:00:00Z", true),
        ("2026-06-02T10:00:01Z", false),
        ("2027-06-01T10:00:00Z", false),
        // A time service sets a clock right by moments, not by more.
        ("2026-06-01T09:55:00Z", true),
        ("2026-06-01T09:54:59Z", false),
        ("2015-01-01T00:00:00Z", false),
    ] {
        assert_eq!(binding(|_| {}, now, &here(), "cc").is_ok(), holds, "{now}");
    }
    let none = |order: &mut Pending| order.bound.as_mut().unwrap().given_at = "yesterday".into();
    assert_eq!(
        binding(none, GIVEN, &here(), "cc").unwrap_err(),
        "`yesterday` is no time at which it could have been given"
    );
}

#[test]
fn an_order_is_for_one_machine_and_one_profile() {
    let other = Machine { bios_uuid: Some("ff".into()), ..here() };
    assert!(binding(|_| {}, GIVEN, &other, "cc").unwrap_err().contains("another BIOS UUID"));
    let unread = Machine { bios_uuid: None, ..here() };
    assert!(binding(|_| {}, GIVEN, &unread, "cc").unwrap_err().contains("cannot determine"));
    assert!(binding(|_| {}, GIVEN, &here(), "cd").unwrap_err().starts_with("the profile is another one"));
    let gone = || Err("its profile cannot be used: gone".to_owned());
    assert!(binds(&bound(), at(GIVEN), &here(), &gone).unwrap_err().ends_with("gone"));
}

#[test]
fn a_failed_one_waits_for_a_person_and_one_of_0_1_0_is_not_trusted() {
    let failed = |order: &mut Pending| order.failed = Some("packages.base: no\u{1b}[2J".into());
    let why = binding(failed, GIVEN, &here(), "cc").unwrap_err();
    assert!(why.starts_with("the run that resumed it failed: packages.base: no\\u{1b}"), "{why}");
    let old = |order: &mut Pending| order.bound = None;
    assert!(binding(old, GIVEN, &here(), "cc").unwrap_err().ends_with("(an earlier version left it)"));
}

#[test]
fn a_clone_s_first_boot_is_for_every_machine_and_erases_nothing() {
    let sealed = |order: &mut Pending| {
        (order.bound, order.first_boot, order.request) = (None, true, Request::default());
    };
    assert_eq!(binding(sealed, "2036-01-01T00:00:00Z", &Machine::default(), "zz"), Ok(()));
    let erases = |order: &mut Pending| (order.bound, order.first_boot) = (None, true);
    binding(erases, GIVEN, &here(), "cc").unwrap_err();
}

#[test]
fn each_state_is_told_with_what_to_do() {
    let note = |state, change: &dyn Fn(&mut Pending)| {
        let mut pending = bound();
        pending.skip = vec!["site".into()];
        change(&mut pending);
        describe(&Order { pending, state })
    };
    let owed = note(State::RestartOwed, &|_| {});
    assert_eq!(
        owed.note,
        "an apply waits for the restart (given at 2026-06-01T10:00:00Z): restarted before 2026-06-02T10:00:00Z, this machine \
         resumes it by itself; mt-agent apply --forget clears it"
    );
    assert_eq!(owed.asks, ["--erase-disk 36000c29", "--skip site"]);
    assert_eq!(owed.until.as_deref(), Some("2026-06-02T10:00:00Z"));
    let void = note(State::Void("it was given more than 24 hours ago".into()), &|_| {});
    assert_eq!(void.state, Stands::Void);
    assert!(
        void.note.contains("is void: it was given more than 24 hours ago; nothing of it is carried out"),
        "{void:?}"
    );
    assert_eq!(note(State::Due, &|_| {}).state, Stands::Due);
    let asks = note(State::Asks("this machine was down".into()), &|_| {});
    assert_eq!(asks.state, Stands::Asks);
    assert!(asks.note.contains("this machine was down; nothing of it is carried out by itself"), "{asks:?}");
    let first = note(State::Due, &|order| order.first_boot = true);
    assert_eq!(first.state, Stands::FirstBoot);
    assert!(first.note.starts_with("the first boot of this clone is not finished"), "{first:?}");
    let sealing = note(State::Due, &|order| order.seal = Some(crate::state::sealing::Order::default()));
    assert_eq!(sealing.state, Stands::Sealing);
}

#[test]
fn a_boot_that_follows_long_after_the_last_sign_of_life_asks() {
    let down = |booted: &str, signs: &[&str]| was_down(at(booted), signs.iter().map(|sign| at(sign)));
    // An apply, a restart, the boot.
    assert_eq!(down("2026-06-01T10:30:00Z", &[GIVEN]), None);
    let long = down("2026-06-01T10:30:01Z", &[GIVEN]).unwrap();
    assert!(long.starts_with("this machine was down for 0 hours and 30 minutes before this boot"), "{long}");
    assert!(down("2026-06-02T09:05:00Z", &[GIVEN]).unwrap().contains("for 23 hours and 5 minutes"));
    // It ran on until the evening, and was restarted then.
    assert_eq!(down("2026-06-01T20:02:00Z", &[GIVEN, "2026-06-01T20:00:00Z"]), None);
    // What is of this boot is no sign of the one before.
    assert!(down("2026-06-01T20:02:00Z", &[GIVEN, "2026-06-01T20:07:01Z"]).is_some());
    // Begun before the order by a clock that was set back: there is no time for which it was down.
    assert_eq!(down("2026-05-01T10:00:00Z", &[GIVEN]), None);
}

/// A tree with `content` as the record.
fn tree(content: &str) -> (tempfile::TempDir, Host) {
    let dir = tempfile::tempdir().unwrap();
    let host = Host::recorded(dir.path());
    for directory in ["/var/lib/mt-agent", "/var/run", "/var/log"] {
        std::fs::create_dir_all(host.path(directory)).unwrap();
    }
    files::replace(&host.path(paths::RESUME), content.as_bytes(), 0o600).unwrap();
    (dir, host)
}

#[test]
fn what_is_forgotten_is_named_and_forgotten_once() {
    let (_dir, host) = tree(&serde_json::to_string(&bound()).unwrap());
    files::replace(&host.path("/var/lib/mt-agent/journal.jsonl"), b"kept", 0o600).unwrap();
    assert_eq!(
        forget(&host).unwrap().unwrap(),
        "an apply that waited for a restart (given at 2026-06-01T10:00:00Z, --erase-disk 36000c29)"
    );
    assert!(!host.exists(paths::RESUME));
    assert_eq!(host.read("/var/lib/mt-agent/journal.jsonl").unwrap(), "kept");
    let log = host.read("/var/log/mt-agent.log").unwrap();
    assert!(log.contains("apply --forget: an apply that waited"), "{log}");
    assert_eq!(forget(&host).unwrap(), None);
    assert_eq!(host.read("/var/log/mt-agent.log").unwrap(), log);
}

#[test]
fn an_interrupted_sealing_is_not_forgotten_whether_it_can_be_read_or_not() {
    let sealing = Pending { seal: Some(crate::state::sealing::Order::default()), ..bound() };
    let whole = serde_json::to_string(&sealing).unwrap();
    for text in [whole.as_str(), &whole[..whole.len() - 5], &whole.replacen('{', "{\"later\": 1, ", 1)] {
        let (_dir, host) = tree(text);
        let error = forget(&host).unwrap_err().to_string();
        assert!(error.contains("run mt-agent seal "), "{error}");
        assert_eq!(error.ends_with("again, which finishes it"), text == whole, "{error}");
        assert_eq!(host.read(paths::RESUME).unwrap(), text);
        // Whoever only reads it is not sent to what refuses.
        if text != whole {
            let error = format!("{:#}", resume::read(&host).unwrap_err());
            assert!(!error.contains("--forget"), "{error}");
            assert!(
                error.contains("where that is damaged, remove it, and seal this machine anew"),
                "{error}"
            );
        }
    }
    for text in ["{}", "torn", ""] {
        let (_dir, host) = tree(text);
        let error = format!("{:#}", resume::read(&host).unwrap_err());
        assert!(error.contains("mt-agent apply --forget clears it"), "{error}");
        assert_eq!(forget(&host).unwrap().unwrap(), "an order that this version cannot read", "{text}");
        assert!(!host.exists(paths::RESUME));
    }
}

#[test]
fn a_run_that_is_going_on_keeps_its_order() {
    let (_dir, host) = tree(&serde_json::to_string(&bound()).unwrap());
    let lock = lock::take(&host, "apply", "b").unwrap();
    let error = forget(&host).unwrap_err().to_string();
    assert!(error.starts_with("another run is in progress (pid "), "{error}");
    drop(lock);
    forget(&host).unwrap().unwrap();
}
