//! Where the places of the list are in one template. Nothing is followed out of the tree, and nothing into a file system that
//! is not the image's.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::Template;
use crate::changes::scrub;
use crate::host::{Host, files};

/// How much of a file is looked at for a private key, in bytes: before it there may be comments.
const HEAD: u64 = 64 << 10;

/// The paths that are there for the places, but for directories; each once.
pub(super) fn expand(template: &Template<'_>, places: &[&str]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut homes = None;
    for place in places {
        match place.strip_prefix("~/") {
            Some(rest) => {
                let homes = match &homes {
                    Some(homes) => homes,
                    None => homes.insert(self::homes(template)?),
                };
                for home in homes {
                    below(template, home, rest, At::Home, &mut found)?;
                }
            }
            None => below(template, "", place.trim_start_matches('/'), At::Root, &mut found)?,
        }
    }
    let mut seen = BTreeSet::new();
    found.retain(|path| seen.insert(path.clone()));
    Ok(found)
}

/// As [`expand`], without directories.
pub(super) fn files(template: &Template<'_>, places: &[&str]) -> Result<Vec<String>> {
    let mut found = expand(template, places)?;
    found.retain(|path| !is_directory(template, path));
    Ok(found)
}

/// Where a place lies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// In the home of a user.
    Home,
    /// Anywhere below `/`.
    Root,
}

/// What is there for `place` below `directory`. A user can make a link of any directory at home: none is followed there, nor
/// where others can make one.
fn below(
    template: &Template<'_>,
    directory: &str,
    place: &str,
    at: At,
    found: &mut Vec<String>,
) -> Result<()> {
    let (name, rest) = place.split_once('/').map_or((place, None), |(name, rest)| (name, Some(rest)));
    let names = if name.contains('*') {
        let mut names = names(template, if directory.is_empty() { "/" } else { directory })?;
        names.retain(|one| matches(name, one));
        names
    } else {
        vec![name.to_owned()]
    };
    for name in names {
        let path = format!("{directory}/{name}");
        let Ok(meta) = template.host.place(&path).and_then(|place| place.symlink_metadata()) else {
            continue;
        };
        match rest {
            Some(_) if meta.is_symlink() && (at == At::Home || is_theirs(template.host, &path)) => {}
            Some(rest) => below(template, &path, rest, at, found)?,
            None if template.has(parent(&path)) => found.push(path),
            None => {}
        }
    }
    Ok(())
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("/", |(parent, _)| if parent.is_empty() { "/" } else { parent })
}

/// Whether `name` is of the form `pattern`, in which `*` stands for any characters.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        match left.split_once(part) {
            Some((_, after)) => left = after,
            None => return false,
        }
    }
    left.ends_with(end)
}

/// The names in `directory`; none where there is none, or where it is a file.
pub(super) fn names(template: &Template<'_>, directory: &str) -> Result<Vec<String>> {
    // What is mounted there and not the image's is not the image's to change.
    if !template.has(directory) {
        return Ok(Vec::new());
    }
    let names = match template.host.list(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(Vec::new()),
        names => names.with_context(|| format!("reading the directory {directory}"))?,
    };
    if let Some(name) = names.iter().find(|name| name.contains(char::REPLACEMENT_CHARACTER)) {
        bail!("{directory} has a name that is not UTF-8 ({name}): rename or remove it by hand");
    }
    Ok(names)
}

pub(super) fn is_directory(template: &Template<'_>, path: &str) -> bool {
    template.host.place(path).and_then(|path| path.symlink_metadata()).is_ok_and(|meta| meta.is_dir())
}

/// Whether `path` is a file itself, and not a link to one; `Some`: its size in bytes.
pub(super) fn size(template: &Template<'_>, path: &str) -> Option<u64> {
    let meta = template.host.place(path).and_then(|path| path.symlink_metadata()).ok()?;
    meta.is_file().then_some(meta.len())
}

/// The file's bytes, `None` where there is no such file.
pub(super) fn bytes(template: &Template<'_>, path: &str) -> Result<Option<Vec<u8>>> {
    let read = template.host.resolve(path).and_then(|place| {
        let meta = place.metadata()?;
        // A pipe would be waited for, and a device is this machine's.
        if !meta.is_file() {
            return Ok(None);
        }
        files::read(&place).map(Some)
    });
    match read {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        read => read.with_context(|| format!("reading {path}")),
    }
}

/// How many files and directories are below `path`, where that is a directory of the image.
pub(super) fn count_below(template: &Template<'_>, path: &str) -> Result<usize> {
    if !template.has(path) {
        return Ok(0);
    }
    match directory(template.host, path).with_context(|| format!("looking for {path}"))? {
        Some(place) => scrub::below(&place).map(|below| below.files.len() + below.directories.len()),
        None => Ok(0),
    }
}

/// The directory at `path`, or the one that a link of root's leads to.
pub(super) fn directory(host: &Host, path: &str) -> io::Result<Option<PathBuf>> {
    let place = host.place(path)?;
    let place = if place.is_symlink() && !is_theirs(host, path) { host.resolve(path)? } else { place };
    Ok(place.symlink_metadata().is_ok_and(|meta| meta.is_dir()).then_some(place))
}

