//! Vital product data pages 0x00, 0x83 and 0x80, from bytes. No I/O, and no bytes make it panic.

use crate::host::text;

/// Page 0x00: the list of pages that the device has.
pub const SUPPORTED_PAGES: u8 = 0x00;
/// Page 0x80: the unit's serial number.
pub const SERIAL: u8 = 0x80;
/// Page 0x83: device identification.
pub const IDENTIFICATION: u8 = 0x83;

/// An ID, as udev's scsi_id writes it, and the kind of designator that it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Id {
    /// `36000c29…`
    pub text: String,
    /// `NAA 6`, `EUI-64`, `T10 vendor`.
    pub kind: &'static str,
}

const NO_DESIGNATOR: &str = "VPD page 0x83 carries no designator of the disk";

/// What follows the four bytes of header of the page `code`, cut to the length that the header names and to
/// what is there.
fn body(bytes: &[u8], code: u8) -> Result<&[u8], String> {
    let &[_, came, high, low, ref rest @ ..] = bytes else {
        return Err(format!("VPD page 0x83 is cut off after {} bytes", bytes.len()));
    };
    if came != code {
        return Err(format!("it answers a request for VPD page {code:#04x} with page {came:#04x}"));
    }
    let length = usize::from(u16::from_be_bytes([high, low]));
    Ok(&rest[..length.min(rest.len())])
}

/// How many bytes the whole page has, by its own header.
pub fn whole_length(bytes: &[u8]) -> Option<usize> {
    let &[_, _, high, low, ..] = bytes else { return None };
    Some(usize::from(u16::from_be_bytes([high, low])) + 4)
}

/// Whether page 0x00 says that the device lacks `page`. A list that is not in ascending order is no such
/// list (some devices answer every page with the standard data, whose second byte is 0 too) and says nothing.
pub fn lacks(page_00: &[u8], page: u8) -> bool {
    body(page_00, SUPPORTED_PAGES)
        .is_ok_and(|pages| !pages.contains(&page) && pages.is_sorted() && pages.first() == Some(&0))
}

/// The serial number of page 0x80, without surrounding blanks; `None` where it is empty or another page.
pub fn serial(page_80: &[u8]) -> Option<String> {
    let text = plain(body(page_80, SERIAL).ok()?);
    (!text.is_empty()).then_some(text)
}

/// One designator of page 0x83.
struct Designator<'a> {
    ascii: bool,
    binary: bool,
    association: u8,
    kind: u8,
    bytes: &'a [u8],
}

/// The designators of a page's body; one that is cut off ends the list, empty ones are left out.
fn designators(mut rest: &[u8]) -> Vec<Designator<'_>> {
    let mut all = Vec::new();
    while let &[set, kind, _, length, ref tail @ ..] = rest {
        let Some((bytes, next)) = tail.split_at_checked(usize::from(length)) else { break };
        if bytes.iter().any(|byte| *byte != 0) {
            let (ascii, binary) = (set & 0x0f == 2, set & 0x0f == 1);
            all.push(Designator { ascii, binary, association: kind >> 4 & 3, kind: kind & 0x0f, bytes });
        }
        rest = next;
    }
    all
}

const VENDOR_SPECIFIC: u8 = 0;
const T10_VENDOR: u8 = 1;
const EUI_64: u8 = 2;
const NAA: u8 = 3;

/// Designator type, NAA format (where one is asked for), ASCII, name: in scsi_id's order of preference.
/// Vendor-specific ones stand last there; for us they are none: nothing promises that two disks differ in them.
const PREFERENCE: [(u8, Option<u8>, bool, &str); 10] = [
    (NAA, Some(6), false, "NAA 6"),
    (NAA, Some(6), true, "NAA 6 ASCII"),
    (NAA, Some(5), false, "NAA 5"),
    (NAA, Some(5), true, "NAA 5 ASCII"),
    (NAA, None, false, "NAA"),
    (NAA, None, true, "NAA ASCII"),
    (EUI_64, None, false, "EUI-64"),
    (EUI_64, None, true, "EUI-64 ASCII"),
    (T10_VENDOR, None, false, "T10 vendor"),
    (T10_VENDOR, None, true, "T10 vendor"),
];

/// The ID in page 0x83: of all designators of the logical unit the one that scsi_id prefers, written as it
/// writes it (its type as a digit, then hexadecimal digits or text, blanks in text as `_`).
/// Errors: Why there is none, in one line.
pub fn id(page_83: &[u8]) -> Result<Id, String> {
    let body = body(page_83, IDENTIFICATION)?;
    // The third byte of a designator is reserved. Where it is not 0, there are no designators: SCSI-2 arrays
    // put the binary name right behind the header.
    if body.get(2).is_some_and(|reserved| *reserved != 0) {
        let length = usize::from(page_83.get(3).copied().unwrap_or_default());
        let name = &body[..length.min(body.len())];
        if name.iter().all(|byte| *byte == 0) {
            return Err(NO_DESIGNATOR.to_owned());
        }
        return Ok(Id { text: format!("3{}", text::hex(name)), kind: "pre-SPC-3" });
    }
    let all = designators(body);
    let mut ours = all.iter().filter(|designator| designator.association == 0);
    for (kind, format, ascii, name) in PREFERENCE {
        let wanted = |designator: &&Designator<'_>| {
            designator.kind == kind
                && (if ascii { designator.ascii } else { designator.binary })
                // scsi_id looks at the raw first byte of an ASCII designator too: kept, for its order.
                && format.is_none_or(|format| designator.bytes.first().is_some_and(|b| b >> 4 == format))
        };
        if let Some(found) = ours.clone().find(wanted) {
            let text = if ascii { underscored(found.bytes) } else { text::hex(found.bytes) };
            if !text.is_empty() {
                return Ok(Id { text: format!("{kind}{text}"), kind: name });
            }
        }
    }
    let vendor_specific = ours.find(|designator| designator.kind == VENDOR_SPECIFIC);
    Err(vendor_specific.map_or_else(|| NO_DESIGNATOR.to_owned(), |found| {
        let text = if found.binary { text::hex(found.bytes) } else { plain(found.bytes) };
        format!("VPD page 0x83 carries only a vendor-specific designator (\"{text}\"), which need not be unique")
    }))
}

/// Bytes as text to show: up to a NUL, trimmed, made safe.
fn plain(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    text::safe(String::from_utf8_lossy(&bytes[..end]).trim())
}

/// Text as udev puts it into names: up to a NUL, outer blanks dropped, inner runs of blanks as one `_`, and
/// what is neither a letter, a digit, one of `#+-.:=@_` nor valid UTF-8 as `_`. So is a format character, which
/// udev keeps: no standard lets it stand there (SPC: ASCII only), and it would hide in what people compare.
fn underscored(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let mut out = String::new();
    let mut blank = false;
    let mut push = |c: char, is_blank: bool| {
        if is_blank && (blank || out.is_empty()) {
            return;
        }
        blank = is_blank;
        out.push(c);
    };
    for chunk in bytes[..end].utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                ' ' | '\t' | '\n' | '\x0b' | '\x0c' | '\r' => push('_', true),
                c if text::unfit_to_show(c) => push('_', false),
                c if !c.is_ascii() || c.is_ascii_alphanumeric() || "#+-.:=@_".contains(c) => push(c, false),
                _ => push('_', false),
            }
        }
        chunk.invalid().iter().for_each(|_| push('_', false));
    }
    if blank {
        out.pop();
    }
    out
}

#[cfg(test)]
#[path = "vpd_tests.rs"]
mod tests;
