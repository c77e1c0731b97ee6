//! What the tests of changes need: a profile and an observer that keeps what it is told.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Observer;
use crate::profile;

/// A profile of which a test sets what it needs.
pub fn profile() -> profile::Profile {
    profile::Profile {
        name: "test".into(),
        description: String::new(),
        os: profile::Os {
            release: "CentOS release 6.6 (Final)".into(),
            architecture: "x86_64".into(),
            timezone: None,
        },
        sizing: profile::Sizing { memory_bytes: 6 << 30, cpus: 4, os_disk_bytes: 100 << 30 },
        layout: profile::Layout { partitions: Vec::new(), swap: true, root_on_lvm: false },
        network: profile::Network { static_address: true },
        hypervisor: profile::Hypervisor { max_disks: 60 },
        packages: profile::Packages {
            base: Vec::new(),
            multipath: Vec::new(),
            lock_timeout: Duration::from_secs(5),
            deadline: Duration::from_secs(60),
        },
        sources: profile::Sources { reiserfs: false, xfs: false },
        files: profile::Files {
            directory: "/usr/local".into(),
            from: None,
            ca_file: None,
            deadline: Duration::from_secs(60),
            accept_unverified: false,
            reiserfs: Vec::new(),
            xfs: Vec::new(),
        },
        custom_changes: profile::CustomChanges {
            archive: None,
            sha256: None,
            script: "ApplyCustomChanges.sh".into(),
            marker: "/etc/.appliedmtcustomchanges".into(),
            log: "/var/log/appliedmtcustomchanges.log".into(),
            work_directory: "/var/lib/mt-agent/work".into(),
            deadline: Duration::from_secs(30),
        },
        retention: profile::Retention {
            disk: None,
            mount_point: "/mnt/retention".into(),
            fs_type: "ext4".into(),
            capacity_bytes: 1_000_000_000_000,
        },
        site: profile::Site::default(),
        waivers: Vec::new(),
        origins: BTreeMap::new(),
    }
}

/// Everything an observer was told.
#[derive(Default)]
pub struct Seen {
    /// Progress lines.
    pub progress: Vec<String>,
    /// Log lines.
    pub log: Vec<String>,
}

impl Observer for Seen {
    fn progress(&mut self, line: &str) {
        self.progress.push(line.to_owned());
    }

    fn transfer(&mut self, _what: &str, _done: u64, _total: Option<u64>) {}

    fn log(&mut self, line: &str) {
        self.log.push(line.to_owned());
    }
}
