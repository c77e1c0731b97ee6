//! Hostile, damaged and ordinary archives, some made by GNU tar, unpacked for real.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "files of a test are not the host's")]

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use mt_agent::changes::archive::{Archive, Limits};
use mt_agent::host::Host;
use mt_agent::host::command::Command;
use tar::{Builder, EntryType, Header};

/// One member: type, name, link target, content.
type Entry<'a> = (EntryType, &'a str, &'a str, &'a [u8]);

const FILE: EntryType = EntryType::Regular;
const DIR: EntryType = EntryType::Directory;
const LINK: EntryType = EntryType::Symlink;
const HARD: EntryType = EntryType::Link;

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("work")).unwrap();
        Self(dir)
    }

    fn archive(&self) -> PathBuf {
        self.0.path().join("agent.tar.gz")
    }

    fn work(&self) -> PathBuf {
        self.0.path().join("work")
    }

    fn gzip(&self, content: &[u8]) -> PathBuf {
        let mut gzip = GzEncoder::new(File::create(self.archive()).unwrap(), Compression::fast());
        gzip.write_all(content).unwrap();
        gzip.finish().unwrap();
        self.archive()
    }

    /// Names are written into the headers as they are: a library would refuse some of them.
    fn pack(&self, entries: &[Entry<'_>]) -> PathBuf {
        let mut tar = Builder::new(Vec::new());
        for (kind, name, target, content) in entries {
            tar.append(&header(*kind, name, target, content.len() as u64), *content).unwrap();
        }
        self.gzip(&tar.into_inner().unwrap())
    }

    /// Unpacks what is allowed and tells where; else the message, having made sure that nothing was left.
    fn unpack(&self, limits: &Limits) -> Result<PathBuf, String> {
        let result =
            Archive::open(&self.archive(), None, limits).and_then(|archive| archive.unpack(&self.work()));
        result.map_err(|error| {
            let left: Vec<_> = fs::read_dir(self.work()).unwrap().collect();
            assert!(left.is_empty(), "left behind: {left:?}");
            format!("{error:#}")
        })
    }

    fn refused(&self, part: &str) {
        let error = self.unpack(&Limits::default()).expect_err(part);
        assert!(error.starts_with("checking the archive "), "{error}");
        assert!(error.contains(part), "`{part}` is not in: {error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

fn header(kind: EntryType, name: &str, target: &str, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o6777);
    header.set_cksum();
    header
}

fn tool(tool: &str, args: &[&str]) {
    Command::new(tool, args.iter().copied(), Duration::from_secs(600)).read(&Host::live()).unwrap();
}

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().mode() & 0o7777
}

#[test]
fn hostile_archives_are_refused_whole_and_name_what_is_wrong() {
    let good: Entry<'_> = (FILE, "agent/install", "", b"x");
    let table: &[(&[Entry<'_>], &str)] = &[
        (&[(FILE, "../evil", "", b"x")], "the entry `../evil` leads out of the archive with `..`"),
        (&[(FILE, "a/../../evil", "", b"x")], "leads out of the archive with `..`"),
        (&[(FILE, "/etc/evil", "", b"x")], "the entry `/etc/evil` has an absolute name"),
        (&[(LINK, "etc", "/etc", b"")], "the entry `etc` is a link that leads out of the archive, to `/etc`"),
        (&[(LINK, "a/up", "../../x", b"")], "is a link that leads out of the archive, to `../../x`"),
        (&[(LINK, "a", "b/../../x", b"")], "climbs with `..` behind a name"),
        (&[(LINK, "a", "", b"")], "is a link that leads to no possible name"),
        (&[(HARD, "passwd", "/etc/passwd", b"")], "is a hard link whose target has an absolute name"),
        (&[(HARD, "passwd", "../../etc/passwd", b"")], "hard link whose target leads out of the archive"),
        (&[(HARD, "later", "install", b""), (FILE, "install", "", b"")], "which is no file before it"),
        (&[(LINK, "l", "agent", b""), (HARD, "h", "l", b"")], "is a hard link to `l`, which is no file"),
        (&[(LINK, "d", "agent", b""), (FILE, "d/x", "", b"x")], "would be written through the link `d`"),
        (&[(FILE, "d/x", "", b"x"), (LINK, "d", "agent", b"")], "the entry `d` is in the archive twice"),
        (&[(FILE, "a", "", b"x"), (FILE, "./a", "", b"y")], "the entry `./a` is in the archive twice"),
        (&[(FILE, "a", "", b"x"), (DIR, "a/", "", b"")], "the entry `a/` is in the archive twice"),
        (&[(FILE, "a", "", b"x"), (FILE, "a/b", "", b"y")], "the entry `a/b` lies below the file `a`"),
        (&[(FILE, ".", "", b"x")], "is the archive's own top, but not a directory"),
        (&[(EntryType::Block, "sda", "", b"")], "the entry `sda` is a block device"),
        (&[(EntryType::Char, "null", "", b"")], "the entry `null` is a character device"),
        (&[(EntryType::Fifo, "pipe", "", b"")], "the entry `pipe` is a FIFO"),
        (&[(EntryType::GNUSparse, "hole", "", b"")], "the entry `hole` is a sparse file"),
        (&[(EntryType::new(b'V'), "label", "", b"")], "the entry `label` is of type 'V'"),
        (&[(EntryType::GNULongName, "l", "", &[b'a'; 70 << 10]), good], "has a header of 71680 bytes"),
        (&[(EntryType::GNULongName, "l", "", &[b'a'; 5000]), good], "has a name of 5000 bytes"),
        (&[(EntryType::GNULongName, "l", "", &[b'a'; 300]), good], "has a name of 300 bytes"),
        (&[(EntryType::GNULongName, "l", "", b"../evil\0"), good], "leads out of the archive with `..`"),
        (&[(EntryType::XHeader, "x", "", b"14 path=/evil\n"), good], "`/evil` has an absolute name"),
        (&[(EntryType::XHeader, "x", "", b"13 size=9999\n"), good], "has a header `size`"),
        (
            &[(EntryType::XHeader, "x", "", b"22 GNU.sparse.major=1\n"), good],
            "has a header `GNU.sparse.major`",
        ),
        (&[(EntryType::GNULongName, "l", "", b"x\0")], "no future member found"),
    ];
    for (entries, part) in table {
        let desk = Desk::new();
        let mut all = vec![good];
        all.extend_from_slice(entries);
        if entries.last() == Some(&good) {
            all.remove(0);
        }
        desk.pack(&all);
        desk.refused(part);
    }
}

#[test]
fn damaged_archives_and_other_things_are_told_in_one_line() {
    let desk = Desk::new();
    desk.pack(&[(FILE, "a", "", &[7; 100_000])]);
    let whole = fs::read(desk.archive()).unwrap();
    for at in [20, whole.len() / 2, whole.len() - 4] {
        fs::write(desk.archive(), &whole[..at]).unwrap();
        desk.refused("it is cut short: copy it again");
    }
    let mut flipped = whole.clone();
    let last = flipped.len() - 6;
    flipped[last] ^= 1;
    fs::write(desk.archive(), &flipped).unwrap();
    desk.refused("it is damaged (corrupt gzip stream does not have a matching checksum): copy it again");
    fs::write(desk.archive(), [whole.as_slice(), b"rubbish behind it"].concat()).unwrap();
    desk.refused("it is damaged");
    for (content, is) in [
        (&b""[..], "but empty"),
        (b"PK\x03\x04rest", "but a zip archive"),
        (b"\xfd7zXZ\0", "but compressed with xz"),
        (b" \n<!DOCTYPE html>", "but a web page, as a failed download leaves it"),
        (b"#!/bin/sh", "but something else"),
    ] {
        fs::write(desk.archive(), content).unwrap();
        desk.refused(is);
    }
    let mut tar = Builder::new(Vec::new());
    tar.append(&header(FILE, "a", "", 1), &b"x"[..]).unwrap();
    fs::write(desk.archive(), tar.into_inner().unwrap()).unwrap();
    desk.refused("but a tar archive that is not compressed with gzip");
    desk.gzip(b"no tar at all, but long enough to be a header".repeat(20).as_slice());
    desk.refused("it is damaged (");
    desk.gzip(&[0; 10240]);
    desk.refused("it holds no files");
    fs::remove_file(desk.archive()).unwrap();
    desk.refused("No such file");
    fs::create_dir(desk.archive()).unwrap();
    desk.refused("it is a directory, not a regular file");
    fs::remove_dir(desk.archive()).unwrap();
    tool("mkfifo", &[desk.archive().to_str().unwrap()]);
    desk.refused("it is a FIFO, not a regular file");
}

#[test]
fn a_bomb_is_stopped_by_its_bounds() {
    let desk = Desk::new();
    let zeros = vec![0; 8 << 20];
    desk.pack(&[(FILE, "a", "", &zeros), (FILE, "b", "", &zeros)]);
    let limits = Limits { entries: 10, bytes: 10 << 20, ratio: 2000, free_bytes: 1 << 20 };
    assert!(desk.unpack(&limits).unwrap_err().ends_with("it would unpack to more than 10 MiB"));
    let error = desk.unpack(&Limits { ratio: 10, ..limits }).unwrap_err();
    assert!(error.contains("it would unpack to more than 1 MiB"), "{error}");
    // A header that promises more than there is.
    let mut tar = Builder::new(Vec::new());
    tar.append(&header(FILE, "a", "", 1 << 40), &b"x"[..]).unwrap();
    desk.gzip(&tar.into_inner().unwrap());
    desk.refused("it is");
    desk.pack(&[(FILE, "a", "", b""), (FILE, "b/c/d", "", b"")]);
    let error = desk.unpack(&Limits { entries: 3, ..limits }).unwrap_err();
    assert!(error.ends_with("it has more than 3 entries"), "{error}");
}

#[test]
fn modes_links_and_long_names_of_gnu_tar_survive_and_special_bits_do_not() {
    for format in ["gnu", "pax", "ustar", "v7"] {
        let desk = Desk::new();
        let source = desk.0.path().join("source");
        let long = if format == "v7" {
            "short".to_owned()
        } else {
            format!("{}/{}", "d".repeat(90), "n".repeat(90))
        };
        let file = source.join("agent").join(&long);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, "content").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o6777)).unwrap();
        fs::write(source.join("ApplyCustomChanges.sh"), "#!/bin/bash\n").unwrap();
        fs::set_permissions(source.join("ApplyCustomChanges.sh"), fs::Permissions::from_mode(0o400)).unwrap();
        fs::hard_link(&file, source.join("agent/hard")).unwrap();
        symlink("../ApplyCustomChanges.sh", source.join("agent/link")).unwrap();
        symlink("nowhere", source.join("agent/dangling")).unwrap();
        let archive = desk.archive();
        tool(
            "tar",
            &[
                &format!("--format={format}"),
                "-czf",
                archive.to_str().unwrap(),
                "-C",
                source.to_str().unwrap(),
                ".",
            ],
        );
        let top = desk.unpack(&Limits::default()).unwrap_or_else(|error| panic!("{format}: {error}"));
        assert_eq!(fs::read(top.join("agent").join(&long)).unwrap(), b"content", "{format}");
        assert_eq!(mode(&top.join("agent").join(&long)), 0o755, "{format}");
        assert_eq!(mode(&top.join("ApplyCustomChanges.sh")), 0o600, "{format}");
        assert_eq!(mode(&top), 0o700);
        assert_eq!(fs::read_link(top.join("agent/link")).unwrap(), Path::new("../ApplyCustomChanges.sh"));
        assert_eq!(
            top.join("agent/hard").metadata().unwrap().ino(),
            top.join("agent").join(&long).metadata().unwrap().ino()
        );
    }
}

