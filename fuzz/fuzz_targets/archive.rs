//! A vendor archive: refused whole, or unpacked within its bounds and inside its directory.
//!
//! The input is a gzip file as it is; or, behind a first byte of 0, a tar that is compressed here; or, behind
//! a 1, members as text, which reach further than bytes do: `TYPE NAME TARGET SIZE` on a line.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use mt_agent::changes::archive::{Archive, Limits};
use mt_agent_fuzz::{safe_line, text};
use tar::{EntryType, Header};

const LIMITS: Limits = Limits { entries: 64, bytes: 1 << 20, ratio: 100, free_bytes: 256 << 10 };

/// Memory, where there is a place for files in it; one directory a process.
static PLACE: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let place = base.join(format!("mt-agent-fuzz-{}", std::process::id()));
    drop(fs::remove_dir_all(&place));
    fs::create_dir_all(place.join("work")).expect("a directory to work in");
    place
});

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

/// A tar with the members that the lines of `text` name, without any check of what they are.
fn members(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for line in text.lines().take(20) {
        let mut words = line.splitn(4, ' ');
        let kind = words.next().and_then(|word| word.bytes().next()).unwrap_or(b'0');
        let (name, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let size = words.next().and_then(|size| size.trim().parse::<u64>().ok()).unwrap_or_default();
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::new(kind));
        let old = header.as_old_mut();
        for (field, value) in [(&mut old.name, name), (&mut old.linkname, target)] {
            let length = value.len().min(field.len());
            field[..length].copy_from_slice(&value.as_bytes()[..length]);
        }
        header.set_mode(0o6755);
        header.set_size(size);
        header.set_cksum();
        out.extend_from_slice(header.as_bytes());
        out.resize(out.len() + usize::try_from(size.min(4096)).unwrap_or(0).next_multiple_of(512), b'x');
    }
    out.resize(out.len() + 1024, 0);
    out
}

/// Everything below `directory`, with what links lead to.
fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("readable").flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&entry.path(), found);
        }
        found.push(entry.path());
    }
}

pub fn run(data: &[u8]) {
    let bytes = match data.split_first() {
        Some((0, tar)) => gzip(tar),
        Some((1, lines)) => gzip(&members(&text(lines))),
        _ => data.to_vec(),
    };
    let file = PLACE.join("archive.tar.gz");
    fs::write(&file, &bytes).expect("written");
    let archive = match Archive::open(&file, None, &LIMITS) {
        Ok(archive) => archive,
        Err(error) => return safe_line(&format!("{error:#}")),
    };
    let _ = archive.summary();
    if let Err(error) = archive.find("ApplyCustomChanges.sh") {
        safe_line(&format!("{error:#}"));
    }
    let work = PLACE.join("work");
    match archive.unpack(&work) {
        Ok(target) => {
            let mut found = Vec::new();
            walk(&target, &mut found);
            assert!(found.len() <= LIMITS.entries, "{} members", found.len());
            for path in found {
                let meta = path.symlink_metadata().expect("there");
                let kind = meta.file_type();
                assert!(kind.is_dir() || kind.is_file() || kind.is_symlink(), "{path:?} is {kind:?}");
                if let Ok(real) = path.canonicalize() {
                    assert!(real.starts_with(&target), "{path:?} leads to {real:?}");
                }
                use std::os::unix::fs::PermissionsExt;
                assert!(kind.is_symlink() || meta.permissions().mode() & 0o7000 == 0, "{path:?}");
            }
            fs::remove_dir_all(target).expect("removed");
        }
        Err(error) => safe_line(&format!("{error:#}")),
    }
    let left = fs::read_dir(&work).expect("readable").count();
    assert_eq!(left, 0, "something was left behind");
    assert_eq!(fs::read_dir(&*PLACE).expect("readable").count(), 2, "something was written elsewhere");
}
