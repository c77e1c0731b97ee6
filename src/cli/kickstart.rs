//! `mt-agent kickstart`.

use std::path::PathBuf;

use anyhow::Result;

use super::exit;
use super::session::{Answer, Session};
use crate::profile::{Given, Setting};
use crate::run::kickstart;

/// Prints a kickstart: an unattended installation of CentOS 6 that meets the profile.
///
/// The answers are those of `installation` in the profile; an option counts more.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Name of the host
    #[arg(long, value_name = "NAME")]
    hostname: Option<String>,
    /// Its static address, with the prefix of its network: 10.0.0.5/24
    #[arg(long, value_name = "A/PREFIX")]
    address: Option<String>,
    /// The gateway of its network
    #[arg(long, value_name = "A")]
    gateway: Option<String>,
    /// A name server (repeatable, or comma separated)
    #[arg(long, value_name = "A", value_delimiter = ',')]
    dns: Vec<String>,
    /// The one disk to ERASE and install on: sda, where that is the only one, or
    /// its path below /dev/disk/by-path
    #[arg(long, value_name = "DISK")]
    disk: Option<String>,
    /// File with the hash of root's password, as `openssl passwd -6` prints it;
    /// `-`: standard input
    #[arg(long, value_name = "FILE")]
    root_hash_file: Option<PathBuf>,
}

impl Args {
    pub fn run(&self, session: &Session) -> Result<Answer> {
        let hash_file = self.root_hash_file.as_deref();
        Ok(Answer::new(kickstart(&session.sources, &self.settings(), hash_file)?, exit::READY))
    }

    /// The options that stand for keys of the profile.
    fn settings(&self) -> Vec<Setting> {
        let one = |option, key, value: &Option<String>| {
            let value = Given::One(value.clone()?);
            Some(Setting { option, section: "installation", key, value })
        };
        let dns = (!self.dns.is_empty()).then(|| Setting {
            option: "--dns",
            section: "installation",
            key: "dns",
            value: Given::Many(self.dns.clone()),
        });
        let ones = [
            one("--hostname", "hostname", &self.hostname),
            one("--address", "address", &self.address),
            one("--gateway", "gateway", &self.gateway),
            one("--disk", "disk", &self.disk),
        ];
        ones.into_iter().flatten().chain(dns).collect()
    }
}
