//! The keys of a profile, as mt-agent-profile(5) lists them: from the JSON Schema and the built-in profile.

use mt_agent::profile::{DEFAULT, builtin, schema};
use serde_json::Value;

use super::roff::words;

/// Every key, by its whole path (`site.process-server.port`, `waivers[].until`), in the order of the built-in profile.
pub fn keys() -> String {
    let (schema, default) = (schema(), default());
    let (sections, plain): (Vec<_>, Vec<_>) = ordered(&schema, &default)
        .into_iter()
        .partition(|(name, key)| default[*name].is_mapping() || key["items"].is_object());
    let mut out = String::from(".SS \"The file itself\"\n");
    for (name, key) in plain {
        item(&schema, name, key, &default[name], &mut out);
    }
    for (name, key) in sections {
        out += &format!(".SS {}\n{}\n", words(name), words(description(key)));
        inner(&schema, name, key, &default[name], &mut out);
    }
    out
}

fn default() -> serde_yaml::Value {
    serde_yaml::from_str(builtin(DEFAULT).unwrap()).unwrap()
}

/// The properties of a node: those that the built-in profile has first, in its order.
fn ordered<'a>(node: &'a Value, default: &serde_yaml::Value) -> Vec<(&'a String, &'a Value)> {
    let place = |name: &String| default.as_mapping().and_then(|map| map.keys().position(|key| key == name));
    let mut properties: Vec<_> = node["properties"].as_object().unwrap().iter().collect();
    properties.sort_by_key(|(name, _)| place(name).unwrap_or(usize::MAX));
    properties
}

/// The keys within this one: of the object that it holds, or of each that it lists.
fn inner(schema: &Value, path: &str, key: &Value, default: &serde_yaml::Value, out: &mut String) {
    let places = [key, &key["items"], &key["anyOf"][0]];
    let Some(name) = places.iter().find_map(|place| place["$ref"].as_str()) else { return };
    let object = &schema["$defs"][name.trim_start_matches("#/$defs/")];
    let list = if key["items"].is_object() { "[]" } else { "" };
    for (name, key) in ordered(object, default) {
        item(schema, &format!("{path}{list}.{name}"), key, &default[name], out);
    }
}

fn description(key: &Value) -> &str {
    key["description"].as_str().unwrap_or_else(|| panic!("{key} has no description"))
}

fn item(schema: &Value, path: &str, key: &Value, default: &serde_yaml::Value, out: &mut String) {
    *out += &format!(".TP\n.B {}\n{}\n", words(path), words(description(key)));
    if let Some(value) = value(key) {
        *out += &format!(".br\nValue: {}.\n", words(&value));
    }
    if let Some(default) = plain(default) {
        *out += &format!(".br\nIn {}: {}\n", words(DEFAULT), words(&default));
    }
    inner(schema, path, key, default, out);
}

/// What the value of a key may be; none where it holds keys of its own.
fn value(key: &Value) -> Option<String> {
    let strings = |values: &Value| -> Option<Vec<String>> {
        values
            .as_array()
            .map(|values| values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect())
    };
    if key["items"].is_object() {
        return value(&key["items"]).map(|each| format!("a list, each {each}"));
    }
    if let Some(alternatives) = key["oneOf"].as_array() {
        let words = alternatives.iter().map(|one| {
            let description = description(one).trim_end_matches('.');
            let (first, rest) = description.split_at(1);
            format!("`{}` ({}{rest})", one["const"].as_str().unwrap(), first.to_lowercase())
        });
        return Some(words.collect::<Vec<_>>().join(", "));
    }
    if let Some(words) = strings(&key["enum"]) {
        return Some(words.join(", "));
    }
    let types = strings(&key["type"])
        .unwrap_or_else(|| key["type"].as_str().map(str::to_owned).into_iter().collect());
    let title = [key, &key["anyOf"][0]].iter().find_map(|place| place["title"].as_str());
    let kind = match (title, types.first().map(String::as_str)) {
        (Some(title), _) => title.to_owned(),
        (None, Some("boolean")) => "`true` or `false`".to_owned(),
        (None, Some("integer")) => format!("a whole number from {} to {}", key["minimum"], key["maximum"]),
        _ => return None,
    };
    let optional = types.contains(&"null".to_owned()) || key["anyOf"][1]["type"] == "null";
    Some(if optional { format!("{kind}; or null") } else { kind })
}

/// A value in a line, as YAML has it; none of what has keys of its own, and none where there is none.
fn plain(value: &serde_yaml::Value) -> Option<String> {
    use serde_yaml::Value;
    match value {
        Value::Null | Value::Mapping(_) | Value::Tagged(_) => None,
        Value::Sequence(items) => {
            let items: Option<Vec<_>> = items.iter().map(plain).collect();
            items.map(|items| format!("[{}]", items.join(", ")))
        }
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(value) => Some(value.to_string()),
    }
}
