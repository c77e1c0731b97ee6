//! Files at the mount point, while nothing is mounted there.

use super::*;
use crate::facts::strays::{Instead, MOST, Strays};
use crate::steps::remedy::Takeover;

const MOUNTED: &str = "retention.mounted";
const AWAY: &str = "move away what was written there: `mv -T /mnt/retention /mnt/retention.found.2 && mkdir -p \
                    /mnt/retention` (it takes up room on the root file system until it is removed, or moved onto the volume)";

fn strays(names: &[&str], count: usize) -> Fact<Strays> {
    Fact::Known(Strays {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        count,
        free_name: "/mnt/retention.found.2".into(),
        instead: None,
    })
}

/// The ready host with its volume unmounted, and something at the mount point.
fn unmounted(strays: Fact<Strays>) -> (Profile, Facts) {
    let (profile, mut facts) = ready();
    spoil(&mut facts.mounts).retain(|mount| mount.mount_point != "/mnt/retention");
    facts.strays = strays;
    (profile, facts)
}

#[test]
fn they_are_named_with_what_moves_them_away() {
    let judged = |strays: Fact<Strays>| {
        let (profile, facts) = unmounted(strays);
        told(&profile, &facts, MOUNTED)
    };
    let with = |found: &str| {
        format!(
            "unmet: nothing is mounted at /mnt/retention; {found}, which a mount would hide | the retention volume at \
             /mnt/retention | {AWAY}; then mt-agent apply, or: mount /mnt/retention"
        )
    };
    assert_eq!(judged(strays(&["a"], 1)), with("1 entry lies in that directory (a)"));
    assert_eq!(
        judged(strays(&["a", "b", "c", "d", "e"], 7)),
        with("7 entries lie in that directory (a, b, c, d, e, and 2 others)")
    );
    assert!(
        judged(strays(&["a"], MOST))
            .contains("1000 or more entries lie in that directory (a, and 999 or more others)")
    );
    for none in
        [strays(&[], 0), Fact::Unknown("why".into()), Fact::NotApplicable("it is mounted over".into())]
    {
        let message = judged(none);
        assert!(message.starts_with("unmet: nothing is mounted at /mnt/retention | "), "{message}");
        assert!(message.ends_with("| mt-agent apply, or: mount /mnt/retention"), "{message}");
    }
    // Mounted elsewhere.
    let (profile, mut facts) = ready();
    mounted(&mut facts).mount_point = "/mnt/old".into();
    facts.strays = strays(&["a"], 1);
    outcome(&profile, &facts, MOUNTED).has("and nothing at /mnt/retention; 1 entry lies").has(AWAY);
}

#[test]
fn nothing_is_mounted_over_them_by_any_plan() {
    let refused = |profile: &Profile, facts: &Facts, request: &Request| -> String {
        let plan = plan(profile, facts, &Selection::default(), TODAY, request);
        let mounts =
            plan.changes.iter().any(|planned| matches!(planned.change, Change::MountRetention { .. }));
        let fix = plan.manual.iter().find(|manual| manual.id == MOUNTED).map(|manual| manual.fix.clone());
        assert!(!mounts, "{:?}", plan.changes);
        let fix = fix.expect("a person's to do");
        assert!(fix.ends_with(&format!("{AWAY}, then mt-agent apply")), "{fix}");
        fix
    };
    let (profile, facts) = unmounted(strays(&["a"], 1));
    let fix = refused(&profile, &facts, &Request::default());
    assert!(!fix.contains("lies in that directory"), "`found` says so: {fix}");
    let (profile, mut facts) = without_volume();
    facts.strays = strays(&["a"], 1);
    let fix = refused(&profile, &facts, &naming("sdb"));
    assert!(fix.starts_with("1 entry lies in that directory (a)"), "{fix}");
    // Recorded by a version that looked for no free name.
    spoil(&mut facts.strays).free_name.clear();
    has(
        &crate::steps::retention::strays::at("/mnt/retention", &facts).unwrap().fix,
        "`mv -T /mnt/retention /mnt/retention.found.$(date +%Y%m%d%H%M%S) && ",
    );
    let (profile, facts) = unmounted(strays(&[], 0));
    let plan = plan(&profile, &facts, &Selection::default(), TODAY, &Request::default());
    assert!(plan.changes.iter().any(|planned| matches!(planned.change, Change::MountRetention { .. })));
}

/// A file or a link in the place of the mount point.
fn taken(what: &str, to: Option<&str>) -> Fact<Strays> {
    let instead = Instead { at: "/mnt/retention".into(), what: what.into(), to: to.map(str::to_owned) };
    let Fact::Known(strays) = strays(&[], 0) else { panic!() };
    Fact::Known(Strays { instead: Some(instead), ..strays })
}

#[test]
fn what_no_volume_can_be_mounted_on_is_moved_away_first() {
    const MOVE: &str =
        "move it away: `mv -T /mnt/retention /mnt/retention.found.2 && mkdir -p /mnt/retention`";
    for (what, to, found, or) in [
        ("a regular file", None, "a regular file, on", ""),
        ("a symbolic link", None, "a symbolic link, on", ""),
        (
            "a symbolic link",
            Some("/srv/r"),
            "a symbolic link that leads to /srv/r, on",
            "; or put /srv/r into the profile (retention.mount-point)",
        ),
    ] {
        let (profile, facts) = unmounted(taken(what, to));
        outcome(&profile, &facts, MOUNTED)
            .has(format!("/mnt/retention is {found} which no volume can be mounted | "))
            .has(format!("| {MOVE}{or}; then mt-agent apply"));
        let plan = plan(&profile, &facts, &Selection::default(), TODAY, &Request::default());
        assert!(!plan.changes.iter().any(|one| matches!(one.change, Change::MountRetention { .. })));
        let manual = plan.manual.iter().find(|manual| manual.id == MOUNTED).unwrap();
        assert!(manual.fix.contains(MOVE), "{}", manual.fix);
    }
}

#[test]
fn a_takeover_is_refused_before_anything_is_changed() {
    let (profile, facts) = unmounted(strays(&["a"], 1));
    let request = Request { takeover: Some(Takeover::Adopt), ..naming(RETENTION_ID) };
    let refused = takeover::check(&profile, &facts, &request);
    let why = refused.expect_err("must be refused").to_string();
    assert!(why.starts_with("--adopt-retention: 1 entry lies") && why.contains(AWAY), "{why}");
}
