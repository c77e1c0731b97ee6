//! What sealing does at each place of an image, as data: `seal --list`, the report, mt-agent-seal(8) and the steps themselves
//! are made from this list.
//!
//! It was held against the operations of virt-sysprep (guestfs-tools, as of 2025) and `cloud-init clean`, one by one: each that
//! has something to do on release 6 is a row here, removed, kept or left.
//!
//! It is longer than other files, as every place is a row of the one list.

use super::code;
use crate::platform::template::RED_HAT;
use crate::state::paths::LEFT;

pub use super::act::{Act, Row};

const fn row(step: &'static str, act: Act, places: &'static [&'static str]) -> Row {
    Row { step, act, places, why: "", only_tree: false }
}

const fn kept(act: Act, places: &'static [&'static str], why: &'static str) -> Row {
    Row { step: "kept", act, places, why, only_tree: false }
}

const fn left(act: Act, places: &'static [&'static str], why: &'static str) -> Row {
    Row { step: "left", act, places, why, only_tree: false }
}

const AUTHORIZED: &[&str] = &["~/.ssh/authorized_keys", "~/.ssh/authorized_keys2"];

/// The step that is done on demand alone.
pub const AUTHORIZED_KEYS: &str = "authorized-keys";

/// The steps that make the image nobody's, in order, with what each does. The ones before and after them (the template's
/// identity is recorded, hooks are run, free space is filled, the first boot is armed) are `run::seal`'s.
pub const STEPS: &[(&str, &str)] = &[
    ("udev-net", "forget which network card has which name"),
    (
        "interfaces",
        "take hardware addresses, UUID, names and DHCP identifiers out of the interfaces' files; ONBOOT and addresses stay",
    ),
    ("hostname", "take this machine's name out of its files"),
    ("ssh-host-keys", "remove the host keys of sshd"),
    (
        "dhcp-client",
        "take client identifiers and names out of dhclient's configuration, where they are constants",
    ),
    ("dhcp-leases", "remove leases of addresses"),
    ("random-seed", "remove saved seeds of random numbers"),
    ("yum-uuid", "remove the UUID by which yum is counted"),
    ("machine-id", "clear the machine id of D-Bus and systemd"),
    ("blkid-cache", "remove what blkid remembers of disks"),
    ("multipath-state", "remove what multipath remembers of disks"),
    (
        "root-disk-id",
        "take this root disk's SCSI ID out of the multipath blacklist and of the vendor's files",
    ),
    ("passphrases", "remove passphrase files of the site, wherever they lie"),
    ("private-keys", "remove the private SSH keys of root and users"),
    (AUTHORIZED_KEYS, "remove authorized_keys (only with --remove-authorized-keys)"),
    (
        "registrations",
        "remove what registers the machine: Kerberos, iSCSI, Red Hat, IPA, SSSD, Samba, Puppet and the like",
    ),
    ("cloud-init", "let cloud-init begin anew"),
    ("account-backups", "remove backup copies of passwd and shadow"),
    (
        "histories",
        "remove histories of shells, editors and clients, X cookies, and what gdm, sudo and locate remember",
    ),
    ("installer", "remove what the installer wrote down, password hashes included"),
    ("mail", "remove mail and queued mail"),
    ("jobs", "remove jobs that wait: at, printing"),
    ("crash-data", "remove crash dumps"),
    ("package-cache", "remove downloaded packages"),
    ("temporary-files", "remove temporary files (of a tree)"),
    ("logs", "remove rotated logs and empty the others, with the records of logins"),
    ("retention-fstab", "take the retention volume of another disk out of fstab"),
    ("agent-state", "remove the agent's records of this machine"),
];

