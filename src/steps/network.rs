//! Interfaces, resolver and hosts file.

use std::net::IpAddr;

use super::tally::Tally;
use super::{Belongs, Requirement, Status, is_image, need};
use crate::facts::network::{HostsEntry, Nic, NicConfiguration};
use crate::facts::{Fact, Facts};
use crate::platform::{Family, words};
use crate::profile::Profile;

const SECTION: &str = "Install CentOS 6.6";

/// This section's requirements, in order.
pub const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        id: "network.static",
        title: "Interfaces start on boot, with a static address",
        section: SECTION,
        why: "After a restart the servers look for the master target at the address that it registered with. An \
              interface that is or stays down or comes up at another address cuts it off (required); one whose address a \
              DHCP server may change can cut it off (recommended).",
        by_hand: "{system.interface} With DHCP, at least reserve the address for its hardware address.",
        look: "{system.interface-seen}",
        belongs: |_| Belongs::Machine,
        judge: interfaces,
        only_advice: only_static_address_fails,
        ..Requirement::DEFAULT
    },
    Requirement {
        id: "network.dns",
        title: "A resolver is configured",
        section: SECTION,
        why: "The agent reaches the configuration server and the process server by name as well as by address.",
        by_hand: "{system.resolver}",
        look: "`cat /etc/resolv.conf`",
        belongs: |_| Belongs::Machine,
        judge: |_, facts| dns(facts),
        ..Requirement::DEFAULT
    },
    Requirement {
        id: "network.hosts-file",
        title: "/etc/hosts maps the hostname to the address of every interface",
        section: SECTION,
        why: "The master target looks its own name up to learn at which address others reach it. Without the line, \
              or with one that says 127.0.0.1, it registers an address at which nobody finds it, and reprotection \
              waits in vain.",
        by_hand: "One line for each address in /etc/hosts: ADDRESS HOSTNAME SHORT-NAME.",
        look: "`hostname`, `ip addr`, `cat /etc/hosts`",
        belongs: |_| Belongs::Machine,
        after: &["os.hostname"],
        judge: |_, facts| hosts_file(facts),
        ..Requirement::DEFAULT
    },
];

/// An interface that takes part in the network.
struct Used<'a> {
    nic: &'a Nic,
    configuration: Option<&'a NicConfiguration>,
}

/// The interfaces that take part: the machine's own, and what is configured on top of them (bonds, bridges).
/// Left out: what software made for itself (docker0), and a network card that nobody configured, connected
/// or gave an address, as long as there is another; a file as the installer writes it for such a card (ONBOOT=no, DHCP) is no
/// more than none.
fn used<'a>(nics: &'a [Nic], tally: &mut Tally) -> Vec<Used<'a>> {
    let (mut used, mut spare) = (Vec::new(), Vec::new());
    for nic in nics {
        let what = format!("the configuration of {}", nic.name);
        let Some(configuration) = tally.know(need(&nic.configuration, &what)) else { continue };
        let idle = nic.addresses.is_empty() && nic.state.as_deref() != Some("up");
        match configuration {
            None if !nic.physical || idle => {}
            Some(off) if idle && !off.on_boot && off.problem.is_none() && off.address.is_none() => {
                spare.push(Used { nic, configuration: configuration.as_ref() });
            }
            configuration => used.push(Used { nic, configuration: configuration.as_ref() }),
        }
    }
    if used.is_empty() { spare } else { used }
}

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
        (failing, bring_up) => [Some(configure(failing, words::family(facts))), bring_up]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("; "),
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
            let why = format!("whether {name} is up: /sys/class/net/{name}/operstate does not tell");
            return Err(Status::Unknown { why });
        }
    })
}

/// Why an interface will not be at its address after a restart.
fn cut_off(one: &Used, all: &[Used]) -> Option<String> {
    let elsewhere = || {
        let is_fixed =
            |configuration: &&NicConfiguration| ["static", "none"].contains(&configuration.protocol.as_str());
        let carries = one.nic.addresses.is_empty() && all.iter().any(|other| !other.nic.addresses.is_empty());
        not_at_its_address(one.nic, one.configuration.filter(is_fixed)?, carries)
    };
    let otherwise = || {
        let NicConfiguration { trouble, file, .. } = one.configuration?;
        trouble.as_ref().map(|trouble| format!("{}: {trouble} ({file})", one.nic.name))
    };
    not_on_boot(one.nic, one.configuration).or_else(elsewhere).or_else(otherwise)
}

/// `carries`: it has no address itself, as a member of a bond or bridge, which has the address.
fn not_at_its_address(nic: &Nic, configuration: &NicConfiguration, carries: bool) -> Option<String> {
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
#[must_use]
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
            words::name_resolver(words::family(facts)),
        ));
    }
    Ok(Status::met(servers.join(", ")))
}

