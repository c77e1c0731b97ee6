//! The installed Site Recovery software (the master target itself).

use serde::{Deserialize, Serialize};

/// What /usr/local/.vx_version and drscout.conf say; all `None` when nothing is installed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteAgent {
    /// `VERSION=` of /usr/local/.vx_version.
    pub version: Option<String>,
    /// `INSTALLATION_DIR=` of /usr/local/.vx_version.
    pub installation_dir: Option<String>,
    /// `Role=` of drscout.conf: `MasterTarget`.
    pub role: Option<String>,
    /// The drscout.conf that was read.
    pub configuration: Option<String>,
}

impl SiteAgent {
    /// Whether any of the software's traces is there.
    #[must_use]
    pub fn is_installed(&self) -> bool {
        self.version.is_some() || self.installation_dir.is_some() || self.configuration.is_some()
    }
}
