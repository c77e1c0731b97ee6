//! Resolving packages for an empty system, so that nothing depends on what this host happens to have, and downloading them.
//!
//! One way for yum 3.2 and dnf alike, without a plugin: `install` into an empty root with `tsflags=test`. That
//! resolves, downloads, checks signatures where the repository asks for that, has rpm try the transaction, and
//! installs nothing. Locks, caches and databases lie in that root. yum 3.2's `--downloadonly` would need the package
//! yum-plugin-downloadonly, ends with status 1 when all went well, and looks at no signature.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use super::manager::OWN_REPOSITORIES;
use super::name::plain;
use super::rpm::QUESTION;
use crate::facts::packages::Manager;
use crate::host::command::{self, Command};
use crate::host::{Host, files, text, trust};

/// What to do where a repository that was named does not answer.
const NAMED_REPOSITORIES: &str = "the repository named with --repository does not answer: look at its address and at \
     the network (http_proxy is heeded)";

impl Manager {
    /// What may be the reason where it resolved packages and downloaded none.
    pub const fn when_nothing_came(self) -> &'static str {
        match self {
            Self::Yum | Self::Dnf => {
                "of a file: repository yum copies no package, so name it by an http address with --repository"
            }
        }
    }
}

/// Where packages are resolved and downloaded: empty directories.
#[derive(Clone, Copy, Debug)]
pub struct Desk<'a> {
    pub root: &'a Path,
    /// Where the packages go; yum 3.2 leaves them in its cache in the root.
    pub packages: &'a Path,
    /// What is written for the manager: its configuration, and certificates.
    pub configuration: &'a Path,
}

/// Which packages are resolved, and from where.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Their names, which are plain.
    pub packages: &'a [String],
    /// Addresses of repositories; this host's own when there are none.
    pub repositories: &'a [String],
    /// Certificates (PEM) to trust instead of the system's, with those repositories.
    pub ca_file: Option<&'a Path>,
    /// The release that they are for, as the profile names it.
    pub release: &'a str,
    pub deadline: Duration,
}

impl Wanted<'_> {
    /// What to do where no repository answers.
    pub fn repositories_advice(&self) -> &'static str {
        if self.repositories.is_empty() { OWN_REPOSITORIES } else { NAMED_REPOSITORIES }
    }

    /// The command that resolves and downloads the packages, and whose it is.
    /// Errors: One line: there is neither yum nor dnf, or this host's repositories are another release's.
    pub fn command(&self, host: &Host, desk: &Desk<'_>) -> Result<(Manager, Command)> {
        let manager = manager(host)?;
        let mut arguments = vec!["-y".to_owned(), format!("--installroot={}", desk.root.display())];
        if self.repositories.is_empty() {
            its_own_release(host, self.release)?;
            if let Some(version) = release_version(host) {
                arguments.push(format!("--releasever={version}"));
            }
        } else {
            let path = desk.configuration.join("yum.conf");
            let text = configuration(self.repositories, self.ca_file, desk.configuration)?;
            files::replace(&path, text.as_bytes(), 0o600)?;
            arguments.extend(["-c".to_owned(), path.display().to_string()]);
            // Without one, dnf warns that it knows none.
            arguments.push(format!("--releasever={}", digits(self.release)));
        }
        let settings = ["exit_on_lock=1", "keepcache=1", "tsflags=test", "diskspacecheck=0"];
        arguments.extend(settings.iter().map(|setting| format!("--setopt={setting}")));
        match manager {
            Manager::Yum => {}
            // Its cache has no packages of file: repositories.
            Manager::Dnf => arguments.push(format!("--setopt=destdir={}", desk.packages.display())),
        }
        arguments.push("install".to_owned());
        arguments.extend(self.packages.iter().cloned());
        Ok((manager, Command::new(manager.tool(), arguments, self.deadline)))
    }
}

/// What resolves on this host, whatever its family. dnf first: where both names exist, yum is a link to it.
fn manager(host: &Host) -> Result<Manager> {
    match [Manager::Dnf, Manager::Yum].into_iter().find(|manager| command::available(host, manager.tool())) {
        Some(manager) => Ok(manager),
        None => bail!("there is neither yum nor dnf on this host: collect on a machine that has one"),
    }
}

/// Refuses this host's repositories where they are another release's than the target's.
fn its_own_release(host: &Host, wanted: &str) -> Result<()> {
    let found = host.read_if_exists("/etc/redhat-release").context("reading /etc/redhat-release")?;
    let found = found.as_deref().map(str::trim).filter(|found| !found.is_empty());
    ensure!(
        found == Some(wanted),
        "this host is {}, so its repositories are not those of {wanted}: name those with --repository URL (CentOS \
         6.6's lie at http://vault.centos.org/6.6/os/x86_64/)",
        found.map_or_else(|| "of another family".to_owned(), text::safe)
    );
    Ok(())
}

