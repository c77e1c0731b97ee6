//! netplan's files, and what `netplan generate` makes of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use mt_agent::facts::{Fact, network};
use mt_agent::host::Host;

use super::{Random, Reason, Reasons, run, samples};

/// Why netplan may refuse what we read.
const REFUSED: &[Reason] = &[("netplan refuses keys that it does not know, of which we read none", |text| {
    text.contains("adresses")
})];

/// Name, whether it starts at boot, whether by DHCP, addresses.
type Interfaces = BTreeMap<String, (bool, bool, Vec<String>)>;

fn ours(root: &Path) -> Result<Interfaces, String> {
    match network::load(&Host::image(root)).nics {
        Fact::Known(nics) => Ok(nics
            .into_iter()
            .map(|nic| {
                let Fact::Known(Some(configuration)) = nic.configuration else { panic!("{}", nic.name) };
                let dhcp = configuration.protocol == "dhcp";
                let mut addresses: Vec<_> = nic.addresses.iter().map(ToString::to_string).collect();
                addresses.sort();
                (nic.name, (configuration.on_boot, dhcp, addresses))
            })
            .collect()),
        Fact::Unknown(why) | Fact::NotApplicable(why) => Err(why),
    }
}

fn netplan(root: &Path) -> Result<Interfaces, String> {
    let output = run(Command::new("netplan").args(["generate", "--root-dir"]).arg(root).env("LC_ALL", "C"));
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let mut found = Interfaces::new();
    let Ok(files) = fs::read_dir(root.join("run/systemd/network")) else { return Ok(found) };
    for file in files.map(|file| file.unwrap().path()) {
        if file.extension().is_none_or(|extension| extension != "network") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let all = |key: &str| {
            text.lines()
                .filter_map(|line| line.strip_prefix(key)?.strip_prefix('='))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let mut addresses: Vec<_> =
            all("Address").iter().map(|address| address.split('/').next().unwrap().to_owned()).collect();
        addresses.sort();
        addresses.dedup();
        let dhcp = all("DHCP").iter().any(|value| ["yes", "ipv4"].contains(&value.as_str()));
        let on_boot = all("ActivationPolicy").is_empty() && !text.contains("Unmanaged=yes");
        for name in all("Name") {
            found.insert(name, (on_boot, dhcp, addresses.clone()));
        }
    }
    Ok(found)
}

/// One interface's settings, as a mapping on one line.
fn settings(random: &mut Random, number: usize, more: &str) -> String {
    let mut parts = Vec::new();
    if !more.is_empty() {
        parts.push(more.to_owned());
    }
    match random.below(5) {
        0 => parts.push(format!(
            "dhcp4: {}",
            random.of(&["true", "yes", "'on'", "Y", "True", "false", "no", "off", "n"])
        )),
        1 => parts.push(format!("addresses: [192.0.2.{number}/24]")),
        2 => parts.push(format!(
            "addresses: [\"192.0.2.{number}/24\", 198.51.100.{number}/25, 192.0.2.{number}/24]"
        )),
        3 => parts.push(format!("addresses: [{{192.0.2.{number}/24: {{label: \"x:1\"}}}}]")),
        _ => parts.push("optional: true".to_owned()),
    }
    match random.below(24) {
        0 => parts.push("activation-mode: manual".to_owned()),
        1 => parts.push("dhcp4: maybe".to_owned()),
        2 => parts.push("adresses: []".to_owned()),
        _ => {}
    }
    format!("{{{}}}", parts.join(", "))
}

fn configuration(random: &mut Random) -> String {
    let mut text = "network:\n  version: 2\n  renderer: networkd\n  ethernets:\n".to_owned();
    for number in 0..4 {
        let matched = match random.below(5) {
            0 => format!("match: {{macaddress: \"00:50:56:8A:1D:0{number}\"}}, set-name: lan{number}"),
            1 => format!("match: {{name: \"en*{number}\"}}"),
            _ => String::new(),
        };
        text.push_str(&format!("    eth{number}: {}\n", settings(random, 10 + number, &matched)));
    }
    if random.below(2) == 0 {
        let settings = settings(random, 20, "interfaces: [eth0, eth1], parameters: {mode: active-backup}");
        text.push_str(&format!("  bonds:\n    bond0: {settings}\n"));
    }
    if random.below(2) == 0 {
        text.push_str(&format!("  vlans:\n    vlan7: {}\n", settings(random, 30, "id: 7, link: eth2")));
    }
    if random.below(2) == 0 {
        text.push_str(&format!("  bridges:\n    br0: {}\n", settings(random, 40, "interfaces: [eth3]")));
    }
    text
}

#[test]
fn configurations_are_read_as_netplan_reads_them() {
    let mut random = Random::new();
    let mut refused = Reasons::new(REFUSED);
    for _ in samples(40, Duration::from_secs(5)) {
        let dir = tempfile::tempdir().unwrap();
        let directory = dir.path().join("etc/netplan");
        fs::create_dir_all(&directory).unwrap();
        let text = configuration(&mut random);
        fs::write(directory.join("10-a.yaml"), &text).unwrap();
        if random.below(3) == 0 {
            let more = "network: {ethernets: {eth0: {addresses: [203.0.113.5/24]}, eth1: {dhcp4: true}}}\n";
            fs::write(directory.join("20-b.yaml"), more).unwrap();
        }
        // Ours first: what netplan makes lies in the same tree.
        let (ours, theirs) = (ours(dir.path()), netplan(dir.path()));
        match (&ours, &theirs) {
            (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs, "{text}"),
            (Err(_), Err(_)) => {}
            (Ok(_), Err(why)) => assert!(refused.explain(&text), "{why}\n{text}"),
            (Err(why), Ok(_)) => panic!("{why}\n{text}"),
        }
    }
    refused.all_occurred();
}
