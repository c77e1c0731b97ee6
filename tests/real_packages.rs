//! Real transactions of dnf against a repository made on the spot.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "files of a test are not the host's")]

mod support;

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use mt_agent::changes::packages::install_with;
use mt_agent::changes::{Context, Done};
use mt_agent::facts::{Fact, packages};
use mt_agent::host::Host;
use mt_agent::platform::packages::Manager;
use mt_agent::profile::Profile;

use support::rpms::Desk;
use support::{PATIENCE, Seen, contains, profile, tool};

fn install(profile: &Profile, seen: &mut Seen, names: &[&str]) -> Result<Done, String> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let host = Host::live();
    let mut context = Context { host: &host, profile, boot_id: "boot", observer: seen };
    install_with(&mut context, Manager::Dnf, &names).map_err(|error| format!("{error:#}"))
}

fn short() -> Profile {
    let mut profile = profile();
    profile.packages.lock_timeout = Duration::from_secs(4).into();
    profile.packages.deadline = PATIENCE.into();
    profile
}

#[test]
fn all_that_is_missing_comes_in_one_transaction_and_a_second_run_asks_only_rpm() {
    let mut desk = Desk::new();
    desk.package("a", "");
    desk.package("b", "");
    desk.package("needed", "");
    desk.repository();
    let mut seen = Seen::default();
    assert!(matches!(install(&short(), &mut seen, &["mt-agent-test-a"]), Ok(Done::Changed(_))));
    let names = ["mt-agent-test-a", "mt-agent-test-b", "mt-agent-test-needed"];
    let mut seen = Seen::default();
    let done = install(&short(), &mut seen, &names).unwrap();
    assert_eq!(done, Done::Changed("installed mt-agent-test-b 1.0-1, mt-agent-test-needed 1.0-1".into()));
    let runs: Vec<_> = seen.log.iter().filter(|line| line.starts_with("run: dnf")).collect();
    let run = "run: dnf -y --setopt=exit_on_lock=1 --setopt=protected_packages=mt-agent-test-a install mt-agent-test-b \
               mt-agent-test-needed";
    assert_eq!(runs, [run]);
    assert!(seen.progress.iter().any(|line| line.contains("Complete!")), "{:?}", seen.progress);

    let mut seen = Seen::default();
    assert_eq!(install(&short(), &mut seen, &names), Ok(Done::Unchanged));
    assert!(!seen.ran("dnf"));
}

#[test]
fn what_is_nowhere_is_named_with_what_the_manager_said() {
    let mut desk = Desk::new();
    desk.package("a", "");
    desk.repository();
    let error =
        install(&short(), &mut Seen::default(), &["mt-agent-test-a", "mt-agent-test-none"]).unwrap_err();
    contains(&error, "dnf did not install mt-agent-test-a, mt-agent-test-none: ");
    contains(&error, "No match for argument: mt-agent-test-none");
    assert!(!error.contains('\n'), "{error}");
}

#[test]
fn nothing_is_removed_for_what_it_obsoletes_neither_asked_for_nor_needed() {
    let mut desk = Desk::new();
    desk.package("old", "");
    desk.repository();
    install(&short(), &mut Seen::default(), &["mt-agent-test-old"]).unwrap();
    desk.package("other", "");
    desk.package("lib", "Obsoletes: mt-agent-test-old < 2\n");
    desk.package("new", "Requires: mt-agent-test-lib\n");
    desk.repository();
    for wanted in ["mt-agent-test-new", "mt-agent-test-lib"] {
        let error = install(&short(), &mut Seen::default(), &["mt-agent-test-other", wanted]).unwrap_err();
        contains(&error, &format!("dnf did not install mt-agent-test-other, {wanted}: "));
        contains(&error, "mt-agent-test-old");
        contains(&error, "would take another package off this host, which the agent does not");
        tool("rpm", &["-q", "mt-agent-test-old"]);
    }
    // A newer edition of what is there is no removal.
    desk.edition("old", "2.0", "");
    desk.package("wants", "Requires: mt-agent-test-old >= 2\n");
    desk.repository();
    install(&short(), &mut Seen::default(), &["mt-agent-test-wants"]).unwrap();
    tool("rpm", &["-q", "mt-agent-test-old-2.0-1"]);
}

