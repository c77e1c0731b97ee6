//! Which names, kinds and links an archive may hold: judged on names alone, before anything is written.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use anyhow::{Result, bail};

use crate::host::text;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member {
    Directory,
    File,
    /// A symbolic link, and where it leads, as written.
    Symlink(Vec<u8>),
    /// A hard link, and the member that it is another name of, as written.
    HardLink(Vec<u8>),
}

/// A member that was found harmless, its name cleaned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// The archive's own top (`./`).
    Top,
    Directory(PathBuf),
    File(PathBuf),
    Symlink(PathBuf, PathBuf),
    HardLink(PathBuf, PathBuf),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Node {
    /// Named by the archive, or only implied by a name below it.
    Directory,
    File,
    Symlink,
}

/// The tree that an archive makes, grown member by member.
#[derive(Default)]
pub struct Tree {
    nodes: BTreeMap<PathBuf, Node>,
}

impl Tree {
    /// Takes one more member in.
    /// Errors: One line that names the member and what is wrong with it.
    pub fn admit(&mut self, name: &[u8], member: &Member) -> Result<Admitted> {
        let shown = shown(name);
        let path = clean(name).map_err(|why| anyhow::anyhow!("the entry `{shown}` {why}"))?;
        if path.as_os_str().is_empty() {
            if *member == Member::Directory {
                return Ok(Admitted::Top);
            }
            bail!("the entry `{shown}` is the archive's own top, but not a directory");
        }
        self.admit_parents(&path, &shown)?;
        let node = match member {
            Member::Directory => Node::Directory,
            Member::File | Member::HardLink(_) => Node::File,
            Member::Symlink(_) => Node::Symlink,
        };
        match self.nodes.get(&path) {
            None => {}
            Some(Node::Directory) if node == Node::Directory => return Ok(Admitted::Directory(path)),
            Some(_) => bail!("the entry `{shown}` is in the archive twice"),
        }
        let admitted = match member {
            Member::Directory => Admitted::Directory(path.clone()),
            Member::File => Admitted::File(path.clone()),
            Member::Symlink(target) => {
                let target = inside(&path, target)
                    .map_err(|why| anyhow::anyhow!("the entry `{shown}` is a link that {why}"))?;
                Admitted::Symlink(path.clone(), target)
            }
            Member::HardLink(target) => {
                let original = clean(target).map_err(|why| {
                    anyhow::anyhow!("the entry `{shown}` is a hard link whose target {why}")
                })?;
                if self.nodes.get(&original) != Some(&Node::File) {
                    bail!(
                        "the entry `{shown}` is a hard link to `{}`, which is no file before it in the archive",
                        self::shown(target)
                    );
                }
                Admitted::HardLink(path.clone(), original)
            }
        };
        self.nodes.insert(path, node);
        Ok(admitted)
    }

    /// The files called `name`, wherever they lie.
    pub fn files_called<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Path> {
        self.nodes
            .iter()
            .filter(move |(path, node)| **node == Node::File && path.file_name() == Some(OsStr::new(name)))
            .map(|(path, _)| path.as_path())
    }

    pub fn members(&self) -> usize {
        self.nodes.len()
    }

    fn admit_parents(&mut self, path: &Path, shown: &str) -> Result<()> {
        for parent in path.ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty()) {
            match self.nodes.get(parent) {
                None => {
                    self.nodes.insert(parent.to_path_buf(), Node::Directory);
                }
                Some(Node::Directory) => {}
                Some(Node::Symlink) => {
                    bail!("the entry `{shown}` would be written through the link `{}`", shown_path(parent))
                }
                Some(Node::File) => bail!("the entry `{shown}` lies below the file `{}`", shown_path(parent)),
            }
        }
        Ok(())
    }
}

/// `name` without `.` and doubled slashes; the reason when it leads elsewhere.
fn clean(name: &[u8]) -> Result<PathBuf, String> {
    if name.contains(&0) {
        return Err("has a zero byte in its name".into());
    }
    if name.len() > 4000 {
        return Err(format!("has a name of {} bytes, which no file can have", name.len()));
    }
    let mut path = PathBuf::new();
    for component in Path::new(OsStr::from_bytes(name)).components() {
        match component {
            Component::Normal(part) if part.len() > 255 => {
                return Err(format!("has a name of {} bytes, which no file can have", part.len()));
            }
            Component::Normal(part) => path.push(part),
            Component::CurDir => {}
            Component::ParentDir => return Err("leads out of the archive with `..`".into()),
            Component::RootDir | Component::Prefix(_) => return Err("has an absolute name".into()),
        }
    }
    Ok(path)
}

