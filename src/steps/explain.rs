//! What a requirement or a Site Recovery error code means: cause, fix, where it comes from, and what bears on
//! what. And what no agent inside a VM can tell.

mod codes;

use std::borrow::Cow;

use anyhow::{Result, anyhow, bail};
use serde::Serialize;

use super::registry::{all, find};
use super::requirement::{Requirement, Severity};
use super::stage::Belongs;
use super::wording::fill;
use super::{selection, waivers};
use crate::platform::words;
use crate::profile::Profile;

pub use codes::{Code, codes};

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explained {
    pub id: &'static str,
    pub title: Cow<'static, str>,
    pub severity: Severity,
    /// What goes wrong when it does not hold.
    pub cause: Cow<'static, str>,
    pub fix: Cow<'static, str>,
    /// Whether `apply` can change it.
    pub changeable: bool,
    pub belongs: Belongs,
    pub section: &'static str,
    pub after: &'static [&'static str],
    pub before: Vec<&'static str>,
    /// Error codes on which it bears.
    pub codes: Vec<u32>,
    /// What keeps it from being waived, where something does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiver: Option<String>,
}

/// What `explain NAME` shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Explanation {
    Requirement(Explained),
    Code(Code),
    /// Of a section: its requirements.
    Section {
        section: String,
        requirements: Vec<Entry<&'static str>>,
    },
}

/// What `explain` alone shows: everything that can be explained, in the order of the procedure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Index {
    pub requirements: Vec<Entry<&'static str>>,
    pub codes: Vec<Entry<u32>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry<Id> {
    pub id: Id,
    pub title: Cow<'static, str>,
}

pub fn requirement(id: &str, profile: &Profile) -> Option<Explained> {
    let requirement = find(id)?;
    let (id, family) = (requirement.id, words::family_of(profile));
    Some(Explained {
        id,
        title: fill(requirement.title, profile, family),
        severity: requirement.severity,
        cause: fill(requirement.why, profile, family),
        fix: fill(requirement.by_hand, profile, family),
        changeable: requirement.is_changeable(),
        belongs: (requirement.belongs)(profile),
        section: requirement.section,
        after: requirement.after,
        before: all().filter(|other| other.after.contains(&id)).map(|other| other.id).collect(),
        codes: codes().filter(|code| code.requirements.contains(&id)).map(|code| code.code).collect(),
        waiver: waivers::limits(requirement),
    })
}

pub fn code(number: u32) -> Option<&'static Code> {
    codes().find(|code| code.code == number)
}

/// Explains a requirement by id, a section by name or an error code by number.
/// Errors: one line that names what comes close; of a code, those that are known: a number is no spelling mistake of another.
pub fn explain(name: &str, profile: &Profile) -> Result<Explanation> {
    let name = name.trim();
    if let Ok(number) = name.parse() {
        let known = || codes().map(|code| code.code.to_string()).collect::<Vec<_>>().join(", ");
        return code(number)
            .map(|code| Explanation::Code(*code))
            .ok_or_else(|| anyhow!("error code {name} is unknown here; known are: {}", known()));
    }
    let mut requirements = index(profile).requirements;
    requirements.retain(|entry| selection::is_section(name, entry.id));
    match requirement(name, profile) {
        Some(explained) => Ok(Explanation::Requirement(explained)),
        None if requirements.is_empty() => bail!("{}", selection::unknown(name)),
        None => Ok(Explanation::Section { section: name.to_owned(), requirements }),
    }
}

pub fn index(profile: &Profile) -> Index {
    let family = words::family_of(profile);
    let requirement = |requirement: &Requirement| Entry {
        id: requirement.id,
        title: fill(requirement.title, profile, family),
    };
    Index {
        requirements: all().map(requirement).collect(),
        codes: codes().map(|code| Entry { id: code.code, title: code.title.into() }).collect(),
    }
}

/// What only vCenter can tell: a person looks there, since nothing inside the VM shows it.
pub fn vcenter_only() -> &'static [&'static str] {
    &[
        "that the master target has no snapshot (with one, reprotection and failback fail)",
        "that it is left out of Storage vMotion (moved after reprotection, its attached disks are lost to failback)",
        "that at least one datastore is attached, of type VMFS or vSAN (NFS is not supported), read and write",
        "that its ESXi host reaches the datastores of the machines that fail back, read and write",
        "that the ESXi host is not of a free edition (failover works with it, failback does not)",
        "that the account for vCenter has more than read-only rights (else no datastore is listed)",
        "that the row disk.EnableUUID stands in the configuration parameters (the agent sees its effect)",
        "that no other VM has the same disk UUIDs (both made from one template) or the same name",
    ]
}

#[cfg(test)]
mod tests {
    use super::super::registry::ids;
    use super::super::testing::ready;
    use super::*;
    use crate::profile::RetentionType;

    fn explain(name: &str) -> Result<Explanation> {
        super::explain(name, &ready().0)
    }

    fn requirement(id: &str) -> Option<Explained> {
        super::requirement(id, &ready().0)
    }

