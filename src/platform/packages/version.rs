//! Versions, compared as rpm compares them (rpmio/rpmvercmp.c and lib/rpmds.c of rpm 4.18).

use std::cmp::Ordering;

/// The senses of a dependency: `RPMSENSE_LESS`, `RPMSENSE_GREATER` and `RPMSENSE_EQUAL` of rpm's lib/rpmds.h.
const LESS: u32 = 2;
const GREATER: u32 = 4;
const EQUAL: u32 = 8;

/// Epoch, version and release. Without a release it stands for every release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Evr {
    epoch: u32,
    version: String,
    release: Option<String>,
}

impl Evr {
    /// `[EPOCH:]VERSION[-RELEASE]`. No epoch is epoch 0.
    pub fn parse(text: &str) -> Self {
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) => (epoch.parse().unwrap_or(0), rest),
            None => (0, text),
        };
        let (version, release) = match rest.split_once('-') {
            Some((version, release)) => (version, Some(release.to_owned())),
            None => (rest, None),
        };
        Self { epoch, version: version.to_owned(), release }
    }

    fn compare(&self, other: &Self) -> Ordering {
        let version = || compare(&self.version, &other.version);
        let release = || match (&self.release, &other.release) {
            (Some(a), Some(b)) => compare(a, b),
            _ => Ordering::Equal,
        };
        self.epoch.cmp(&other.epoch).then_with(version).then_with(release)
    }
}

/// Some versions of a package: what an `Obsoletes` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub name: String,
    /// The senses, as rpm's header has them.
    pub senses: u32,
    /// What they are about, as in [`Evr::parse`]; empty: every version.
    pub evr: String,
}

impl Range {
    /// Whether the version `installed` is one of them.
    pub fn holds(&self, installed: &Evr) -> bool {
        if self.evr.is_empty() || self.senses & (LESS | GREATER | EQUAL) == 0 {
            return true;
        }
        let sense = match installed.compare(&Evr::parse(&self.evr)) {
            Ordering::Less => LESS,
            Ordering::Equal => EQUAL,
            Ordering::Greater => GREATER,
        };
        self.senses & sense != 0
    }
}

/// Compares two versions or two releases segment by segment: digits as numbers, letters as text, a `~` before
/// everything, a `^` after the end.
pub fn compare(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    let counts = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'~' | b'^');
    loop {
        a = &a[a.iter().position(counts).unwrap_or(a.len())..];
        b = &b[b.iter().position(counts).unwrap_or(b.len())..];
        match (a.first(), b.first()) {
            (Some(b'~'), Some(b'~')) | (Some(b'^'), Some(b'^')) => {
                (a, b) = (&a[1..], &b[1..]);
                continue;
            }
            (Some(b'~'), _) | (None, Some(b'^')) => return Ordering::Less,
            (_, Some(b'~')) | (Some(b'^'), None) => return Ordering::Greater,
            (Some(b'^'), _) => return Ordering::Less,
            (_, Some(b'^')) => return Ordering::Greater,
            (None, None) => return Ordering::Equal,
            (None, _) => return Ordering::Less,
            (_, None) => return Ordering::Greater,
            (Some(_), Some(_)) => {}
        }
        let digits = a[0].is_ascii_digit();
        let belongs = if digits { u8::is_ascii_digit } else { u8::is_ascii_alphabetic };
        let (first, second) = (segment(&mut a, belongs), segment(&mut b, belongs));
        if second.is_empty() {
            return if digits { Ordering::Greater } else { Ordering::Less };
        }
        let order = if digits {
            let (first, second) = (without_zeros(first), without_zeros(second));
            first.len().cmp(&second.len()).then_with(|| first.cmp(second))
        } else {
            first.cmp(second)
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

fn segment<'a>(text: &mut &'a [u8], belongs: fn(&u8) -> bool) -> &'a [u8] {
    let end = text.iter().position(|byte| !belongs(byte)).unwrap_or(text.len());
    let (front, rest) = text.split_at(end);
    *text = rest;
    front
}

fn without_zeros(digits: &[u8]) -> &[u8] {
    &digits[digits.iter().position(|digit| *digit != b'0').unwrap_or(digits.len())..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_what_rpm_would_obsolete() {
        let range = |senses, evr: &str| Range { name: "x".into(), senses, evr: evr.into() };
        let holds = |range: &Range, installed| range.holds(&Evr::parse(installed));
        assert!(holds(&range(0, ""), "9:9-9"));
        let before = range(LESS, "2.0-3");
        assert!(holds(&before, "2.0-2") && holds(&before, "1.9-7"));
        assert!(!holds(&before, "2.0-3") && !holds(&before, "2.1-1") && !holds(&before, "1:1.0-1"));
        // Without a release every release of that version is meant.
        assert!(holds(&range(LESS | EQUAL, "2.0"), "2.0-99"));
        assert!(!holds(&range(LESS, "2.0"), "2.0-0"));
        assert!(holds(&range(GREATER, "1:1"), "1:2-1") && !holds(&range(GREATER, "1:1"), "9-1"));
    }
}
