//! A takeover in the middle of which the machine restarts: after each of its steps, and killed at the calls by which it writes. What
//! the boot leaves is what fstab says; the run after it has the order as it is kept across a restart, and finishes it.

use std::fs;
use std::time::Duration;

use mt_agent::changes::Change;
use mt_agent::facts::retention::uuid_of;
use mt_agent::facts::{Fact, Facts};
use mt_agent::run::plan;
use mt_agent::steps::Selection;
use mt_agent::steps::remedy::Request;
use mt_agent::steps::retention::lasting;

use super::desk::*;
use super::taken_over::{NEW, OLD, Two, before, is_taken_over, killed, made, order, own_etc};

/// The boot id of the recorded host is another one than this.
const BOOT_ID: &str = "5d0f3c9a-1111-4222-8333-944455566677";

/// A restart: nothing stays mounted but what fstab mounts, as far as its device is there.
fn restarted(two: &Two) {
    while is_mounted(MOUNT_POINT) {
        run("umount", &[MOUNT_POINT]);
    }
    let fstab = fs::read_to_string("/etc/fstab").unwrap();
    for (name, id) in two.names.iter().zip([OLD, NEW]) {
        if fstab.contains(&format!("UUID={} {MOUNT_POINT} ", uuid_of(id))) && !blkid_uuid(name).is_empty() {
            run("mount", &[&format!("/dev/{name}"), MOUNT_POINT]);
        }
    }
}

fn blkid_uuid(name: &str) -> String {
    let device = format!("/dev/{name}");
    duct::cmd!("blkid", "-p", "-o", "value", "-s", "UUID", device).unchecked().read().unwrap()
}

fn facts_of_this_boot(two: &Two) -> Facts {
    let mut facts = two.facts();
    facts.boot_id = Fact::Known(BOOT_ID.to_owned());
    facts
}

/// What the run after the restart is given, of what was ordered before it.
fn kept(two: &Two, request: &Request) -> Request {
    let kept = lasting(&profile(), &two.facts(), request).unwrap();
    assert_eq!((&kept.retention_disk, kept.takeover), (&request.retention_disk, request.takeover));
    // As it lies on disk, and as that run has it.
    let text = serde_json::to_string(&kept).unwrap();
    Request { resumed: true, ..serde_json::from_str(&text).unwrap() }
}

fn changes(two: &Two, request: &Request) -> Vec<Change> {
    let only = Selection::new(vec!["retention".into()], vec![]).unwrap();
    let today = time::macros::date!(2026 - 06 - 01);
    let planned = plan(&profile(), &facts_of_this_boot(two), &only, today, request);
    planned.changes.into_iter().map(|planned| planned.change).collect()
}

/// Finishes it in the boot that follows, and looks at all that is left.
fn resumed(two: &Two, request: &Request, said: &str) {
    for _ in 0..8 {
        let Some(next) = changes(two, request).into_iter().next() else { return };
        if let Err(why) = two.carry_out(&next) {
            panic!("{said}: {why}");
        }
    }
    panic!("{said}: it does not end: {:?}", changes(two, request));
}

fn check(old: &Loop, new: &Loop, is_new: bool) {
    is_taken_over(old, new, is_new);
    if !is_new {
        assert_eq!(new.carries().1, uuid_of(NEW).to_string(), "the other volume is left as it is");
    }
}

/// Without the order nothing is made, and no volume of the two is lost.
fn without(two: &Two, said: &str) {
    let making = record().is_some_and(|record| record.scsi_id == NEW && !record.finished);
    let request = Request { resumed: true, ..Request::default() };
    let makes = |change: &Change| matches!(change, Change::FormatRetention { .. });
    let all = changes(two, &request);
    assert!(making || !all.iter().any(makes), "{said}: {all:?}");
}

#[test]
fn after_each_step_the_run_after_the_restart_finishes_it() {
    isolated(module_path!(), "after_each_step_the_run_after_the_restart_finishes_it", || {
        own_etc();
        let image = made(64 * MIB);
        for word in ["replace", "adopt"] {
            let (request, is_new) = order(word);
            let mut steps = 0;
            loop {
                let (old, new, two) = before(word, &image, true);
                let mut done = 0;
                while done < steps
                    && let Some(next) = changes(&two, &request).into_iter().next()
                {
                    two.carry_out(&next).unwrap();
                    done += 1;
                }
                let said = format!("{word}, after {done} steps");
                let request = kept(&two, &request);
                restarted(&two);
                without(&two, &said);
                resumed(&two, &request, &said);
                check(&old, &new, is_new);
                assert!(changes(&two, &request).is_empty(), "{said}: a second run changes nothing");
                if done < steps {
                    break;
                }
                steps += 1;
            }
            assert!(steps >= 4, "{word}: {steps}");
        }
    });
}

#[test]
fn killed_at_any_call_the_run_after_the_restart_finishes_it() {
    isolated(module_path!(), "killed_at_any_call_the_run_after_the_restart_finishes_it", || {
        own_etc();
        let image = made(64 * MIB);
        for word in ["replace", "adopt"] {
            let (request, is_new) = order(word);
            let whole = |old: &Loop, new: &Loop| check(old, new, is_new);
            let after = |old: &Loop, new: &Loop, two: &Two, said: &str| {
                let request = kept(two, &request);
                restarted(two);
                without(two, said);
                resumed(two, &request, said);
                check(old, new, is_new);
            };
            killed(word, &image, Duration::from_secs(10), &whole, &after);
        }
    });
}
