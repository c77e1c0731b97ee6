//! Packages: from the configured repositories in one transaction, or from files. The rpm database says what
//! came of it; the exit status of yum, which is 0 when any of the names was found, is not asked.

mod files;
pub(crate) mod lock;
pub(crate) mod look;
mod obtain;
pub(crate) mod rpm;
pub mod version;

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

pub use self::files::{install_files, install_files_with_rpm};
pub(super) use self::obtain::{copy, obtain, own, sum_of};
use super::{Context, Done};
use crate::facts::packages::unfinished_yum;
use crate::host::command::{self, Became, Command, Failure, Output};
use crate::host::{Host, isolation, sync, text};

/// How often a lock is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// What installs packages from repositories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// yum, or dnf under that name.
    Yum,
    /// dnf, where there is no yum.
    Dnf,
}

impl Manager {
    /// The manager of this host.
    ///
    /// # Errors
    /// There is none that this agent can use.
    pub fn of(host: &Host) -> Result<Self> {
        not_debian(host)?;
        match (command::available(host, "yum"), command::available(host, "dnf")) {
            (true, _) => Ok(Self::Yum),
            (false, true) => Ok(Self::Dnf),
            (false, false) => {
                bail!("there is neither yum nor dnf on this host: install the packages by hand")
            }
        }
    }

    fn tool(self) -> &'static str {
        match self {
            Self::Yum => "yum",
            Self::Dnf => "dnf",
        }
    }

    /// Both wait for their lock for ever, unless told to give up: we wait ourselves. And both remove what a new package
    /// obsoletes, but for packages that are protected (yum 3.2.28, dnf 1): `installed` all are.
    ///
    /// # Errors
    /// The names of all that is installed are longer than an argument may be.
    fn install(self, packages: &[&str], installed: &[String], deadline: Duration) -> Result<Command> {
        let protected =
            (!installed.is_empty()).then(|| format!("--setopt=protected_packages={}", installed.join(",")));
        let length = protected.as_ref().map_or(0, String::len);
        ensure!(
            length < ARGUMENT,
            "the names of the {} packages that are installed have {length} bytes, and {} cannot be told in one argument (less \
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

/// What one argument has to be shorter than, in bytes: `MAX_ARG_STRLEN` of the kernel's binfmts.h, 32 pages.
const ARGUMENT: usize = 128 << 10;

/// A host of the Red Hat family may have dpkg on it, and a Debian rpm: the release file decides.
pub(super) fn not_debian(host: &Host) -> Result<()> {
    if !host.exists("/etc/redhat-release") && host.exists("/var/lib/dpkg/status") {
        bail!(
            "this host's packages are Debian's (dpkg), which the agent does not install: install them by hand, with \
             apt-get"
        );
    }
    Ok(())
}

/// Installs `packages` in one transaction.
///
/// # Errors
/// Which packages are still missing, and what yum said; or who holds a lock.
pub fn install(context: &mut Context<'_>, packages: &[String]) -> Result<Done> {
    not_debian(context.host).with_context(|| format!("installing {}", packages.join(", ")))?;
    let missing = missing(context.host, packages)?;
    if missing.is_empty() {
        return Ok(Done::Unchanged);
    }
    let manager = Manager::of(context.host).with_context(|| format!("installing {}", missing.join(", ")))?;
    install_with(context, manager, packages)
}

/// As [`install`], with a certain manager.
///
/// # Errors
/// As [`install`].
pub fn install_with(context: &mut Context<'_>, manager: Manager, packages: &[String]) -> Result<Done> {
    let host = context.host;
    let wanted = missing(host, packages)?;
    if wanted.is_empty() {
        return Ok(Done::Unchanged);
    }
    let kept = rpm::installed_names(host)?;
    let unfinished = unfinished(host);
    if let Some(unfinished) = &unfinished {
        // yum itself only warns of it, and can work in spite of it; so we do not refuse either.
        context.observer.progress(unfinished);
        context.observer.log(unfinished);
    }
    let ran = transaction(context, manager, &wanted, &kept);
    // rpm syncs its database and no file: after a loss of power it would list packages whose files are empty.
    sync::system(host)?;
    let installed = rpm::installed(host, &wanted)?;
    let left: Vec<&str> = wanted.iter().copied().filter(|name| !installed.contains_key(*name)).collect();
    let tool = manager.tool();
    let mut why = match ran {
        Ok(_) if left.is_empty() => return Ok(Done::Changed(describe(&installed))),
        Ok(output) => format!("{tool} did not install {}: {}", left.join(", "), reason(&output)),
        // Stopped, it may have left a package half installed, whatever the database says.
        Err(error) if left.is_empty() => format!("installing {}: {error:#}", wanted.join(", ")),
        Err(error) => format!("{tool} did not install {}: {error:#}", left.join(", ")),
    };
    why = no_repository(why, OWN_REPOSITORIES);
    if why.contains("which is protected") || why.contains("protected packages") {
        why.push_str(
            "; what is to be installed would take another package off this host, which the agent does not: remove that one \
             yourself first (rpm -e), if it is not needed",
        );
    }
    if let Some(unfinished) = unfinished {
        why.push_str("; ");
        why.push_str(&unfinished);
    }
    bail!(why)
}

/// What to do where none of this host's repositories answers.
pub(super) const OWN_REPOSITORIES: &str = "no repository answers: CentOS 6 has left the mirrors, name \
     vault.centos.org/6.6 or a repository of your own in /etc/yum.repos.d";

/// What a package manager said, with `advice` where it says that no repository answered.
pub(super) fn no_repository(why: String, advice: &str) -> String {
    let unanswered = ["baseurl", "mirrorlist", "repomd.xml"].iter().any(|word| why.contains(word));
    if unanswered { format!("{why}; {advice}") } else { why }
}

/// Those of `packages` that are not installed, in their order.
pub(super) fn missing<'a>(host: &Host, packages: &'a [String]) -> Result<Vec<&'a str>> {
    let names: Vec<&str> = packages.iter().map(String::as_str).collect();
    if names.is_empty() {
        return Ok(names);
    }
    for name in &names {
        plain(name, "a package")?;
    }
    let installed = rpm::installed(host, &names)?;
    Ok(names.into_iter().filter(|name| !installed.contains_key(*name)).collect())
}

