//! The interfaces: /sys/class/net, their addresses, and which configuration file is whose.

use std::collections::BTreeMap;
use std::net::IpAddr;

use anyhow::Result;
use nix::ifaddrs::getifaddrs;

use super::candidate::Candidate;
use super::nic::{Nic, NicConfiguration};
use super::{bonding, ifcfg, interfaces, keyfile, netplan, networkd};
use crate::facts::{Fact, read};
use crate::host::{Host, Kind};

/// Reads the interfaces; those of an image are the ones that its files configure.
pub(super) fn load(host: &Host) -> Fact<Vec<Nic>> {
    let candidates = candidates(host);
    if host.kind() == Kind::Image {
        return Fact::from_result(candidates.map(|candidates| configured(&candidates)));
    }
    Fact::from_result(present(host, &candidates))
}

/// Every configuration, in the order in which they are asked for an interface.
fn candidates(host: &Host) -> Result<Vec<Candidate>> {
    let mut all = ifcfg::load(host)?;
    all.extend(interfaces::load(host)?);
    all.extend(netplan::load(host)?);
    all.extend(keyfile::load(host)?);
    all.extend(networkd::load(host)?);
    Ok(all)
}

fn present(host: &Host, candidates: &Result<Vec<Candidate>>) -> Result<Vec<Nic>> {
    let mut addresses = addresses(host)?;
    let permanent = bonding::permanent(host);
    let mut nics = Vec::new();
    let names = host.list("/sys/class/net").map_err(|error| read::explain("/sys/class/net", error))?;
    for name in names.into_iter().filter(|name| name != "lo") {
        let path = format!("/sys/class/net/{name}");
        // Beside the interfaces lies a plain file, bonding_masters.
        if !host.exists(format!("{path}/address")) {
            continue;
        }
        let mac = read::attribute(host, &format!("{path}/address")).ok().flatten();
        let mac = mac
            .map(|mac| mac.to_ascii_lowercase())
            .filter(|mac| mac.chars().any(|c| !matches!(c, '0' | ':')));
        let driver = host.resolve(format!("{path}/device/driver")).and_then(|path| path.canonicalize()).ok();
        let physical = host.exists(format!("{path}/device"));
        // A bond gives its members its address: their own is known to it, or cannot be determined.
        let own = permanent.get(&name).or(mac.as_ref()).map(String::as_str);
        let mac_is_own = permanent.contains_key(&name) || !host.exists(format!("{path}/master"));
        let configuration = match candidates {
            Ok(candidates) => {
                Fact::Known(choose(candidates, &Card { name: &name, mac: own, mac_is_own, physical }))
            }
            Err(error) => Fact::Unknown(format!("{error:#}")),
        };
        nics.push(Nic {
            driver: driver.and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned())),
            state: read::attribute(host, &format!("{path}/operstate")).ok().flatten(),
            carrier: read::attribute(host, &format!("{path}/carrier"))
                .ok()
                .flatten()
                .map(|carrier| carrier == "1"),
            member: ["master", "brport"].iter().any(|name| host.exists(format!("{path}/{name}"))),
            addresses: addresses.remove(&name).unwrap_or_default(),
            name,
            mac,
            physical,
            configuration,
        });
    }
    Ok(nics)
}

/// An interface as candidates name it.
struct Card<'a> {
    name: &'a str,
    mac: Option<&'a str>,
    /// Whether that is its own: one that it may have from a bond is no reason to refuse a configuration.
    mac_is_own: bool,
    physical: bool,
}

/// The configuration that an interface comes up with, if any.
fn choose(candidates: &[Candidate], card: &Card<'_>) -> Option<NicConfiguration> {
    let Card { name, mac, mac_is_own, physical } = *card;
    let named =
        |candidate: &&Candidate| candidate.name.as_deref().is_some_and(|pattern| matches(pattern, name));
    let same_mac = |candidate: &&Candidate| candidate.mac.as_deref().is_none_or(|wanted| Some(wanted) == mac);
    let fits = |candidate: &&Candidate| match (&candidate.name, &candidate.mac) {
        (Some(_), Some(_)) => {
            named(candidate) && (same_mac(candidate) || !(candidate.mac_must_match && mac_is_own))
        }
        (Some(_), None) => named(candidate),
        (None, Some(_)) => same_mac(candidate),
        (None, None) => candidate.any_physical && physical,
    };
    let fitting = || candidates.iter().filter(fits);
    if let Some(first) = fitting().next() {
        let is_started = |other: &&Candidate| other.each_starts && other.configuration.on_boot;
        let first = if first.each_starts { fitting().find(is_started).unwrap_or(first) } else { first };
        return Some(started(first, fitting()));
    }
    // Named, but refused for its hardware address: that is what to report.
    let refused = candidates.iter().find(|candidate| named(candidate) && !same_mac(candidate))?;
    let mut configuration = refused.configuration.clone();
    configuration.on_boot = false;
    configuration.problem = Some(format!(
        "it is for the hardware address {}, and that of {name} is {}",
        refused.mac.as_deref().unwrap_or_default(),
        mac.unwrap_or("not known"),
    ));
    Some(configuration)
}

