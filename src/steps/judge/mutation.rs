//! Every leaf of a ready host's facts is deleted, nulled and changed in turn. What may change on a host that stays ready is
//! listed, each with its reason: whatever else stays "ready" in spite of a change is a fact that nobody judges.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::testing::{TODAY, ready};
use super::*;
use crate::facts::Fact;
use crate::facts::site_agent::SiteAgent;

/// Leaves after whose change a host may be ready, by the beginning of their paths, and why. An element of a list is called by
/// its name, mount point, path or line.
const MAY_CHANGE: &[(&str, &str)] = &[];

/// A leaf of the document: the way to it, and how a person calls it.
struct Leaf {
    pointer: String,
    called: String,
}

fn leaves(value: &Value, pointer: &str, called: &str, into: &mut Vec<Leaf>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                let escaped = key.replace('~', "~0").replace('/', "~1");
                // What is known is what is meant.
                let name = if key == "known" { called.to_owned() } else { format!("{called}/{key}") };
                leaves(value, &format!("{pointer}/{escaped}"), &name, into);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, value) in items.iter().enumerate() {
                let names = ["name", "mount_point", "path", "line", "file", "kind", "role"];
                let name = names.iter().find_map(|key| match &value[key] {
                    Value::String(name) => Some(name.clone()),
                    Value::Number(number) => Some(number.to_string()),
                    _ => None,
                });
                let name = name.unwrap_or_else(|| "*".to_owned());
                leaves(value, &format!("{pointer}/{index}"), &format!("{called}[{name}]"), into);
            }
        }
        _ => into.push(Leaf { pointer: pointer.to_owned(), called: called.to_owned() }),
    }
}

/// What a leaf is changed to.
fn changed(value: &Value) -> Vec<Value> {
    match value {
        Value::Bool(value) => vec![json!(!value)],
        Value::Number(number) if number.as_u64() == Some(0) => vec![json!(1)],
        Value::Number(_) => vec![json!(0)],
        Value::String(_) => vec![json!("changed"), json!("")],
        // Whichever of them it could be.
        _ => vec![json!("changed"), json!(1), json!(true), json!(["changed"])],
    }
}

/// The document without the leaf.
fn without(document: &Value, pointer: &str) -> Value {
    let mut document = document.clone();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Value::Object(map) => drop(map.remove(&key.replace("~1", "/").replace("~0", "~"))),
        Value::Array(items) => drop(items.remove(key.parse().unwrap())),
        _ => unreachable!("a leaf lies in something"),
    }
    document
}

/// What stays ready, by what a person calls the leaf, with the changes that do not matter.
fn stays_ready(profile: &Profile, facts: &Facts) -> BTreeMap<String, BTreeSet<&'static str>> {
    let is_ready = |document: &Value| {
        // What is no recording is refused, which is no verdict.
        Facts::deserialize(document).is_ok_and(|facts| {
            verdict(&judge_all(profile, &facts, TODAY, &Selection::default())) == Verdict::Ready
        })
    };
    let mut document = serde_json::to_value(facts).unwrap();
    assert!(is_ready(&document));
    let mut all = Vec::new();
    leaves(&document, "", "", &mut all);
    assert!(all.len() > 400, "{}", all.len());
    let mut stay: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
    for Leaf { pointer, called } in all {
        let old = document.pointer(&pointer).unwrap().clone();
        let nulled = (!old.is_null()).then_some(("nulled", Value::Null));
        for (how, new) in changed(&old).into_iter().map(|new| ("changed", new)).chain(nulled) {
            *document.pointer_mut(&pointer).unwrap() = new;
            if is_ready(&document) {
                stay.entry(called.clone()).or_default().insert(how);
            }
        }
        document.pointer_mut(&pointer).unwrap().clone_from(&old);
        if is_ready(&without(&document, &pointer)) {
            stay.entry(called).or_default().insert("deleted");
        }
    }
    stay
}

#[test]
fn a_ready_host_stays_ready_only_where_it_does_not_matter() {
    let (profile, facts) = ready();
    let mut in_service = facts.clone();
    in_service.site_agent = Fact::Known(SiteAgent {
        version: Some("9.6.0".into()),
        installation_dir: Some("/usr/local/ASR".into()),
        ..SiteAgent::default()
    });
    let mut used = BTreeSet::new();
    let mut wrong = Vec::new();
    for facts in [facts, in_service] {
        for (called, how) in stays_ready(&profile, &facts) {
            match MAY_CHANGE.iter().find(|(start, _)| called.starts_with(start)) {
                Some((start, _)) => drop(used.insert(*start)),
                None => wrong.push(format!("{called} {how:?}")),
            }
        }
    }
    assert!(wrong.is_empty(), "ready in spite of it:\n{}", wrong.join("\n"));
    let idle: Vec<_> = MAY_CHANGE.iter().filter(|(start, _)| !used.contains(start)).collect();
    assert!(idle.is_empty(), "a reason for nothing: {idle:?}");
}
