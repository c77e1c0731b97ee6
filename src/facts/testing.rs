//! Trees and damaged input for the tests of this room.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use crate::testing::{chance, samples};

/// A recorded tree with `files`; a content of `-> target` makes a link.
pub(crate) fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, content) in files {
        put(dir.path(), path, content);
    }
    dir
}

/// Puts one file (or link) into a tree.
pub(crate) fn put(root: &Path, path: &str, content: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    match content.strip_prefix("-> ") {
        Some(target) => symlink(target, path).unwrap(),
        None => fs::File::create(path).unwrap().write_all(content.as_bytes()).unwrap(),
    }
}

/// Gives `parse` some thousand damaged variants of `sample`, the same ones in every run: bytes changed, cut out,
/// doubled, and the text cut short. A parser passes by not panicking.
pub(crate) fn damage(sample: &str, mut parse: impl FnMut(&str)) {
    const INTERESTING: &[u8] = b"\0\n\t \\\"'=#,:/-%[]{}\xff0";
    let mut chance = chance(0);
    // Of nothing there is the first alone.
    let mut below = |limit: usize| chance(limit.max(1));
    for _ in samples(3000, Duration::from_millis(200)) {
        let mut bytes = sample.as_bytes().to_vec();
        for _ in 0..=below(4) {
            let at = below(bytes.len());
            match below(5) {
                0 if !bytes.is_empty() => bytes[at] = INTERESTING[below(INTERESTING.len())],
                1 if !bytes.is_empty() => bytes[at] = u8::try_from(below(256)).unwrap(),
                2 => bytes.truncate(at),
                3 => {
                    let end = (at + below(8)).min(bytes.len());
                    bytes.drain(at..end);
                }
                _ => {
                    let end = (at + below(20)).min(bytes.len());
                    let piece = bytes[at..end].to_vec();
                    let to = below(bytes.len());
                    bytes.splice(to..to, piece);
                }
            }
        }
        parse(&String::from_utf8_lossy(&bytes));
    }
}
