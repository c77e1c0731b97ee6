//! Package files taken or fetched, verified by real signatures, and installed by the real rpm.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "files of a test are not the host's")]

mod support;

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use mt_agent::changes::packages::install_files_with;
use mt_agent::changes::{Context, Done, PackageFile};
use mt_agent::host::Host;
use mt_agent::host::sum::sha256;
use mt_agent::platform::packages::{Database, version};
use mt_agent::profile::{Profile, Unverified};

use support::rpms::Desk;
use support::server::{Answer, Server};
use support::{NAMES, PATIENCE, Seen, contains, profile, tool};

/// What a test works with: a place that stands for /usr/local, and a profile that names it.
struct Place {
    desk: Desk,
    profile: Profile,
    seen: Seen,
}

impl Place {
    fn new() -> Self {
        let desk = Desk::new();
        let mut profile = profile();
        profile.files.directory = desk.dir().join("local").into();
        fs::create_dir(&profile.files.directory).unwrap();
        Self { desk, profile, seen: Seen::default() }
    }

    fn install(&mut self, files: &[PackageFile]) -> Result<Done, String> {
        self.seen = Seen::default();
        let host = Host::live();
        let mut context =
            Context { host: &host, profile: &self.profile, boot_id: "boot", observer: &mut self.seen };
        install_files_with(&mut context, Database::Rpm, files).map_err(|error| {
            let error = format!("{error:#}");
            assert!(!error.contains('\n'), "{error}");
            error
        })
    }

    /// What lies in the place that stands for /usr/local.
    fn kept(&self) -> Vec<String> {
        Host::live().list(&self.profile.files.directory).unwrap()
    }

    fn local(&self, name: &str) -> PathBuf {
        self.profile.files.directory.join(name)
    }

    /// Takes the package out again.
    fn remove(&self, name: &str) {
        tool("rpm", &["-e", name]);
    }
}

fn spec(name: &str, path: &Path, urls: &[String]) -> PackageFile {
    PackageFile {
        package: format!("mt-agent-test-{name}"),
        file: path.file_name().unwrap().to_str().unwrap().into(),
        urls: urls.to_vec(),
        sha256: None,
        collected_sha256: None,
    }
}

fn sum(path: &Path) -> String {
    sha256(&File::open(path).unwrap(), 1 << 30, PATIENCE).unwrap().0
}

#[test]
fn a_pinned_file_is_fetched_once_installed_and_kept() {
    let mut place = Place::new();
    let (a, b) = (place.desk.package("a", "Requires: mt-agent-test-b"), place.desk.package("b", ""));
    let (mirror_a, mirror_b) = (Server::new(&fs::read(&a).unwrap()), Server::new(&fs::read(&b).unwrap()));
    let mut files = [spec("a", &a, &[mirror_a.url("/a")]), spec("b", &b, &[mirror_b.url("/b")])];
    for (file, path) in files.iter_mut().zip([&a, &b]) {
        file.sha256 = Some(sum(path));
    }
    // `a` needs `b`: only one transaction installs both.
    let done = place.install(&files).unwrap();
    assert_eq!(done, Done::Changed("installed mt-agent-test-a 1.0-1, mt-agent-test-b 1.0-1".into()));
    assert_eq!(place.kept(), ["mt-agent-test-a-1.0-1.noarch.rpm", "mt-agent-test-b-1.0-1.noarch.rpm"]);
    assert_eq!(place.local(&files[0].file).metadata().unwrap().mode() & 0o777, 0o644);
    let told = place.seen.log.join("\n");
    contains(&told, "verified by its SHA-256");
    contains(&told, "run: rpm -iv ");

    assert_eq!(place.install(&files), Ok(Done::Unchanged));
    assert!(!place.seen.ran("rpm"));
    // Installed anew from what is there already.
    place.remove("mt-agent-test-a");
    assert_eq!(place.install(&files), Ok(Done::Changed("installed mt-agent-test-a 1.0-1".into())));
    contains(&place.seen.log.join("\n"), "already there, verified by its SHA-256");
    assert_eq!(mirror_a.asked().len(), 1);
}