/// What comes of the first configuration of an interface, where others are for it too.
fn started<'a>(first: &Candidate, others: impl Iterator<Item = &'a Candidate>) -> NicConfiguration {
    let mut configuration = first.configuration.clone();
    for NicConfiguration { file, on_boot, protocol, address, .. } in
        others.filter(|other| first.each_starts && other.each_starts).map(|other| &other.configuration)
    {
        if *on_boot && (*protocol != configuration.protocol || *address != configuration.address) {
            let by = address.as_deref().filter(|_| protocol == "static").unwrap_or(protocol);
            let first = &configuration.file;
            configuration.trouble =
                Some(format!("{file} is started at boot as well as {first}, and sets {by}"));
        }
    }
    configuration
}

/// Whether `name` is what `pattern` says; `*` stands for any characters, `?` for one.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut from, mut star) = (0, 0, None);
    while from < name.len() {
        if pattern.get(at).is_some_and(|c| *c == '?' || (*c == name[from] && *c != '*')) {
            at += 1;
            from += 1;
        } else if pattern.get(at) == Some(&'*') {
            star = Some((at, from));
            at += 1;
        } else if let Some((star_at, star_from)) = star {
            star = Some((star_at, star_from + 1));
            at = star_at + 1;
            from = star_from + 1;
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

/// The interfaces of an image: one for each name (or hardware address) that is configured.
fn configured(candidates: &[Candidate]) -> Vec<Nic> {
    let mut nics: Vec<Nic> = Vec::new();
    for candidate in candidates {
        let Some(name) = candidate.name.clone().or_else(|| candidate.mac.clone()) else { continue };
        if nics.iter().any(|nic| nic.name == name) {
            continue;
        }
        nics.push(Nic {
            name,
            mac: candidate.mac.clone(),
            driver: None,
            physical: candidate.physical,
            state: None,
            carrier: None,
            member: false,
            addresses: candidate.addresses.iter().filter_map(|address| plain(address)).collect(),
            configuration: Fact::Known(Some(candidate.configuration.clone())),
        });
    }
    nics
}

/// The address without its prefix length.
fn plain(address: &str) -> Option<IpAddr> {
    address.split('/').next()?.trim_matches([' ', '\t']).parse().ok()
}

/// The addresses in effect by interface, link-local IPv6 excepted.
fn addresses(host: &Host) -> Result<BTreeMap<String, Vec<IpAddr>>> {
    let mut by_name: BTreeMap<String, Vec<IpAddr>> = BTreeMap::new();
    let mut add = |name: &str, address: IpAddr| {
        let link_local = matches!(address, IpAddr::V6(address) if address.is_unicast_link_local());
        let known = by_name.entry(name.to_owned()).or_default();
        if !link_local && !known.contains(&address) {
            known.push(address);
        }
    };
    if host.is_live() {
        for interface in getifaddrs()? {
            let Some(storage) = interface.address else { continue };
            // An alias (eth0:1) is an address of its interface.
            let name = interface.interface_name.split(':').next().unwrap_or_default();
            if let Some(v4) = storage.as_sockaddr_in() {
                add(name, v4.ip().into());
            } else if let Some(v6) = storage.as_sockaddr_in6() {
                add(name, v6.ip().into());
            }
        }
    } else {
        // Lines `NAME ADDRESS/PREFIX`.
        for line in host.read("/commands/ip-addr").unwrap_or_default().lines() {
            if let Some((name, address)) = line.split_once(char::is_whitespace)
                && let Some(address) = plain(address)
            {
                add(name, address);
            }
        }
    }
    Ok(by_name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

    const IFCFG: &str = "etc/sysconfig/network-scripts/ifcfg-eth0";

    fn el6(ifcfg: &str) -> tempfile::TempDir {
        testing::tree(&[
            ("sys/class/net/bonding_masters", "\n"),
            ("sys/class/net/lo/address", "00:00:00:00:00:00\n"),
            ("sys/class/net/eth0", "-> ../../devices/pci0/net/eth0"),
            ("sys/devices/pci0/net/eth0/address", "00:50:56:ab:cd:ef\n"),
            ("sys/devices/pci0/net/eth0/operstate", "up\n"),
            ("sys/devices/pci0/net/eth0/device", "-> ../../../pci0"),
            ("sys/devices/pci0/driver", "-> ../../bus/pci/drivers/vmxnet3"),
            ("sys/bus/pci/drivers/vmxnet3/x", ""),
            ("sys/class/net/virbr0/address", "52:54:00:00:00:01\n"),
            (
                "commands/ip-addr",
                "eth0 192.0.2.10/24\neth0 fe80::1/64\neth0 2001:db8::1/64\nlo 127.0.0.1/8\n",
            ),
            ("etc/sysconfig/network", "NETWORKING=yes\n"),
            (IFCFG, ifcfg),
        ])
    }

    fn of_eth0(dir: &tempfile::TempDir) -> NicConfiguration {
        let Fact::Known(nics) = load(&Host::recorded(dir.path())) else { panic!() };
        nics[0].configuration.known().cloned().flatten().unwrap()
    }

    #[test]
    fn an_interface_with_its_driver_addresses_and_file() {
        let dir = el6("DEVICE=eth0\nHWADDR=00:50:56:AB:CD:EF\nONBOOT=yes\nIPADDR=192.0.2.10\nPREFIX=24\n");
        let Fact::Known(nics) = load(&Host::recorded(dir.path())) else { panic!() };
        let names: Vec<_> = nics.iter().map(|nic| (nic.name.as_str(), nic.physical)).collect();
        assert_eq!(names, [("eth0", true), ("virbr0", false)]);
        assert_eq!((nics[0].driver.as_deref(), nics[0].state.as_deref()), (Some("vmxnet3"), Some("up")));
        let addresses: Vec<_> = nics[0].addresses.iter().map(ToString::to_string).collect();
        assert_eq!(addresses, ["192.0.2.10", "2001:db8::1"]);
        let configuration = nics[0].configuration.known().cloned().flatten().unwrap();
        assert_eq!(configuration.file, format!("/{IFCFG}"));
        assert!(configuration.on_boot && configuration.problem.is_none());
        assert_eq!(nics[1].configuration, Fact::Known(None));
    }

    #[test]
    fn a_clone_with_the_template_s_hardware_address_does_not_come_up() {
        let dir = el6("DEVICE=eth0\nHWADDR=00:50:56:00:00:01\nONBOOT=yes\nIPADDR=192.0.2.10\n");
        let configuration = of_eth0(&dir);
        assert!(!configuration.on_boot);
        assert_eq!(
            configuration.problem.as_deref(),
            Some("it is for the hardware address 00:50:56:00:00:01, and that of eth0 is 00:50:56:ab:cd:ef")
        );
    }

    #[test]
    fn a_member_of_a_bond_is_known_by_its_permanent_address() {
        let dir = el6("DEVICE=eth0\nHWADDR=00:50:56:00:00:02\nMASTER=bond0\nSLAVE=yes\nONBOOT=yes\n");
        let problem = || of_eth0(&dir).problem;
        // No member yet: ifup refuses to make it one.
        assert!(problem().is_some());
        testing::put(dir.path(), "sys/devices/pci0/net/eth0/master", "-> ../bond0");
        assert_eq!(problem(), None);
        let bond = |own: &str| format!("Slave Interface: eth0\nPermanent HW addr: {own}\n");
        testing::put(dir.path(), "proc/net/bonding/bond0", &bond("00:50:56:00:00:02"));
        assert_eq!(problem(), None);
        testing::put(dir.path(), "proc/net/bonding/bond0", &bond("00:50:56:00:00:03"));
        assert!(problem().unwrap().ends_with("and that of eth0 is 00:50:56:00:00:03"));
    }

    #[test]
    fn a_second_file_that_is_started_too_is_told() {
        let text = "DEVICE=eth0\nONBOOT=yes\nIPADDR=192.0.2.10\nPREFIX=24\n";
        let dir = el6(text);
        let trouble = |second: &str| {
            testing::put(dir.path(), &format!("{IFCFG}.old"), second);
            of_eth0(&dir).trouble
        };
        assert_eq!(trouble(text), None);
        assert_eq!(trouble(&text.replace("=yes", "=no").replace(".10", ".11")), None);
        testing::put(dir.path(), IFCFG, &text.replace("=yes", "=no").replace(".10", ".11"));
        assert_eq!(trouble(text), None, "the one that is started counts");
        testing::put(dir.path(), IFCFG, text);
        assert_eq!(
            trouble(&text.replace(".10", ".11")).unwrap(),
            format!("/{IFCFG}.old is started at boot as well as /{IFCFG}, and sets 192.0.2.11/24")
        );
        assert!(trouble("DEVICE=eth0\nBOOTPROTO=dhcp\n").unwrap().ends_with("and sets dhcp"));
        // systemd's NetworkManager takes one of them.
        testing::put(dir.path(), "usr/lib/systemd/systemd", "");
        assert_eq!(trouble("DEVICE=eth0\nBOOTPROTO=dhcp\n"), None);
    }

    #[test]
    fn an_image_has_the_interfaces_that_it_configures() {
        let dir = el6("DEVICE=eth0\nONBOOT=yes\nIPADDR=192.0.2.10\nPREFIX=24\n");
        let Fact::Known(nics) = load(&Host::image(dir.path())) else { panic!() };
        assert_eq!((nics.len(), nics[0].name.as_str()), (1, "eth0"));
        assert_eq!(nics[0].addresses, ["192.0.2.10".parse::<IpAddr>().unwrap()]);
    }

    #[test]
    fn names_match_as_patterns_do() {
        for (pattern, name, expected) in [
            ("eth0", "eth0", true),
            ("eth0", "eth01", false),
            ("en*", "ens192", true),
            ("e?s*2", "ens192", true),
            ("*", "x", true),
            ("en*", "eth0", false),
            ("en?", "en", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn this_machine_s_interfaces_are_read() {
        let Fact::Known(nics) = load(&Host::live()) else { panic!() };
        assert!(nics.iter().all(|nic| nic.name != "lo"));
    }
}
