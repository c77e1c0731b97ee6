//! When cloning would be unsafe, whatever is taken out.

use std::fs::File;

use nix::sys::statvfs::{FsFlags, fstatvfs};

use super::{Chosen, Template, find};
use crate::facts::Fact;
use crate::facts::custom_changes::Outcome;
use crate::host::ioctl;
use crate::steps::devices::mount_at;

/// Where the service that goes on at the first boot is on when it is on: SysV in some multi-user level, or systemd.
const SERVICE_LINKS: [&str; 3] = ["/etc/rc.d", "/etc", "/etc/systemd/system/multi-user.target.wants"];
const SERVICE: &str = "mt-agent-resume";

/// Why this template is not sealed: one line each; none when it can be.
#[must_use]
pub fn refusals(template: &Template<'_>, chosen: &Chosen) -> Vec<String> {
    let mut why = Vec::new();
    why.extend(system(template));
    why.extend(registered(template));
    why.extend(half_done(template));
    why.extend(mounted(template));
    why.extend(passphrases(template, chosen));
    if chosen.has("first-boot") {
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
fn passphrases(template: &Template<'_>, chosen: &Chosen) -> Vec<String> {
    let found = match find::passphrases(template) {
        Ok(found) => found,
        Err(why) => return vec![format!("whether a passphrase file is left could not be told: {why:#}")],
    };
    found
        .iter()
        .filter_map(|item| {
            let path = item.path();
            if !chosen.has("passphrases") {
                return Some(format!(
                    "{path} holds the site's passphrase in plain text, and --only or --skip leave it"
                ));
            }
            let opened = template.host.place(path).and_then(|place| {
                if place.symlink_metadata()?.is_symlink() { Ok(None) } else { File::open(place).map(Some) }
            });
            match opened {
                Ok(None) => None,
                Ok(Some(file)) => fixed(&file)
                    .map(|why| format!("{path} holds the site's passphrase and cannot be removed: {why}")),
                Err(error) => {
                    Some(format!("{path} holds the site's passphrase and cannot be opened: {error}"))
                }
            }
        })
        .collect()
}

/// Why the file cannot be removed, as far as that can be told without trying.
fn fixed(file: &File) -> Option<String> {
    match fstatvfs(file) {
        Ok(system) if system.flags().contains(FsFlags::ST_RDONLY) => {
            return Some("its file system is mounted read-only".to_owned());
        }
        Ok(_) => {}
        Err(error) => return Some(error.to_string()),
    }
    match ioctl::is_immutable(file) {
        Ok(false) => None,
        Ok(true) => Some("it is marked immutable (chattr -i)".to_owned()),
        Err(error) => Some(error.to_string()),
    }
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
