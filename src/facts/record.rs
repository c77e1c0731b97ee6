//! The records that the agent keeps on a host, read strictly: what is torn, of another version, or not root's alone is not
//! believed, and whoever meets it is told the way out.

use std::fmt;
use std::io;

use serde::de::DeserializeOwned;

use super::Fact;
use crate::host::{Host, text as words, trust};

/// Where records lie that are not believed any more, one directory a time.
pub const ASIDE: &str = "/var/lib/mt-agent/set-aside";

/// How the directories below [`ASIDE`] begin in which `state repair` puts records of this machine. Those of another machine
/// lie in others.
pub const DAMAGED: &str = "damaged";

/// The command that sets aside what is not believed, and records anew what the host shows.
pub const REPAIR: &str = "mt-agent state repair";

/// Where the way out of a damaged record is told: the end of a sentence that says what is wrong with it.
pub const SEE: &str =
    "mt-agent state tells what this host shows, and mt-agent state repair sets the record aside";

/// Why a record is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// A later version of the agent wrote it.
    Newer,
    /// It is torn, garbage, of another kind, or cannot be read.
    Damaged,
    /// Users other than root can have written it.
    Untrusted,
    /// Only root can read it, and this is somebody else.
    Denied,
}

/// A record that is there and not believed. In one line: what is wrong with it, and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Of which kind.
    pub doubt: Doubt,
    /// What is wrong, naming the file.
    pub why: String,
    /// The way out, where it is another one than that of all.
    pub way_out: Option<&'static str>,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)?;
        match (self.doubt, self.way_out) {
            // These say themselves what to do.
            (Doubt::Untrusted | Doubt::Denied, _) => return Ok(()),
            (Doubt::Newer, _) => f.write_str(" (a newer mt-agent wrote it: use that one)")?,
            (Doubt::Damaged, _) => {}
        }
        f.write_str(": ")?;
        f.write_str(self.way_out.unwrap_or(SEE))
    }
}

impl std::error::Error for Unread {}

impl Unread {
    fn new(doubt: Doubt, why: String) -> Self {
        Self { doubt, why, way_out: None }
    }

    /// One that can be read, and says nothing of what it is for.
    #[must_use]
    pub fn damaged(why: String) -> Self {
        Self::new(Doubt::Damaged, why)
    }

    fn from_reading(error: &anyhow::Error) -> Self {
        let is_denied = error.chain().any(|cause| {
            cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::PermissionDenied)
        });
        let doubt = match error {
            error if trust::is_untrusted(error) => Doubt::Untrusted,
            _ if is_denied => Doubt::Denied,
            _ => Doubt::Damaged,
        };
        Self::new(doubt, format!("{error:#}"))
    }
}

/// The text of the record at `path`; `None` where there is none.
///
/// # Errors
/// It cannot be read, is no regular file (a link among these), or users other than root can have written or removed it.
pub fn text(host: &Host, path: &str) -> Result<Option<String>, Unread> {
    // What a link leads to is not what the agent wrote, and where it leads nowhere something is here all the same.
    if host.place(path).and_then(|place| place.symlink_metadata()).is_ok_and(|meta| meta.is_symlink()) {
        let why = format!("{path} is a symbolic link, not a regular file");
        return Err(Unread::new(Doubt::Damaged, why));
    }
    trust::record(host, path).map_err(|error| Unread::from_reading(&error))
}

/// The JSON record of this `schema` at `path`; `None` where there is none.
///
/// # Errors
/// As [`text`]; it is torn, or of another schema.
pub fn load<T: DeserializeOwned>(host: &Host, path: &str, schema: &str) -> Result<Option<T>, Unread> {
    let Some(text) = of_schema(host, path, schema)? else { return Ok(None) };
    // From the text, as a key that stands there twice is a fault.
    serde_json::from_str(&text).map(Some).map_err(|error| not_ours(path, &error))
}

fn not_ours(path: &str, error: &serde_json::Error) -> Unread {
    let error = error.to_string();
    let doubt = if error.starts_with("unknown field") { Doubt::Newer } else { Doubt::Damaged };
    Unread::new(doubt, format!("{path} is not a record of ours: {error}"))
}