#[test]
fn only_our_own_leftovers_are_cleared() {
    let desk = Desk::new();
    desk.pack(&[(FILE, "a", "", b"new")]);
    let half = desk.work().join(".unpacking-0123456789abcdef");
    fs::create_dir_all(half.join("x")).unwrap();
    for kept in [".unpacking-mine", "unpacked-by-hand", "x"] {
        fs::create_dir(desk.work().join(kept)).unwrap();
    }
    let archive = Archive::open(&desk.archive(), None, &Limits::default()).unwrap();
    let top = archive.unpack(&desk.work()).unwrap();
    fs::write(top.join("extra"), "").unwrap();
    assert_eq!(archive.unpack(&desk.work()).unwrap(), top);
    assert_eq!(fs::read(top.join("a")).unwrap(), b"new");
    assert!(!top.join("extra").exists() && !half.exists());
    assert_eq!(fs::read_dir(desk.work()).unwrap().count(), 4);
}

#[test]
fn an_archive_that_changes_while_it_is_read_is_not_unpacked() {
    let desk = Desk::new();
    desk.pack(&[(FILE, "a", "", b"one")]);
    let archive = Archive::open(&desk.archive(), None, &Limits::default()).unwrap();
    desk.pack(&[(FILE, "a", "", b"two")]);
    let error = format!("{:#}", archive.unpack(&desk.work()).unwrap_err());
    assert!(error.ends_with("it was changed while it was read"), "{error}");
    assert_eq!(fs::read_dir(desk.work()).unwrap().count(), 0);
}