fn hosts_file(facts: &Facts) -> Result<Status, Status> {
    let name = need(&facts.os.hostname, "the hostname")?.trim();
    let hosts = need(&facts.network.hosts, "/etc/hosts")?;
    let nics = need(&facts.network.nics, "the interfaces")?;
    let mut tally = Tally::default();
    let used = used(nics, &mut tally);
    let mapped: Vec<IpAddr> = mapped(hosts, name);
    let mut missing = Vec::new();
    let mut found = Vec::new();
    for nic in used.iter().map(|used| used.nic) {
        let (v4, v6): (Vec<_>, Vec<_>) = nic.addresses.iter().partition(|address| address.is_ipv4());
        // IPv6 addresses come and go; an interface that has IPv4 is found by that.
        let wanted = if v4.is_empty() { v6 } else { v4 };
        found.extend(wanted.iter().filter(|address| mapped.contains(address)).map(ToString::to_string));
        let is_ipv6 = wanted.first().is_some_and(|address| address.is_ipv6());
        if is_ipv6 && wanted.iter().any(|address| mapped.contains(address)) {
            continue;
        }
        let absent = wanted.into_iter().filter(|address| !mapped.contains(address));
        missing.extend(absent.take(if is_ipv6 { 1 } else { usize::MAX }).map(|address| (nic, address)));
    }
    if found.is_empty() && missing.is_empty() {
        if is_image(facts) {
            return Err(Status::NotApplicable { why: "the image configures no address".into() });
        }
        if tally.is_certain() {
            tally.problem("no interface has an address");
        }
    }
    for (nic, address) in &missing {
        tally.problem(format!("/etc/hosts does not map {name} to {address} ({})", nic.name));
    }
    // The first line that has the name may be the one that is taken.
    let mut wrong: Vec<IpAddr> = Vec::new();
    for address in &mapped {
        let reason = if address.is_loopback() {
            "where only this machine finds it"
        } else if is_stale(address, nics, facts) {
            "which no interface has"
        } else {
            continue;
        };
        if !wrong.contains(address) {
            tally.problem(format!("/etc/hosts maps {name} to {address}, {reason}"));
            wrong.push(*address);
        }
    }
    let short = name.split('.').next().filter(|short| *short != name).unwrap_or("");
    let lines: Vec<_> = missing
        .iter()
        .map(|(_, address)| format!("\"{}\"", format!("{address} {name} {short}").trim_end()))
        .collect();
    let wrong: Vec<_> = wrong.iter().map(ToString::to_string).collect();
    let mut fixes = Vec::new();
    if found.is_empty() && missing.is_empty() {
        fixes.push(
            "bring an interface up with its address (network.static tells why there is none), and see that /etc/hosts maps the hostname to it".to_owned(),
        );
    }
    if !lines.is_empty() {
        fixes.push(format!("add to /etc/hosts: {}", lines.join(", ")));
    }
    if !wrong.is_empty() {
        fixes.push(format!("take {name} out of the line of {} in /etc/hosts", wrong.join(" and of ")));
    }
    let expected = format!("{name} on the address of every interface");
    Ok(tally.status(format!("{name}: {}", found.join(", ")), expected, fixes.join(", and ")))
}

/// Whether no interface has the address, nor is to have it. Of IPv6 that is not told, as those addresses come and
/// go; nor of an image, whose addresses may come from a DHCP server.
fn is_stale(address: &IpAddr, nics: &[Nic], facts: &Facts) -> bool {
    let may_have = |nic: &Nic| match &nic.configuration {
        Fact::Known(Some(configuration)) if configuration.protocol == "dhcp" => nic.addresses.is_empty(),
        Fact::Known(Some(configuration)) => configured(configuration) == Some(*address),
        Fact::Known(None) => false,
        _ => nic.addresses.is_empty(),
    };
    address.is_ipv4()
        && !is_image(facts)
        && nics.iter().any(|nic| !nic.addresses.is_empty())
        && !nics.iter().any(|nic| nic.addresses.contains(address) || may_have(nic))
}

/// The configured address, if it is one. To a shell only these two are blanks.
fn configured(configuration: &NicConfiguration) -> Option<IpAddr> {
    configuration.address.as_deref()?.split('/').next()?.trim_matches([' ', '\t']).parse().ok()
}

/// The addresses that the hosts file gives to `name`.
fn mapped(hosts: &[HostsEntry], name: &str) -> Vec<IpAddr> {
    let names = |entry: &&HostsEntry| entry.names.iter().any(|other| other.eq_ignore_ascii_case(name));
    hosts.iter().filter(names).map(|entry| entry.address).collect()
}

#[cfg(test)]
#[path = "network_tests.rs"]
mod tests;