/// As [`load`], as a fact.
pub(crate) fn fact<T: DeserializeOwned>(host: &Host, path: &str, schema: &str) -> Fact<Option<T>> {
    Fact::from_result(load(host, path, schema))
}

/// The text of a record as a JSON document.
///
/// # Errors
/// It is none.
pub fn document(path: &str, text: &str) -> Result<serde_json::Value, Unread> {
    serde_json::from_str(text).map_err(|error| {
        let why = if text.trim_matches(['\0', ' ', '\n']).is_empty() {
            format!("{path} is empty")
        } else {
            format!("{path} is not a whole JSON document: {error}")
        };
        Unread::new(Doubt::Damaged, why)
    })
}

/// The text of a record of this schema.
fn of_schema(host: &Host, path: &str, schema: &str) -> Result<Option<String>, Unread> {
    let Some(text) = text(host, path)? else { return Ok(None) };
    let value = document(path, &text)?;
    let found = value.get("schema").and_then(serde_json::Value::as_str).unwrap_or_default();
    if found == schema {
        return Ok(Some(text));
    }
    let number = |schema: &str| -> Option<(String, u32)> {
        let (name, number) = schema.rsplit_once("/v")?;
        Some((name.to_owned(), number.parse().ok()?))
    };
    let is_newer = match (number(found), number(schema)) {
        (Some((name, now)), Some((ours, known))) => name == ours && now > known,
        _ => false,
    };
    let found: String = found.chars().take(60).collect();
    let why = format!("{path} has the schema `{}`; `{schema}` was expected", words::safe(&found));
    Err(Unread::new(if is_newer { Doubt::Newer } else { Doubt::Damaged }, why))
}

/// The names of the records of this machine that `state repair` has set aside (`retention.json`). What they said cannot be
/// told; that there was something to say is a trace.
#[must_use]
pub fn set_aside(host: &Host) -> Fact<Vec<String>> {
    let names = all_aside(host).map(|all| all.into_iter().map(|(_, name)| name).collect());
    Fact::from_result(names.map_err(|error| format!("{:#}", super::read::explain(ASIDE, error))))
}

/// Where `state repair` has put what lay at `path`, the oldest first.
///
/// # Errors
/// What listing it said.
pub(crate) fn places_aside(host: &Host, path: &str) -> anyhow::Result<Vec<String>> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_it =
        |other: &str| other.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    let all = all_aside(host).map_err(|error| super::read::explain(ASIDE, error))?;
    let of_it = all.into_iter().filter(|(_, other)| is_it(other));
    Ok(of_it.map(|(directory, name)| format!("{ASIDE}/{directory}/{name}")).collect())
}

/// Directory and name of all that `state repair` has set aside.
fn all_aside(host: &Host) -> io::Result<Vec<(String, String)>> {
    let mut all = Vec::new();
    let directories = match host.list(ASIDE) {
        // Something else lies in its place.
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Vec::new(),
        listed => listed?,
    };
    for directory in directories.into_iter().filter(|name| name.starts_with(DAMAGED)) {
        let names = host.list(format!("{ASIDE}/{directory}"))?;
        all.extend(names.into_iter().map(|name| (directory.clone(), name)));
    }
    Ok(all)
}

