//! Trees and mounted images to seal, with a trace in each file that a step takes out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{need_root, tool};

pub const AGENT: &str = env!("CARGO_BIN_EXE_mt-agent");

/// The words that a sealed image must not have, each in a file that a step removes or rewrites.
pub const TRACES: [(&str, &str); 19] = [
    ("etc/ssh/ssh_host_rsa_key", "-----BEGIN-----\nTRACE-HOST-KEY\n"),
    ("etc/udev/rules.d/70-persistent-net.rules", "ATTR{address}==\"TRACE-UDEV\", NAME=\"eth0\"\n"),
    ("root/passphrase.txt", "TRACE-PASSPHRASE\n"),
    ("usr/local/ASR/connection.passphrase", "TRACE-CONNECTION\n"),
    ("home/joe/.bash_history", "mysql -pTRACE-HISTORY\n"),
    ("var/lib/yum/uuid", "TRACE-YUM\n"),
    ("var/lib/dbus/machine-id", "TRACE-DBUS\n"),
    ("var/lib/random-seed", "TRACE-SEED\n"),
    ("var/lib/dhclient/dhclient-eth0.leases", "lease { TRACE-LEASE }\n"),
    ("var/lib/mt-agent/journal.jsonl", "{\"TRACE-JOURNAL\": 1}\n"),
    ("var/lib/mt-agent/saved/fstab-20260101T000000Z/%etc%fstab", "TRACE-SAVED\n"),
    ("home/joe/.ssh/id_rsa", "-----BEGIN RSA PRIVATE KEY-----\nTRACE-USER-KEY\n"),
    ("home/joe/.ssh/id_rsa.pub", "ssh-rsa TRACE-PUBLIC joe@mt01\n"),
    ("etc/krb5.keytab", "TRACE-KEYTAB\n"),
    ("etc/shadow-", "root:$6$TRACE-HASH:1:0:99999:7:::\n"),
    ("var/crash/127.0.0.1-2026/vmcore", "TRACE-CORE\n"),
    ("var/spool/at/a0000101", "#!/bin/sh\n# TRACE-AT\n"),
    ("var/log/messages-20260101", "TRACE-ROTATED\n"),
    ("tmp/ks-script-x", "TRACE-TEMPORARY\n"),
];

pub const DISK: &str = "36000c2982b5df41a25811b07e74971e8";

/// What stays, but for the words in it that name the machine.
pub fn kept() -> Vec<(&'static str, String)> {
    vec![
        ("etc/redhat-release", "CentOS release 6.6 (Final)\n".into()),
        ("etc/fstab", format!("UUID=1 / ext4 defaults 1 1\n/dev/mapper/{DISK} /mnt/retention ext4 rw 0 0\n")),
        ("etc/hosts", "127.0.0.1 localhost\n10.0.0.9 TRACE-NAME.example TRACE-NAME\n".into()),
        ("etc/sysconfig/network", "NETWORKING=yes\nHOSTNAME=TRACE-NAME.example\n".into()),
        (
            "etc/sysconfig/network-scripts/ifcfg-eth0",
            "DEVICE=eth0\nHWADDR=00:50:56:TR:AC:E0\nONBOOT=yes\nIPADDR=10.0.0.9\n".into(),
        ),
        ("etc/multipath.conf", format!("blacklist {{\n    wwid \"{DISK}\"\n}}\n")),
        ("usr/sbin/blacklistrootdev.sh", format!("root_wwid=\"{DISK}\"\n")),
        ("etc/rc.d/rc3.d/S99mt-agent-resume", String::new()),
        ("etc/machine-id", "TRACE-MACHINE\n".into()),
        ("etc/dhcp/dhclient.conf", "timeout 60;\nsend host-name \"TRACE-DHCP\";\n".into()),
        ("var/log/messages", "TRACE-LOG\n".into()),
        ("var/spool/mail/joe", "From TRACE-MAIL\n".into()),
    ]
}

/// The words that may be nowhere in the bytes.
pub fn words() -> Vec<&'static str> {
    vec!["TRACE-", "00:50:56:TR:AC:E0", DISK]
}

pub fn put(root: &Path, path: &str, content: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

pub fn fill(root: &Path) {
    for (path, content) in TRACES {
        put(root, path, content);
    }
    for (path, content) in kept() {
        put(root, path, &content);
    }
    for directory in ["bin", "var/log", "tmp", "proc", "sys"] {
        fs::create_dir_all(root.join(directory)).unwrap();
    }
}

pub fn seal(root: &Path, args: &[&str]) -> (i32, String) {
    let output = Command::new(AGENT).args(["seal", "--root"]).arg(root).args(args).output().unwrap();
    said(&output)
}

pub fn said(output: &Output) -> (i32, String) {
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let code = output.status.code().unwrap_or(-1);
    (code, text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Every file of a tree with its content, in order.
pub fn all_files(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut left = vec![root.to_path_buf()];
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                found.push((path.clone(), Vec::new()));
                left.push(path);
            } else {
                found.push((path.clone(), fs::read(&path).unwrap_or_default()));
            }
        }
    }
    found.sort();
    found
}

/// A file system on a loop device, unmounted when it goes.
pub struct Mounted {
    dir: tempfile::TempDir,
}

impl Mounted {
    pub fn new() -> Self {
        need_root();
        let dir = tempfile::tempdir().unwrap();
        let image = dir.path().join("image");
        fs::File::create(&image).unwrap().set_len(64 << 20).unwrap();
        tool("mkfs.ext4", &["-q", "-F", image.to_str().unwrap()]);
        fs::create_dir(dir.path().join("root")).unwrap();
        let mounted = Self { dir };
        mounted.mount();
        mounted
    }

    pub fn mount(&self) {
        tool("mount", &["-o", "loop", &self.path("image"), &self.path("root")]);
    }

    pub fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    pub fn root(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    /// Which of the words stand in the image's bytes.
    pub fn unmounted_with(&self) -> Vec<&'static str> {
        tool("umount", &[&self.path("root")]);
        found_in(&fs::read(self.path("image")).unwrap())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-q").arg(self.root()).output());
    }
}

pub fn found_in(bytes: &[u8]) -> Vec<&'static str> {
    const BLOCK: usize = 4096;
    const LONGEST: usize = 64;
    let until = |at: usize| at.min(bytes.len());
    // Most of an image is zeros, in which no word begins; one that begins at the end of a block ends in the next one.
    let is_used = |at: &usize| bytes[*at..until(at + BLOCK)] != [0; BLOCK][..until(at + BLOCK) - at];
    let used = (0..bytes.len()).step_by(BLOCK).filter(is_used);
    let pieces: Vec<_> = used.map(|at| &bytes[at..until(at + BLOCK + LONGEST)]).collect();
    let there = |word: &&str| {
        assert!(word.len() <= LONGEST);
        let begins = |piece: &&[u8]| piece.windows(word.len()).any(|window| window == word.as_bytes());
        pieces.iter().any(begins)
    };
    words().into_iter().filter(there).collect()
}

/// The files of a sealed tree, but for what is drawn anew in each.
pub fn comparable(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = all_files(root);
    files.retain(|(path, _)| !path.ends_with("template.json"));
    files
}
