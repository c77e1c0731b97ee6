use std::time::Duration;

use super::*;
use crate::testing::samples;

fn page(code: u8, body: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&[0, code, high, low], body].concat()
}

fn designator(set: u8, association: u8, kind: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).unwrap();
    [&[set, association << 4 | kind, 0, length], bytes].concat()
}

fn page_83(designators: &[Vec<u8>]) -> Vec<u8> {
    page(IDENTIFICATION, &designators.concat())
}

const BINARY: u8 = 1;
const ASCII: u8 = 2;
const VMWARE: [u8; 16] =
    [0x60, 0, 0xc2, 0x98, 0x2b, 0x5d, 0xf4, 0x1a, 0x25, 0x81, 0x1b, 0x07, 0xe7, 0x49, 0x71, 0xe8];

fn text(page: &[u8]) -> String {
    id(page).unwrap().text
}

#[test]
fn a_vmware_disk_has_the_id_that_multipath_shows() {
    let naa = designator(BINARY, 0, NAA, &VMWARE);
    let found = id(&page_83(&[naa])).unwrap();
    assert_eq!(found, Id { text: "36000c2982b5df41a25811b07e74971e8".into(), kind: "NAA 6" });
}

#[test]
fn the_order_is_that_of_scsi_id_whatever_the_order_on_the_page() {
    let of = |kind, bytes: &[u8]| designator(BINARY, 0, kind, bytes);
    let vendor_specific = designator(ASCII, 0, VENDOR_SPECIFIC, b"drive-scsi0");
    let t10 = designator(ASCII, 0, T10_VENDOR, b"ATA     QEMU HARDDISK   QM00001 ");
    let eui = of(EUI_64, &[0, 0x0c, 0x29, 1, 2, 3, 4, 5]);
    let naa_2 = of(NAA, &[0x20, 1, 2, 3, 4, 5, 6, 7]);
    let naa_5 = of(NAA, &[0x50, 0, 0xc2, 0x90, 1, 2, 3, 4]);
    let naa_6 = of(NAA, &VMWARE);
    let mut all = vec![vendor_specific, t10, eui, naa_2, naa_5, naa_6];
    let kinds = ["NAA 6", "NAA 5", "NAA", "EUI-64", "T10 vendor"];
    let texts = [
        "36000c2982b5df41a25811b07e74971e8",
        "35000c29001020304",
        "32001020304050607",
        "2000c290102030405",
        "1ATA_QEMU_HARDDISK_QM00001",
    ];
    for (kind, text) in kinds.into_iter().zip(texts) {
        assert_eq!(id(&page_83(&all)).unwrap(), Id { text: text.into(), kind });
        let mut reversed = all.clone();
        reversed.reverse();
        assert_eq!(id(&page_83(&reversed)).unwrap(), Id { text: text.into(), kind });
        all.pop();
    }
    let why = id(&page_83(&all)).unwrap_err();
    let expected =
        "VPD page 0x83 carries only a vendor-specific designator (\"drive-scsi0\"), which need not be unique";
    assert_eq!(why, expected);
}