#[test]
fn a_signature_counts_only_with_a_key_that_was_imported() {
    let mut place = Place::new();
    let a = place.desk.package("a", "");
    let key = place.desk.sign(&[&a]);
    let server = Server::new(&fs::read(&a).unwrap());
    let files = [spec("a", &a, &[server.url("/a")])];
    let error = place.install(&files).unwrap_err();
    contains(
        &error,
        &format!("it cannot be verified: it is signed with key {key}, which was not imported; pin its"),
    );
    contains(&error, &sum(&a));
    assert!(place.kept().is_empty(), "{:?}", place.kept());
    tool("rpm", &["--import", place.desk.key().to_str().unwrap()]);
    assert_eq!(place.install(&files), Ok(Done::Changed("installed mt-agent-test-a 1.0-1".into())));
    contains(&place.seen.log.join("\n"), &format!("verified by its signature with key {key}"));
}

/// Files of another user: of a terabyte, which takes no room; of another kind; and one that is one.
#[test]
fn the_sum_of_a_file_that_others_can_write_is_bounded() {
    let mut place = Place::new();
    let a = place.desk.package("a", "");
    let from = place.desk.dir().join("from");
    fs::create_dir(&from).unwrap();
    place.profile.files.from = Some(from.clone().into());
    let files = [spec("a", &a, &[])];
    let copy = from.join(&files[0].file);
    fs::copy(&a, &copy).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o666)).unwrap();
    let error = place.install(&files).unwrap_err();
    contains(&error, &format!("or pin it in the profile (`sha256: {}`)", sum(&a)));
    File::options().write(true).open(&copy).unwrap().set_len(1 << 40).unwrap();
    contains(&place.install(&files).unwrap_err(), "it has more than 512 MiB");
    fs::write(&copy, "no package").unwrap();
    contains(&place.install(&files).unwrap_err(), "it is no rpm package");
}

#[test]
fn digests_alone_prove_nothing_unless_the_profile_says_so() {
    let mut place = Place::new();
    let a = place.desk.package("a", "");
    let server = Server::new(&fs::read(&a).unwrap());
    let files = [spec("a", &a, &[server.url("/a")])];
    let error = place.install(&files).unwrap_err();
    contains(&error, "no copy of mt-agent-test-a-1.0-1.noarch.rpm could be had: http://127.0.0.1:");
    contains(&error, "it cannot be verified: it has no signature; pin its SHA-256");
    place.profile.files.unverified = Unverified::InstallWithoutVerification;
    assert!(matches!(place.install(&files), Ok(Done::Changed(_))));
    contains(&place.seen.progress.join("\n"), "NOT VERIFIED, as the profile accepts: it has no signature");
}

#[test]
fn a_changed_file_is_refused_whatever_the_profile_says() {
    let mut place = Place::new();
    let a = place.desk.package("a", "");
    place.desk.sign(&[&a]);
    tool("rpm", &["--import", place.desk.key().to_str().unwrap()]);
    let mut bytes = fs::read(&a).unwrap();
    let last = bytes.len() - 3;
    bytes[last] ^= 1;
    let server = Server::new(&bytes);
    place.profile.files.unverified = Unverified::InstallWithoutVerification;
    let mut files = [spec("a", &a, &[server.url("/a")])];
    contains(&place.install(&files).unwrap_err(), "its signature or digest is wrong (");
    files[0].sha256 = Some(sum(&a));
    let error = place.install(&files).unwrap_err();
    contains(&error, &format!("but the profile pins {}: it is another file, or damaged", sum(&a)));
    assert!(place.kept().is_empty(), "{:?}", place.kept());
}

