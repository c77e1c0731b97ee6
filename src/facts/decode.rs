//! The notations that several files share: escapes, and assignments as a shell reads them.

/// `text` with `\ooo` decoded, as fstab, mountinfo and swaps write blanks and backslashes.
pub(crate) fn octal(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = (first == b'\\').then(|| after.get(..3).and_then(octal_byte)).flatten();
        out.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { &after[3..] } else { after };
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn octal_byte(digits: &[u8]) -> Option<u8> {
    let value = digits.iter().try_fold(0_u32, |value, digit| match digit {
        b'0'..=b'7' => Some(value * 8 + u32::from(digit - b'0')),
        _ => None,
    })?;
    u8::try_from(value).ok()
}

/// The assignments of a file that a shell would source (os-release, /etc/sysconfig), in their order. Nothing
/// is expanded: what a value computes is not ours to run.
pub(crate) fn assignments(text: &str) -> Vec<(&str, String)> {
    text.lines().filter_map(assignment).collect()
}

/// The value that `key` has in the end.
pub(crate) fn value(assignments: &[(&str, String)], key: &str) -> Option<String> {
    assignments.iter().rev().find(|(name, _)| *name == key).map(|(_, value)| value.clone())
}

fn assignment(line: &str) -> Option<(&str, String)> {
    let line = line.trim();
    let line = line.strip_prefix("export ").map_or(line, str::trim_start);
    let (key, value) = line.split_once('=')?;
    let is_name = !key.is_empty()
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !key.starts_with(|c: char| c.is_ascii_digit());
    is_name.then(|| (key, word(value)))
}

/// The first word of `text` as a shell would read it.
fn word(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    let mut quote = None;
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (Some('"'), '\\') => match chars.peek() {
                Some('"' | '\\' | '$' | '`') => out.extend(chars.next()),
                _ => out.push('\\'),
            },
            (None, '\\') => out.extend(chars.next()),
            (None, c) if c.is_whitespace() || c == ';' => break,
            (_, c) => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_and_what_is_none_stays() {
        assert_eq!(octal(r"/mnt/a\040b\011c\134d\043"), "/mnt/a b\tc\\d#");
        assert_eq!(octal(r"\04 \999 \777 \"), r"\04 \999 \777 \");
        assert_eq!(octal(r"\303\244"), "\u{e4}");
    }

    #[test]
    fn values_are_read_as_a_shell_reads_them() {
        let text = "# ZONE=no\nexport ZONE='Europe/Berlin' # here\nA=\"x \\\"y\\\" \\z\"\nB=a\\ b c\n1C=d\nZONE=UTC;D=e\nE=";
        let read = assignments(text);
        assert_eq!(value(&read, "ZONE").as_deref(), Some("UTC"));
        assert_eq!(value(&read, "A").as_deref(), Some(r#"x "y" \z"#));
        assert_eq!(value(&read, "B").as_deref(), Some("a b"));
        assert_eq!(value(&read, "E").as_deref(), Some(""));
        assert_eq!((value(&read, "1C"), value(&read, "C")), (None, None));
    }
}
