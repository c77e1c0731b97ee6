//! The rule in real directories: root makes them, and gives some away.

use std::fs::{self, Permissions};
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use mt_agent::host::Host;
use mt_agent::host::trust::{destination, directory, file, look, make_directory, place, record};
use tempfile::TempDir;

use crate::support::need_root;

const NOBODY: u32 = 65534;

/// A directory of root's, in the sticky /tmp.
fn desk() -> TempDir {
    need_root();
    tempfile::Builder::new().prefix("mt-agent trust's ").tempdir_in("/tmp").unwrap()
}

fn put(path: &Path, content: &str, mode: u32) {
    let parent = path.parent().unwrap();
    if !parent.exists() {
        fs::create_dir_all(parent).unwrap();
    }
    fs::write(path, content).unwrap();
    to(path, mode);
}

fn to(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn give(path: &Path) {
    lchown(path, Some(NOBODY), Some(NOBODY)).unwrap();
}

fn text(path: &Path) -> Result<String> {
    let mut text = String::new();
    file(path)?.read_to_string(&mut text)?;
    Ok(text)
}

fn refused(path: &Path) -> String {
    format!("{:#}", file(path).unwrap_err())
}

/// Runs what the refusal names between backquotes, as a person would.
fn obey(refusal: &str) {
    let command = refusal.split('`').nth(1).unwrap_or_else(|| panic!("no command: {refusal}"));
    let ran = std::process::Command::new("sh").args(["-ec", command]).output().unwrap();
    assert!(ran.status.success(), "{command}: {ran:?}");
}

#[test]
fn what_root_alone_can_write_is_read_also_in_tmp() {
    let desk = desk();
    let path = desk.path().join("a");
    for mode in [0o644, 0o600, 0o444, 0o755, 0o4755, 0o660] {
        put(&path, "root's", mode);
        assert_eq!(text(&path).unwrap(), "root's", "{mode:o}");
    }
    assert!(text(Path::new("/etc/passwd")).unwrap().starts_with("root:"));
    assert_eq!(directory(desk.path()).unwrap(), desk.path());
}

#[test]
fn all_that_is_wrong_is_told_at_once_and_the_command_puts_it_right() {
    let desk = desk();
    let (open, theirs) =
        (desk.path().join("it's open"), desk.path().join("it's open/b c/the \"file\" $x.tar.gz"));
    put(&theirs, "x", 0o666);
    give(&theirs);
    to(&open, 0o777);
    let told = refused(&theirs);
    let quoted_open = format!("'{}'", open.to_str().unwrap().replace('\'', r"'\''"));
    let quoted_theirs = format!("'{}'", theirs.to_str().unwrap().replace('\'', r"'\''"));
    assert_eq!(
        told,
        format!(
            "{0}: users other than root can write {1} (owner 0, group 0, mode 0777), {0} (owner 65534, group 65534, mode 0666): \
             run `chown root:root {quoted_theirs} && chmod go-w {quoted_open} {quoted_theirs}`",
            theirs.display(),
            open.display()
        )
    );
    obey(&told);
    assert_eq!(text(&theirs).unwrap(), "x");
    for (mode, group, right) in
        [(0o664, 0, true), (0o664, 5, false), (0o646, 0, false), (0o606, 0, false), (0o644, 5, true)]
    {
        to(&theirs, mode);
        chown(&theirs, Some(0), Some(group)).unwrap();
        assert_eq!(file(&theirs).is_ok(), right, "mode {mode:o} of group {group}");
        if !right {
            obey(&refused(&theirs));
            file(&theirs).unwrap();
        }
    }
}

#[test]
fn the_directory_of_a_user_stays_that_user_s() {
    let desk = desk();
    let home = desk.path().join("home");
    put(&home.join("a.rpm"), "x", 0o644);
    give(&home);
    let told = refused(&home.join("a.rpm"));
    let copy = told.split('`').nth(1).unwrap();
    assert!(copy.starts_with("install -m 600 ") && copy.ends_with("/home/a.rpm' /root/a.rpm"), "{told}");
    assert!(
        told.contains(
            "/home (owner 65534, group 65534, mode 0755): copy it where only root can write, as by `"
        )
    );
    fs::create_dir(home.join("all")).unwrap();
    let told = format!("{:#}", directory(&home.join("all")).unwrap_err());
    assert!(
        told.contains("as by `cp -r ") && told.contains("/home/all' /root/all`, and name the copy"),
        "{told}"
    );
    let told = format!("{:#}", make_directory(&home.join("new/er")).unwrap_err());
    assert!(told.ends_with("mode 0755): choose another directory"), "{told}");
    assert!(!home.join("new").exists(), "nothing is made where it would be refused");
    // Where it has to lie, it is given back.
    let told = format!("{:#}", place(&home).unwrap_err());
    obey(&told);
    file(&home.join("a.rpm")).unwrap();
}

#[test]
fn in_a_sticky_directory_what_root_owns_is_good_and_what_others_own_or_linked_is_not() {
    let desk = desk();
    let shared = desk.path().join("shared");
    put(&shared.join("root's"), "x", 0o644);
    put(&shared.join("theirs"), "x", 0o644);
    to(&shared, 0o1777);
    give(&shared.join("theirs"));
    assert_eq!(text(&shared.join("root's")).unwrap(), "x");
    obey(&refused(&shared.join("theirs")));
    file(&shared.join("theirs")).unwrap();

    // What a user links there is root's own file, but not the one that root put there.
    put(&desk.path().join("other"), "other", 0o644);
    fs::hard_link(desk.path().join("other"), shared.join("linked")).unwrap();
    let told = refused(&shared.join("linked"));
    assert!(told.contains("/shared/linked (2 names): copy it where only root can write"), "{told}");
    assert_eq!(text(&desk.path().join("other")).unwrap(), "other", "where nobody can link, names are root's");

    symlink(desk.path().join("other"), shared.join("link")).unwrap();
    assert_eq!(text(&shared.join("link")).unwrap(), "other");
    give(&shared.join("link"));
    let told = refused(&shared.join("link"));
    assert!(told.contains("/shared/link (a link, owner 65534)"), "{told}");

    fs::create_dir(shared.join("dir")).unwrap();
    put(&shared.join("dir/a"), "x", 0o644);
    file(&shared.join("dir/a")).unwrap();
    give(&shared.join("dir"));
    assert!(refused(&shared.join("dir/a")).contains("/shared/dir (owner 65534"));

    // As the place of many files it is like any other that others can write; nobody is told to close it.
    let told = format!("{:#}", destination(&shared).unwrap_err());
    assert!(told.ends_with("mode 1777): choose another directory"), "{told}");
    assert_eq!(make_directory(&shared.join("a/b")).unwrap(), shared.join("a/b"));
    assert_eq!(fs::metadata(shared.join("a")).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn every_directory_counts_in_which_a_link_on_the_way_lies() {
    let desk = desk();
    let at = |path: &str| desk.path().join(path);
    put(&at("good/file"), "x", 0o644);
    fs::create_dir_all(at("links/deep")).unwrap();
    fs::create_dir(at("open")).unwrap();
    symlink("../good/../good/file", at("links/one")).unwrap();
    symlink(at("links/one"), at("links/deep/two")).unwrap();
    symlink("links/deep", at("way")).unwrap();
    symlink(at("way/two"), at("open/three")).unwrap();
    assert_eq!(text(&at("way/two")).unwrap(), "x");
    assert_eq!(look(Path::new("/"), &at("way/two")).unwrap().real, at("good/file"));
    assert_eq!(text(&at("open/three")).unwrap(), "x");
    to(&at("open"), 0o777);
    let told = refused(&at("open/three"));
    assert!(
        told.contains("can write ") && told.contains("/open (owner 0, group 0, mode 0777): run"),
        "{told}"
    );
    assert_eq!(text(&at("way/two")).unwrap(), "x", "that is not on this way");
    to(&at("links/deep"), 0o757);
    assert!(refused(&at("way/two")).contains("/links/deep (owner 0, group 0, mode 0757)"));
    symlink("loop", at("loop")).unwrap();
    assert!(refused(&at("loop")).contains("Too many levels of symbolic links"));
    assert!(refused(&at("good/file/x")).contains("Not a directory"));
    assert!(refused(&at("good/none")).contains("No such file or directory"));
}

#[test]
fn a_tree_s_links_lead_into_the_tree() {
    let desk = desk();
    let at = |path: &str| desk.path().join(path);
    put(&at("tree/etc/passwd"), "of the tree", 0o644);
    symlink("/etc/passwd", at("tree/absolute")).unwrap();
    symlink("../../../../../etc/passwd", at("tree/etc/relative")).unwrap();
    for path in ["/absolute", "/etc/relative"] {
        let mut seen = look(&at("tree"), Path::new(path)).unwrap();
        let mut text = String::new();
        seen.file.read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), seen.real), ("of the tree", at("tree/etc/passwd")), "{path}");
    }
}

