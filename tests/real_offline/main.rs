//! What an unconnected master target needs: collected by real dnf from real repositories over real HTTP, and
//! installed by the real rpm where there is no network.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "files of a test are not the host's")]

mod damaged;
#[path = "../support/mod.rs"]
mod support;

use std::fs;

use serde_json::Value;

use support::offline::{DATABASE, Site, refused, rpm, text, words};
use support::{contains, tool};

#[test]
fn a_target_without_network_is_installed_from_what_a_connected_machine_collected() {
    let site = Site::new();
    let file = site.desk.packed("mt-agent-test-f", "Requires: mt-agent-test-base", "w9.gzdio");
    let agent = site.desk.packed("mt-agent", "", "w9.gzdio");
    // The connected machine has some of it, which the target lacks; nothing of it is changed.
    let world = site.machine("sources: {reiserfs: true}\n");
    let url = site.mirror.url("/");
    let list = "find /etc /usr/bin /usr/lib/rpm /root /var -printf '%p %m %s %C@\\n' | grep -vE \
                '^/var/(lib/mt-agent|log/mt-agent.log|run/mt-agent.lock|tmp/list|lib/rpm/rpmdb.sqlite-(shm|wal))|^/var/(lib|log|run|lib/rpm|tmp) ' \
                | sort";
    let output = world.run(
        &format!(
            "{DATABASE}rpm -i --nodeps {lib}\n{list} >/var/tmp/list.1\n$AGENT apply --format json --download-only $OUT \
             --repository {url} --agent-package {agent} || exit\n{list} >/var/tmp/list.2\ndiff /var/tmp/list.1 \
             /var/tmp/list.2",
            lib = site.desk.dir().join("build/RPMS/noarch").join(rpm("lib")).display(),
            agent = agent.display(),
        ),
        &site.out(),
    );
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["schema"], "mt-agent/collected/v1");
    assert_eq!(document["manifest"]["release"], "CentOS release 6.6 (Final)");
    assert_eq!(
        document["notes"],
        serde_json::json!(["6 of 7 files are not verified, as the profile accepts"])
    );
    let rpms: Vec<String> = ["a", "b", "base", "deep", "f", "lib"].map(rpm).to_vec();
    let mut all = vec!["manifest.json".to_owned(), "mt-agent-1.0-1.noarch.rpm".to_owned()];
    all.extend(rpms);
    assert_eq!(site.names(), all);
    assert!(fs::read(site.file("f")).unwrap() == fs::read(&file).unwrap());
    contains(&world.left("/var/lib/mt-agent/journal.jsonl"), "\"kind\":\"collect\"");

    // Once more: verified, and neither fetched nor touched.
    let asked = site.mirror.asked();
    let before = tool("find", &[site.out.to_str().unwrap(), "-printf", "%p %C@\\n"]).stdout;
    let output = site.collect(&site.machine("sources: {reiserfs: true}\n"), "");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    contains(&text(&output.stdout), "nothing to collect: all 7 files in ");
    assert_eq!(tool("find", &[site.out.to_str().unwrap(), "-printf", "%p %C@\\n"]).stdout, before);
    assert_eq!(site.mirror.asked(), asked);

    // The target: it has `base`, has no network, and names repositories that must not be asked.
    site.mirror.forget();
    let world = site.machine("sources: {reiserfs: true}\n");
    let repository = format!("[x]\nname=x\nbaseurl={url}\ngpgcheck=0\n");
    world.file("/etc/yum.repos.d/x.repo", &repository);
    let output = world.run(&format!("{DATABASE}$AGENT plan --only packages --offline $OUT"), &site.out());
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let plan = words(&output.stdout).replace(site.out.to_str().unwrap(), "DIR");
    contains(
        &plan,
        "note: packages come from DIR alone: 7 files, as the manifest says, 6 of them NOT VERIFIED, as the profile \
         accepts; collected ",
    );
    contains(&plan, "1. install mt-agent-test-a, mt-agent-test-b from DIR alone, with rpm for packages.base");
    contains(&plan, "2. verify and install mt-agent-test-f-1.0-1.noarch.rpm for packages.reiserfs");
    let base = format!("rpm -i $OUT/{}", rpm("base"));
    let output = site.offline(&world, &base, "&& rpm -qa | sort >/var/tmp/all");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = words(&output.stdout);
    contains(&said, "done: installed mt-agent-test-a 1.0-1, mt-agent-test-b 1.0-1, with 2 that they need");
    contains(&said, "done: installed mt-agent-test-f 1.0-1");
    let installed: Vec<_> = ["a", "b", "base", "deep", "f", "lib"]
        .map(|name| format!("mt-agent-test-{name}-1.0-1.noarch"))
        .to_vec();
    assert_eq!(world.left("/var/tmp/all").lines().collect::<Vec<_>>(), installed);
    assert_eq!(site.mirror.asked(), 0);
    let trace = world.left("/var/tmp/trace");
    assert!(!trace.contains("AF_INET"), "{trace}");
    let journal = world.left("/var/lib/mt-agent/journal.jsonl");
    contains(
        &journal,
        &format!(
            "\"kind\":\"install-packages\",\"packages\":[\"mt-agent-test-a\",\"mt-agent-test-b\"],\"from\":\"{}\"",
            site.out.display()
        ),
    );
    let log = world.left("/var/log/mt-agent.log");
    contains(&log, &format!("{}: NOT VERIFIED, as the profile accepts: it has no signature", rpm("deep")));
    assert!(!log.contains("run: dnf") && !log.contains("run: yum") && !log.contains("fetch:"), "{log}");

    // And with all of it installed, nothing is left to do.
    let all = format!("rpm -i $OUT/{}*.rpm", "mt-agent-test-");
    let output = site.offline(&site.machine("sources: {reiserfs: true}\n"), &all, "");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    contains(&text(&output.stdout), "nothing was changed");
}

