//! Install additional packages: from repositories, and the ReiserFS and XFS ones that come as files.

use super::remedy::{Remedy, Request};
use super::{Belongs, Requirement, Severity, Status, need};
use crate::changes::Change;
use crate::facts::Facts;
use crate::facts::packages::Packages;
use crate::profile::FileSpec;

const SECTION: &str = "Install additional packages";

/// This section's requirements, in order.
pub const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        id: "packages.base",
        title: "The packages of the procedure are installed",
        severity: Severity::Required,
        section: SECTION,
        why: "ApplyCustomChanges.sh looks for them and stops without them; the master target's own programs \
              call perl, lsscsi, rsync and wget during failback.",
        by_hand: "yum install -y xfsprogs perl lsscsi rsync wget kexec-tools, then rpm -q each name: yum ends \
                  with status 0 even when it found only some of them. CentOS 6 mirrors are empty since its end \
                  of life: point /etc/yum.repos.d at vault.centos.org/6.6 or at a copy of your own.",
        changeable: true,
        belongs: Belongs::Image,
        after: &[],
        judge: |profile, facts| judge(&profile.packages.base, facts),
    },
    Requirement {
        id: "packages.multipath",
        title: "device-mapper-multipath is installed",
        severity: Severity::Required,
        section: SECTION,
        why: "The vendor script writes /etc/multipath.conf, and the disks of protected machines and the \
              retention volume are addressed by their /dev/mapper names.",
        by_hand: "yum install -y device-mapper-multipath, then rpm -q device-mapper-multipath.",
        changeable: true,
        belongs: Belongs::Image,
        after: &[],
        judge: |profile, facts| judge(&profile.packages.multipath, facts),
    },
    Requirement {
        id: "packages.reiserfs",
        title: "ReiserFS can be read, when protected machines boot from it",
        severity: Severity::Required,
        section: SECTION,
        why: "A protected machine whose root or boot file system is ReiserFS cannot be brought back by a master \
              target that cannot mount it.",
        by_hand: "Fetch kmod-reiserfs and reiserfs-utils for el6 from the ELRepo archive into /usr/local and \
                  install them with rpm -ivh.",
        changeable: true,
        belongs: Belongs::Image,
        after: &[],
        judge: |profile, facts| {
            judge_files(profile.sources.reiserfs, "ReiserFS", &profile.files.reiserfs, facts)
        },
    },
    Requirement {
        id: "packages.xfs",
        title: "XFS can be repaired, when protected machines boot from it",
        severity: Severity::Required,
        section: SECTION,
        why: "A protected machine whose root or boot file system is XFS cannot be brought back by a master \
              target without the XFS programs.",
        by_hand: "Install xfsprogs (yum, or the file from vault.centos.org/6.6 with rpm -ivh) and \
                  device-mapper-multipath.",
        changeable: true,
        belongs: Belongs::Image,
        after: &[],
        judge: |profile, facts| judge_files(profile.sources.xfs, "XFS", &profile.files.xfs, facts),
    },
];

fn missing<'a>(wanted: impl Iterator<Item = &'a str>, packages: &Packages) -> Vec<String> {
    wanted.filter(|name| !packages.installed.contains_key(*name)).map(str::to_owned).collect()
}

fn judge(wanted: &[String], facts: &Facts) -> Status {
    let packages = match need(&facts.packages, "the package database") {
        Ok(packages) => packages,
        Err(status) => return status,
    };
    let missing = missing(wanted.iter().map(String::as_str), packages);
    if missing.is_empty() {
        return Status::met(with_unfinished(wanted.join(", "), packages));
    }
    let fix = if packages.manager == "rpm" {
        format!("mt-agent apply, or: yum install -y {}; then rpm -q {}", missing.join(" "), missing.join(" "))
    } else {
        format!("install {} (mt-agent apply installs with yum or dnf only)", missing.join(", "))
    };
    let found = format!("not installed: {}", missing.join(", "));
    Status::unmet(with_unfinished(found, packages), wanted.join(", "), fix)
}

/// An unfinished yum transaction explains more than a missing package does.
fn with_unfinished(found: String, packages: &Packages) -> String {
    match packages.unfinished.first() {
        Some(first) => {
            format!("{found}; a yum transaction was left unfinished ({first}): yum-complete-transaction")
        }
        None => found,
    }
}

fn judge_files(asked: bool, what: &str, files: &[FileSpec], facts: &Facts) -> Status {
    if !asked {
        return Status::NotApplicable {
            why: format!("the profile says that no protected machine uses {what}"),
        };
    }
    let packages = match need(&facts.packages, "the package database") {
        Ok(packages) => packages,
        Err(status) => return status,
    };
    if files.is_empty() {
        return Status::unmet(
            "the profile names no files",
            format!("the packages for {what}"),
            format!("name them in the profile under files.{}", what.to_lowercase()),
        );
    }
    let missing = missing(files.iter().map(|file| file.package.as_str()), packages);
    let names: Vec<_> = files.iter().map(|file| file.package.as_str()).collect();
    if missing.is_empty() {
        return Status::met(names.join(", "));
    }
    let by_hand = files.iter().map(|file| file.file.as_str()).collect::<Vec<_>>().join(" ");
    let fix = if packages.manager == "rpm" {
        format!(
            "mt-agent apply (it fetches and verifies the files), or install by hand with rpm -ivh: {by_hand}"
        )
    } else {
        format!("install what is in {by_hand} (mt-agent apply installs with rpm only)")
    };
    Status::unmet(format!("not installed: {}", missing.join(", ")), names.join(", "), fix)
}

