//! Sealing: what is taken out of a template so that its clones are machines of their own. Here it is only found; what is
//! found is done by `run::seal`.

#[cfg(not(feature = "fuzzing"))]
mod edit;
#[cfg(feature = "fuzzing")]
pub mod edit;
mod find;
mod identity;
mod own;
mod refuse;

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use serde::Serialize;

use crate::facts::Facts;
use crate::host::Host;
use crate::profile::Profile;

pub use identity::{template_record, what_stays};
pub use refuse::refusals;

/// What stands for a root disk's SCSI ID in a sealed image: `3` and an identifier of NAA type 0, which no disk has. The
/// first boot of a clone finds it as the ID of another disk, and puts its own there.
pub const NO_DISK: &str = "300000000000000000000000000000000";

/// What a sealed image is called until it is told its name.
pub const NO_NAME: &str = "localhost.localdomain";

/// What is to be sealed.
#[derive(Clone, Debug)]
pub struct Template<'a> {
    /// The running template, or its tree.
    pub host: &'a Host,
    /// What was read from it.
    pub facts: &'a Facts,
    /// What it is to become.
    pub profile: &'a Profile,
    /// The device numbers of its file systems.
    devices: BTreeSet<u64>,
}

/// A thing that a step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Item {
    /// Overwrite and remove.
    Remove {
        /// A path of the template.
        path: String,
    },
    /// Write another content, and overwrite the old one.
    Rewrite {
        /// A path of the template.
        path: String,
        /// What is different in it.
        what: String,
        /// The content.
        #[serde(skip)]
        content: Vec<u8>,
    },
    /// Fill what is free on a file system with zeros.
    FillFreeSpace {
        /// Where it is mounted.
        path: String,
    },
}

impl Item {
    /// The path.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Remove { path } | Self::Rewrite { path, .. } | Self::FillFreeSpace { path } => path,
        }
    }

    /// One line that says what it does.
    #[must_use]
    pub fn summary(&self) -> String {
        match self {
            Self::Remove { path } => format!("remove {path}"),
            Self::Rewrite { path, what, .. } => format!("{path}: {what}"),
            Self::FillFreeSpace { path } => format!("fill what is free on {path} with zeros"),
        }
    }
}

/// A step of sealing.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Stable name, for `--only` and `--skip`.
    pub id: &'static str,
    /// What it does.
    pub title: &'static str,
    /// Finds what there is to do.
    pub find: fn(&Template<'_>) -> Result<Vec<Item>>,
}

/// The steps that make the image nobody's, in order. The ones before and after them (the template's identity is recorded,
/// hooks are run, free space is filled, the first boot is armed) are `run::seal`'s.
pub const STEPS: &[Step] = &[
    Step {
        id: "udev-net",
        title: "forget which network card has which name",
        find: |template| find::files(template, &["/etc/udev/rules.d/70-persistent-net.rules"]),
    },
    Step {
        id: "interfaces",
        title: "take HWADDR, UUID and HOSTNAME out of the interfaces' files; ONBOOT and addresses stay",
        find: find::interfaces,
    },
    Step { id: "hostname", title: "take this machine's name out of its files", find: find::hostname },
    Step { id: "ssh-host-keys", title: "remove the host keys of sshd", find: find::ssh_host_keys },
    Step { id: "dhcp-leases", title: "remove leases of addresses", find: find::leases },
    Step {
        id: "random-seed",
        title: "remove the saved seed of random numbers",
        find: |template| find::files(template, &["/var/lib/random-seed", "/var/lib/systemd/random-seed"]),
    },
    Step {
        id: "yum-uuid",
        title: "remove the UUID by which yum is counted",
        find: |template| find::files(template, &["/var/lib/yum/uuid"]),
    },
    Step { id: "machine-id", title: "clear the machine id of D-Bus and systemd", find: find::machine_id },
    Step {
        id: "blkid-cache",
        title: "remove what blkid remembers of disks",
        find: |template| {
            find::files(
                template,
                &["/etc/blkid.tab", "/etc/blkid.tab.old", "/etc/blkid/blkid.tab", "/etc/blkid/blkid.tab.old"],
            )
        },
    },
    Step {
        id: "multipath-state",
        title: "remove what multipath remembers of disks",
        find: |template| find::files(template, &["/etc/multipath/bindings", "/etc/multipath/wwids"]),
    },
    Step {
        id: "root-disk-id",
        title: "take this root disk's SCSI ID out of the multipath blacklist and of the vendor's files",
        find: find::root_disk_id,
    },
    Step { id: "passphrases", title: "remove passphrase files of the site", find: find::passphrases },
    Step { id: "histories", title: "remove shell histories", find: find::histories },
    Step {
        id: "retention-fstab",
        title: "take the retention volume of another disk out of fstab",
        find: find::retention_line,
    },
    Step { id: "agent-state", title: "remove the agent's records of this machine", find: find::agent_state },
];

/// The ids of the steps around [`STEPS`], with what each does.
pub const AROUND: &[(&str, &str); 3] = &[
    ("hooks", "run the programs in /etc/mt-agent/seal.d, before all else"),
    ("free-space", "fill free space with zeros (only with --wipe-free-space)"),
    ("first-boot", "let the first boot of each clone do the rest"),
];

/// Which steps are done: `--only` and `--skip`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Chosen {
    /// These alone; empty means all.
    pub only: Vec<String>,
    /// Not these.
    pub skip: Vec<String>,
}

impl Chosen {
    /// A choice of steps by id.
    ///
    /// # Errors
    /// A name that no step has; a choice of none.
    pub fn new(only: Vec<String>, skip: Vec<String>) -> Result<Self> {
        for (option, names) in [("--only", &only), ("--skip", &skip)] {
            if let Some(name) = names.iter().find(|name| !ids().contains(&name.as_str())) {
                bail!(
                    "{option}: no step of sealing is called \"{}\"; the steps are {}",
                    crate::host::text::safe(name),
                    ids().join(", ")
                );
            }
        }
        let chosen = Self { only, skip };
        if !ids().iter().any(|id| chosen.has(id)) {
            bail!("--only and --skip leave no step of sealing");
        }
        Ok(chosen)
    }

    /// Whether this is a sealing, and not single steps of one: only that makes a template of a machine.
    #[must_use]
    pub fn is_sealing(&self) -> bool {
        self.only.is_empty()
    }

    /// Whether the step is chosen.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        let named = |names: &[String]| names.iter().any(|name| name == id);
        (self.only.is_empty() || named(&self.only)) && !named(&self.skip)
    }
}

/// Every step's id, in order.
#[must_use]
pub fn ids() -> Vec<&'static str> {
    let mut ids = vec![AROUND[0].0];
    ids.extend(STEPS.iter().map(|step| step.id));
    ids.extend(AROUND[1..].iter().map(|(id, _)| *id));
    ids
}