/// Whether users other than root can have put `path` there, so that a link leads where they like: into /etc, as /var/tmp/abrt may.
/// The files of a tree that a person unpacked are that person's.
pub(super) fn is_theirs(host: &Host, path: &str) -> bool {
    let looked = host.place(path).ok().and_then(|place| place.parent()?.metadata().ok());
    let top = host.root().metadata().map(|top| top.uid()).unwrap_or_default();
    looked.is_none_or(|directory| {
        let (mode, is_owned_by_root) = (directory.mode(), directory.uid() == 0 || directory.uid() == top);
        !is_owned_by_root || mode & 0o002 != 0 || (mode & 0o020 != 0 && directory.gid() != 0)
    })
}

/// The homes of all users: root's, those in /home, and what /etc/passwd says; each once, whatever names it has.
pub(super) fn homes(template: &Template<'_>) -> Result<Vec<String>> {
    let mut homes = vec!["/root".to_owned()];
    homes.extend(names(template, "/home")?.iter().map(|name| format!("/home/{name}")));
    let users = bytes(template, "/etc/passwd")?.unwrap_or_default();
    homes.extend(String::from_utf8_lossy(&users).lines().filter_map(home).map(str::to_owned));
    let mut seen = BTreeSet::new();
    homes.retain(|home| {
        let place = template.host.resolve(home).and_then(|place| place.canonicalize());
        place.is_ok_and(|place| seen.insert(place)) && template.has(home)
    });
    Ok(homes)
}

/// Where the user of a line of /etc/passwd is at home; `/` is the home of users that nobody logs in as.
fn home(line: &str) -> Option<&str> {
    let home = line.split(':').nth(5)?.trim_end_matches('/');
    home.starts_with('/').then_some(home)
}

/// Whether the file at `place`, or the one that a link there leads to, holds a private key: in PEM's armour, as OpenSSH and
/// OpenSSL write it, PuTTY's, or one of SSH's protocol 1, which OpenSSH 5.3 still makes (`ssh-keygen -t rsa1`).
pub(super) fn holds_private_key(place: &Path) -> Result<bool> {
    let is_key = |line: &[u8]| {
        let line = line.trim_ascii();
        (line.starts_with(b"-----BEGIN ") && line.ends_with(b"PRIVATE KEY-----"))
            || line.starts_with(b"PuTTY-User-Key-File")
            || line.starts_with(b"SSH PRIVATE KEY FILE FORMAT 1.1")
    };
    Ok(head(place)?.split(|byte| *byte == b'\n').any(is_key))
}

/// Whether the file at `place` begins with zeros alone: what an interrupted removal leaves of a file that is known by its content.
pub(super) fn is_overwritten(place: &Path) -> Result<bool> {
    let head = head(place)?;
    Ok(!head.is_empty() && head.iter().all(|byte| *byte == 0))
}

/// The first bytes of a file; of what is none, or is not there, nothing.
fn head(place: &Path) -> Result<Vec<u8>> {
    let read = || -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        if place.metadata()?.is_file() {
            files::open(place)?.take(HEAD).read_to_end(&mut head)?;
        }
        Ok(head)
    };
    match read() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read.with_context(|| format!("reading {}", place.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, name, fits) in [
            ("ssh_host_*", "ssh_host_rsa_key", true),
            ("ssh_host_*", "ssh_host", false),
            ("dhclient*.conf", "dhclient-eth0.conf", true),
            ("dhclient*.conf", "dhclient.conf", true),
            ("dhclient*.conf", "dhclient.conf.bak", false),
            ("*~", "fstab~", true),
            ("initrd-*kdump.img", "initrd-2.6.32kdump.img", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "acb", false),
            ("ab*ba", "aba", false),
            ("uuid", "uuid", true),
            ("uuid", "uuids", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn homes_are_absolute() {
        for (line, wanted) in [
            ("joe:x:500:500::/home/joe/:/bin/sh", Some("/home/joe")),
            ("none:x:3:3::/:/bin/sh", None),
            ("rel:x:6:6::srv:", None),
            ("no", None),
        ] {
            assert_eq!(home(line), wanted, "{line}");
        }
    }

    #[test]
    fn a_private_key_is_told_by_its_content() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        for (content, is_key) in [
            ("-----BEGIN RSA PRIVATE KEY-----\nx", true),
            ("comment\r\n-----BEGIN OPENSSH PRIVATE KEY-----\r\nx", true),
            ("-----BEGIN PRIVATE KEY-----\n", true),
            ("PuTTY-User-Key-File-2: ssh-rsa\n", true),
            ("SSH PRIVATE KEY FILE FORMAT 1.1\n\0\x03\0", true),
            ("ssh-rsa AAAA PRIVATE KEY-----\n", false),
            ("-----BEGIN CERTIFICATE-----\n", false),
        ] {
            files::replace(&file, content.as_bytes(), 0o600).unwrap();
            assert_eq!(holds_private_key(&file).unwrap(), is_key, "{content}");
        }
        for place in [dir.path(), &dir.path().join("none")] {
            assert!(!holds_private_key(place).unwrap() && !is_overwritten(place).unwrap());
        }
    }

    #[test]
    fn a_half_removed_file_is_told_by_its_zeros() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        for (content, is_half) in
            [(&[0; 1700][..], true), (b"", false), (b"\0\0x", false), (b"ssh-rsa\0", false)]
        {
            files::replace(&file, content, 0o600).unwrap();
            assert_eq!(is_overwritten(&file).unwrap(), is_half, "{content:?}");
        }
    }
}
