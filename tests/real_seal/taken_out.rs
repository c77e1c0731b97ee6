//! What is taken out, and that nothing is left of it: in trees on loop devices, in odd files and places.

use std::fs;
use std::path::Path;

use crate::desk::{DISK, Mounted, TRACES, all_files, fill, found_in, put, seal, words};
use crate::support::{contains, need_root, tool};

#[test]
fn what_is_taken_out_is_in_no_block_of_the_image() {
    let image = Mounted::new();
    fill(&image.root());
    tool("sync", &[]);
    assert_eq!(found_in(&fs::read(image.path("image")).unwrap()), words(), "the words can be found at all");
    let (code, text) = seal(&image.root(), &["--yes"]);
    assert_eq!(code, 0, "{text}");
    contains(&text, "sealed: ");
    for (path, _) in TRACES {
        assert!(!image.root().join(path).exists(), "{path}");
    }
    let after = |path: &str| fs::read_to_string(image.root().join(path)).unwrap();
    assert_eq!(after("etc/fstab"), "UUID=1 / ext4 defaults 1 1\n");
    assert_eq!(after("etc/hosts"), "127.0.0.1 localhost\n");
    assert_eq!(after("etc/sysconfig/network"), "NETWORKING=yes\nHOSTNAME=localhost.localdomain\n");
    assert_eq!(
        after("etc/sysconfig/network-scripts/ifcfg-eth0"),
        "DEVICE=eth0\nONBOOT=yes\nIPADDR=10.0.0.9\n"
    );
    assert_eq!(
        after("etc/multipath.conf"),
        "blacklist {\n    wwid \"300000000000000000000000000000000\"\n}\n"
    );
    assert_eq!(after("etc/machine-id"), "");
    assert_eq!(after("etc/dhcp/dhclient.conf"), "timeout 60;\n");
    assert_eq!(after("var/log/messages") + &after("var/spool/mail/joe"), "");
    let before = all_files(&image.root());
    let (code, text) = seal(&image.root(), &["--yes"]);
    assert_eq!((code, all_files(&image.root()) == before), (0, true), "{text}");
    contains(&text, "sealed already");
    assert_eq!(image.unmounted_with(), [] as [&str; 0]);
}

#[test]
fn free_space_is_wiped_on_demand_alone() {
    let image = Mounted::new();
    fill(&image.root());
    put(&image.root(), "root/gone", &"TRACE-REMOVED ".repeat(1000));
    tool("sync", &[]);
    fs::remove_file(image.root().join("root/gone")).unwrap();
    let (code, text) = seal(&image.root(), &["--yes", "--skip", "yum-uuid,agent-state"]);
    assert_eq!(code, 0, "{text}");
    contains(&text, "not looked at: yum-uuid, agent-state");
    assert!(image.root().join("var/lib/yum/uuid").exists(), "what is skipped stays");
    assert_eq!(image.unmounted_with(), ["TRACE-"], "what was removed before is still there");
    image.mount();
    let (code, text) = seal(&image.root(), &["--yes", "--wipe-free-space"]);
    assert_eq!(code, 0, "{text}");
    assert!(!image.root().join(".mt-agent-zeros").exists());
    assert_eq!(image.unmounted_with(), [] as [&str; 0]);
}

