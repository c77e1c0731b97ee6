//! A collection that is damaged, outgrown, half made, or another one than its manifest says.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::support::offline::{DATABASE, Site, refused, rpm, text, words};
use super::support::{contains, tool, until};

#[test]
fn a_collection_that_is_not_as_its_manifest_says_is_refused_before_anything_is_installed() {
    let site = Site::new();
    site.collected();
    let whole = |path: &Path| fs::read(path).unwrap();
    let (a, manifest) = (site.file("a"), site.out.join("manifest.json"));
    let (bytes, listed) = (whole(&a), fs::read_to_string(&manifest).unwrap());
    let refusal = || {
        let world = site.machine("");
        let line = refused(&site, &site.offline(&world, "", ""));
        assert!(
            !world.all_left().iter().any(|(path, _, _)| path.ends_with("journal.jsonl")),
            "nothing was begun"
        );
        line
    };
    let sum = |path: &Path| text(&tool("sha256sum", &[path.to_str().unwrap()]).stdout)[..64].to_owned();
    let good = sum(&a);

    fs::write(&a, &bytes[..bytes.len() - 10]).unwrap();
    let expected = |found: &Path| {
        format!(
            "mt-agent: --offline DIR: DIR/{}: its SHA-256 is {} ({} bytes), but the manifest says {good} ({} bytes): it \
             was changed or is damaged; copy the collection anew",
            rpm("a"),
            sum(found),
            found.metadata().unwrap().len(),
            bytes.len()
        )
    };
    assert_eq!(refusal(), expected(&a), "truncated");
    fs::copy(site.file("b"), &a).unwrap();
    assert_eq!(refusal(), expected(&a), "another package under its name");
    fs::remove_file(&a).unwrap();
    symlink(site.file("b"), &a).unwrap();
    assert_eq!(
        refusal(),
        format!("mt-agent: --offline DIR: DIR/{} is a symbolic link, not a regular file", rpm("a"))
    );
    fs::remove_file(&a).unwrap();
    assert_eq!(
        refusal(),
        format!(
            "mt-agent: --offline DIR: DIR/{} is missing, though the manifest names it: copy the collection anew",
            rpm("a")
        )
    );
    fs::write(&a, &bytes).unwrap();
    let stranger = site.out.join("evil.rpm");
    fs::write(&stranger, &bytes).unwrap();
    assert_eq!(
        refusal(),
        "mt-agent: --offline DIR: DIR/evil.rpm is not in the manifest: remove it, or collect again into an empty \
         directory"
    );
    fs::remove_file(&stranger).unwrap();

    for (from, to, why) in [
        (rpm("a"), "../a.rpm".to_owned(), "`../a.rpm` cannot be the name of a package file"),
        (rpm("a"), "/etc/a.rpm".to_owned(), "`/etc/a.rpm` cannot be the name of a package file"),
        ("manifest/v1".to_owned(), "manifest/v2".to_owned(), "its schema is `mt-agent/manifest/v2`, "),
        (good.clone(), "0".repeat(64), "but the manifest says 0000000"),
        (
            "(Final)".to_owned(),
            "(Other)".to_owned(),
            "it was collected for the release CentOS release 6.6 (Other), the ",
        ),
        (
            "x86_64".to_owned(),
            "aarch64".to_owned(),
            "it was collected for the architecture aarch64, the profile ",
        ),
        ("\"files\"".to_owned(), "\"flies\"".to_owned(), "it is damaged: unknown field `flies`"),
    ] {
        fs::write(&manifest, listed.replacen(&from, &to, 1)).unwrap();
        contains(&refusal(), why);
    }
    fs::remove_file(&manifest).unwrap();
    contains(&refusal(), "--offline DIR: DIR has no manifest.json, so it is no whole collection: ");
    fs::write(&manifest, &listed).unwrap();

    // Another profile: what it lacks is told; what the host has already need not be there.
    let world = site.machine("");
    let other = site.profile().replace("[mt-agent-test-b]", "[mt-agent-test-b, mt-agent-test-unwanted]");
    world.file("/etc/mt-agent/profile.yaml", &other);
    contains(
        &refused(&site, &site.offline(&world, "", "")),
        "mt-agent: --offline DIR: it has no package mt-agent-test-unwanted, which the profile centos-6.6 + \
         profile.yaml needs: it was collected for the profile centos-6.6 + profile.yaml; collect again",
    );
    let has = format!("rpm -i {}", site.desk.dir().join("build/RPMS/noarch").join(rpm("unwanted")).display());
    let output = site.offline(&world, &has, "");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    contains(&words(&output.stdout), "mt-agent-test-b 1.0-1, with 3 that they need");
}

