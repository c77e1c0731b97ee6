//! `seal` on real file systems: trees on loop devices, image files, marks that keep a file from being removed, hooks, and
//! runs that are killed. What an image must not carry is looked for in its bytes.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "files and programs of a test are not the host's"
)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use support::{contains, need_root, tool};

const AGENT: &str = env!("CARGO_BIN_EXE_mt-agent");

/// The words that a sealed image must not have, each in a file that a step removes or rewrites.
const TRACES: [(&str, &str); 11] = [
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
];

const DISK: &str = "36000c2982b5df41a25811b07e74971e8";

/// What stays, but for the words in it that name the machine.
fn kept() -> Vec<(&'static str, String)> {
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
    ]
}

/// The words that may be nowhere in the bytes.
fn words() -> Vec<&'static str> {
    vec!["TRACE-", "00:50:56:TR:AC:E0", DISK]
}

fn put(root: &Path, path: &str, content: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn fill(root: &Path) {
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

fn seal(root: &Path, args: &[&str]) -> (i32, String) {
    let output = Command::new(AGENT).args(["seal", "--root"]).arg(root).args(args).output().unwrap();
    said(&output)
}

fn said(output: &Output) -> (i32, String) {
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let code = output.status.code().unwrap_or(-1);
    (code, text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Every file of a tree with its content, in order.
fn all_files(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
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
struct Mounted {
    dir: tempfile::TempDir,
}

impl Mounted {
    fn new() -> Self {
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

    fn mount(&self) {
        tool("mount", &["-o", "loop", &self.path("image"), &self.path("root")]);
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    /// Which of the words stand in the image's bytes.
    fn unmounted_with(&self) -> Vec<&'static str> {
        tool("umount", &[&self.path("root")]);
        found_in(&fs::read(self.path("image")).unwrap())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-q").arg(self.root()).output());
    }
}

fn found_in(bytes: &[u8]) -> Vec<&'static str> {
    let there = |word: &&str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
    words().into_iter().filter(there).collect()
}

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
fn a_dry_run_and_a_run_that_nobody_agreed_to_change_nothing() {
    let image = Mounted::new();
    fill(&image.root());
    let before = all_files(&image.root());
    for (args, want, words) in [
        (&["--dry-run"][..], 1, "would be done; nothing was changed"),
        (&["--list"], 0, "ssh-host-keys remove the host keys of sshd"),
        (&[], 2, "no terminal to ask on: add --yes"),
        (&["--format", "json"], 2, "--format json asks nothing"),
        (
            &["--only", "ssh-keys"],
            2,
            "--only: no step of sealing is called \"ssh-keys\"; the steps are hooks, ",
        ),
        (
            &["--skip", &mt_agent::image::seal::ids().join(",")],
            2,
            "--only and --skip leave no step of sealing",
        ),
        (&["--dry-run", "--yes"], 2, "cannot be used with"),
    ] {
        let (code, text) = seal(&image.root(), args);
        assert_eq!(code, want, "{args:?}: {text}");
        contains(&text, words);
    }
    assert!(all_files(&image.root()) == before, "something changed");
    let (code, text) = seal(Path::new("/"), &["--yes"]);
    assert_eq!((code, text.contains("--root / is this machine")), (2, true), "{text}");
    let (_, json) = seal(&image.root(), &["--dry-run", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&document["schema"], &document["ended"]), (&"mt-agent/seal/v1".into(), &"dry-run".into()));
    let keys = &document["steps"].as_array().unwrap()[5];
    assert_eq!((&keys["id"], keys["items"].as_array().unwrap().len()), (&"ssh-host-keys".into(), 1));
}

#[test]
fn what_is_unsafe_to_clone_is_refused_and_left_alone() {
    let image = Mounted::new();
    let root = image.root();
    fill(&root);
    let refused = |args: &[&str], words: &str| {
        let before = all_files(&root);
        let (code, text) = seal(&root, &[&["--yes"], args].concat());
        assert_eq!(code, 1, "{text}");
        contains(&text, words);
        contains(&text, "not sealed: cloning this machine would be unsafe; nothing was changed");
        assert!(all_files(&root) == before, "{words}: something changed");
    };
    refused(&["--skip", "passphrases"], "/root/passphrase.txt holds the site's passphrase in plain text");
    let secret = root.join("root/passphrase.txt");
    tool("chattr", &["+i", secret.to_str().unwrap()]);
    refused(
        &[],
        "/root/passphrase.txt holds the site's passphrase and cannot be removed: it is marked immutable",
    );
    tool("chattr", &["-i", secret.to_str().unwrap()]);
    let ssh = root.join("etc/ssh");
    tool("chattr", &["+i", ssh.to_str().unwrap()]);
    refused(
        &[],
        "/etc/ssh/ssh_host_rsa_key cannot be changed: its directory is marked immutable (chattr -i)",
    );
    tool("chattr", &["-i", ssh.to_str().unwrap()]);
    let (key, other) = (ssh.join("ssh_host_rsa_key"), root.join("etc/key"));
    fs::rename(&key, &other).unwrap();
    std::os::unix::fs::symlink("/etc/key", &key).unwrap();
    refused(
        &[],
        "/etc/ssh/ssh_host_rsa_key is a link to /etc/key, whose content would stay: remove that file",
    );
    fs::remove_file(&key).unwrap();
    fs::rename(&other, &key).unwrap();
    fs::hard_link(&secret, root.join("root/copy")).unwrap();
    refused(&[], "/root/passphrase.txt is a file with 2 names, and its content would stay under the others");
    fs::remove_file(root.join("root/copy")).unwrap();
    put(&root, "etc/inittab", "id:5:initdefault:\n");
    refused(
        &[],
        "the service mt-agent-resume is not switched on in the runlevel 5, which /etc/inittab begins",
    );
    put(&root, "etc/inittab", "id:3:initdefault:\n");
    let (fstab, away) = (root.join("etc/fstab"), root.join("etc/fstab.away"));
    fs::rename(&fstab, &away).unwrap();
    std::os::unix::fs::symlink("/nowhere", &fstab).unwrap();
    refused(&[], "which file systems are the image's could not be told: reading /etc/fstab");
    fs::remove_file(&fstab).unwrap();
    fs::rename(&away, &fstab).unwrap();
    put(&root, "usr/local/.vx_version", "VERSION=9.3\nINSTALLATION_DIR=/usr/local/ASR\n");
    refused(&[], "the master target software is installed (/usr/local/ASR)");
    put(&root, "usr/local/.vx_version", "rubbish\n");
    refused(&[], "whether the master target software is installed could not be told");
    fs::remove_file(root.join("usr/local/.vx_version")).unwrap();
    let record = |outcome: &str| {
        let text = format!(
            "{{\"schema\":\"mt-agent/custom-changes/v1\",\"archive_sha256\":\"ab\",\"boot_id\":\"b\",\
             \"started_at\":\"2026-01-01T00:00:00Z\",\"outcome\":{outcome}}}"
        );
        put(&root, "var/lib/mt-agent/custom-changes.json", &text);
    };
    record("\"started\"");
    refused(&[], "a run of the vendor script was interrupted, and what it did is unknown");
    put(&root, "var/lib/mt-agent/custom-changes.json", "{");
    refused(&[], "whether the vendor script ran could not be told");
    record("\"applied\"");
    fs::remove_file(root.join("etc/rc.d/rc3.d/S99mt-agent-resume")).unwrap();
    refused(&[], "the service mt-agent-resume is not switched on");
    let (code, text) = seal(&root, &["--yes", "--skip", "first-boot"]);
    assert_eq!(code, 0, "{text}");
    assert!(!root.join("var/lib/mt-agent/resume.json").exists());
    assert!(root.join("var/lib/mt-agent/custom-changes.json").exists(), "that the script ran here is kept");
    fs::remove_file(root.join("etc/fstab")).unwrap();
    refused(&["--skip", "first-boot"], "has no /etc/fstab: it is not the root of an installed system");
}

#[test]
fn a_tree_s_links_lead_nowhere_else() {
    need_root();
    let dir = tempfile::tempdir().unwrap();
    let (root, outside) = (dir.path().join("root"), dir.path().join("outside"));
    fill(&root);
    fs::create_dir(&outside).unwrap();
    put(&outside, "ssh_host_rsa_key", "not this tree's");
    put(&outside, "hosts", "10.0.0.9 TRACE-NAME\n");
    put(&outside, "passphrase.txt", "not this tree's");
    fs::remove_dir_all(root.join("etc/ssh")).unwrap();
    std::os::unix::fs::symlink(&outside, root.join("etc/ssh")).unwrap();
    fs::remove_file(root.join("etc/hosts")).unwrap();
    std::os::unix::fs::symlink(outside.join("hosts"), root.join("etc/hosts")).unwrap();
    std::os::unix::fs::symlink(&outside, root.join("home/link")).unwrap();
    let before = all_files(&outside);
    let (code, text) = seal(&root, &["--yes"]);
    assert_eq!(code, 0, "{text}");
    assert!(all_files(&outside) == before, "a link led out of the tree");
}

/// Hooks lie on the machine that seals, in a directory that is replaced in a namespace of its own.
fn with_hooks(hooks: &[(&str, &str, u32)], script: &str, root: &Path) -> (i32, String) {
    let dir = tempfile::tempdir().unwrap();
    for (name, content, mode) in hooks {
        put(dir.path(), &format!("seal.d/{name}"), content);
        fs::set_permissions(dir.path().join("seal.d").join(name), fs::Permissions::from_mode(*mode)).unwrap();
    }
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    // /etc itself is not ours to write to: an overlay of it, with the hooks on top.
    let enter = format!(
        "mount -t tmpfs -o mode=755 hooks /mnt && mkdir -p /mnt/up /mnt/work && \
         mount -t overlay hooks -o lowerdir=/etc,upperdir=/mnt/up,workdir=/mnt/work /etc && \
         mkdir -p /etc/mt-agent && cp -a {0}/seal.d /etc/mt-agent/ && {script}",
        dir.path().display()
    );
    let output = Command::new("unshare")
        .args(["-m", "--propagation", "private", "sh", "-ec", &enter])
        .env("AGENT", AGENT)
        .env("ROOT", root)
        .output()
        .unwrap();
    said(&output)
}

#[test]
fn hooks_run_first_and_one_that_fails_ends_it() {
    let image = Mounted::new();
    let root = image.root();
    fill(&root);
    let run = "\"$AGENT\" seal --root \"$ROOT\" --yes";
    let before = all_files(&root);
    let fails = [("10-first", "#!/bin/sh\necho no licence left\nexit 3\n", 0o755)];
    let (code, text) = with_hooks(&fails, run, &root);
    assert_eq!(code, 2, "{text}");
    contains(
        &text,
        "the hook /etc/mt-agent/seal.d/10-first ended with status 3: no licence left; nothing was taken out yet",
    );
    assert!(all_files(&root) == before, "something was changed");
    let open = [("20-open", "#!/bin/sh\nexit 0\n", 0o777)];
    let (code, text) = with_hooks(&open, run, &root);
    assert_eq!(
        (code, text.contains("20-open belongs to another user or can be written by others")),
        (2, true),
        "{text}"
    );
    let good = [
        (
            "10-first",
            "#!/bin/sh\n[ -e \"$1/etc/ssh/ssh_host_rsa_key\" ] && echo one >>\"$1/root/hooked\"\n",
            0o755,
        ),
        ("20-second", "#!/bin/sh\necho two >>\"$1/root/hooked\"\n", 0o755),
        ("30-no-program", "not run", 0o644),
        ("40-old.rpmsave", "#!/bin/sh\nexit 1\n", 0o755),
    ];
    let (code, text) = with_hooks(&good, &format!("{run}; {run}"), &root);
    assert_eq!(code, 0, "{text}");
    assert_eq!(
        fs::read_to_string(root.join("root/hooked")).unwrap(),
        "one\ntwo\n",
        "once, in order, before the steps"
    );
    contains(&text, "sealed already");
}

#[test]
fn killed_at_any_call_it_is_finished_by_the_next_run() {
    need_root();
    let dir = tempfile::tempdir().unwrap();
    let calls = "fsync,rename,unlink,rmdir,mkdir,pwrite64";
    let fresh = || {
        let root = dir.path().join("root");
        drop(fs::remove_dir_all(&root));
        fill(&root);
        root
    };
    let root = fresh();
    let trace = dir.path().join("trace");
    let traced = Command::new("strace")
        .args([
            "-f",
            "-o",
            trace.to_str().unwrap(),
            "-e",
            &format!("trace={calls}"),
            AGENT,
            "seal",
            "--yes",
            "--root",
        ])
        .arg(&root)
        .output()
        .unwrap();
    assert!(traced.status.success(), "{}", said(&traced).1);
    let goal: Vec<_> = comparable(&root);
    let points = fs::read_to_string(&trace).unwrap().lines().filter(|line| line.contains('(')).count();
    assert!(points > 60, "{points} calls");
    let mut killed = 0;
    for number in (1..=points).step_by(3) {
        let root = fresh();
        let inject = format!("inject={calls}:signal=KILL:when={number}");
        let run = Command::new("strace")
            .args([
                "-f",
                "-o",
                "/dev/null",
                "-e",
                &format!("trace={calls}"),
                "-e",
                &inject,
                AGENT,
                "seal",
                "--yes",
                "--root",
            ])
            .arg(&root)
            .output()
            .unwrap();
        killed += usize::from(!run.status.success());
        let (code, text) = seal(&root, &["--yes"]);
        assert_eq!(code, 0, "killed at call {number}: {text}");
        assert!(
            comparable(&root) == goal,
            "killed at call {number}: another image than one that nobody killed"
        );
    }
    assert!(killed >= points / 6, "{killed} of {points} runs were killed");
}

/// The files of a sealed tree, but for what is drawn anew in each.
fn comparable(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = all_files(root);
    files.retain(|(path, _)| !path.ends_with("template.json"));
    files
}

/// An image of a disk with two partitions, `/` and `/home`, as a raw file or qcow2; of this one /home may be absent.
fn disk_image(dir: &Path, format: &str) -> PathBuf {
    let (tree, home) = (dir.join("tree"), dir.join("home"));
    fill(&tree);
    fs::rename(tree.join("home"), &home).unwrap();
    fs::create_dir(tree.join("home")).unwrap();
    let ids = ["6f1d7a4e-0b1c-4a55-9a0e-5c0de0000001", "6f1d7a4e-0b1c-4a55-9a0e-5c0de0000005"];
    put(
        &tree,
        "etc/fstab",
        &format!(
            "UUID={} / ext4 defaults 1 1\nUUID={} /home ext4 {} 1 2\n/dev/mapper/{DISK} /mnt/retention ext4 rw 0 0\n",
            ids[0],
            ids[1],
            if format == "raw" { "defaults" } else { "defaults,nofail" }
        ),
    );
    let raw = dir.join("disk.raw");
    fs::File::create(&raw).unwrap().set_len(100 << 20).unwrap();
    let name = raw.to_str().unwrap();
    let table = Command::new("sh")
        .args(["-c", &format!("printf 'label: dos\\nstart=1MiB, size=64MiB, type=83\\nstart=65MiB, size=32MiB, type=83\\n' | sfdisk -q {name}")])
        .output()
        .unwrap();
    assert!(table.status.success(), "{}", said(&table).1);
    for (id, from, offset, size) in [(ids[0], &tree, 1_u64, "64M"), (ids[1], &home, 65, "32M")] {
        let extended = format!("offset={}", offset << 20);
        tool("mkfs.ext4", &["-q", "-F", "-U", id, "-d", from.to_str().unwrap(), "-E", &extended, name, size]);
    }
    if format == "raw" {
        return raw;
    }
    let image = dir.join("disk.qcow2");
    tool("qemu-img", &["convert", "-f", "raw", "-O", "qcow2", name, image.to_str().unwrap()]);
    image
}

fn seal_image(image: &Path, args: &[&str]) -> (i32, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/seal-image");
    let output =
        Command::new("bash").arg(script).arg(image).args(args).env("MT_AGENT", AGENT).output().unwrap();
    said(&output)
}

#[test]
fn image_files_are_sealed_and_nothing_stays_attached() {
    need_root();
    for format in ["raw", "qcow2"] {
        let dir = tempfile::tempdir().unwrap();
        let image = disk_image(dir.path(), format);
        let bytes = || {
            let raw = dir.path().join("seen.raw");
            let args = ["convert", "-f", format, "-O", "raw", image.to_str().unwrap(), raw.to_str().unwrap()];
            tool("qemu-img", &args);
            fs::read(raw).unwrap()
        };
        assert_eq!(found_in(&bytes()), words(), "{format}");
        let (code, text) = seal_image(&image, &["--dry-run"]);
        assert_eq!(code, 1, "{format}: {text}");
        contains(&text, "remove /home/joe/.bash_history");
        let (code, text) = seal_image(&image, &["--yes"]);
        assert_eq!(code, 0, "{format}: {text}");
        let (code, text) = seal_image(&image, &["--yes"]);
        assert_eq!((code, text.contains("sealed already")), (0, true), "{format}: {text}");
        assert_eq!(found_in(&bytes()), [] as [&str; 0], "{format}");
        let loops = String::from_utf8_lossy(&tool("losetup", &["--list", "--output", "BACK-FILE"]).stdout)
            .into_owned();
        assert!(!loops.contains("mt-agent-seal"), "{loops}");
        assert!(!fs::read_to_string("/proc/self/mountinfo").unwrap().contains("mt-agent-seal"));
    }
}

#[test]
fn what_is_no_image_of_a_system_is_refused_in_one_line() {
    need_root();
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), "empty", "");
    put(dir.path(), "text", &"not a disk ".repeat(1000));
    for (name, words) in [("none", "no such image file"), ("empty", "empty"), ("text", "no partition table")]
    {
        let (code, text) = seal_image(&dir.path().join(name), &["--yes"]);
        assert_eq!(code, 2, "{text}");
        contains(&text, words);
        assert!(text.starts_with("seal-image: "), "{text}");
    }
}

#[test]
fn an_image_with_old_clusters_is_refused_in_one_line() {
    need_root();
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    tool("qemu-img", &["create", "-q", "-f", "qcow2", &path("snapshots"), "16M"]);
    tool("qemu-img", &["snapshot", "-c", "before", &path("snapshots")]);
    let over = ["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", &path("snapshots"), &path("over")];
    tool("qemu-img", &over);
    for (name, has) in [("snapshots", "internal snapshots"), ("over", "a backing file")] {
        let before = fs::read(path(name)).unwrap();
        let (code, text) = seal_image(Path::new(&path(name)), &["--yes"]);
        assert_eq!((code, fs::read(path(name)).unwrap() == before), (2, true), "{text}");
        contains(&text, &format!("{name} has {has}, where what is taken out would stay"));
        contains(&text, &format!("flatten it first: qemu-img convert -O qcow2 {}", path(name)));
        assert!(text.starts_with("seal-image: "), "{text}");
    }
}

#[test]
fn what_is_mounted_in_the_image_and_not_its_own_is_left_alone() {
    let image = Mounted::new();
    let root = image.root();
    fill(&root);
    // A share, and a file that is another file system's.
    let (share, file) = (root.join("root/share"), root.join("etc/ssh/ssh_host_rsa_key"));
    fs::create_dir(&share).unwrap();
    tool("mount", &["-t", "tmpfs", "share", share.to_str().unwrap()]);
    put(&share, "passphrase.txt", "the share's");
    put(&share, "foreign", "the share's");
    tool("mount", &["--bind", share.join("foreign").to_str().unwrap(), file.to_str().unwrap()]);
    let (code, text) = seal(&root, &["--yes"]);
    assert_eq!(
        (code, text.contains("ssh_host_rsa_key is mounted there: unmount it first")),
        (2, true),
        "{text}"
    );
    tool("umount", &[file.to_str().unwrap()]);
    let (code, text) = seal(&root, &["--yes"]);
    let foreign = fs::read_to_string(share.join("foreign")).unwrap();
    let secret = fs::read_to_string(share.join("passphrase.txt")).unwrap();
    tool("umount", &[share.to_str().unwrap()]);
    assert_eq!((code, foreign.as_str(), secret.as_str()), (0, "the share's", "the share's"), "{text}");
}

#[test]
fn an_image_without_all_its_file_systems_is_refused() {
    let image = Mounted::new();
    let root = image.root();
    fill(&root);
    let fstab = "UUID=1 / ext4 defaults 1 1\nUUID=2 /home ext4 defaults 1 2\nUUID=3 /data ext4 nofail 0 0\n";
    put(&root, "etc/fstab", fstab);
    let (code, text) = seal(&root, &["--yes"]);
    assert_eq!(code, 1, "{text}");
    contains(&text, "nothing is mounted at /home of the tree");
    contains(&text, "note: nothing is mounted at /data (UUID=3), which /etc/fstab lets be absent");
    assert!(!text.contains("refused: nothing is mounted at /data"), "{text}");
    put(&root, "etc/fstab", &fstab.replace("UUID=2 /home ext4 defaults", "UUID=2 /home ext4 nofail"));
    let home = root.join("home");
    tool("mount", &["-t", "tmpfs", "home", home.to_str().unwrap()]);
    put(&home, "joe/passphrase.txt", "the image's");
    let (_, text) = seal(&root, &["--dry-run", "--wipe-free-space"]);
    contains(&text, "fill what is free on / with zeros fill what is free on /home with zeros");
    assert!(!text.contains("is mounted at /home"), "{text}");
    let (code, text) = seal(&root, &["--yes"]);
    let left = home.join("joe/passphrase.txt").exists();
    tool("umount", &[home.to_str().unwrap()]);
    assert_eq!((code, left), (0, false), "{text}");
}

#[test]
fn single_steps_make_no_template_and_end_no_sealing() {
    need_root();
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fill(&root);
    let (code, text) = seal(&root, &["--yes", "--only", "histories"]);
    assert_eq!(code, 0, "{text}");
    contains(&text, "sealed in part: 1 thing in 1 step; what was not looked at stays");
    for args in [&["--yes", "--only", "histories"][..], &["--dry-run", "--only", "histories"]] {
        let (code, text) = seal(&root, args);
        assert_eq!((code, text.contains("sealed already")), (0, false), "{text}");
        contains(&text, "nothing to do: what was looked at has nothing to take out");
    }
    assert!(
        !root.join("var/lib/mt-agent/template.json").exists()
            && !root.join("var/lib/mt-agent/resume.json").exists()
    );
    let (code, text) = seal(&root, &["--yes"]);
    assert_eq!(code, 0, "{text}");
    put(&root, "home/joe/.bash_history", "more");
    let (code, text) = seal(&root, &["--yes", "--only", "histories"]);
    assert_eq!((code, root.join("var/lib/mt-agent/resume.json").exists()), (0, true), "armed still: {text}");
    // Interrupted, it is finished by as much as was begun.
    let pending = root.join("var/lib/mt-agent/resume.json");
    let armed = fs::read_to_string(&pending).unwrap();
    let order =
        "\"seal\": {\"only\": [], \"skip\": [], \"wipe-free-space\": false, \"profile\": null}, \"request\"";
    fs::write(&pending, armed.replace("\"request\"", order)).unwrap();
    let (code, text) = seal(&root, &["--yes", "--only", "histories"]);
    assert_eq!((code, text.contains("was interrupted: finish it first")), (2, true), "{text}");
    let (code, text) = seal(&root, &["--yes", "--skip", "first-boot"]);
    assert_eq!((code, text.contains("the step first-boot too was interrupted")), (2, true), "{text}");
    let (code, text) = seal(&root, &["--yes"]);
    assert_eq!((code, fs::read_to_string(&pending).unwrap() == armed), (0, true), "{text}");
    let (code, text) = seal(&root, &["--dry-run", "--skip", "first-boot"]);
    assert_eq!((code, text.contains("nothing goes on at the first boot")), (1, true), "{text}");
    put(&root, "home/joe/.bash_history", "more");
    let (code, text) = seal(&root, &["--yes", "--wipe-free-space"]);
    assert_eq!((code, text.contains("is not a file system of its own")), (2, true), "{text}");
}

#[test]
fn odd_files_hold_nobody_up() {
    need_root();
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fill(&root);
    let mode = nix::sys::stat::Mode::S_IRUSR;
    for path in ["home/joe/passphrase.txt", "etc/sysconfig/network-scripts/ifcfg-pipe", "etc/hostname"] {
        nix::unistd::mkfifo(&root.join(path), mode).unwrap();
    }
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
    let seal = |root: &Path, args: &[&str]| {
        seal(root, &[args, &["--allow-unsafe-profile", "--profile", &profile]].concat())
    };
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
    assert_eq!((code, text.contains("is the root disk's cannot be told")), (2, true), "{text}");
    let sealed = two(mt_agent::image::seal::NO_DISK);
    put(&root, "etc/multipath.conf", &sealed);
    let (code, text) = seal(&root, &["--yes"]);
    assert_eq!((code, fs::read_to_string(root.join("etc/multipath.conf")).unwrap()), (0, sealed), "{text}");
}
