//! Replacing files on real file systems: what a file carries beside its content stays with it. Needs root, as a
//! label of SELinux and a mount do.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "files of a test are not the host's")]

use std::fs;
use std::path::Path;

use mt_agent::host::files::replace;

mod support;
use support::{need_root, tool};

const LABEL: (&str, &[u8]) = ("security.selinux", b"system_u:object_r:net_conf_t:s0\0");
/// A version 2 list: rw- for the owner and for user 1000, r-- for the group, the mask rw-, others nothing
/// (Linux, `posix_acl_xattr.h`).
const ACCESS_LIST: (&str, &[u8]) = (
    "system.posix_acl_access",
    &[
        2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 6, 0, 232, 3, 0, 0, 4, 0, 4, 0, 255, 255, 255, 255,
        16, 0, 6, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255,
    ],
);

fn value(file: &Path, name: &str) -> Option<Vec<u8>> {
    xattr::get(file, name).unwrap()
}

#[test]
fn a_label_and_an_access_list_stay_and_a_signature_of_the_old_content_does_not() {
    need_root();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ifcfg-eth0");
    fs::write(&file, "old").unwrap();
    let note: (&str, &[u8]) = ("security.ima", b"\x04\x04signed");
    for (name, value) in [LABEL, ACCESS_LIST, note] {
        xattr::set(&file, name, value).unwrap();
    }
    for _ in 0..2 {
        replace(&file, b"new", 0o644).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        for (name, kept) in [LABEL, ACCESS_LIST] {
            assert_eq!(value(&file, name).as_deref(), Some(kept), "{name}");
        }
        assert_eq!(value(&file, note.0), None);
    }
    // Another's label is not made up for a file that had none.
    let other = dir.path().join("fstab");
    fs::write(&other, "old").unwrap();
    replace(&other, b"new", 0o644).unwrap();
    assert_eq!(value(&other, LABEL.0), None);
}

/// A mounted file system; unmounted in the end.
struct Mounted(tempfile::TempDir);

impl Drop for Mounted {
    fn drop(&mut self) {
        tool("umount", &[self.0.path().to_str().unwrap()]);
    }
}

#[test]
fn a_file_system_without_attributes_is_no_obstacle() {
    need_root();
    let dir = tempfile::tempdir().unwrap();
    tool("mount", &["-t", "ramfs", "none", dir.path().to_str().unwrap()]);
    let mounted = Mounted(dir);
    let file = mounted.0.path().join("fstab");
    fs::write(&file, "old").unwrap();
    assert!(xattr::set(&file, LABEL.0, LABEL.1).is_err(), "one without attributes was wanted");
    replace(&file, b"new", 0o644).unwrap();
    assert_eq!(fs::read(&file).unwrap(), b"new");
    assert_eq!(fs::read_dir(mounted.0.path()).unwrap().count(), 1);
}