/// Installs what is missing of `wanted` from the configured repositories, or from the collection that was named.
pub(super) fn install(wanted: &[String], facts: &Facts, request: &Request) -> Remedy {
    let Some(packages) = facts.packages.known().filter(|packages| packages.manager == "rpm") else {
        return Remedy::None;
    };
    match missing(wanted.iter().map(String::as_str), packages) {
        missing if missing.is_empty() => Remedy::None,
        packages => install_with(Change::InstallPackages {
            packages,
            from: request.offline.clone(),
            manifest_sha256: None,
        }),
    }
}

/// Installs those of `files` whose package is missing.
pub(super) fn install_files(files: &[FileSpec], facts: &Facts) -> Remedy {
    let Some(packages) = facts.packages.known().filter(|packages| packages.manager == "rpm") else {
        return Remedy::None;
    };
    let absent = |file: &&FileSpec| !packages.installed.contains_key(&file.package);
    match files.iter().filter(absent).cloned().collect::<Vec<_>>() {
        files if files.is_empty() => Remedy::None,
        files => install_with(Change::InstallFiles { files }),
    }
}

/// The scriptlets of packages open /dev/null.
fn install_with(change: Change) -> Remedy {
    Remedy::With { changes: vec![change], needs: &["os.device-nodes"] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Fact;
    use crate::steps::remedy::remedy;
    use crate::steps::testing::{ready, told};

    fn installed(facts: &mut Facts) -> &mut Packages {
        match &mut facts.packages {
            Fact::Known(packages) => packages,
            _ => panic!("the ready host knows them"),
        }
    }

    #[test]
    fn an_unfinished_transaction_is_told_though_nothing_is_missing() {
        let (profile, mut facts) = ready();
        installed(&mut facts).unfinished = vec!["/var/lib/yum/transaction-all.2026-06-01.10:00.00".into()];
        let says = told(&profile, &facts, "packages.base");
        assert!(
            says.starts_with("met: xfsprogs, perl, ") && says.contains("was left unfinished (/var/lib"),
            "{says}"
        );
    }

    #[test]
    fn what_is_missing_is_named_and_installed_alone() {
        let (profile, mut facts) = ready();
        assert!(told(&profile, &facts, "packages.base").starts_with("met: xfsprogs, perl"));
        installed(&mut facts).installed.remove("lsscsi");
        installed(&mut facts).unfinished.push("/var/lib/yum/transaction-all.2026".into());
        assert_eq!(
            told(&profile, &facts, "packages.base"),
            "unmet: not installed: lsscsi; a yum transaction was left unfinished (/var/lib/yum/transaction-all.2026): \
             yum-complete-transaction | xfsprogs, perl, lsscsi, rsync, wget, kexec-tools | mt-agent apply, or: yum \
             install -y lsscsi; then rpm -q lsscsi"
        );
        let expected =
            |from| Change::InstallPackages { packages: vec!["lsscsi".into()], from, manifest_sha256: None };
        let plan = |request| remedy("packages.base", &profile, &facts, &request);
        assert_eq!(plan(Request::default()), install_with(expected(None)));
        let offline = Some(std::path::PathBuf::from("/media/usb"));
        let request = Request { offline: offline.clone(), ..Request::default() };
        assert_eq!(plan(request), install_with(expected(offline)));
    }

    #[test]
    fn a_database_that_could_not_be_read_or_is_not_rpms_changes_nothing() {
        let (profile, mut facts) = ready();
        installed(&mut facts).manager = "dpkg".into();
        installed(&mut facts).installed.remove("perl");
        assert!(told(&profile, &facts, "packages.base").contains("yum or dnf only"));
        assert_eq!(remedy("packages.base", &profile, &facts, &Request::default()), Remedy::None);
        facts.packages = Fact::Unknown("rpm did not answer".into());
        assert_eq!(
            told(&profile, &facts, "packages.base"),
            "unknown: the package database: rpm did not answer"
        );
        assert_eq!(remedy("packages.base", &profile, &facts, &Request::default()), Remedy::None);
    }

    #[test]
    fn files_are_wanted_only_when_a_protected_machine_needs_them() {
        let (mut profile, facts) = ready();
        assert!(told(&profile, &facts, "packages.reiserfs").starts_with("not-applicable: "));
        profile.sources = crate::profile::Sources { reiserfs: true, xfs: true };
        assert_eq!(told(&profile, &facts, "packages.xfs"), "met: xfsprogs");
        assert!(
            told(&profile, &facts, "packages.reiserfs")
                .starts_with("unmet: not installed: kmod-reiserfs, reiserfs-utils")
        );
        assert_eq!(
            remedy("packages.reiserfs", &profile, &facts, &Request::default()),
            install_with(Change::InstallFiles { files: profile.files.reiserfs.clone() })
        );
        profile.files.reiserfs.clear();
        assert!(told(&profile, &facts, "packages.reiserfs").contains("files.reiserfs"));
    }
}
