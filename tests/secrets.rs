//! Passwords, passphrases and credentials reach no log, no journal, no report, no facts and no message: the
//! real binary in a world full of them.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "files of a test are not the host's")]

mod support;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use mt_agent::host::Host;
use mt_agent::state::saved;

use support::need_root;
use support::server::{Answer, Server};
use support::world::World;

/// Every secret in the world has this in it.
const SECRET: &str = "Hidden";

const RPM: &str = r#"
case "$1" in
-qa) case "$*" in *EPOCH*) printf 'bash\t(none)\t4.1-1\n' ;; *) printf 'bash\t4.1-1\n' ;; esac ;;
-E) echo /var/lib/rpm ;;
-q) shift 3; for name; do echo "package $name is not installed"; done; exit 1 ;;
esac
"#;

/// As yum says what failed, with credentials that stand in its repositories' files.
const YUM: &str = r#"
env > /var/tmp/yum.env
echo 'http://user:HiddenRepo@repo.example/os/repodata/repomd.xml: [Errno 14] PYCURL ERROR 22'
echo "Trying https://us%20er:Hid'Hidden/den@mirror.example/x?token=HiddenToken&arch=x86_64"
echo 'proxy = user:HiddenBare@proxy:3128' >&2
echo 'proxy_password=HiddenProxy, retrying' >&2
echo 'Proxy-Authorization: Basic HiddenHeader' >&2
echo 'passphrase: HiddenFirst word HiddenLast' >&2
echo 'ran curl -u user:HiddenUser --proxy-user me:HiddenPair https://repo.example/'
echo 'install -i 10.0.0.1 -P /root/Hidden.txt'
echo 'MYSQL_PWD=HiddenVariable PWD=HiddenShort'
echo 'the password is HiddenSaid'
echo '{"user": "x", "password": "HiddenWord HiddenNext"}'
echo 'Password:' ; echo '  HiddenBelow'
echo '-----BEGIN RSA PRIVATE KEY-----'; echo HiddenKey; echo '-----END RSA PRIVATE KEY-----'
echo 'Error: Cannot retrieve https://:HiddenEmpty@repo.example' >&2
exit 1
"#;

const PROFILE: &str = "extends: centos-6.6
packages:
  base: [mt-agent-test-none]
  lock-timeout: 1s
sources: {reiserfs: true}
files:
  directory: /var/lib/files
  deadline: 10m
  reiserfs:
    - package: mt-agent-test-file
      file: mt-agent-test-file-1-1.noarch.rpm
      urls:
        - http://user:HiddenUrl@mirror.invalid/mt-agent-test-file-1-1.noarch.rpm
        - http://user:HiddenOther@mirror.invalid/mt-agent-test-file-1-1.noarch.rpm?token=HiddenQuery
        - http://storage.invalid/mt-agent-test-file-1-1.noarch.rpm?sv=2024-11-04&sr=b&sig=HiddenSignature
";

/// As people write them.
const FSTAB: &str = "//server/x /y cifs username=u,password=HiddenFstab 0 0
//server/x /y cifs pass=HiddenPass,rw 0 0
//server/x /y cifs username=me%HiddenPercent,uid=0 0 0
//server/x /y cifs password=a,HiddenComma,noauto 0 0
//server/x /y cifs credentials=/root/HiddenFile 0 0
//me:HiddenAddress@server/x /y cifs _netdev 0 0
https://me:HiddenWeb@server/dav /dav davfs rw 0 0
";

fn world() -> World {
    let world = World::new();
    world.tool("rpm", RPM);
    world.tool("yum", YUM);
    world.file("/var/lib/rpm/Packages", "");
    world.file("/etc/redhat-release", "CentOS release 6.6 (Final)\n");
    world.file("/etc/mt-agent/profile.yaml", PROFILE);
    world.file("/etc/wrong.yaml", "extends: centos-6.6\nfiles:\n  from: http://user:HiddenWrong@h/x\n");
    world.file("/etc/fstab", FSTAB);
    world.file("/root/passphrase.txt", "HiddenPassphrase\n");
    world.file("/root/connection.passphrase", "HiddenConnection\n");
    world.file(
        "/var/log/appliedmtcustomchanges.log",
        "install -i 10.0.0.1 -P HiddenOption\nFAILED: passphrase: HiddenLog\nhttp://user:HiddenLong",
    );
    world.file(
        "/var/lib/mt-agent/custom-changes.json",
        r#"{"schema":"mt-agent/custom-changes/v1","archive_sha256":"a","boot_id":"b",
            "started_at":"2026-01-01T00:00:00Z","outcome":{"failed":"password=HiddenOutcome"}}"#,
    );
    world
}

