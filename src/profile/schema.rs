//! The JSON Schema of the file format.

use std::sync::LazyLock;

use serde_json::Value;

/// Made of the types that read a profile, and held against them by the test below: what makes it would be a fiftieth of the
/// program.
const SCHEMA: &str = include_str!("schema.json");

/// The JSON Schema (2020-12) of a profile's file. A file that has no `extends` must be complete.
pub fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap_or_default()
}

/// The paths of the keys that a complete profile has: `sizing.memory`.
pub fn required_keys() -> &'static [String] {
    static KEYS: LazyLock<Vec<String>> = LazyLock::new(list_required);
    &KEYS
}

fn list_required() -> Vec<String> {
    let complete = &schema()["then"];
    let mut keys = Vec::new();
    for section in names(complete) {
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Map, Value, json};

    use super::super::model::Profile;
    use crate::host::files;

    /// `MT_AGENT_BLESS=1` writes it anew: read the difference in git.
    #[test]
    fn the_schema_is_that_of_the_types() {
        let mut schema = schemars::schema_for!(Profile).to_value();
        let complete = take_required(&mut schema);
        drop_defaults(&mut schema);
        let entries = schema.as_object_mut().unwrap();
        entries.insert("title".into(), "mt-agent profile".into());
        // `extends: null` is no extending either.
        let extends = json!({"required": ["extends"], "properties": {"extends": {"type": "string"}}});
        entries.insert("if".into(), json!({"not": extends}));
        entries.insert("then".into(), complete);
        if std::env::var_os("MT_AGENT_BLESS").is_some() {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/profile/schema.json");
            let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
            files::replace(&path, text.as_bytes(), 0o644).unwrap();
        } else {
            assert!(super::schema() == schema, "MT_AGENT_BLESS=1 cargo test --lib profile::schema writes it");
        }
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
        let required =
            schema.as_object_mut().and_then(|schema| schema.remove("required")).unwrap_or(json!([]));
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
}
