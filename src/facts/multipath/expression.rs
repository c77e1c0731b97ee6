//! Which regular expressions mean the same to regcomp(3), which multipath asks, and to us.

/// Whether the extended regular expression is made of what both read alike: characters, sets of them, groups, alternatives,
/// anchors, and one quantifier behind each of the former. Escaped letters (`\\d`, `\\<`), `(?`, operations on sets and
/// quantifiers of quantifiers differ.
pub(super) fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    // Whether a quantifier may follow.
    let mut atom = false;
    while let Some(byte) = bytes.get(at) {
        let rest = &text.as_bytes()[at..];
        let (length, is_atom) = match byte {
            b'[' => match set(rest) {
                Some(length) => (length, true),
                None => return false,
            },
            b'\\' if rest.get(1).is_some_and(|next| br".^$*+?()[]{}|\-/!#".contains(next)) => (2, true),
            b'\\' | b'}' | b']' => return false,
            b'*' | b'+' | b'?' if atom => (1, false),
            b'{' if atom => match interval(rest) {
                Some(length) => (length, false),
                None => return false,
            },
            b'*' | b'+' | b'?' | b'{' => return false,
            b'^' | b'$' | b'(' | b'|' => (1, false),
            _ => (1, byte.is_ascii()),
        };
        at += length;
        atom = is_atom;
    }
    true
}

/// The length of the set `[…]` that `rest` begins with.
fn set(rest: &[u8]) -> Option<usize> {
    let mut at = if rest.get(1) == Some(&b'^') { 2 } else { 1 };
    let first = at;
    loop {
        let left = &rest[at..];
        at += match left.first()? {
            b']' if at > first => return Some(at + 1),
            b'[' if left.starts_with(b"[:") => {
                let name = left[2..].iter().take_while(|byte| byte.is_ascii_lowercase()).count();
                left[2 + name..].starts_with(b":]").then_some(name + 4)?
            }
            // A range, or a character.
            byte if byte.is_ascii_alphanumeric() || b"_.:/".contains(byte) => match left {
                [low, b'-', high, ..] if high.is_ascii_alphanumeric() => (low <= high).then_some(3)?,
                [_, b'-', ..] => return None,
                _ => 1,
            },
            _ => return None,
        };
    }
}

/// The length of the interval `{…}` that `rest` begins with.
fn interval(rest: &[u8]) -> Option<usize> {
    let end = rest.iter().position(|&byte| byte == b'}')?;
    let text = std::str::from_utf8(&rest[1..end]).ok()?;
    let (least, most) = text.split_once(',').unwrap_or((text, text));
    let least: u8 = least.parse().ok()?;
    let is_right = most.is_empty() || most.parse::<u8>().is_ok_and(|most| least <= most && most > 0);
    is_right.then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    /// tests/real_parsers/multipath.rs holds what is plain against regcomp(3).
    #[test]
    fn what_is_written_in_such_files_is_plain_and_the_rest_is_not() {
        for plain in [
            "^(ram|raw|loop|fd|md|dm-|sr|scd|st)[0-9]*",
            "^cciss!c[0-9]d[0-9]*",
            "^sd[[:alpha:]]{1,2}$",
            "36000c29b3c1a4e5f60718293a4b5c6d7",
            "^0VMware  Virtual disk    e4$",
            r"a\.b\$",
            ".*",
            "",
            "[^a-c_]+x?",
            "(a|)$",
        ] {
            assert!(is_plain(plain), "{plain}");
        }
        for other in [
            r"s\d",
            r"\<sd",
            "(?i)SD",
            "a**",
            "^*",
            "+a",
            "(*a)",
            "[a&&b]",
            "[[a]",
            "[a-]",
            "[]a]",
            "[z-a]",
            "[a",
            "a{",
            "a{,2}",
            "a{3,1}",
            "a}",
            "]",
            r"a\",
            "{2}",
            "[[:alpha]",
            r"[\d]",
        ] {
            assert!(!is_plain(other), "{other}");
        }
    }
}