#[test]
fn a_damaged_or_outgrown_collection_is_made_anew_and_a_stranger_s_files_are_left_alone() {
    let site = Site::new();
    site.collected();
    fs::write(site.file("a"), b"damaged").unwrap();
    let output = site.collect(&site.machine(""), "");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    contains(&text(&output.stderr), "collecting anew: ");
    assert_eq!(site.names().len(), 6);
    // The repositories are gone: the whole collection of another profile stays as it was.
    let before = fs::read(site.out.join("manifest.json")).unwrap();
    let fewer = site.machine("");
    fewer.file(
        "/etc/mt-agent/profile.yaml",
        &site.profile().replace("[mt-agent-test-a]", "[mt-agent-test-b]"),
    );
    let script = format!("{DATABASE}$AGENT apply --download-only $OUT --repository http://127.0.0.1:9/");
    refused(&site, &fewer.run(&script, &site.out()));
    assert_eq!(fs::read(site.out.join("manifest.json")).unwrap(), before);
    assert_eq!(site.names().len(), 6);
    // They are back: what the profile does not need is no longer there.
    let output = site.collect(&fewer, "");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(site.names(), ["manifest.json".to_owned(), rpm("b")]);

    let stranger = site.out.join("theirs.rpm");
    fs::write(&stranger, b"theirs").unwrap();
    contains(
        &refused(&site, &site.collect(&fewer, "")),
        "DIR/theirs.rpm is not in the manifest: remove it, or",
    );
    fs::remove_file(site.out.join("manifest.json")).unwrap();
    assert_eq!(
        refused(&site, &site.collect(&fewer, "")),
        format!(
            "mt-agent: DIR is not empty ({}) and is no collection: name a new or an empty directory",
            rpm("b")
        )
    );
    assert_eq!(fs::read(&stranger).unwrap(), b"theirs");
}

/// Ends a process and all that came from it, or, given a second word, those of them that are called so. What started
/// others goes before them, and one may have ended with its parent.
const KILL: &str = r#"
collect() { all="$all $1"; for child in $(cat "/proc/$1/task/"*/children 2>/dev/null); do collect "$child"; done; }
collect "$1"
for process in $all; do
    [ -n "$2" ] && [ "$(cat "/proc/$process/comm")" != "$2" ] || kill -KILL "$process" || [ ! -e "/proc/$process" ] || exit 1
done
"#;

#[test]
fn a_killed_run_leaves_no_manifest_and_the_next_one_finishes() {
    // All of it, the agent and dnf, as when the power goes; or the agent, and dnf goes on for a while.
    for whom in ["", "mt-agent"] {
        let site = Site::new();
        site.mirror.stall(&rpm("deep"));
        let script = format!(
            "{DATABASE}echo $$ >$OUT.pid; $AGENT apply --download-only $OUT --repository {}; true",
            site.mirror.url("/")
        );
        std::thread::scope(|scope| {
            let run = scope.spawn(|| site.machine("").run(&script, &site.out()));
            until("dnf asks for a package", || site.mirror.stalled());
            let pid = fs::read_to_string(site.out.with_extension("pid")).unwrap();
            tool("sh", &["-c", KILL, "kill", pid.trim(), whom]);
            run.join().unwrap();
        });
        assert!(!site.out.join("manifest.json").exists());
        assert!(site.names().iter().any(|name| name.starts_with(".mt-agent-work.")), "{:?}", site.names());
        let world = site.machine("");
        contains(
            &refused(&site, &site.offline(&world, "", "")),
            "has no manifest.json, so it is no whole collection",
        );
        site.mirror.go_on();
        site.collected();
        let mut all = vec!["manifest.json".to_owned()];
        all.extend(["a", "b", "base", "deep", "lib"].map(rpm));
        let mut names = site.names();
        names.retain(|name| !(whom == "mt-agent" && name.starts_with(".mt-agent-work.")));
        assert_eq!(names, all);
        assert_eq!(site.offline(&site.machine(""), "", "").status.code(), Some(0));
    }
}

#[test]
fn one_that_fails_while_the_manifest_is_written_is_made_good_even_after_another_failure() {
    let site = Site::new();
    let collect = |before: &str, url: &str| {
        let script = format!("{DATABASE}{before} $AGENT apply --download-only $OUT --repository {url}");
        site.machine("").run(&script, &site.out())
    };
    let good = site.mirror.url("/");
    // The manifest's is the only file that is written under such a name.
    let no_manifest = "strace -f -qq -o /dev/null -e trace=rename,renameat,renameat2 \
                       -P $OUT/.manifest.json.mt-agent-new -e inject=rename,renameat,renameat2:error=ENOSPC";
    contains(&refused(&site, &collect(no_manifest, &good)), "No space left on device");
    assert!(site.names().contains(&rpm("deep")), "{:?}", site.names());
    refused(&site, &collect("", "http://127.0.0.1:9/"));
    site.collected();
    assert_eq!(site.offline(&site.machine(""), "", "").status.code(), Some(0));
}
