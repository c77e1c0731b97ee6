//! What is mounted now: /proc/self/mountinfo.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::libc;
use nix::sys::statvfs::statvfs;
use serde::{Deserialize, Serialize};

use super::{Fact, decode, kept, read};
use crate::host::each::apart_at_once;
use crate::host::{DeviceNumber, FileSystem, Host, Kind, files};

/// One mount; octal escapes are decoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Where.
    pub mount_point: String,
    /// `major:minor` of the mounted file system.
    pub major_minor: DeviceNumber,
    /// The directory of the file system that is mounted: other than `/` for a bind mount.
    pub root: String,
    /// File system type.
    pub fs_type: FileSystem,
    /// What was given as its source; of another machine's without its user ([`kept`]).
    pub source: String,
    /// Options of the mount that are judged (`rw`; [`kept::is_judged`]).
    pub options: Vec<String>,
    /// Likewise, options of the file system (`rw`, `data=ordered`): `ro` here means the file system itself is.
    pub super_options: Vec<String>,
    /// Size of the file system in bytes (statvfs); only asked of file systems on block devices.
    pub size_bytes: Fact<u64>,
    /// What unprivileged users can still write, in bytes: what df(1) shows too. Root's reserve (5 % of ext4) keeps it alive.
    pub free_bytes: Fact<u64>,
    /// How many files and directories there can be; 0 where the file system does not count them (btrfs, FAT).
    #[serde(default = "not_asked")]
    pub inodes: Fact<u64>,
    /// How many of them unprivileged users can still make.
    #[serde(default = "not_asked")]
    pub free_inodes: Fact<u64>,
}

fn not_asked() -> Fact<u64> {
    Fact::Unknown("it was recorded by a version that did not ask for inodes".into())
}

impl Mount {
    /// Whether neither the mount nor the file system is read-only.
    pub fn is_writable(&self) -> bool {
        let is = |options: &[String], wanted: &str| options.iter().any(|option| option == wanted);
        [&self.options, &self.super_options].into_iter().all(|all| is(all, "rw") && !is(all, "ro"))
    }

    /// Whether it lies on a block device of this host. btrfs has a device number of no device.
    pub fn is_on_block_device(&self) -> bool {
        !self.major_minor.is_anonymous() || self.fs_type == "btrfs"
    }
}

/// How long a file system may take to tell its size. A disk that hangs must not make us hang.
const DEADLINE: Duration = Duration::from_secs(5);

/// Reads /proc/self/mountinfo and asks the file systems on block devices for their sizes.
pub fn load(host: &Host) -> Fact<Vec<Mount>> {
    if host.kind() == Kind::Image {
        return Fact::needs_kernel();
    }
    let mut mounts = match read::text(host, "/proc/self/mountinfo").and_then(|text| parse(&text)) {
        Ok(mounts) => mounts,
        Err(error) => return Fact::Unknown(format!("{error:#}")),
    };
    if host.is_live() {
        ask_sizes(&mut mounts);
    } else {
        recorded_sizes(host, &mut mounts);
    }
    Fact::Known(mounts)
}

/// The mounts that a mountinfo file lists, in its order; sizes are not known yet.
/// Errors: The first line that is none: a mount passed over could be that of a disk about to be formatted.
pub fn parse(text: &str) -> Result<Vec<Mount>> {
    let mounts = text
        .lines()
        .enumerate()
        .map(|(index, line)| {
            parse_line(line).with_context(|| format!("line {} of mountinfo is not a mount", index + 1))
        })
        .collect::<Result<Vec<_>>>()?;
    if mounts.is_empty() {
        bail!("mountinfo lists no mount");
    }
    Ok(mounts)
}

