//! /etc/sysconfig/network-scripts/ifcfg-*: the Red Hat family.

use anyhow::Result;

use super::NicConfiguration;
use super::nics::{Candidate, prefix_of};
use crate::facts::os::SYSTEMD;
use crate::facts::{decode, read};
use crate::host::Host;

const DIRECTORY: &str = "/etc/sysconfig/network-scripts";
const GLOBAL: &str = "/etc/sysconfig/network";

/// What el6's network script takes for a copy and passes over.
const COPIES: [&str; 6] = ["~", ".bak", ".orig", ".rpmnew", ".rpmorig", ".rpmsave"];

/// The configurations in all files but the loopback's, aliases' and copies.
pub(super) fn load(host: &Host) -> Result<Vec<Candidate>> {
    let names = host.list(DIRECTORY).map_err(|error| read::explain(DIRECTORY, error))?;
    let wanted = |name: &&String| {
        name.starts_with("ifcfg-")
            && *name != "ifcfg-lo"
            && !name.contains(':')
            && !COPIES.iter().any(|copy| name.ends_with(copy))
    };
    let off = switched_off(host)?;
    let mut found = Vec::new();
    for name in names.iter().filter(wanted) {
        let path = format!("{DIRECTORY}/{name}");
        if let Some(text) = read::text_if_exists(host, &path)? {
            let mut candidate = parse(&path, &name["ifcfg-".len()..], &text);
            if let Some(why) = &off {
                candidate.configuration.on_boot = false;
                candidate.configuration.problem = Some(why.clone());
            }
            found.push(candidate);
        }
    }
    Ok(found)
}

/// Why el6's /etc/init.d/network starts no interface at all, if so. What systemd starts with it is not held up:
/// there NetworkManager reads the same files.
fn switched_off(host: &Host) -> Result<Option<String>> {
    if SYSTEMD.iter().any(|path| host.exists(path)) {
        return Ok(None);
    }
    Ok(match read::text_if_exists(host, GLOBAL)? {
        None => Some(format!("there is no {GLOBAL}, without which no interface is started")),
        Some(text) => (decode::value(&decode::assignments(&text), "NETWORKING").as_deref() == Some("no"))
            .then(|| format!("NETWORKING=no in {GLOBAL} keeps every interface down")),
    })
}

/// One file; `suffix` is what follows `ifcfg-` in its name, which names the device where nothing else does.
pub(super) fn parse(path: &str, suffix: &str, text: &str) -> Candidate {
    let assignments = decode::assignments(text);
    let told = |key| decode::value(&assignments, key).filter(|value| !value.is_empty());
    let mac = told("HWADDR").map(|mac| mac.to_ascii_lowercase());
    let device = told("DEVICE");
    let first = told("IPADDR").or_else(|| told("IPADDR0"));
    let prefix = told("PREFIX")
        .or_else(|| told("PREFIX0"))
        .or_else(|| prefix_of(&told("NETMASK").or_else(|| told("NETMASK0"))?));
    let with_prefix = first.clone().map(|address| match prefix {
        Some(prefix) if !address.contains('/') => format!("{address}/{prefix}"),
        _ => address,
    });
    let other: Vec<String> =
        ["IPADDR1", "IPADDR2", "IPADDR3", "IPV6ADDR"].into_iter().filter_map(told).collect();
    let address = with_prefix.or_else(|| other.first().cloned());
    let protocol = told("BOOTPROTO").unwrap_or_else(|| "none".into()).to_ascii_lowercase();
    // None is what el6's installer writes for a static address.
    let protocol = if protocol == "none" && address.is_some() { "static".into() } else { protocol };
    // el6 starts whatever does not say no; what is neither yes nor no is not counted upon.
    let on_boot = told("ONBOOT").is_none_or(|value| {
        matches!(value.to_ascii_lowercase().as_str(), "yes" | "y" | "true" | "t" | "1" | "on")
    });
    let addresses = first.into_iter().chain(other).collect();
    let name = device.or_else(|| mac.is_none().then(|| suffix.to_owned()));
    let physical = !["bridge", "bond", "vlan", "tun", "team"]
        .contains(&told("TYPE").unwrap_or_default().to_ascii_lowercase().as_str());
    Candidate {
        name,
        mac,
        // A clone keeps the template's HWADDR: ifup then refuses the device.
        mac_must_match: true,
        any_physical: false,
        physical,
        addresses,
        configuration: NicConfiguration { file: path.to_owned(), on_boot, protocol, address, problem: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

    const EL6: &str = "DEVICE=eth0\nHWADDR=00:50:56:AB:CD:EF\nTYPE=Ethernet\nONBOOT=yes\nNM_CONTROLLED=yes\n\
                       BOOTPROTO=none\nIPADDR=192.0.2.10\nPREFIX=24\nNETMASK=255.0.0.0\nGATEWAY=192.0.2.1\n";

    fn configuration(text: &str) -> NicConfiguration {
        parse("f", "eth0", text).configuration
    }

    #[test]
    fn what_the_installer_of_el6_writes() {
        let candidate = parse("f", "eth0", EL6);
        assert_eq!(candidate.mac.as_deref(), Some("00:50:56:ab:cd:ef"));
        let expected = NicConfiguration {
            file: "f".into(),
            on_boot: true,
            protocol: "static".into(),
            address: Some("192.0.2.10/24".into()),
            problem: None,
        };
        assert_eq!(candidate.configuration, expected);
        testing::damage(EL6, |text| drop(parse("f", "eth0", text)));
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
    }
}