/// The list, in the order of the steps.
pub static TABLE: &[Row] = &[
    row("udev-net", Act::Remove, &["/etc/udev/rules.d/70-persistent-net.rules"]),
    row("interfaces", Act::Keys(RED_HAT.keys), RED_HAT.interfaces),
    // HOSTNAME has to be there: the next step names it.
    row("interfaces", Act::Keys(RED_HAT.global_keys), RED_HAT.global),
    row("hostname", Act::Code(code::hostname), RED_HAT.named),
    row("ssh-host-keys", Act::Remove, &["/etc/ssh/ssh_host_*"]),
    row(
        "dhcp-client",
        Act::Options(&["dhcp-client-identifier", "dhcp6.client-id", "host-name", "fqdn.fqdn"]),
        &["/etc/dhcp/dhclient*.conf", "/etc/dhclient*.conf"],
    ),
    row(
        "dhcp-leases",
        Act::Remove,
        &[
            "/var/lib/dhclient/*",
            "/var/lib/dhcp/*",
            "/var/lib/dhcpd/*",
            "/var/lib/dhcpv6/*",
            "/var/lib/NetworkManager/*.lease",
            "/var/lib/NetworkManager/secret_key",
        ],
    ),
    row("random-seed", Act::Remove, &["/var/lib/random-seed", "/var/lib/systemd/random-seed", "~/.rnd"]),
    row("yum-uuid", Act::Remove, &["/var/lib/yum/uuid"]),
    row("machine-id", Act::Code(code::machine_id), &["/var/lib/dbus/machine-id", "/etc/machine-id"]),
    row(
        "blkid-cache",
        Act::Remove,
        &["/etc/blkid.tab", "/etc/blkid.tab.old", "/etc/blkid/blkid.tab", "/etc/blkid/blkid.tab.old"],
    ),
    row(
        "multipath-state",
        Act::Remove,
        &["/etc/multipath/bindings", "/etc/multipath/wwids", "/var/lib/multipath/bindings"],
    ),
    row(
        "root-disk-id",
        Act::Code(code::root_disk_id),
        &["/etc/multipath.conf", "/usr/sbin/blacklistrootdev.sh"],
    ),
    row("passphrases", Act::Code(code::passphrases), &["passphrase.txt", "connection.passphrase"]),
    row("private-keys", Act::PrivateKeys, &["~/.ssh"]),
    row(AUTHORIZED_KEYS, Act::Remove, AUTHORIZED),
    row(
        "registrations",
        Act::Remove,
        &[
            "/etc/krb5.keytab",
            "/etc/sysconfig/rhn/systemid*",
            "/etc/sysconfig/rhn/osad-auth.conf",
            "/etc/sysconfig/rhn/up2date-uuid",
            "/etc/hostid",
            "/etc/sysconfig/hw-uuid",
            "/etc/smolt/uuid",
            "/etc/smolt/hw-uuid",
            "/etc/pki/consumer/*",
            "/etc/pki/entitlement/*",
            "/etc/ipa/default.conf",
            "/var/lib/ipa-client/sysrestore/*",
            "/var/lib/ipa-client/pki/*",
            "/var/lib/samba/private/secrets.tdb",
            "/var/lib/samba/secrets.tdb",
            "/var/lib/samba/private/MACHINE.SID",
            "/etc/samba/secrets.tdb",
            "/etc/samba/MACHINE.SID",
            "/var/lib/samba/winbindd_cache.tdb",
            "/var/lib/samba/netsamlogon_cache.tdb",
            "/var/cache/samba/netsamlogon_cache.tdb",
            "/var/lib/nfs/sm/*",
            "/var/lib/nfs/sm.bak/*",
            "/etc/salt/minion_id",
            "/etc/salt/pki/minion/minion.p*",
            "/etc/chef/client.pem",
        ],
    ),
    row(
        "registrations",
        Act::Clear,
        &[
            "/var/lib/rhsm",
            "/var/lib/sss/db",
            "/var/lib/sss/mc",
            "/var/lib/puppet/ssl",
            "/var/lib/puppet/client_data",
            "/var/lib/puppet/client_yaml",
            "/var/lib/puppet/reports",
            "/var/lib/puppet/state",
            "/etc/puppet/ssl",
            "/etc/puppetlabs/puppet/ssl",
        ],
    ),
    Row {
        why: "iscsid of release 6 makes none by itself: iscsi-iname prints one",
        ..row("registrations", Act::Remove, &["/etc/iscsi/initiatorname.iscsi"])
    },
    row("cloud-init", Act::Remove, &["/var/lib/cloud/instance"]),
    row(
        "cloud-init",
        Act::Clear,
        &["/var/lib/cloud/instances", "/var/lib/cloud/data", "/var/lib/cloud/sem", "/var/lib/cloud/handlers"],
    ),
    row(
        "account-backups",
        Act::Remove,
        &["/etc/passwd-", "/etc/shadow-", "/etc/group-", "/etc/gshadow-", "/etc/subuid-", "/etc/subgid-"],
    ),
    row(
        "histories",
        Act::Remove,
        &[
            "~/.bash_history",
            "~/.sh_history",
            "~/.ksh_history",
            "~/.zsh_history",
            "~/.zhistory",
            "~/.ash_history",
            "~/.history",
            "~/.local/share/fish/fish_history",
            "~/.config/fish/fish_history",
            "~/.lesshst",
            "~/.viminfo",
            "~/.vim/.netrwhist",
            "~/.mysql_history",
            "~/.psql_history",
            "~/.sqlite_history",
            "~/.rediscli_history",
            "~/.dbshell",
            "~/.python_history",
            "~/.node_repl_history",
            "~/.irb_history",
            "~/.php_history",
            "~/.gdb_history",
            "~/.nano_history",
            "~/.lftp/rl_history",
            "~/.wget-hsts",
            "~/.recently-used",
            "~/.recently-used.xbel",
            "~/.local/share/recently-used.xbel",
            "~/.Xauthority",
            "~/.ICEauthority",
            "/var/lib/mlocate/mlocate.db",
        ],
    ),
    row("histories", Act::Clear, &["/var/cache/gdm", "/var/db/sudo"]),
    row(
        "installer",
        Act::Remove,
        &[
            "/root/anaconda-ks.cfg",
            "/root/original-ks.cfg",
            "/root/initial-setup-ks.cfg",
            "/root/install.log",
            "/root/install.log.syslog",
            "/root/install-tools.log",
            "/var/log/anaconda.*",
            "/var/log/anaconda/*",
        ],
    ),
    row("mail", Act::Empty, &["/var/spool/mail/*"]),
    row(
        "mail",
        Act::Clear,
        &[
            "/var/spool/postfix/active",
            "/var/spool/postfix/bounce",
            "/var/spool/postfix/corrupt",
            "/var/spool/postfix/defer",
            "/var/spool/postfix/deferred",
            "/var/spool/postfix/hold",
            "/var/spool/postfix/incoming",
            "/var/spool/postfix/maildrop",
            "/var/spool/mqueue",
            "/var/spool/clientmqueue",
            "/var/spool/exim/input",
            "/var/spool/exim/msglog",
        ],
    ),
    // Their names begin so: a or b, the queue, and = while one runs. The counter (.SEQ) stays.
    row(
        "jobs",
        Act::Remove,
        &["/var/spool/at/a*", "/var/spool/at/b*", "/var/spool/at/=*", "/var/spool/at/spool/*"],
    ),
    row("jobs", Act::Clear, &["/var/spool/cups"]),
    row(
        "crash-data",
        Act::Clear,
        &[
            "/var/crash",
            "/var/log/dump",
            "/var/spool/abrt",
            "/var/spool/abrt-upload",
            "/var/tmp/abrt",
            "/var/cache/abrt-di",
        ],
    ),
    row("package-cache", Act::Discard, &["/var/cache/yum", "/var/cache/dnf"]),
    Row {
        only_tree: true,
        why: "programs of a running template use what lies there: seal its image when it is off, or remove it by hand",
        ..row("temporary-files", Act::Clear, &["/tmp", "/var/tmp"])
    },
    row("logs", Act::Remove, &["/var/log/sa/*", "/var/lib/setroubleshoot/setroubleshoot_database.xml"]),
    row("logs", Act::Logs, &["/var/log"]),
    row("logs", Act::Empty, &["/var/account/pacct", "/var/named/data/named.run"]),
    Row {
        only_tree: true,
        why: "of a running template init needs it, and every boot empties it",
        ..row("logs", Act::Empty, &["/var/run/utmp"])
    },
    row("retention-fstab", Act::Code(code::retention_line), &["/etc/fstab"]),
    row("agent-state", Act::Code(code::agent_state), &LEFT),
    kept(Act::Keep, AUTHORIZED, "who may log in to each clone; --remove-authorized-keys removes them"),
    kept(Act::Keep, &["~/.ssh/known_hosts"], "which servers the image trusts: nothing of the machine"),
    kept(Act::Keep, &["/var/spool/cron/*"], "crontabs are configuration, for each clone too"),
    kept(Act::Keep, &["/var/lib/cloud/seed/*"], "what cloud-init is to find at a first boot"),
    kept(Act::Keep, &["/var/lib/samba/private/passdb.tdb"], "accounts, as in /etc/shadow"),
    kept(
        Act::KeepAlways,
        &["/etc/passwd", "/etc/shadow"],
        "accounts with their passwords, to be changed on each clone",
    ),
    kept(
        Act::KeepAlways,
        &["/etc/fstab", "/boot"],
        "UUIDs of file systems, swap and LVM, by which the image boots",
    ),
    kept(Act::KeepAlways, &["/boot/initrd-*kdump.img"], "kdump makes it anew when /etc/kdump.conf changes"),
    kept(Act::KeepAlways, &["/etc/sysconfig/iptables"], "the firewall is configuration"),
    kept(
        Act::KeepAlways,
        &["/etc/pki/CA/certs", "/etc/pki/tls/certs", "/etc/ipa/ca.crt"],
        "whom the image trusts",
    ),
    kept(Act::KeepAlways, &["/var/lib/rpm/__db.*"], "rpm makes them anew by itself: nothing of the machine"),
    kept(
        Act::KeepAlways,
        &["/var/lib/dovecot", "/var/run"],
        "working files that are made anew: nothing of the machine",
    ),
    kept(
        Act::KeepAlways,
        &["/var/log/appliedmtcustomchanges.log"],
        "that the vendor's script ran in this image",
    ),
    left(
        Act::LeavePrivateKeys,
        &["/etc"],
        "a private key, and every clone would have it: remove it, or make another one on each clone",
    ),
    left(
        Act::Leave,
        &[
            "~/.gnupg",
            "~/.netrc",
            "~/.pgpass",
            "~/.my.cnf",
            "~/.git-credentials",
            "~/.aws",
            "~/.docker/config.json",
            "~/.subversion/auth",
            "~/.vnc/passwd",
            "~/.smbcredentials",
        ],
        "keys and passwords of a user",
    ),
    left(Act::Leave, &["/etc/lvm/archive/*", "/etc/lvm/backup/*"], "names this host and its volume groups"),
    left(Act::Leave, &["/etc/NetworkManager/system-connections/*"], "a connection with its UUID and secrets"),
    left(
        Act::Leave,
        &["/var/lib/iscsi/nodes/*"],
        "an iSCSI target: each clone first needs a name of its own (iscsi-iname)",
    ),
    left(Act::Leave, &["/var/kerberos/krb5kdc/principal*"], "the accounts of a Kerberos realm"),
    left(Act::Leave, &["/var/lib/net-snmp/snmpd.conf"], "the SNMP engine id and users"),
    left(
        Act::Leave,
        &[
            "/etc/chrony.keys",
            "/etc/rndc.key",
            "/etc/ipsec.secrets",
            "/etc/racoon/psk.txt",
            "/etc/ppp/*-secrets",
        ],
        "a secret, and every clone would have it",
    ),
    left(Act::Leave, &["/var/lib/fprint/*"], "fingerprints of a user"),
    left(Act::Leave, &["/etc/sysconfig/network-scripts/keys-*"], "secrets of a connection"),
    left(
        Act::Leave,
        &[
            "/etc/*~",
            "/etc/*.bak",
            "/etc/*.rpmsave",
            "/etc/sysconfig/*~",
            "/etc/sysconfig/*.bak",
            "/etc/sysconfig/*.rpmsave",
        ],
        "a copy that may hold what was taken out of the file itself",
    ),
    left(
        Act::LeaveAlways,
        &["swap"],
        "what memory held: make it anew with its UUID (mkswap -U) in an image that is off",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_a_step_s_or_says_why_it_stays_and_every_step_has_a_row() {
        for row in TABLE {
            let stays = row.is_kept() || row.is_left();
            let is_step_s = STEPS.iter().any(|(id, _)| *id == row.step);
            assert_ne!(stays, is_step_s, "{}", row.summary());
            assert!(!stays || !row.why.is_empty(), "{}", row.summary());
            assert!(!row.places.is_empty(), "{}", row.step);
        }
        for (id, _) in STEPS {
            assert!(TABLE.iter().any(|row| row.step == *id), "{id}");
        }
    }

    #[test]
    fn nothing_is_removed_that_a_boot_needs_or_that_is_kept() {
        let kept: Vec<&str> =
            TABLE.iter().filter(|row| row.is_kept()).flat_map(|row| row.places).copied().collect();
        for row in TABLE.iter().filter(|row| matches!(row.act, Act::Remove | Act::Clear | Act::Discard)) {
            for place in
                row.places.iter().filter(|place| row.step != AUTHORIZED_KEYS || !kept.contains(place))
            {
                assert!(!kept.contains(place), "{place} is removed and kept");
                let depth = place.trim_start_matches(['~', '/']).split('/').count();
                let is_whole = ["/tmp"].contains(place) || depth > 1 || place.starts_with('~');
                assert!(is_whole, "{place} is a directory of the system");
                for needed in ["/boot", "/lib", "/bin", "/sbin", "/usr", "/dev", "/mnt", "/home"] {
                    assert!(!place.starts_with(needed), "{place}");
                }
            }
        }
    }
}
