//! What differs by family in a template that is made ready for cloning.

use crate::facts::family::Family;

/// Where a family keeps what is a machine's own of its network.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// The interfaces' files; the configuration in effect first.
    pub interfaces: &'static [&'static str],
    /// What is taken out of them.
    pub keys: &'static [&'static str],
    /// The file for all interfaces.
    pub global: &'static [&'static str],
    /// What is taken out of that.
    pub global_keys: &'static [&'static str],
    /// Where the machine's name stands.
    pub named: &'static [&'static str],
}

/// Those of the Red Hat family. What lies below networking/ is system-config-network's, which links the interfaces' files to it
/// and has a copy of the names for each profile.
pub const RED_HAT: Places = Places {
    interfaces: &[
        "/etc/sysconfig/network-scripts/ifcfg-*",
        "/etc/sysconfig/networking/devices/ifcfg-*",
        "/etc/sysconfig/networking/profiles/*/ifcfg-*",
    ],
    keys: &[
        "HWADDR",
        "MACADDR",
        "UUID",
        "HOSTNAME",
        "DHCP_HOSTNAME",
        "DHCP_FQDN",
        "DHCP_CLIENT_ID",
        "DHCPV6_DUID",
    ],
    global: &["/etc/sysconfig/network"],
    // HOSTNAME stays: a step of its own names it.
    global_keys: &["DHCP_HOSTNAME", "DHCP_CLIENT_ID", "DHCPV6_DUID"],
    named: &[
        "/etc/hosts",
        "/etc/sysconfig/networking/profiles/*/hosts",
        "/etc/sysconfig/networking/profiles/*/network",
        "/etc/sysconfig/network",
        "/etc/hostname",
    ],
};

/// The systems of which it is known what identifies a machine.
#[derive(Clone, Copy, Debug)]
pub struct Covered {
    /// How their release begins.
    pub names: &'static [&'static str],
    pub release: &'static str,
}

pub const COVERED: Covered = Covered {
    names: &["CentOS", "Red Hat Enterprise Linux", "Scientific Linux", "Oracle Linux"],
    release: "6",
};

/// The covered systems of `family`, where there are any yet.
pub const fn covered(family: Family) -> Option<Covered> {
    match family {
        Family::RedHat => Some(COVERED),
        Family::Debian => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_covered_is_of_one_family() {
        for name in COVERED.names {
            assert_eq!(Family::of_release(name), Some(Family::RedHat), "{name}");
        }
        assert!(covered(Family::RedHat).is_some() && covered(Family::Debian).is_none());
    }
}
