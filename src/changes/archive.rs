//! The vendor's archive: everything about it is checked before anything of it is written, and it is
//! unpacked, from the same bytes, into a private directory that no other program can reach into.

mod stream;
mod tree;
mod unpack;

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use nix::sys::statvfs::statvfs;
use tar::EntryType;

use self::stream::Stream;
use self::tree::{Admitted, Member, Tree, shown, shown_path};
use self::unpack::{Guard, UNPACKING, remove, sweep, write};
use crate::facts::custom_changes::LARGEST_ARCHIVE;
use crate::host::{files, sum, text, trust};

/// How much an archive may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Members, implied directories included.
    pub entries: usize,
    /// Bytes that it may unfold to.
    pub bytes: u64,
    /// How many times its own size it may unfold to, once it unfolds to more than `free_bytes`.
    pub ratio: u64,
    /// Bytes that it may unfold to whatever its own size.
    pub free_bytes: u64,
}

impl Default for Limits {
    /// A Unified Agent archive holds some hundred members in some hundred MiB.
    fn default() -> Self {
        Self { entries: 100_000, bytes: 2 << 30, ratio: 100, free_bytes: 64 << 20 }
    }
}

/// The longest name or PAX header that is read into memory, in bytes.
const EXTENSION: u64 = 64 << 10;

/// The first part of the name that an unpacked archive has; the beginning of its SHA-256 follows.
const UNPACKED: &str = "unpacked-";

/// An archive that was checked and found harmless.
pub struct Archive {
    path: PathBuf,
    file: File,
    sha256: String,
    size: u64,
    limit: u64,
    entries: usize,
    content: u64,
    tree: Tree,
}

impl Archive {
    /// Opens the archive at `path` and checks all of it; nothing is written. From here on it is its bytes: each time that
    /// they are read they are hashed again.
    /// Errors: One line: it is not there, not a tar.gz, damaged, not the one that `pinned` (SHA-256, lower-case
    /// hex) names, can be written by users other than root and is not pinned, or holds what no such archive may
    /// hold.
    pub fn open(path: &Path, pinned: Option<&str>, limits: &Limits) -> Result<Self> {
        Self::check(path, pinned, limits).with_context(|| format!("checking the archive {}", path.display()))
    }

    fn check(path: &Path, pinned: Option<&str>, limits: &Limits) -> Result<Self> {
        let seen = trust::look(Path::new("/"), path)?;
        let file = seen.file;
        let size = file.metadata()?.len();
        ensure!(
            size <= LARGEST_ARCHIVE,
            "it has more than {}: it is another file",
            text::bytes(LARGEST_ARCHIVE)
        );
        // One that is pinned may be of any kind: it is the one, or it is not.
        if pinned.is_none() {
            recognise(&file)?;
            if let Some(doubt) = &seen.doubt {
                bail!(doubt.unless_pinned("custom-changes.sha256", &sum::to_pin(&file, LARGEST_ARCHIVE)?));
            }
        }
        let (sha256, size) = sum::sha256(&file, LARGEST_ARCHIVE, sum::PATIENCE)?;
        if let Some(pinned) = pinned
            && pinned != sha256
        {
            bail!(
                "its SHA-256 is {sha256}, but the profile names {pinned}: it is another archive, or damaged"
            );
        }
        recognise(&file)?;
        let limit = limits.bytes.min(limits.free_bytes.max(size.saturating_mul(limits.ratio)));
        let mut archive = Self {
            path: path.to_path_buf(),
            file,
            sha256,
            size,
            limit,
            entries: limits.entries,
            content: 0,
            tree: Tree::default(),
        };
        archive.pass(|stream| archive.survey(stream))?;
        let mut tree = Tree::default();
        let mut content = 0;
        archive.pass(|stream| {
            archive.members(stream, &mut tree, &mut |admitted, entry| {
                if matches!(admitted, Admitted::File(_)) {
                    content += entry.size();
                }
                Ok(())
            })
        })?;
        ensure!(tree.members() > 0, "it holds no files");
        (archive.tree, archive.content) = (tree, content);
        Ok(archive)
    }