/// Refuses what a tool would take for an option, a path, a group or a pattern.
pub(super) fn plain(name: &str, what: &str) -> Result<()> {
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    let rest = name.chars().all(|c| c.is_ascii_alphanumeric() || "._+~^-".contains(c));
    ensure!(
        first && rest,
        "`{}` cannot be the name of {what}: letters, digits, `.`, `_`, `+`, `~`, `^`, `-`",
        text::safe(name)
    );
    Ok(())
}

/// Runs the transaction, waiting for locks as long as the profile says.
fn transaction(
    context: &mut Context<'_>,
    manager: Manager,
    packages: &[&str],
    installed: &[String],
) -> Result<Output> {
    let settings = &context.profile.packages;
    let until = Instant::now() + settings.lock_timeout;
    let command = manager.install(packages, installed, settings.deadline)?;
    wait_for_rpm(context, until)?;
    let mut told = None;
    loop {
        let output = context.run(&command).map_err(|failure| {
            let stopped =
                matches!(failure, Failure::Deadline { became: Became::Stopped | Became::Stuck, .. });
            let advice = if stopped {
                "; see whether `yum-complete-transaction` finds something to finish"
            } else {
                ""
            };
            anyhow::anyhow!("{failure}{advice}")
        })?;
        let Some(holder) = lock::refused(&output) else { return Ok(output) };
        let holder = lock::process(context.host, holder);
        wait(context, until, manager.tool(), &holder, &mut told)?;
    }
}

/// Runs rpm's transaction of `files` in `directory`, without a network where the host can do that, and writes out what it
/// wrote.
pub(super) fn rpm_transaction(
    context: &mut Context<'_>,
    option: &str,
    directory: &Path,
    files: &[&str],
) -> Result<Result<Output, Failure>> {
    let settings = &context.profile.packages;
    wait_for_rpm(context, Instant::now() + settings.lock_timeout)?;
    let mut command = rpm::on_files(directory, &[option], files, settings.deadline)?.transaction();
    // systemd itself starts the daemons that a scriptlet restarts. Elsewhere they would begin in the scriptlet's
    // namespace and be out of reach until the next boot: glibc's of CentOS 6 restarts sshd.
    if context.host.exists(SYSTEMD) {
        if let Some(why) = isolation::refused() {
            context.observer.progress(&format!("rpm keeps its network: {why}"));
            context.observer.log(&format!("rpm keeps its network: {why}"));
        }
        command = command.without_network();
    }
    let ran = context.run(&command);
    // As after yum: what rpm wrote is to outlive a loss of power.
    sync::system(context.host)?;
    Ok(ran)
}

/// Exists where systemd is the init (sd_booted(3)).
const SYSTEMD: &str = "/run/systemd/system";

/// Waits until nobody holds rpm's own lock.
pub(super) fn wait_for_rpm(context: &mut Context<'_>, until: Instant) -> Result<()> {
    let mut told = None;
    while let Some(holder) = lock::rpm_holder(context.host) {
        wait(context, until, "rpm", &holder, &mut told)?;
    }
    Ok(())
}

