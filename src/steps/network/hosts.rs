//! /etc/hosts: the hostname on the address of every interface.

use std::net::IpAddr;

use super::used::{configured, used};
use crate::facts::network::{HostsEntry, Nic};
use crate::facts::{Fact, Facts};
use crate::steps::tally::Tally;
use crate::steps::{Status, is_image, need};

pub(super) fn hosts_file(facts: &Facts) -> Result<Status, Status> {
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
            return Err(Status::not_applicable("the image configures no address"));
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
            "bring an interface up with its address (network.static shows why there is none), and see that /etc/hosts maps the hostname to it".to_owned(),
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

/// The addresses that the hosts file gives to `name`.
fn mapped(hosts: &[HostsEntry], name: &str) -> Vec<IpAddr> {
    let names = |entry: &&HostsEntry| entry.names.iter().any(|other| other.eq_ignore_ascii_case(name));
    hosts.iter().filter(names).map(|entry| entry.address).collect()
}
