//! What the texts of requirements say of a system, by its family: what a person does by hand, and what to look at. A text names
//! each by its key in braces.

use super::words::install_tools;
use crate::facts::family::Family;

/// The parts of texts that differ by family, each as a part of a sentence or as whole sentences. None has braces.
#[derive(Clone, Copy, Debug)]
pub struct Texts {
    /// How to set the hostname.
    pub hostname: &'static str,
    /// Where the hostname is seen.
    pub hostname_seen: &'static str,
    /// How to set the time zone.
    pub timezone: &'static str,
    /// Where the time zone is seen.
    pub timezone_seen: &'static str,
    /// How to have a time service.
    pub clock: &'static str,
    /// Where a time service is seen.
    pub clock_seen: &'static str,
    /// How to give an interface a static address.
    pub interface: &'static str,
    /// Where the interfaces are seen.
    pub interface_seen: &'static str,
    /// How to name a resolver.
    pub resolver: &'static str,
    /// The start of a command that installs packages.
    pub install: &'static str,
    /// The start of a command that shows whether a package is installed.
    pub query: &'static str,
    /// What else there is to know of the repositories.
    pub repositories: &'static str,
    /// How multipathd is started, now and at every boot, and made to read its file.
    pub multipathd: &'static str,
    /// How multipathd is made to read its file.
    pub multipathd_reload: &'static str,
    /// The command that shows whether multipathd runs.
    pub multipathd_seen: &'static str,
    /// The file of the boot loader's entries.
    pub boot_entries: &'static str,
    /// How to install the guest tools.
    pub tools: &'static str,
    /// How the initramfs gets the drivers of LSI Logic controllers.
    pub lsi_drivers: &'static str,
    pub reiserfs: &'static str,
    /// How the programs of XFS come.
    pub xfs: &'static str,
    /// How the boot loader is installed on a disk.
    pub boot_loader: &'static str,
}

const RED_HAT: Texts = Texts {
    hostname: "Set the name for now with `hostname NAME`, and for every boot as HOSTNAME=NAME in \
               /etc/sysconfig/network (under systemd in /etc/hostname).",
    hostname_seen: "`hostname`, and HOSTNAME in /etc/sysconfig/network",
    timezone: "Write ZONE=\"Area/City\" to /etc/sysconfig/clock and copy /usr/share/zoneinfo/Area/City to \
               /etc/localtime.",
    timezone_seen: "`date +%Z`, and ZONE in /etc/sysconfig/clock",
    clock: "Install ntp, then `service ntpd start` and `chkconfig ntpd on`",
    clock_seen: "`service ntpd status` and `ntpq -p`, or `chronyc tracking`",
    interface: "In /etc/sysconfig/network-scripts/ifcfg-NAME: ONBOOT=yes, BOOTPROTO=none, IPADDR, PREFIX, GATEWAY; \
                in /etc/sysconfig/network: NETWORKING=yes.",
    interface_seen: "`ip addr`, and ONBOOT and BOOTPROTO in /etc/sysconfig/network-scripts/ifcfg-*",
    resolver: "Add \"nameserver ADDRESS\" to /etc/resolv.conf, and DNS1=ADDRESS to ifcfg-NAME, which writes it at \
               boot.",
    install: "yum install -y",
    query: "rpm -q",
    repositories: "yum ends with status 0 even when it found only some of them. CentOS 6 mirrors are empty since its end \
                   of life: point /etc/yum.repos.d at vault.centos.org/6.6 or at a copy of your own.",
    multipathd: "chkconfig multipathd on; service multipathd start (where systemd starts the machine: systemctl enable \
                 multipathd; systemctl start multipathd), after a change of its file service multipathd reload (systemctl \
                 reload multipathd)",
    multipathd_reload: "service multipathd reload",
    multipathd_seen: "`service multipathd status`",
    boot_entries: "/boot/grub/grub.conf",
    tools: install_tools(Family::RedHat),
    lsi_drivers: "`dracut --force --add-drivers \"mptspi mptsas mptscsih\"`",
    reiserfs: "Fetch kmod-reiserfs and reiserfs-utils for el6 from the ELRepo archive into /usr/local and \
               install them with rpm -ivh.",
    xfs: "Install xfsprogs (yum, or the file from vault.centos.org/6.6 with rpm -ivh) and \
          device-mapper-multipath.",
    boot_loader: "`grub-install /dev/DISK` for the disk that carries / (grub2-install on later releases)",
};

const DEBIAN: Texts = Texts {
    hostname: "Set the name for now with `hostname NAME`, and for every boot in /etc/hostname.",
    hostname_seen: "`hostname`, and /etc/hostname",
    timezone: "Write Area/City to /etc/timezone and let /etc/localtime be a link to /usr/share/zoneinfo/Area/City.",
    timezone_seen: "`date +%Z`, `ls -l /etc/localtime`, and /etc/timezone",
    clock: "Install chrony, then `systemctl enable --now chrony`",
    clock_seen: "`chronyc tracking`, or `timedatectl`",
    interface: "In the interface's file in /etc/netplan, or in /etc/network/interfaces: its static address, with the length \
                of its prefix, and the gateway; it starts at boot.",
    interface_seen: "`ip addr`, and the files in /etc/netplan and /etc/network/interfaces",
    resolver: "Name the server under the interface in its file in /etc/netplan, or add \"nameserver ADDRESS\" to \
               /etc/resolv.conf.",
    install: "apt-get install -y",
    query: "dpkg -s",
    repositories: "The names of packages may be others there.",
    multipathd: "systemctl enable multipathd; systemctl start multipathd, after a change of its file systemctl reload \
                 multipathd",
    multipathd_reload: "systemctl reload multipathd",
    multipathd_seen: "`systemctl status multipathd`",
    boot_entries: "/boot/grub/grub.cfg",
    tools: install_tools(Family::Debian),
    lsi_drivers: "add mptspi, mptsas and mptscsih to /etc/initramfs-tools/modules, then `update-initramfs -u`",
    reiserfs: "Install reiserfsprogs; the kernel's packages have the module.",
    xfs: "Install xfsprogs and multipath-tools.",
    boot_loader: "`grub-install /dev/DISK` for the disk that carries /",
};

/// The texts of `family`.
pub const fn texts(family: Family) -> &'static Texts {
    match family {
        Family::RedHat => &RED_HAT,
        Family::Debian => &DEBIAN,
    }
}
