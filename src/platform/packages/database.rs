//! What is asked of a database of packages, and done with the files of its packages. What the agent cannot do with one yet, it
//! refuses.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Error, Result, bail};

use super::act::Act;
use super::look::{self, Package};
use super::needs::{self, Need};
use super::rpm;
use super::signature::Signature;
use super::version::Evr;
use crate::facts::Fact;
use crate::facts::family::{self, Family};
use crate::facts::packages::{Database, Manager};
use crate::host::command::Command;
use crate::host::{Host, text};
use crate::platform::support::unsupported;

/// What installs package files, and how a person uses it and what goes with it.
#[derive(Debug)]
pub struct Tool {
    pub name: &'static str,
    /// The start of a command that installs packages beside earlier editions of theirs.
    pub install: &'static str,
    pub remove: &'static str,
    pub import_key: &'static str,
    pub keys: &'static str,
    pub finish: &'static str,
    /// How to be rid of what an update that was cut short left installed in several versions.
    pub remove_duplicates: &'static str,
}

const RPM: Tool = Tool {
    name: "rpm",
    install: "rpm -i",
    remove: "rpm -e",
    import_key: "rpm --import",
    keys: "CentOS keeps its own in /etc/pki/rpm-gpg",
    finish: "`yum-complete-transaction` shows what is left of it and asks; `yum-complete-transaction --cleanup-only` forgets one \
             that is out of date (of the package yum-utils)",
    remove_duplicates: "`package-cleanup --dupes` lists them, `package-cleanup --cleandupes` takes the older ones out (of the \
                        package yum-utils)",
};

const DPKG: Tool = Tool {
    name: "dpkg",
    install: "dpkg -i",
    remove: "dpkg -r",
    import_key: "copied to /etc/apt/trusted.gpg.d",
    keys: "Debian keeps its own in /usr/share/keyrings",
    finish: "dpkg --configure -a, and apt-get -f install",
    remove_duplicates: "apt-get -f install",
};

fn not_yet() -> Error {
    unsupported(Family::Debian, "installing packages", "install them by hand, with apt-get")
}

impl Database {
    /// That of this host's packages.
    /// Errors: The agent does not install those, or of which family the host is cannot be determined.
    pub(crate) fn of(host: &Host) -> Result<Self> {
        match family::of(host).context("cannot determine what installs packages on this host")? {
            Family::RedHat => Ok(Self::Rpm),
            Family::Debian => bail!(
                "this host's packages are Debian's (dpkg), which the agent does not install yet, only those of the Red Hat \
                 family (rpm): install them by hand, with apt-get"
            ),
        }
    }

    /// That of the packages of `release`, as a profile names it.
    /// Errors: The agent does not collect those.
    pub(crate) fn of_release(release: &str) -> Result<Self> {
        match Family::of_release(release) {
            // What is named by nobody's name may be made from one of the Red Hat family.
            None | Some(Family::RedHat) => Ok(Self::Rpm),
            Some(family @ Family::Debian) => {
                let what = format!("collecting packages for {}", text::safe(release));
                Err(unsupported(family, &what, "bring its packages by hand"))
            }
        }
    }

    /// Whether the agent installs packages on a host, as [`Database::of`] does: not where of which family it is cannot be determined.
    pub(crate) fn can_install(self, family: &Fact<Family>) -> bool {
        match (family, self) {
            (Fact::Known(Family::RedHat), Self::Rpm) => true,
            (Fact::Known(Family::RedHat | Family::Debian), _)
            | (Fact::Unknown(_) | Fact::NotApplicable(_), _) => false,
        }
    }

    /// What installs packages from repositories on this host.
    /// Errors: There is nothing that the agent can use.
    pub(crate) fn manager(self, host: &Host) -> Result<Manager> {
        match self {
            Self::Rpm => Manager::over_rpm(host)
                .context("there is neither yum nor dnf on this host: install the packages by hand"),
            Self::Dpkg => Err(not_yet()),
        }
    }

