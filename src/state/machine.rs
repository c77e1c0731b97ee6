//! By what an order that waits for a restart knows its machine again.

use serde::{Deserialize, Serialize};

/// The machine, by SHA-256 sums (64 lower-case hex digits) of what is its alone: no identifier can be found by a search
/// through a disk that the order was once on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Machine {
    /// Of the SMBIOS UUID (`uuid.bios` in vSphere).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bios_uuid: Option<String>,
    /// Of the machine ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine_id: Option<String>,
}

impl Machine {
    /// Whether `now` is this machine: all that is recorded can be read, and is the same.
    /// Errors: Why not, in words that follow "it is void: ".
    pub fn is(&self, now: &Self) -> Result<(), String> {
        if *self == Self::default() {
            return Err("it does not say for which machine it was given: that one had neither a BIOS UUID nor a machine ID"
                .to_owned());
        }
        for (what, recorded, found) in [
            ("BIOS UUID", &self.bios_uuid, &now.bios_uuid),
            ("machine ID", &self.machine_id, &now.machine_id),
        ] {
            match (recorded, found) {
                (Some(recorded), Some(found)) if recorded != found => {
                    return Err(format!("it was given on a machine with another {what}"));
                }
                (Some(_), None) => {
                    return Err(format!(
                        "cannot determine whether it was given on this machine: its {what} cannot be read"
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }
}
