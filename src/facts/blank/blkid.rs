//! `blkid -p`: what libblkid recognises on a device.

use std::time::Duration;

use crate::host::Host;
use crate::host::command::{Command, Output};
use crate::host::text;

const DEADLINE: Duration = Duration::from_secs(60);

/// What libblkid says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signatures {
    /// It found nothing.
    Nothing,
    /// What it found: `ext4 file system "data" (libblkid)`.
    Found(Vec<String>),
    /// It could not tell, and why; never to be taken for nothing.
    Unknown(String),
}

/// Probes the device at `device`, which the caller has been able to open: blkid does not say "nothing found"
/// from "could not be opened" by its status.
pub fn signatures(host: &Host, device: &str) -> Signatures {
    // Not `-o export`, which came with util-linux 2.18: CentOS 6 has 2.17.2, whose udev rules rely on this one.
    let command = Command::new("blkid", ["-p", "-o", "udev", device], DEADLINE).only_looks();
    match command.run(host) {
        Ok(output) => interpret(&output, &command.line()),
        Err(failure) => Signatures::Unknown(failure.to_string()),
    }
}

/// What status and output of `blkid -p -o udev` mean. Status 2 is "nothing found", and in old util-linux
/// "ambivalent" too (8 since), told beside it: whatever else is said is a doubt.
pub(crate) fn interpret(output: &Output, line: &str) -> Signatures {
    let silent = |stream: &[u8]| stream.iter().all(u8::is_ascii_whitespace);
    let unknown = || match output.message() {
        message if message.is_empty() => {
            Signatures::Unknown(format!("`{line}` ended with status {}", output.status))
        }
        message => Signatures::Unknown(format!("`{line}` ended with status {}: {message}", output.status)),
    };
    let stdout = String::from_utf8_lossy(&output.stdout);
    // Without its last letter in util-linux-ng 2.17.2, that of CentOS 6.
    let is_ambivalent = stdout.contains("ID_FS_AMBIVALENT=")
        || stdout.contains("ID_FS_AMBIVALEN=")
        || String::from_utf8_lossy(&output.stderr).contains("ambivalent");
    if output.status == 8 || is_ambivalent {
        return Signatures::Found(vec![
            "signatures that contradict each other (libblkid: ambivalent)".into(),
        ]);
    }
    match output.status {
        2 if silent(&output.stdout) && silent(&output.stderr) => Signatures::Nothing,
        0 => match described(&stdout) {
            found if found.is_empty() => unknown(),
            found => Signatures::Found(found),
        },
        _ => unknown(),
    }
}

/// The finds in the output, in words.
fn described(udev: &str) -> Vec<String> {
    let tags: Vec<(String, &str)> = udev.lines().filter_map(tag).collect();
    let value = |wanted: &str| {
        let (_, value) = tags.iter().find(|(name, _)| name == wanted)?;
        Some(text::safe(&unescaped(value)))
    };
    let mut found = Vec::new();
    if let Some(table) = value("PTTYPE") {
        let name = match table.as_str() {
            "dos" => "MBR",
            "gpt" => "GPT",
            other => other,
        };
        found.push(format!("{name} partition table (libblkid)"));
    }
    if let Some(kind) = value("TYPE") {
        let label = value("LABEL_ENC")
            .or_else(|| value("LABEL"))
            .map(|label| format!(" \"{label}\""))
            .unwrap_or_default();
        let what = match (kind.as_str(), value("USAGE").as_deref()) {
            ("swap", _) => "swap area".into(),
            ("LVM2_member" | "LVM1_member", _) => "LVM physical volume".into(),
            ("linux_raid_member", _) => "RAID member".into(),
            (_, Some("filesystem")) => format!("{kind} file system"),
            (_, Some("raid")) => format!("{kind} RAID member"),
            (_, Some("crypto")) => format!("{kind} encrypted volume"),
            _ => format!("{kind} signature"),
        };
        found.push(format!("{what}{label} (libblkid)"));
    }
    let other: Vec<_> =
        tags.iter().map(|(name, _)| name.as_str()).filter(|name| !name.ends_with("_ENC")).collect();
    if found.is_empty() && !other.is_empty() {
        found.push(format!("a signature with {} (libblkid)", text::safe(&other.join(", "))));
    }
    found
}

/// A line `ID_FS_TYPE=ext4` as libblkid's own name of the tag and its value; what has no such name is no tag.
fn tag(line: &str) -> Option<(String, &str)> {
    let (name, value) = line.split_once('=')?;
    if !name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_') {
        return None;
    }
    let name = name.strip_prefix("ID_").unwrap_or(name);
    let name = match name.strip_prefix("PART_TABLE_") {
        Some(rest) => format!("PT{rest}"),
        None => name.strip_prefix("FS_").unwrap_or(name).to_owned(),
    };
    Some((name, value))
}

/// udev's values have `\x20` for what is not a plain character.
fn unescaped(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find("\\x") {
        let code = rest.get(at + 2..at + 4).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let (keep, skip) = if code.is_some() { (at, at + 4) } else { (at + 2, at + 2) };
        bytes.extend_from_slice(&rest.as_bytes()[..keep]);
        bytes.extend(code);
        rest = &rest[skip..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
#[path = "blkid_tests.rs"]
mod tests;
