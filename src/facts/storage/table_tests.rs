//! Logical partitions, written by hand: what tools make of them, tests/real_storage.rs holds against the kernel.

use super::*;

const SECTOR: u64 = 512;

/// A slot of a table: kind, start and size.
type Written = (u8, u32, u32);

/// A disk of one extended partition of 64 sectors that begins at sector 8, and tables of logical ones: at which sector of the disk, and
/// kind, start and size of their slots.
fn disk(tables: &[(usize, &[Written])]) -> Vec<u8> {
    let mut bytes = vec![0; 80 * 512];
    for (at, slots) in [(0, &[(5, 8, 64)][..])].iter().chain(tables) {
        let table = &mut bytes[at * 512..][..512];
        table[510..].copy_from_slice(&[0x55, 0xaa]);
        for (slot, (kind, start, size)) in table[446..510].chunks_mut(16).zip(*slots) {
            slot[4] = *kind;
            slot[8..12].copy_from_slice(&start.to_le_bytes());
            slot[12..16].copy_from_slice(&size.to_le_bytes());
        }
    }
    bytes
}

fn read(bytes: &[u8]) -> Table {
    let block = |at: u64| Some(bytes.get(usize::try_from(at).ok()?..)?.iter().take(4096).copied().collect());
    table(&bytes[..4096], SECTOR, block).unwrap()
}

fn places(table: &Table) -> Vec<(u32, u64, u64)> {
    let told = |one: &Entry| (one.number, one.start_bytes / SECTOR, one.size_bytes / SECTOR);
    table.entries.iter().map(told).collect()
}

#[test]
fn logical_partitions_lie_where_their_chain_has_them() {
    // The last two slots count within the extended partition alone.
    let chain = read(&disk(&[
        (8, &[(0x83, 2, 4), (5, 10, 20)]),
        (18, &[(0x83, 1, 6), (5, 30, 20), (0x83, 200, 4), (0x83, 8, 2)]),
        (38, &[(0x82, 1, 9)]),
    ]));
    assert_eq!(places(&chain), [(1, 8, 64), (5, 10, 4), (6, 19, 6), (7, 26, 2), (8, 39, 9)]);
    assert!(!chain.damaged && chain.entries[0].place == Some(Place::NOTHING), "{chain:?}");
}

#[test]
fn a_chain_that_is_not_written_to_its_end_is_told() {
    let nowhere = read(&disk(&[]));
    assert!(!nowhere.damaged && matches!(nowhere.entries[0].place, Some(Place::Unread(_))), "{nowhere:?}");
    let cut = read(&disk(&[(8, &[(0x83, 2, 4), (5, 10, 20)])]));
    assert!(cut.damaged && places(&cut) == [(1, 8, 64), (5, 10, 4)], "{cut:?}");
    // Beyond the device.
    assert!(read(&disk(&[(8, &[(5, 1000, 20)])])).damaged);
    // On and on, with a partition and without.
    for slots in [&[(0x83, 2, 4), (5, 0, 64)][..], &[(5, 0, 64)]] {
        let round = read(&disk(&[(8, slots)]));
        assert!(round.damaged && round.entries.len() <= 256, "{slots:?}");
    }
}
