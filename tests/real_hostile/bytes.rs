//! Bytes that mean nothing to any tool.

use mt_agent::facts::blank::examine::{END_BYTES, places};

use super::desk::{Loop, MIB, isolated};
use super::judge::{agreed, foreign};

/// More than what is read whole.
const SIZE: u64 = 1088 * MIB;

#[test]
fn one_byte_at_each_kind_of_place() {
    isolated(module_path!(), "one_byte_at_each_kind_of_place", || {
        let places = places(SIZE);
        let samples = &places[1..places.len() - 1];
        let (first, middle, last) = (&samples[0], &samples[samples.len() / 2], &samples[samples.len() - 1]);
        let offsets = [
            ("the very first byte", 0),
            ("the end of a boot sector", 511),
            ("somewhere in the head", MIB + 4711),
            ("the last byte of the head", END_BYTES - 1),
            ("the first byte of the first sample", first.start),
            ("the last byte of the first sample", first.end - 1),
            ("the first byte of a sample in the middle", middle.start),
            ("inside a sample in the middle", middle.start + 2000),
            ("the last byte of a sample in the middle", middle.end - 1),
            ("the first byte of the last sample", last.start),
            ("the last byte of the last sample", last.end - 1),
            ("the first byte of the tail", SIZE - END_BYTES),
            ("the first byte of the last MiB", SIZE - MIB),
            ("the last sector", SIZE - 512),
            ("the very last byte", SIZE - 1),
        ];
        let device = Loop::new(SIZE);
        agreed(&device);
        for (what, at) in offsets {
            device.write_at(at, &[1]);
            let words = format!("non-zero bytes at offset {at}");
            foreign(what, &device, &words, &words, false);
            device.write_at(at, &[0]);
        }
        // And it is those bytes alone that made the difference.
        agreed(&device);
    });
}

#[test]
fn data_in_one_part_of_the_disk() {
    isolated(module_path!(), "data_in_one_part_of_the_disk", || {
        let data: Vec<u8> = (0..MIB).map(|at| u8::try_from(at % 251).unwrap()).collect();
        for (what, at) in [("in the middle", SIZE / 2), ("in the last MiB", SIZE - MIB)] {
            let device = Loop::new(SIZE);
            device.write_at(at, &data);
            foreign(what, &device, "non-zero bytes at offset ", "non-zero bytes at offset ", false);
        }
        // Text, all ones, and a lone bit.
        for (what, bytes) in [("text", &b"customer"[..]), ("erased flash", &[0xff; 512]), ("a bit", &[0x10])]
        {
            let device = Loop::new(SIZE);
            device.write_at(SIZE - END_BYTES, bytes);
            foreign(what, &device, "non-zero bytes at offset ", "non-zero bytes at offset ", false);
        }
    });
}

#[test]
fn a_disk_that_is_read_whole_hides_nothing() {
    isolated(module_path!(), "a_disk_that_is_read_whole_hides_nothing", || {
        // Up to 12 MiB there is nothing between the samples.
        let device = Loop::new(12 * MIB);
        agreed(&device);
        for at in (4096..12 * MIB).step_by(1_111_111) {
            device.write_at(at, &[1]);
            let words = format!("non-zero bytes at offset {at}");
            foreign("a small disk", &device, &words, &words, false);
            device.write_at(at, &[0]);
        }
    });
}
