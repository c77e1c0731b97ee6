//! The names that udev gives to network cards at the next boot: /etc/udev/rules.d/70-persistent-net.rules of CentOS 6.

use serde::{Deserialize, Serialize};

use crate::facts::{Fact, read};
use crate::host::Host;

/// Where udev 147 keeps the names (its 75-persistent-net-generator.rules and write_net_rules add a line for each new card).
pub const FILE: &str = "/etc/udev/rules.d/70-persistent-net.rules";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Persistent {
    /// Its hardware address, in lower case.
    pub mac: String,
    /// `eth0`.
    pub name: String,
}

/// The names on record; none where there is no such file.
pub(super) fn load(host: &Host) -> Fact<Vec<Persistent>> {
    Fact::from_result(read::text_if_exists(host, FILE).map(|text| parse(&text.unwrap_or_default())))
}

fn parse(text: &str) -> Vec<Persistent> {
    let lines = text.replace("\\\n", "");
    let rules = lines.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let value = |line: &str, key: &str| {
        let rest = &line[line.find(key)? + key.len()..];
        Some(rest.split_once('"')?.0.to_owned())
    };
    let rules = rules.filter_map(|line| {
        let mac = value(line, "ATTR{address}==\"")?.to_ascii_lowercase();
        // NAME of what is set, not KERNEL== or the like.
        let name = value(line, "NAME=\"").or_else(|| value(line, "NAME:=\""))?;
        Some(Persistent { mac, name })
    });
    rules.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

    #[test]
    fn a_rule_of_udev_gives_a_card_its_name() {
        let line = "# PCI device 0x15ad:0x07b0 (vmxnet3)\nSUBSYSTEM==\"net\", ACTION==\"add\", DRIVERS==\"?*\", \
            ATTR{address}==\"00:50:56:8A:1D:2C\", ATTR{type}==\"1\", KERNEL==\"eth*\", NAME=\"eth1\"\n#ATTR{address}==\"x\", \
            NAME=\"eth9\"\n";
        let named = Persistent { mac: "00:50:56:8a:1d:2c".into(), name: "eth1".into() };
        assert_eq!(parse(line), std::slice::from_ref(&named));
        assert_eq!(parse(&line.replace(", KERNEL", ", \\\nKERNEL")), [named]);
        testing::damage(line, |text| drop(parse(text)));
        let dir = testing::tree(&[]);
        assert_eq!(load(&Host::recorded(dir.path())), Fact::Known(Vec::new()));
    }
}
