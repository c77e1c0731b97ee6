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

/// Probes the device at `device`, which the caller has been able to open: blkid does not tell "nothing found"
/// from "could not be opened" by its status.
#[must_use]
pub fn signatures(host: &Host, device: &str) -> Signatures {
    let command = Command::new("blkid", ["-p", "-o", "export", device], DEADLINE);
    match command.run(host) {
        Ok(output) => interpret(&output, &command.line()),
        Err(failure) => Signatures::Unknown(failure.to_string()),
    }
}

/// What status and output of `blkid -p -o export` mean. Status 2 is "nothing found", and in old util-linux
/// "ambivalent" too (8 since), told only on standard error: whatever else is said there is a doubt.
pub(crate) fn interpret(output: &Output, line: &str) -> Signatures {
    let silent = |stream: &[u8]| stream.iter().all(u8::is_ascii_whitespace);
    let unknown = || match output.said() {
        said if said.is_empty() => {
            Signatures::Unknown(format!("`{line}` ended with status {}", output.status))
        }
        said => Signatures::Unknown(format!("`{line}` ended with status {}: {said}", output.status)),
    };
    if output.status == 8 || String::from_utf8_lossy(&output.stderr).contains("ambivalent") {
        return Signatures::Found(vec![
            "signatures that contradict each other (libblkid: ambivalent)".into(),
        ]);
    }
    match output.status {
        2 if silent(&output.stdout) && silent(&output.stderr) => Signatures::Nothing,
        0 => match described(&String::from_utf8_lossy(&output.stdout)) {
            found if found.is_empty() => unknown(),
            found => Signatures::Found(found),
        },
        _ => unknown(),
    }
}

/// The finds in the output, in words.
fn described(export: &str) -> Vec<String> {
    let value = |key: &str| {
        let line = export.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
        Some(text::safe(&unescaped(line)))
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
        let label = value("LABEL").map(|label| format!(" \"{label}\"")).unwrap_or_default();
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
    let keys = |line: &str| line.split_once('=').map(|(key, _)| key.to_owned());
    let other: Vec<_> = export.lines().filter_map(keys).filter(|key| key != "DEVNAME").collect();
    if found.is_empty() && !other.is_empty() {
        found.push(format!("a signature with {} (libblkid)", text::safe(&other.join(", "))));
    }
    found
}

/// blkid quotes for a shell: a backslash before what is special there.
fn unescaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        out.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    out
}

#[cfg(test)]
#[path = "blkid_tests.rs"]
mod tests;