#[test]
fn mirrors_are_tried_in_turn_and_each_reason_is_kept() {
    let mut place = Place::new();
    let a = place.desk.package("a", "");
    let b = place.desk.package("b", "");
    let (gone, page, wrong) =
        (Server::new(b""), Server::new(b"<html>login"), Server::new(&fs::read(&b).unwrap()));
    gone.answers(&[Answer::Status("404 Not Found"), Answer::Status("404 Not Found")]);
    let secret = gone.url("/a").replace("http://", "http://user:secret@");
    let mut files = [spec("a", &a, &[secret, page.url("/a"), wrong.url("/a")])];
    place.profile.files.unverified = Unverified::InstallWithoutVerification;
    let error = place.install(&files).unwrap_err();
    contains(&error, "/a: the server answered 404 Not Found; ");
    contains(&error, "it is no rpm package but a web page; ");
    contains(&error, "it is the package mt-agent-test-b, not mt-agent-test-a");
    assert!(!error.contains("secret") && !place.seen.log.join("\n").contains("secret"), "{error}");
    assert!(place.kept().is_empty(), "{:?}", place.kept());
    let good = Server::new(&fs::read(&a).unwrap());
    files[0].urls.push(good.url("/a"));
    assert!(matches!(place.install(&files), Ok(Done::Changed(_))));
}

#[test]
fn a_given_directory_is_used_instead_of_the_network() {
    let mut place = Place::new();
    let a = place.desk.package("a", "");
    let from = place.desk.dir().join("from");
    fs::create_dir(&from).unwrap();
    place.profile.files.from = Some(from.clone().into());
    let mut files = [spec("a", &a, &["http://127.0.0.1:9/never".into()])];
    files[0].sha256 = Some(sum(&a));
    let error = place.install(&files).unwrap_err();
    assert_eq!(
        error,
        format!(
            "no copy of {0} could be had: {1}: there is no {0}: copy it there",
            files[0].file,
            from.display()
        )
    );
    fs::copy(&a, from.join(&files[0].file)).unwrap();
    // Others may write there: it is the copy that is verified and installed.
    fs::set_permissions(&from, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(matches!(place.install(&files), Ok(Done::Changed(_))));
    contains(&place.seen.log.join("\n"), &format!("from {}, verified by its SHA-256", from.display()));
    assert_eq!(place.kept(), [files[0].file.clone()]);
}

#[test]
fn what_others_could_change_is_not_installed() {
    let mut place = Place::new();
    let a = place.desk.package("a", "");
    let server = Server::new(&fs::read(&a).unwrap());
    let mut files = [spec("a", &a, &[server.url("/a")])];
    files[0].sha256 = Some(sum(&a));
    let local = place.profile.files.directory.to_path_buf();
    fs::set_permissions(&local, fs::Permissions::from_mode(0o777)).unwrap();
    let error = place.install(&files).unwrap_err();
    contains(&error, "keeping package files (files.directory): ");
    contains(&error, "users other than root can write ");
    contains(
        &error,
        &format!("mode 0777): choose another directory, or run `chmod go-w {}`", local.display()),
    );
    assert!(server.asked().is_empty());
    fs::set_permissions(&local, fs::Permissions::from_mode(0o755)).unwrap();

    // The right file, but somebody else's, and a link to the right file: neither is used.
    let target = place.local(&files[0].file);
    fs::copy(&a, &target).unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o666)).unwrap();
    assert!(matches!(place.install(&files), Ok(Done::Changed(_))));
    contains(
        &place.seen.progress[0],
        &format!("mode 0666): run `chmod go-w {}`; getting another", target.display()),
    );
    place.remove("mt-agent-test-a");
    fs::remove_file(&target).unwrap();
    symlink(&a, &target).unwrap();
    assert!(matches!(place.install(&files), Ok(Done::Changed(_))));
    contains(&place.seen.progress[0], "is a symbolic link, not a regular file");
    assert!(target.symlink_metadata().unwrap().is_file());
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn what_rpm_refuses_is_told_and_names_are_checked() {
    let mut place = Place::new();
    let a = place.desk.package("a", "Requires: mt-agent-test-nowhere");
    let server = Server::new(&fs::read(&a).unwrap());
    let mut files = [spec("a", &a, &[server.url("/a")])];
    files[0].sha256 = Some(sum(&a));
    let error = place.install(&files).unwrap_err();
    contains(&error, "rpm did not install mt-agent-test-a: mt-agent-test-nowhere is needed by");
    for name in ["../x.rpm", "-x.rpm", "/etc/x.rpm"] {
        files[0].file = name.into();
        contains(
            &place.install(&files).unwrap_err(),
            &format!("`{name}` cannot be the name of a package file"),
        );
    }
}