/// An access list that lets `NOBODY` read and write: what setfacl -m u:65534:rw writes.
fn grant(path: &Path) {
    let mut list = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in
        [(1_u16, 6_u16, u32::MAX), (2, 6, NOBODY), (4, 4, u32::MAX), (0x10, 6, u32::MAX), (0x20, 4, u32::MAX)]
    {
        list.extend(tag.to_le_bytes());
        list.extend(permissions.to_le_bytes());
        list.extend(id.to_le_bytes());
    }
    xattr::set(path, "system.posix_acl_access", &list).expect("/tmp must be able to hold access lists");
}

#[test]
fn an_access_list_shows_in_the_group_bits_also_of_group_0() {
    let desk = desk();
    let path = desk.path().join("a");
    put(&path, "x", 0o664);
    file(&path).unwrap();
    grant(&path);
    let told = refused(&path);
    assert!(told.contains("/a (owner 0, group 0, mode 0664): run `chmod go-w "), "{told}");
    obey(&told);
    file(&path).unwrap();
}

#[test]
fn what_is_no_file_is_named_and_not_waited_for() {
    let desk = desk();
    let fifo = desk.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRUSR).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(desk.path().join("socket")).unwrap();
    symlink("/dev/zero", desk.path().join("zero")).unwrap();
    for (path, what) in [
        (fifo, "a FIFO"),
        (desk.path().join("socket"), "a socket"),
        (desk.path().join("zero"), "a character device"),
        (desk.path().to_path_buf(), "a directory"),
    ] {
        assert_eq!(refused(&path), format!("opening {}: it is {what}, not a regular file", path.display()));
    }
    let told = directory(Path::new("/etc/passwd")).unwrap_err().to_string();
    assert_eq!(told, "/etc/passwd is not a directory");
}

