//! A profile as a file that can be loaded again, and as JSON; both say where each value came from.

mod differences;

pub use differences::differences;

use std::fmt::Write;
use std::time::Duration;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::decode::below;
use super::model::{FileSpec, Installation, Profile, Server};
use super::values::{Size, Span};
use crate::host::text::{hex, safe, without_secrets};

/// The version of the JSON document.
const SCHEMA: &str = "mt-agent/profile/v1";

/// The column at which origins begin, where a line is not longer.
const COLUMN: usize = 60;

/// The profile as YAML that can be loaded, with a comment on every value that says where it came from.
/// Credentials in addresses are masked.
#[must_use]
pub fn show(profile: &Profile) -> String {
    let mut out = format!("# {}, complete\n", safe(&profile.name));
    for (key, value) in entries(profile) {
        write_value(&mut out, 0, key, &value, key, &|path| Some(origin(profile, path)));
    }
    out
}

/// The profile as JSON: its values under the keys of the file format, and where each came from.
/// Credentials in addresses are masked.
#[must_use]
pub fn to_json(profile: &Profile) -> Value {
    let values: Map<_, _> =
        entries(profile).into_iter().map(|(key, item)| (key.into(), item.json())).collect();
    let origins: Map<_, _> =
        leaves(profile).into_iter().map(|path| (path.clone(), origin(profile, &path).into())).collect();
    json!({"schema": SCHEMA, "name": profile.name, "profile": values, "origins": origins})
}

/// SHA-256 (lower-case hex) of all values of the profile, wherever they came from: another one is another profile.
#[must_use]
pub fn digest(profile: &Profile) -> String {
    let values: Vec<_> = values(profile).into_iter().map(|(key, item)| json!([key, item.json()])).collect();
    hex(&Sha256::digest(Value::from(values).to_string()))
}

