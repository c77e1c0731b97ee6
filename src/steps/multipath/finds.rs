//! Whether a disk that is attached later gets a map, by the file that will be read then.

use super::settings::{
    PRODUCT, Switch, VENDOR, concerns_disks, configuration, is_later, mounted, switch, understood,
};
use crate::changes::Change;
use crate::facts::Facts;
use crate::facts::disks::{ControllerKind, Disk};
use crate::facts::multipath::{Configuration, Seen, Setting, hidden};
use crate::profile::Profile;
use crate::steps::devices::own_uses;
use crate::steps::id;
use crate::steps::remedy::Remedy;
use crate::steps::{Status, need};

const KEY: &str = "find_multipaths";

/// The transport of VMware's SCSI disks, as later versions see it: SAS is only what has `sas_address` in /sys, which mptsas does
/// not give (seen with 0.9.4), and parallel SCSI is told of no disk (`sysfs_get_tgt_nodename`).
const PROTOCOL: &str = "scsi:unspec";

/// Where 0.4.9 of CentOS 6 has the ID of a disk from, unless it is told otherwise.
const CALLOUT: &str = "/lib/udev/scsi_id --whitelisted --device=/dev/%n";

const BY_APPLY: &str = "mt-agent apply corrects /etc/multipath.conf, and keeps the old one";
const BY_HAND: &str = "correct that entry of /etc/multipath.conf by hand, then service multipathd reload (systemd: systemctl reload \
                       multipathd)";

/// What keeps a disk that is attached later from having a map.
struct Fault {
    found: String,
    expected: &'static str,
    /// What makes it right; `None` where that is a person's.
    change: Option<Change>,
}

impl Fault {
    fn by_hand(found: String, expected: &'static str) -> Self {
        Self { found, expected, change: None }
    }
}

pub(super) fn judge(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    if need(&facts.multipath.configuration, "/etc/multipath.conf")?.is_none() {
        let fix =
            "find out who removed it, and bring it back or unpack and run the vendor's script again by hand";
        let found = "there is no /etc/multipath.conf: everything is blacklisted";
        return Ok(Status::unmet(found, "the file that the vendor's script writes", fix));
    }
    let configuration = configuration(facts)?;
    Ok(match fault(profile, facts, configuration)? {
        Some(Fault { found, expected, change }) => {
            Status::unmet(found, expected, if change.is_some() { BY_APPLY } else { BY_HAND })
        }
        None => {
            understood(configuration)?;
            Status::met("find_multipaths is off, and the blacklist hides none")
        }
    })
}

pub(in crate::steps) fn mend(profile: &Profile, facts: &Facts) -> Remedy {
    let Some(Some(configuration)) = facts.multipath.configuration.known() else { return Remedy::None };
    match fault(profile, facts, configuration) {
        // With find_multipaths off a root disk that the blacklist does not name is taken as well.
        Ok(Some(Fault { change: Some(change), .. })) => {
            Remedy::With { changes: vec![change], needs: &[id::CUSTOM_CHANGES_ROOT_DISK] }
        }
        _ => Remedy::None,
    }
}

/// The first fault; one that a person has to mend goes before.
fn fault(profile: &Profile, facts: &Facts, configuration: &Configuration) -> Result<Option<Fault>, Status> {
    if let Some(found) = foreign_id(facts, configuration)? {
        return Ok(Some(Fault::by_hand(found, "IDs as multipath has them by itself")));
    }
    let attached = attached(profile, facts)?;
    let mut change = Vec::new();
    let mut found = Vec::new();
    if let Some(reason) = switched_on(facts, configuration)? {
        found.push(reason);
        change.push(KEY.to_owned());
    }
    let mut without = configuration.clone();
    let mut unhide = Vec::new();
    while let Some((entry, disk)) = hiding(profile, facts, &without, &attached) {
        found.push(format!("`{entry}` of the blacklist hides {disk}"));
        // One line, whose meaning is plain; not where it hides a disk of this host, which multipath would take then.
        match entry.strip_prefix("devnode ") {
            Some(pattern) if !hides_own(profile, facts, pattern) => {
                without.blacklist_devnodes.retain(|devnode| devnode != pattern);
                unhide.push(pattern.to_owned());
            }
            _ => {
                return Ok(Some(Fault::by_hand(
                    found.pop().unwrap_or_default(),
                    "no disk but the root disk hidden",
                )));
            }
        }
    }
    Ok((!found.is_empty()).then(|| Fault {
        found: found.join("; "),
        expected: "find_multipaths no, and no disk but the root disk hidden",
        change: Some(Change::ConfigureMultipath { off: change, unhide }),
    }))
}

/// How the file says that IDs come from elsewhere than multipath has them from by itself.
fn foreign_id(facts: &Facts, configuration: &Configuration) -> Result<Option<String>, Status> {
    let ids = || configuration.settings.iter().filter(|setting| setting.key != super::names::KEY);
    if ids().next().is_none() {
        return Ok(None);
    }
    let later = is_later(facts)?;
    let is_usual = |setting: &&Setting| {
        let words = || setting.value.split_whitespace();
        match setting.key.as_str() {
            "getuid_callout" => {
                CALLOUT.split_whitespace().eq(words().filter(|word| *word != "--replace-whitespace"))
            }
            "uid_attribute" => !later || setting.value == "ID_SERIAL",
            _ => !later || words().any(|word| word == "sd:ID_SERIAL"),
        }
    };
    let foreign = ids().find(|setting| concerns_disks(setting) && !is_usual(setting));
    Ok(foreign.map(|setting| {
        format!(
            "`{} {}` in the section `{}`: IDs come from there",
            setting.key, setting.value, setting.section
        )
    }))
}

