//! Install additional packages: from repositories, and the ReiserFS and XFS ones that come as files.

use super::remedy::{Remedy, Request};
use super::{Belongs, RemediedBy, Requirement, Status, id, need};
use crate::changes::Change;
use crate::changes::PackageFile;
use crate::facts::Facts;
use crate::facts::packages::{Manager, Packages};
use crate::platform::words;
use crate::profile::{FileSpec, PackageName};

const SHARED: Requirement = Requirement {
    section: "Install additional packages",
    look: "`{system.query}` with each name that mt-agent profile show has under packages and files",
    belongs: |_| Belongs::Image,
    ..Requirement::DEFAULT
};

pub const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        id: id::PACKAGES_BASE,
        title: "The packages of the procedure are installed",
        why: "ApplyCustomChanges.sh looks for them and stops without them; the master target's own programs \
              call perl, lsscsi, rsync and wget during failback.",
        by_hand: "{system.install} {packages.base}, then {system.query} each name: {system.repositories}",
        judge: |profile, facts| judge(&profile.packages.base, Unfinished::Reported, facts),
        remedy: RemediedBy::Apply(|profile, facts, request| install(&profile.packages.base, facts, request)),
        ..SHARED
    },
    Requirement {
        id: id::PACKAGES_MULTIPATH,
        title: "{packages.multipath} is installed",
        why: "The vendor script writes /etc/multipath.conf, and the disks of protected machines and the \
              retention volume are addressed by their /dev/mapper names.",
        by_hand: "{system.install} {packages.multipath}, then {system.query} {packages.multipath}.",
        judge: |profile, facts| judge(&profile.packages.multipath, Unfinished::Blocks, facts),
        remedy: RemediedBy::Apply(|profile, facts, request| {
            install(&profile.packages.multipath, facts, request)
        }),
        ..SHARED
    },
    Requirement {
        id: "packages.reiserfs",
        title: "ReiserFS can be read, when protected machines boot from it",
        why: "A protected machine whose root or boot file system is ReiserFS cannot be brought back by a master \
              target that cannot mount it.",
        by_hand: "{system.reiserfs}",
        judge: |profile, facts| {
            judge_files(profile.sources.reiserfs, "ReiserFS", &profile.files.reiserfs, facts)
        },
        remedy: RemediedBy::Apply(|profile, facts, _| install_files(&profile.files.reiserfs, facts)),
        ..SHARED
    },
    Requirement {
        id: "packages.xfs",
        title: "XFS can be repaired, when protected machines boot from it",
        why: "A protected machine whose root or boot file system is XFS cannot be brought back by a master \
              target without the XFS programs.",
        by_hand: "{system.xfs}",
        judge: |profile, facts| judge_files(profile.sources.xfs, "XFS", &profile.files.xfs, facts),
        remedy: RemediedBy::Apply(|profile, facts, _| install_files(&profile.files.xfs, facts)),
        ..SHARED
    },
];

fn missing<'a>(wanted: impl Iterator<Item = &'a str>, packages: &Packages) -> Vec<String> {
    wanted.filter(|name| !packages.installed.contains_key(*name)).map(str::to_owned).collect()
}

/// What comes of packages that were cut short, or are installed several times.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unfinished {
    Reported,
    /// This one waits for the requirement that does.
    Blocks,
}

fn judge(wanted: &[PackageName], unfinished: Unfinished, facts: &Facts) -> Result<Status, Status> {
    let wanted: Vec<&str> = wanted.iter().map(|name| &**name).collect();
    installed(&wanted, unfinished, facts, |missing, packages| {
        words::install_packages(&facts.os.family, packages, &missing.join(" "))
    })
}

#[expect(clippy::fn_params_excessive_bools, reason = "the key of the profile")]
fn judge_files(asked: bool, what: &str, files: &[FileSpec], facts: &Facts) -> Result<Status, Status> {
    if !asked {
        return Err(Status::not_applicable(format!(
            "the profile says that no protected machine uses {what}"
        )));
    }
    if files.is_empty() {
        return Ok(Status::unmet(
            "the profile names no files",
            format!("the packages for {what}"),
            format!("name them in the profile under files.{}", what.to_lowercase()),
        ));
    }
    let wanted: Vec<&str> = files.iter().map(|file| &*file.package).collect();
    installed(&wanted, Unfinished::Blocks, facts, |_, packages| {
        let names = files.iter().map(|file| &*file.file).collect::<Vec<_>>().join(" ");
        words::install_files(&facts.os.family, packages, &names)
    })
}