#[test]
fn no_secret_is_written_down_or_shown_and_downloads_still_authenticate() {
    need_root();
    let (world, proxy) = (world(), Server::new(&vec![7; 4096]));
    // Broken four times, so that a part and its note stay; then the other addresses are refused.
    let cut = vec![Answer::Cut(100); 4];
    let absent = vec![Answer::Status("404 Not Found"); 2];
    proxy.answers(&[cut, absent].concat());
    let address = format!("http://u:HiddenEnv@127.0.0.1:{}", proxy.port());
    let script = "
        for verb in check plan disks facts history state 'profile show'; do
            $AGENT $verb
            $AGENT $verb --format json
            $AGENT $verb -v
        done
        $AGENT check --format nagios
        $AGENT apply --yes --only packages.base
        $AGENT apply --yes --only packages.reiserfs --format json
        $AGENT history
        $AGENT history --format json
        $AGENT profile check /etc/wrong.yaml
        $AGENT check --profile http://user:HiddenName@h/x.yaml
        $AGENT check --password=HiddenArgument
        $AGENT check --only token=HiddenOnly
        $AGENT disks password=HiddenDisk
        $AGENT explain http://user:HiddenWord@h
        $AGENT plan --retention-disk http://user:HiddenNamed@h";
    let output = world.run(script, &[("http_proxy", &address), ("https_proxy", &address)]);
    let said =
        format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let leaks = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.contains(SECRET)).map(str::to_owned).collect()
    };
    assert_eq!(leaks(&said), [""; 0], "shown\n{said}");

    assert!(said.contains("yum did not install"), "{said}");
    // What was done needed the secrets, and had them.
    assert!(world.left("/var/tmp/yum.env").contains(&format!("http_proxy={address}")), "{said}");
    let asked = proxy.asked();
    assert!(asked.len() >= 5, "{asked:?}\n{said}");
    assert!(asked.iter().all(|one| one.header("proxy-authorization") == Some("Basic dTpIaWRkZW5FbnY=")));

    let log = world.left("/var/log/mt-agent.log");
    for part in [
        "http://***@repo.example/os",
        "http://***@mirror.invalid/mt-agent-test-file-1-1.noarch.rpm",
        "proxy_password=***",
    ] {
        assert!(log.contains(part), "{part} is not in the log:\n{log}");
    }
    assert!(said.contains("http://***@mirror.invalid/mt-agent-test-file-1-1.noarch.rpm"), "{said}");
    let journal = world.left("/var/lib/mt-agent/journal.jsonl");
    assert!(journal.contains("http://***@mirror.invalid/mt-agent-test-file-1-1.noarch.rpm"), "{journal}");
    assert!(
        world.left("/var/lib/files/mt-agent-test-file-1-1.noarch.rpm.part.from").contains("mirror.invalid")
    );
    for (path, mode, content) in world.all_left() {
        let ours = ["/var/tmp/yum.env", "/var/log/appliedmtcustomchanges.log"].contains(&path.as_str())
            || path == "/var/lib/mt-agent/custom-changes.json";
        assert!(ours || !content.contains(SECRET), "{path}:\n{content}");
        if path.starts_with("/var/log/mt-agent") || path.ends_with(".jsonl") {
            assert_eq!(mode, 0o600, "{path}");
        }
    }
}

#[test]
fn the_password_of_a_repository_that_was_named_reaches_that_repository_alone() {
    need_root();
    let world = world();
    // As dnf says which repository did not answer, with all of its configuration.
    world.tool(
        "dnf",
        r#"for word; do [ "$before" != -c ] || cat "$word" | tee /var/tmp/dnf.conf; before=$word; done
        echo "Error: Cannot retrieve http://user:HiddenNamed@repo.example/os/repodata/repomd.xml" >&2
        exit 1
        "#,
    );
    world.file("/etc/collect.yaml", "extends: centos-6.6\npackages: {base: [mt-agent-test-none]}\n");
    let script = "
        $AGENT apply --profile /etc/collect.yaml --download-only /var/tmp/out --format json \
            --repository http://user:HiddenNamed@repo.example/os/
        $AGENT apply --profile /etc/collect.yaml --download-only /var/tmp/out --repository ftp://user:HiddenFtp@h/
        $AGENT history
        $AGENT history --format json";
    let output = world.run(script, &[]);
    let said =
        format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("dnf did not collect mt-agent-test-none, device-mapper-multipath: "), "{said}");
    assert!(said.contains("--repository ftp://***@h/: an address that begins with"), "{said}");
    assert!(!said.contains(SECRET), "{said}");
    assert!(
        world.left("/var/tmp/dnf.conf").contains("baseurl=http://user:HiddenNamed@repo.example/os/"),
        "{said}"
    );
    for (path, _, content) in world.all_left() {
        assert!(!path.starts_with("/var/tmp/out"), "{path}");
        // Where the password stood in a profile or in the vendor's files is the other test's matter.
        let ours = ["/var/log/mt-agent.log", "/var/lib/mt-agent/journal.jsonl"].contains(&path.as_str());
        assert!(!ours || !content.contains(SECRET), "{path}:\n{content}");
    }
    assert!(world.left("/var/lib/mt-agent/journal.jsonl").contains("http://***@repo.example/os/"), "{said}");
}

