//! Package files taken or fetched, verified by real signatures, and installed by the real rpm.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "files of a test are not the host's")]

mod support;

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use mt_agent::changes::packages::install_files_with_rpm;
use mt_agent::changes::{Context, Done};
use mt_agent::host::Host;
use mt_agent::host::sum::sha256;
use mt_agent::profile::{FileSpec, Profile};

use support::rpms::Desk;
use support::server::{Answer, Server};
use support::{Seen, contains, profile, tool};

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
        profile.files.directory = desk.dir().join("local");
        fs::create_dir(&profile.files.directory).unwrap();
        Self { desk, profile, seen: Seen::default() }
    }

    fn install(&mut self, files: &[FileSpec]) -> Result<Done, String> {
        self.seen = Seen::default();
        let host = Host::live();
        let mut context =
            Context { host: &host, profile: &self.profile, boot_id: "boot", observer: &mut self.seen };
        install_files_with_rpm(&mut context, files).map_err(|error| {
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

fn spec(name: &str, path: &Path, urls: &[String]) -> FileSpec {
    FileSpec {
        package: format!("mt-agent-test-{name}"),
        file: path.file_name().unwrap().to_str().unwrap().into(),
        urls: urls.to_vec(),
        sha256: None,
    }
}

fn sum(path: &Path) -> String {
    sha256(&File::open(path).unwrap()).unwrap().0
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

#[test]
fn digests_alone_prove_nothing_unless_the_profile_says_so() {
    let mut place = Place::new();
    let a = place.desk.package("a", "");
    let server = Server::new(&fs::read(&a).unwrap());
    let files = [spec("a", &a, &[server.url("/a")])];
    let error = place.install(&files).unwrap_err();
    contains(&error, "no copy of mt-agent-test-a-1.0-1.noarch.rpm could be had: http://127.0.0.1:");
    contains(&error, "it cannot be verified: it has no signature; pin its SHA-256");
    place.profile.files.accept_unverified = true;
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
    place.profile.files.accept_unverified = true;
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
    place.profile.files.accept_unverified = true;
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
    place.profile.files.from = Some(from.clone());
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
    let local = place.profile.files.directory.clone();
    fs::set_permissions(&local, fs::Permissions::from_mode(0o777)).unwrap();
    let error = place.install(&files).unwrap_err();
    contains(&error, "keeping package files (files.directory): ");
    contains(&error, "others than root can write ");
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
