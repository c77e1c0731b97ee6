//! Hooks, and runs that are killed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::desk::{AGENT, Mounted, all_files, comparable, fill, put, said, seal};
use crate::samples::samples;
use crate::support::{contains, need_root};

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
        "mkdir own && mount -t tmpfs -o mode=755 hooks own && mkdir own/up own/work && \
         mount -t overlay hooks -o lowerdir=/etc,upperdir=own/up,workdir=own/work /etc && \
         mkdir -p /etc/mt-agent && cp -a seal.d /etc/mt-agent/ && {script}"
    );
    let output = Command::new("unshare")
        .args(["-m", "--propagation", "private", "sh", "-ec", &enter])
        .current_dir(dir.path())
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
    assert_eq!((code, text.contains("run `chmod go-w /etc/mt-agent/seal.d/20-open`")), (2, true), "{text}");
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

/// The files that only one of the two has, or that differ in content.
fn differing(left: &[(PathBuf, Vec<u8>)], right: &[(PathBuf, Vec<u8>)]) -> BTreeSet<PathBuf> {
    let only = |a: &[(PathBuf, Vec<u8>)], b: &[(PathBuf, Vec<u8>)]| {
        a.iter().filter(|file| !b.contains(file)).map(|(path, _)| path.clone()).collect::<Vec<_>>()
    };
    [only(left, right), only(right, left)].concat().into_iter().collect()
}

#[test]
fn killed_at_any_call_it_is_finished_by_the_next_run() {
    need_root();
    let dir = tempfile::tempdir().unwrap();
    let calls = "fsync,syncfs,rename,unlink,unlinkat,rmdir,pwrite64,ftruncate";
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
    // Each call with its number among the calls of its name: so strace counts them.
    let mut counts = BTreeMap::new();
    let mut points = Vec::new();
    for line in fs::read_to_string(&trace).unwrap().lines() {
        let name = line.split_once('(').and_then(|(before, _)| before.split_whitespace().last());
        if let Some(name) = name.filter(|name| calls.split(',').any(|call| call == *name)) {
            let count = counts.entry(name.to_owned()).or_insert(0);
            *count += 1;
            points.push((name.to_owned(), *count));
        }
    }
    assert!(points.len() > 100 && counts.len() == calls.split(',').count(), "{counts:?}");
    // Every fourth call, and the ones between as far as there is time.
    let fourth = |first: usize| (first..points.len()).step_by(4);
    let floor = u64::try_from(fourth(0).count()).unwrap();
    let (mut killed, mut runs) = (0, 0);
    for (point, _) in (0..4).flat_map(fourth).zip(samples(floor, Duration::from_secs(15))) {
        runs += 1;
        let root = fresh();
        let (name, number) = &points[point];
        let inject = format!("inject={name}:signal=KILL:when={number}");
        let run = Command::new("strace")
            .args(["-f", "-o", "/dev/null", "-e", &format!("trace={calls}"), "-e", &inject])
            .args([AGENT, "seal", "--yes", "--root"])
            .arg(&root)
            .output()
            .unwrap();
        killed += usize::from(!run.status.success());
        let (code, text) = seal(&root, &["--yes"]);
        assert_eq!(code, 0, "killed at {name} {number}: {text}");
        let differ = differing(&comparable(&root), &goal);
        assert!(
            differ.is_empty(),
            "killed at {name} {number}: another image than one that nobody killed: {differ:?}"
        );
    }
    assert!(killed >= runs * 9 / 10, "{killed} of {runs} runs were killed");
}
