//! Passwords, passphrases and credentials reach no log, no journal, no report, no facts and no message: the
//! real binary in a world full of them.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "files of a test are not the host's")]

mod support;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use mt_agent::changes::saved;
use mt_agent::host::Host;

use support::need_root;
use support::server::{Answer, Server};
use support::world::World;

/// Every secret in the world has this in it.
const SECRET: &str = "Hidden";

const RPM: &str = r#"
case "$1" in
-qa) printf 'bash\t4.1-1\n' ;;
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

fn world() -> World {
    let world = World::new();
    world.tool("rpm", RPM);
    world.tool("yum", YUM);
    world.file("/var/lib/rpm/Packages", "");
    world.file("/etc/redhat-release", "CentOS release 6.6 (Final)\n");
    world.file("/etc/mt-agent/profile.yaml", PROFILE);
    world.file("/etc/wrong.yaml", "extends: centos-6.6\nfiles:\n  from: http://user:HiddenWrong@h/x\n");
    world.file("/etc/fstab", "//server/x /y cifs username=u,password=HiddenFstab 0 0\n");
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
        for verb in check plan disks facts history 'profile show'; do
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
