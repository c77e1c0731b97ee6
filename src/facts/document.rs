//! The document that `mt-agent facts` prints, and what reads it.

use anyhow::{Context, anyhow, bail, ensure};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::{
    Fact, blank, boot_entry, boot_loader, clock, cpu_memory, custom_changes, device_nodes, disks, dmi,
    filesystems, fstab, guest_info, identity, journal, mounts, multipath, network, os, packages, records,
    retention, site_agent, storage, strays, swaps, tools,
};
use crate::host::text;

/// The version of the document that `mt-agent facts` prints.
pub const SCHEMA: &str = "mt-agent/facts/v1";

/// Everything that was read from one host: the document of `mt-agent facts`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// The version of the agent that read them.
    pub agent: String,
    /// When they were read, RFC 3339, UTC.
    pub recorded_at: String,
    /// Whether they were read as root: without it, devices and some files cannot be.
    pub privileged: bool,
    /// The kernel's random id of this boot; two boots never share one.
    pub boot_id: Fact<String>,
    /// Release, architecture, names.
    pub os: os::Os,
    /// What the firmware says of the machine.
    pub dmi: Fact<dmi::Dmi>,
    /// Memory and processors.
    pub cpu_memory: cpu_memory::CpuMemory,
    /// Time and who keeps it.
    pub clock: clock::Clock,
    /// The nodes in /dev that every program expects.
    #[serde(default = "Fact::not_read")]
    pub device_nodes: Fact<Vec<device_nodes::DeviceNode>>,
    /// Every whole disk.
    pub disks: Fact<Vec<disks::Disk>>,
    /// Every storage controller on the PCI bus, with or without disks.
    pub controllers: Fact<Vec<disks::Controller>>,
    /// What is mounted now.
    pub mounts: Fact<Vec<mounts::Mount>>,
    /// Whether the devices that are mounted answer.
    #[serde(default = "storage::not_read")]
    pub storage: Fact<Vec<storage::Storage>>,
    /// What is to be mounted at boot.
    pub fstab: Fact<Vec<fstab::Entry>>,
    /// The lines of fstab that look like entries and are passed over at boot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fstab_ignored: Vec<fstab::Ignored>,
    /// Active swap.
    pub swaps: Fact<Vec<swaps::Swap>>,
    /// File systems by UUID and label, as udev links them.
    pub filesystems: Fact<filesystems::Filesystems>,
    /// The boot loader on the disk that carries `/`.
    pub boot_loader: Fact<boot_loader::BootLoader>,
    /// What the boot loader of CentOS 6 starts by itself; nothing where another starts the machine.
    #[serde(default = "Fact::not_read")]
    pub boot_entry: Fact<Option<boot_entry::BootEntry>>,
    /// Services that are installed, that a master target needs, and that nothing starts at boot.
    #[serde(default = "Fact::not_read")]
    pub services_off: Fact<Vec<String>>,
    /// Interfaces, resolver, hosts file.
    pub network: network::Network,
    /// The package database.
    pub packages: Fact<packages::Packages>,
    /// VMware Tools or open-vm-tools.
    pub tools: Fact<tools::Tools>,
    /// Multipath configuration and maps.
    pub multipath: multipath::Multipath,
    /// What the vendor script left.
    pub custom_changes: custom_changes::CustomChanges,
    /// The installed Site Recovery software.
    pub site_agent: Fact<site_agent::SiteAgent>,
    /// What tells this machine from another, and from its image.
    #[serde(default)]
    pub identity: identity::Identity,
    /// The records of this machine that `state repair` has set aside.
    #[serde(default = "records::nothing_set_aside")]
    pub records_set_aside: Fact<Vec<String>>,
    /// What the journal shows of records that may be lost.
    #[serde(default = "journal::not_read")]
    pub journal: Fact<journal::Journal>,
    /// Our record of the retention disk.
    pub retention_record: Fact<Option<retention::Record>>,
    /// What lies at the mount point of the retention volume, while nothing is mounted there.
    #[serde(default = "Fact::not_read")]
    pub strays: Fact<strays::Strays>,
    /// The SCSI ID of the retention disk in the VM's configuration, where it was asked for (`plan`, `apply`).
    #[serde(default = "guest_info::not_asked")]
    pub guest_retention_disk: Fact<Option<String>>,
    /// Whether the named servers answer.
    pub servers: Vec<network::Server>,
    /// The result of probing disks, when it was asked for (`disks --probe`, `plan`, `apply`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub probes: Vec<blank::Probe>,
}

/// The longest recording that is accepted, in bytes.
pub const LONGEST: usize = 64 << 20;

