//! The tools that make a file system. They are given our own node of the device, and never `-F` or its like
//! for a disk that is blank: each makes its own check of whether the device is in use, and keeps it.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use super::Format;
use super::written::Written;
use crate::changes::Context;
use crate::changes::device::Device;
use crate::facts::retention::LABEL;
use crate::host::command::{self, Command, Output};
use crate::host::{FileSystem, Host};

/// How often it is told how much was written.
const TICK: Duration = Duration::from_secs(2);

/// What is on the disk on which a file system is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// Nothing.
    Blank,
    /// Something that may be overwritten.
    Used,
}

/// How a file system comes to its UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// mkfs sets it.
    ByMkfs,
    /// mkfs.xfs cannot, and `xfs_admin` does so afterwards.
    Afterwards,
}

/// How a file system is made.
#[derive(Clone, Copy, Debug)]
pub struct Making {
    /// What is there.
    pub ground: Ground,
    /// How it comes to its UUID.
    pub naming: Naming,
}

/// Whether the tools that `format` needs are here.
/// Errors: The file system is none that is made here, or a tool is missing.
pub fn check(host: &Host, format: &Format) -> Result<()> {
    let mut tools = match &format.target.fs_type {
        FileSystem::Ext4 => vec![("mkfs.ext4", "e2fsprogs")],
        FileSystem::Xfs => vec![("mkfs.xfs", "xfsprogs")],
        other => bail!("`{other}` is not made here: expected ext4 or xfs"),
    };
    tools.push(("blkid", "util-linux-ng"));
    if format.erase {
        tools.extend([("wipefs", "util-linux-ng"), ("partx", "util-linux-ng"), ("dd", "coreutils")]);
    }
    for (tool, package) in tools {
        ensure!(command::available(host, tool), "there is no `{tool}` on this host: install {package}");
    }
    Ok(())
}

/// The time that mkfs has: without lazy initialisation (CentOS 6) it writes inode tables of 1/64 of the disk,
/// which a slow datastore takes at 5 MiB/s.
fn deadline(size_bytes: u64) -> Duration {
    Duration::from_secs(15 * 60 + 60 * (size_bytes >> 34))
}

/// The label of an XFS whose UUID could not be given to mkfs.xfs, until it has it: what tells, after an
/// interruption, that it is ours. 12 characters, with 36 bits of the UUID.
pub fn unfinished_label(uuid: &str) -> String {
    let digits: String = uuid.chars().filter(char::is_ascii_hexdigit).take(9).collect();
    format!("mt-{digits}")
}

/// Whether this mkfs.xfs can set a UUID (3.1.1 of CentOS 6 cannot), by its options, with no device named.
pub fn naming(host: &Host, format: &Format) -> Result<Naming> {
    if format.target.fs_type != FileSystem::Xfs {
        return Ok(Naming::ByMkfs);
    }
    let asked = Command::new("mkfs.xfs", ["-m", &with_uuid(format), "-V"], Duration::from_secs(60));
    Ok(match asked.run(host).context("asking mkfs.xfs what it can do")?.status {
        0 => Naming::ByMkfs,
        _ => Naming::Afterwards,
    })
}

fn with_uuid(format: &Format) -> String {
    format!("uuid={}", format.target.uuid())
}

/// Makes the file system on `node`.
pub fn make(
    context: &mut Context<'_>,
    device: &Device,
    node: &str,
    format: &Format,
    making: Making,
) -> Result<()> {
    match format.target.fs_type {
        FileSystem::Ext4 => make_ext4(context, device, node, format),
        _ => make_xfs(context, device, node, format, making),
    }
}

fn make_ext4(context: &mut Context<'_>, device: &Device, node: &str, format: &Format) -> Result<()> {
    // No -F. mke2fs up to 1.42 asks whether a whole disk is meant (for /dev/sdX, not for a map) and reads the
    // answer from standard input; one `y` answers that one question, and its checks for a mounted or busy
    // device come after it and ask nothing. No -O: the system's own tool knows what its kernel can mount.
    let arguments = ["-q", "-U", &format.target.uuid(), "-L", LABEL, node];
    let command = Command::new("mkfs.ext4", arguments, deadline(format.size_bytes)).stdin("y\n");
    run_watched(context, device, &command)
}

fn make_xfs(
    context: &mut Context<'_>,
    device: &Device,
    node: &str,
    format: &Format,
    making: Making,
) -> Result<()> {
    let force: &[&str] = match making.ground {
        Ground::Used => &["-f"],
        Ground::Blank => &[],
    };
    let with_uuid = with_uuid(format);
    if making.naming == Naming::ByMkfs {
        let arguments = [force, &["-q", "-m", &with_uuid, "-L", LABEL, node]].concat();
        return run_watched(
            context,
            device,
            &Command::new("mkfs.xfs", arguments, deadline(format.size_bytes)),
        );
    }
    let label = unfinished_label(&format.target.uuid());
    let arguments = [force, &["-q", "-L", &label, node]].concat();
    run_watched(context, device, &Command::new("mkfs.xfs", arguments, deadline(format.size_bytes)))?;
    name_xfs(context, device, node, format)
}

/// Gives an XFS its UUID, and then its label.
pub fn name_xfs(context: &mut Context<'_>, device: &Device, node: &str, format: &Format) -> Result<()> {
    for (option, value) in [("-U", format.target.uuid().as_str()), ("-L", LABEL)] {
        let command = Command::new("xfs_admin", [option, value, node], deadline(format.size_bytes));
        run_watched(context, device, &command)?;
    }
    Ok(())
}

/// Runs a tool to its end with status 0, telling meanwhile how much was written to the device: what the tools
/// themselves print of their progress goes to terminals only.
pub(super) fn run_watched(context: &mut Context<'_>, device: &Device, command: &Command) -> Result<()> {
    let host = context.host;
    context.observer.log(&format!("run: {}", command.line()));
    let mut written = Written::since_now(host, device);
    let (sender, ended) = mpsc::channel();
    let result = thread::scope(|scope| -> Result<_> {
        let running = thread::Builder::new().spawn_scoped(scope, move || {
            let _ = sender.send(command.run(host));
        });
        running.with_context(|| format!("starting a thread to run `{}`", command.line()))?;
        loop {
            match ended.recv_timeout(TICK) {
                Ok(result) => return Ok(result),
                Err(RecvTimeoutError::Disconnected) => bail!("waiting for the tool"),
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(bytes) = written.bytes(host, device) {
                        let what = format!("writing to {}", device.path());
                        context.observer.transfer(&what, bytes, None);
                    }
                }
            }
        }
    });
    let output: Output = result??;
    for line in output.stdout.split(|&byte| byte == b'\n').chain(output.stderr.split(|&byte| byte == b'\n')) {
        let line = crate::host::text::safe(&String::from_utf8_lossy(line));
        if !line.trim().is_empty() {
            context.observer.log(&format!("  {line}"));
        }
    }
    context.observer.log(&format!("status: {}", output.status));
    command.succeeded(&output)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_label_fits_and_tells_the_uuid() {
        let label = unfinished_label("0f7a34cc-38ec-4c41-b1d2-665cf827b28c");
        assert_eq!(label, "mt-0f7a34cc3");
        assert_eq!((label.len(), LABEL.len()), (12, 12));
    }

    #[test]
    fn a_large_disk_has_more_time() {
        assert_eq!(deadline(1 << 30), Duration::from_secs(900));
        assert_eq!(deadline(1 << 40), Duration::from_secs(900 + 64 * 60));
    }
}