/// Whether all of `wanted` are installed, and nothing was cut short: what a package brings may be there in part then, and which
/// of two versions of a program runs their names do not tell. `install` says how those that are missing come.
fn installed(
    wanted: &[&str],
    unfinished: Unfinished,
    facts: &Facts,
    install: impl FnOnce(&[String], &Packages) -> String,
) -> Result<Status, Status> {
    let packages = need(&facts.packages, "the package database")?;
    let (mut found, mut fix) = (Vec::new(), Vec::new());
    let missing = missing(wanted.iter().copied(), packages);
    if unfinished == Unfinished::Blocks
        && missing.is_empty()
        && !(packages.unfinished.is_empty() && packages.duplicates.is_empty())
    {
        return Err(Status::blocked(id::PACKAGES_BASE));
    }
    for (what, cut, advice) in [
        ("left unfinished", &packages.unfinished, packages.database.tool().finish),
        ("installed several times", &packages.duplicates, packages.database.tool().remove_duplicates),
    ] {
        if let Some(first) = cut.first().filter(|_| unfinished == Unfinished::Reported) {
            let more = if cut.len() > 1 { format!(" and {} more", cut.len() - 1) } else { String::new() };
            found.push(format!("{what}: {first}{more}"));
            fix.push(advice.to_owned());
        }
    }
    if !missing.is_empty() {
        found.insert(0, format!("not installed: {}", missing.join(", ")));
        fix.push(install(&missing, packages));
    }
    let wanted = wanted.join(", ");
    Ok(if found.is_empty() {
        Status::met(wanted)
    } else {
        Status::unmet(found.join("; "), wanted, fix.join("; then "))
    })
}

/// The packages of a host on which `apply` can install some.
fn installable(facts: &Facts) -> Option<&Packages> {
    facts.packages.known().filter(|packages| packages.database.can_install(&facts.os.family))
}

/// Installs what is missing of `wanted` from the configured repositories, or from the collection that was named.
pub(super) fn install(wanted: &[PackageName], facts: &Facts, request: &Request) -> Remedy {
    let Some(packages) = installable(facts) else { return Remedy::None };
    let manager = match (packages.installer, &request.offline) {
        (Some(manager), _) => manager,
        // From a collection rpm installs.
        (None, Some(_)) => Manager::default(),
        (None, None) => return Remedy::None,
    };
    match missing(wanted.iter().map(|name| &**name), packages) {
        missing if missing.is_empty() => Remedy::None,
        packages => install_with(Change::InstallPackages {
            packages,
            from: request.offline.clone(),
            manager,
            manifest_sha256: None,
        }),
    }
}

pub(super) fn install_files(files: &[FileSpec], facts: &Facts) -> Remedy {
    let Some(packages) = installable(facts) else { return Remedy::None };
    let absent = |file: &&FileSpec| !packages.installed.contains_key(&*file.package);
    match files.iter().filter(absent).map(PackageFile::from).collect::<Vec<_>>() {
        files if files.is_empty() => Remedy::None,
        files => install_with(Change::InstallFiles { files }),
    }
}

