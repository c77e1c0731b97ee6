//! When cloning would be unsafe, whatever is taken out.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::libc;
use nix::sys::statvfs::{FsFlags, fstatvfs};

use super::{Chosen, Item, Template, find};
use crate::facts::Fact;
use crate::facts::custom_changes::Outcome;
use crate::host::{ioctl, text};
use crate::steps::devices::mount_at;

/// Where the service that goes on at the first boot is on when it is on: SysV in some multi-user level, or systemd.
const SERVICE_LINKS: [&str; 3] = ["/etc/rc.d", "/etc", "/etc/systemd/system/multi-user.target.wants"];
const SERVICE: &str = "mt-agent-resume";

/// Why this template is not sealed: one line each; none when it can be. `work` is what the chosen steps would do.
#[must_use]
pub fn refusals(template: &Template<'_>, chosen: &Chosen, work: &[(&str, Vec<Item>)]) -> Vec<String> {
    let mut why = Vec::new();
    why.extend(system(template));
    why.extend(registered(template));
    why.extend(half_done(template));
    why.extend(mounted(template));
    why.extend(template.not_mounted().into_iter().map(|entry| {
        format!(
            "nothing is mounted at {} of {}, which its /etc/fstab mounts: what lies there would stay",
            text::safe(&entry.mount_point),
            template.host
        )
    }));
    if chosen.is_sealing() && !chosen.has("passphrases") {
        why.extend(passphrases(template));
    }
    for (step, items) in work {
        why.extend(items.iter().filter_map(|item| fixed(template, step, item)));
    }
    if chosen.is_sealing() && chosen.has("first-boot") {
        why.extend(first_boot(template));
    }
    why
}

fn system(template: &Template<'_>) -> Option<String> {
    (!template.host.exists("/etc/fstab")).then(|| {
        format!(
            "{} has no /etc/fstab: it is not the root of an installed system (mount all its file systems there)",
            template.host
        )
    })
}

fn registered(template: &Template<'_>) -> Option<String> {
    match &template.facts.site_agent {
        Fact::Known(agent) if agent.is_installed() => Some(format!(
            "the master target software is installed ({}) and known to its configuration server by an id that every clone \
             would share: uninstall it, and install it on each clone",
            agent
                .configuration
                .as_deref()
                .or(agent.installation_dir.as_deref())
                .unwrap_or("/usr/local/.vx_version")
        )),
        Fact::Known(_) | Fact::NotApplicable(_) => None,
        Fact::Unknown(why) => {
            Some(format!("whether the master target software is installed could not be told: {why}"))
        }
    }
}

fn half_done(template: &Template<'_>) -> Option<String> {
    match &template.facts.custom_changes.record {
        Fact::Known(Some(record)) if record.outcome == Outcome::Started => Some(
            "a run of the vendor script was interrupted, and what it did is unknown: decide with mt-agent apply \
             --custom-changes=accept or =rerun first"
                .to_owned(),
        ),
        Fact::Unknown(why) => Some(format!("whether the vendor script ran could not be told: {why}")),
        _ => None,
    }
}

fn mounted(template: &Template<'_>) -> Option<String> {
    let point = &template.profile.retention.mount_point;
    match &template.facts.mounts {
        Fact::Known(mounts) => mount_at(mounts, point).map(|mount| {
            format!(
                "{} is mounted at {point}: a retention volume is never part of an image; umount {point}, and detach the \
                 disk before cloning",
                mount.source
            )
        }),
        Fact::NotApplicable(_) => None,
        Fact::Unknown(why) => Some(format!("what is mounted at {point} could not be told: {why}")),
    }
}

/// A passphrase in an image is one in the hands of everybody who gets a copy.
fn passphrases(template: &Template<'_>) -> Vec<String> {
    match find::passphrases(template) {
        Ok(found) => {
            let told = |item: &Item| {
                format!("{} holds the site's passphrase in plain text, and --skip leaves it", item.path())
            };
            found.iter().map(told).collect()
        }
        Err(why) => vec![format!("whether a passphrase file is left could not be told: {why:#}")],
    }
}

/// Why a file cannot be removed or replaced, as far as that can be told without trying.
fn fixed(template: &Template<'_>, step: &str, item: &Item) -> Option<String> {
    let path = item.path();
    let place = match item {
        Item::Remove { .. } => template.host.place(path),
        Item::Rewrite { .. } => template.host.resolve(path),
        Item::FillFreeSpace { .. } => return None,
    };
    let why = place.map_or_else(|error| Some(error.to_string()), |place| is_fixed(&place))?;
    Some(if step == "passphrases" {
        format!("{path} holds the site's passphrase and cannot be removed: {why}")
    } else {
        format!("{path} cannot be changed: {why}")
    })
}

fn is_fixed(place: &Path) -> Option<String> {
    if !place.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
        return None;
    }
    let opened = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(place);
    let looked = opened.and_then(|file| {
        if fstatvfs(&file)?.flags().contains(FsFlags::ST_RDONLY) {
            return Ok(Some("its file system is mounted read-only"));
        }
        Ok(ioctl::is_immutable(&file)?.then_some("it is marked immutable (chattr -i)"))
    });
    looked.map_or_else(|error| Some(error.to_string()), |why| why.map(str::to_owned))
}

/// Without the service nothing goes on at the first boot of a clone, and nobody is told.
fn first_boot(template: &Template<'_>) -> Option<String> {
    let listed = |directory: &str| template.host.list(directory).unwrap_or_default();
    let sysv = |top: &str| {
        ["rc2.d", "rc3.d", "rc5.d"].iter().any(|level| {
            let names = listed(&format!("{top}/{level}"));
            names.iter().any(|name| name.starts_with('S') && name.ends_with(SERVICE))
        })
    };
    let unit = listed(SERVICE_LINKS[2]).iter().any(|name| *name == format!("{SERVICE}.service"));
    (!(unit || SERVICE_LINKS[..2].iter().any(|top| sysv(top)))).then(|| {
        format!(
            "the service {SERVICE} is not switched on, so nothing would go on at a clone's first boot: install the package \
             of mt-agent (chkconfig {SERVICE} on), or --skip first-boot"
        )
    })
}
