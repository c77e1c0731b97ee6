//! What installs packages from repositories: yum, or dnf.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::facts::Fact;
use crate::facts::family::{self, Family};
use crate::facts::packages::{Database, Manager};
use crate::host::Host;
use crate::host::command::Command;

/// What one argument has to be shorter than, in bytes: `MAX_ARG_STRLEN` of the kernel's binfmts.h, 32 pages.
const ARGUMENT: usize = 128 << 10;

impl Manager {
    /// The manager of this host.
    /// Errors: There is none that this agent can use.
    pub fn of(host: &Host) -> Result<Self> {
        needs_rpm(host)?;
        Self::over_rpm(host)
            .context("there is neither yum nor dnf on this host: install the packages by hand")
    }

    /// The command that installs `packages` in one transaction, and removes nothing of `installed`, which is all that there is.
    /// Both wait for their lock for ever, unless they are to give up: we wait ourselves. And both remove what a new package obsoletes,
    /// but for packages that are protected (yum 3.2.28, dnf 1).
    /// Errors: The names of all that is installed are longer than an argument may be.
    pub fn install(self, packages: &[&str], installed: &[String], deadline: Duration) -> Result<Command> {
        let protected =
            (!installed.is_empty()).then(|| format!("--setopt=protected_packages={}", installed.join(",")));
        let length = protected.as_ref().map_or(0, String::len);
        ensure!(
            length < ARGUMENT,
            "the names of the {} packages that are installed have {length} bytes, and {} cannot be given them in one argument (less \
             than {ARGUMENT}) to remove none of them: install {} by hand",
            installed.len(),
            self.tool(),
            packages.join(", ")
        );
        let options = ["-y", "--setopt=exit_on_lock=1"].into_iter().chain(protected.as_deref());
        let words = options.chain(["install"]).chain(packages.iter().copied());
        Ok(Command::new(self.tool(), words, deadline).transaction())
    }
}

/// Whether the agent installs packages on a host: not where of which family it is cannot be determined.
pub fn can_install(family: &Fact<Family>, database: Database) -> bool {
    match (family, database) {
        (Fact::Known(Family::RedHat), Database::Rpm) => true,
        (Fact::Known(Family::RedHat | Family::Debian), _)
        | (Fact::Unknown(_) | Fact::NotApplicable(_), _) => false,
    }
}

/// Refuses a host on which packages are not rpm's, as [`can_install`] does by its facts.
/// Errors: They are not, or of which family it is cannot be determined.
pub fn needs_rpm(host: &Host) -> Result<()> {
    match family::of(host).context("cannot determine what installs packages on this host")? {
        Family::RedHat => Ok(()),
        Family::Debian => bail!(
            "this host's packages are Debian's (dpkg), which the agent does not install yet, only those of the Red Hat family \
             (rpm): install them by hand, with apt-get"
        ),
    }
}

/// What to do where none of this host's repositories answers.
pub const OWN_REPOSITORIES: &str = "no repository answers: CentOS 6 has left the mirrors, name \
     vault.centos.org/6.6 or a repository of your own in /etc/yum.repos.d";

/// What a package manager said, with `advice` where it says that no repository answered.
pub fn no_repository(why: String, advice: &str) -> String {
    let unanswered = ["baseurl", "mirrorlist", "repomd.xml"].iter().any(|word| why.contains(word));
    if unanswered { format!("{why}; {advice}") } else { why }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGAIN: Duration = Duration::from_secs(1);

    #[test]
    fn what_one_argument_cannot_hold_is_refused_before_yum_is_started() {
        let installed: Vec<String> = (0..10_000).map(|number| format!("package-{number:05}")).collect();
        let refused = Manager::Yum.install(&["perl"], &installed, AGAIN).unwrap_err().to_string();
        assert!(
            refused.starts_with(
                "the names of the 10000 packages that are installed have 140027 bytes, and yum cannot"
            ),
            "{refused}"
        );
        assert!(refused.ends_with("install perl by hand"), "{refused}");
        // The longest that the kernel takes, really.
        let longest = vec!["x".repeat(ARGUMENT - "--setopt=protected_packages=".len() - 1)];
        Manager::Yum.install(&["perl"], &longest, AGAIN).unwrap();
        let echo =
            |length| Command::new("echo", ["x".repeat(length)], Duration::from_secs(60)).run(&Host::live());
        echo(ARGUMENT - 1).unwrap();
        echo(ARGUMENT).unwrap_err();
    }

    #[test]
    fn debian_is_refused_in_one_line() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("var/lib/dpkg")).unwrap();
        std::fs::File::create(dir.path().join("var/lib/dpkg/status")).unwrap();
        let error = Manager::of(&Host::image(dir.path())).unwrap_err().to_string();
        assert!(error.starts_with("this host's packages are Debian's (dpkg)"), "{error}");
    }
}
