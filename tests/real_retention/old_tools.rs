//! The same with tools as old as CentOS 6.6's: each refuses the options that its version does not have, and mke2fs
//! asks before it takes a whole disk.

use std::fs;

use mt_agent::state::paths::RETENTION;

use crate::desk::*;
use crate::stand_ins::{Wipefs, called, lines, nothing_refused, old_tools};

#[test]
fn ext4_with_the_tools_of_centos_6() {
    isolated(module_path!(), "ext4_with_the_tools_of_centos_6", || {
        old_tools(Wipefs::RedHat);
        crate::from_blank_to_mounted("ext4", 64 * MIB);
        fs::remove_file(RETENTION).unwrap();
        let device = Loop::new(64 * MIB);
        device.write_at(1 << 20, b"old data");
        changed(format(&device, &device.erasing("ext4", &device.fingerprint())));
        assert!(called("mkfs.ext4 -q -U") && called("blkid -p -o udev /dev/") && called("wipefs -a "));
        nothing_refused();
    });
}

#[test]
fn xfs_gets_its_uuid_where_mkfs_cannot_give_it_one() {
    isolated(module_path!(), "xfs_gets_its_uuid_where_mkfs_cannot_give_it_one", || {
        old_tools(Wipefs::RedHat);
        crate::from_blank_to_mounted("xfs", 512 * MIB);
        // It was asked, with no device named, and not for anything else that it lacks.
        let refused = lines("refused");
        assert_eq!(refused.len(), 1, "{refused:?}");
        assert!(refused[0].starts_with("mkfs.xfs -m uuid=") && refused[0].ends_with(" -V"), "{refused:?}");
        assert!(called("mkfs.xfs -q -L mt-"), "{:?}", lines("called"));
    });
}
