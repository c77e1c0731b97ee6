//! What a requirement or a Site Recovery error code means: cause, fix, where it comes from, and what bears on
//! what. And what no agent inside a VM can tell.

mod codes;

use std::borrow::Cow;

use anyhow::{Result, anyhow};
use serde::Serialize;

use super::nearest::nearest;
use super::registry::{all, find, ids};
use super::requirement::{Requirement, Severity};
use super::stage::Belongs;
use super::wording::fill;
use super::{selection, waivers};
use crate::host::text;
use crate::platform::words;
use crate::profile::Profile;

pub use codes::{CODES, Code};

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
        codes: CODES.iter().filter(|code| code.requirements.contains(&id)).map(|code| code.code).collect(),
        waiver: waivers::limits(requirement),
    })
}

pub fn code(number: u32) -> Option<&'static Code> {
    CODES.iter().find(|code| code.code == number)
}

/// Explains a requirement by id or an error code by number.
/// Errors: One line that names what comes close.
pub fn explain(name: &str, profile: &Profile) -> Result<Explanation> {
    let name = name.trim();
    if let Ok(number) = name.parse() {
        return code(number).map(|code| Explanation::Code(*code)).ok_or_else(|| {
            let known: Vec<_> = CODES.iter().map(|code| code.code.to_string()).collect();
            let close = nearest(name, known.iter().map(String::as_str));
            let list = if close.is_empty() { known.join(", ") } else { close.join(", ") };
            let how = if close.is_empty() { "known are" } else { "close to it" };
            anyhow!("no error code {name} is known; {how}: {list}")
        });
    }
    requirement(name, profile).map(Explanation::Requirement).ok_or_else(|| {
        let section: Vec<_> = ids().into_iter().filter(|id| selection::is_section(name, id)).collect();
        if section.is_empty() {
            anyhow!("{}", selection::unknown(name))
        } else {
            anyhow!("{} is a section; its requirements are {}", text::safe(name), section.join(", "))
        }
    })
}

pub fn index(profile: &Profile) -> Index {
    let family = words::family_of(profile);
    let requirement = |requirement: &Requirement| Entry {
        id: requirement.id,
        title: fill(requirement.title, profile, family),
    };
    Index {
        requirements: all().map(requirement).collect(),
        codes: CODES.iter().map(|code| Entry { id: code.code, title: code.title.into() }).collect(),
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
        for number in [95226, 78052, 78093, 8061, 8038] {
            let code = code(number).unwrap();
            assert!(!code.causes.is_empty() && !code.fixes.is_empty(), "{number}");
            for id in code.requirements {
                assert!(find(id).is_some(), "{number} names {id}");
                assert!(requirement(id).unwrap().codes.contains(&number), "{id}");
            }
            assert_eq!(explain(&number.to_string()).unwrap(), Explanation::Code(*code));
        }
        assert_eq!(index(&ready().0).codes.len(), CODES.len());
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
        assert_eq!(refusal("95262"), "no error code 95262 is known; close to it: 95226");
        assert_eq!(refusal("12"), "no error code 12 is known; known are: 95226, 78052, 78093, 8061, 8038");
        assert_eq!(
            refusal("scsi"),
            "scsi is a section; its requirements are scsi.ids, scsi.ids-unique, scsi.uuid-enabled"
        );
        assert!(refusal("\u{1b}[2J").contains("called \"\\u{1b}[2J\"; the sections are os, sizing, layout"));
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