/// The scriptlets of packages open /dev/null.
fn install_with(change: Change) -> Remedy {
    Remedy::With { changes: vec![change], needs: &[id::DEVICE_NODES] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Fact;
    use crate::facts::family::Family;
    use crate::facts::packages::Database;
    use crate::steps::testing::{Judged, edit, remedy};

    fn database(facts: &mut Facts) -> &mut Packages {
        edit(&mut facts.packages)
    }

    #[test]
    fn what_was_cut_short_is_unmet_though_nothing_is_missing() {
        let mut ready = Judged::ready("packages.base");
        ready.profile.sources.xfs = true;
        let all = |change: &dyn Fn(&mut Packages), found: &str, fix: &str| {
            let mut host = ready.clone();
            change(database(&mut host));
            assert_eq!(host.remedy(), Remedy::None);
            host.starts(format!("unmet: {found} | ")).ends(format!(" | {fix}"));
            // One cause, one finding.
            host.of("packages.multipath").is("blocked: packages.base");
            host.of("packages.xfs").is("blocked: packages.base");
        };
        let path = "/var/lib/yum/transaction-all.2026-06-01.10:00.00: 3 of 12 steps are left";
        let complete = database(&mut ready.clone()).database.tool().finish;
        assert!(complete.contains("shows what is left of it and asks"), "{complete}");
        all(&|p| p.unfinished.push(path.into()), &format!("left unfinished: {path}"), complete);
        let bash = || "bash 4.1.2-29 and 4.1.2-33".to_owned();
        let found = format!("installed several times: {} and 1 more", bash());
        all(&|p| p.duplicates.extend([bash(), bash()]), &found, Database::Rpm.tool().remove_duplicates);
        all(
            &|p| {
                p.database = Database::Dpkg;
                p.unfinished.push("perl is unpacked and not configured".into());
            },
            "left unfinished: perl is unpacked and not configured",
            "dpkg --configure -a, and apt-get -f install",
        );
    }

    #[test]
    fn what_is_missing_is_named_and_installed_alone() {
        let mut host = Judged::ready("packages.base");
        host.starts("met: xfsprogs, perl");
        database(&mut host).installed.remove("lsscsi");
        database(&mut host).unfinished.push("/var/lib/yum/transaction-all.2026: it is empty".into());
        host.is(format!(
                "unmet: not installed: lsscsi; left unfinished: /var/lib/yum/transaction-all.2026: it is empty | xfsprogs, perl, \
                 lsscsi, rsync, wget, kexec-tools | {}; then mt-agent apply, or: yum install -y lsscsi; then rpm -q lsscsi",
                Database::Rpm.tool().finish
            ));
        let expected = |from| Change::InstallPackages {
            packages: vec!["lsscsi".into()],
            from,
            manager: Manager::default(),
            manifest_sha256: None,
        };
        let plan = |request| remedy("packages.base", &host.profile, &host, &request);
        assert_eq!(plan(Request::default()), install_with(expected(None)));
        let offline = Some(std::path::PathBuf::from("/media/usb"));
        let request = Request { offline: offline.clone(), ..Request::default() };
        assert_eq!(plan(request), install_with(expected(offline)));
    }

    #[test]
    fn a_database_that_could_not_be_read_or_is_not_rpms_changes_nothing() {
        let mut host = Judged::ready("packages.base");
        database(&mut host).database = Database::Dpkg;
        database(&mut host).installed.remove("perl");
        host.has("yum or dnf only");
        assert_eq!(host.remedy(), Remedy::None);
        host.packages = Fact::Unknown("rpm did not answer".into());
        host.is("unknown: the package database: rpm did not answer");
        assert_eq!(host.remedy(), Remedy::None);
    }

    #[test]
    fn nothing_is_installed_where_the_family_or_the_manager_is_not_known() {
        let mut host = Judged::ready("packages.base");
        database(&mut host).installed.remove("lsscsi");
        assert!(matches!(host.remedy(), Remedy::With { .. }));
        database(&mut host).installer = None;
        assert_eq!(host.remedy(), Remedy::None);
        host.has(" | cannot determine what installs packages from repositories here");
        let offline = Request { offline: Some("/media/usb".into()), ..Request::default() };
        assert!(matches!(remedy("packages.base", &host.profile, &host, &offline), Remedy::With { .. }));
        for family in [Fact::Unknown("no release file".into()), Fact::Known(Family::Debian)] {
            let is_known = family.known().is_some();
            host.os.family = family;
            assert_eq!(host.remedy(), Remedy::None);
            assert_eq!(remedy("packages.base", &host.profile, &host, &offline), Remedy::None);
            assert_eq!(install_files(&host.profile.files.reiserfs, &host), Remedy::None);
            let unknown = " | cannot determine of which family this system is, so mt-agent apply installs nothing: no release file";
            host.has(if is_known { "with apt-get" } else { unknown });
        }
    }

    #[test]
    fn files_are_wanted_only_when_a_protected_machine_needs_them() {
        let mut host = Judged::ready("packages.reiserfs");
        host.starts("not-applicable: ");
        host.profile.sources = crate::profile::Sources { reiserfs: true, xfs: true };
        host.of("packages.xfs").is("met: xfsprogs");
        host.starts("unmet: not installed: kmod-reiserfs, reiserfs-utils");
        assert_eq!(
            host.remedy(),
            install_with(Change::InstallFiles {
                files: host.profile.files.reiserfs.iter().map(PackageFile::from).collect()
            })
        );
        host.profile.files.reiserfs.clear();
        host.has("files.reiserfs");
    }
}
