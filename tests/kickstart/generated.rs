//! Hundreds of sets of answers: each kickstart is accepted, and means what was answered.

use std::fs;
use std::time::Duration;

use serde_json::Value;

use crate::agent::{Ran, mt_agent};
use crate::judge::{accepted, files, understood};
use crate::samples::samples;
use crate::sets::{Set, set};

/// How many at least.
const SETS: u64 = 400;

fn printed(set: &Set) -> Ran {
    let work = tempfile::tempdir().unwrap();
    let (profile, hash) = (work.path().join("p.yaml"), work.path().join("hash"));
    fs::write(&profile, &set.yaml).unwrap();
    fs::write(&hash, &set.hash).unwrap();
    let args = set.args(&profile, &hash);
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    mt_agent(&args).exits(0).holds("nothing on stderr", |ran| ran.stderr().is_empty())
}

#[test]
fn every_set_is_accepted_and_understood_as_it_was_answered() {
    let (sets, texts): (Vec<_>, Vec<_>) = samples(SETS, Duration::from_secs(5))
        .map(|seed| {
            let set = set(seed);
            let text = printed(&set).stdout();
            (set, text)
        })
        .unzip();
    let work = tempfile::tempdir().unwrap();
    let files = files(work.path(), &texts);
    accepted(&files);
    for ((set, mut read), text) in sets.iter().zip(understood(&files)).zip(&texts) {
        let scripts = read.as_object_mut().unwrap().remove("scripts").unwrap();
        assert_eq!(read, set.wanted, "{text}");
        assert_eq!(text.contains("mt-agent apply --stage image --yes\n"), set.has_agent, "{text}");
        assert!(!scripts.to_string().contains("$6$"), "the hash is in a script\n{text}");
        // Each section is ended by itself, and nothing stands outside of one that should not.
        let begun = text.lines().filter(|line| line.starts_with("%p")).count();
        assert_eq!(text.lines().filter(|line| *line == "%end").count(), begun, "{text}");
        assert_eq!(scripts.as_array().map(Vec::len), Some(begun - 1), "{text}");
    }
    let count = |holds: fn(&Set) -> bool| sets.iter().filter(|set| holds(set)).count();
    for kind in [
        count(|set| set.has_agent),
        count(|set| set.wanted["network"][1] == "dhcp"),
        count(|set| set.wanted["method"][0] == "url"),
        count(|set| set.wanted["boot_loader"][0] == "partition"),
        count(|set| set.wanted["partitions"].as_array().is_some_and(|list| list.len() > 5)),
        count(|set| set.options.len() > 3),
    ] {
        assert!(kind > 20 && kind < sets.len(), "one kind is not tried: {kind}");
    }
}

#[test]
fn every_built_in_profile_makes_one_with_what_differs_per_machine() {
    for name in mt_agent::profile::builtin_names() {
        let work = tempfile::tempdir().unwrap();
        let (profile, hash) = (work.path().join("p.yaml"), work.path().join("hash"));
        fs::write(&profile, format!("extends: {name}\nos: {{timezone: Europe/Berlin}}\n")).unwrap();
        fs::write(&hash, format!("$6$salt${}\n", "a".repeat(86))).unwrap();
        let ran = mt_agent(&[
            "kickstart",
            "--allow-unsafe-profile",
            "--profile",
            profile.to_str().unwrap(),
            "--root-hash-file",
            hash.to_str().unwrap(),
            "--hostname=mt1.example.com",
            "--address=10.0.0.5/24",
            "--gateway=10.0.0.1",
            "--dns=10.0.0.2,10.0.0.3",
        ])
        .exits(0);
        let files = files(work.path(), &[ran.stdout()]);
        accepted(&files);
        let read = understood(&files);
        // What `check` looks for, from the profile itself.
        let known = mt_agent::profile::load(
            Some(name),
            &mt_agent::host::Host::live(),
            &[],
            mt_agent::profile::Writers::Root,
        )
        .unwrap();
        let layout =
            known.layout.partitions.iter().map(|spec| (spec.mount.to_string(), spec.fs_type.to_string()));
        let mut wanted: Vec<_> = layout.collect();
        wanted.extend(known.layout.swap.then(|| ("swap".to_owned(), String::new())));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let made = read[0]["partitions"].as_array().unwrap();
        let made: Vec<_> = made.iter().map(|part| (text(&part[0]), text(&part[1]))).collect();
        assert_eq!(made, wanted, "{ran}");
    }
}
