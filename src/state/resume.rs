//! What an apply that owes a restart leaves for after it: the record. `run::waiting` determines whether it still holds.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime, PrimitiveDateTime};

use super::machine::Machine;
use super::paths::RESUME;
use super::record::{self, Unread};
use super::request::{Request, Stage};
use super::sealing::Order;
use super::time::FORMAT;
use crate::host::{Host, files, text};

/// An order that a person repeats within this time is the same one: a second run changes nothing.
const REPEATED: Duration = Duration::hours(1);

/// An apply to resume: [`RESUME`]. A key that this version does not know may limit it, so it is then not read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
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
    /// What it is bound to. What a sealing leaves has none: it is for each clone, whenever that is made. What 0.1.0 left
    /// has none either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<Binding>,
    /// Why the run that resumed it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// Why a person is asked before it is resumed: once it asks, it asks at each boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks: Option<String>,
    /// What the person asked for.
    pub request: Request,
}

/// What an order is bound to: to when it was given, and to what it was given for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Binding {
    /// When a person gave it, RFC 3339 UTC.
    pub given_at: String,
    /// SHA-256 of the profile that the plan was made by (`profile::digest`).
    pub profile_sha256: String,
    /// The machine.
    pub machine: Machine,
}

impl Binding {
    /// When it was given; `None` where that is no time.
    pub fn given(&self) -> Option<OffsetDateTime> {
        PrimitiveDateTime::parse(&self.given_at, FORMAT).ok().map(PrimitiveDateTime::assume_utc)
    }
}

impl Pending {
    /// Whether `new` asks for nothing that this one does not ask for already: it was given again a moment later.
    pub fn stands_for(&self, new: &Self) -> bool {
        let given = |order: &Self| order.bound.as_ref().and_then(Binding::given);
        let recent = match (given(self), given(new)) {
            (Some(old), Some(new)) => old <= new && new - old < REPEATED,
            (None, None) => true,
            _ => false,
        };
        let undated = |order: &Self| {
            let bound = order.bound.clone().map(|bound| Binding { given_at: String::new(), ..bound });
            Self { bound, ..order.clone() }
        };
        recent && undated(self) == undated(new)
    }
}

/// The version of the record.
pub const SCHEMA: &str = "mt-agent/resume/v1";

/// Writes it.
pub fn write(host: &Host, pending: &Pending) -> Result<()> {
    let text = serde_json::to_vec_pretty(pending).context("encoding what is owed")?;
    files::replace(&host.path(RESUME), &text, 0o600)
}

/// Reads it; `None` when nothing is owed.
pub fn read(host: &Host) -> Result<Option<Pending>> {
    let pending = record::load(host, RESUME, SCHEMA).map_err(|unread| {
        let text = host.read(RESUME).unwrap_or_default();
        Unread { way_out: Some(way_out(&text)), ..unread }
    });
    Ok(pending?)
}

/// Whether a record that cannot be read is what an interrupted sealing left: nothing else has that key.
pub fn is_of_sealing(text: &str) -> bool {
    text.contains("\"seal\"")
}

/// What a person does about a record that cannot be read. What an interrupted sealing left is not forgotten, for the image
/// would count as one whose sealing was never begun.
fn way_out(text: &str) -> &'static str {
    if is_of_sealing(text) {
        UNREADABLE_SEALING
    } else {
        "mt-agent apply --forget clears it, or mt-agent state repair sets it aside"
    }
}

/// A way out of a damaged record of a sealing, which no version can finish.
pub const UNREADABLE_SEALING: &str = "a sealing was interrupted: run mt-agent seal again, in the version that began it, as this \
     one cannot read /var/lib/mt-agent/resume.json; where that is damaged, remove it, and seal this machine anew before it is \
     cloned";

/// The sealing that was interrupted, if one was.
pub fn sealing(host: &Host) -> Result<Option<Order>> {
    Ok(read(host)?.and_then(|pending| pending.seal))
}

/// Whether a sealing was interrupted, by any version: no more of the record is looked at.
/// Errors: The record is not believed.
pub fn is_half_sealed(host: &Host) -> Result<bool, Unread> {
    let Some(text) = record::text(host, RESUME)? else { return Ok(false) };
    let pending = record::document(RESUME, &text)?;
    Ok(pending.get("seal").is_some_and(|order| !order.is_null()))
}

/// Notes that the run that resumed it failed: it waits for a person then. The first boot of a clone is tried again.
pub fn fail(host: &Host, why: &str) -> Result<()> {
    match read(host)? {
        Some(pending) if !pending.first_boot => {
            write(host, &Pending { failed: Some(text::without_secrets(why)), ..pending })
        }
        _ => Ok(()),
    }
}

