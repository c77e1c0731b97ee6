//! Names that a mistyped one may have meant.

/// At most five of `names` that `typed` may have meant: the nearest by edit distance, and those of
/// which it is a part.
pub(super) fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let typed: String = typed.to_lowercase().chars().take(64).collect();
    let mut found: Vec<(usize, &str)> = names
        .filter_map(|name| {
            let distance = strsim::levenshtein(&typed, name);
            let part = typed.len() >= 3 && name.contains(&typed);
            (part || distance <= 1 + name.len() / 5).then_some((distance, name))
        })
        .collect();
    found.sort();
    found.dedup();
    found.into_iter().map(|(_, name)| name).take(5).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first_and_strangers_not_at_all() {
        let names = ["retention.mounted", "retention.disk", "os.release"];
        assert_eq!(nearest("retention.monted", names.into_iter()), ["retention.mounted"]);
        assert_eq!(nearest("retention", names.into_iter()), ["retention.disk", "retention.mounted"]);
        assert!(nearest("zebra", names.into_iter()).is_empty());
    }
}