/// How single-path disks are passed over: `None` where they are not.
fn switched_on(facts: &Facts, configuration: &Configuration) -> Result<Option<String>, Status> {
    let Some(value) = configuration.find_multipaths.as_deref() else {
        // Off in 0.4.9 of CentOS 6 (seen); `strict` since 0.8 upstream, `off` in Red Hat's builds of it.
        return Ok(is_later(facts)?.then(|| format!("{KEY} is not set, and later versions are strict then")));
    };
    match switch(value) {
        Some(Switch::Off) => return Ok(None),
        Some(Switch::On) => {}
        None => match (is_later(facts)?, value) {
            // multipath.conf(5) since 0.7.8; with `greedy` every disk is taken.
            (true, "off" | "greedy") => return Ok(None),
            (true, "on" | "strict" | "smart") => {}
            _ => {
                let why = format!("{KEY} {value}: what multipath makes of it is not known");
                return Err(Status::Unknown { why });
            }
        },
    }
    Ok(Some(format!("{KEY} {value}: a disk with a single path gets no map")))
}

/// The disks that are attached now and not this host's own.
fn attached<'a>(profile: &Profile, facts: &'a Facts) -> Result<Vec<&'a Disk>, Status> {
    let disks = match need(&facts.disks, "the disks") {
        Ok(disks) => disks.as_slice(),
        // What will be attached to an image's clone is judged all the same.
        Err(Status::NotApplicable { .. }) => return Ok(Vec::new()),
        Err(status) => return Err(status),
    };
    mounted(facts)?;
    let others =
        |disk: &&Disk| disk.is_scsi() && own_uses(facts, disk, &profile.retention.mount_point).is_empty();
    Ok(disks.iter().filter(others).collect())
}

/// The entry that hides a disk from multipath, and which: one that is attached, or one that is attached later.
fn hiding(
    profile: &Profile,
    facts: &Facts,
    configuration: &Configuration,
    attached: &[&Disk],
) -> Option<(String, String)> {
    let now: Vec<_> = attached.iter().filter_map(|disk| seen(disk)).collect();
    if let Some((entry, disk)) = hidden(configuration, &now) {
        return Some((entry, format!("{} ({})", disk.devnode, disk.wwid)));
    }
    let names = later_names();
    let ids = later_ids(profile, facts);
    let later: Vec<_> = (0..names.len().max(ids.len()))
        .map(|number| Seen {
            wwid: &ids[number % ids.len()],
            devnode: &names[number % names.len()],
            vendor: VENDOR,
            product: PRODUCT,
            protocol: PROTOCOL,
        })
        .collect();
    let (entry, disk) = hidden(configuration, &later)?;
    let such = if entry.starts_with("devnode") {
        format!("a disk that becomes {}", disk.devnode)
    } else {
        "disks".to_owned()
    };
    Some((entry, format!("{such} attached later")))
}

/// Whether a disk of this host but the root disk, which the blacklist names by its ID, is hidden by its kernel name alone. Asked
/// once the disks that are [`attached`], and so what is mounted of them, are known.
fn hides_own(profile: &Profile, facts: &Facts, pattern: &str) -> bool {
    let matches = crate::facts::multipath::matcher(pattern);
    facts.disks.known().into_iter().flatten().any(|disk| {
        let uses = own_uses(facts, disk, &profile.retention.mount_point);
        matches(&disk.name) && !uses.is_empty() && !uses.contains(&"/")
    })
}

/// The disk as the blacklist sees it.
pub(super) fn seen(disk: &Disk) -> Option<Seen<'_>> {
    let kind = disk.controller.as_ref().map(|controller| controller.kind);
    Some(Seen {
        wwid: disk.id()?,
        devnode: &disk.name,
        vendor: disk.vendor.as_deref().unwrap_or_default(),
        product: disk.model.as_deref().unwrap_or_default(),
        protocol: if matches!(kind, Some(ControllerKind::Ahci | ControllerKind::Ide)) {
            "scsi:ata"
        } else {
            PROTOCOL
        },
    })
}

/// The names of disks that come after the first: sdb to sdz, sdaa to sdiv.
fn later_names() -> Vec<String> {
    let letter = |number: u8| char::from(b'a' + number);
    let one = (1..26).map(|last| format!("sd{}", letter(last)));
    let two =
        (0..9).flat_map(|first| (0..26).map(move |last| format!("sd{}{}", letter(first), letter(last))));
    one.chain(two.take(230)).collect()
}

/// IDs as VMware makes them, spread over all that they can begin and end with, and two that differ from the root disk's by
/// one end only.
fn later_ids(profile: &Profile, facts: &Facts) -> Vec<String> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut ids: Vec<String> = (0..256_u64)
        .map(|number| {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(number | 1);
            let (high, low) = (state ^ (state >> 29), state.rotate_left(17));
            format!("36000c29{number:02x}{:07x}{low:014x}{number:02x}", high & 0xfff_ffff, low = low >> 8)
        })
        .collect();
    let is_root = |disk: &&Disk| own_uses(facts, disk, &profile.retention.mount_point).contains(&"/");
    let root = facts.disks.known().into_iter().flatten().find(is_root);
    if let Some(id) = root.and_then(Disk::id) {
        let (first, last) = (id.chars().skip(1), id.chars().take(id.chars().count().saturating_sub(1)));
        ids.push(format!("_{}", first.collect::<String>()));
        ids.push(format!("{}_", last.collect::<String>()));
    }
    ids
}
