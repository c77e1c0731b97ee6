//! Who uses a mounted file system, as fuser(1) tells it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, anyhow};

use crate::changes::identity;
use crate::facts::mounts::Mount;
use crate::facts::{mounts, swaps};
use crate::host::apart::apart;
use crate::host::{DeviceNumber, Host, text};

/// How long looking at what all processes have open may take. A file on a network mount that is dead does not answer.
const DEADLINE: Duration = Duration::from_secs(30);

/// How many processes are named.
const NAMED: usize = 5;

/// What uses the file system of `mount`, in words; the first processes by name.
pub fn of(host: &Host, mount: &Mount) -> Result<Vec<String>> {
    let place = Path::new(&mount.mount_point);
    let lies_in = |path: &str| Path::new(path).starts_with(place);
    let mut found = Vec::new();
    for other in identity::known(mounts::load(host))? {
        if other.mount_point != mount.mount_point && lies_in(&other.mount_point) {
            found.push(format!("{} is mounted at {}", text::safe(&other.source), other.mount_point));
        }
    }
    for swap in identity::known(swaps::load(host))? {
        if lies_in(&swap.path) {
            found.push(format!("{} is swap", text::safe(&swap.path)));
        }
    }
    for name in host.list("/sys/block").unwrap_or_default() {
        let file = host.read(format!("/sys/block/{name}/loop/backing_file")).unwrap_or_default();
        if lies_in(file.trim_end()) {
            found.push(format!("{} lies below the loop device {name}", text::safe(file.trim_end())));
        }
    }
    let number = mount.major_minor;
    let processes = apart("looking at what processes have open", DEADLINE, &[], || processes(host, number));
    let mut processes = processes.map_err(|error| anyhow!("cannot determine what uses it: {error}"))?;
    let more = processes.len().saturating_sub(NAMED);
    processes.truncate(NAMED);
    found.extend(processes);
    if more > 0 {
        found.push(format!("and {more} more processes"));
    }
    Ok(found)
}

/// The processes with an open or mapped file, a working or a root directory on the device `number`. One that ends meanwhile, or
/// that is hidden, is none.
fn processes(host: &Host, number: DeviceNumber) -> Vec<String> {
    let pids = host.list("/proc").unwrap_or_default();
    let mut pids: Vec<u32> = pids.iter().filter_map(|name| name.parse().ok()).collect();
    pids.sort_unstable();
    let uses = |pid: &u32| how(host, *pid, number).map(|how| describe(host, *pid, how));
    pids.iter().filter_map(uses).collect()
}

fn describe(host: &Host, pid: u32, how: &str) -> String {
    let stat = host.read(format!("/proc/{pid}/stat")).unwrap_or_default();
    let name = stat.split_once('(').and_then(|(_, rest)| Some(rest.rsplit_once(')')?.0)).unwrap_or_default();
    format!("process {pid} ({}) has {how} on it", text::safe(name))
}

fn how(host: &Host, pid: u32, number: DeviceNumber) -> Option<&'static str> {
    let is_on = |link: String| {
        let meta = fs::metadata(host.path(link));
        meta.is_ok_and(|meta| DeviceNumber::of(meta.dev()) == number)
    };
    if is_on(format!("/proc/{pid}/cwd")) {
        return Some("its working directory");
    }
    if is_on(format!("/proc/{pid}/root")) {
        return Some("its root directory");
    }
    let open = host.list(format!("/proc/{pid}/fd")).unwrap_or_default();
    if open.iter().any(|fd| is_on(format!("/proc/{pid}/fd/{fd}"))) {
        return Some("a file open");
    }
    // Its program is among them. The column of the device: two numbers in hex.
    let maps = host.read(format!("/proc/{pid}/maps")).unwrap_or_default();
    let device = |line: &str| {
        let (major, minor) = line.split_ascii_whitespace().nth(3)?.split_once(':')?;
        let hex = |text: &str| u32::from_str_radix(text, 16).ok();
        Some(DeviceNumber::new(hex(major)?, hex(minor)?))
    };
    maps.lines().any(|line| device(line) == Some(number)).then_some("a file mapped")
}