#[test]
fn the_database_is_believed_and_not_the_status() {
    let mut desk = Desk::new();
    // A failing %post leaves the package installed; a failing %pre does not.
    desk.package("post", "%post -p <lua>\nerror('no')\n");
    desk.package("pre", "%pre -p <lua>\nerror('no')\n");
    desk.repository();
    let done = install(&short(), &mut Seen::default(), &["mt-agent-test-post"]).unwrap();
    assert_eq!(done, Done::Changed("installed mt-agent-test-post 1.0-1".into()));
    let error = install(&short(), &mut Seen::default(), &["mt-agent-test-pre"]).unwrap_err();
    contains(&error, "dnf did not install mt-agent-test-pre: ");
    contains(&error, "scriptlet");
}

#[test]
fn an_image_at_a_path_that_rpm_would_expand_is_refused_and_nothing_of_it_runs() {
    let desk = Desk::new();
    desk.package("a", "");
    let file = desk.dir().join("build/RPMS/noarch/mt-agent-test-a-1.0-1.noarch.rpm");
    tool("rpm", &["-i", file.to_str().unwrap()]);
    let database = String::from_utf8(tool("rpm", &["-E", "%{_dbpath}"]).stdout).unwrap();
    let top = tempfile::tempdir().unwrap();
    let image = |name: &str| {
        let tree = top.path().join(name);
        fs::create_dir_all(tree.join("var/lib")).unwrap();
        fs::create_dir_all(tree.join("etc")).unwrap();
        fs::write(tree.join("etc/redhat-release"), "CentOS release 6.6 (Final)\n").unwrap();
        tool("cp", &["-a", database.trim(), tree.join("var/lib/rpm").to_str().unwrap()]);
        packages::load(&Host::image(tree))
    };
    let Fact::Known(plain) = image("image, [1] {x}") else { panic!() };
    assert!(plain.installed.contains_key("mt-agent-test-a"), "{plain:?}");
    // rpm runs what stands in `%(...)`.
    for name in ["50%off", "%{_tmppath}", "%(kill -9 $PPID)"] {
        let Fact::Unknown(why) = image(name) else { panic!("{name}") };
        contains(&why, "has a `%`, which rpm would expand: mount the image at a path without one");
    }
}

#[test]
fn what_rpm_has_twice_is_told_until_the_old_one_is_gone() {
    let desk = Desk::new();
    let edition = |name: &str, version: &str| desk.edition(name, version, "").to_str().unwrap().to_owned();
    let once = edition("b", "1.0");
    let (old, new) = (edition("a", "1.0"), edition("a", "2.0"));
    // As an update leaves them that ends before the old one is taken out.
    for file in [&once, &old, &new] {
        tool("rpm", &["-i", file]);
    }
    let database = String::from_utf8(tool("rpm", &["-E", "%{_dbpath}"]).stdout).unwrap();
    let load = || {
        let tree = tempfile::tempdir().unwrap();
        fs::create_dir_all(tree.path().join("var/lib")).unwrap();
        fs::create_dir_all(tree.path().join("etc")).unwrap();
        fs::write(tree.path().join("etc/redhat-release"), "CentOS release 6.6 (Final)\n").unwrap();
        tool("cp", &["-a", database.trim(), tree.path().join("var/lib/rpm").to_str().unwrap()]);
        match packages::load(&Host::image(tree.path())) {
            Fact::Known(packages) => packages,
            other => panic!("{other:?}"),
        }
    };
    let both = load();
    tool("rpm", &["-e", "mt-agent-test-a-1.0-1"]);
    assert_eq!(both.duplicates, ["mt-agent-test-a 1.0-1 and 2.0-1"]);
    assert_eq!(both.installed["mt-agent-test-a"], "1.0-1, 2.0-1");
    assert_eq!(load().duplicates, [""; 0]);
}