#[test]
fn a_mirror_that_trickles_takes_its_share_and_comes_last_the_next_time() {
    let mut place = Place::new();
    let a = place.desk.package("a", "");
    let bytes = fs::read(&a).unwrap();
    let (slow, other) = (Server::new(&bytes), Server::new(&bytes));
    slow.answers(&vec![Answer::Trickle; 20]);
    other.answers(&[Answer::Status("404 Not Found")]);
    let mut files = [spec("a", &a, &[slow.url("/a"), other.url("/a")])];
    files[0].sha256 = Some(sum(&a));
    place.profile.files.deadline = Duration::from_secs(20).into();
    let error = place.install(&files).unwrap_err();
    contains(&error, "the server answered 404 Not Found");
    contains(&place.seen.log.join("\n"), "its share of the time was over after ");
    // With nobody else it was asked again, and went on.
    let ranges: Vec<_> = slow.asked().iter().map(|asked| asked.header("range").is_some()).collect();
    assert_eq!(ranges[..2], [false, true]);
    let before = slow.asked().len();
    place.profile.files.deadline = PATIENCE.into();
    assert!(matches!(place.install(&files), Ok(Done::Changed(_))));
    assert_eq!(slow.asked().len(), before);
    // And with both in one run, the good one has its turn.
    place.remove("mt-agent-test-a");
    fs::remove_file(place.local(&files[0].file)).unwrap();
    assert!(matches!(place.install(&files), Ok(Done::Changed(_))));
    contains(&place.seen.log.join("\n"), " bytes came in ");
    assert_eq!(place.kept(), [files[0].file.clone()]);
}

/// A file system of its own; unmounted in the end.
struct Small(PathBuf);

impl Drop for Small {
    fn drop(&mut self) {
        tool("umount", &[self.0.to_str().unwrap()]);
    }
}

#[test]
fn a_full_disk_is_left_as_it_was() {
    let mut place = Place::new();
    let a = place.desk.package("a", "");
    let large = Server::new(&[7; 300_000]);
    let other = Server::new(&[7; 300_000]);
    let mut files = [spec("a", &a, &[large.url("/a"), other.url("/a")])];
    files[0].sha256 = Some(sum(&a));
    let local = place.profile.files.directory.to_path_buf();
    tool("mount", &["-t", "tmpfs", "-o", "size=64k,mode=755", "small", local.to_str().unwrap()]);
    let _small = Small(local.clone());
    let error = place.install(&files).unwrap_err();
    let said = format!(": 292.9 KiB are needed and 64 KiB free in {}; make room there", local.display());
    contains(&error, &said);
    contains(&error, "No space left on device");
    assert!(place.kept().is_empty(), "{:?}", place.kept());
    assert!(other.asked().is_empty(), "there is no room for its copy either");
    // So does a copy from a directory.
    let from = place.desk.dir().join("from");
    fs::create_dir(&from).unwrap();
    fs::write(from.join(&files[0].file), [7; 300_000]).unwrap();
    place.profile.files.from = Some(from.into());
    contains(&place.install(&files).unwrap_err(), &said);
    assert!(place.kept().is_empty(), "{:?}", place.kept());
}

#[test]
fn directories_may_have_any_name() {
    let mut place = Place::new();
    let a = place.desk.package("a", "");
    let mut files = [spec("a", &a, &[])];
    files[0].sha256 = Some(sum(&a));
    let (local, from) = (place.profile.files.directory.to_path_buf(), place.desk.dir().join("from"));
    for name in NAMES {
        // What a pattern would find.
        for decoy in ["x", "a", "b"] {
            fs::create_dir_all(local.join(decoy)).unwrap();
        }
        place.profile.files.directory = local.join(name).into();
        place.profile.files.from = Some(from.join(name).into());
        fs::create_dir_all(from.join(name)).unwrap();
        fs::copy(&a, from.join(name).join(&files[0].file)).unwrap();
        let done = place.install(&files);
        assert_eq!(done, Ok(Done::Changed("installed mt-agent-test-a 1.0-1".into())), "{name}");
        place.remove("mt-agent-test-a");
    }
}