fn parse_line(line: &str) -> Option<Mount> {
    // Not whitespace: a source can be empty, and then two blanks follow each other.
    let (before, after) = line.split_once(" - ")?;
    let mut before = before.split(' ');
    let major_minor = before.nth(2)?.parse().ok()?;
    let (root, mount_point, options) = (before.next()?, before.next()?, before.next()?);
    let mut after = after.split(' ');
    let (fs_type, source) = (after.next()?, after.next()?);
    let list = |options: &str| kept::options(options.split(','));
    let unasked = || Fact::NotApplicable("not on a block device".into());
    Some(Mount {
        mount_point: decode::octal(mount_point),
        major_minor,
        root: decode::octal(root),
        fs_type: decode::octal(fs_type).into(),
        source: kept::source(decode::octal(source)),
        options: list(options),
        super_options: list(after.next().unwrap_or_default()),
        size_bytes: unasked(),
        free_bytes: unasked(),
        inodes: unasked(),
        free_inodes: unasked(),
    })
}

/// Size and free space, in bytes; inodes and free ones.
type Sizes = [u64; 4];

/// Asks each file system once, wherever it is mounted, all of them at the same time.
fn ask_sizes(mounts: &mut [Mount]) {
    let mut places: BTreeMap<String, Vec<(PathBuf, DeviceNumber)>> = BTreeMap::new();
    for mount in mounts.iter().filter(|mount| mount.is_on_block_device()) {
        let place = (PathBuf::from(&mount.mount_point), mount.major_minor);
        places.entry(mount.major_minor.to_string()).or_default().push(place);
    }
    let devices: Vec<String> = places.keys().cloned().collect();
    let answers = apart_at_once("asking what is mounted for its size", &devices, DEADLINE, move |device| {
        places.get(device).map_or_else(|| Err(String::new()), |places| ask(places))
    });
    for device in &devices {
        let answer = match answers.as_ref().map(|answers| answers.get(device)) {
            Ok(Some(answer)) => answer.clone(),
            Ok(None) => Err(format!("did not report its size within {} s", DEADLINE.as_secs())),
            Err(error) => Err(error.to_string()),
        };
        put(mounts.iter_mut().filter(|mount| mount.major_minor.to_string() == *device), &answer);
    }
}

/// The sizes told at the first of `places` where the file system is to be seen: another mount may hide it.
fn ask(places: &[(PathBuf, DeviceNumber)]) -> Result<Sizes, String> {
    let visible = |(place, device): &&(PathBuf, DeviceNumber)| {
        device.is_anonymous()
            || match place.symlink_metadata() {
                Ok(meta) => DeviceNumber::of(meta.dev()) == *device,
                // It is there, and was shut down.
                Err(error) => error.raw_os_error() == Some(libc::EIO),
            }
    };
    let Some((place, _)) = places.iter().find(visible) else {
        return Err("another mount hides it".into());
    };
    sizes_at(place)
}

fn sizes_at(place: &Path) -> Result<Sizes, String> {
    // One that was shut down after an error still tells its size, and opens nothing.
    match files::directory(place) {
        Err(error) if error.kind() != ErrorKind::PermissionDenied => return Err(error.to_string()),
        Ok(_) | Err(_) => {}
    }
    let answer = statvfs(place).map_err(|errno| errno.desc().to_owned())?;
    // The kernel's types differ between architectures.
    #[allow(clippy::useless_conversion)]
    let bytes = |blocks| u64::from(answer.fragment_size()).saturating_mul(u64::from(blocks));
    #[allow(clippy::useless_conversion)]
    let inodes = [answer.files(), answer.files_available()].map(u64::from);
    Ok([bytes(answer.blocks()), bytes(answer.blocks_available()), inodes[0], inodes[1]])
}

/// Sizes of a recording: lines `MOUNTPOINT SIZE FREE [INODES FREE]`, escaped as in mountinfo.
fn recorded_sizes(host: &Host, mounts: &mut [Mount]) {
    let text = host.read("/commands/statvfs").unwrap_or_default();
    for mount in mounts.iter_mut().filter(|mount| mount.is_on_block_device()) {
        let found = text.lines().find_map(|line| {
            let (place, answer) = line.split_once(' ')?;
            (decode::octal(place) == mount.mount_point).then_some(answer)
        });
        let answer: Option<Vec<u64>> =
            found.and_then(|answer| answer.split_whitespace().map(|number| number.parse().ok()).collect());
        let missing = || Fact::Unknown("the recording does not say".to_owned());
        let mut answer = answer.unwrap_or_default().into_iter();
        let mut next = || answer.next().map_or_else(missing, Fact::Known);
        (mount.size_bytes, mount.free_bytes) = (next(), next());
        (mount.inodes, mount.free_inodes) = (next(), next());
    }
}

