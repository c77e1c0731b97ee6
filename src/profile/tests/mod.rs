//! Tests of the whole room: the built-in profile, the refusal of wrong ones, and that no input can do harm.

mod chain;
mod hostile;
mod wrong;

use std::path::Path;

use serde_json::Value;

use super::*;
use crate::host::Host;

/// The built-in default.
fn default() -> Profile {
    load(Some(DEFAULT), &Host::live(), &[], Writers::Root).unwrap()
}

#[test]
fn the_default_says_what_the_procedure_says() {
    let profile = default();
    assert_eq!(profile.os.release, "CentOS release 6.6 (Final)");
    assert_eq!(
        (profile.sizing.memory.bytes(), profile.sizing.cpus.get(), profile.sizing.os_disk.bytes()),
        (6 << 30, 4, 100 << 30)
    );
    let partitions: Vec<_> =
        profile.layout.partitions.iter().map(|item| (&*item.mount, item.fs_type.name())).collect();
    assert_eq!(partitions, [("/", "ext4"), ("/var/crash", "ext4"), ("/home", "ext4")]);
    assert!(profile.layout.swap && !profile.layout.root_on_lvm);
    assert_eq!(profile.packages.base, ["xfsprogs", "perl", "lsscsi", "rsync", "wget", "kexec-tools"]);
    assert_eq!(profile.packages.multipath, ["device-mapper-multipath"]);
    assert!(!profile.files.unverified.is_accepted());
    let files: Vec<_> = profile.files.reiserfs.iter().chain(&profile.files.xfs).collect();
    let names: Vec<_> = files.iter().map(|file| &*file.file).collect();
    assert_eq!(
        names,
        [
            "kmod-reiserfs-0.0-1.el6.elrepo.x86_64.rpm",
            "reiserfs-utils-3.6.21-1.el6.elrepo.x86_64.rpm",
            "xfsprogs-3.1.1-16.el6.x86_64.rpm"
        ]
    );
    for file in files {
        assert!(file.urls.iter().all(|url| url.ends_with(&format!("/{}", file.file))), "{file:?}");
        // Whoever can, uses HTTPS.
        let plain = file.urls.iter().position(|url| url.starts_with("http:")).unwrap();
        assert!(plain > 0 && file.urls[plain..].iter().all(|url| url.starts_with("http:")), "{file:?}");
    }
    let custom = &profile.custom_changes;
    assert_eq!(custom.archive.as_deref(), Some(Path::new("/root/latestlinuxmobsvc.tar.gz")));
    assert_eq!(*custom.marker, *Path::new("/etc/.appliedmtcustomchanges"));
    assert!(!custom.work_directory.starts_with("/usr/local"));
    assert_eq!(
        (&*profile.retention.mount_point, profile.retention.filesystem.name()),
        ("/mnt/retention", "ext4")
    );
    assert_eq!((profile.retention.capacity.bytes(), &profile.retention.disk), (1 << 40, &None));
    assert_eq!((&profile.site, profile.hypervisor.max_disks.get()), (&Site::default(), 60));
    assert!(profile.waivers.is_empty());
}

#[test]
fn what_is_shown_can_be_loaded_and_says_the_same() {
    let profile = default();
    let mut again = load::from_text(&show(&profile), "p.yaml", &[]).unwrap();
    let line = show(&profile).lines().position(|line| line.starts_with("  capacity: 1 TB ")).unwrap() + 1;
    assert_eq!(again.origins["retention.capacity"], format!("p.yaml:{line}"));
    again.origins.clone_from(&profile.origins);
    assert_eq!(again, profile);
}

#[test]
fn a_digest_is_of_the_real_values_and_what_is_shown_is_masked() {
    let [one, other] = ["S3cr3t", "0th3r"].map(|word| {
        let url = format!("https://backup:{word}@files.example/x-1-1.x86_64.rpm");
        let file = format!("{{ package: x, file: x-1-1.x86_64.rpm, urls: ['{url}'] }}");
        load::from_text(&format!("extends: centos-6.6\nfiles:\n  xfs: [{file}]\n"), "p.yaml", &[]).unwrap()
    });
    assert_ne!(digest(&one), digest(&other));
    assert_eq!(digest(&one), digest(&one.clone()));
    assert_eq!(to_json(&one), to_json(&other));
    assert!(!show(&one).contains("S3cr3t") && show(&one).contains("***@files.example"), "{}", show(&one));
}

