//! Names that a mistyped one may have meant.

/// At most five of `names` that `typed` may have meant: the nearest by edit distance, and those of
/// which it is a part.
pub(super) fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let typed: String = typed.to_lowercase().chars().take(64).collect();
    let mut found: Vec<(usize, &str)> = names
        .filter_map(|name| {
            let distance = distance(&typed, name);
            let part = typed.len() >= 3 && name.contains(&typed);
            (part || distance <= 1 + name.len() / 5).then_some((distance, name))
        })
        .collect();
    found.sort();
    found.dedup();
    found.into_iter().map(|(_, name)| name).take(5).collect()
}

/// Levenshtein distance, in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_counted_in_edits() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }

    #[test]
    fn the_nearest_come_first_and_strangers_not_at_all() {
        let names = ["retention.mounted", "retention.disk", "os.release"];
        assert_eq!(nearest("retention.monted", names.into_iter()), ["retention.mounted"]);
        assert_eq!(nearest("retention", names.into_iter()), ["retention.disk", "retention.mounted"]);
        assert!(nearest("zebra", names.into_iter()).is_empty());
    }
}