/// Waits a moment for the lock of `tool`, telling once who holds it.
fn wait(
    context: &mut Context<'_>,
    until: Instant,
    tool: &str,
    holder: &str,
    told: &mut Option<String>,
) -> Result<()> {
    let timeout = context.profile.packages.lock_timeout.as_secs();
    ensure!(
        Instant::now() < until,
        "{holder} holds the lock of {tool}, for more than {timeout} s: let it end, then apply again"
    );
    if told.as_deref() != Some(holder) {
        context.observer.progress(&format!("{holder} holds the lock of {tool}; waiting up to {timeout} s"));
        *told = Some(holder.to_owned());
    }
    sleep(AGAIN.min(until.saturating_duration_since(Instant::now())));
    Ok(())
}

/// Transactions that yum began and did not finish, in words.
fn unfinished(host: &Host) -> Option<String> {
    let all = unfinished_yum(host);
    (!all.is_empty()).then(|| {
        format!(
            "yum has an unfinished transaction ({}): finish it with `yum-complete-transaction` (package yum-utils)",
            all.join(", ")
        )
    })
}

pub(super) fn describe(installed: &std::collections::BTreeMap<String, String>) -> String {
    let all: Vec<String> = installed.iter().map(|(name, version)| format!("{name} {version}")).collect();
    format!("installed {}", all.join(", "))
}

/// Why a package manager did not do it: the lines that say so, else the last ones.
pub(super) fn reason(output: &Output) -> String {
    const TELLING: [&str; 15] = [
        "No package",
        "No match for",
        "Error",
        "error:",
        "Errno",
        "Cannot",
        "Could not",
        "Unable to find",
        "nothing provides",
        "is needed by",
        "conflicts with",
        "Failed",
        "protected packages",
        "is not signed",
        "Public key",
    ];
    let all = [output.stdout.as_slice(), b"\n", &output.stderr].concat();
    let all = text::without_secrets(&String::from_utf8_lossy(&all));
    let mut lines: Vec<&str> = Vec::new();
    for line in all.lines().map(|line| line.trim().trim_start_matches("- ")) {
        // What ends in a colon announces the lines that follow.
        let telling = !line.ends_with(':') && TELLING.iter().any(|word| line.contains(word));
        if telling && !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.truncate(6);
    let told = if lines.is_empty() { output.said() } else { text::safe(&lines.join("; ")) };
    let told: String = told.chars().take(600).collect();
    if told.is_empty() { format!("it said nothing (status {})", output.status) } else { told }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_be_an_option_a_path_or_a_pattern() {
        for name in ["-y", "--installroot=/x", "/tmp/x.rpm", "@base", "per*", "", "a b", "x\x1b"] {
            assert!(plain(name, "a package").is_err(), "{name}");
        }
        for name in ["perl", "kmod-reiserfs", "libstdc++", "python2.6", "7zip"] {
            plain(name, "a package").unwrap();
        }
    }

    #[test]
    fn what_one_argument_cannot_hold_is_refused_before_yum_is_started() {
        let installed: Vec<String> = (0..10_000).map(|number| format!("package-{number:05}")).collect();
        let said = Manager::Yum.install(&["perl"], &installed, AGAIN).unwrap_err().to_string();
        assert!(
            said.starts_with(
                "the names of the 10000 packages that are installed have 140027 bytes, and yum cannot"
            ),
            "{said}"
        );
        assert!(said.ends_with("install perl by hand"), "{said}");
        // The longest that the kernel takes, really.
        let longest = vec!["x".repeat(ARGUMENT - "--setopt=protected_packages=".len() - 1)];
        Manager::Yum.install(&["perl"], &longest, AGAIN).unwrap();
        let echo =
            |length| Command::new("echo", ["x".repeat(length)], Duration::from_secs(60)).run(&Host::live());
        echo(ARGUMENT - 1).unwrap();
        echo(ARGUMENT).unwrap_err();
    }

    #[test]
    fn what_yum_says_of_missing_packages_and_dead_mirrors_is_quoted() {
        let output = Output {
            stdout: b"Setting up Install Process\nNo package lsscsi available.\nError: Nothing to do\nError: Nothing to do\n"
                .to_vec(),
            ..Output::default()
        };
        assert_eq!(reason(&output), "No package lsscsi available.; Error: Nothing to do");
        assert_eq!(reason(&Output::default()), "it said nothing (status 0)");
    }

    #[test]
    fn an_unfinished_transaction_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::image(dir.path());
        assert_eq!(unfinished(&host), None);
        let path = dir.path().join("var/lib/yum/transaction-all.2026-01-01.10:00.00");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::File::create(path).unwrap();
        let told = unfinished(&host).unwrap();
        assert!(
            told.contains("(/var/lib/yum/transaction-all.2026-01-01.10:00.00: it is empty): finish it with `yum-complete"),
            "{told}"
        );
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