#[test]
fn where_nothing_answers_nothing_is_left() {
    let site = Site::new();
    let world = site.machine("");
    let run = |options: &str| {
        let script = format!("{DATABASE}$AGENT apply --download-only $OUT {options}");
        refused(&site, &world.run(&script, &site.out()))
    };
    let line = run("--repository http://127.0.0.1:9/el6/");
    contains(&line, "mt-agent: dnf did not collect mt-agent-test-a, mt-agent-test-b: ");
    contains(
        &line,
        "repomd.xml: All mirrors were tried; the repository named with --repository does not answer: look at its address \
         and at the network (http_proxy is heeded)",
    );
    assert!(!site.out.exists());
    world.file("/etc/yum.repos.d/x.repo", "[x]\nname=x\nbaseurl=http://127.0.0.1:9/el6/\ngpgcheck=0\n");
    contains(&run(""), "; no repository answers: CentOS 6 has left the mirrors");
    world.file("/etc/yum.repos.d/x.repo", "");
    // This host's own repositories: there are none.
    contains(&run(""), "mt-agent: dnf did not collect mt-agent-test-a, mt-agent-test-b: ");
    assert!(!site.out.exists());
    world.file("/etc/redhat-release", "Fedora release 40 (Forty)\n");
    assert_eq!(
        run(""),
        "mt-agent: this host is Fedora release 40 (Forty), so its repositories are not those of CentOS release 6.6 \
         (Final): name those with --repository URL (CentOS 6.6's lie at http://vault.centos.org/6.6/os/x86_64/)"
    );
    contains(&run("--repository ftp://x/"), "--repository ftp://x/: an address that begins with http://");
    assert!(!site.out.exists());
    // A package that no repository has.
    let world = site.machine("");
    world.file(
        "/etc/mt-agent/profile.yaml",
        &site.profile().replace("[mt-agent-test-b]", "[mt-agent-test-none]"),
    );
    let line = refused(&site, &site.collect(&world, ""));
    contains(&line, "No match for argument: mt-agent-test-none");
    assert!(!site.out.exists());
}

