//! Advice that differs by family. The words of the Red Hat family are for CentOS 6, and for what systemd starts where that
//! differs.

use std::net::IpAddr;

use super::Family;
use crate::facts::packages::{Database, Manager, Packages};
use crate::facts::{Fact, Facts};
use crate::profile::Profile;

/// The family whose words fit a host. Where it cannot be determined these are the procedure's own, which is written for CentOS:
/// advice is followed by a person, who knows the system.
pub fn family(facts: &Facts) -> Family {
    facts.os.family.known().copied().unwrap_or(Family::RedHat)
}

/// The family that a profile is for: the one that its texts are explained for.
pub fn family_of(profile: &Profile) -> Family {
    Family::of_release(&profile.os.release).unwrap_or(Family::RedHat)
}

/// That the agent does not change systems of `family` yet, where that is so.
pub const fn not_supported(family: Family) -> Option<&'static str> {
    match family {
        Family::RedHat => None,
        Family::Debian => {
            Some("mt-agent apply does not support Debian systems yet, only those of the Red Hat family")
        }
    }
}

/// How to give a host a name of its own.
pub const fn choose_hostname(family: Family) -> &'static str {
    match family {
        Family::RedHat => {
            "choose a name that no other machine of the site has; `hostname NAME`, and HOSTNAME=NAME in \
             /etc/sysconfig/network"
        }
        Family::Debian => {
            "choose a name that no other machine of the site has; `hostname NAME`, and NAME in /etc/hostname"
        }
    }
}

/// How a host keeps its name at the next boot.
pub fn keep_hostname(family: Family, name: &str) -> String {
    match family {
        Family::RedHat => format!(
            "write HOSTNAME={name} to /etc/sysconfig/network (under systemd {name} to /etc/hostname), or restart"
        ),
        Family::Debian => format!("write {name} to /etc/hostname, or restart"),
    }
}

/// How to set the time zone.
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

/// How to have a time service.
pub const fn time_service(family: Family) -> &'static str {
    match family {
        Family::RedHat => {
            "`yum install ntp`, `service ntpd start`, `chkconfig ntpd on`; or \
             `vmware-toolbox-cmd timesync enable`"
        }
        Family::Debian => {
            "`apt-get install chrony`, `systemctl enable --now chrony`; or `vmware-toolbox-cmd timesync enable`"
        }
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

/// How to bring an interface up now.
pub fn bring_up(family: Family, name: &str) -> String {
    match family {
        Family::RedHat => format!("ifup {name}"),
        Family::Debian => format!("ifup {name} (with netplan: netplan apply)"),
    }
}

/// How to name a resolver.
pub const fn name_resolver(family: Family) -> &'static str {
    match family {
        Family::RedHat => {
            "add \"nameserver ADDRESS\" to /etc/resolv.conf, and DNS1=ADDRESS to the interface's ifcfg file"
        }
        Family::Debian => {
            "with netplan, `nameservers: {addresses: [ADDRESS]}` under the interface and `netplan apply`; else add \"nameserver \
             ADDRESS\" to /etc/resolv.conf"
        }
    }
}

/// How to install the guest tools.
pub const fn install_tools(family: Family) -> &'static str {
    match family {
        Family::RedHat => {
            "in vSphere: Guest OS > Install VMware Tools, then in the guest `mount /dev/cdrom /mnt`, unpack \
             VMwareTools-*.tar.gz, run ./vmware-install.pl -d; or `yum install open-vm-tools` where a repository has it (EPEL); \
             then restart"
        }
        Family::Debian => "`apt-get install open-vm-tools`, then restart",
    }
}

/// How to start the guest tools.
pub const fn start_tools(family: Family) -> &'static str {
    match family {
        Family::RedHat => {
            "`service vmtoolsd start` and `chkconfig vmtoolsd on` (open-vm-tools), or \
             `/etc/vmware-tools/services.sh start` (VMware Tools); look into /var/log/messages if it ends again"
        }
        Family::Debian => {
            "`systemctl enable --now open-vm-tools`, or `/etc/vmware-tools/services.sh start` (VMware Tools); look into \
             `journalctl -u open-vm-tools` if it ends again"
        }
    }
}

/// How to install the boot loader on `disk`.
pub fn install_boot_loader(family: Family, disk: &str) -> String {
    match family {
        Family::RedHat => format!("`grub-install /dev/{disk}` (grub2-install on later releases)"),
        Family::Debian => format!("`grub-install /dev/{disk}`"),
    }
}

/// How the boot loader gets entries.
pub const fn write_boot_entries(family: Family) -> &'static str {
    match family {
        Family::RedHat => {
            "write /boot/grub/grub.conf (reinstalling the kernel package makes an entry), then `grub-install`"
        }
        Family::Debian => "`update-grub`, which writes /boot/grub/grub.cfg, then `grub-install`",
    }
}

/// How to let a service start at boot.
pub const fn enable_service(family: Family) -> &'static str {
    match family {
        Family::RedHat => "`chkconfig NAME on` (where systemd starts the machine: systemctl enable NAME)",
        Family::Debian => "`systemctl enable NAME`",
    }
}

/// How to remove downloaded packages.
pub const fn clean_packages(family: Family) -> &'static str {
    match family {
        Family::RedHat => "yum clean all",
        Family::Debian => "apt-get clean",
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

/// How to finish what a package manager has begun.
pub const fn finish_packages(database: Database) -> &'static str {
    match database {
        Database::Rpm => {
            "`yum-complete-transaction` shows what is left of it and asks; `yum-complete-transaction --cleanup-only` forgets one \
             that is out of date (of the package yum-utils)"
        }
        Database::Dpkg => "dpkg --configure -a, and apt-get -f install",
    }
}

/// How to be rid of what an update that was cut short left installed in several versions.
pub const fn remove_duplicates(database: Database) -> &'static str {
    match database {
        Database::Rpm => {
            "`package-cleanup --dupes` lists them, `package-cleanup --cleandupes` takes the older ones out (of the package \
             yum-utils)"
        }
        Database::Dpkg => "apt-get -f install",
    }
}
