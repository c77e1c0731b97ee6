//! By which names the maps will be there at the next boot.

use super::settings::{Switch, concerns_disks, configuration, mounted, switch, understood};
use crate::changes::Change;
use crate::facts::disks::Map;
use crate::facts::multipath::Configuration;
use crate::facts::{Fact, Facts};
use crate::profile::Profile;
use crate::steps::devices::{alias_of, own_uses};
use crate::steps::id;
use crate::steps::remedy::Remedy;
use crate::steps::{Status, need};

pub(super) const KEY: &str = "user_friendly_names";

const BY_APPLY: &str = "mt-agent apply sets user_friendly_names to no in /etc/multipath.conf; then restart";
const BY_HAND: &str =
    "correct that section of /etc/multipath.conf by hand (user_friendly_names no), and restart";

pub(super) fn judge(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let configuration = configuration(facts)?;
    for (section, value) in settings(configuration) {
        let found = format!("{KEY} {value} in the section `{section}`");
        match switch(&value) {
            Some(Switch::Off) => {}
            Some(Switch::On) => {
                let fix = if section == "device" { BY_HAND } else { BY_APPLY };
                return Ok(Status::unmet(found, format!("{KEY} no"), fix));
            }
            None => {
                return Err(Status::Unknown {
                    why: format!("{found}: what multipath makes of it is not known"),
                });
            }
        }
    }
    understood(configuration)?;
    Ok(match old_name(profile, facts)? {
        Some(found) => Status::RestartOwed { found },
        None => Status::met("by their IDs"),
    })
}

/// What is said of the names of VMware's disks: the section that counts, and what it says. `multipaths` goes before
/// `overrides`, that before `devices`, that before `defaults`. Without a word every version names by IDs: `mpathconf`, which
/// is for it elsewhere, writes it down.
fn settings(configuration: &Configuration) -> Vec<(String, String)> {
    let (mut maps, mut general) = (Vec::new(), (0, None));
    let defaults = configuration.user_friendly_names.iter().map(|value| ("defaults", value));
    let elsewhere =
        configuration.settings.iter().filter(|setting| setting.key == KEY && concerns_disks(setting));
    for (section, value) in
        defaults.chain(elsewhere.map(|setting| (setting.section.as_str(), &setting.value)))
    {
        let setting = (section.to_owned(), value.clone());
        let weight = ["defaults", "device", "overrides"].iter().position(|name| *name == section);
        match weight {
            // For one disk each: every one counts.
            None => maps.push(setting),
            Some(weight) if weight >= general.0 => general = (weight, Some(setting)),
            Some(_) => {}
        }
    }
    maps.extend(general.1);
    maps
}

/// A map that still has the name of an earlier configuration, and what it is called from the next boot on.
fn old_name(profile: &Profile, facts: &Facts) -> Result<Option<String>, Status> {
    if matches!(facts.multipath.maps, Fact::NotApplicable(_)) {
        return Ok(None);
    }
    let maps = need(&facts.multipath.maps, "the multipath maps")?;
    let disks = need(&facts.disks, "the disks")?;
    let own = |path: &String| {
        let disk = disks.iter().find(|disk| disk.name == *path);
        disk.is_some_and(|disk| !own_uses(facts, disk, &profile.retention.mount_point).is_empty())
    };
    let is_right = |map: &&Map| map.dm_name == map.wwid || alias_of(facts, &map.wwid) == Some(&map.dm_name);
    if maps.iter().all(|map| is_right(&map)) {
        return Ok(None);
    }
    mounted(facts)?;
    let old = maps.iter().find(|map| !is_right(map) && !map.paths.iter().any(own));
    Ok(old.map(|map| {
        let next = alias_of(facts, &map.wwid).unwrap_or(&map.wwid);
        format!("the map of {} is called {}, and {next} from the next boot on", map.wwid, map.dm_name)
    }))
}

pub(in crate::steps) fn mend(facts: &Facts) -> Remedy {
    let Some(Some(configuration)) = facts.multipath.configuration.known() else { return Remedy::None };
    let on = settings(configuration).into_iter().find(|(_, value)| switch(value) == Some(Switch::On));
    match on {
        None => Remedy::Restart { first: Vec::new() },
        Some((section, _)) if section == "device" => Remedy::None,
        Some(_) => Remedy::With {
            changes: vec![Change::ConfigureMultipath { off: vec![KEY.to_owned()], unhide: Vec::new() }],
            needs: &[id::CUSTOM_CHANGES_ROOT_DISK],
        },
    }
}
