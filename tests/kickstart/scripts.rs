//! What runs before and after the installation: the shell of each script, and what it does.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::agent::{Ran, mt_agent, run, tool};
use crate::judge::{files, understood};

/// The scripts of the kickstart with these answers: type (0 before, 1 after), whether inside the installed system, text.
fn scripts(answers: &str, options: &[&str]) -> Vec<(u64, bool, String)> {
    let work = tempfile::tempdir().unwrap();
    let (profile, hash) = (work.path().join("p.yaml"), work.path().join("hash"));
    let head = "extends: centos-6.6\nname: \"it's a `test` of $(this)\"\nos: {timezone: Europe/Berlin}\n";
    fs::write(&profile, format!("{head}installation: {answers}\n")).unwrap();
    fs::write(&hash, format!("$6$salt${}\n", "a".repeat(86))).unwrap();
    let (profile, hash) =
        (format!("--profile={}", profile.display()), format!("--root-hash-file={}", hash.display()));
    let args = [["kickstart", "--allow-unsafe-profile", &profile, &hash].as_slice(), options].concat();
    let text = mt_agent(&args).exits(0).stdout();
    let read = understood(&files(work.path(), &[text]));
    let script = |script: &Value| {
        let text = script[3].as_str().unwrap().to_owned();
        (script[0].as_u64().unwrap(), script[1].as_bool().unwrap(), text)
    };
    read[0]["scripts"].as_array().unwrap().iter().map(script).collect()
}

const STATIC: [&str; 4] =
    ["--hostname=mt1.example.com", "--address=10.0.0.5/24", "--gateway=10.0.0.1", "--dns=10.0.0.2"];

/// Runs `script` with the paths that it names below `root`.
fn below(root: &Path, script: &str, path: &Path) -> Ran {
    let root = root.display();
    let script = [" /sys/block", ">/root/", " /root/", ">/etc/", ">>/etc/", "'/mnt/", " /mnt/", " /etc/"]
        .iter()
        .fold(script.to_owned(), |script, from| {
            script.replace(from, &from.replacen('/', &format!("{root}/"), 1))
        })
        .replace("/usr/sbin/mt-agent", "mt-agent");
    run(tool("dash", &["-c", &script]).env("PATH", format!("{}:/usr/bin:/bin", path.display())))
}

#[test]
fn every_script_is_shell() {
    let agent = "{agent: 'https://h/mt-agent.rpm', agent-sha256: 'SUM'}".replace("SUM", &"0".repeat(64));
    let all = scripts(&agent, &STATIC);
    assert_eq!(all.len(), 4);
    for (_, _, text) in all {
        for shell in ["dash", "bash"] {
            run(&mut tool(shell, &["-n", "-c", &text])).exits(0);
        }
    }
}

#[test]
fn a_second_disk_ends_the_installation_before_it_writes() {
    let all = scripts("{}", &STATIC);
    let (kind, inside, guard) = &all[0];
    assert_eq!((*kind, *inside), (0, false));
    let root = tempfile::tempdir().unwrap();
    let disks = |names: &[&str]| {
        let block = root.path().join("sys/block");
        let _ = fs::remove_dir_all(&block);
        for name in names {
            fs::create_dir_all(block.join(name)).unwrap();
        }
        below(root.path(), guard, Path::new("/none"))
    };
    disks(&["sda", "sr0", "loop0", "fd0", "dm-0"]).exits(0);
    for (names, told) in [
        (["sda", "sdb"].as_slice(), "found: sda sdb. Nothing was written."),
        (&["sdb"], "found: sdb."),
        (&["sda", "vda"], "found: sda vda."),
        (&["sr0"], "found: none."),
        (&[], "found: none."),
    ] {
        disks(names).exits(1).complains(told);
    }
}

/// A tree like that of the installer, with stand-ins for what the script calls.
fn installed(curl: &str, rpm: &str) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for directory in ["root", "etc/mt-agent", "bin", "mnt/sysimage/etc", "mnt/sysimage/root", "mnt/source"] {
        fs::create_dir_all(root.path().join(directory)).unwrap();
    }
    let agent = "echo \"agent: $*\"; exit 3";
    for (name, body) in [("curl", curl), ("rpm", rpm), ("mt-agent", agent)] {
        let path = root.path().join("bin").join(name);
        fs::write(&path, format!("#!/bin/dash\n{body}\n")).unwrap();
        run(&mut tool("chmod", &["755", path.to_str().unwrap()])).exits(0);
    }
    root
}

/// A download that ends well: what follows `--output` gets a line.
const FETCHED: &str = "while [ \"$1\" != --output ]; do shift; done; echo package >\"$2\"; echo \"from $3\"";

