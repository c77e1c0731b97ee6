//! Install additional packages: from repositories, and the ReiserFS and XFS ones that come as files.

use super::remedy::{Remedy, Request};
use super::{Belongs, RemediedBy, Requirement, Status, id, need};
use crate::changes::Change;
use crate::changes::PackageFile;
use crate::facts::Facts;
use crate::facts::packages::{Manager, Packages};
use crate::platform::words;
use crate::profile::{FileSpec, PackageName};

const SECTION: &str = "Install additional packages";

const LOOK: &str = "`{system.query}` with each name that mt-agent profile show has under packages and files";

/// This section's requirements, in order.
pub const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        id: id::PACKAGES_BASE,
        title: "The packages of the procedure are installed",
        section: SECTION,
        why: "ApplyCustomChanges.sh looks for them and stops without them; the master target's own programs \
              call perl, lsscsi, rsync and wget during failback.",
        by_hand: "{system.install} {packages.base}, then {system.query} each name: {system.repositories}",
        look: LOOK,
        belongs: |_| Belongs::Image,
        judge: |profile, facts| judge(&profile.packages.base, Unfinished::Reported, facts),
        remedy: RemediedBy::Apply(|profile, facts, request| install(&profile.packages.base, facts, request)),
        ..Requirement::DEFAULT
    },
    Requirement {
        id: id::PACKAGES_MULTIPATH,
        title: "{packages.multipath} is installed",
        section: SECTION,
        why: "The vendor script writes /etc/multipath.conf, and the disks of protected machines and the \
              retention volume are addressed by their /dev/mapper names.",
        by_hand: "{system.install} {packages.multipath}, then {system.query} {packages.multipath}.",
        look: LOOK,
        belongs: |_| Belongs::Image,
        judge: |profile, facts| judge(&profile.packages.multipath, Unfinished::Blocks, facts),
        remedy: RemediedBy::Apply(|profile, facts, request| {
            install(&profile.packages.multipath, facts, request)
        }),
        ..Requirement::DEFAULT
    },
    Requirement {
        id: "packages.reiserfs",
        title: "ReiserFS can be read, when protected machines boot from it",
        section: SECTION,
        why: "A protected machine whose root or boot file system is ReiserFS cannot be brought back by a master \
              target that cannot mount it.",
        by_hand: "{system.reiserfs}",
        look: LOOK,
        belongs: |_| Belongs::Image,
        judge: |profile, facts| {
            judge_files(profile.sources.reiserfs, "ReiserFS", &profile.files.reiserfs, facts)
        },
        remedy: RemediedBy::Apply(|profile, facts, _| install_files(&profile.files.reiserfs, facts)),
        ..Requirement::DEFAULT
    },
    Requirement {
        id: "packages.xfs",
        title: "XFS can be repaired, when protected machines boot from it",
        section: SECTION,
        why: "A protected machine whose root or boot file system is XFS cannot be brought back by a master \
              target without the XFS programs.",
        by_hand: "{system.xfs}",
        look: LOOK,
        belongs: |_| Belongs::Image,
        judge: |profile, facts| judge_files(profile.sources.xfs, "XFS", &profile.files.xfs, facts),
        remedy: RemediedBy::Apply(|profile, facts, _| install_files(&profile.files.xfs, facts)),
        ..Requirement::DEFAULT
    },
];

fn missing<'a>(wanted: impl Iterator<Item = &'a str>, packages: &Packages) -> Vec<String> {
    wanted.filter(|name| !packages.installed.contains_key(*name)).map(str::to_owned).collect()
}

/// What comes of packages that were cut short, or are installed several times.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unfinished {
    /// This requirement reports them.
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
        return Err(Status::NotApplicable {
            why: format!("the profile says that no protected machine uses {what}"),
        });
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
        return Err(Status::Blocked { by: id::PACKAGES_BASE.to_owned() });
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