#[test]
fn what_was_looked_at_is_what_is_read() {
    let desk = desk();
    let at = |path: &str| desk.path().join(path);
    put(&at("name"), "root's", 0o644);
    let mut seen = look(Path::new("/"), &at("name")).unwrap();
    put(&at("evil"), "evil", 0o666);
    fs::rename(at("evil"), at("name")).unwrap();
    let mut text = String::new();
    seen.file.read_to_string(&mut text).unwrap();
    assert!(seen.doubt.is_none() && text == "root's");

    // One who swaps the name as fast as he can: what passes is never his.
    put(&at("good/file"), "root's", 0o644);
    put(&at("bad/file"), "evil", 0o644);
    give(&at("bad/file"));
    give(&at("bad"));
    let ended = AtomicBool::new(false);
    let passed = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                for to in ["good", "bad"] {
                    symlink(to, at("new")).unwrap();
                    fs::rename(at("new"), at("dir")).unwrap();
                }
            }
        });
        while !at("dir").exists() {
            std::thread::yield_now();
        }
        let mut passed = [0, 0];
        while passed.contains(&0) {
            for _ in 0..500 {
                let mut seen = look(Path::new("/"), &at("dir/file")).unwrap();
                let mut text = String::new();
                seen.file.read_to_string(&mut text).unwrap();
                assert_eq!(seen.doubt.is_none(), text == "root's", "{:?}", seen.doubt);
                passed[usize::from(seen.doubt.is_none())] += 1;
            }
        }
        ended.store(true, Ordering::Relaxed);
        passed
    });
    assert!(passed.iter().all(|count| *count > 0));
}

#[test]
fn a_record_that_others_can_write_is_not_believed() {
    let desk = desk();
    let path = desk.path().join("state/record.json");
    let read = || record(&Host::live(), path.to_str().unwrap());
    assert_eq!(read().unwrap(), None);
    put(&path, "{}", 0o600);
    assert_eq!(read().unwrap().as_deref(), Some("{}"));
    give(&path);
    to(path.parent().unwrap(), 0o777);
    let told = read().unwrap_err().to_string();
    assert!(told.contains("record.json: users other than root can write "), "{told}");
    obey(&told);
    assert_eq!(read().unwrap().as_deref(), Some("{}"));
    // Nor that it is not there, where others could have removed it.
    fs::remove_file(&path).unwrap();
    assert_eq!(read().unwrap(), None);
    to(path.parent().unwrap(), 0o777);
    let told = read().unwrap_err().to_string();
    assert!(told.contains("/state: users other than root can write "), "{told}");
    obey(&told);
    assert_eq!(read().unwrap(), None);
    put(&path, "{}", 0o600);
    // In a tree the owners are those of a desk.
    give(&path);
    assert_eq!(record(&Host::image(desk.path()), "/state/record.json").unwrap().as_deref(), Some("{}"));
}

#[test]
fn a_name_that_cannot_be_pasted_gets_no_command() {
    let desk = desk();
    let path = desk.path().join("a\nb");
    put(&path, "x", 0o666);
    let told = refused(&path);
    assert!(told.ends_with("give it to root by hand, as its name cannot be printed"), "{told}");
}
