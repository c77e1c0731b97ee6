//! Interfaces, resolver and hosts file.

mod hosts;
mod used;

use std::net::IpAddr;

use super::tally::Tally;
use super::{Requirement, Status, is_image, need};
use crate::facts::network::{Nic, NicConfiguration};
use crate::facts::{Fact, Facts};
use crate::platform::{Family, words};
use crate::profile::Profile;
use used::{Used, configured, used};

const SHARED: Requirement = Requirement { section: "Install CentOS 6.6", ..Requirement::DEFAULT };

pub const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        id: "network.static",
        title: "Interfaces start on boot, with a static address",
        why: "After a restart the servers look for the master target at the address that it registered with. An \
              interface that is or stays down or comes up at another address cuts it off (required); one whose address a \
              DHCP server may change can cut it off (recommended).",
        by_hand: "{system.interface} With DHCP, at least reserve the address for its hardware address.",
        look: "{system.interface-seen}",
        judge: interfaces,
        only_advice: only_static_address_fails,
        ..SHARED
    },
    Requirement {
        id: "network.dns",
        title: "A resolver is configured",
        why: "The agent reaches the configuration server and the process server by name as well as by address.",
        by_hand: "{system.resolver}",
        look: "`cat /etc/resolv.conf`",
        judge: |_, facts| dns(facts),
        ..SHARED
    },
    Requirement {
        id: "network.hosts-file",
        title: "/etc/hosts maps the hostname to the address of every interface",
        why: "The master target looks its own name up to learn at which address others reach it. Without the line, \
              or with one that says 127.0.0.1, it registers an address at which nobody finds it, and reprotection \
              waits in vain.",
        by_hand: "One line for each address in /etc/hosts: ADDRESS HOSTNAME SHORT-NAME.",
        look: "`hostname`, `ip addr`, `cat /etc/hosts`",
        after: &["os.hostname"],
        judge: |_, facts| hosts::hosts_file(facts),
        ..SHARED
    },
];

fn interfaces(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let nics = need(&facts.network.nics, "the interfaces")?;
    let mut tally = Tally::default();
    let used = used(nics, &mut tally);
    if used.is_empty() && !nics.iter().any(|nic| matches!(nic.configuration, Fact::Unknown(_))) {
        let names: Vec<_> = nics.iter().map(|nic| nic.name.as_str()).collect();
        tally.problem(if names.is_empty() {
            "there is no network interface".to_owned()
        } else {
            format!("no interface is configured ({})", names.join(", "))
        });
    }
    let mut failing = None;
    for one in &used {
        if let Some(problem) = cut_off(one, &used) {
            tally.problem(problem);
            failing = failing.or(Some(one.nic));
        }
    }
    let mut bring_up = None;
    for one in used.iter().filter(|_| !is_image(facts)) {
        if let Some(Some((problem, fix))) = tally.know(down(one, words::family(facts))) {
            tally.problem(problem);
            bring_up = bring_up.or(Some(fix));
        }
    }
    if failing.is_none() && bring_up.is_none() && profile.network.static_address {
        for Used { nic, configuration } in &used {
            if let Some(configuration) = configuration.filter(|configuration| !is_static(nic, configuration))
            {
                tally.problem(format!("{} takes its address by {}", nic.name, configuration.protocol));
                failing = failing.or(Some(*nic));
            }
        }
    }
    let expected = if profile.network.static_address {
        "every interface starts on boot (required) with a static address (recommended)"
    } else {
        "every interface starts on boot"
    };
    let names: Vec<_> = used.iter().map(|used| used.nic.name.as_str()).collect();
    let fix = match (failing, bring_up) {
        (None, Some(fix)) => fix,
        (failing, None) => configure(failing, words::family(facts)),
        (failing, Some(fix)) => format!("{}; {fix}", configure(failing, words::family(facts))),
    };
    Ok(tally.status(names.join(", "), expected, fix))
}

/// How an interface that starts on boot and has an address of its own is down now, and what to do. Members of bonds and ports of
/// bridges are not asked: whether enough of them are up, the interface above them tells.
fn down(one: &Used, family: Family) -> Result<Option<(String, String)>, Status> {
    let Nic { name, state, carrier, member, addresses, .. } = one.nic;
    let has_own = |configuration: &&NicConfiguration| {
        let asks = ["static", "dhcp", "bootp", "auto"].contains(&configuration.protocol.as_str());
        configuration.on_boot && (asks || configuration.address.is_some() || !addresses.is_empty())
    };
    if *member || one.configuration.filter(has_own).is_none() {
        return Ok(None);
    }
    Ok(match (state.as_deref(), carrier) {
        // Of an interface that is down nobody knows whether it has a link.
        (_, Some(false)) => Some((
            format!("{name} has no link"),
            format!(
                "see to the cable of {name}: in vSphere, Connected and Connect At Power On of this network adapter; \
                 `cat /sys/class/net/{name}/carrier` is 1 then"
            ),
        )),
        (Some("up" | "unknown"), _) | (None, Some(true)) => None,
        (Some(state), _) => Some((
            format!("{name} is down now (operstate {})", crate::host::text::safe(state)),
            words::bring_up(family, name),
        )),
        (None, None) => {
            return Err(Status::unknown(format!(
                "whether {name} is up: /sys/class/net/{name}/operstate does not say"
            )));
        }
    })
}