#[test]
fn free_space_is_filled_where_nothing_else_is_to_be_done_and_once() {
    let image = Mounted::new();
    let root = image.root();
    let remove_a_file = || {
        put(&root, "root/gone", &"TRACE-REMOVED ".repeat(1000));
        tool("sync", &[]);
        fs::remove_file(root.join("root/gone")).unwrap();
    };
    let left_after = |args: &[&str], words: &str| {
        let (code, text) = seal(&root, args);
        assert_eq!(code, 0, "{text}");
        contains(&text, words);
        let left = image.unmounted_with();
        image.mount();
        left
    };
    fill(&root);
    left_after(&["--yes"], "sealed: ");
    remove_a_file();
    assert_eq!(left_after(&["--yes"], "sealed already"), ["TRACE-"]);
    let (code, text) = seal(&root, &["--dry-run", "--wipe-free-space"]);
    assert_eq!((code, text.contains("free-space fill what is free on / with zeros")), (1, true), "{text}");
    assert_eq!(left_after(&["--yes", "--wipe-free-space"], "sealed: 1 thing in 1 step"), [] as [&str; 0]);
    remove_a_file();
    let before = all_files(&root);
    let left = left_after(&["--yes", "--wipe-free-space"], "sealed already");
    assert_eq!((left, all_files(&root) == before), (vec!["TRACE-"], true));
    let (_, text) = seal(&root, &["--yes", "--wipe-free-space"]);
    contains(&text, "note: free space was filled with zeros by the last sealing");
    let alone = ["--yes", "--only", "free-space", "--wipe-free-space"];
    assert_eq!(left_after(&alone, "sealed in part: 1 thing in 1 step"), [] as [&str; 0]);
    // A sealing that takes something out and fills nothing is the last one then.
    put(&root, "home/joe/.bash_history", "more");
    remove_a_file();
    assert_eq!(left_after(&["--yes"], "sealed: "), ["TRACE-"]);
    let (code, text) = seal(&root, &["--dry-run", "--wipe-free-space"]);
    assert_eq!((code, text.contains("not sealed: 1 thing in 1 step would be done")), (1, true), "{text}");
}

#[test]
fn secrets_are_found_wherever_they_lie_and_leftovers_too() {
    let image = Mounted::new();
    let root = image.root();
    fill(&root);
    let users = "root:x:0:0::/root:/bin/sh\nops:x:1:1::/srv/ops:/bin/sh\nops2:x:2:2::/srv/ops/:/bin/sh\n\
                 none:x:3:3::/:/bin/sh\nkernel:x:4:4::/proc:/bin/sh\nfile:x:5:5::/etc/fstab:\nno\nrel:x:6:6::srv:\n\
                 away:x:7:7::/away:\nshare:x:8:8::/share:\n";
    put(&root, "etc/passwd", users);
    let share = root.join("share");
    fs::create_dir_all(&share).unwrap();
    tool("mount", &["-t", "tmpfs", "share", share.to_str().unwrap()]);
    let left =
        ["share/.bash_history", "share/passphrase.txt", "proc/passphrase.txt", "srv/passphrase.txt.old"];
    let gone = [
        "srv/ops/.bash_history",
        "srv/ops/deep/er/passphrase.txt",
        "data/Connection.Passphrase",
        "var/lib/mt-agent/passphrase.txt",
        "etc/sysconfig/networking/devices/.ifcfg-eth0.mt-agent-old",
        "etc/sysconfig/networking/profiles/default/.ifcfg-eth0.mt-agent-old",
        "srv/log/.changes.log.mt-agent-old",
    ];
    let profile = image.path("profile.yaml");
    fs::write(&profile, "extends: centos-6.6\ncustom-changes:\n  log: /srv/log/changes.log\n").unwrap();
    let seal = |root: &Path, args: &[&str]| seal(root, &[args, &["--profile", &profile]].concat());
    for path in left.iter().chain(&gone) {
        put(&root, path, "TRACE-ELSEWHERE");
    }
    // Names that are not UTF-8 are in nobody's way.
    let odd =
        std::ffi::OsString::from(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"B\xfcro"));
    fs::create_dir(root.join("srv/ops").join(&odd)).unwrap();
    let (_, text) = seal(&root, &["--dry-run"]);
    assert_eq!(text.matches("remove /srv/ops/.bash_history").count(), 1, "{text}");
    let secret = root.join("srv/ops").join(&odd).join("passphrase.txt");
    fs::write(&secret, "TRACE-ODD").unwrap();
    let (code, text) = seal(&root, &["--yes"]);
    assert_eq!(code, 2, "{text}");
    contains(&text, "looking for what the step passphrases takes out: /srv/ops/B");
    contains(&text, "passphrase.txt has a name that is not UTF-8: rename or remove it by hand");
    fs::remove_file(&secret).unwrap();
    let (code, text) = seal(&root, &["--yes"]);
    let kept: Vec<_> = left.iter().filter(|path| !root.join(path).exists()).collect();
    tool("umount", &[share.to_str().unwrap()]);
    assert_eq!((code, kept.is_empty()), (0, true), "{text} {kept:?}");
    for path in gone {
        assert!(!root.join(path).exists(), "{path}");
    }
}

