//! What GRUB 0.97 reads of a line: stage2/stage2.c (`get_line_from_config`), stage2/char_io.c (`safe_parse_maxint`) and
//! stage2/disk_io.c (`set_device`).

use crate::host::text;

/// A device as an entry names it; `None` where it names none, and the partition with GRUB's own files is meant.
pub type On = Option<Device>;

/// A device of GRUB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Device {
    /// `(hd0,0)`, `(hd0)`: a disk and a partition, both from 0.
    Disk(u64, Option<u64>),
    /// Anything else: a floppy, the network, a partition of BSD, or what is no device.
    Other(String),
}

/// The lines of the file without blanks at the beginning and without comments. A backslash takes the end of a line away, of a comment's too.
pub(super) fn lines(text: &str) -> Vec<String> {
    /// What its buffer holds of one (`NEW_HEAPSIZE`).
    const LONGEST: usize = 1499;
    let (mut found, mut line) = (Vec::new(), String::new());
    let (mut literal, mut comment) = (false, false);
    for c in text.chars().filter(|c| *c != '\r').chain(['\n']) {
        let mut c = if c == '\t' { ' ' } else { c };
        if literal && c == '\n' {
            c = ' ';
            line.pop();
        }
        literal = c == '\\' && !literal;
        match c {
            '\n' if comment => comment = false,
            _ if comment => {}
            '\n' if line.is_empty() => {}
            '\n' => found.push(std::mem::take(&mut line)),
            '#' if line.is_empty() => comment = true,
            ' ' if line.is_empty() => {}
            _ if line.len() < LONGEST => line.push(c),
            _ => {}
        }
    }
    found
}

/// A number at the beginning (`safe_parse_maxint`).
pub(super) fn number(text: &str) -> Option<u64> {
    let (digits, radix) = text.strip_prefix("0x").map_or((text, 10), |digits| (digits, 16));
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    u64::from_str_radix(&digits[..end], radix).ok()
}

/// The device at the beginning of `text`, and what follows it (`set_device`). `()` is the one that is the root already, of which
/// nothing more is known here.
pub(super) fn device(text: &str) -> (On, &str) {
    let other = || Device::Other(text::safe(text.split([' ', '/']).next().unwrap_or_default()));
    let Some((inner, rest)) = text.strip_prefix('(').and_then(|text| text.split_once(')')) else {
        return (Some(other()), "");
    };
    let (disk, partition) = inner.split_once(',').map_or((inner, None), |(disk, part)| (disk, Some(part)));
    let whole = |text: &str| {
        number(text).filter(|_| text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'x'))
    };
    let found = match (disk.strip_prefix("hd").and_then(whole), partition.map(whole)) {
        (Some(disk), None) => Device::Disk(disk, None),
        (Some(disk), Some(Some(partition))) => Device::Disk(disk, Some(partition)),
        _ => other(),
    };
    (Some(found), rest)
}