/// A value, with mappings in the order of the file format.
enum Item {
    Leaf(Value),
    List(Vec<Item>),
    Map(Vec<(&'static str, Item)>),
}

/// The values as they may be shown.
fn entries(profile: &Profile) -> Vec<(&'static str, Item)> {
    values(profile).into_iter().map(|(key, item)| (key, item.masked())).collect()
}

impl Item {
    fn masked(self) -> Self {
        match self {
            Self::Leaf(Value::String(text)) => Self::Leaf(without_secrets(&text).into()),
            Self::Leaf(value) => Self::Leaf(value),
            Self::List(items) => Self::List(items.into_iter().map(Self::masked).collect()),
            Self::Map(entries) => {
                Self::Map(entries.into_iter().map(|(key, item)| (key, item.masked())).collect())
            }
        }
    }

    fn json(self) -> Value {
        match self {
            Self::Leaf(value) => value,
            Self::List(items) => items.into_iter().map(Self::json).collect(),
            Self::Map(entries) => {
                Value::Object(entries.into_iter().map(|(key, item)| (key.into(), item.json())).collect())
            }
        }
    }
}

fn text(text: impl AsRef<str>) -> Item {
    Item::Leaf(text.as_ref().into())
}

fn path(path: &std::path::Path) -> Item {
    text(path.to_string_lossy())
}

fn option<T>(value: Option<T>, item: impl Fn(T) -> Item) -> Item {
    value.map_or(Item::Leaf(Value::Null), item)
}

fn leaf(value: impl Into<Value>) -> Item {
    Item::Leaf(value.into())
}

fn size(bytes: u64) -> Item {
    Item::Leaf(serde_json::to_value(Size(bytes)).unwrap_or_else(|_| bytes.into()))
}

fn span(time: Duration) -> Item {
    Item::Leaf(serde_json::to_value(Span(time)).unwrap_or_else(|_| time.as_secs().into()))
}

fn texts(list: &[String]) -> Item {
    Item::List(list.iter().map(text).collect())
}

fn files(list: &[FileSpec]) -> Item {
    let file = |file: &FileSpec| {
        Item::Map(vec![
            ("package", text(&file.package)),
            ("file", text(&file.file)),
            ("urls", texts(&file.urls)),
            ("sha256", option(file.sha256.as_ref(), text)),
        ])
    };
    Item::List(list.iter().map(file).collect())
}

fn server(server: Option<&Server>) -> Item {
    option(server, |server| Item::Map(vec![("address", text(&server.address)), ("port", leaf(server.port))]))
}

/// The keys of the file format with the values of `profile`.
fn values(profile: &Profile) -> Vec<(&'static str, Item)> {
    let Profile {
        name,
        description,
        os,
        sizing,
        layout,
        network,
        hypervisor,
        packages,
        sources,
        files: kept,
        custom_changes,
        retention,
        site,
        installation,
        waivers,
        origins: _,
    } = profile;
    let partitions = layout
        .partitions
        .iter()
        .map(|item| Item::Map(vec![("mount", text(&item.mount)), ("type", text(&item.fs_type))]))
        .collect();
    let waivers = waivers
        .iter()
        .map(|waiver| {
            let mut entries =
                vec![("requirement", text(&waiver.requirement)), ("reason", text(&waiver.reason))];
            entries.extend(waiver.approved_by.as_ref().map(|who| ("approved-by", text(who))));
            entries.push(("until", text(waiver.until.to_string())));
            Item::Map(entries)
        })
        .collect();
    let unverified = if kept.accept_unverified { "install-without-verification" } else { "refuse" };
    let described = Some(description).filter(|text| !text.is_empty());
    vec![
        ("name", text(name)),
        ("description", option(described, text)),
        (
            "os",
            Item::Map(vec![
                ("release", text(&os.release)),
                ("architecture", text(&os.architecture)),
                ("timezone", option(os.timezone.as_ref(), text)),
            ]),
        ),
        (
            "sizing",
            Item::Map(vec![
                ("memory", size(sizing.memory_bytes)),
                ("cpus", leaf(sizing.cpus)),
                ("os-disk", size(sizing.os_disk_bytes)),
            ]),
        ),
        (
            "layout",
            Item::Map(vec![
                ("partitions", Item::List(partitions)),
                ("swap", leaf(layout.swap)),
                ("root-on-lvm", leaf(layout.root_on_lvm)),
            ]),
        ),
        ("network", Item::Map(vec![("static-address", leaf(network.static_address))])),
        ("hypervisor", Item::Map(vec![("max-disks", leaf(hypervisor.max_disks))])),
        (
            "packages",
            Item::Map(vec![
                ("base", texts(&packages.base)),
                ("multipath", texts(&packages.multipath)),
                ("lock-timeout", span(packages.lock_timeout)),
                ("deadline", span(packages.deadline)),
            ]),
        ),
        ("sources", Item::Map(vec![("reiserfs", leaf(sources.reiserfs)), ("xfs", leaf(sources.xfs))])),
        (
            "files",
            Item::Map(vec![
                ("directory", path(&kept.directory)),
                ("from", option(kept.from.as_deref(), path)),
                ("ca-file", option(kept.ca_file.as_deref(), path)),
                ("deadline", span(kept.deadline)),
                ("unverified", text(unverified)),
                ("reiserfs", files(&kept.reiserfs)),
                ("xfs", files(&kept.xfs)),
            ]),
        ),
        (
            "custom-changes",
            Item::Map(vec![
                ("archive", option(custom_changes.archive.as_deref(), path)),
                ("sha256", option(custom_changes.sha256.as_ref(), text)),
                ("script", text(&custom_changes.script)),
                ("marker", path(&custom_changes.marker)),
                ("log", path(&custom_changes.log)),
                ("work-directory", path(&custom_changes.work_directory)),
                ("stage", text(if custom_changes.in_image { "image" } else { "machine" })),
                ("deadline", span(custom_changes.deadline)),
            ]),
        ),
        (
            "retention",
            Item::Map(vec![
                ("disk", option(retention.disk.as_ref(), text)),
                ("mount-point", text(&retention.mount_point)),
                ("filesystem", text(&retention.fs_type)),
                ("capacity", size(retention.capacity_bytes)),
                ("free-percent", leaf(retention.free_percent)),
            ]),
        ),
        (
            "site",
            Item::Map(vec![
                ("configuration-server", server(site.configuration_server.as_ref())),
                ("process-server", server(site.process_server.as_ref())),
                ("configuration-server-version", option(site.configuration_server_version.as_ref(), text)),
            ]),
        ),
        ("installation", Item::Map(answers(installation))),
        ("waivers", Item::List(waivers)),
    ]
}

fn answers(installation: &Installation) -> Vec<(&'static str, Item)> {
    let sizes = installation
        .sizes
        .iter()
        .map(|item| Item::Map(vec![("mount", text(&item.mount)), ("size", size(item.bytes))]))
        .collect();
    vec![
        ("language", text(&installation.language)),
        ("keyboard", text(&installation.keyboard)),
        ("source", text(installation.source.name())),
        ("disk", text(&installation.disk)),
        ("boot-loader", text(installation.boot_loader.name())),
        ("sizes", Item::List(sizes)),
        ("grow", option(installation.grow.as_ref(), text)),
        ("swap", option(installation.swap_bytes, size)),
        ("network", text(installation.network.name())),
        ("interface", text(&installation.interface)),
        ("hostname", option(installation.hostname.as_ref(), text)),
        ("address", option(installation.address.as_ref(), text)),
        ("gateway", option(installation.gateway, |address| text(address.to_string()))),
        ("dns", Item::List(installation.dns.iter().map(|address| text(address.to_string())).collect())),
        ("ipv6", leaf(installation.ipv6)),
        ("root-hash-file", option(installation.root_hash_file.as_deref(), path)),
        ("agent", option(installation.agent.as_ref(), text)),
        ("agent-sha256", option(installation.agent_sha256.as_ref(), text)),
        ("finish", text(installation.finish.name())),
    ]
}

fn origin(profile: &Profile, path: &str) -> String {
    profile.origins.get(path).map_or_else(|| "default".into(), |origin| safe(&without_secrets(origin)))
}

/// The paths of all values that are neither list nor mapping, and of empty lists.
fn leaves(profile: &Profile) -> Vec<String> {
    fn walk(path: String, item: &Item, out: &mut Vec<String>) {
        match item {
            Item::Leaf(_) => out.push(path),
            Item::List(items) if items.is_empty() => out.push(path),
            Item::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    walk(format!("{path}[{index}]"), item, out);
                }
            }
            Item::Map(entries) => {
                for (key, item) in entries {
                    walk(below(&path, key), item, out);
                }
            }
        }
    }
    let mut out = Vec::new();
    for (key, item) in entries(profile) {
        walk(key.to_owned(), &item, &mut out);
    }
    out
}

