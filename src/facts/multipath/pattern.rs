//! What the patterns of the configuration match.

use regex::Regex;

/// A pattern as multipath takes it: an extended regular expression that may match anywhere. `*` alone
/// stands for everything.
pub(super) fn regex(pattern: &str) -> Result<Regex, regex::Error> {
    #[cfg(test)]
    COMPILED.set(COMPILED.get() + 1);
    Regex::new(if pattern == "*" { "" } else { pattern })
}

#[cfg(test)]
thread_local! {
    /// How many expressions this thread has compiled.
    pub(crate) static COMPILED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// An expression of which nothing is special but anchors at its ends: SCSI IDs, of which a blacklist can have thousands.
pub(super) struct Literal<'a> {
    from_start: bool,
    text: &'a str,
    to_end: bool,
}

pub(super) fn literal(pattern: &str) -> Option<Literal<'_>> {
    let (from_start, text) = pattern.strip_prefix('^').map_or((false, pattern), |text| (true, text));
    let (to_end, text) = text.strip_suffix('$').map_or((false, text), |text| (true, text));
    let is_special = |c: char| r".^$*+?()[]{}|\".contains(c);
    (!text.contains(is_special)).then_some(Literal { from_start, text, to_end })
}

/// What `pattern` matches. One that is no regular expression matches nothing (it is among the `problems`); newer
/// multipath-tools negate one that begins with `!`.
pub fn matcher(pattern: &str) -> impl Fn(&str) -> bool + use<> {
    let negated = pattern.strip_prefix('!');
    let pattern = negated.unwrap_or(pattern);
    let literal = literal(pattern).map(|it| (it.from_start, it.text.to_owned(), it.to_end));
    let regex = if literal.is_none() { regex(pattern).ok() } else { None };
    let negated = negated.is_some();
    move |text: &str| {
        let matches = match &literal {
            Some((true, literal, true)) => text == literal,
            Some((true, literal, false)) => text.starts_with(literal),
            Some((false, literal, true)) => text.ends_with(literal),
            Some((false, literal, false)) => text.contains(literal),
            None => match &regex {
                Some(regex) => regex.is_match(text),
                None => return false,
            },
        };
        matches != negated
    }
}

/// Whether `pattern` matches `text`.
pub fn matches(pattern: &str, text: &str) -> bool {
    matcher(pattern)(text)
}