#[test]
fn this_host_s_repositories_are_used_where_it_is_of_the_target_s_release() {
    let mut site = Site::new();
    site.accept = false;
    let world = site.machine("");
    let gpgcheck = |on: u8| {
        let url = site.mirror.url("/");
        format!("[x]\nname=x\nbaseurl={url}\ngpgcheck={on}\ngpgkey=file://{}\n", site.desk.key().display())
    };
    let run = || world.run(&format!("{DATABASE}$AGENT apply --download-only $OUT"), &site.out());
    world.file("/etc/yum.repos.d/x.repo", &gpgcheck(1));
    let b = site.desk.package("b", "");
    let key = site.desk.sign(&[&b]);
    site.mirror.index();
    // One of them is signed, which does not make up for the others.
    let line = refused(&site, &run());
    contains(&line, "is not signed");
    assert!(!site.out.exists());
    // All that this profile wants is signed; the key goes into no database of this host.
    world.file(
        "/etc/mt-agent/profile.yaml",
        &site.profile().replace("[mt-agent-test-a]", "[mt-agent-test-b]"),
    );
    let output = world
        .run(&format!("{DATABASE}$AGENT apply --download-only $OUT && rpm -qa >/var/tmp/all"), &site.out());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(world.left("/var/tmp/all"), "");
    fs::remove_dir_all(&site.out).unwrap();
    world.file("/etc/mt-agent/profile.yaml", &site.profile());
    world.file("/etc/yum.repos.d/x.repo", &gpgcheck(0));
    let output = run();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let manifest = fs::read_to_string(site.out.join("manifest.json")).unwrap();
    contains(
        &manifest,
        "\"verified\": \"as this host's repositories ask for (gpgcheck): it has no signature\"",
    );
    contains(
        &words(&output.stdout),
        "note: 4 of 5 files have no signature: the target refuses them, unless its profile",
    );

    // Repositories that were named: a signature has to be good, or the profile to do without.
    fs::remove_dir_all(&site.out).unwrap();
    let world = site.machine("");
    world.file(
        "/etc/mt-agent/profile.yaml",
        &site.profile().replace("[mt-agent-test-a]", "[mt-agent-test-b]"),
    );
    let line = refused(&site, &site.collect(&world, ""));
    contains(
        &line,
        &format!("it cannot be verified: it is signed with key {key}, which was not imported; import its"),
    );
    assert!(!site.out.exists());
    let url = site.mirror.url("/");
    let key = site.desk.key();
    let script = format!(
        "{DATABASE}rpm --import {}; $AGENT apply --download-only $OUT --repository {url}",
        key.display()
    );
    let output = world.run(&script, &site.out());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    contains(
        &fs::read_to_string(site.out.join("manifest.json")).unwrap(),
        "verified by its signature with key ",
    );
}

