//! Partition tables, whole and in part.

use super::desk::{Loop, MIB, isolated, run};
use super::erased::erased;
use super::judge::foreign;

/// A disk with the partition table that parted makes.
fn labelled(label: &str) -> Loop {
    let device = Loop::new(64 * MIB);
    run("parted", &["--script", &device.device, "mklabel", label]);
    device
}

/// One with the table and a partition that sfdisk makes.
pub fn partitioned(label: &str) -> Loop {
    Loop::with(64 * MIB, &[], |image| {
        let script = format!("label: {label}\n,8M\n");
        duct::cmd!("sfdisk", "-q", image).stdin_bytes(script).run().unwrap();
    })
}

#[test]
fn partition_tables_of_every_kind() {
    isolated(module_path!(), "partition_tables_of_every_kind", || {
        // The map of a Macintosh is a partition of its own, of which parted tells the kernel.
        let cases = [
            ("MBR", partitioned("dos"), "MBR partition table", "carries dos partition table"),
            ("MBR without partitions", labelled("msdos"), "MBR partition table", "dos partition table"),
            ("GPT", partitioned("gpt"), "GPT partition table", "carries gpt partition table"),
            ("Solaris", partitioned("sun"), "sun partition table", "carries sun partition table"),
            ("Solaris without slices", labelled("sun"), "sun partition table", "carries sun partition table"),
            ("SGI", partitioned("sgi"), "sgi partition table", "carries sgi partition table"),
            ("Macintosh", labelled("mac"), "mac partition table", "it has the partition loop"),
        ];
        for (what, device, probed, formatted) in &cases {
            foreign(what, device, probed, formatted, true);
            erased(what, device);
        }
        // libblkid looks for these inside an MBR's partition alone.
        foreign("BSD", &labelled("bsd"), "BSD disklabel", "it is not blank: BSD disklabel", false);
        foreign("Amiga", &labelled("amiga"), "Amiga partition table", "Amiga partition table", false);
    });
}

#[test]
fn what_is_left_of_a_gpt() {
    isolated(module_path!(), "what_is_left_of_a_gpt", || {
        let copy = "GPT partition table (its copy at the end)";
        let device = partitioned("gpt");
        device.write_at(0, &vec![0; 34 * 512]);
        foreign("only the copy", &device, copy, copy, false);

        let device = partitioned("gpt");
        device.write_at(0, &[0; 512]);
        device.write_at(64 * MIB - 33 * 512, &vec![0; 33 * 512]);
        let header = "GPT partition table (its header)";
        foreign("no protective MBR, no copy", &device, header, header, false);

        // As a shrunk disk has it: the table is there, its copy is not.
        let device = partitioned("gpt");
        device.write_at(64 * MIB - 33 * 512, &vec![0; 33 * 512]);
        foreign("no copy", &device, "GPT partition table", "partition table", true);

        // Only the protective MBR.
        let device = partitioned("gpt");
        device.write_at(512, &vec![0; 33 * 512]);
        device.write_at(64 * MIB - 33 * 512, &vec![0; 33 * 512]);
        foreign("only the protective MBR", &device, "partition table", "partition table", true);
    });
}
