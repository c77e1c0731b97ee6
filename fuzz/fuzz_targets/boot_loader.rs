//! First sectors of disks and partitions.

use mt_agent::fuzzing::{parse_mbr, parse_partition};

pub fn run(data: &[u8]) {
    let disk = parse_mbr(data);
    assert!(parse_partition(data).is_none_or(|found| Some(found) == disk));
    assert!(disk.is_none() || data.len() >= 512 && data[510..512] == [0x55, 0xaa]);
}
