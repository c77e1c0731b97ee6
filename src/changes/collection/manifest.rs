//! The manifest of a collection. A pure parser: what it accepts names plain files only, each once.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::host::text;
use crate::platform::packages::{SUFFIX, plain};

pub const FILE: &str = "manifest.json";

pub const SCHEMA: &str = "mt-agent/manifest/v1";

/// The most bytes that one may have: some ten thousand files.
pub const LARGEST: u64 = 4 << 20;

/// What a collection holds, and for what it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub schema: String,
    pub agent: String,
    pub made: String,
    pub profile: String,
    pub release: String,
    pub architecture: String,
    /// The packages that the profile names; the others are their dependencies.
    pub packages: Vec<String>,
    pub files: Vec<Entry>,
}

/// A file of a collection: an rpm package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub file: String,
    pub size: u64,
    pub sha256: String,
    pub package: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u32>,
    pub version: String,
    pub architecture: String,
    pub role: Role,
    pub verified: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// From a repository: a package of the profile, or a dependency of one.
    Package,
    /// One of the profile's `files`.
    File,
    Agent,
}

/// A manifest from its text.
/// Errors: One line: what is wrong, and what was expected.
pub fn parse(source: &str) -> Result<Manifest> {
    #[derive(Deserialize)]
    struct Versioned {
        schema: String,
    }
    let versioned: Versioned = serde_json::from_str(source).context("it is no manifest")?;
    ensure!(
        versioned.schema == SCHEMA,
        "its schema is `{}`, `{SCHEMA}` was expected: another version of the agent made it",
        text::safe(&versioned.schema)
    );
    let manifest: Manifest = serde_json::from_str(source).context("it is damaged")?;
    for name in &manifest.packages {
        plain(name, "a package")?;
    }
    let mut seen = BTreeSet::new();
    for entry in &manifest.files {
        entry.check()?;
        ensure!(seen.insert(&entry.file), "it names {} twice", entry.file);
    }
    Ok(manifest)
}

impl Entry {
    fn check(&self) -> Result<()> {
        // One plain name: no directory, no `..`, nothing that rpm would take for an option or a pattern.
        plain(&self.file, "a package file")?;
        ensure!(
            self.file.ends_with(SUFFIX),
            "{} cannot be a package file: its name must end in {SUFFIX}",
            self.file
        );
        plain(&self.package, "a package")?;
        plain(&self.version, "a version")?;
        plain(&self.architecture, "an architecture")?;
        let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        ensure!(
            self.sha256.len() == 64 && self.sha256.chars().all(hex),
            "the SHA-256 of {} is `{}`: 64 hexadecimal digits in lower case were expected",
            self.file,
            text::safe(&self.sha256)
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A manifest of one file, with `from` replaced by `to`.
    fn parsed(from: &str, to: &str) -> Result<Manifest, String> {
        let sum = "0".repeat(64);
        let text = format!(
            r#"{{"schema":"mt-agent/manifest/v1","agent":"0.1.0","made":"2026-01-01T00:00:00Z","profile":"centos-6.6",
            "release":"CentOS release 6.6 (Final)","architecture":"x86_64","packages":["wget"],"files":[
            {{"file":"wget-1.12-5.el6.x86_64.rpm","size":7,"sha256":"{sum}","package":"wget","version":"1.12-5.el6",
            "architecture":"x86_64","role":"package","verified":"by yum"}}]}}"#
        );
        assert!(text.contains(from), "{from}");
        parse(&text.replacen(from, to, 1)).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_manifest_reads_back_as_it_was_written() {
        let manifest = parsed("", "").unwrap();
        assert_eq!((manifest.files[0].size, manifest.files[0].role), (7, Role::Package));
        assert_eq!(parse(&serde_json::to_string(&manifest).unwrap()).unwrap(), manifest);
    }

    #[test]
    fn a_name_is_one_plain_name() {
        for name in [
            "../wget.rpm",
            "/etc/wget.rpm",
            "a/b.rpm",
            "..",
            "-e.rpm",
            "",
            "a b.rpm",
            "*.rpm",
            "a\\u001b.rpm",
        ] {
            let error = parsed("wget-1.12-5.el6.x86_64.rpm", name).unwrap_err();
            assert!(
                error.contains("cannot be the name of a package file: letters, digits, "),
                "{name}: {error}"
            );
        }
        let error = parsed("wget-1.12-5.el6.x86_64.rpm", "passwd").unwrap_err();
        assert_eq!(error, "passwd cannot be a package file: its name must end in .rpm");
        let error = parsed("[\"wget\"]", "[\"--root=/\"]").unwrap_err();
        assert!(error.starts_with("`--root=/` cannot be the name of a package: "), "{error}");
    }

    #[test]
    fn what_is_wrong_is_told_in_one_line() {
        assert_eq!(
            parsed("manifest/v1", "manifest/v9").unwrap_err(),
            "its schema is `mt-agent/manifest/v9`, `mt-agent/manifest/v1` was expected: another version of the agent \
             made it"
        );
        let short = parsed(&"0".repeat(64), "00").unwrap_err();
        assert_eq!(
            short,
            "the SHA-256 of wget-1.12-5.el6.x86_64.rpm is `00`: 64 hexadecimal digits in lower case were expected"
        );
        assert!(parsed("\"size\":7,", "").unwrap_err().starts_with("it is damaged: missing field `size`"));
        assert!(
            parsed("\"size\":7,", "\"size\":7,\"mode\":1,").unwrap_err().contains("unknown field `mode`")
        );
        assert!(parse("half").unwrap_err().to_string().starts_with("it is no manifest"));
        let manifest = parsed("", "").unwrap();
        let mut twice = manifest.clone();
        twice.files.push(manifest.files[0].clone());
        let error = parse(&serde_json::to_string(&twice).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "it names wget-1.12-5.el6.x86_64.rpm twice");
    }
}