fn put<'a>(mounts: impl Iterator<Item = &'a mut Mount>, sizes: &Result<Sizes, String>) {
    for mount in mounts {
        let fact = |at: usize| Fact::from_result(sizes.clone().map(|sizes| sizes[at]));
        (mount.size_bytes, mount.free_bytes) = (fact(0), fact(1));
        (mount.inodes, mount.free_inodes) = (fact(2), fact(3));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

    const EL6: &str = "\
14 19 0:3 / /proc rw,relatime - proc /proc rw
1 1 0:1 / / rw - rootfs rootfs rw
19 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw,barrier=1,data=ordered
23 19 253:1 / /mnt/retention\\040of\\011us\\134 ro,noexec shared:4 master:1 - ext4 /dev/mapper/36000c29 rw
24 19 8:1 /srv /var/srv rw - ext4 /dev/sda1 rw
25 19 0:40 / /mnt/nameless rw unbindable - tmpfs  rw,size=1k
";

    #[test]
    fn fields_of_varying_number_and_escapes_are_read() {
        let mounts = parse(EL6).unwrap();
        assert_eq!(mounts.len(), 6);
        let retention = &mounts[3];
        assert_eq!(retention.mount_point, "/mnt/retention of\tus\\");
        assert_eq!((retention.major_minor, &*retention.fs_type), ("253:1".into(), "ext4"));
        assert_eq!(retention.options, ["ro"]);
        assert!(!retention.is_writable() && mounts[2].is_writable());
        assert_eq!(mounts[4].root, "/srv");
        assert_eq!((mounts[5].source.as_str(), mounts[5].super_options.len()), ("", 1));
        let line =
            "26 1 0:41 / /y rw,x=Hidden - fuse.curlftpfs curlftpfs#ftp://me:Hidden@s/ rw,password=a,Hidden\n";
        let answer = format!("{:?}", parse(line).unwrap());
        assert!(!answer.contains("Hidden") && answer.contains("@s***"), "{answer}");
        assert!(mounts[2].is_on_block_device() && !mounts[0].is_on_block_device());
    }

    #[test]
    fn a_line_that_is_no_mount_is_not_passed_over() {
        let error = format!("{:#}", parse(&format!("{EL6}26 19 8:x / /a rw - ext4 b rw\n")).unwrap_err());
        assert_eq!(error, "line 7 of mountinfo is not a mount");
        assert_eq!(parse("").unwrap_err().to_string(), "mountinfo lists no mount");
        testing::damage(EL6, |text| drop(parse(text)));
    }

    #[test]
    fn sizes_come_from_this_machine_s_kernel() {
        let Fact::Known(mounts) = load(&Host::live()) else { panic!("mountinfo of this machine") };
        let sizes: Vec<_> = mounts.iter().filter(|m| m.is_on_block_device()).map(|m| &m.size_bytes).collect();
        assert!(sizes.iter().any(|size| size.known().is_some_and(|size| *size > 0)), "{sizes:?}");
        let other = mounts.iter().find(|m| m.fs_type == "proc").unwrap();
        assert_eq!(other.size_bytes, Fact::NotApplicable("not on a block device".into()));
    }

    #[test]
    fn sizes_of_a_recording_are_those_that_were_recorded() {
        let dir = testing::tree(&[
            ("proc/self/mountinfo", EL6),
            ("commands/statvfs", "/ 1000 10 7 5\n/mnt/retention\\040of\\011us\\134 2000 x\n"),
        ]);
        let Fact::Known(mounts) = load(&Host::recorded(dir.path())) else { panic!() };
        assert_eq!((&mounts[2].size_bytes, &mounts[2].free_bytes), (&Fact::Known(1000), &Fact::Known(10)));
        assert_eq!((&mounts[2].inodes, &mounts[2].free_inodes), (&Fact::Known(7), &Fact::Known(5)));
        assert_eq!(mounts[3].size_bytes, Fact::Unknown("the recording does not say".into()));
        assert_eq!(load(&Host::image(dir.path())), Fact::needs_kernel());
    }
}
