//! What is not sealed, or only in part: refusals, runs that change nothing, what is not the image's.

use std::fs;
use std::path::Path;

use crate::desk::{Mounted, all_files, fill, put, seal};
use crate::support::{contains, need_root, tool};

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
    let steps = document["steps"].as_array().unwrap();
    let keys = steps.iter().find(|step| step["id"] == "ssh-host-keys").unwrap();
    assert_eq!(keys["items"].as_array().unwrap().len(), 1);
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
        contains(&text, "not sealed: cloning this image would be unsafe; nothing was changed");
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
    refused(&[], "cannot determine which file systems are the image's: reading /etc/fstab");
    fs::remove_file(&fstab).unwrap();
    fs::rename(&away, &fstab).unwrap();
    put(&root, "usr/local/.vx_version", "VERSION=9.3\nINSTALLATION_DIR=/usr/local/ASR\n");
    refused(&[], "the master target software is installed (/usr/local/ASR)");
    put(&root, "usr/local/.vx_version", "rubbish\n");
    refused(&[], "cannot determine whether the master target software is installed");
    fs::remove_file(root.join("usr/local/.vx_version")).unwrap();
    let record = |outcome: &str| {
        let text = format!(
            "{{\"schema\":\"mt-agent/custom-changes/v1\",\"archive_sha256\":\"ab\",\"boot_id\":\"b\",\
             \"started_at\":\"2026-01-01T00:00:00Z\",\"outcome\":{outcome}}}"
        );
        put(&root, "var/lib/mt-agent/custom-changes.json", &text);
    };
    record("\"started\"");
    refused(&[], "a run of the vendor script was interrupted or failed, and what it did is unknown");
    record("{\"failed\":\"it said: FAILED\"}");
    refused(&[], "a run of the vendor script was interrupted or failed, and what it did is unknown");
    put(&root, "var/lib/mt-agent/custom-changes.json", "{");
    refused(&[], "cannot determine whether the vendor script ran");
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
    assert_eq!((code, text.contains("nothing is done at the first boot")), (1, true), "{text}");
    put(&root, "home/joe/.bash_history", "more");
    let (code, text) = seal(&root, &["--yes", "--wipe-free-space"]);
    assert_eq!((code, text.contains("is not a file system of its own")), (2, true), "{text}");
}

#[test]
fn a_link_that_others_than_root_can_make_leads_nowhere_and_one_of_root_s_is_followed() {
    let image = Mounted::new();
    let root = image.root();
    fill(&root);
    for directory in ["var/tmp", "var/spool/at", "var/lib/puppet", "home/crash/old"] {
        fs::create_dir_all(root.join(directory)).unwrap();
    }
    let path = |name: &str| root.join(name).to_str().unwrap().to_owned();
    tool("chmod", &["1777", &path("var/tmp")]);
    tool("chown", &["2:2", &path("var/spool/at")]);
    fs::remove_dir_all(root.join("var/crash")).unwrap();
    put(&root, "home/crash/old/vmcore", "core");
    put(&root, "etc/precious", "precious");
    let link = |to: &str, at: &str| std::os::unix::fs::symlink(to, root.join(at)).unwrap();
    link("../../etc", "var/tmp/abrt");
    link("/etc", "var/spool/at/spool");
    link("../home/crash", "var/crash");
    let (code, text) = seal(&root, &["--yes"]);
    assert_eq!(code, 0, "{text}");
    contains(&text, "remove /var/tmp/abrt");
    for kept in ["etc/precious", "etc/redhat-release", "etc/fstab", "var/crash", "home/crash"] {
        assert!(root.join(kept).exists(), "{kept} is gone: {text}");
    }
    assert!(!root.join("var/tmp/abrt").is_symlink() && !root.join("home/crash/old").exists(), "{text}");
    // What a registration's link leads to would stay.
    tool("chown", &["52:52", &path("var/lib/puppet")]);
    link("/etc", "var/lib/puppet/ssl");
    let (code, text) = seal(&root, &["--yes"]);
    assert_eq!(code, 1, "{text}");
    contains(
        &text,
        "/var/lib/puppet/ssl is a link to the directory /etc, whose content would stay: look at it,",
    );
    assert!(root.join("etc/precious").exists());
    // So would what a second name leads to.
    let key = root.join("var/lib/puppet/ssl");
    fs::remove_file(&key).unwrap();
    put(&root, "var/lib/puppet/ssl/private_keys/mt.pem", "key");
    fs::hard_link(key.join("private_keys/mt.pem"), root.join("opt.pem")).unwrap();
    let (code, text) = seal(&root, &["--yes"]);
    assert_eq!(code, 1, "{text}");
    contains(
        &text,
        "/private_keys/mt.pem is a file with 2 names, and its content would stay under the others",
    );
}

#[test]
fn what_is_bound_into_an_unpacked_tree_is_not_the_image_s() {
    let disk = Mounted::new();
    let (tree, cache) = (disk.root().join("tree"), disk.root().join("cache"));
    fill(&tree);
    put(&cache, "x86_64/kernel.rpm", "of this machine");
    let point = tree.join("var/cache/yum");
    fs::create_dir_all(&point).unwrap();
    let point = point.to_str().unwrap();
    tool("mount", &["--bind", cache.to_str().unwrap(), point]);
    let before = all_files(&tree);
    let (code, text) = seal(&tree, &["--yes"]);
    let after = all_files(&tree);
    tool("umount", &[point]);
    assert_eq!(code, 1, "{text}");
    contains(
        &text,
        "/tree/var/cache/yum is bound there from elsewhere on the same file system (mount --bind)",
    );
    assert!(before == after, "something changed");
    assert!(cache.join("x86_64/kernel.rpm").exists());
    let (code, text) = seal(&tree, &["--yes"]);
    assert_eq!(code, 0, "{text}");
}