    /// SHA-256 of the archive, lower-case hex.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// What it holds, in words.
    pub fn summary(&self) -> String {
        let members = self.tree.members();
        let entries = if members == 1 { "entry" } else { "entries" };
        format!("{members} {entries}, {}", text::bytes(self.content))
    }

    /// Where the file called `script` lies in it: at the top or in a directory of the top.
    /// Errors: One line: it is not there, or twice.
    pub fn find(&self, script: &str) -> Result<PathBuf> {
        let (near, far): (Vec<&Path>, Vec<&Path>) =
            self.tree.files_called(script).partition(|path| path.components().count() <= 2);
        let names = |paths: &[&Path]| {
            paths.iter().take(5).map(|path| format!("`{}`", path.display())).collect::<Vec<_>>().join(", ")
        };
        let archive = self.path.display();
        match (near.as_slice(), far.as_slice()) {
            ([only], _) => Ok(only.to_path_buf()),
            ([], []) => bail!("{archive} holds no {script}: it is another archive"),
            ([], far) => bail!(
                "{archive} holds {script} only as {}, deeper than one directory down: it is another archive",
                text::safe(&names(far))
            ),
            (near, _) => bail!("{archive} holds {script} more than once: {}", text::safe(&names(near))),
        }
    }

    /// Unpacks it below `work` (see [`super::trust`]) and returns where. What an earlier call left there is
    /// replaced; an interrupted one leaves nothing that would pass for an unpacked archive.
    /// Errors: What failed, naming the file; nothing is then left behind.
    pub fn unpack(&self, work: &Path) -> Result<PathBuf> {
        self.unpack_into(work)
            .with_context(|| format!("unpacking {} below {}", self.path.display(), work.display()))
    }

    fn unpack_into(&self, work: &Path) -> Result<PathBuf> {
        let short = &self.sha256[..16];
        let (staging, target) =
            (work.join(format!("{UNPACKING}{short}")), work.join(format!("{UNPACKED}{short}")));
        sweep(work)?;
        remove(&target)?;
        let room = statvfs(work)?;
        let free = room.blocks_available().saturating_mul(room.fragment_size());
        // A block for every member, as small files and directories take one each.
        let needed = self.content + self.tree.members() as u64 * 4096;
        ensure!(
            needed <= free,
            "{} are needed, but only {} are free there",
            text::bytes(needed),
            text::bytes(free)
        );
        DirBuilder::new().mode(0o700).create(&staging)?;
        let guard = Guard(&staging);
        let mut links = Vec::new();
        let mut tree = Tree::default();
        self.pass(|stream| {
            self.members(stream, &mut tree, &mut |admitted, entry| {
                write(&staging, admitted, entry, &mut links)
            })
        })?;
        // Links come last: nothing can have been written through one.
        for (path, link_target) in &links {
            symlink(link_target, staging.join(path))
                .with_context(|| format!("making the link {}", shown_path(path)))?;
        }
        fs::rename(&staging, &target)?;
        std::mem::forget(guard);
        files::sync_parent(&target)?;
        Ok(target)
    }

