//! What the files of a collection are: looked into by the real rpm before anything runs, with a mirror within reach that
//! must not be asked.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "files of a test are not the host's")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use mt_agent::host::Host;
use mt_agent::host::command::Command;

use support::offline::{DATABASE, Site, refused, rpm, words};
use support::world::World;
use support::{NAMES, PATIENCE, contains, need_root, tool};

#[test]
fn what_a_manifest_calls_a_package_is_looked_into_before_anything_runs() {
    let site = Site::new();
    site.collected();
    let whole = |name: &str| fs::read(site.file(name)).unwrap();
    let (a, b) = (whole("a"), whole("b"));
    let refusal = || {
        let world = site.machine("");
        site.mirror.forget();
        let line = refused(&site, &site.connected(&world, "", ""));
        assert_eq!(site.mirror.asked(), 0);
        let left = world.all_left();
        assert!(!left.iter().any(|(path, _, _)| path.ends_with("journal.jsonl")), "nothing was begun");
        line
    };
    // A text is a list of packages to rpm: it would fetch this one and run its scriptlet.
    site.desk.package("evil", "%post\ntouch /var/tmp/evil\n");
    let list = site.mirror.url(&format!("/noarch/{}", rpm("evil")));
    let no_package = format!("mt-agent: --offline DIR: {}: it is no rpm package", rpm("a"));
    site.put("a", format!("{list}\n").as_bytes());
    assert_eq!(refusal(), no_package);
    let lead: &[u8] = b"\xed\xab\xee\xdb";
    site.put("a", &[lead, list.as_bytes()].concat());
    assert_eq!(refusal(), no_package);
    site.put("a", &[lead, &[0; 92][..], b"\x8e\xad\xe8\x01", list.as_bytes()].concat());
    contains(&refusal(), "mt-agent: --offline DIR: rpm cannot read what is there: ");
    site.put("a", &b);
    let said = |package: &str| {
        format!(
            "mt-agent: --offline DIR: {}: it is the package {package}, but the manifest says \
             mt-agent-test-a-1.0-1.noarch: collect again",
            rpm("a")
        )
    };
    assert_eq!(refusal(), said("mt-agent-test-b-1.0-1.noarch"));
    site.put("a", &fs::read(site.desk.edition("a", "0.9", "")).unwrap());
    assert_eq!(refusal(), said("mt-agent-test-a-0.9-1.noarch"));
    site.put("a", &fs::read(site.desk.package("a", "Epoch: 7")).unwrap());
    assert_eq!(refusal(), said("mt-agent-test-a-7:1.0-1.noarch"));
    site.put("a", &a);
    site.amend("a", &[("architecture", "x86_64".into())]);
    contains(
        &refusal(),
        "it is the package mt-agent-test-a-1.0-1.noarch, but the manifest says mt-agent-test-a-1.0-1.x86",
    );
    site.amend("a", &[("architecture", "noarch".into()), ("epoch", 0.into())]);
    contains(&refusal(), "but the manifest says mt-agent-test-a-0:1.0-1.noarch");
    // So is the agent's own package when it is collected.
    let text = site.desk.dir().join("list");
    fs::write(&text, format!("{list}\n")).unwrap();
    fs::remove_dir_all(&site.out).unwrap();
    let output = site.collect(&site.machine(""), &format!("--agent-package {}", text.display()));
    assert_eq!(refused(&site, &output), "mt-agent: the agent's own package: it is no rpm package");
}