#[test]
fn every_shown_value_says_where_it_came_from() {
    let profile = default();
    for line in show(&profile).lines().skip(1) {
        let heading = line.ends_with(':');
        assert!(heading || line.ends_with("  # built-in centos-6.6"), "{line}");
    }
    let json = to_json(&profile);
    assert_eq!(json["schema"], "mt-agent/profile/v1");
    assert_eq!(json["profile"]["sizing"]["memory"], "6 GB");
    assert_eq!(json["profile"]["files"]["xfs"][0]["sha256"], Value::Null);
    assert_eq!(json["origins"]["layout.partitions[1].mount"], "built-in centos-6.6");
}

#[test]
fn odd_texts_are_shown_so_that_they_can_be_read_again() {
    let text = r#"
extends: centos-6.6
name: "null"
description: "a # b: 'c' \"d\" \\ \u2028 é \U0001F600 \u202e"
sizing: {memory: 1025, os-disk: 1536 MB}
packages: {base: ["007", "1e3", no-such, "yes", "12"], lock-timeout: 90s, deadline: 120s}
files:
  xfs:
    - package: xfsprogs
      file: xfsprogs-1.x86_64.rpm
      urls: ["https://user:pass,word@mirror.example/x?a=b#c"]
retention: {disk: 36000c2982b5df41a25811b07e74971e8}
site:
  configuration-server: {address: "fe80::1"}
  configuration-server-version: "9.10"
waivers:
  - requirement: sizing.memory
    reason: >
      the cluster is extended
      in March
    approved-by: "A. Person, storage team"
    until: "2026-03-31"
"#;
    let profile = load::from_text(text, "p.yaml", &["sizing.memory"]).unwrap();
    assert_eq!(profile.waivers[0].reason, "the cluster is extended in March");
    assert_eq!(profile.waivers[0].approved_by.as_deref(), Some("A. Person, storage team"));
    let shown = show(&profile);
    assert!(!shown.contains("pass,word") && shown.contains("https://***@mirror.example/x?a=b#c"), "{shown}");
    assert!(!to_json(&profile).to_string().contains("pass,word"));
    assert!(!shown.contains('\u{202e}') && !shown.contains('\u{2028}'), "{shown}");
    let again = load::from_text(&shown, "again.yaml", &["sizing.memory"]).unwrap();
    assert_eq!(again.description, profile.description);
    assert_eq!(again.packages, profile.packages);
    assert_eq!(again.sizing, profile.sizing);
    assert_eq!(again.site, profile.site);
    assert_eq!((again.waivers, again.retention), (profile.waivers, profile.retention));
}

#[test]
fn a_waiver_holds_to_the_end_of_its_last_day() {
    use time::macros::date;
    let waiver = Waiver {
        requirement: "sizing.cpus".parse().unwrap(),
        reason: "x".parse().unwrap(),
        approved_by: None,
        until: date!(2026 - 03 - 31).into(),
    };
    assert!(waiver.holds(date!(2026 - 03 - 30)) && waiver.holds(date!(2026 - 03 - 31)));
    assert!(!waiver.holds(date!(2026 - 04 - 01)));
}

#[test]
fn every_key_of_the_default_is_in_the_schema_and_every_key_of_the_schema_in_the_default() {
    fn walk(schema: &Value, root: &Value, value: &serde_yaml::Value, path: &str) {
        let schema = match schema["$ref"].as_str().and_then(|path| path.strip_prefix('#')) {
            Some(pointer) => root.pointer(pointer).unwrap(),
            None => schema,
        };
        match value {
            serde_yaml::Value::Mapping(entries) => {
                assert_eq!(schema["additionalProperties"], false, "{path}");
                let known = schema["properties"].as_object().unwrap();
                for (key, value) in entries {
                    let key = key.as_str().unwrap();
                    let inner = known.get(key).unwrap_or_else(|| panic!("{path}.{key} is not in the schema"));
                    walk(inner, root, value, &format!("{path}.{key}"));
                }
                for (key, property) in known {
                    assert!(property["description"].is_string(), "{path}.{key}");
                    let there = entries.contains_key(key.as_str());
                    assert!(there || key == "extends", "{path}.{key} is not in the default");
                }
            }
            serde_yaml::Value::Sequence(items) => {
                items.iter().for_each(|item| walk(&schema["items"], root, item, &format!("{path}[]")));
            }
            _ => {}
        }
    }
    let schema = schema();
    let value = serde_yaml::from_str(builtin(DEFAULT).unwrap()).unwrap();
    walk(&schema, &schema, &value, "");
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(
        schema["then"]["properties"]["os"]["required"],
        serde_json::json!(["release", "architecture"])
    );
    // A file that extends another needs no key, but the items of lists are whole.
    assert_eq!(schema["$defs"]["Sizing"].get("required"), None);
    assert_eq!(schema["$defs"]["Waiver"]["required"], serde_json::json!(["requirement", "reason", "until"]));
    assert!(!schema.to_string().contains("\"default\""), "what is not said is inherited");
}