/// What yum and dnf put for `$releasever` in the addresses of repositories; in an empty root they cannot tell.
fn release_version(host: &Host) -> Option<String> {
    ["system-release(releasever)", "system-release", "redhat-release"].iter().find_map(|provided| {
        let args = ["-q", "--qf", r"%{VERSION}\n", "--whatprovides", provided];
        let answer = Command::new("rpm", args, QUESTION).read(host).ok()?;
        let version = answer.lines().next()?.trim().to_owned();
        plain(&version, "a release").ok().map(|()| version)
    })
}

/// The first number in a release's name: 6 of `CentOS release 6.6 (Final)`.
fn digits(release: &str) -> &str {
    let from = release.find(|c: char| c.is_ascii_digit()).unwrap_or(release.len());
    let rest = &release[from..];
    let digits = &rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())];
    if digits.is_empty() { "6" } else { digits }
}

/// A configuration that knows the repositories `urls` and nothing of this host's. Signatures are looked at later, by
/// the profile's rules.
fn configuration(urls: &[String], ca_file: Option<&Path>, directory: &Path) -> Result<String> {
    let mut text = format!(
        "[main]\nreposdir={}\ncachedir=/var/cache/yum\nlogfile=/var/log/yum.log\nplugins=0\ngpgcheck=0\nobsoletes=1\n",
        directory.join("none").display()
    );
    if let Some(path) = ca_file {
        // Under a name in which yum and dnf find nothing to expand.
        let copy = directory.join("ca.pem");
        let certificates = trust::file(path).and_then(|file| Ok(files::read_at_most(file, files::LARGEST)?));
        let certificates =
            certificates.with_context(|| format!("reading the certificates in {}", path.display()))?;
        files::replace(&copy, &certificates, 0o600)?;
        let _ = writeln!(text, "sslcacert={}", copy.display());
    }
    for (at, url) in urls.iter().enumerate() {
        let known = ["http://", "https://", "file:///"].iter().any(|scheme| url.starts_with(scheme));
        // A `$` would be a variable of yum's, a line end another line of the file.
        let plain = url.chars().all(|c| c.is_ascii_graphic() && c != '$');
        ensure!(
            known && plain,
            "--repository {}: an address that begins with http://, https:// or file:/// was expected, without blanks \
             and `$`",
            text::without_secrets(&text::safe(url))
        );
        let _ = write!(text, "\n[target-{0}]\nname=target-{0}\nbaseurl={url}\nenabled=1\n", at + 1);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_number_of_a_release_is_found() {
        assert_eq!(digits("CentOS release 6.6 (Final)"), "6");
        assert_eq!(digits("Rocky Linux release 10.1 (Red Quartz)"), "10");
        assert_eq!(digits("none"), "6");
    }

    #[test]
    fn a_host_of_another_release_is_told_to_name_repositories() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::image(dir.path());
        let refusal =
            |host: &Host| its_own_release(host, "CentOS release 6.6 (Final)").unwrap_err().to_string();
        assert_eq!(
            refusal(&host),
            "this host is of another family, so its repositories are not those of CentOS release 6.6 (Final): name those \
             with --repository URL (CentOS 6.6's lie at http://vault.centos.org/6.6/os/x86_64/)"
        );
        fs::create_dir(dir.path().join("etc")).unwrap();
        let release = dir.path().join("etc/redhat-release");
        files::replace(&release, b"CentOS release 6.10 (Final)\n", 0o644).unwrap();
        let refused = refusal(&host);
        assert!(
            refused.starts_with("this host is CentOS release 6.10 (Final), so its repositories"),
            "{refused}"
        );
        files::replace(&release, b"CentOS release 6.6 (Final)\n", 0o644).unwrap();
        its_own_release(&host, "CentOS release 6.6 (Final)").unwrap();
    }

    #[test]
    fn a_repository_is_one_plain_address() {
        let dir = tempfile::tempdir().unwrap();
        let of =
            |url: &str| configuration(&[url.to_owned()], None, dir.path()).map_err(|error| error.to_string());
        let text = of("http://vault.centos.org/6.6/os/x86_64/").unwrap();
        assert!(text.ends_with(
            "\n[target-1]\nname=target-1\nbaseurl=http://vault.centos.org/6.6/os/x86_64/\nenabled=1\n"
        ));
        for url in
            ["ftp://x/", "/srv/repo", "http://x/\n[main]", "http://x/$basearch", "http://x y/", "file://x"]
        {
            let refused = of(url).unwrap_err();
            assert!(
                refused.contains("an address that begins with http://, https:// or file:///"),
                "{refused}"
            );
        }
        let refused = of("ftp://user:secret@x/").unwrap_err();
        assert!(!refused.contains("secret"), "{refused}");
    }
}