/// Of recordings by a version that set nothing aside.
pub(crate) fn nothing_set_aside() -> Fact<Vec<String>> {
    Fact::Known(Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{custom_changes, identity, retention, testing};

    const PATH: &str = retention::RECORD;

    fn found(content: &str) -> Unread {
        let dir = testing::tree(&[(&PATH[1..], content)]);
        load::<retention::Record>(&Host::recorded(dir.path()), PATH, retention::SCHEMA).unwrap_err()
    }

    #[test]
    fn each_doubt_is_told_with_its_way_out() {
        for (content, doubt, why) in [
            ("", Doubt::Damaged, "/var/lib/mt-agent/retention.json is empty: mt-agent state tells"),
            ("\0\0\0", Doubt::Damaged, "/var/lib/mt-agent/retention.json is empty: mt-agent state"),
            ("{\"sch", Doubt::Damaged, "/var/lib/mt-agent/retention.json is not a whole JSON document: EOF"),
            (
                "[]",
                Doubt::Damaged,
                "/var/lib/mt-agent/retention.json has the schema ``; `mt-agent/retention/v1` was",
            ),
            (
                "{\"schema\":\"mt-agent/identity/v2\"}",
                Doubt::Damaged,
                "/var/lib/mt-agent/retention.json has the schema",
            ),
            (
                "{\"schema\":\"mt-agent/retention/v0\"}",
                Doubt::Damaged,
                "/var/lib/mt-agent/retention.json has the schema",
            ),
            (
                "{\"schema\":\"mt-agent/retention/v2\"}",
                Doubt::Newer,
                "/var/lib/mt-agent/retention.json has the schema `mt-agent/retention/v2`; `mt-agent/retention/v1` was \
                 expected (a newer mt-agent wrote it: use that one): mt-agent state tells",
            ),
            (
                "{\"schema\":\"mt-agent/retention/v1\"}",
                Doubt::Damaged,
                "/var/lib/mt-agent/retention.json is not a record of ours: missing field `scsi_id`",
            ),
        ] {
            let unread = found(content);
            assert_eq!(unread.doubt, doubt, "{content}");
            assert!(unread.to_string().starts_with(why), "{unread}");
            assert!(unread.to_string().ends_with(SEE), "{unread}");
        }
    }

    #[test]
    fn what_is_no_regular_file_is_damaged_wherever_it_leads() {
        let dir = testing::tree(&[("root/elsewhere", "{}")]);
        let host = Host::recorded(dir.path());
        std::fs::create_dir_all(host.path(PATH)).unwrap();
        let unread = text(&host, PATH).unwrap_err();
        assert_eq!(unread.doubt, Doubt::Damaged);
        assert!(unread.why.ends_with("retention.json: it is a directory, not a regular file"), "{unread}");
        std::fs::remove_dir(host.path(PATH)).unwrap();
        for to in ["/root/elsewhere", "/nowhere"] {
            std::os::unix::fs::symlink(to, host.path(PATH)).unwrap();
            assert!(
                text(&host, PATH).unwrap_err().why.ends_with("is a symbolic link, not a regular file"),
                "{to}"
            );
            std::fs::remove_file(host.path(PATH)).unwrap();
        }
        assert_eq!(text(&host, PATH), Ok(None));
    }

    #[test]
    fn every_fact_from_a_damaged_record_tells_the_way_out() {
        let records = [
            retention::RECORD,
            custom_changes::RECORD,
            identity::RECORD,
            identity::TEMPLATE,
            identity::PENDING,
        ];
        let files: Vec<_> = records.iter().map(|path| (&path[1..], "torn")).collect();
        let dir = testing::tree(&files);
        let wanted = crate::facts::gather::Wanted::default();
        let facts = crate::facts::gather::gather(&Host::recorded(dir.path()), &wanted);
        fn why<T>(fact: &Fact<T>) -> &str {
            match fact {
                Fact::Unknown(why) => why,
                _ => panic!("known"),
            }
        }
        for (path, why) in records.iter().zip([
            why(&facts.retention_record),
            why(&facts.custom_changes.record),
            why(&facts.identity.recorded),
            why(&facts.identity.template),
            why(&facts.identity.half_sealed),
        ]) {
            // Nothing here rebuilds that of the image.
            let way_out = if *path == identity::TEMPLATE { "copy it from the template" } else { REPAIR };
            assert!(why.starts_with(path) && why.contains(way_out), "{why}");
        }
    }

    #[test]
    fn what_repair_set_aside_is_told_and_not_what_was_another_machine_s() {
        let dir = testing::tree(&[
            ("var/lib/mt-agent/set-aside/damaged-20260601T100000Z/retention.json", "torn"),
            ("var/lib/mt-agent/set-aside/records-20260601T100000Z/resume.json", "{}"),
        ]);
        assert_eq!(set_aside(&Host::recorded(dir.path())), Fact::Known(vec!["retention.json".to_owned()]));
        assert_eq!(set_aside(&Host::recorded(testing::tree(&[]).path())), Fact::Known(Vec::new()));
        let other = testing::tree(&[(&ASIDE[1..], "a file")]);
        assert_eq!(set_aside(&Host::recorded(other.path())), Fact::Known(Vec::new()));
    }
}
