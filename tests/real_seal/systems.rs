//! Which systems are sealed, and what of a network is told.

use std::fs;

use crate::desk::{DISK, all_files, fill, put, seal};
use crate::support::{contains, need_root};

#[test]
fn a_system_that_the_list_does_not_cover_is_refused_by_name() {
    need_root();
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fill(&root);
    let covers = "seal covers release 6 of CentOS, Red Hat Enterprise Linux, Scientific Linux, Oracle Linux";
    for (redhat, os_release, words) in [
        (None, Some("ID=ubuntu\nPRETTY_NAME=\"Ubuntu 20.04.6 LTS\"\n"), "is Ubuntu 20.04.6 LTS: "),
        (None, Some("ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n"), "is Debian GNU/Linux 12: "),
        (Some("CentOS Linux release 7.4.1708 (Core)\n"), None, "is CentOS Linux release 7.4.1708 (Core): "),
        (Some("CentOS release 66 (None)\n"), None, "is CentOS release 66 (None): "),
        (Some("Fedora release 6 (Zod)\n"), None, "is Fedora release 6 (Zod): "),
        (None, None, "cannot be determined (neither /etc/redhat-release nor /etc/os-release"),
    ] {
        for (path, content) in [("etc/redhat-release", redhat), ("etc/os-release", os_release)] {
            match content {
                Some(content) => put(&root, path, content),
                None => drop(fs::remove_file(root.join(path))),
            }
        }
        let before = all_files(&root);
        for args in [&["--yes"][..], &["--dry-run"], &["--yes", "--only", "histories"]] {
            let (code, text) = seal(&root, args);
            assert_eq!(code, 2, "{text}");
            contains(&text, words);
            contains(&text, covers);
            contains(&text, "nothing was changed");
        }
        assert!(all_files(&root) == before, "{words}: something changed");
    }
    for covered in
        ["Red Hat Enterprise Linux Server release 6.6 (Santiago)", "Oracle Linux Server release 6.10"]
    {
        put(&root, "etc/redhat-release", covered);
        let (code, text) = seal(&root, &["--dry-run"]);
        assert_eq!((code, text.contains("would be done")), (1, true), "{text}");
    }
}

#[test]
fn an_address_is_told_whatever_another_file_is() {
    need_root();
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fill(&root);
    let pipe = root.join("etc/sysconfig/network-scripts/ifcfg-eth1");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRUSR).unwrap();
    let (_, text) = seal(&root, &["--dry-run"]);
    contains(&text, "/etc/sysconfig/network-scripts/ifcfg-eth0 keeps the address 10.0.0.9");
    contains(
        &text,
        "which address /etc/sysconfig/network-scripts/ifcfg-eth1 keeps cannot be determined (it is not a file)",
    );
}

#[test]
fn the_retention_volume_goes_however_its_line_is_written() {
    need_root();
    let dir = tempfile::tempdir().unwrap();
    for written in ["/mnt//retention", "/mnt/retention//", "/mnt/./retention"] {
        let root = dir.path().join("root");
        drop(fs::remove_dir_all(&root));
        fill(&root);
        let keep = "UUID=1 / ext4 defaults 1 1\n/dev/sdz1 /mnt/retention2 ext4 noauto 0 0\n";
        put(&root, "etc/fstab", &format!("{keep}/dev/mapper/{DISK} {written} ext4 rw 0 0\n"));
        let (code, text) = seal(&root, &["--yes"]);
        assert_eq!(code, 0, "{text}");
        assert_eq!(fs::read_to_string(root.join("etc/fstab")).unwrap(), keep, "{written}");
    }
}
