//! Active swap: /proc/swaps.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::{Fact, decode, read};
use crate::host::{DeviceNumber, Host, Kind};

/// One active swap area.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swap {
    /// Device or file; octal escapes are decoded.
    pub path: String,
    /// Whether it is a block device (`partition` in the kernel's words) and not a file.
    pub is_partition: bool,
    /// `major:minor` of the block device.
    pub major_minor: Option<DeviceNumber>,
}

/// Reads /proc/swaps and looks up the devices.
pub fn load(host: &Host) -> Fact<Vec<Swap>> {
    if host.kind() == Kind::Image {
        return Fact::needs_kernel();
    }
    let swaps = read::text(host, "/proc/swaps").and_then(|text| parse(&text)).map(|mut swaps| {
        for swap in swaps.iter_mut().filter(|swap| swap.is_partition) {
            swap.major_minor = device_number(host, &swap.path);
        }
        swaps
    });
    Fact::from_result(swaps)
}

/// The swap areas that /proc/swaps lists; their devices are not looked up yet.
/// Errors: The first line that is none: swap passed over could be on a disk about to be formatted.
pub fn parse(text: &str) -> Result<Vec<Swap>> {
    let lines = text
        .lines()
        .enumerate()
        .filter(|(index, line)| !(line.trim().is_empty() || *index == 0 && line.starts_with("Filename")));
    lines
        .map(|(index, line)| {
            parse_line(line).with_context(|| format!("line {} of /proc/swaps is not a swap area", index + 1))
        })
        .collect()
}

fn parse_line(line: &str) -> Option<Swap> {
    let mut fields = line.split_ascii_whitespace();
    let path = decode::octal(fields.next()?);
    let (kind, _kib) = (fields.next()?, fields.next()?.parse::<u64>().ok()?);
    Some(Swap {
        // The kernel's remark that the name is gone; the area is in use all the same.
        path: path.strip_suffix(" (deleted)").unwrap_or(&path).to_owned(),
        is_partition: kind == "partition",
        major_minor: None,
    })
}

/// By the device node, else by what sysfs says of the name.
fn device_number(host: &Host, path: &str) -> Option<DeviceNumber> {
    let node = host.is_live().then(|| fs::metadata(host.path(path)).ok()).flatten();
    if let Some(node) = node.filter(|node| node.file_type().is_block_device()) {
        return Some(DeviceNumber::of(node.rdev()));
    }
    let name = path.strip_prefix("/dev/")?;
    let Some(mapped) = name.strip_prefix("mapper/") else {
        let name = name.replace('/', "!");
        return number_of(host, &name);
    };
    let names = host.list("/sys/class/block").ok()?;
    let found = names.iter().filter(|name| name.starts_with("dm-")).find(|name| {
        let dm_name = read::attribute(host, &format!("/sys/class/block/{name}/dm/name"));
        dm_name.is_ok_and(|dm_name| dm_name.as_deref() == Some(mapped))
    })?;
    number_of(host, found)
}

fn number_of(host: &Host, name: &str) -> Option<DeviceNumber> {
    read::attribute(host, &format!("/sys/class/block/{name}/dev")).ok()??.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

    const SWAPS: &str = "\
Filename				Type		Size	Used	Priority
/dev/sda5                               partition	4095996	0	-1
/swap\\040file                           file\t\t1024\t0\t-2
/dev/sdb9\\040(deleted)                  partition\t8\t0\t-3
/dev/mapper/vg-swap partition 16 0 -4
";

    #[test]
    fn devices_files_and_deleted_names_are_told_apart() {
        let dir = testing::tree(&[
            ("proc/swaps", SWAPS),
            ("sys/class/block/sda5/dev", "8:5\n"),
            ("sys/class/block/dm-3/dev", "253:3\n"),
            ("sys/class/block/dm-3/dm/name", "vg-swap\n"),
        ]);
        let Fact::Known(swaps) = load(&Host::recorded(dir.path())) else { panic!() };
        let seen: Vec<_> = swaps.iter().map(|s| (s.path.as_str(), s.major_minor)).collect();
        assert_eq!(
            seen,
            [
                ("/dev/sda5", Some("8:5".into())),
                ("/swap file", None),
                ("/dev/sdb9", None),
                ("/dev/mapper/vg-swap", Some("253:3".into()))
            ]
        );
        assert_eq!((swaps[0].is_partition, swaps[1].is_partition), (true, false));
    }

    #[test]
    fn none_is_an_answer_and_nonsense_is_not() {
        assert_eq!(parse("Filename\tType\tSize\tUsed\tPriority\n").unwrap(), []);
        let error = parse("Filename Type\n/dev/sda5 partition many 0 -1\n").unwrap_err().to_string();
        assert_eq!(error, "line 2 of /proc/swaps is not a swap area");
        testing::damage(SWAPS, |text| drop(parse(text)));
    }
}