#[test]
fn another_version_than_the_profile_s_is_refused_however_well_it_is_signed() {
    let mut place = Place::new();
    let (old, new) = (place.desk.edition("a", "0.9", ""), place.desk.package("a", ""));
    place.desk.sign(&[&old]);
    tool("rpm", &["--import", place.desk.key().to_str().unwrap()]);
    let server = Server::new(&fs::read(&old).unwrap());
    let mut files = [spec("a", &new, &[server.url("/a")])];
    contains(
        &place.install(&files).unwrap_err(),
        "it is mt-agent-test-a-0.9-1.noarch, but the profile names mt-agent-test-a-1.0-1.noarch.rpm: another version; pin",
    );
    assert!(place.kept().is_empty(), "{:?}", place.kept());
    files[0].sha256 = Some(sum(&old));
    assert_eq!(place.install(&files), Ok(Done::Changed("installed mt-agent-test-a 0.9-1".into())));
}

#[test]
fn a_text_is_no_package_and_leads_nowhere() {
    let mut place = Place::new();
    let a = place.desk.package("a", "");
    let evil = Server::new(&fs::read(&a).unwrap());
    // rpm takes it for a list, and its lines for packages.
    let list = Server::new(format!("{}\n", evil.url("/a.rpm")).as_bytes());
    let files = [spec("a", &a, &[list.url("/a")])];
    place.profile.files.unverified = Unverified::InstallWithoutVerification;
    contains(&place.install(&files).unwrap_err(), "it is no rpm package");
    assert!(evil.asked().is_empty(), "{:?}", evil.asked());
}

#[test]
fn versions_are_compared_as_rpm_does() {
    const PIECES: [&str; 18] = [
        "1",
        "01",
        "10",
        "1.0",
        "1.0.0",
        "1.",
        "a",
        "1a",
        "a1",
        "1.0~rc1",
        "1.0~",
        "1.0^",
        "1.0^git1",
        "2.12",
        "2.6.32",
        "504.el6",
        "1.149.el6_6.5",
        "1_0",
    ];
    for a in PIECES {
        let lines: Vec<String> =
            PIECES.iter().map(|b| format!("%{{lua: print(rpm.vercmp('{a}', '{b}'))}}")).collect();
        let args: Vec<&str> = lines.iter().flat_map(|line| ["--eval", line]).collect();
        let said = String::from_utf8(tool("rpm", &args).stdout).unwrap();
        let ours: Vec<String> = PIECES.iter().map(|b| (version::compare(a, b) as i8).to_string()).collect();
        let theirs: Vec<&str> = said.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(theirs, ours, "{a}");
    }
}

#[test]
fn a_transaction_that_takes_too_long_ends_after_the_scriptlet_that_is_at_work() {
    let mut place = Place::new();
    let done = place.desk.dir().join("done");
    // What rpm runs is in its process group, and would be ended by a signal to that.
    let package = place.desk.package(
        "a",
        &format!("Provides: /bin/sh\n%post\nsleep 5 || exit 1\necho whole >{}", done.display()),
    );
    place.profile.files.from = package.parent().map(|directory| directory.to_owned().into());
    place.profile.files.unverified = Unverified::InstallWithoutVerification;
    place.profile.packages.deadline = Duration::from_secs(1).into();
    let error = place.install(&[spec("a", &package, &[])]).unwrap_err();
    contains(&error, "did not end within 1 s and was stopped");
    assert_eq!(fs::read_to_string(&done).unwrap(), "whole\n");
    // The package is whole, and the next run finds it so.
    tool("rpm", &["-V", "mt-agent-test-a"]);
    place.profile.packages.deadline = Duration::from_secs(600).into();
    assert_eq!(place.install(&[spec("a", &package, &[])]), Ok(Done::Unchanged));
    place.remove("mt-agent-test-a");
}