/// What is said of the value at a path in a comment, if anything.
type Remark<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Writes `lead` (a key, or the dash of a list) and its value, `indent` spaces in.
fn write_value(out: &mut String, indent: usize, lead: &str, item: &Item, path: &str, remark: Remark<'_>) {
    let pad = " ".repeat(indent);
    let key = if lead == "-" { "-".to_owned() } else { format!("{lead}:") };
    match item {
        Item::Leaf(value) => {
            write_line(out, &format!("{pad}{key} {}", scalar(value)), remark(path));
        }
        Item::List(items) if items.is_empty() => {
            write_line(out, &format!("{pad}{key} []"), remark(path));
        }
        Item::List(items) => {
            let _ = writeln!(out, "{pad}{key}");
            for (index, item) in items.iter().enumerate() {
                write_value(out, indent + 2, "-", item, &format!("{path}[{index}]"), remark);
            }
        }
        Item::Map(entries) => {
            // The first key of a list's item stands beside the dash.
            let beside = lead == "-";
            if !beside {
                let _ = writeln!(out, "{pad}{key}");
            }
            for (index, (key, item)) in entries.iter().enumerate() {
                let start = out.len();
                write_value(out, indent + 2, key, item, &below(path, key), remark);
                if beside && index == 0 {
                    out.replace_range(start + indent..=start + indent, "-");
                }
            }
        }
    }
}

fn write_line(out: &mut String, line: &str, remark: Option<String>) {
    let _ = match remark {
        Some(remark) => writeln!(out, "{line:<COLUMN$}  # {remark}"),
        None => writeln!(out, "{line}"),
    };
}

/// A scalar in YAML that any reader of YAML 1.1 or 1.2 takes for what it is.
fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) if plain(text) => text.clone(),
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

/// Whether `text` needs no quotes: words, paths, addresses, and sizes such as `6 GB`.
fn plain(text: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty()
            && !word.ends_with(':')
            && word.chars().all(|c| c.is_ascii_alphanumeric() || "/._+-:()@%=~,".contains(c))
    };
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || b"._+-:eExXoO".contains(&byte));
    // 36000c29… is text, but 3e5 and 12:30:45 are not, everywhere.
    let like_a_number = text.chars().next().is_none_or(|c| !(c.is_ascii_alphabetic() || c == '/'))
        && (number(text) || text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'.'));
    let reserved = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let begins_well = text.chars().next().is_some_and(|c| c.is_ascii_alphanumeric() || c == '/');
    begins_well
        && !like_a_number
        && !reserved.contains(&text.to_ascii_lowercase().as_str())
        && text.split(' ').all(word)
}

/// `text` in double quotes.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            // What is not shown as itself is not written as itself: a comment or a quote could hide behind it.
            c if safe(c.encode_utf8(&mut [0; 4])).chars().ne([c]) => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