#[test]
fn no_repository_is_told_as_such() {
    let mut desk = Desk::new();
    desk.package("a", "");
    desk.repository();
    let repository = Path::new("/etc/yum.repos.d/mt-agent-test.repo");
    let text = fs::read_to_string(repository).unwrap();
    let text = text.replace("build/RPMS", "nowhere").replace("[mt-agent-test]", "[mt-agent-test-gone]");
    fs::write(repository, text).unwrap();
    let error = install(&short(), &mut Seen::default(), &["mt-agent-test-a"]).unwrap_err();
    contains(&error, "dnf did not install mt-agent-test-a: ");
    contains(&error, "no repository answers: CentOS 6 has left the mirrors");
}

/// dnf's lock: a file with the number of a process that lives.
struct Held(PathBuf);

impl Held {
    fn by(pid: u32) -> Self {
        let path = PathBuf::from("/var/cache/dnf/metadata_lock.pid");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, pid.to_string()).unwrap();
        Self(path)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn a_held_lock_is_waited_for_and_its_holder_named() {
    let mut desk = Desk::new();
    desk.package("a", "");
    desk.repository();
    let held = Held::by(std::process::id());
    let started = Instant::now();
    let mut seen = Seen::default();
    let error = install(&short(), &mut seen, &["mt-agent-test-a"]).unwrap_err();
    let own = format!("process {} (", std::process::id());
    contains(&error, &format!("dnf did not install mt-agent-test-a: {own}"));
    contains(&error, "holds the lock of dnf, for more than 4 s: let it end, then apply again");
    assert!(started.elapsed() >= Duration::from_secs(4) && started.elapsed() < PATIENCE);
    let told: Vec<_> = seen.progress.iter().filter(|line| line.contains("waiting up to 4 s")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    contains(told[0], &own);

    // It is let go while we wait.
    let mut profile = short();
    profile.packages.lock_timeout = PATIENCE.into();
    let waiting = thread::spawn(move || {
        thread::sleep(Duration::from_secs(3));
        drop(held);
    });
    let done = install(&profile, &mut Seen::default(), &["mt-agent-test-a"]).unwrap();
    assert_eq!(done, Done::Changed("installed mt-agent-test-a 1.0-1".into()));
    waiting.join().unwrap();
}

#[test]
fn rpms_own_lock_is_waited_for_before_anything_is_started() {
    let mut desk = Desk::new();
    desk.package("a", "");
    desk.repository();
    let path = String::from_utf8(tool("rpm", &["-E", "%{_dbpath}"]).stdout).unwrap();
    let lock = Path::new(path.trim()).join(".rpm.lock");
    // In a process of its own: nobody waits for a lock of his own. A reader's lock, without a process, by another user.
    let program = "import fcntl, os, struct, sys, time\n\
        open(sys.argv[1], 'a').close()\n\
        os.chmod(sys.argv[1], 0o644)\n\
        file = os.open(sys.argv[1], os.O_RDONLY)\n\
        os.setuid(65534)\n\
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, struct.pack('hhqqi4x', fcntl.F_RDLCK, 0, 0, 0, 0))\n\
        print('x', flush=True)\n\
        time.sleep(3600)\n";
    let mut holds = Command::new("/usr/bin/python3")
        .args(["-c", program])
        .arg(&lock)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    holds.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    let mut seen = Seen::default();
    let error = install(&short(), &mut seen, &["mt-agent-test-a"]).unwrap_err();
    holds.kill().unwrap();
    contains(
        &error,
        &format!("process {} (/usr/bin/python3, uid 65534), with {}, which ", holds.id(), lock.display()),
    );
    contains(&error, "users other than root can lock, holds the lock of rpm, for more than 4 s");
    assert!(!seen.ran("dnf"));
    holds.wait().unwrap();
    assert!(matches!(install(&short(), &mut Seen::default(), &["mt-agent-test-a"]), Ok(Done::Changed(_))));
}