#[test]
fn an_epoch_is_a_part_of_the_version() {
    let site = Site::new();
    site.desk.package("deep", "Epoch: 7");
    site.mirror.index();
    site.collected();
    contains(&fs::read_to_string(site.out.join("manifest.json")).unwrap(), "\"epoch\": 7");
    let output = site.offline(&site.machine(""), "", "");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn a_signature_is_wanted_on_the_target_as_it_is_online() {
    let mut site = Site::new();
    site.desk.package("f", "");
    let sources = "sources: {reiserfs: true}\n";
    assert_eq!(site.collect(&site.machine(sources), "").status.code(), Some(0));
    site.accept = false;
    let unsigned = refused(&site, &site.offline(&site.machine(sources), "", ""));
    contains(
        &unsigned,
        "it cannot be verified: it has no signature; import its maker's key (rpm --import; CentOS keeps its",
    );
    let plan = site.machine(sources).run(&format!("{DATABASE}$AGENT plan --offline $OUT"), &site.out());
    contains(&refused(&site, &plan), "it cannot be verified: it has no signature");
    // Signed, each of them.
    fs::remove_dir_all(&site.out).unwrap();
    let all: Vec<PathBuf> =
        ["a", "b", "base", "deep", "f", "lib"].map(|name| PathBuf::from(site.built(&rpm(name)))).into();
    let key = site.desk.sign(&all.iter().map(PathBuf::as_path).collect::<Vec<_>>());
    site.mirror.index();
    let import = format!("rpm --import {}", site.desk.key().display());
    let collect = format!(
        "{DATABASE}{import}; $AGENT apply --download-only $OUT --repository {}",
        site.mirror.url("/")
    );
    let output = site.machine(sources).run(&collect, &site.out());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    contains(
        &refused(&site, &site.offline(&site.machine(sources), "", "")),
        &format!("it is signed with key {key}, which was not imported; import its maker's key"),
    );
    let world = site.machine(sources);
    let output = site.offline(&world, &import, "");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let log = world.left("/var/log/mt-agent.log");
    let verified = format!("verified by its signature with key {key}");
    contains(&log, &format!("{}: {verified}", rpm("deep")));
    contains(&log, &format!("/var/lib/kept/{}: from {}, {verified}", rpm("f"), site.out.display()));
    assert!(!log.contains("NOT VERIFIED"), "{log}");
    // A good signature on an older version than the profile's.
    let old = site.desk.edition("f", "0.9", "");
    sign(&site, &old);
    site.put("f", &fs::read(&old).unwrap());
    site.amend("f", &[("version", "0.9-1".into())]);
    contains(
        &refused(&site, &site.offline(&site.machine(sources), &import, "")),
        "it is mt-agent-test-f-0.9-1.noarch, but the profile names mt-agent-test-f-1.0-1.noarch.rpm: another version",
    );
}

/// Signs one more package with the key that the desk has made.
fn sign(site: &Site, package: &Path) {
    let home = format!("_gpg_path {}", site.desk.dir().join("gnupg").display());
    let name = "_gpg_name mt-agent test";
    let gpg = "__gpg /usr/bin/gpg";
    tool(
        "rpmsign",
        &["--define", &home, "--define", name, "--define", gpg, "--addsign", package.to_str().unwrap()],
    );
}

#[test]
fn nothing_is_removed_and_nothing_made_older() {
    let site = Site::new();
    let old = site.desk.package("old", "");
    let has_old = format!("rpm -i {}", old.display());
    let rest = |world: &World| world.left("/var/tmp/all");
    let all = "; status=$?; rpm -qa | sort >/var/tmp/all; exit $status";
    let collected = |more: &str| {
        site.desk.package("b", more);
        site.mirror.index();
        drop(fs::remove_dir_all(&site.out));
        site.collected();
    };
    collected("Obsoletes: mt-agent-test-old < 2.0");
    let world = site.machine("");
    assert_eq!(
        refused(&site, &site.offline(&world, &has_old, all)),
        format!(
            "mt-agent: packages.base: DIR: {} obsoletes mt-agent-test-old, which rpm would remove from this host: remove it \
             yourself first (rpm -e), if it is not needed, or install mt-agent-test-b by hand",
            rpm("b")
        )
    );
    assert_eq!(rest(&world), "mt-agent-test-old-1.0-1.noarch\n");
    let output = site.offline(&site.machine(""), "", "");
    assert_eq!(output.status.code(), Some(0), "{output:?}");

    // Of another version than what it obsoletes: rpm leaves it, too.
    collected("Obsoletes: mt-agent-test-old < 1.0");
    let world = site.machine("");
    let output = site.offline(&world, &has_old, all);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    contains(&rest(&world), "mt-agent-test-old-1.0-1.noarch\n");

    collected("Conflicts: mt-agent-test-old");
    let world = site.machine("");
    contains(
        &refused(&site, &site.offline(&world, &has_old, all)),
        "mt-agent-test-old conflicts with mt-agent-test-b",
    );
    assert_eq!(rest(&world), "mt-agent-test-old-1.0-1.noarch\n");

    // What is installed is newer than what the collection would put in its place.
    site.desk.package("a", "Requires: mt-agent-test-lib = 1.0");
    collected("");
    let newer = format!("rpm -i --nodeps {}", site.desk.edition("lib", "2.0", "").display());
    let world = site.machine("");
    contains(
        &refused(&site, &site.offline(&world, &newer, all)),
        "package mt-agent-test-lib-2.0-1.noarch (which is newer than mt-agent-test-lib-1.0-1.noarch) is already installed",
    );
    assert_eq!(rest(&world), "mt-agent-test-lib-2.0-1.noarch\n");

    // A kernel, whatever it is called.
    fs::remove_file(site.built("mt-agent-test-lib-2.0-1.noarch.rpm")).unwrap();
    site.desk.package("lib", "Provides: kernel = 3.10");
    collected("");
    let world = site.machine("");
    contains(&refused(&site, &site.offline(&world, "", all)), "need another kernel than this host's");
    assert_eq!(rest(&world), "");
}

#[test]
fn rpm_has_no_network_where_systemd_starts_the_daemons() {
    let site = Site::new();
    // In Lua, as there is no package with a shell.
    let tell = "local its = io.open('/var/tmp/its', 'w')\nits:write(posix.readlink('/proc/self/ns/net'), '\\n')\nits:close()";
    site.desk.package("deep", &format!("%post -p <lua>\n{tell}\n"));
    site.mirror.index();
    site.collected();
    for (before, kept) in [
        ("mount -t tmpfs none /run; mkdir -p /run/systemd/system", true),
        // As on CentOS 6: a daemon that a scriptlet restarts would be out of reach until the next boot.
        ("mount -t tmpfs none /run", false),
    ] {
        let world = site.machine("");
        let before = format!("{before}; readlink /proc/self/ns/net >/var/tmp/ours");
        let output = site.connected(&world, &before, "");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(world.left("/var/tmp/its") != world.left("/var/tmp/ours"), kept, "{before}");
    }
    // Where no namespace can be made, that is told.
    let world = site.machine("");
    let prepare = "mount -t tmpfs none /run; mkdir -p /run/systemd/system";
    let script = format!(
        "{DATABASE}{prepare}; strace -f -qq -o /dev/null -e trace=unshare -e inject=unshare:error=EINVAL $AGENT apply --yes \
         --only packages --offline $OUT"
    );
    let output = world.run(&script, &site.out());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    contains(
        &world.left("/var/log/mt-agent.log"),
        "rpm keeps its network: no network namespace can be made here (Invalid argument (os error 22))",
    );
}

#[test]
fn a_command_is_kept_from_the_network() {
    need_root();
    let look = || Command::new("readlink", ["/proc/self/ns/net"], PATIENCE);
    let ours = fs::read_link("/proc/self/ns/net").unwrap();
    let told = |command: Command| PathBuf::from(command.read(&Host::live()).unwrap().trim());
    assert_eq!(told(look()), ours);
    assert_ne!(told(look().without_network()), ours);
    let url = "/dev/tcp/127.0.0.1/1";
    let reach = Command::new("bash", ["-c", &format!(": <{url}")], PATIENCE).without_network();
    contains(&reach.run(&Host::live()).unwrap().message(), "Network is unreachable");
}

#[test]
fn a_collection_may_lie_in_a_directory_of_any_name() {
    let mut site = Site::new();
    site.collected();
    let plain = site.out.clone();
    for name in NAMES {
        site.out = site.desk.dir().join(name);
        fs::rename(&plain, &site.out).unwrap();
        // What a pattern would find.
        for decoy in ["x", "a", "b", "q"] {
            fs::create_dir_all(site.desk.dir().join(decoy)).unwrap();
        }
        let run = "$AGENT apply --yes --only packages --offline \"$OUT\"";
        let output = site.machine("").run(&format!("{DATABASE}{run} && {run}"), &site.out());
        assert_eq!(output.status.code(), Some(0), "{name}: {output:?}");
        let said = words(&output.stdout);
        contains(
            &said,
            "done: installed mt-agent-test-a 1.0-1, mt-agent-test-b 1.0-1, with 3 that they need",
        );
        contains(&said, "nothing was changed");
        fs::rename(&site.out, &plain).unwrap();
    }
    // In a line there is no room for another one.
    site.out = site.desk.dir().join("line\nbreak");
    fs::rename(&plain, &site.out).unwrap();
    let world = site.machine("");
    let output =
        world.run(&format!("{DATABASE}$AGENT apply --yes --only packages --offline \"$OUT\""), &site.out());
    contains(
        &refused(&site, &output),
        "has a line break, another control character or bytes that are not UTF-8",
    );
    assert!(
        !world.all_left().iter().any(|(path, _, _)| path.ends_with("journal.jsonl")),
        "nothing was begun"
    );
}

#[test]
fn nothing_is_collected_where_yum_and_rpm_would_misread_the_name() {
    let site = Site::new();
    let world = site.machine("");
    for name in NAMES.iter().filter(|name| **name != "~").chain(&["line\nbreak"]) {
        let directory = site.desk.dir().join(name);
        let script =
            format!("{DATABASE}$AGENT apply --download-only \"$OUT\" --repository {}", site.mirror.url("/"));
        let output = world.run(&script, &[("OUT", directory.to_str().unwrap())]);
        let line = refused(&site, &output);
        assert!(
            line.contains("collect in one with letters, digits") || line.contains("has a line break"),
            "{name}: {line}"
        );
        assert!(!directory.exists(), "{name}");
        assert!(!world.all_left().iter().any(|(path, _, _)| path.ends_with("journal.jsonl")), "{name}");
    }
    assert_eq!(site.mirror.asked(), 0);
}
