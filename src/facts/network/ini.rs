//! INI files, as NetworkManager and systemd write them.

/// The `(section, key, value)` triples of a file, in its order.
pub(super) fn parse(text: &str) -> Vec<(&str, &str, &str)> {
    let mut section = "";
    let mut triples = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.trim();
        } else if !line.starts_with(['#', ';'])
            && let Some((key, value)) = line.split_once('=')
        {
            triples.push((section, key.trim(), value.trim()));
        }
    }
    triples
}

/// The last value of a key in any of `sections`; an empty one is none.
pub(super) fn value<'a>(triples: &[(&str, &str, &'a str)], sections: &[&str], key: &str) -> Option<&'a str> {
    let found = triples.iter().rev().find(|(section, name, _)| sections.contains(section) && *name == key);
    found.map(|(_, _, value)| *value).filter(|value| !value.is_empty())
}
