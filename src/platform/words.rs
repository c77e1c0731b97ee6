//! Advice that differs by family. The words of the Red Hat family are for CentOS 6, and for what systemd starts where that
//! differs.

use std::net::IpAddr;

use super::Family;
use super::texts::{Texts, texts};
use crate::facts::packages::{Database, Manager, Packages};
use crate::facts::{Fact, Facts};
use crate::profile::Profile;

/// The family whose words fit a host. Where it cannot be determined these are the procedure's own, which is written for CentOS:
/// advice is followed by a person, who knows the system.
pub fn family(facts: &Facts) -> Family {
    facts.os.family.known().copied().unwrap_or(Family::RedHat)
}

/// As [`family`]: its texts.
pub fn of(facts: &Facts) -> &'static Texts {
    texts(family(facts))
}

/// The family that a profile is for: the one that its texts are explained for.
pub fn family_of(profile: &Profile) -> Family {
    Family::of_release(&profile.os.release).unwrap_or(Family::RedHat)
}

pub fn keep_hostname(family: Family, name: &str) -> String {
    match family {
        Family::RedHat => format!(
            "write HOSTNAME={name} to /etc/sysconfig/network (under systemd {name} to /etc/hostname), or restart"
        ),
        Family::Debian => format!("write {name} to /etc/hostname, or restart"),
    }
}

pub fn set_timezone(family: Family, zone: &str) -> String {
    match family {
        Family::RedHat => format!(
            "write ZONE=\"{zone}\" to /etc/sysconfig/clock and copy /usr/share/zoneinfo/{zone} to /etc/localtime"
        ),
        Family::Debian => {
            format!(
                "write {zone} to /etc/timezone and let /etc/localtime be a link to /usr/share/zoneinfo/{zone}"
            )
        }
    }
}

/// What to do where /etc/localtime is another zone than `zone`, which is configured.
pub fn agree_on_timezone(family: Family, zone: &str) -> String {
    match family {
        Family::RedHat => format!(
            "copy /usr/share/zoneinfo/{zone} to /etc/localtime, or put the zone that is meant into /etc/sysconfig/clock"
        ),
        Family::Debian => format!(
            "let /etc/localtime be a link to /usr/share/zoneinfo/{zone}, or put the zone that is meant into /etc/timezone"
        ),
    }
}

/// How to let an interface come up at boot with a static address; what is not known is `None`.
pub fn configure_interface(family: Family, name: Option<&str>, address: Option<IpAddr>) -> String {
    let name = name.unwrap_or("NAME");
    let address = address.map_or("ADDRESS".to_owned(), |address| address.to_string());
    match family {
        Family::RedHat => format!(
            "in /etc/sysconfig/network-scripts/ifcfg-{name} (or the file named): ONBOOT=yes, BOOTPROTO=none, \
             IPADDR={address}, PREFIX=.., GATEWAY=.., and no HWADDR of another machine; NETWORKING=yes in \
             /etc/sysconfig/network; then `service network restart`"
        ),
        Family::Debian => format!(
            "with netplan, in a file in /etc/netplan: under {name} `dhcp4: false`, `addresses: [{address}/..]` and the gateway, \
             then `netplan apply`; without it, in /etc/network/interfaces: `auto {name}`, `iface {name} inet static`, `address \
             {address}/..`, `gateway ..`, then `systemctl restart networking`; and no hardware address of another machine"
        ),
    }
}

pub fn bring_up(family: Family, name: &str) -> String {
    match family {
        Family::RedHat => format!("ifup {name}"),
        Family::Debian => format!("ifup {name} (with netplan: netplan apply)"),
    }
}

pub fn install_boot_loader(family: Family, disk: &str) -> String {
    match family {
        Family::RedHat => format!("`grub-install /dev/{disk}` (grub2-install on later releases)"),
        Family::Debian => format!("`grub-install /dev/{disk}`"),
    }
}

/// How `missing` packages come, by this agent and by hand.
pub fn install_packages(family: &Fact<Family>, packages: &Packages, missing: &str) -> String {
    match (family, packages.database) {
        (Fact::Unknown(why) | Fact::NotApplicable(why), _) => no_family(why, missing),
        (Fact::Known(Family::RedHat), Database::Rpm) => match packages.installer.map(Manager::tool) {
            Some(tool) => format!("mt-agent apply, or: {tool} install -y {missing}; then rpm -q {missing}"),
            None => format!(
                "cannot determine what installs packages from repositories here: look for it with `which yum dnf`; without it, \
                 mt-agent apply --offline DIRECTORY, or rpm -ivh, installs {missing}"
            ),
        },
        (Fact::Known(Family::RedHat | Family::Debian), _) => format!(
            "install {missing} with apt-get, by the names that they have there (mt-agent apply does not support Debian's packages \
             yet: it installs with yum or dnf only)"
        ),
    }
}

/// How packages come that are in `files`.
pub fn install_files(family: &Fact<Family>, packages: &Packages, files: &str) -> String {
    match (family, packages.database) {
        (Fact::Unknown(why) | Fact::NotApplicable(why), _) => no_family(why, files),
        (Fact::Known(Family::RedHat), Database::Rpm) => format!(
            "mt-agent apply (it fetches and verifies the files), or install by hand with rpm -ivh: {files}"
        ),
        (Fact::Known(Family::RedHat | Family::Debian), _) => format!(
            "install what is in {files} (mt-agent apply does not support Debian's packages yet: it installs with rpm only)"
        ),
    }
}

/// Where it is not known how packages are installed, how to find out.
fn no_family(why: &str, what: &str) -> String {
    format!(
        "cannot determine of which family this system is, so mt-agent apply installs nothing: {why}; see what it is with `cat \
         /etc/*release`, and install {what} by hand"
    )
}