#[test]
fn what_others_can_read_is_told_and_closed_once() {
    need_root();
    let world = world();
    let open = [
        "/var/log/mt-agent.log",
        "/var/log/mt-agent.log.1",
        "/var/log/mt-agent.log-20260101.gz",
        "/var/lib/mt-agent/journal.jsonl",
        "/var/lib/mt-agent/saved/s/%etc%fstab",
        "/var/lib/mt-agent/custom-changes/install",
    ];
    open.iter().for_each(|path| world.file(path, ""));
    let modes =
        "stat -c '%a %n' /var/log/mt-agent.log* /var/lib/mt-agent /var/lib/mt-agent/* /var/lib/mt-agent/*/*";
    let output = world.run(
        &format!(
            "chmod 755 /var/lib/mt-agent /var/lib/mt-agent/custom-changes/install
            {modes} >/var/tmp/before
            for verb in check plan history facts state; do $AGENT $verb >/var/tmp/$verb 2>&1; done
            {modes} >/var/tmp/looked
            $AGENT apply --yes --only packages.base >/var/tmp/first 2>&1
            {modes} >/var/tmp/closed
            $AGENT apply --yes --only packages.base >/var/tmp/second 2>&1
            $AGENT check >/var/tmp/after 2>&1
            {modes} >/var/tmp/again"
        ),
        &[],
    );
    let left = |name: &str| world.left(&format!("/var/tmp/{name}"));
    assert_eq!(left("before"), left("looked"), "{output:?}");
    // A page for people is as wide as a terminal.
    let said = |name: &str| left(name).split_whitespace().collect::<Vec<_>>().join(" ");
    for verb in ["check", "plan", "history", "state"] {
        assert!(
            said(verb).contains("other users can read /var/log/mt-agent.log (mode 0644), "),
            "{}",
            said(verb)
        );
    }
    let first = said("first");
    assert_eq!(
        first.matches("closed to other users: /var/log/mt-agent.log (mode 0644), ").count(),
        1,
        "{first}"
    );
    for (name, word) in [("second", "closed to other"), ("after", "other users can read")] {
        assert!(!said(name).contains(word), "{}", said(name));
    }
    assert_eq!(left("closed"), left("again"));
    for line in left("closed").lines() {
        let (mode, path) = line.split_once(' ').unwrap();
        let expected = match path {
            "/var/lib/mt-agent" | "/var/lib/mt-agent/saved" | "/var/lib/mt-agent/saved/s" => "700",
            // As the file was, and as the vendor's installer needs it.
            "/var/lib/mt-agent/saved/s/%etc%fstab" => "644",
            path if path.contains("/custom-changes") && !path.ends_with(".json") => "755",
            _ => "600",
        };
        assert_eq!(mode, expected, "{path}");
    }
}

#[test]
fn copies_of_what_was_private_stay_private() {
    let dir = tempfile::tempdir().unwrap();
    let host = Host::image(dir.path());
    fs::create_dir_all(dir.path().join("etc")).unwrap();
    let file = dir.path().join("etc/multipath.conf");
    fs::write(&file, "password=Hidden\n").unwrap();
    for mode in [0o600, 0o640, 0o400] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let copy = saved::keep(&host, "/etc/multipath.conf", &format!("s{mode:o}")).unwrap().unwrap();
        assert_eq!(copy.metadata().unwrap().mode() & 0o7777, mode);
        for above in copy.ancestors().skip(1).take(3) {
            assert_eq!(above.metadata().unwrap().mode() & 0o7777, 0o700, "{}", above.display());
        }
    }
}
