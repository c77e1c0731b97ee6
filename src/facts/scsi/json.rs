//! The SCSI ID of a disk as four keys of JSON, which others read: `scsi_id`, `scsi_id_source`, `scsi_id_error`, `silent`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::known::{KnownId, NoId};
use crate::host::ScsiId;

#[derive(Serialize, Deserialize)]
struct Keys {
    scsi_id: Option<ScsiId>,
    scsi_id_source: Option<String>,
    scsi_id_error: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    silent: bool,
}

/// Writes the keys.
pub fn serialize<S: Serializer>(id: &Result<KnownId, NoId>, serializer: S) -> Result<S::Ok, S::Error> {
    let keys = match id.clone() {
        Ok(KnownId { id, source }) => {
            Keys { scsi_id: Some(id), scsi_id_source: source, scsi_id_error: None, silent: false }
        }
        Err(NoId { why, silent }) => {
            Keys { scsi_id: None, scsi_id_source: None, scsi_id_error: Some(why), silent }
        }
    };
    keys.serialize(serializer)
}

/// Reads the keys. An ID of blanks is none.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Result<KnownId, NoId>, D::Error> {
    let Keys { scsi_id, scsi_id_source, scsi_id_error, silent } = Keys::deserialize(deserializer)?;
    let no_id = |why: Option<String>| NoId { silent, ..why.map_or_else(NoId::default, NoId::from) };
    Ok(match scsi_id {
        Some(id) if id.trim().is_empty() => Err(no_id(scsi_id_error.or(Some("its ID is empty".into())))),
        Some(id) if !silent => Ok(KnownId { id, source: scsi_id_source }),
        // One that did not answer has no ID that could be relied on.
        _ => Err(no_id(scsi_id_error)),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::facts::disks::Disk;
    use crate::facts::scsi::NoId;

    #[test]
    fn a_disk_has_an_id_or_a_reason_and_keeps_its_keys() {
        let mut document = serde_json::to_value(Disk::default()).unwrap();
        assert_eq!(document["scsi_id_error"], "no reason is known");
        assert_eq!((&document["scsi_id"], document.get("silent")), (&json!(null), None));
        let mut read = |keys: serde_json::Value| {
            let keys = keys.as_object().unwrap().clone();
            document.as_object_mut().unwrap().extend(keys);
            serde_json::from_value::<Disk>(document.clone()).unwrap()
        };
        let found =
            read(json!({"scsi_id": "36a", "scsi_id_source": "SG_IO 0x83 NAA 6", "scsi_id_error": null}));
        assert!(found.has_id("36a"));
        assert_eq!(serde_json::to_value(&found).unwrap()["scsi_id_source"], "SG_IO 0x83 NAA 6");
        for blank in ["", " "] {
            assert_eq!(read(json!({"scsi_id": blank})).scsi_id, Err("its ID is empty".into()));
        }
        let late = read(json!({"scsi_id": null, "scsi_id_error": "late", "silent": true}));
        assert_eq!(late.scsi_id, Err(NoId { why: "late".into(), silent: true }));
        assert_eq!(serde_json::to_value(&late).unwrap()["silent"], true);
    }
}