#[test]
fn the_pinned_hash_decides_before_anything_is_looked_at() {
    let desk = Desk::new();
    fs::write(desk.archive(), "no archive").unwrap();
    let error = Archive::open(&desk.archive(), Some(&"0".repeat(64)), &Limits::default()).err().unwrap();
    let error = format!("{error:#}");
    assert!(error.contains("but the profile names 0000") && error.contains("its SHA-256 is "), "{error}");
    desk.pack(&[(FILE, "a", "", b"x")]);
    let sum = Archive::open(&desk.archive(), None, &Limits::default()).unwrap().sha256().to_owned();
    assert_eq!(Archive::open(&desk.archive(), Some(&sum), &Limits::default()).unwrap().sha256(), sum);
}

/// A file of a terabyte, which takes no room, that anybody can make: pinned or not, it is not read.
#[test]
fn a_file_that_no_archive_is_as_large_as_is_refused_by_its_size() {
    let desk = Desk::new();
    desk.pack(&[(FILE, "a", "", b"x")]);
    File::options().write(true).open(desk.archive()).unwrap().set_len(1 << 40).unwrap();
    for pinned in [None, Some("0".repeat(64))] {
        let error = Archive::open(&desk.archive(), pinned.as_deref(), &Limits::default()).err().unwrap();
        let error = format!("{error:#}");
        assert!(error.contains("it has more than 2 GiB: it is another file"), "{error}");
    }
}

