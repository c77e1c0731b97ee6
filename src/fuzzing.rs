//! What the fuzz targets (fuzz/) need of the parsers that are nobody else's business.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::changes::{fetch, multipath::edit};
use crate::facts::blank::blkid::{self, Signatures};
use crate::facts::scsi::{self, KnownId};
use crate::facts::{custom_changes, identity, network, processes, signature};
use crate::host::command::Output;
use crate::platform::packages;
use crate::profile::{self, Profile};
use crate::state::resume::Pending;
use crate::state::{retention, vendor_script};
use crate::steps;

pub use crate::facts::boot_loader::{parse_mbr, parse_partition};
pub use crate::facts::clock::{parse_btime, parse_uptime};
pub use crate::facts::cpu_memory::{parse_cpuinfo, parse_meminfo};
pub use crate::facts::custom_changes::parse_blacklist_script;
pub use crate::facts::network::{parse_hosts, parse_resolver};
pub use crate::facts::os::{parse_elf, parse_hostname, parse_release};
pub use crate::facts::site_agent::{parse_configuration, parse_version};
pub use crate::image::seal::edit as seal;
pub use edit::{check_hidden, with_id, with_wwid};

/// A profile from a text.
pub fn profile(text: &str) -> Result<Profile, String> {
    profile::from_text(text, "fuzz.yaml", &steps::ids()).map_err(|wrong| wrong.to_string())
}

/// The SCSI ID in page 0x83, or why there is none, with the serial number of page 0x80.
pub fn scsi_id(page_83: &[u8], page_80: &[u8]) -> Result<KnownId, String> {
    scsi::named("fuzz", page_83, || scsi::vpd::serial(page_80))
}

/// What an answer of `blkid -p -o udev` means.
pub fn blkid(status: i32, stdout: &[u8], stderr: &[u8]) -> Signatures {
    let output = Output { status, stdout: stdout.to_vec(), stderr: stderr.to_vec(), truncated: false };
    blkid::interpret(&output, "blkid")
}

/// A file system's signature as blkid prints it, in words.
pub fn signature(stdout: &str) -> String {
    signature::parse(stdout).to_string()
}

/// What `rpm -q` says of `names`.
/// Errors: It says nothing of one.
pub fn rpm_installed(stdout: &str, names: &[&str]) -> Result<BTreeMap<String, String>> {
    packages::parse_installed(stdout, names)
}

/// What `rpm -Kv` says: whether a signature was found good.
pub fn rpm_signature_is_good(stdout: &str) -> Result<bool> {
    Ok(matches!(packages::parse_signature(stdout)?, Some(packages::Signature::Good(_))))
}

/// The parsers of /proc that others have no use for.
pub fn proc(text: &str) {
    let _ = processes::parse(text);
}

/// Every kind of interface file.
pub fn interfaces(text: &str) {
    network::parse_every_kind(text);
}

/// What is kept of the vendor script's log.
pub fn log_tail(log: &str) -> String {
    custom_changes::words::judged(log)
}

/// Where a redirect from `base` leads.
pub fn redirect(base: &str, location: &str) -> Option<String> {
    fetch::resolve(base, location)
}

/// The proxy for `url` with `http_proxy=proxy` and `no_proxy=none`.
pub fn proxy(url: &str, proxy: &str, none: &str) -> Option<String> {
    let environment = |name: &str| match name {
        "http_proxy" => Some(proxy.to_owned()),
        "no_proxy" => Some(none.to_owned()),
        _ => None,
    };
    fetch::proxy::choose(url, &environment).map(|(proxy, _)| proxy)
}

/// Our own records, as strictly as they are read.
pub fn records(text: &str) {
    let _ = serde_json::from_str::<Pending>(text);
    let _ = serde_json::from_str::<vendor_script::Record>(text);
    let _ = serde_json::from_str::<retention::Record>(text);
    let _ = serde_json::from_str::<identity::Record>(text);
    let _ = identity::public_key(text);
}

/// The names of files that a collection's manifest, if it is one, has opened.
pub fn manifest(text: &str) -> Vec<String> {
    let manifest = crate::changes::collection::manifest::parse(text);
    manifest.map(|manifest| manifest.files.into_iter().map(|entry| entry.file).collect()).unwrap_or_default()
}
