//! A physical volume of LVM, by the structures of LVM2's lib/format_text/layout.h.

use super::bytes::u64_at;
use crate::facts::retention::Volume;

/// The type of a physical volume, whose label is the name of its volume group: libblkid's word.
pub const LVM: &str = "LVM2_member";

/// The letters of a UUID of LVM, hyphens aside.
pub const UUID_LETTERS: usize = 32;

/// Reads `label_header` in one of the first four sectors, `pv_header` with two lists of areas, each up to an empty one, and in the
/// first area of the second list `mda_header`, which says where the text begins that describes the group: with its name and its
/// UUID, which is told without hyphens. A volume of no group has neither. `start` and `block` as in [`super::content`].
pub(super) fn physical_volume(
    start: &[u8],
    block: impl Fn(u64) -> Option<Vec<u8>>,
) -> Option<(Volume, Option<String>)> {
    const BLOCK: u64 = 4096;
    let is_label = |at: &usize| start.get(*at..).is_some_and(|rest| rest.starts_with(b"LABELONE"));
    let label = (0..4).map(|sector| sector * 512).find(is_label)?;
    let header = label + usize::try_from(u64_at(start, label + 20)? & 0xffff).ok()?;
    let uuid = String::from_utf8_lossy(start.get(header..header + UUID_LETTERS)?).into_owned();
    // Behind the UUID and the size of the device.
    let mut area = header + 40;
    while u64_at(start, area)? != 0 {
        area += 16;
    }
    let described = || {
        let metadata = u64_at(start, area + 16).filter(|at| *at != 0 && at % 512 == 0)?;
        let within = |at: u64| usize::try_from(at % BLOCK).ok();
        let read = |at: u64| Some(block(at - at % BLOCK)?.get(within(at)?..)?.to_vec());
        let header = read(metadata)?;
        // Behind checksum, magic, version, start and size of the area.
        let text = read(metadata.checked_add(u64_at(&header, 40).filter(|at| *at != 0)?)?)?;
        (header.get(4..20)? == b" LVM2 x[5A%r0N*>").then(|| String::from_utf8_lossy(&text).into_owned())
    };
    let (name, group) = described().and_then(|text| named(&text)).unwrap_or_default();
    Some((Volume { fs_type: LVM.into(), uuid: uuid.into(), label: name }, group))
}

/// Name and UUID at the beginning of a group's description: `vg0 {`, and in the next line `id = "…"`.
fn named(text: &str) -> Option<(String, Option<String>)> {
    let (name, rest) = text.split_at(text.find([' ', '{', '\n'])?);
    let id = rest.split_once("id = \"").filter(|(before, _)| before.trim() == "{");
    let id = id.and_then(|(_, id)| id.split_once('"')).map(|(id, _)| id.replace('-', ""));
    Some((name.to_owned(), id.filter(|id| id.len() == UUID_LETTERS)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

    #[test]
    fn a_group_is_named_and_known_by_its_uuid() {
        let text = "vg0 {\nid = \"7nxyVf-AaBb-0123-cdef-ghij-klmn-opqrst\"\nseqno = 2\n";
        let id = "7nxyVfAaBb0123cdefghijklmnopqrst".to_owned();
        assert_eq!(named(text), Some(("vg0".into(), Some(id))));
        assert_eq!(named("vg0 {\nseqno = 2\nid = \"x\"\n"), Some(("vg0".into(), None)));
        assert_eq!(named("vg0 {\nid = \"7nxyVf-AaBb\"\n"), Some(("vg0".into(), None)));
        assert_eq!(named("vg0"), None);
        testing::damage(text, |text| drop(named(text)));
    }
}
