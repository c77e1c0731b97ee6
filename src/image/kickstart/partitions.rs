//! The partitions: those of `layout`, which `check` looks for, with the sizes of `installation`.

use anyhow::Result;

use super::answers::Answers;
use super::refusal::refused;
use crate::host::text::bytes;
use crate::profile::{Installation, PartitionSpec, PartitionType, Profile};

const MIB: u64 = 1 << 20;

/// Least size of `/`: the minimal system with the procedure's packages takes 1.5 GB, and the master target, its logs
/// and the vendor's archive, unpacked, lie there too.
const LEAST_ROOT: u64 = 4 << 30;

/// Least size of any other partition, and of swap.
const LEAST: u64 = 100 * MIB;

/// Directories that the installer wants on `/` itself.
const ON_ROOT: [&str; 9] = ["/bin", "/dev", "/sbin", "/etc", "/lib", "/lib64", "/root", "/mnt", "/proc"];

/// The system disk as the installer's commands take it.
pub(super) fn disk(answers: &Installation) -> &str {
    answers.disk.strip_prefix("/dev/").unwrap_or(&answers.disk)
}

/// The `part` lines.
/// Errors: A size is wrong, or the layout is one that the installer does not make.
pub(super) fn lines(profile: &Profile, answers: &Answers<'_>) -> Result<String> {
    let (layout, installation) = (&profile.layout, &profile.installation);
    if layout.root_on_lvm {
        let what =
            "found `true`, but a kickstart makes plain partitions, as the procedure wants; let it be `false`";
        return Err(refused(profile, "layout.root-on-lvm", what));
    }
    no_strangers(profile)?;
    let disk = disk(installation);
    let mut lines = Vec::new();
    let mut sum = 0_u64;
    // What the firmware's code starts, it can start from a primary partition alone.
    let with_kernel = if layout.partitions.iter().any(|spec| spec.mount == "/boot") { "/boot" } else { "/" };
    for (index, (spec, size, path)) in answers.partitions.iter().enumerate() {
        let PartitionSpec { mount, fs_type } = spec;
        can_be_made(profile, spec, index)?;
        let size = checked(profile, path, *size, if mount == "/" { LEAST_ROOT } else { LEAST })?;
        sum = sum.saturating_add(size);
        let grow = if installation.grow.as_ref() == Some(mount) { " --grow" } else { "" };
        let primary = if mount == with_kernel { " --asprimary" } else { "" };
        lines.push(format!(
            "part {mount} --fstype={fs_type} --size={}{grow}{primary} --ondisk={disk}",
            size / MIB
        ));
    }
    if let Some(size) = answers.swap {
        let size = checked(profile, "installation.swap", size, LEAST)?;
        sum = sum.saturating_add(size);
        lines.push(format!("part swap --size={} --ondisk={disk}", size / MIB));
    }
    // The table, and for each partition what aligns it.
    let needed = sum.saturating_add((lines.len() as u64 + 1) * MIB);
    let room = profile.sizing.os_disk.bytes();
    if needed > room {
        let at = profile.origins.get("sizing.os-disk").map_or("default", String::as_str);
        let what = format!(
            "found {} in all, with swap, expected no more than sizing.os-disk ({at}), {}",
            bytes(needed),
            bytes(room)
        );
        return Err(refused(profile, "installation.sizes", &what));
    }
    Ok(lines.join("\n"))
}

/// Refuses answers about partitions that the layout does not have. The built-in sizes may be more than a layout needs.
fn no_strangers(profile: &Profile) -> Result<()> {
    let (layout, answers) = (&profile.layout, &profile.installation);
    let known = |mount: &str| layout.partitions.iter().any(|spec| spec.mount == mount);
    let given = |path: &str| profile.origins.get(path).is_some_and(|at| !at.starts_with("built-in "));
    for (index, item) in answers.sizes.iter().enumerate() {
        let path = format!("installation.sizes[{index}].mount");
        if !known(&item.mount) && given(&path) {
            let what = format!("found `{}`, which is none of layout.partitions", item.mount);
            return Err(refused(profile, &path, &what));
        }
    }
    match &answers.grow {
        Some(mount) if !known(mount) => {
            let what = format!("found `{mount}`, expected one of layout.partitions, or null");
            Err(refused(profile, "installation.grow", &what))
        }
        _ => Ok(()),
    }
}

fn can_be_made(profile: &Profile, spec: &PartitionSpec, index: usize) -> Result<()> {
    let PartitionSpec { mount, fs_type } = spec;
    if !matches!(fs_type, PartitionType::Ext2 | PartitionType::Ext3 | PartitionType::Ext4) {
        let what = format!(
            "found `{fs_type}`, expected `ext2`, `ext3` or `ext4`: the installer of CentOS 6 makes no other here"
        );
        return Err(refused(profile, &format!("layout.partitions[{index}].type"), &what));
    }
    if ON_ROOT.contains(&&**mount) {
        let what = format!("found `{mount}`, which the installer of CentOS 6 wants on `/` itself");
        return Err(refused(profile, &format!("layout.partitions[{index}].mount"), &what));
    }
    Ok(())
}

fn checked(profile: &Profile, path: &str, size: u64, least: u64) -> Result<u64> {
    if size < least {
        let what = format!("found {}, expected at least {}", bytes(size), bytes(least));
        return Err(refused(profile, path, &what));
    }
    if !size.is_multiple_of(MIB) {
        let what = format!("found {size} bytes, expected whole megabytes: the installer counts in them");
        return Err(refused(profile, path, &what));
    }
    Ok(size)
}
