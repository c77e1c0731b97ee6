//! What installs packages from repositories: yum, or dnf.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::lock;
use crate::facts::packages::{Database, Manager, unfinished_yum};
use crate::host::Host;
use crate::host::command::{Command, Output};

/// What one argument has to be shorter than, in bytes: `MAX_ARG_STRLEN` of the kernel's binfmts.h, 32 pages.
const ARGUMENT: usize = 128 << 10;

impl Manager {
    /// Where what it installs is on record.
    pub(crate) const fn database(self) -> Database {
        match self {
            Self::Yum | Self::Dnf => Database::Rpm,
        }
    }

    /// The command that installs `packages` in one transaction, and removes nothing of `installed`, which is all that there is.
    /// Both wait for their lock for ever, unless they are to give up: we wait ourselves. And both remove what a new package obsoletes,
    /// but for packages that are protected (yum 3.2.28, dnf 1).
    /// Errors: The names of all that is installed are longer than an argument may be.
    pub(crate) fn install(
        self,
        packages: &[&str],
        installed: &[String],
        deadline: Duration,
    ) -> Result<Command> {
        match self {
            Self::Yum | Self::Dnf => self.install_over_rpm(packages, installed, deadline),
        }
    }

    fn install_over_rpm(
        self,
        packages: &[&str],
        installed: &[String],
        deadline: Duration,
    ) -> Result<Command> {
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

    /// The process that `output` says held the lock, when the lock is why nothing was done: `None` inside when it is not named.
    pub(crate) fn refused(self, output: &Output) -> Option<Option<u32>> {
        match self {
            Self::Yum | Self::Dnf => lock::refused(output),
        }
    }

    /// What there is to look at after it was stopped.
    pub(crate) const fn when_stopped(self) -> &'static str {
        match self {
            Self::Yum | Self::Dnf => "; see whether `yum-complete-transaction` finds something to finish",
        }
    }

    /// Transactions that were begun and not finished, in words.
    pub(crate) fn unfinished(self, host: &Host) -> Option<String> {
        let all = match self {
            Self::Yum | Self::Dnf => unfinished_yum(host),
        };
        (!all.is_empty()).then(|| {
            format!(
                "yum has an unfinished transaction ({}): finish it with `yum-complete-transaction` (package yum-utils)",
                all.join(", ")
            )
        })
    }

    /// Why it did not install something, with what to do about that.
    pub(crate) fn explain(self, why: String) -> String {
        match self {
            Self::Yum | Self::Dnf => {
                let mut why = no_repository(why, OWN_REPOSITORIES);
                if why.contains("which is protected") || why.contains("protected packages") {
                    why.push_str(
                        "; what is to be installed would take another package off this host, which the agent does not: \
                         remove that one yourself first (rpm -e), if it is not needed",
                    );
                }
                why
            }
        }
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
    fn an_unfinished_transaction_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::image(dir.path());
        assert_eq!(Manager::Yum.unfinished(&host), None);
        let path = dir.path().join("var/lib/yum/transaction-all.2026-01-01.10:00.00");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::File::create(path).unwrap();
        let message = Manager::Yum.unfinished(&host).unwrap();
        assert!(
            message.contains("(/var/lib/yum/transaction-all.2026-01-01.10:00.00: it is empty): finish it with `yum-complete"),
            "{message}"
        );
    }
}