/// The target of a link at `path`, when it cannot leave the tree.
///
/// `..` may only stand at the beginning, where it climbs directories that are real (see `admit_parents`):
/// behind a name, which may itself be a link, it could lead anywhere.
fn inside(path: &Path, target: &[u8]) -> Result<PathBuf, String> {
    let written = shown(target);
    if target.is_empty() || target.contains(&0) || target.len() > 4000 {
        return Err(format!("leads to no possible name, `{written}`"));
    }
    let target = Path::new(OsStr::from_bytes(target));
    let (mut up, mut names) = (0, 0);
    for component in target.components() {
        match component {
            Component::RootDir | Component::Prefix(_) => {
                return Err(format!("leads out of the archive, to `{written}`"));
            }
            Component::ParentDir if names > 0 => {
                return Err(format!("climbs with `..` behind a name, `{written}`"));
            }
            Component::ParentDir => up += 1,
            Component::Normal(_) => names += 1,
            Component::CurDir => {}
        }
    }
    let depth = path.components().count() - 1;
    if up > depth {
        return Err(format!("leads out of the archive, to `{written}`"));
    }
    Ok(target.to_path_buf())
}

/// A name from an archive, safe and short enough to print.
pub(super) fn shown(name: &[u8]) -> String {
    let safe = text::safe(&String::from_utf8_lossy(name));
    if safe.chars().count() <= 120 {
        safe
    } else {
        format!("{}...", safe.chars().take(120).collect::<String>())
    }
}

/// A path of the tree, as [`shown`].
pub(super) fn shown_path(path: &Path) -> String {
    shown(path.as_os_str().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(target: &str) -> Member {
        Member::Symlink(target.as_bytes().to_vec())
    }

    #[test]
    fn names_are_cleaned_and_directories_may_repeat() {
        let mut tree = Tree::default();
        assert_eq!(tree.admit(b"./", &Member::Directory).unwrap(), Admitted::Top);
        assert_eq!(tree.admit(b"./a//b", &Member::File).unwrap(), Admitted::File("a/b".into()));
        assert_eq!(tree.admit(b"a/", &Member::Directory).unwrap(), Admitted::Directory("a".into()));
        assert_eq!(tree.files_called("b").collect::<Vec<_>>(), [Path::new("a/b")]);
    }

    #[test]
    fn links_inside_the_tree_are_kept_as_written() {
        let mut tree = Tree::default();
        let admitted = tree.admit(b"a/b/link", &link("../../c/./d")).unwrap();
        assert_eq!(admitted, Admitted::Symlink("a/b/link".into(), "../../c/./d".into()));
        tree.admit(b"lib.so", &link("lib.so.1")).unwrap();
    }

    #[test]
    fn a_link_cannot_leave_by_way_of_another_link() {
        // `d` would lead to the top; `d/..` then lies above it, though it reads as if it did not.
        let mut tree = Tree::default();
        tree.admit(b"p/q/d", &link("../..")).unwrap();
        let error = tree.admit(b"x", &link("p/q/d/..")).unwrap_err().to_string();
        assert_eq!(error, "the entry `x` is a link that climbs with `..` behind a name, `p/q/d/..`");
    }

    #[test]
    fn a_name_that_would_drive_the_terminal_is_shown_safely() {
        let error = Tree::default().admit(b"../\x1b[2J", &Member::File).unwrap_err().to_string();
        assert_eq!(error, "the entry `../\\u{1b}[2J` leads out of the archive with `..`");
        for (kind, what) in
            [(Member::File, "lies below the file"), (link("y"), "would be written through the link")]
        {
            let mut tree = Tree::default();
            tree.admit("\u{7f}\u{200b}".as_bytes(), &kind).unwrap();
            let error = tree.admit("\u{7f}\u{200b}/x".as_bytes(), &Member::File).unwrap_err().to_string();
            assert_eq!(error, format!("the entry `\\u{{7f}}\\u{{200b}}/x` {what} `\\u{{7f}}\\u{{200b}}`"));
        }
    }
}