    #[test]
    fn every_requirement_is_explained_in_full() {
        for id in ids() {
            let Ok(Explanation::Requirement(explained)) = explain(id) else { panic!("{id}") };
            assert!(explained.title.len() > 10, "{id}: {}", explained.title);
            assert!(explained.cause.len() > 40, "{id}: {}", explained.cause);
            assert!(explained.fix.len() > 15, "{id}: {}", explained.fix);
            assert!(!explained.section.is_empty(), "{id}");
        }
        assert_eq!(index(&ready().0).requirements.len(), ids().len());
    }

    #[test]
    fn the_codes_of_the_troubleshooting_chapters_are_explained() {
        let failback = [95226, 78052, 78093, 8061, 8038];
        let mobility = [
            95265, 95266, 95320, 95309, 95310, 95311, 95313, 95117, 97118, 95523, 95107, 95108, 95517, 95518,
            95519, 95520, 95521, 95522, 95524,
        ];
        assert_eq!(codes().map(|code| code.code).collect::<Vec<_>>(), [&failback[..], &mobility].concat());
        for number in codes().map(|code| code.code) {
            let code = code(number).unwrap();
            assert!(code.title.len() > 10 && !code.causes.is_empty() && !code.fixes.is_empty(), "{number}");
            for id in code.requirements {
                assert!(find(id).is_some(), "{number} names {id}");
                assert!(requirement(id).unwrap().codes.contains(&number), "{id}");
            }
            assert_eq!(explain(&number.to_string()).unwrap(), Explanation::Code(*code));
        }
        assert_eq!(index(&ready().0).codes.len(), codes().count());
    }

    #[test]
    fn a_requirement_says_what_it_bears_on() {
        let server = requirement("site.configuration-server").unwrap();
        assert_eq!(server.codes, [95226, 78093]);
        let hostname = requirement("os.hostname").unwrap();
        assert_eq!(hostname.before, ["network.hosts-file"]);
        assert_eq!(hostname.waiver, None);
        assert!(requirement("scsi.ids").unwrap().waiver.unwrap().starts_with("none: data for a disk"));
        assert_eq!(
            requirement("image.identity").unwrap().waiver.as_deref(),
            Some("only where it is unknown")
        );
    }

    #[test]
    fn what_is_unknown_gets_the_nearest() {
        let refusal = |name| format!("{:#}", explain(name).unwrap_err());
        assert_eq!(
            refusal("scsi.uuid-enable"),
            "no requirement or section is called \"scsi.uuid-enable\"; close to it: scsi.uuid-enabled"
        );
        // A number is no spelling mistake of another.
        for number in ["95262", "12"] {
            let error = refusal(number);
            assert!(
                error.starts_with(&format!("error code {number} is unknown here; known are: 95226, 78052")),
                "{error}"
            );
            assert!(error.ends_with(", 95524"), "{error}");
        }
        assert!(refusal("\u{1b}[2J").contains("called \"\\u{1b}[2J\"; the sections are os, sizing, layout"));
    }

    #[test]
    fn a_section_shows_its_requirements() {
        let Ok(Explanation::Section { section, requirements }) = explain("scsi") else { panic!() };
        let ids: Vec<_> = requirements.iter().map(|entry| entry.id).collect();
        assert_eq!((&*section, &*ids), ("scsi", &["scsi.ids", "scsi.ids-unique", "scsi.uuid-enabled"][..]));
    }

    #[test]
    fn it_says_what_the_profile_says() {
        let (mut profile, _) = ready();
        assert!(requirement("retention.mounted").unwrap().fix.contains("mkdir -p /mnt/retention; mount "));
        profile.retention.mount_point = "/srv/points".parse().unwrap();
        profile.retention.filesystem = RetentionType::Xfs;
        profile.retention.capacity = (3 << 40).into();
        profile.packages.base = vec!["perl".parse().unwrap(), "rsync".parse().unwrap()];
        profile.packages.multipath = vec!["multipath-tools".parse().unwrap()];
        let texts = |id: &str| {
            let explained = super::requirement(id, &profile).unwrap();
            format!("{} {} {}", explained.title, explained.cause, explained.fix)
        };
        for (id, words) in [
            ("retention.mounted", "mkdir -p /srv/points; mount /dev/mapper/SCSI-ID /srv/points"),
            ("retention.persistent", "/dev/mapper/SCSI-ID /srv/points xfs rw 0 0"),
            ("retention.disk", "a disk of 3 TiB"),
            ("retention.alive", "`umount /srv/points`"),
            ("packages.base", "yum install -y perl rsync, then"),
            ("packages.multipath", "multipath-tools is installed"),
            ("site.configuration-server", "`curl -kv https://192.0.2.20:443/` or `telnet 192.0.2.20 443`"),
        ] {
            assert!(texts(id).contains(words), "{id}: {}", texts(id));
        }
        for id in ids() {
            assert!(!texts(id).contains("/mnt/retention"), "{id}: {}", texts(id));
        }
        let titles = index(&profile).requirements;
        assert!(titles.iter().any(|entry| entry.title == "multipath-tools is installed"));
    }

    #[test]
    fn an_explanation_is_one_document() {
        let json = serde_json::to_value(explain("8061").unwrap()).unwrap();
        assert_eq!(json["kind"], "code");
        assert_eq!(json["code"], 8061);
        let json = serde_json::to_value(explain("layout.no-lvm").unwrap()).unwrap();
        assert_eq!(json["kind"], "requirement");
        assert_eq!(json["severity"], "required");
        assert_eq!(json["id"], "layout.no-lvm");
    }
}