/// Why an interface will not be at its address after a restart.
fn cut_off(one: &Used, all: &[Used]) -> Option<String> {
    let elsewhere = || {
        let is_fixed =
            |configuration: &&NicConfiguration| ["static", "none"].contains(&configuration.protocol.as_str());
        not_at_its_address(one.nic, one.configuration.filter(is_fixed)?, all)
    };
    let otherwise = || {
        let NicConfiguration { trouble, file, .. } = one.configuration?;
        trouble.as_ref().map(|trouble| format!("{}: {trouble} ({file})", one.nic.name))
    };
    not_on_boot(one.nic, one.configuration).or_else(elsewhere).or_else(otherwise)
}

fn not_at_its_address(nic: &Nic, configuration: &NicConfiguration, all: &[Used]) -> Option<String> {
    // As a member of a bond or bridge, which has the address.
    let carries = nic.addresses.is_empty() && all.iter().any(|other| !other.nic.addresses.is_empty());
    let (name, file) = (&nic.name, &configuration.file);
    let now = || nic.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    // Addresses of IPv6 come and go, and link-local ones are not among those known.
    let has_ipv4 = nic.addresses.iter().any(IpAddr::is_ipv4);
    let Some(text) = &configuration.address else {
        return match configuration.protocol.as_str() {
            "static" => {
                (!carries).then(|| format!("{name} is static, but no address is configured ({file})"))
            }
            _ => has_ipv4
                .then(|| format!("{name} has {} now, and no address after the next restart ({file})", now())),
        };
    };
    match configured(configuration) {
        None => Some(format!("the address configured for {name}, {text}, is none ({file})")),
        Some(next) if next.is_ipv4() && !nic.addresses.is_empty() && !nic.addresses.contains(&next) => {
            Some(format!("{name} has {} now, {next} after the next restart ({file})", now()))
        }
        Some(_) => None,
    }
}

fn not_on_boot(nic: &Nic, configuration: Option<&NicConfiguration>) -> Option<String> {
    let name = &nic.name;
    match configuration {
        None => Some(format!("no configuration file names {name}: it will not start on boot")),
        Some(NicConfiguration { on_boot: true, .. }) => None,
        Some(NicConfiguration { problem: Some(problem), file, .. }) => {
            Some(format!("{name} will not come up ({file}: {problem})"))
        }
        Some(NicConfiguration { file, .. }) => Some(format!("{name} does not start on boot ({file})")),
    }
}

/// `none` without an address is a member of a bond or bridge, which has the address.
fn is_static(nic: &Nic, configuration: &NicConfiguration) -> bool {
    match configuration.protocol.as_str() {
        "static" => true,
        "none" => nic.addresses.is_empty(),
        _ => false,
    }
}

fn configure(nic: Option<&Nic>, family: Family) -> String {
    let address = nic.and_then(|nic| nic.addresses.first()).copied();
    words::configure_interface(family, nic.map(|nic| nic.name.as_str()), address)
}

/// Whether of network.static only the recommended part, the static address, fails.
pub fn only_static_address_fails(_: &Profile, facts: &Facts) -> bool {
    let Some(nics) = facts.network.nics.known() else { return false };
    let mut tally = Tally::default();
    let used = used(nics, &mut tally);
    let all_known = !nics.iter().any(|nic| matches!(nic.configuration, Fact::Unknown(_)));
    let is_down = |one| !is_image(facts) && !matches!(down(one, words::family(facts)), Ok(None));
    all_known && !used.is_empty() && !used.iter().any(|one| cut_off(one, &used).is_some() || is_down(one))
}

fn dns(facts: &Facts) -> Result<Status, Status> {
    let resolvers = need(&facts.network.resolvers, "/etc/resolv.conf")?;
    // `fe80::1%eth0`: the interface is no part of the address.
    let is_address = |name: &&String| name.split('%').next().unwrap_or_default().parse::<IpAddr>().is_ok();
    let servers: Vec<&str> = resolvers.iter().filter(is_address).map(String::as_str).collect();
    if servers.is_empty() {
        let found = match resolvers.as_slice() {
            [] => "/etc/resolv.conf names no server".to_owned(),
            wrong => format!("/etc/resolv.conf names no address, only {}", wrong.join(", ")),
        };
        return Ok(Status::unmet(
            found,
            "at least one nameserver line with an IP address",
            words::of(facts).name_resolver,
        ));
    }
    Ok(Status::met(servers.join(", ")))
}

#[cfg(test)]
#[path = "network_tests.rs"]
mod tests;