    /// The program that installs package files.
    pub(crate) const fn tool(self) -> &'static Tool {
        match self {
            Self::Rpm => &RPM,
            Self::Dpkg => &DPKG,
        }
    }

    /// Which of `names` are installed, each with its version and release.
    /// Errors: There is no answer for each of them: then nobody knows.
    pub(crate) fn installed(self, host: &Host, names: &[&str]) -> Result<BTreeMap<String, String>> {
        match self {
            Self::Rpm => rpm::installed(host, names),
            Self::Dpkg => Err(not_yet()),
        }
    }

    /// Every installed package's name and version; of several versions of one, each.
    /// Errors: There is no answer, or not all of it.
    pub(crate) fn all_installed(self, host: &Host) -> Result<Vec<(String, Evr)>> {
        match self {
            Self::Rpm => rpm::all_installed(host),
            Self::Dpkg => Err(not_yet()),
        }
    }

    /// Who holds the lock of transactions, in words, when somebody does. The tool would wait for it without a word.
    pub(crate) fn lock_holder(self, host: &Host) -> Option<String> {
        match self {
            Self::Rpm => rpm::lock_holder(host),
            Self::Dpkg => None,
        }
    }

    /// The command that does `act` with the package files `files` in `directory`.
    /// Errors: A name is not plain.
    pub(crate) fn command(
        self,
        act: Act<'_>,
        directory: &Path,
        files: &[&str],
        deadline: Duration,
    ) -> Result<Command> {
        match self {
            Self::Rpm => rpm::on_files(directory, &rpm::options(act), files, deadline),
            Self::Dpkg => Err(not_yet()),
        }
    }

    /// What the packages need, by what the trial of an installation printed.
    pub(crate) fn needs(self, stderr: &str) -> Result<Vec<Need>> {
        match self {
            Self::Rpm => Ok(needs::parse(stderr)),
            Self::Dpkg => Err(not_yet()),
        }
    }

    /// Makes sure that an open file begins as a package does.
    /// Errors: It does not; what it is instead.
    pub(crate) fn is_package(self, file: &File) -> Result<()> {
        match self {
            Self::Rpm => look::has_lead(file),
            Self::Dpkg => Err(not_yet()),
        }
    }

    /// What the package files `files` in `directory` say of themselves, in their order. Nothing that is no package reaches the
    /// tool.
    /// Errors: One of them is no package, or none that this host's tool can read.
    pub(crate) fn look(self, host: &Host, directory: &Path, files: &[&str]) -> Result<Vec<Package>> {
        match self {
            Self::Rpm => look::look(host, directory, files),
            Self::Dpkg => Err(not_yet()),
        }
    }

    /// As [`Self::look`], of one file, which messages do not name.
    pub(crate) fn look_at(self, host: &Host, directory: &Path, file: &str) -> Result<Package> {
        match self {
            Self::Rpm => look::look_at(host, directory, file),
            Self::Dpkg => Err(not_yet()),
        }
    }

    /// The paths of what is in a package file.
    pub(crate) fn paths(self, host: &Host, directory: &Path, file: &str) -> Result<Vec<String>> {
        match self {
            Self::Rpm => look::paths(host, directory, file),
            Self::Dpkg => Err(not_yet()),
        }
    }

    /// What the signatures of package files are worth, by the keys that were imported.
    /// Errors: They cannot be checked.
    pub(crate) fn signatures(self, host: &Host, directory: &Path, files: &[&str]) -> Result<Vec<Signature>> {
        match self {
            Self::Rpm => rpm::signatures(host, directory, files),
            Self::Dpkg => Err(not_yet()),
        }
    }

    /// As [`Self::signatures`], of one file.
    pub(crate) fn signature(self, host: &Host, directory: &Path, file: &str) -> Result<Signature> {
        let one = self.signatures(host, directory, &[file])?.pop();
        one.with_context(|| format!("{} said nothing of {file}", self.tool().name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debian_is_refused_in_one_line() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("var/lib/dpkg")).unwrap();
        File::create(dir.path().join("var/lib/dpkg/status")).unwrap();
        let error = Database::of(&Host::image(dir.path())).unwrap_err().to_string();
        assert!(error.starts_with("this host's packages are Debian's (dpkg)"), "{error}");
    }

    #[test]
    fn packages_of_debian_are_refused_in_one_line() {
        let refused = Database::of_release("Ubuntu 20.04.6 LTS").unwrap_err().to_string();
        assert_eq!(
            refused,
            "collecting packages for Ubuntu 20.04.6 LTS is not supported on Debian systems yet, only on those of the Red Hat \
             family: bring its packages by hand"
        );
        Database::of_release("CentOS release 6.6 (Final)").unwrap();
    }
}
