//! A profile as a file that can be loaded again, and as JSON; both say where each value came from.

use serde_json::{Map, json};
use serde_yaml::{Mapping, Value};
use sha2::{Digest, Sha256};

use super::decode::below;
use super::model::Profile;
use super::yaml::{Writer, pairs};
use crate::host::text::{hex, safe, without_secrets};

const SCHEMA: &str = "mt-agent/profile/v1";

/// The profile as YAML that can be loaded, with a comment on every value that says where it came from.
/// Credentials in addresses are masked.
pub fn show(profile: &Profile) -> String {
    let remark = |path: &str| Some(origin(profile, path));
    let mut writer = Writer::new(format!("# {}, complete\n", safe(&profile.name)), &remark);
    for (key, value) in pairs(&masked_values(profile)) {
        writer.entry(key, value);
    }
    writer.out
}

/// The profile as JSON: its values under the keys of the file format, and where each came from.
/// Credentials in addresses are masked.
pub fn to_json(profile: &Profile) -> serde_json::Value {
    let values = masked_values(profile);
    let origins: Map<_, _> =
        leaves(&values).into_iter().map(|path| (path.clone(), origin(profile, &path).into())).collect();
    json!({"schema": SCHEMA, "name": profile.name, "profile": values, "origins": origins})
}

/// SHA-256 (lower-case hex) of all values of the profile, wherever they came from: another one is another profile.
pub fn digest(profile: &Profile) -> String {
    let values: Vec<_> = pairs(&values(profile)).map(|(key, value)| json!([key, value])).collect();
    hex(&Sha256::digest(serde_json::Value::from(values).to_string()))
}

/// The values under the keys of the file format, in its order, as they may be shown.
pub fn masked_values(profile: &Profile) -> Mapping {
    let mut values = values(profile);
    values.values_mut().for_each(mask);
    values
}

fn values(profile: &Profile) -> Mapping {
    match serde_yaml::to_value(profile) {
        Ok(Value::Mapping(values)) => values,
        // Never: the type is a mapping of text, numbers, lists and mappings.
        _ => Mapping::new(),
    }
}

fn mask(value: &mut Value) {
    match value {
        Value::String(text) => *text = without_secrets(text),
        Value::Sequence(items) => items.iter_mut().for_each(mask),
        Value::Mapping(entries) => entries.values_mut().for_each(mask),
        _ => {}
    }
}

fn origin(profile: &Profile, path: &str) -> String {
    profile.origins.get(path).map_or_else(|| "default".into(), |origin| safe(&without_secrets(origin)))
}

/// The paths of all values that are neither list nor mapping, and of empty lists.
fn leaves(values: &Mapping) -> Vec<String> {
    fn walk(path: String, value: &Value, out: &mut Vec<String>) {
        match value {
            Value::Sequence(items) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    walk(format!("{path}[{index}]"), item, out);
                }
            }
            Value::Mapping(entries) => {
                for (key, value) in pairs(entries) {
                    walk(below(&path, key), value, out);
                }
            }
            _ => out.push(path),
        }
    }
    let mut out = Vec::new();
    for (key, value) in pairs(values) {
        walk(key.to_owned(), value, &mut out);
    }
    out
}