#[test]
fn a_designator_of_the_port_or_the_target_is_not_the_disk_s() {
    let of_port = designator(BINARY, 1, NAA, &VMWARE);
    let of_target = designator(BINARY, 2, NAA, &VMWARE);
    let error = id(&page_83(&[of_port.clone(), of_target])).unwrap_err();
    assert_eq!(error, "VPD page 0x83 carries no designator of the disk");
    let of_disk = designator(BINARY, 0, NAA, &[0x50, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(text(&page_83(&[of_port, of_disk])), "35001020304050607");
}

#[test]
fn every_way_to_have_no_id_says_which() {
    let reason = |page: &[u8]| id(page).unwrap_err();
    assert_eq!(reason(&[]), "VPD page 0x83 is cut off after 0 bytes");
    assert_eq!(reason(&[0, 0x83, 0]), "VPD page 0x83 is cut off after 3 bytes");
    assert_eq!(reason(&page(0x80, b"serial")), "it answers a request for VPD page 0x83 with page 0x80");
    assert_eq!(reason(&page(0x83, &[])), "VPD page 0x83 carries no designator of the disk");
    // A designator of blanks or zeros names nothing: unconfigured LUNs have these.
    let blank = designator(ASCII, 0, T10_VENDOR, b"            ");
    let zeros = designator(BINARY, 0, NAA, &[0; 16]);
    assert_eq!(reason(&page_83(&[blank, zeros])), "VPD page 0x83 carries no designator of the disk");
    assert_eq!(
        reason(&page_83(&[designator(ASCII, 0, VENDOR_SPECIFIC, b"drive-\x1b[2J \0x")])),
        "VPD page 0x83 carries only a vendor-specific designator (\"drive-\\u{1b}[2J\"), which need not be unique"
    );
}

#[test]
fn a_page_that_is_cut_off_gives_only_what_is_whole() {
    let first = designator(BINARY, 0, EUI_64, &[1; 8]);
    let whole = page_83(&[first, designator(BINARY, 0, NAA, &VMWARE)]);
    for length in 0..whole.len() {
        let cut = id(&whole[..length]);
        let expected = if length < 16 { None } else { Some("20101010101010101") };
        assert_eq!(cut.ok().map(|id| id.text).as_deref(), expected, "cut to {length} bytes");
    }
    // A page that claims more than came, and one that carries more than it claims.
    let mut claims = whole.clone();
    claims[2] = 0xff;
    assert_eq!(text(&claims), "36000c2982b5df41a25811b07e74971e8");
    let mut denies = whole;
    denies[3] = 12;
    assert_eq!(text(&denies), "20101010101010101");
}

#[test]
fn an_array_that_speaks_scsi_2_has_its_name_behind_the_header() {
    let symmetrix = page(0x83, &[0x60, 0x06, 0x04, 0x80, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    assert_eq!(id(&symmetrix).unwrap().text, "36006048000010203040506070809 0a0b".replace(' ', ""));
    assert_eq!(id(&symmetrix).unwrap().kind, "pre-SPC-3");
}

#[test]
fn text_is_written_as_udev_writes_names() {
    assert_eq!(underscored(b"  ATA   Disk \t x  "), "ATA_Disk_x");
    assert_eq!(underscored(b"a/b\x01\xffc\0rest"), "a_b__c");
    assert_eq!(underscored("Plätte".as_bytes()), "Plätte");
    assert_eq!(underscored(b"#+-.:=@_"), "#+-.:=@_");
    assert_eq!(underscored(b"   "), "");
}

#[test]
fn no_character_of_an_id_drives_a_terminal_or_hides() {
    for c in (1..=0x000e_0fff).filter_map(char::from_u32) {
        let id = underscored(format!("a{c}b").as_bytes());
        assert!(id.starts_with('a') && id.ends_with('b') && id.chars().count() == 3, "{id:?}");
        assert_eq!(text::safe(&id), id);
    }
    assert_eq!(underscored("a\u{61c}b\u{9b}c".as_bytes()), "a_b_c");
}

#[test]
fn the_list_of_pages_is_believed_only_when_it_is_one() {
    assert!(lacks(&page(0, &[0x00, 0x80]), 0x83));
    assert!(!lacks(&page(0, &[0x00, 0x80, 0x83]), 0x83));
    // Standard data in place of page 0: says nothing of pages.
    let mut standard = vec![0x00, 0x00, 0x05, 0x02, 0x1f, 0, 0, 0];
    standard.extend(b"VMware  Virtual disk    1.0 ");
    assert!(!lacks(&standard, 0x83));
    assert!(!lacks(&page(0x80, &[0]), 0x83) && !lacks(&[], 0x83));
}

#[test]
fn a_serial_number_is_trimmed_and_may_be_absent() {
    assert_eq!(serial(&page(0x80, b"  0123 \0\0")).as_deref(), Some("0123"));
    assert_eq!(serial(&page(0x80, b"    ")), None);
    assert_eq!(serial(&page(0x83, b"0123")), None);
}

/// A small generator of the same bytes every time (xorshift).
struct Bytes(u64);

impl Bytes {
    fn next(&mut self) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.to_le_bytes()[3]
    }
}

#[test]
fn no_bytes_make_the_parsers_panic() {
    let mut bytes = Bytes(0x9e37_79b9_7f4a_7c15);
    let seed = page_83(&[
        designator(ASCII, 0, VENDOR_SPECIFIC, b"drive"),
        designator(ASCII, 0, T10_VENDOR, b"VMware  Virtual disk"),
        designator(BINARY, 0, NAA, &VMWARE),
        designator(BINARY, 1, 4, &[0, 0, 0, 1]),
    ]);
    let (mut with, mut without) = (0, 0);
    for round in samples(100_000, Duration::from_millis(500)) {
        let mut input = seed.clone();
        if round % 2 == 0 {
            input = (0..bytes.next()).map(|_| bytes.next()).collect();
            if let (true, Some(code)) = (round % 4 == 0, input.get_mut(1)) {
                *code = 0x83;
            }
        } else {
            for _ in 0..=bytes.next() % 4 {
                let at = usize::from(bytes.next()) % input.len();
                input[at] = bytes.next();
            }
            input.truncate(usize::from(bytes.next()) % 128);
        }
        let _ = (lacks(&input, 0x83), serial(&input), whole_length(&input));
        match id(&input) {
            Ok(found) => {
                with += 1;
                assert!(found.text.len() > 1 && !found.text.chars().any(char::is_control), "{input:02x?}");
            }
            Err(why) => {
                without += 1;
                assert!(!why.to_string().is_empty());
            }
        }
    }
    assert!(with > 10_000 && without > 10_000, "{with} pages with an ID, {without} without");
}
