//! What an apply that owes a restart leaves for after it.

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::seal::Order;
use crate::host::{Host, files, trust};
use crate::steps::Stage;
use crate::steps::remedy::Request;

/// Where it lies.
pub const PATH: &str = crate::facts::identity::PENDING;

/// An apply to go on with: [`PATH`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Pending {
    /// `mt-agent/resume/v1`.
    pub schema: String,
    /// The boot in which it owes the restart: in another one, the restart has happened.
    pub boot_id: String,
    /// `--profile`, as it was given.
    pub profile: Option<String>,
    /// `--only`
    pub only: Vec<String>,
    /// `--skip`
    pub skip: Vec<String>,
    /// `--stage`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// Whether it is what a clone of a sealed image does at its first boot, and at each one until it is done: unattended,
    /// with the profile's answers.
    #[serde(default)]
    pub first_boot: bool,
    /// A sealing under way: found after a restart, it is finished first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<Order>,
    /// Whether the sealing that left this filled free space with zeros.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub free_space_filled: bool,
    /// What the person asked for.
    pub request: Request,
}

/// Version of the file.
pub const SCHEMA: &str = "mt-agent/resume/v1";

/// Writes it.
///
/// # Errors
/// What failed, naming the file.
pub fn write(host: &Host, pending: &Pending) -> Result<()> {
    let text = serde_json::to_vec_pretty(pending).context("encoding what is owed")?;
    files::replace(&host.path(PATH), &text, 0o600)
}

/// Reads it; `None` when nothing is owed.
///
/// # Errors
/// What is wrong with the file, naming it.
pub fn read(host: &Host) -> Result<Option<Pending>> {
    let Some(text) = trust::record(host, PATH)? else {
        return Ok(None);
    };
    let pending: Pending = serde_json::from_str(&text)
        .with_context(|| format!("{PATH} is damaged: remove it and run `mt-agent apply` by hand"))?;
    ensure!(
        pending.schema == SCHEMA,
        "{PATH} has the schema `{}`; `{SCHEMA}` was expected: remove it and run `mt-agent apply` by hand",
        crate::host::text::safe(&pending.schema)
    );
    Ok(Some(pending))
}

/// The sealing that was interrupted, if one was.
///
/// # Errors
/// As [`read`].
pub fn sealing(host: &Host) -> Result<Option<Order>> {
    Ok(read(host)?.and_then(|pending| pending.seal))
}

/// That a first boot is not finished, in words: a clone that waits for a person has to say so wherever it is looked at.
#[must_use]
pub fn note(host: &Host) -> Option<String> {
    read(host).ok().flatten().filter(|pending| pending.first_boot).map(|pending| {
        if pending.seal.is_some() {
            return "a sealing was interrupted: the image still carries what a clone must not have; run mt-agent seal again"
                .to_owned();
        }
        "the first boot of this clone is not finished: the service mt-agent-resume tries again at each boot, mt-agent apply \
         at once"
            .to_owned()
    })
}

/// Removes it.
///
/// # Errors
/// What failed, naming the file.
pub fn clear(host: &Host) -> Result<()> {
    let path = host.path(PATH);
    match std::fs::remove_file(&path) {
        Ok(()) => files::sync_parent(&path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("removing {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_owed_reads_back_and_a_damaged_record_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::recorded(dir.path());
        assert_eq!(read(&host).unwrap(), None);
        std::fs::create_dir_all(dir.path().join("var/lib/mt-agent")).unwrap();
        let pending = Pending {
            schema: SCHEMA.into(),
            boot_id: "b".into(),
            profile: None,
            only: Vec::new(),
            skip: vec!["site".into()],
            stage: Some(Stage::Machine),
            first_boot: true,
            seal: None,
            free_space_filled: false,
            request: Request { retention_disk: Some("36000c29".into()), ..Request::default() },
        };
        write(&host, &pending).unwrap();
        assert_eq!(read(&host).unwrap(), Some(pending.clone()));
        write(&host, &Pending { schema: "mt-agent/resume/v9".into(), ..pending }).unwrap();
        let other = format!("{:#}", read(&host).unwrap_err());
        assert!(
            other.starts_with("/var/lib/mt-agent/resume.json has the schema `mt-agent/resume/v9`"),
            "{other}"
        );
        files::replace(&host.path(PATH), b"{\"schema\":", 0o600).unwrap();
        let torn = format!("{:#}", read(&host).unwrap_err());
        assert!(torn.starts_with("/var/lib/mt-agent/resume.json is damaged: remove it and run"), "{torn}");
        clear(&host).unwrap();
        clear(&host).unwrap();
        assert_eq!(read(&host).unwrap(), None);
    }
}