fn fetched(sum: &str, curl: &str, rpm: &str) -> (Ran, String, tempfile::TempDir) {
    let agent = format!("{{agent: 'http://h/mt-agent.rpm', agent-sha256: '{sum}'}}");
    let all = scripts(&agent, &STATIC);
    let root = installed(curl, rpm);
    let ran = below(root.path(), &all[3].2, &root.path().join("bin"));
    let log =
        fs::read_to_string(root.path().join("root/mt-agent-post.log")).unwrap_or_else(|_| panic!("{ran}"));
    (ran, log, root)
}

fn right_sum() -> String {
    let ran = run(&mut tool("sh", &["-c", "echo package | sha256sum"])).exits(0);
    ran.stdout().split_whitespace().next().unwrap().to_owned()
}

#[test]
fn the_agent_is_installed_gets_the_profile_and_runs_its_image_stage() {
    let (ran, log, root) = fetched(&right_sum(), FETCHED, "echo \"rpm: $*\"");
    ran.exits(0).says_nothing();
    for words in [
        "from http://h/mt-agent.rpm\n",
        "mt-agent.rpm: OK\n",
        "rpm: --upgrade --verbose ",
        "agent: apply --stage image --yes\n",
        "mt-agent apply --stage image: exit code 3 (0 ready,",
    ] {
        assert!(log.contains(words), "{words}\n{log}");
    }
    assert!(!root.path().join("root/mt-agent.rpm").exists());
    let profile = root.path().join("etc/mt-agent/profile.yaml");
    let checked = mt_agent(&["profile", "check", "--allow-unsafe-profile", profile.to_str().unwrap()]);
    checked.exits(0).says("the profile it's a `test` of $(this) can be used");
    // Nothing of what makes this machine: a golden image would carry it to its clones.
    let text = fs::read_to_string(profile).unwrap();
    assert!(text.contains("Europe/Berlin") && !text.contains("mt1") && !text.contains("10.0.0."), "{text}");
}

#[test]
fn what_could_not_be_fetched_or_is_not_what_was_pinned_is_not_installed() {
    for (sum, curl, rpm, told) in [
        (right_sum(), "exit 22", "exit 0", "mt-agent: the package could not be fetched; nothing was applied"),
        (
            "0".repeat(64),
            FETCHED,
            "exit 0",
            "mt-agent: the package is not the one that the profile pins; nothing",
        ),
        (right_sum(), FETCHED, "exit 1", "mt-agent: rpm did not install the package; nothing was applied"),
    ] {
        let (ran, log, root) = fetched(&sum, curl, rpm);
        ran.exits(1);
        assert!(log.contains(told) && !log.contains("agent: apply"), "{log}");
        assert!(!root.path().join("root/mt-agent.rpm").exists(), "{log}");
        assert!(!root.path().join("etc/mt-agent/profile.yaml").exists(), "{log}");
    }
}

#[test]
fn from_the_medium_it_is_copied_from_outside() {
    let all = scripts("{agent: /mnt/source/mt-agent.rpm}", &STATIC);
    let root = installed("exit 1", "exit 0");
    fs::write(root.path().join("mnt/source/mt-agent.rpm"), "package").unwrap();
    fs::write(root.path().join("etc/resolv.conf"), "nameserver 10.0.0.2\n").unwrap();
    let (_, inside, outside) = &all[2];
    assert!(!inside);
    below(root.path(), outside, Path::new("/none")).exits(0);
    assert!(root.path().join("mnt/sysimage/root/mt-agent.rpm").exists());
    assert!(root.path().join("mnt/sysimage/etc/resolv.conf").exists());
    // One that is there is kept.
    fs::write(root.path().join("etc/resolv.conf"), "nameserver 10.0.0.3\n").unwrap();
    below(root.path(), outside, Path::new("/none")).exits(0);
    let kept = fs::read_to_string(root.path().join("mnt/sysimage/etc/resolv.conf")).unwrap();
    assert_eq!(kept, "nameserver 10.0.0.2\n");
    let ran = below(root.path(), &all[3].2, &root.path().join("bin"));
    let log = fs::read_to_string(root.path().join("root/mt-agent-post.log")).unwrap();
    assert!(log.contains("the medium has no such file; nothing was applied"), "{log}");
    ran.exits(1);
}

#[test]
fn the_host_knows_its_own_name() {
    for (name, line) in [("mt1.example.com", "10.0.0.5 mt1.example.com mt1\n"), ("mt1", "10.0.0.5 mt1\n")] {
        let name = format!("--hostname={name}");
        let all = scripts("{}", &[name.as_str(), STATIC[1], STATIC[2], STATIC[3]]);
        let root = installed("", "");
        below(root.path(), &all[1].2, Path::new("/none")).exits(0);
        assert_eq!(fs::read_to_string(root.path().join("etc/hosts")).unwrap(), line);
    }
}
