//! The network that the installer sets up, and that the installed system keeps.

use std::net::Ipv4Addr;

use anyhow::Result;

use super::answers::{Addressing, Answers};
use super::refusal::refused;
use crate::profile::Profile;

/// The `network` line.
/// Errors: An answer contradicts another.
pub(super) fn line(profile: &Profile, answers: &Answers<'_>) -> Result<String> {
    let installation = &profile.installation;
    let how = match answers.addressing {
        Addressing::Dhcp => {
            no_static_answers(profile)?;
            String::new()
        }
        Addressing::Static { address, prefix, gateway, dns } => {
            let mask = u32::MAX << (32 - u32::from(prefix));
            reachable(profile, address, gateway, mask)?;
            let servers: Vec<_> = dns.iter().map(ToString::to_string).collect();
            let (mask, servers) = (Ipv4Addr::from(mask), servers.join(","));
            format!(" --ip={address} --netmask={mask} --gateway={gateway} --nameserver={servers}")
        }
    };
    // Active during the installation too: the agent's image stage fetches packages.
    Ok(format!(
        "network --activate --onboot=yes --device={} --bootproto={}{how} --hostname={}{}",
        installation.interface,
        installation.network.name(),
        answers.hostname,
        if installation.ipv6 { "" } else { " --noipv6" },
    ))
}

/// Refuses what only a static address has.
fn no_static_answers(profile: &Profile) -> Result<()> {
    let installation = &profile.installation;
    let given = [
        ("address", installation.address.is_some()),
        ("gateway", installation.gateway.is_some()),
        ("dns", !installation.dns.is_empty()),
    ];
    let Some((key, _)) = given.into_iter().find(|(_, given)| *given) else { return Ok(()) };
    let kind = "installation.network";
    let at = profile.origins.get(kind).map_or("default", String::as_str);
    let what = format!(
        "found a value, but {kind} ({at}) is `dhcp`, which brings its own; leave it out, or make that `static`"
    );
    Err(refused(profile, &format!("installation.{key}"), &what))
}

fn reachable(profile: &Profile, address: Ipv4Addr, gateway: Ipv4Addr, mask: u32) -> Result<()> {
    let (own, other) = (u32::from(address), u32::from(gateway));
    let network = Ipv4Addr::from(own & mask);
    let within = format!("an address in the host's network {network}/{}", mask.count_ones());
    let what = if own == other {
        format!("found `{gateway}`, which is the host itself, expected another")
    } else if own & mask != other & mask {
        format!("found `{gateway}`, expected {within}")
    } else if other & !mask == 0 || other & !mask == !mask {
        format!("found `{gateway}`, which no host can have, expected {within}")
    } else {
        return Ok(());
    };
    Err(refused(profile, "installation.gateway", &what))
}