/// Reads a document that `mt-agent facts` printed. Keys that a later version added are passed over.
/// Errors: One line: it is too long, not JSON, no object, of another schema, or lacks something.
pub fn parse(text: &str) -> anyhow::Result<Facts> {
    /// What tells one kind of document from another.
    #[derive(Deserialize)]
    struct Head {
        schema: Option<serde_json::Value>,
    }
    if text.len() > LONGEST {
        bail!("the recording is {} bytes long; at most {LONGEST} are accepted", text.len());
    }
    // Editors of Windows put a byte order mark before it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str::<IgnoredAny>(text)
        .map_err(message)
        .context("the recording is not a JSON document")?;
    // serde would take a list for the values of the keys.
    ensure!(
        text.trim_start().starts_with('{'),
        "it is no recording of facts: an object with the key `schema` was expected (what `mt-agent facts` prints)"
    );
    let head: Head = serde_json::from_str(text).map_err(message).context("it is no recording of facts")?;
    match head.schema.as_ref().map(|schema| schema.as_str().unwrap_or("something that is not text")) {
        Some(SCHEMA) => {}
        Some(other) => bail!(
            "the recording's schema is `{}`; `{SCHEMA}` was expected (what `mt-agent facts` prints)",
            text::safe(&other.chars().take(60).collect::<String>())
        ),
        None => {
            bail!("the recording has no `schema`; `{SCHEMA}` was expected (what `mt-agent facts` prints)")
        }
    }
    serde_json::from_str(text)
        .map_err(message)
        .context("the recording does not hold what its schema promises")
}

/// The characters that are left at either end of what serde says, which repeats values whole.
const LONGEST_END: usize = 100;

/// What serde says, without the names of our types.
fn message(error: serde_json::Error) -> anyhow::Error {
    // Before the cut, which could part a secret from what tells that it is one. Of a long line the masker hides the end, where
    // serde says what it expected.
    let error = error.to_string();
    let (found, expected) = error.split_at(error.rfind(", expected ").unwrap_or(error.len()));
    let [found, expected] = [found, expected].map(text::without_secrets);
    let error = found + &expected;
    let mut words = error.split(' ');
    let mut kept = Vec::new();
    while let Some(word) = words.next() {
        if word == "struct" && kept.last() == Some(&"expected") {
            words.next();
            kept.push("an object");
        } else {
            kept.push(word);
        }
    }
    let kept: Vec<char> = kept.join(" ").chars().collect();
    if kept.len() <= 2 * LONGEST_END {
        return anyhow!("{}", kept.iter().collect::<String>());
    }
    let (start, end) = (&kept[..LONGEST_END], &kept[kept.len() - LONGEST_END..]);
    anyhow!("{} ... {}", start.iter().collect::<String>(), end.iter().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::super::{gather, testing};
    use super::*;
    use crate::host::Host;

    fn of_an_empty_tree() -> Facts {
        let dir = tempfile::tempdir().unwrap();
        gather::gather(&Host::image(dir.path()), &gather::Wanted::default())
    }

    #[test]
    fn what_is_no_recording_of_ours_is_refused_in_one_line() {
        for (text, expected) in [
            ("", "the recording is not a JSON document: EOF while parsing a value at line 1 column 0"),
            ("[]x", "the recording is not a JSON document: "),
            ("[]", "it is no recording of facts: an object with the key `schema` was expected"),
            (r#"["mt-agent/facts/v1"]"#, "it is no recording of facts: an object with the key `schema` was"),
            ("7", "it is no recording of facts: an object with the key `schema` was expected"),
            (r#"{"schema":1,"schema":2}"#, "it is no recording of facts: duplicate field `schema`"),
            ("\u{feff}{}", "the recording has no `schema`; `mt-agent/facts/v1` was expected"),
            ("{}", "the recording has no `schema`; `mt-agent/facts/v1` was expected"),
            (
                r#"{"schema":"mt-agent/report/v1"}"#,
                "the recording's schema is `mt-agent/report/v1`; `mt-agent/facts/v1` was",
            ),
            (r#"{"schema":7}"#, "the recording's schema is `something that is not text`; "),
            (
                r#"{"schema":"mt-agent/facts/v1"}"#,
                "the recording does not hold what its schema promises: missing field `agent`",
            ),
        ] {
            let error = format!("{:#}", parse(text).unwrap_err());
            assert!(error.starts_with(expected) && error.lines().count() == 1, "{error}");
        }
        let mut json = serde_json::to_value(of_an_empty_tree()).unwrap();
        json["os"] = "x ".repeat(10_000).into();
        let error = format!("{:#}", parse(&json.to_string()).unwrap_err());
        assert!(error.contains("invalid type: string \"x x ") && error.len() < 300, "{error}");
        assert!(error.contains("***, expected an object at line 1 column "), "{error}");
        let long = format!("{error:#}", error = parse(&" ".repeat(LONGEST + 1)).unwrap_err());
        assert_eq!(long, "the recording is 67108865 bytes long; at most 67108864 are accepted");
    }

    #[test]
    fn keys_of_a_later_version_are_passed_over_and_damage_is_no_panic() {
        let facts = of_an_empty_tree();
        let mut json = serde_json::to_value(&facts).unwrap();
        json["later"] = serde_json::json!({"a": [1]});
        json["clock"]["later"] = serde_json::json!(true);
        let text = json.to_string();
        assert_eq!(parse(&text).unwrap(), facts);
        assert_eq!(parse(&format!("\u{feff}{text}")).unwrap(), facts);
        testing::damage(&text, |text| drop(parse(text)));
    }
}