#[test]
fn the_script_is_found_at_the_top_or_one_directory_down() {
    let script = "ApplyCustomChanges.sh";
    let find = |names: &[&str]| {
        let desk = Desk::new();
        let entries: Vec<Entry<'_>> = names.iter().map(|name| (FILE, *name, "", &b"x"[..])).collect();
        desk.pack(&entries);
        let archive = Archive::open(&desk.archive(), None, &Limits::default()).unwrap();
        archive.find(script).map_err(|error| error.to_string())
    };
    assert_eq!(find(&["./ApplyCustomChanges.sh"]).unwrap(), Path::new(script));
    assert_eq!(
        find(&["a/ApplyCustomChanges.sh", "b/c/ApplyCustomChanges.sh"]).unwrap(),
        Path::new("a").join(script)
    );
    for (names, part) in [
        (&["other"][..], "holds no ApplyCustomChanges.sh: it is another archive"),
        (
            &["a/b/ApplyCustomChanges.sh"],
            "only as `a/b/ApplyCustomChanges.sh`, deeper than one directory down",
        ),
        (
            &["ApplyCustomChanges.sh", "a/ApplyCustomChanges.sh"],
            "more than once: `ApplyCustomChanges.sh`, `a/Apply",
        ),
    ] {
        let error = find(names).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
}
