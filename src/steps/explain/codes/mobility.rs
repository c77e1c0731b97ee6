//! Codes of the protected machines' side: the Mobility service is installed on them from the configuration server. From
//! "Troubleshoot Mobility Service push installation issues" (azure-docs, vmware-azure-troubleshoot-push-install.md, 2019).

use super::code::Code;

/// What all codes of this side have alike.
const PROTECTED: Code = Code {
    code: 0,
    title: "",
    causes: &[],
    fixes: &[],
    section: "Troubleshoot Mobility Service push installation issues",
    requirements: &[],
    not_seen: "The protected machine: this agent looks at the master target only.",
};

const CREDENTIALS: &str = "Correct the account in the configuration server's accounts for the installation of the Mobility service, then \
                           enable replication again.";
const SSH: &str = "Linux: in /etc/ssh/sshd_config let `PasswordAuthentication yes` and a line `Subsystem sftp ...` be in effect, and \
                   restart sshd.";
const UPDATE: &str = "Update the configuration server and the Mobility service: from version 9.20 on this layout is supported.";

pub(super) const CODES: &[Code] = &[
    Code {
        code: 95265,
        title: "The Mobility service is installed; a restart of the protected machine is recommended",
        causes: RESTART,
        fixes: RESTART_LATER,
        ..PROTECTED
    },
    Code {
        code: 95266,
        title: "The Mobility service is updated; a restart of the protected machine is recommended",
        causes: RESTART,
        fixes: RESTART_LATER,
        ..PROTECTED
    },
    Code {
        code: 95320,
        title: "GRUB names a device of the protected machine where Site Recovery wants a UUID",
        causes: &[
            "`root=` or `resume=` is a device name, as /dev/sda2, in /boot/grub/menu.lst, /boot/grub/grub.cfg, \
             /boot/grub2/grub.cfg or /etc/default/grub. After a failover the same disk can have another name.",
        ],
        fixes: &[
            "`blkid /dev/sda2` shows the UUID; write root=UUID=... and resume=UUID=... in its place.",
            "Where grub.cfg is generated, change /etc/default/grub and make it anew (grub2-mkconfig, update-grub).",
            "Restart the machine to see that it still boots, then enable replication again.",
        ],
        ..PROTECTED
    },
    Code {
        code: 95309,
        title: "Boot and system volumes of the protected machine lie on different disks",
        causes: &["The Mobility service is older than 9.20, which supports /boot on another disk than /."],
        fixes: &[UPDATE],
        ..PROTECTED
    },
    Code {
        code: 95310,
        title: "The protected machine has no boot disk",
        causes: &["No disk of the machine holds the boot volume: it could not start after a failover."],
        fixes: &["Attach the boot disk, or leave it in the replication, and enable replication again."],
        ..PROTECTED
    },
    Code {
        code: 95311,
        title: "The protected machine has more than one boot disk",
        causes: &["Several disks can be booted from, which is not supported."],
        fixes: &[
            "Keep one boot disk: remove the boot flag or the boot loader from the others, or detach them.",
        ],
        ..PROTECTED
    },
    Code {
        code: 95313,
        title: "The system volume of the protected machine spans several disks",
        causes: &["The Mobility service is older than 9.20, which supports / on more than one disk."],
        fixes: &[UPDATE],
        ..PROTECTED
    },
    Code {
        code: 95117,
        title: "The protected machine cannot be reached for the installation",
        causes: UNREACHABLE,
        fixes: REACH,
        ..PROTECTED
    },
    Code {
        code: 97118,
        title: "The protected machine cannot be reached for the installation",
        causes: UNREACHABLE,
        fixes: REACH,
        ..PROTECTED
    },
    Code {
        code: 95523,
        title: "The network of the protected machine was not found",
        causes: &["The network that the machine is attached to was deleted, renamed or is not available."],
        fixes: &["Attach the machine to a network that exists, and try again."],
        ..PROTECTED
    },
    Code {
        code: 95107,
        title: "The account for the installation is not accepted (Windows)",
        causes: &[
            "Name or password is wrong.",
            "The account is no administrator of the machine.",
            "It is a local account, and remote user access control takes its rights away.",
        ],
        fixes: &[
            CREDENTIALS,
            "For a local account, switch remote user access control off: below \
             HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System, give the value 1 to the DWORD \
             LocalAccountTokenFilterPolicy.",
        ],
        ..PROTECTED
    },
    Code {
        code: 95108,
        title: "The account for the installation is not accepted (Linux)",
        causes: &[
            "Name or password is wrong.",
            "The account is not root.",
            "sshd accepts no passwords, or has no SFTP subsystem.",
        ],
        fixes: &[CREDENTIALS, SSH],
        ..PROTECTED
    },
    Code {
        code: 95517,
        title: "The account for the installation has too few rights",
        causes: &[
            "The account is no administrator (Windows) or not root (Linux): copying the installer was refused.",
        ],
        fixes: &[CREDENTIALS],
        ..PROTECTED
    },
    Code {
        code: 95518,
        title: "The account for the installation failed: no trust between the machine and its domain",
        causes: &["The trust relationship between the machine and the primary domain is broken."],
        fixes: &[
            "Mend the machine's trust in its domain, or choose an account that can sign in without it.",
            CREDENTIALS,
        ],
        ..PROTECTED
    },
    Code {
        code: 95519,
        title: "Login failed: the account is disabled",
        causes: &["The account that was chosen for the installation is disabled."],
        fixes: &["Enable it (Windows: net user NAME /active:yes), or choose another.", CREDENTIALS],
        ..PROTECTED
    },
    Code {
        code: 95520,
        title: "Login failed: the account is locked after too many attempts",
        causes: &["A wrong name or password was tried again and again."],
        fixes: &[CREDENTIALS, "Unlock the account, or wait until it is unlocked, then try again."],
        ..PROTECTED
    },
    Code {
        code: 95521,
        title: "Login failed: no logon server is available",
        causes: &["The machine reaches no domain controller."],
        fixes: &["See that the machine reaches a domain controller (DNS, network), then try again."],
        ..PROTECTED
    },
    Code {
        code: 95522,
        title: "Login failed: the logon service does not run",
        causes: &["The Net Logon service of the machine is stopped."],
        fixes: &["Start it (net start netlogon), then try again."],
        ..PROTECTED
    },
    Code {
        code: 95524,
        title: "Too little free space on the protected machine",
        causes: &["Less than 100 MB are free where the installer is copied to."],
        fixes: &["Free 100 MB or more, then try again."],
        ..PROTECTED
    },
];

const RESTART: &[&str] = &[
    "A new filter driver is on the disk; the kernel takes it at the next start. This is a warning: replication goes on \
     with the driver that is loaded.",
];
const RESTART_LATER: &[&str] = &[
    "Restart the machine in its next maintenance window. The release notes say when a restart is required.",
];

const UNREACHABLE: &[&str] = &[
    "No way from the configuration server, or from the process server that was chosen, to the machine: a firewall, a route, \
     a name that resolves wrongly.",
    "Linux: sshd does not run on port 22, accepts no passwords, or has no SFTP subsystem.",
];
const REACH: &[&str] = &[
    "From that server try the machine by its name and address (Windows: TCP port 135; Linux: port 22).",
    "Linux: install openssh-server, openssh and openssl of the newest version.",
    SSH,
];
