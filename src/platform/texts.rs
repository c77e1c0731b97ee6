//! What the texts of requirements say of a system, by its family: what a person does by hand, and what to look at. A text names
//! each by its key in braces.

use crate::facts::family::Family;

/// The parts of texts that differ by family, each as a part of a sentence or as whole sentences, without braces: what a person
/// does by hand, and, as `..._seen`, where that is seen.
#[derive(Clone, Copy, Debug)]
pub struct Texts {
    pub hostname: &'static str,
    pub hostname_seen: &'static str,
    pub timezone: &'static str,
    pub timezone_seen: &'static str,
    pub clock: &'static str,
    pub clock_seen: &'static str,
    pub interface: &'static str,
    pub interface_seen: &'static str,
    pub resolver: &'static str,
    /// The start of a command that installs packages.
    pub install: &'static str,
    /// The start of a command that shows whether a package is installed.
    pub query: &'static str,
    pub repositories: &'static str,
    /// How multipathd is started, now and at every boot, and made to read its file.
    pub multipathd: &'static str,
    pub multipathd_reload: &'static str,
    pub multipathd_seen: &'static str,
    pub boot_entries: &'static str,
    pub tools: &'static str,
    /// How the initramfs gets the drivers of LSI Logic controllers.
    pub lsi_drivers: &'static str,
    pub reiserfs: &'static str,
    pub xfs: &'static str,
    pub boot_loader: &'static str,
    pub choose_hostname: &'static str,
    /// How to have a time service, now.
    pub time_service: &'static str,
    /// How to name a resolver where there is none.
    pub name_resolver: &'static str,
    pub start_tools: &'static str,
    pub write_boot_entries: &'static str,
    pub enable_service: &'static str,
    pub clean_packages: &'static str,
    /// That the agent does not change such systems yet, where that is so.
    pub not_supported: Option<&'static str>,
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
    tools: "in vSphere: Guest OS > Install VMware Tools, then in the guest `mount /dev/cdrom /mnt`, unpack \
             VMwareTools-*.tar.gz, run ./vmware-install.pl -d; or `yum install open-vm-tools` where a repository has it (EPEL); \
             then restart",
    lsi_drivers: "`dracut --force --add-drivers \"mptspi mptsas mptscsih\"`",
    reiserfs: "Fetch kmod-reiserfs and reiserfs-utils for el6 from the ELRepo archive into /usr/local and \
               install them with rpm -ivh.",
    xfs: "Install xfsprogs (yum, or the file from vault.centos.org/6.6 with rpm -ivh) and \
          device-mapper-multipath.",
    boot_loader: "`grub-install /dev/DISK` for the disk that carries / (grub2-install on later releases)",
    choose_hostname: "choose a name that no other machine of the site has; `hostname NAME`, and HOSTNAME=NAME in \
             /etc/sysconfig/network",
    time_service: "`yum install ntp`, `service ntpd start`, `chkconfig ntpd on`; or \
             `vmware-toolbox-cmd timesync enable`",
    name_resolver: "add \"nameserver ADDRESS\" to /etc/resolv.conf, and DNS1=ADDRESS to the interface's ifcfg file",
    start_tools: "`service vmtoolsd start` and `chkconfig vmtoolsd on` (open-vm-tools), or \
             `/etc/vmware-tools/services.sh start` (VMware Tools); look into /var/log/messages if it ends again",
    write_boot_entries: "write /boot/grub/grub.conf (reinstalling the kernel package makes an entry), then `grub-install`",
    enable_service: "`chkconfig NAME on` (where systemd starts the machine: systemctl enable NAME)",
    clean_packages: "yum clean all",
    not_supported: None,
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
    tools: "`apt-get install open-vm-tools`, then restart",
    lsi_drivers: "add mptspi, mptsas and mptscsih to /etc/initramfs-tools/modules, then `update-initramfs -u`",
    reiserfs: "Install reiserfsprogs; the kernel's packages have the module.",
    xfs: "Install xfsprogs and multipath-tools.",
    boot_loader: "`grub-install /dev/DISK` for the disk that carries /",
    choose_hostname: "choose a name that no other machine of the site has; `hostname NAME`, and NAME in /etc/hostname",
    time_service: "`apt-get install chrony`, `systemctl enable --now chrony`; or `vmware-toolbox-cmd timesync enable`",
    name_resolver: "with netplan, `nameservers: {addresses: [ADDRESS]}` under the interface and `netplan apply`; else add \"nameserver \
             ADDRESS\" to /etc/resolv.conf",
    start_tools: "`systemctl enable --now open-vm-tools`, or `/etc/vmware-tools/services.sh start` (VMware Tools); look into \
             `journalctl -u open-vm-tools` if it ends again",
    write_boot_entries: "`update-grub`, which writes /boot/grub/grub.cfg, then `grub-install`",
    enable_service: "`systemctl enable NAME`",
    clean_packages: "apt-get clean",
    not_supported: Some(
        "mt-agent apply does not support Debian systems yet, only those of the Red Hat family",
    ),
};

pub const fn texts(family: Family) -> &'static Texts {
    match family {
        Family::RedHat => &RED_HAT,
        Family::Debian => &DEBIAN,
    }
}
