//! The nodes in /dev that every program expects, made anew where they are not as they should be.
//!
//! Each is made beside its place and renamed over what lies there: at no instant is there less than before. What a loss
//! of power or SIGKILL leaves is the old state, with at most a node beside it, which the next run takes away.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use nix::libc;
use nix::sys::stat::{Mode, SFlag, makedev, mknod};

use super::{Context, Done};
use crate::facts::device_nodes::{self, DeviceNode, Kind, MODE, STANDARD, Standard};
use crate::host::command::{self, Command};
use crate::host::{Host, files};
use crate::state::saved;

/// How the node is called until it takes its place; the name follows.
const BESIDE: &str = ".mt-agent-";

/// How long giving a node its label may take.
const LABELLING: Duration = Duration::from_secs(20);

/// Makes those of the standard nodes anew that are wrong: of `planned` alone, where that is given. An image has none of
/// its own.
/// Errors: One line for all that could not be put right, which is then as it was.
pub(super) fn make(context: &mut Context<'_>, planned: Option<&[String]>) -> Result<Done> {
    let host = context.host;
    if !host.is_live() {
        return Ok(Done::Unchanged);
    }
    let (mut made, mut failed) = (Vec::new(), Vec::new());
    let is_planned =
        |standard: &&Standard| planned.is_none_or(|planned| planned.iter().any(|path| path == standard.path));
    for standard in STANDARD.iter().filter(is_planned) {
        let found = device_nodes::look(host, standard.path)?;
        let Some(wrong) = found.wrong() else { continue };
        match replace(context, standard, &found) {
            Ok(kept) => made.push(format!("{wrong}{kept}")),
            Err(error) => failed.push(format!("{wrong}: {error:#}")),
        }
    }
    let made = made.join("; ");
    if !failed.is_empty() {
        let made = if made.is_empty() { made } else { format!("; put right: {made}") };
        bail!("{}{made}", failed.join("; "));
    }
    Ok(if made.is_empty() { Done::Unchanged } else { Done::Changed(format!("put right: {made}")) })
}

/// Makes one anew; tells what became of a file's content.
fn replace(context: &mut Context<'_>, standard: &Standard, found: &DeviceNode) -> Result<String> {
    let (host, path) = (context.host, standard.path);
    ensure!(found.kind != Kind::Directory, "look at what it holds and move it away: mv {path} /root/");
    ensure!(found.kind != Kind::Closed, "mount -o remount,dev /dev");
    let place = host.path(path);
    let name = path.rsplit('/').next().unwrap_or_default();
    let beside = place.with_file_name(format!("{BESIDE}{name}"));
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("removing {}", beside.display()));
        }
        _ => {}
    }
    let kept = keep_content(&place, found)?;
    // Nobody's but root's until it is whole.
    mknod(&beside, SFlag::S_IFCHR, Mode::S_IRUSR | Mode::S_IWUSR, makedev(standard.major, standard.minor))
        .map_err(io::Error::from)
        .and_then(|()| dress(host, standard, &beside))
        .and_then(|()| fs::rename(&beside, &place))
        .inspect_err(|_| drop(fs::remove_file(&beside)))
        .with_context(|| format!("making {path} anew"))?;
    files::sync_parent(&place)?;
    label(context, path);
    if let Some(wrong) = device_nodes::look(host, path)?.wrong() {
        bail!("another program changed it at the same time: {wrong}");
    }
    Ok(kept)
}

/// Owner, mode, and under SELinux the label of a node of its kind: that of its place is given by its name, which it does
/// not have yet.
fn dress(host: &Host, standard: &Standard, beside: &Path) -> io::Result<()> {
    let group = if standard.path == "/dev/tty" { device_nodes::tty_group(host).ok().flatten() } else { None };
    lchown(beside, Some(0), Some(group.unwrap_or(0)))?;
    fs::set_permissions(beside, Permissions::from_mode(MODE))?;
    if !enforces_labels(host) {
        return Ok(());
    }
    let is_right = |path: &&str| device_nodes::look(host, path).is_ok_and(|node| node.wrong().is_none());
    let label = |path| xattr::get(host.path(path), LABEL).ok().flatten();
    match device_nodes::paths().filter(is_right).find_map(label) {
        Some(label) => xattr::set(beside, LABEL, &label).or_else(|error| match error.raw_os_error() {
            Some(libc::EOPNOTSUPP) => Ok(()),
            _ => Err(error),
        }),
        None => Ok(()),
    }
}

const LABEL: &str = "security.selinux";

fn enforces_labels(host: &Host) -> bool {
    ["/sys/fs/selinux/enforce", "/selinux/enforce"].iter().any(|path| host.exists(path))
}

/// Gives it the policy's own label, now that it has its name.
fn label(context: &mut Context<'_>, path: &str) {
    if enforces_labels(context.host) && command::available(context.host, "restorecon") {
        // What it says is in the log; the node works with the label that it has.
        let _ = context.run(&Command::new("restorecon", [path], LABELLING));
    }
}

/// Lets the content of an ordinary file stay, under another name beside: somebody may have moved a file onto it. It costs no
/// room, and is gone at the next boot as it would have been in its place.
fn keep_content(place: &Path, found: &DeviceNode) -> Result<String> {
    let Kind::File { bytes: 1.. } = found.kind else { return Ok(String::new()) };
    let links = place.symlink_metadata().with_context(|| format!("looking at {}", found.path))?.nlink();
    // It has another name: an earlier run gave it that, before it was interrupted.
    if links > 1 {
        return Ok(", whose content has another name".into());
    }
    let name = format!("{}.{}", found.path, saved::stamp("was-a-file"));
    let other = place.with_file_name(name.rsplit('/').next().unwrap_or_default());
    fs::hard_link(place, &other).with_context(|| format!("keeping its content as {name}"))?;
    Ok(format!(", whose content is {name} now, until the next boot"))
}
