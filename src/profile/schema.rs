//! The JSON Schema of the file format, made of the types that read it.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::raw::RawProfile;

/// The JSON Schema (2020-12) of a profile's file. A file that has no `extends` must be complete.
#[must_use]
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(RawProfile).to_value();
    let complete = take_required(&mut schema);
    drop_defaults(&mut schema);
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("title".into(), "mt-agent profile".into());
        // `extends: null` is no extending either.
        let extends = json!({"required": ["extends"], "properties": {"extends": {"type": "string"}}});
        schema.insert("if".into(), json!({"not": extends}));
        schema.insert("then".into(), complete);
    }
    schema
}

/// The paths of the keys that a complete profile has: `sizing.memory`.
pub fn required_keys() -> &'static [String] {
    static KEYS: LazyLock<Vec<String>> = LazyLock::new(list_required);
    &KEYS
}

fn list_required() -> Vec<String> {
    let complete = take_required(&mut schemars::schema_for!(RawProfile).to_value());
    let mut keys = Vec::new();
    for section in names(&complete) {
        let inner = names(&complete["properties"][&section]);
        if inner.is_empty() {
            keys.push(section);
        } else {
            keys.extend(inner.iter().map(|key| format!("{section}.{key}")));
        }
    }
    keys
}

fn names(schema: &Value) -> Vec<String> {
    let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    required.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Takes "required" away from the whole and from its sections, and gives what it said as a schema of its own.
/// The items of lists keep theirs: lists are replaced, never merged.
fn take_required(schema: &mut Value) -> Value {
    let mut sections = Map::new();
    let properties = schema["properties"].as_object().cloned().unwrap_or_default();
    for (key, property) in properties {
        let Some(name) = property["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) else {
            continue;
        };
        let definition = schema["$defs"][name].as_object_mut();
        if let Some(required) = definition.and_then(|definition| definition.remove("required")) {
            sections.insert(key, json!({ "required": required }));
        }
    }
    let required = schema.as_object_mut().and_then(|schema| schema.remove("required")).unwrap_or(json!([]));
    json!({"required": required, "properties": sections})
}

/// Takes every "default" away: what a file does not say is inherited, not null.
fn drop_defaults(schema: &mut Value) {
    match schema {
        Value::Object(entries) => {
            // No key of the format is called so.
            entries.remove("default");
            entries.values_mut().for_each(drop_defaults);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_defaults),
        _ => {}
    }
}
