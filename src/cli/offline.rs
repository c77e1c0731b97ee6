//! `apply --download-only` and `--offline`: a master target without a connection.

use std::path::PathBuf;

use clap::Args;

use crate::run::collect::Options;

/// Where packages come from, and where to.
#[derive(Args, Debug)]
#[command(next_help_heading = "Without a connection")]
pub struct Offline {
    /// Only collect in DIR what an unconnected master target needs, with a manifest of
    /// SHA-256 sums. Installs nothing and asks nothing; exits 0 when all of it is there
    #[arg(long, value_name = "DIR", conflicts_with_all = ["offline", "resume", "restart", "only", "skip", "stage",
        "Disks", "custom_changes"])]
    download_only: Option<PathBuf>,
    /// Collect from this repository of the target's release (http, https or file
    /// address; repeatable), not from those of this host
    #[arg(long, value_name = "URL", requires = "download_only")]
    repository: Vec<String>,
    /// Collect the agent's own package too [default: mt-agent-VERSION-*.rpm beside the
    /// program, if it is there]
    #[arg(long, value_name = "FILE", requires = "download_only")]
    agent_package: Option<PathBuf>,
    /// Verify what --download-only collected in DIR, and take packages from nowhere else
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    pub offline: Option<PathBuf>,
}

impl Offline {
    /// What is to be collected, if that is what was asked for.
    pub fn collecting(&self) -> Option<Options> {
        Some(Options {
            directory: self.download_only.clone()?,
            repositories: self.repository.clone(),
            agent_package: self.agent_package.clone(),
        })
    }
}
