//! /etc/sysconfig/network-scripts/ifcfg-*: the Red Hat family. They are shell.

use std::net::Ipv4Addr;

use anyhow::{Result, anyhow};

use super::candidate::{Candidate, prefix_of};
use super::nic::NicConfiguration;
use crate::facts::shell::Sourced;
use crate::facts::{os, read, shell};
use crate::host::Host;

const DIRECTORY: &str = "/etc/sysconfig/network-scripts";
const GLOBAL: &str = "/etc/sysconfig/network";

/// What the network script takes for a copy and passes over (`__sed_discard_ignored_files` of initscripts).
const COPIES: [&str; 6] = ["~", ".bak", ".orig", ".rpmnew", ".rpmorig", ".rpmsave"];

/// Who reads the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// The scripts of CentOS 6 (initscripts 9.03: network, ifup, ifup-eth, network-functions): each file of a fitting name is
    /// started, whatever comes after `ifcfg-`; all but `dhcp` and `bootp` is static; IPADDR is an address and nothing else.
    Scripts,
    /// NetworkManager, or the scripts of CentOS 7.
    Later,
}

/// The configurations in all files but the loopback's, aliases' and copies.
pub(super) fn load(host: &Host) -> Result<Vec<Candidate>> {
    let names = host.list(DIRECTORY).map_err(|error| read::explain(DIRECTORY, error))?;
    let dialect = if os::systemd(host)? { Dialect::Later } else { Dialect::Scripts };
    let (off, global) = global(host, dialect)?;
    let mut found = Vec::new();
    for name in names.iter().filter(|name| is_started(name, dialect)) {
        let path = format!("{DIRECTORY}/{name}");
        if let Some(text) = read::text_if_exists(host, &path)? {
            let mut candidate = parse(&path, &name["ifcfg-".len()..], &text, &global, dialect)?;
            if let Some(why) = &off {
                candidate.configuration.on_boot = false;
                candidate.configuration.problem = Some(why.clone());
            }
            found.push(candidate);
        }
    }
    Ok(found)
}

/// Whether a file of that name is one of an interface.
fn is_started(name: &str, dialect: Dialect) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let Some(suffix) = name.strip_prefix("ifcfg-") else { return false };
    if suffix.contains(':') || COPIES.iter().any(|copy| name.ends_with(copy)) {
        return false;
    }
    match dialect {
        Dialect::Scripts => {
            // `-range` holds the range of an alias.
            !suffix.is_empty()
                && !suffix.starts_with("lo")
                && !suffix.contains("-range")
                && suffix.bytes().all(is_plain)
        }
        Dialect::Later => suffix != "lo",
    }
}

/// Why the network script of CentOS 6 starts no interface at all, if so, and what is set for all of them. What systemd starts
/// with it is not held up: there NetworkManager reads the same files.
fn global(host: &Host, dialect: Dialect) -> Result<(Option<String>, Sourced)> {
    let text = read::text_if_exists(host, GLOBAL)?;
    let global = shell::parse(text.as_deref().unwrap_or_default());
    if dialect == Dialect::Later {
        return Ok((None, global));
    }
    let off = match text {
        None => Some(format!("there is no {GLOBAL}, without which no interface is started")),
        Some(_) => {
            let networking = global.get("NETWORKING").map_err(|why| anyhow!("{GLOBAL}: {why}"))?;
            (networking.as_deref() == Some("no"))
                .then(|| format!("NETWORKING=no in {GLOBAL} keeps every interface down"))
        }
    };
    Ok((off, global))
}

