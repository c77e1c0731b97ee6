//! What lies in the directory on which the retention volume is to be mounted, while nothing is mounted there: a mount would hide it.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::disks::sysfs;
use super::mounts::Mount;
use super::{Fact, read};
use crate::host::{Host, text};

/// The entries of a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strays {
    /// The first ones of those that were looked at.
    pub names: Vec<String>,
    /// How many there are; [`MOST`] stands for that many and more.
    pub count: usize,
    /// A name beside the directory, or beside what is in its place, that nothing has; empty where none was found, or none is needed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub free_name: String,
    /// What is there in the place of the directory: nothing can be mounted on it by that name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<Instead>,
}

/// What is in the place of a directory, or of one above it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instead {
    pub at: String,
    /// What it is: `a regular file`.
    pub what: String,
    /// The directory to which a link leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// No more entries are looked at.
pub const MOST: usize = 1000;

/// So many of them are named.
const NAMED: usize = 5;

/// Reads the directory `point`, where `mounts` has nothing on it. What lies below a mount cannot be seen without a change.
pub fn load(host: &Host, point: &str, mounts: &Fact<Vec<Mount>>) -> Fact<Strays> {
    let mounts = match mounts {
        Fact::Known(mounts) => mounts,
        Fact::Unknown(why) => return Fact::Unknown(format!("the mounts: {why}")),
        Fact::NotApplicable(why) => return Fact::NotApplicable(why.clone()),
    };
    let point = point.trim_end_matches('/');
    if point.is_empty() {
        return Fact::NotApplicable("it was not asked for".into());
    }
    if mounts.iter().any(|mount| mount.mount_point == point) {
        return Fact::NotApplicable("it is mounted over".into());
    }
    Fact::from_result(look(host, point).map_err(|error| read::explain(point, error)))
}

fn look(host: &Host, point: &str) -> io::Result<Strays> {
    if let Some(instead) = instead(host, point)? {
        let free_name = free_name(host, &instead.at);
        return Ok(Strays { free_name, instead: Some(instead), ..Strays::default() });
    }
    let entries = match host.resolve(point).and_then(fs::read_dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Strays::default()),
        entries => entries?,
    };
    let name = |entry: fs::DirEntry| text::safe(&entry.file_name().to_string_lossy());
    let mut names = entries.take(MOST).map(|entry| entry.map(name)).collect::<io::Result<Vec<String>>>()?;
    let count = names.len();
    names.sort();
    names.truncate(NAMED);
    let free_name = if count == 0 { String::new() } else { free_name(host, point) };
    Ok(Strays { names, count, free_name, instead: None })
}

/// The first on the way to `point` that is no directory.
fn instead(host: &Host, point: &str) -> io::Result<Option<Instead>> {
    let mut way: Vec<&Path> = Path::new(point).ancestors().collect();
    way.reverse();
    for at in way {
        let kind = match host.path(at).symlink_metadata() {
            Ok(meta) => meta.file_type(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let what = match kind {
            kind if kind.is_dir() => continue,
            kind if kind.is_symlink() => "a symbolic link",
            kind if kind.is_file() => "a regular file",
            _ => "neither a directory nor a regular file",
        };
        let leads = sysfs::real(host, point).filter(|_| kind.is_symlink());
        let to =
            leads.filter(|real| host.path(real).is_dir()).map(|real| text::safe(&real.display().to_string()));
        return Ok(Some(Instead { at: at.display().to_string(), what: what.to_owned(), to }));
    }
    Ok(None)
}

/// A name beside `point` that nothing has: mv(1) moves what it is to rename into a directory that is there.
fn free_name(host: &Host, point: &str) -> String {
    let names = (1..=99).map(|number| match number {
        1 => format!("{point}.found"),
        _ => format!("{point}.found.{number}"),
    });
    // Where it cannot be determined whether something has it, it is not free.
    let mut free = names.filter(|name| {
        host.resolve(name)
            .and_then(|path| path.symlink_metadata())
            .is_err_and(|error| error.kind() == ErrorKind::NotFound)
    });
    free.next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{mounts, testing};

    #[test]
    fn what_lies_at_the_mount_point_is_named_where_nothing_is_mounted() {
        let root = "19 1 8:1 / / rw - ext4 /dev/sda1 rw\n";
        let volume = "23 19 253:0 / /mnt/retention rw - ext4 /dev/mapper/x rw\n";
        let found = |files: &[&str], mounted: &str| {
            let files: Vec<_> = files.iter().map(|file| (*file, "")).collect();
            let dir = testing::tree(&files);
            load(
                &Host::recorded(dir.path()),
                "/mnt/retention/",
                &Fact::Known(mounts::parse(mounted).unwrap()),
            )
        };
        assert_eq!(found(&[], root), Fact::Known(Strays::default()));
        let free_name = "/mnt/retention.found".to_owned();
        let strays =
            Strays { names: vec!["a".into(), "b\\u{1b}".into()], count: 2, free_name, instead: None };
        assert_eq!(found(&["mnt/retention/b\u{1b}", "mnt/retention/a/deep"], root), Fact::Known(strays));
        let Fact::Known(strays) =
            found(&["mnt/retention/a", "mnt/retention.found/a", "mnt/retention.found.2"], root)
        else {
            panic!("not known")
        };
        assert_eq!(strays.free_name, "/mnt/retention.found.3");
        let many: Vec<String> = (0..1200).map(|number| format!("mnt/retention/{number:04}")).collect();
        let Fact::Known(strays) = found(&many.iter().map(String::as_str).collect::<Vec<_>>(), root) else {
            panic!("not known")
        };
        assert_eq!((strays.count, strays.names.len()), (MOST, NAMED));
        assert_eq!(
            found(&["mnt/retention/a"], &format!("{root}{volume}")),
            Fact::NotApplicable("it is mounted over".into())
        );
    }

    #[test]
    fn what_is_in_the_place_of_the_directory_is_named() {
        let root = "19 1 8:1 / / rw - ext4 /dev/sda1 rw\n";
        let found = |files: &[(&str, &str)]| {
            let dir = testing::tree(files);
            let mounts = Fact::Known(mounts::parse(root).unwrap());
            let Fact::Known(strays) = load(&Host::recorded(dir.path()), "/mnt/retention", &mounts) else {
                panic!()
            };
            assert_eq!((strays.names.len(), strays.count), (0, 0));
            let Instead { at, what, to } = strays.instead.unwrap();
            format!(
                "{at}: {what} {}| {}",
                to.map(|to| format!("to {to} ")).unwrap_or_default(),
                strays.free_name
            )
        };
        for (files, expected) in [
            (&[("mnt/retention", "x")][..], "/mnt/retention: a regular file | /mnt/retention.found"),
            (&[("mnt", "x"), ("mnt.found", "")], "/mnt: a regular file | /mnt.found.2"),
            (
                &[("mnt/retention", "-> ../srv/r"), ("srv/r/x", "")],
                "/mnt/retention: a symbolic link to /srv/r | /mnt/retention.found",
            ),
            (&[("mnt/retention", "-> gone")], "/mnt/retention: a symbolic link | /mnt/retention.found"),
            (
                &[("mnt", "-> /srv"), ("srv/retention/x", "")],
                "/mnt: a symbolic link to /srv/retention | /mnt.found",
            ),
        ] {
            assert_eq!(found(files), expected);
        }
    }
}