#[test]
fn a_blacklist_that_was_sealed_is_left_to_who_added_to_it() {
    need_root();
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fill(&root);
    fs::remove_file(root.join("usr/sbin/blacklistrootdev.sh")).unwrap();
    let two = |id: &str| {
        format!("blacklist {{\n    wwid \"{id}\"\n    wwid \"36000c29aaaaaaaaaaaaaaaaaaaaaaaaa\"\n}}\n")
    };
    put(&root, "etc/multipath.conf", &two(DISK));
    let (code, text) = seal(&root, &["--yes"]);
    assert_eq!((code, text.contains("is the root disk's: take it out")), (2, true), "{text}");
    let sealed = two(mt_agent::image::seal::NO_DISK);
    put(&root, "etc/multipath.conf", &sealed);
    let (code, text) = seal(&root, &["--yes"]);
    assert_eq!((code, fs::read_to_string(root.join("etc/multipath.conf")).unwrap()), (0, sealed), "{text}");
}

#[test]
fn odd_files_hold_nobody_up() {
    need_root();
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fill(&root);
    let mode = nix::sys::stat::Mode::S_IRUSR;
    for path in [
        "home/joe/passphrase.txt",
        "etc/sysconfig/network-scripts/ifcfg-pipe",
        "var/log/pipe",
        "root/.lesshst",
    ] {
        nix::unistd::mkfifo(&root.join(path), mode).unwrap();
    }
    // Of a name that cannot be read nobody knows where else it stands.
    nix::unistd::mkfifo(&root.join("etc/hostname"), mode).unwrap();
    let (code, text) = seal(&root, &["--yes"]);
    assert_eq!(code, 2, "{text}");
    contains(
        &text,
        "the step hostname takes out: what this machine is called: reading /etc/hostname: it is a FIFO",
    );
    fs::remove_file(root.join("etc/hostname")).unwrap();
    fs::create_dir_all(root.join("etc/sysconfig/network-scripts/ifcfg-old")).unwrap();
    put(&root, "root/passphrase.txt.d/kept", "x");
    put(&root, "etc/.multipath.conf.mt-agent-new", &format!("TRACE-NEW wwid {DISK}"));
    put(&root, "etc/.hosts.mt-agent-old", "TRACE-OLD");
    // The home directories may lie elsewhere.
    fs::rename(root.join("home"), root.join("data")).unwrap();
    std::os::unix::fs::symlink("/data", root.join("home")).unwrap();
    put(&root, "data/ann/passphrase.txt", "TRACE-ANN");
    fs::remove_file(root.join("usr/sbin/blacklistrootdev.sh")).unwrap();
    let (code, text) = seal(&root, &["--yes"]);
    assert_eq!(code, 0, "{text}");
    for path in [
        "data/joe/passphrase.txt",
        "data/ann/passphrase.txt",
        "etc/.multipath.conf.mt-agent-new",
        "etc/.hosts.mt-agent-old",
    ] {
        assert!(!root.join(path).exists(), "{path}");
    }
    let multipath = fs::read_to_string(root.join("etc/multipath.conf")).unwrap();
    assert!(!multipath.contains(DISK), "{multipath}");
    let (code, text) = seal(&root, &["--yes"]);
    assert_eq!((code, text.contains("sealed already")), (0, true), "{text}");
}