/// One file; `suffix` is what follows `ifcfg-` in its name, which names the device where nothing else does; `global` is what
/// /etc/sysconfig/network sets.
/// Errors: What is set cannot be determined without running the file.
pub(super) fn parse(
    path: &str,
    suffix: &str,
    text: &str,
    global: &Sourced,
    dialect: Dialect,
) -> Result<Candidate> {
    let own = shell::parse(text);
    let value = |key: &str| {
        let value = own.get(key).map_err(|why| anyhow!("{path}: {why}"))?;
        Ok::<_, anyhow::Error>(value.filter(|value| !value.is_empty()))
    };
    let one_of = |keys: [&str; 2]| Ok::<_, anyhow::Error>(value(keys[0])?.or(value(keys[1])?));
    let scripts = dialect == Dialect::Scripts;
    let mac = value("HWADDR")?.map(|mac| mac.to_ascii_lowercase());
    let device = value("DEVICE")?;
    let first = one_of(["IPADDR", "IPADDR0"])?;
    let (given, mask) = (one_of(["PREFIX", "PREFIX0"])?, one_of(["NETMASK", "NETMASK0"])?);
    let prefix = given.clone().or_else(|| prefix_of(mask.as_ref()?));
    let prefix = prefix.or_else(|| classful(first.as_ref().filter(|_| scripts && mask.is_none())?));
    let with_prefix = first.clone().map(|address| match &prefix {
        Some(prefix) if !address.contains('/') => format!("{address}/{prefix}"),
        _ => address,
    });
    let mut other = Vec::new();
    for key in ["IPADDR1", "IPADDR2", "IPADDR3", "IPV6ADDR"] {
        other.extend(value(key)?);
    }
    let address = with_prefix.or_else(|| other.first().cloned());
    let protocol = protocol(value("BOOTPROTO")?, address.as_ref(), dialect);
    // el6 starts whatever does not say no; what is neither yes nor no is not counted upon.
    let on_boot = value("ONBOOT")?.is_none_or(|value| {
        matches!(value.to_ascii_lowercase().as_str(), "yes" | "y" | "true" | "t" | "1" | "on")
    });
    // The script looks for such a line before it reads the file: a later one does not make up for it.
    let says_no = |line: &str| {
        let value = line.strip_prefix("ONBOOT=").unwrap_or_default().trim_start_matches(['"', '\'']);
        value.get(..2).is_some_and(|word| word.eq_ignore_ascii_case("no"))
    };
    let problem = match (&first, &prefix) {
        _ if !scripts => None,
        _ if on_boot && text.lines().any(says_no) => {
            Some("a line of it says ONBOOT=no: CentOS 6 starts it for no other line".to_owned())
        }
        _ if device.is_none() && mac.is_none() => {
            Some("it sets no DEVICE, without which CentOS 6 starts nothing".to_owned())
        }
        _ if protocol != "static" => None,
        (Some(address), _) if address.contains('/') => {
            Some(format!("IPADDR={address}: CentOS 6 takes no prefix length there, but as PREFIX=.."))
        }
        (Some(_), prefix)
            if !prefix.as_ref().is_some_and(|prefix| prefix.parse().is_ok_and(|bits: u8| bits <= 32)) =>
        {
            let wrong = given.map_or_else(
                || format!("NETMASK={}", mask.unwrap_or_default()),
                |bits| format!("PREFIX={bits}"),
            );
            Some(format!("{wrong} is no length of a prefix"))
        }
        _ => None,
    };
    let name = device.clone().or_else(|| mac.is_none().then(|| suffix.to_owned()));
    let trouble = match address.as_deref() {
        Some(address) if scripts && protocol == "static" && value("DEFROUTE")?.as_deref() != Some("no") => {
            let by = |key: &str| Ok::<_, anyhow::Error>(value(key)?.or_else(|| global.known(key)));
            let leads_here = by("GATEWAYDEV")?.is_none_or(|other| Some(other) == device);
            by("GATEWAY")?
                .filter(|_| leads_here)
                .and_then(|gateway| no_route(&gateway, address, value("NETWORK").ok()?))
        }
        _ => None,
    };
    let physical = !["bridge", "bond", "vlan", "tun", "team"]
        .contains(&value("TYPE")?.unwrap_or_default().to_ascii_lowercase().as_str());
    Ok(Candidate {
        name,
        mac,
        // A clone keeps the template's HWADDR: ifup then refuses the device.
        mac_must_match: true,
        any_physical: false,
        physical,
        each_starts: scripts,
        addresses: first.into_iter().chain(other).collect(),
        configuration: NicConfiguration {
            file: path.to_owned(),
            on_boot: on_boot && problem.is_none(),
            protocol,
            address,
            problem,
            trouble,
        },
    })
}