/// Installs those of `files` whose package is missing.
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
    use crate::steps::testing::remedy;
    use crate::steps::testing::{ready, told};

    fn database(facts: &mut Facts) -> &mut Packages {
        match &mut facts.packages {
            Fact::Known(packages) => packages,
            _ => panic!("the ready host knows them"),
        }
    }

    #[test]
    fn what_was_cut_short_is_unmet_though_nothing_is_missing() {
        let (mut profile, ready) = ready();
        profile.sources.xfs = true;
        let said = |change: &dyn Fn(&mut Packages)| {
            let mut facts = ready.clone();
            change(database(&mut facts));
            assert_eq!(remedy("packages.base", &profile, &facts, &Request::default()), Remedy::None);
            ["packages.base", "packages.multipath", "packages.xfs"].map(|id| told(&profile, &facts, id))
        };
        let all = |said: [String; 3], found: &str, fix: &str| {
            let [base, others @ ..] = said;
            assert!(
                base.starts_with(&format!("unmet: {found} | ")) && base.ends_with(&format!(" | {fix}")),
                "{base}"
            );
            assert_eq!(others, ["blocked: packages.base"; 2], "one cause, one finding");
        };
        let path = "/var/lib/yum/transaction-all.2026-06-01.10:00.00: 3 of 12 steps are left";
        let complete = database(&mut ready.clone()).database.tool().finish;
        assert!(complete.contains("shows what is left of it and asks"), "{complete}");
        all(said(&|p| p.unfinished.push(path.into())), &format!("left unfinished: {path}"), complete);
        let bash = || "bash 4.1.2-29 and 4.1.2-33".to_owned();
        let found = format!("installed several times: {} and 1 more", bash());
        all(said(&|p| p.duplicates.extend([bash(), bash()])), &found, Database::Rpm.tool().remove_duplicates);
        let dpkg = said(&|p| {
            p.database = Database::Dpkg;
            p.unfinished.push("perl is unpacked and not configured".into());
        });
        all(
            dpkg,
            "left unfinished: perl is unpacked and not configured",
            "dpkg --configure -a, and apt-get -f install",
        );
    }

    #[test]
    fn what_is_missing_is_named_and_installed_alone() {
        let (profile, mut facts) = ready();
        assert!(told(&profile, &facts, "packages.base").starts_with("met: xfsprogs, perl"));
        database(&mut facts).installed.remove("lsscsi");
        database(&mut facts).unfinished.push("/var/lib/yum/transaction-all.2026: it is empty".into());
        assert_eq!(
            told(&profile, &facts, "packages.base"),
            format!(
                "unmet: not installed: lsscsi; left unfinished: /var/lib/yum/transaction-all.2026: it is empty | xfsprogs, perl, \
                 lsscsi, rsync, wget, kexec-tools | {}; then mt-agent apply, or: yum install -y lsscsi; then rpm -q lsscsi",
                Database::Rpm.tool().finish
            )
        );
        let expected = |from| Change::InstallPackages {
            packages: vec!["lsscsi".into()],
            from,
            manager: Manager::default(),
            manifest_sha256: None,
        };
        let plan = |request| remedy("packages.base", &profile, &facts, &request);
        assert_eq!(plan(Request::default()), install_with(expected(None)));
        let offline = Some(std::path::PathBuf::from("/media/usb"));
        let request = Request { offline: offline.clone(), ..Request::default() };
        assert_eq!(plan(request), install_with(expected(offline)));
    }

    #[test]
    fn a_database_that_could_not_be_read_or_is_not_rpms_changes_nothing() {
        let (profile, mut facts) = ready();
        database(&mut facts).database = Database::Dpkg;
        database(&mut facts).installed.remove("perl");
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
    fn nothing_is_installed_where_the_family_or_the_manager_is_not_known() {
        let (profile, mut facts) = ready();
        database(&mut facts).installed.remove("lsscsi");
        let planned = |facts: &Facts| remedy("packages.base", &profile, facts, &Request::default());
        assert!(matches!(planned(&facts), Remedy::With { .. }));
        database(&mut facts).installer = None;
        assert_eq!(planned(&facts), Remedy::None);
        let message = told(&profile, &facts, "packages.base");
        assert!(
            message.contains(" | cannot determine what installs packages from repositories here"),
            "{message}"
        );
        let offline = Request { offline: Some("/media/usb".into()), ..Request::default() };
        assert!(matches!(remedy("packages.base", &profile, &facts, &offline), Remedy::With { .. }));
        for family in [Fact::Unknown("no release file".into()), Fact::Known(Family::Debian)] {
            let is_known = family.known().is_some();
            facts.os.family = family;
            assert_eq!(planned(&facts), Remedy::None);
            assert_eq!(remedy("packages.base", &profile, &facts, &offline), Remedy::None);
            assert_eq!(install_files(&profile.files.reiserfs, &facts), Remedy::None);
            let message = told(&profile, &facts, "packages.base");
            let unknown = " | cannot determine of which family this system is, so mt-agent apply installs nothing: no release file";
            assert_eq!(
                (message.contains(unknown), message.contains("with apt-get")),
                (!is_known, is_known),
                "{message}"
            );
        }
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
            install_with(Change::InstallFiles {
                files: profile.files.reiserfs.iter().map(PackageFile::from).collect()
            })
        );
        profile.files.reiserfs.clear();
        assert!(told(&profile, &facts, "packages.reiserfs").contains("files.reiserfs"));
    }
}