    /// Reads the archive once, from beginning to end, and makes sure that it is still the same.
    fn pass(&self, walk: impl FnOnce(&mut Stream<'_>) -> Result<()>) -> Result<()> {
        let mut stream = Stream::new(&self.file, self.size, self.limit)?;
        let walked = walk(&mut stream).and_then(|()| stream.finish().map_err(|error| damaged(&error)));
        if stream.exceeded() {
            bail!("it would unpack to more than {}", text::bytes(self.limit));
        }
        walked?;
        ensure!(stream.sha256() == self.sha256, "it was changed while it was read");
        Ok(())
    }

    /// The headers as they stand: kinds and sizes, so that reading names later cannot fill the memory, and
    /// no header says that the data are longer than they look.
    fn survey(&self, stream: &mut Stream<'_>) -> Result<()> {
        let mut archive = tar::Archive::new(stream);
        let mut count = 0;
        for entry in archive.entries().map_err(|error| damaged(&error))?.raw(true) {
            let mut entry = entry.map_err(|error| damaged(&error))?;
            let name = shown(&entry.path_bytes());
            count += 1;
            ensure!(count <= self.entries.saturating_mul(3), "it has more than {} entries", self.entries);
            match entry.header().entry_type() {
                EntryType::Regular | EntryType::Directory | EntryType::Symlink | EntryType::Link => continue,
                EntryType::GNULongName
                | EntryType::GNULongLink
                | EntryType::XHeader
                | EntryType::XGlobalHeader => {}
                other => bail!("the entry `{name}` is {}, which no such archive may hold", kind(other)),
            }
            ensure!(entry.size() <= EXTENSION, "the entry `{name}` has a header of {} bytes", entry.size());
            let Some(extensions) = entry.pax_extensions().map_err(|error| damaged(&error))? else { continue };
            for extension in extensions {
                let extension = extension.map_err(|error| damaged(&error))?;
                let key = extension.key_bytes();
                ensure!(
                    key != b"size" && !key.starts_with(b"GNU.sparse"),
                    "the entry `{name}` has a header `{}`, which no such archive may hold",
                    shown(key)
                );
            }
        }
        Ok(())
    }

    fn members(
        &self,
        stream: &mut Stream<'_>,
        tree: &mut Tree,
        each: &mut dyn FnMut(Admitted, &mut tar::Entry<'_, &mut Stream<'_>>) -> Result<()>,
    ) -> Result<()> {
        let mut archive = tar::Archive::new(stream);
        for entry in archive.entries().map_err(|error| damaged(&error))? {
            let mut entry = entry.map_err(|error| damaged(&error))?;
            let name = entry.path_bytes().into_owned();
            let target = || entry.link_name_bytes().unwrap_or_default().into_owned();
            let member = match entry.header().entry_type() {
                // Old archives mark a directory by the slash at its end alone.
                EntryType::Regular if name.ends_with(b"/") => Member::Directory,
                EntryType::Regular => Member::File,
                EntryType::Directory => Member::Directory,
                EntryType::Symlink => Member::Symlink(target()),
                EntryType::Link => Member::HardLink(target()),
                // `survey` leaves some notes that belong to no member.
                EntryType::XGlobalHeader => continue,
                other => {
                    bail!("the entry `{}` is {}, which no such archive may hold", shown(&name), kind(other))
                }
            };
            let admitted = tree.admit(&name, &member)?;
            ensure!(tree.members() <= self.entries, "it has more than {} entries", self.entries);
            each(admitted, &mut entry)?;
        }
        Ok(())
    }
}

/// Says what a file is that is not a gzip file, as far as a person is helped by it.
fn recognise(file: &File) -> Result<()> {
    let mut head = [0; 512];
    let read = file.read_at(&mut head, 0)?;
    let head = &head[..read];
    let is = match head {
        [0x1f, 0x8b, 8, ..] => return Ok(()),
        [] => "empty",
        [b'P', b'K', ..] => "a zip archive",
        [0xfd, b'7', b'z', b'X', b'Z', ..] => "compressed with xz",
        [b'B', b'Z', b'h', ..] => "compressed with bzip2",
        [0xed, 0xab, 0xee, 0xdb, ..] => "an rpm package",
        _ if head.get(257..262) == Some(b"ustar") => "a tar archive that is not compressed with gzip",
        _ if head.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<') => {
            "a web page, as a failed download leaves it"
        }
        _ => "something else",
    };
    bail!("it is no tar.gz archive but {is}: copy it again");
}

fn kind(entry_type: EntryType) -> String {
    match entry_type {
        EntryType::Char => "a character device".into(),
        EntryType::Block => "a block device".into(),
        EntryType::Fifo => "a FIFO".into(),
        EntryType::GNUSparse => "a sparse file".into(),
        other => format!("of type {:?}", char::from(other.as_byte())),
    }
}

fn damaged(error: &io::Error) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => anyhow!("it is cut short: copy it again"),
        _ => anyhow!("it is damaged ({}): copy it again", text::safe(&error.to_string())),
    }
}