/// Notes why a person is asked before it is resumed; whether that was not noted before.
pub fn ask(host: &Host, why: &str) -> Result<bool> {
    match read(host)? {
        Some(pending) if pending.asks.is_none() => {
            write(host, &Pending { asks: Some(why.to_owned()), ..pending })?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Removes it.
pub fn clear(host: &Host) -> Result<()> {
    let path = host.path(RESUME);
    match std::fs::remove_file(&path) {
        Ok(()) => files::sync_parent(&path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("removing {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::sealing::Chosen;

    fn pending() -> Pending {
        Pending {
            schema: SCHEMA.into(),
            boot_id: "b".into(),
            skip: vec!["site".into()],
            stage: Some(Stage::Machine),
            bound: Some(Binding {
                given_at: "2026-06-01T10:00:00Z".into(),
                profile_sha256: "aa".into(),
                machine: Machine { machine_id: Some("bb".into()), ..Machine::default() },
            }),
            request: Request { retention_disk: Some("36000c29".into()), ..Request::default() },
            ..Pending::default()
        }
    }

    fn host() -> (tempfile::TempDir, Host) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("var/lib/mt-agent")).unwrap();
        let host = Host::recorded(dir.path());
        (dir, host)
    }

    #[test]
    fn what_is_owed_reads_back_and_a_damaged_record_is_named() {
        let (_dir, host) = host();
        assert_eq!(read(&host).unwrap(), None);
        let pending = pending();
        write(&host, &pending).unwrap();
        assert_eq!(read(&host).unwrap(), Some(pending.clone()));
        write(&host, &Pending { schema: "mt-agent/resume/v9".into(), ..pending }).unwrap();
        let other = format!("{:#}", read(&host).unwrap_err());
        assert!(
            other.starts_with("/var/lib/mt-agent/resume.json has the schema `mt-agent/resume/v9`"),
            "{other}"
        );
        files::replace(&host.path(RESUME), b"{\"schema\":", 0o600).unwrap();
        let torn = format!("{:#}", read(&host).unwrap_err());
        assert!(torn.starts_with("/var/lib/mt-agent/resume.json is not a whole JSON document: "), "{torn}");
        clear(&host).unwrap();
        clear(&host).unwrap();
        assert_eq!(read(&host).unwrap(), None);
    }

    #[test]
    fn a_key_of_another_version_is_not_passed_over_wherever_it_stands() {
        let (_dir, host) = host();
        let whole = serde_json::to_value(Pending { seal: Some(Order::default()), ..pending() }).unwrap();
        for place in ["", "/bound", "/bound/machine", "/request", "/seal"] {
            let mut text = whole.clone();
            let map = text.pointer_mut(place).unwrap().as_object_mut().unwrap();
            map.insert("only-on-mondays".into(), true.into());
            files::replace(&host.path(RESUME), text.to_string().as_bytes(), 0o600).unwrap();
            let error = format!("{:#}", read(&host).unwrap_err());
            assert!(error.contains("unknown field `only-on-mondays`"), "{place}: {error}");
        }
    }

    #[test]
    fn an_order_that_is_repeated_at_once_is_the_same_and_a_later_one_is_new() {
        let at = |given_at: &str| {
            let mut order = pending();
            order.bound.as_mut().unwrap().given_at = given_at.into();
            order
        };
        let first = at("2026-06-01T10:00:00Z");
        assert!(first.stands_for(&at("2026-06-01T10:59:59Z")));
        for later in ["2026-06-01T11:00:00Z", "2026-06-01T09:59:59Z", "today"] {
            assert!(!first.stands_for(&at(later)), "{later}");
        }
        let mut other = at("2026-06-01T10:00:01Z");
        other.request.erase_disk = Some("36000c29".into());
        assert!(!first.stands_for(&other));
        let failed = Pending { failed: Some("no".into()), ..first.clone() };
        assert!(!failed.stands_for(&first));
        let unbound = Pending { bound: None, ..first.clone() };
        assert!(unbound.stands_for(&unbound) && !unbound.stands_for(&first));
    }

    #[test]
    fn the_order_of_a_sealing_reads_back_with_its_steps() {
        let (_dir, host) = host();
        let chosen = Chosen { only: Vec::new(), skip: vec!["hooks".into()] };
        let order =
            Order { chosen, wipe_free_space: true, remove_authorized_keys: true, profile: Some("x".into()) };
        let pending = Pending { seal: Some(order.clone()), ..pending() };
        write(&host, &pending).unwrap();
        assert_eq!(sealing(&host).unwrap(), Some(order));
    }

    #[test]
    fn that_it_asks_is_noted_once_and_stays() {
        let (_dir, host) = host();
        assert!(!ask(&host, "nothing waits").unwrap());
        write(&host, &pending()).unwrap();
        assert!(ask(&host, "it was down").unwrap());
        assert!(!ask(&host, "another reason").unwrap());
        assert_eq!(read(&host).unwrap().unwrap().asks.as_deref(), Some("it was down"));
    }

    #[test]
    fn a_failure_is_noted_once_and_not_on_a_clone_s_first_boot() {
        let (_dir, host) = host();
        fail(&host, "nothing waits").unwrap();
        assert_eq!(read(&host).unwrap(), None);
        write(&host, &pending()).unwrap();
        fail(&host, "packages.base: http://me:secret@mirror/ does not answer").unwrap();
        let failed = read(&host).unwrap().unwrap().failed.unwrap();
        assert!(failed.starts_with("packages.base: ") && !failed.contains("secret"), "{failed}");
        write(&host, &Pending { first_boot: true, ..pending() }).unwrap();
        fail(&host, "no").unwrap();
        assert_eq!(read(&host).unwrap().unwrap().failed, None);
    }
}
