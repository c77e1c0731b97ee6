//! The escapes that several files share.

/// `text` with `\ooo` decoded, as fstab, mountinfo and swaps write blanks and backslashes; of a number beyond a byte the
/// lowest eight bits count, as in libmount.
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
    digits.iter().try_fold(0_u8, |value, digit| match digit {
        b'0'..=b'7' => Some((value << 3) | (digit - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_and_what_is_none_stays() {
        assert_eq!(octal(r"/mnt/a\040b\011c\134d\043"), "/mnt/a b\tc\\d#");
        assert_eq!(octal(r"\04 \999 \"), r"\04 \999 \");
        assert_eq!(octal(r"\501"), "A");
        assert_eq!(octal(r"\303\244"), "\u{e4}");
    }
}