/// yum 3.2, as CentOS 6 has it: it knows these options and no others, says of a package that it has not that it goes
/// on, and ends with 0. What it downloads lies below the cache in the root, of `file:` repositories nothing.
const YUM: &str = r#"
root= names= flags=
for word; do
    case $word in
    -y | install | --setopt=exit_on_lock=1 | --setopt=keepcache=1 | --setopt=diskspacecheck=0) ;;
    --setopt=tsflags=test) flags=test ;;
    --installroot=/*) root=${word#*=} ;;
    -*) echo "Command line error: no such option: $word"; exit 2 ;;
    *) names="$names $word" ;;
    esac
done
[ "$flags" = test ] && [ -d "$root" ] || exit 1
. /etc/yum.repos.d/x.repo
mkdir -p "$root/var/cache/yum/x86_64/6/base/packages"
for name in $names $more; do
    if [ ! -f "$here/$name-1.0-1.noarch.rpm" ]; then echo "No package $name available."; continue; fi
    [ -n "$file" ] || cp "$here/$name-1.0-1.noarch.rpm" "$root/var/cache/yum/x86_64/6/base/packages/"
done
echo 'Transaction Test Succeeded'
"#;

#[test]
fn yum_3_2_is_believed_by_what_it_left_and_not_by_its_status() {
    let site = Site::new();
    let world = site.machine("");
    world.tool("yum", YUM);
    let collect = |repository: &str| {
        let here = site.desk.dir().join("build/RPMS/noarch");
        let all = "mt-agent-test-lib mt-agent-test-deep mt-agent-test-base";
        world.file(
            "/etc/yum.repos.d/x.repo",
            &format!("here={}\nmore='{all}'\n{repository}\n", here.display()),
        );
        let script = "rm /usr/bin/dnf*; $AGENT apply --download-only $OUT";
        world.run(&format!("{DATABASE}{script}"), &site.out())
    };
    assert_eq!(
        refused(&site, &collect("more=mt-agent-test-lib")),
        "mt-agent: what was downloaded is not whole: mt-agent-test-base is needed by \
         mt-agent-test-a-1.0-1.noarch; mt-agent-test-deep is needed by mt-agent-test-lib-1.0-1.noarch"
    );
    assert_eq!(
        refused(&site, &collect("file=1")),
        "mt-agent: yum resolved mt-agent-test-a, mt-agent-test-b and downloaded nothing: of a file: repository yum \
         copies no package, so name it by an http address with --repository"
    );
    assert!(!site.out.exists());
    let output = collect("");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(site.names().len(), 6);
    world.file(
        "/etc/mt-agent/profile.yaml",
        &site.profile().replace("[mt-agent-test-b]", "[mt-agent-test-none]"),
    );
    assert_eq!(refused(&site, &collect("")), "mt-agent: no repository has mt-agent-test-none");
}

#[test]
fn packages_of_a_newer_release_are_not_collected() {
    let site = Site::new();
    site.desk.packed("mt-agent-test-b", "", "w19.zstdio");
    site.mirror.index();
    let line = refused(&site, &site.collect(&site.machine(""), ""));
    assert_eq!(
        line,
        format!("mt-agent: {}: its payload is packed with zstd, which release 6's rpm cannot read", rpm("b"))
    );
    assert!(!site.out.exists());
}

#[test]
fn a_run_after_the_restart_asks_no_repository_either() {
    let site = Site::new();
    let world = site.machine("");
    let url = site.mirror.url("/");
    world.file("/etc/yum.repos.d/x.repo", &format!("[x]\nname=x\nbaseurl={url}\ngpgcheck=0\n"));
    let mut order = support::order::given(&site.profile(), &["packages"]);
    order["request"]["offline"] = site.out.to_str().unwrap().into();
    world.file("/var/lib/mt-agent/resume.json", &order.to_string());
    let closed = "chmod -R go= /var/lib/mt-agent; ";
    let resume = format!("{DATABASE}{closed}$AGENT apply --resume --yes");
    assert_eq!(
        refused(&site, &world.run(&resume, &[])),
        "mt-agent: packages.base: looking at the directory DIR: No such file or directory (os error 2)"
    );
    assert_eq!(site.mirror.asked(), 0);
    site.collected();
    site.mirror.forget();
    let output = world.run(&resume, &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    contains(
        &words(&output.stdout),
        "done: installed mt-agent-test-a 1.0-1, mt-agent-test-b 1.0-1, with 3 that they",
    );
    assert_eq!(site.mirror.asked(), 0);
}

#[test]
fn a_place_that_cannot_take_it_is_told() {
    let site = Site::new();
    let world = site.machine("");
    let url = site.mirror.url("/");
    let run = |prepare: &str, to: &str| {
        let script = format!("{DATABASE}{prepare}\n$AGENT apply --download-only {to} --repository {url}");
        refused(&site, &world.run(&script, &site.out()))
    };
    assert_eq!(run("", "/etc/passwd"), "mt-agent: /etc/passwd is not a directory");
    contains(&run("", "/etc/passwd/x"), "mt-agent: making the directory /etc/passwd/x: Not a directory");
    contains(
        &run("mkdir -m 777 /var/open", "/var/open"),
        "mt-agent: /var/open: users other than root can write /var/open (owner 0, group 0, mode 0777): choose another \
         directory, or run `chmod go-w /var/open`",
    );
    let read_only = "mkdir /var/ro; mount -t tmpfs -o ro,mode=755 none /var/ro";
    contains(&run(read_only, "/var/ro"), "Read-only file system");
    let image = site.desk.dir().join("small.img");
    let full = format!(
        "truncate -s 400K {0}; mkfs.ext4 -q -O ^has_journal {0}; mkdir /var/small; mount -o loop {0} /var/small",
        image.display()
    );
    let line = run(
        &full,
        "/var/small; status=$?; ls -A /var/small >/var/tmp/left; umount /var/small; (exit $status)#",
    );
    assert!(line.to_lowercase().contains("full") || line.contains("space"), "{line}");
    assert_eq!(world.left("/var/tmp/left"), "lost+found\n");
}
