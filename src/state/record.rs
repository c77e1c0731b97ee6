//! The records that the agent keeps on a host, read strictly: what is torn, of another version, or not root's alone is not
//! believed, and the error names the way out.

use std::fmt;
use std::io;

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{paths, saved};
use crate::host::{Host, files, text as words, trust};

/// The command that sets aside what is not believed, and records anew what the host shows.
pub const REPAIR: &str = "mt-agent state repair";

/// The way out of a damaged record: the end of a sentence that says what is wrong with it.
pub const SEE: &str =
    "mt-agent state shows what this host shows, and mt-agent state repair sets the record aside";

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

    /// One that can be read, and lacks what it is for.
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
/// Errors: It cannot be read, is no regular file (a link among these), or users other than root can have written
/// or removed it.
pub fn text(host: &Host, path: &str) -> Result<Option<String>, Unread> {
    // What a link leads to is not what the agent wrote, and where it leads nowhere something is here all the same.
    if host.place(path).and_then(|place| place.symlink_metadata()).is_ok_and(|meta| meta.is_symlink()) {
        let why = format!("{path} is a symbolic link, not a regular file");
        return Err(Unread::new(Doubt::Damaged, why));
    }
    trust::record(host, path).map_err(|error| Unread::from_reading(&error))
}

/// The JSON record of this `schema` at `path`; `None` where there is none.
/// Errors: As [`text`]; it is torn, or of another schema.
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

/// The text of a record as a JSON document.
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

/// Writes `record` at `path` whole, so that it survives a power loss.
/// Errors: What failed, naming the file; the old record is then whole.
pub fn write(host: &Host, path: &str, record: &impl Serialize) -> Result<()> {
    saved::directory(host, paths::DIRECTORY)?;
    let mut text = serde_json::to_vec_pretty(record).with_context(|| format!("encoding {path}"))?;
    text.push(b'\n');
    files::replace(&host.path(path), &text, 0o600)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;
    use crate::state::paths::RETENTION as PATH;
    use crate::state::retention;

    fn found(content: &str) -> Unread {
        let dir = testing::tree(&[(&PATH[1..], content)]);
        load::<retention::Record>(&Host::recorded(dir.path()), PATH, retention::SCHEMA).unwrap_err()
    }

    #[test]
    fn each_doubt_is_reported_with_its_way_out() {
        for (content, doubt, why) in [
            ("", Doubt::Damaged, " is empty: mt-agent state shows"),
            ("\0\0\0", Doubt::Damaged, " is empty: mt-agent state"),
            ("{\"sch", Doubt::Damaged, " is not a whole JSON document: EOF"),
            ("[]", Doubt::Damaged, " has the schema ``; `mt-agent/retention/v1` was"),
            ("{\"schema\":\"mt-agent/identity/v2\"}", Doubt::Damaged, " has the schema"),
            ("{\"schema\":\"mt-agent/retention/v0\"}", Doubt::Damaged, " has the schema"),
            (
                "{\"schema\":\"mt-agent/retention/v2\"}",
                Doubt::Newer,
                " has the schema `mt-agent/retention/v2`; `mt-agent/retention/v1` was expected (a newer mt-agent wrote it: use \
                 that one): mt-agent state shows",
            ),
            (
                "{\"schema\":\"mt-agent/retention/v1\"}",
                Doubt::Damaged,
                " is not a record of ours: missing field `scsi_id`",
            ),
        ] {
            let unread = found(content);
            assert_eq!(unread.doubt, doubt, "{content}");
            assert!(
                unread.to_string().starts_with(&format!("/var/lib/mt-agent/retention.json{why}")),
                "{unread}"
            );
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
}
