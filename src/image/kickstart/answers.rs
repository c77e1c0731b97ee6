//! Whether there is an answer to everything that the installer asks. All that is lacking is named at once.

use std::net::Ipv4Addr;

use anyhow::{Result, anyhow};

use super::password::PasswordHash;
use crate::profile::{NetworkKind, OtherAddress, PartitionSpec, Profile, Size};

/// The answers that a profile may lack, all there.
#[derive(Debug)]
pub(super) struct Answers<'a> {
    pub zone: &'a str,
    pub hostname: &'a str,
    pub addressing: Addressing<'a>,
    /// The partitions of the layout, each with its size in bytes and the key that says so.
    pub partitions: Vec<(&'a PartitionSpec, u64, String)>,
    pub swap: Option<u64>,
    pub hash: &'a PasswordHash,
}

#[derive(Debug)]
pub(super) enum Addressing<'a> {
    Dhcp,
    Static {
        address: Ipv4Addr,
        /// The prefix of its network, 1 to 30.
        prefix: u8,
        gateway: Ipv4Addr,
        /// Name servers, at least one.
        dns: &'a [OtherAddress],
    },
}

/// The answers of `profile` and `hash`.
/// Errors: One line that names all that is lacking.
pub(super) fn gather<'a>(profile: &'a Profile, hash: Option<&'a PasswordHash>) -> Result<Answers<'a>> {
    let mut lacking = Lacking(Vec::new());
    let installation = &profile.installation;
    let zone = lacking.unless(profile.os.timezone.as_deref(), || "os.timezone".into());
    let hostname =
        lacking.unless(installation.hostname.as_deref(), || "installation.hostname (--hostname)".into());
    let addressing = addressing(profile, &mut lacking);
    let partitions: Vec<_> =
        profile.layout.partitions.iter().filter_map(|spec| size_of(profile, spec, &mut lacking)).collect();
    let swap = profile.layout.swap.then(|| {
        lacking.unless(installation.swap.map(Size::bytes), || {
            "installation.swap (layout.swap wants a partition)".into()
        })
    });
    let hash = lacking.unless(hash, || "installation.root-hash-file (--root-hash-file)".into());
    match (zone, hostname, addressing, hash) {
        (Some(zone), Some(hostname), Some(addressing), Some(hash)) if lacking.0.is_empty() => {
            Ok(Answers { zone, hostname, addressing, partitions, swap: swap.flatten(), hash })
        }
        _ => Err(anyhow!(
            "the profile {} lacks what a kickstart needs: {}; put it into the profile, or give the options",
            profile.name,
            lacking.0.join(", ")
        )),
    }
}

/// What is lacking: each a key, and the option that stands for it.
struct Lacking(Vec<String>);

impl Lacking {
    /// `value`; notes `what` when there is none.
    fn unless<T>(&mut self, value: Option<T>, what: impl FnOnce() -> String) -> Option<T> {
        if value.is_none() {
            self.0.push(what());
        }
        value
    }
}

fn addressing<'a>(profile: &'a Profile, lacking: &mut Lacking) -> Option<Addressing<'a>> {
    let installation = &profile.installation;
    if installation.network == NetworkKind::Dhcp {
        return Some(Addressing::Dhcp);
    }
    let address = lacking.unless(installation.host_address(), || "installation.address (--address)".into());
    let gateway = lacking
        .unless(installation.gateway.as_deref().copied(), || "installation.gateway (--gateway)".into());
    let dns = Some(installation.dns.as_slice()).filter(|dns| !dns.is_empty());
    let dns = lacking.unless(dns, || "installation.dns (--dns)".into());
    let ((address, prefix), gateway, dns) = (address?, gateway?, dns?);
    Some(Addressing::Static { address, prefix, gateway, dns })
}

fn size_of<'a>(
    profile: &'a Profile,
    spec: &'a PartitionSpec,
    lacking: &mut Lacking,
) -> Option<(&'a PartitionSpec, u64, String)> {
    let sizes = &profile.installation.sizes;
    let index = sizes.iter().position(|item| item.mount == spec.mount);
    let index = lacking.unless(index, || format!("the size of {} in installation.sizes", spec.mount))?;
    Some((spec, sizes[index].size.bytes(), format!("installation.sizes[{index}].size")))
}