/// How the address is had. `none` is what el6's installer writes for a static one.
fn protocol(set: Option<String>, address: Option<&String>, dialect: Dialect) -> String {
    let set = set.unwrap_or_else(|| "none".into());
    let set = if dialect == Dialect::Scripts { set } else { set.to_ascii_lowercase() };
    match (dialect, set.as_str()) {
        (Dialect::Scripts, "dhcp" | "bootp") => set,
        (Dialect::Scripts, _) | (Dialect::Later, "none") if address.is_some() => "static".into(),
        (Dialect::Scripts, _) => "none".into(),
        (Dialect::Later, _) => set,
    }
}

/// The length of the prefix that ipcalc(1) of CentOS 6 gives an address without one.
fn classful(address: &str) -> Option<String> {
    let first = address.parse::<Ipv4Addr>().ok()?.octets()[0];
    Some(
        match first {
            0..128 => "8",
            128..192 => "16",
            _ => "24",
        }
        .to_owned(),
    )
}

/// Why ifup-eth of CentOS 6 sets no default route: it does so only where the gateway lies in the network of the first address.
fn no_route(gateway: &str, address: &str, network: Option<String>) -> Option<String> {
    let parts = |text: &str| {
        let (address, prefix) = text.split_once('/')?;
        Some((
            u32::from(address.parse::<Ipv4Addr>().ok()?),
            prefix.parse::<u32>().ok().filter(|bits| *bits <= 32)?,
        ))
    };
    let (own, prefix) = parts(address)?;
    let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
    let network = network.unwrap_or_else(|| Ipv4Addr::from(own & mask).to_string());
    let lies_in = |gateway: Ipv4Addr| Ipv4Addr::from(u32::from(gateway) & mask).to_string() == network;
    (!gateway.parse().is_ok_and(lies_in)).then(|| {
        format!("its gateway {gateway} is not in its network {network}/{prefix}, so CentOS 6 sets no default route")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::os::SYSTEMD;
    use crate::facts::testing;

    const EL6: &str = "DEVICE=eth0\nHWADDR=00:50:56:AB:CD:EF\nTYPE=Ethernet\nONBOOT=yes\nNM_CONTROLLED=yes\n\
                       BOOTPROTO=none\nIPADDR=192.0.2.10\nPREFIX=24\nNETMASK=255.0.0.0\nGATEWAY=192.0.2.1\n";

    fn read(text: &str, dialect: Dialect) -> Candidate {
        parse("f", "eth0", text, &Sourced::default(), dialect).unwrap()
    }

    fn configuration(text: &str) -> NicConfiguration {
        read(text, Dialect::Later).configuration
    }

    fn on_el6(text: &str) -> NicConfiguration {
        read(&format!("DEVICE=eth0\n{text}"), Dialect::Scripts).configuration
    }

    #[test]
    fn what_the_installer_of_el6_writes() {
        let candidate = read(EL6, Dialect::Scripts);
        assert_eq!(candidate.mac.as_deref(), Some("00:50:56:ab:cd:ef"));
        let expected = NicConfiguration {
            file: "f".into(),
            on_boot: true,
            protocol: "static".into(),
            address: Some("192.0.2.10/24".into()),
            ..NicConfiguration::default()
        };
        assert_eq!(candidate.configuration, expected);
        for dialect in [Dialect::Scripts, Dialect::Later] {
            testing::damage(EL6, |text| drop(parse("f", "eth0", text, &Sourced::default(), dialect)));
        }
    }

    #[test]
    fn quoting_defaults_and_numbered_addresses() {
        let el7 = configuration("ONBOOT=\"no\"\nBOOTPROTO='DHCP' # x\n");
        assert_eq!((el7.on_boot, el7.protocol.as_str(), el7.address), (false, "dhcp", None));
        let numbered = configuration("IPADDR0=192.0.2.7\nNETMASK0=255.255.255.128\n");
        assert_eq!((numbered.on_boot, numbered.protocol.as_str()), (true, "static"));
        assert_eq!(numbered.address.as_deref(), Some("192.0.2.7/25"));
        for (other, address) in [("IPADDR1", "192.0.2.8"), ("IPV6ADDR", "2001:db8::8/64")] {
            let other = configuration(&format!("BOOTPROTO=none\n{other}={address}\nPREFIX=24\n"));
            assert_eq!((other.protocol.as_str(), other.address.as_deref()), ("static", Some(address)));
        }
        assert_eq!(configuration("BOOTPROTO=none\n").protocol, "none");
        assert!(!configuration("ONBOOT=maybe\n").on_boot);
    }

    #[test]
    fn the_scripts_of_el6_take_all_but_dhcp_and_bootp_for_static() {
        for (protocol, expected) in [
            ("none", "static"),
            ("staitc", "static"),
            ("DHCP", "static"),
            ("dhcp", "dhcp"),
            ("bootp", "bootp"),
        ] {
            let read = on_el6(&format!("BOOTPROTO={protocol}\nIPADDR=192.0.2.10\n"));
            assert_eq!((read.protocol.as_str(), read.address.as_deref()), (expected, Some("192.0.2.10/24")));
        }
        for text in
            ["BOOTPROTO=none\n", "BOOTPROTO=static\n", "IPADDR = 192.0.2.10\n", "IPADDR=192.0.2.10 command\n"]
        {
            let read = on_el6(text);
            assert_eq!((read.protocol.as_str(), read.address, read.on_boot), ("none", None, true), "{text}");
        }
        // The classes of ipcalc(1).
        assert_eq!(on_el6("IPADDR=10.1.2.3\n").address.as_deref(), Some("10.1.2.3/8"));
        assert_eq!(on_el6("IPADDR=172.16.2.3\n").address.as_deref(), Some("172.16.2.3/16"));
    }

    #[test]
    fn what_the_scripts_of_el6_give_up_on_is_told() {
        for (text, why) in [
            (
                "IPADDR=192.0.2.10/24\n",
                "IPADDR=192.0.2.10/24: CentOS 6 takes no prefix length there, but as PREFIX=..",
            ),
            ("IPADDR=192.0.2.10\nPREFIX=255.255.255.0\n", "PREFIX=255.255.255.0 is no length of a prefix"),
            ("IPADDR=192.0.2.10\nPREFIX=33\n", "PREFIX=33 is no length of a prefix"),
            ("IPADDR=192.0.2.10\nNETMASK=255.0.255.0\n", "NETMASK=255.0.255.0 is no length of a prefix"),
        ] {
            let read = on_el6(text);
            assert_eq!((read.on_boot, read.problem.as_deref()), (false, Some(why)), "{text}");
            assert!(configuration(text).problem.is_none(), "{text}");
        }
        let nameless = read("IPADDR=192.0.2.10\n", Dialect::Scripts);
        assert!(
            nameless.name.as_deref() == Some("eth0")
                && nameless.configuration.problem.unwrap().contains("no DEVICE")
        );
        // A carriage return is a part of the name.
        assert_eq!(read("DEVICE=eth0\r\nONBOOT=yes\r\n", Dialect::Scripts).name.as_deref(), Some("eth0\r"));
    }

    #[test]
    fn a_gateway_outside_of_the_network_sets_no_route_on_el6() {
        let trouble = |text: &str| on_el6(&format!("IPADDR=192.0.2.10\nPREFIX=24\n{text}")).trouble;
        assert_eq!(
            trouble("GATEWAY=198.51.100.1\n").as_deref(),
            Some(
                "its gateway 198.51.100.1 is not in its network 192.0.2.0/24, so CentOS 6 sets no default route"
            )
        );
        for text in [
            "",
            "GATEWAY=192.0.2.1\n",
            "GATEWAY=198.51.100.1\nDEFROUTE=no\n",
            "GATEWAY=198.51.100.1\nGATEWAYDEV=eth1\n",
        ] {
            assert_eq!(trouble(text), None, "{text}");
        }
        assert!(trouble("GATEWAY=192.0.2.1\nNETWORK=192.0.3.0\n").is_some());
        assert!(trouble("GATEWAY=router\n").is_some());
        let global = shell::parse("GATEWAY=198.51.100.1\n");
        let text = "DEVICE=eth0\nIPADDR=192.0.2.10\nPREFIX=24\n";
        let of_all = parse("f", "eth0", text, &global, Dialect::Scripts).unwrap().configuration.trouble;
        assert!(of_all.is_some());
        assert!(configuration("IPADDR=192.0.2.10\nPREFIX=24\nGATEWAY=198.51.100.1\n").trouble.is_none());
    }

    #[test]
    fn a_value_that_is_computed_is_unknown() {
        let text = "DEVICE=eth0\nIPADDR=$(cat /etc/address)\n";
        let error = parse("f", "eth0", text, &Sourced::default(), Dialect::Scripts).unwrap_err();
        assert_eq!(error.to_string(), "f: the value of IPADDR is computed");
    }

    #[test]
    fn the_scripts_of_el6_start_nothing_where_networking_is_off() {
        let dir = testing::tree(&[(&format!("{}/ifcfg-eth0", &DIRECTORY[1..]), EL6)]);
        let comes_up = || {
            let NicConfiguration { on_boot, problem, .. } =
                load(&Host::image(dir.path())).unwrap().remove(0).configuration;
            assert_eq!(on_boot, problem.is_none());
            problem.map_or(Ok(()), Err)
        };
        assert_eq!(
            comes_up(),
            Err("there is no /etc/sysconfig/network, without which no interface is started".into())
        );
        for on in ["NETWORKING=yes\n", "NETWORKING=NO\n", "HOSTNAME=mt01\n", ""] {
            testing::put(dir.path(), &GLOBAL[1..], on);
            assert_eq!(comes_up(), Ok(()), "{on}");
        }
        testing::put(dir.path(), &GLOBAL[1..], "NETWORKING=\"no\"\n");
        assert_eq!(
            comes_up(),
            Err("NETWORKING=no in /etc/sysconfig/network keeps every interface down".into())
        );
        testing::put(dir.path(), &SYSTEMD[0][1..], "");
        assert_eq!(comes_up(), Ok(()));
    }

    #[test]
    fn copies_and_aliases_are_passed_over() {
        let directory = &DIRECTORY[1..];
        let names = ["ifcfg-eth0", "ifcfg-eth0.bak", "ifcfg-eth0:1", "ifcfg-lo", "ifup-eth", "ifcfg-eth1~"];
        let files: Vec<_> = names.iter().map(|name| format!("{directory}/{name}")).collect();
        let dir = testing::tree(&files.iter().map(|file| (file.as_str(), EL6)).collect::<Vec<_>>());
        let found = load(&Host::image(dir.path())).unwrap();
        let files: Vec<_> = found.iter().map(|found| found.configuration.file.as_str()).collect();
        assert_eq!(files, ["/etc/sysconfig/network-scripts/ifcfg-eth0"]);
        for (name, scripts, later) in [
            ("ifcfg-eth0.old", true, true),
            ("ifcfg-eth0-copy", true, true),
            ("ifcfg-Auto eth0", false, true),
            ("ifcfg-eth0-range0", false, true),
            ("ifcfg-local", false, true),
            ("ifcfg-", false, true),
            ("ifcfg-eth0.rpmsave", false, false),
        ] {
            assert_eq!(
                (is_started(name, Dialect::Scripts), is_started(name, Dialect::Later)),
                (scripts, later),
                "{name}"
            );
        }
    }
}
