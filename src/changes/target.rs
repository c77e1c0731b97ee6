//! The retention volume that a change makes, mounts or grows.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::host::{FileSystem, ScsiId, Uuid};
use crate::state::retention::{Record, SCHEMA};

/// A retention volume, as planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// SCSI ID of its disk.
    pub scsi_id: ScsiId,
    /// The device: the multipath map where the disk has one.
    pub device: String,
    /// Its type; [`FileSystem::Auto`]: the one that it carries.
    pub fs_type: FileSystem,
    /// Its UUID, where it is one that the agent makes or made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
}

impl Target {
    /// Whether it is the volume `agreed`. The device is how the disk is called today; what is done to it looks at the SCSI ID
    /// behind it. Of a volume of the agent's own the UUID says it all: its type may have been read since.
    pub(super) fn is_within(&self, agreed: &Self) -> bool {
        let Self { scsi_id, device: _, fs_type, uuid } = self;
        let same_type = *fs_type == agreed.fs_type || agreed.fs_type == FileSystem::Auto && uuid.is_some();
        *scsi_id == agreed.scsi_id && *uuid == agreed.uuid && same_type
    }

    /// Its UUID as it is written; empty where it has none.
    pub(super) fn uuid(&self) -> String {
        self.uuid.as_ref().map_or_else(String::new, Uuid::to_string)
    }

    /// The record of it, made to its end.
    pub(crate) fn record(&self, boot_id: &str, started_at: String) -> Record {
        Record {
            schema: SCHEMA.to_owned(),
            scsi_id: self.scsi_id.clone(),
            uuid: self.uuid.clone().unwrap_or_default(),
            fs_type: self.fs_type.clone(),
            boot_id: boot_id.to_owned(),
            started_at,
            finished: true,
        }
    }
}

/// What it is to carry: its type and its UUID.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.uuid {
            Some(uuid) => write!(f, "{} {uuid}", self.fs_type),
            None => f.pad(&self.fs_type),
        }
    }
}
