//! Which packages a target needs: yum or dnf resolve the profile's for an empty system, so that nothing depends on
//! what this host happens to have.
//!
//! One way for yum 3.2 and dnf alike, without a plugin: `install` into an empty root with `tsflags=test`. That
//! resolves, downloads, checks signatures where the repository asks for that, has rpm try the transaction, and
//! installs nothing. Locks, caches and databases lie in that root. yum 3.2's `--downloadonly` would need the package
//! yum-plugin-downloadonly, ends with status 1 when all went well, and looks at no signature.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use super::collect::{Order, Work};
use crate::changes::Context;
use crate::changes::packages::{OWN_REPOSITORIES, no_repository, plain, reason, rpm};
use crate::host::command::{self, Command};
use crate::host::{Host, files, text, trust};

/// How long rpm may think about a transaction.
const QUESTION: Duration = Duration::from_secs(300);

/// What to do where a repository that was named does not answer.
const NAMED_REPOSITORIES: &str = "the repository named with --repository does not answer: look at its address and at \
     the network (http_proxy is heeded)";

/// Packages that were downloaded.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    /// Where they lie.
    pub directory: PathBuf,
    /// Their files' names.
    pub files: Vec<String>,
}

/// Downloads the packages of `order` with all their dependencies.
///
/// # Errors
/// One line: there is neither yum nor dnf, this host's repositories are another release's, or what the package
/// manager said.
pub(super) fn resolve(context: &mut Context<'_>, order: &Order<'_>, work: &Work) -> Result<Resolved> {
    if order.packages.is_empty() {
        return Ok(Resolved::default());
    }
    for name in order.packages {
        plain(name, "a package")?;
    }
    let host = context.host;
    // dnf first: where both names exist, yum is a link to it.
    let dnf = command::available(host, "dnf");
    ensure!(
        dnf || command::available(host, "yum"),
        "there is neither yum nor dnf on this host: collect on a machine that has one"
    );
    let tool = if dnf { "dnf" } else { "yum" };
    let root = work.directory("root")?;
    let packages = work.directory("packages")?;
    let mut arguments = vec!["-y".to_owned(), format!("--installroot={}", root.display())];
    if order.repositories.is_empty() {
        its_own_release(host, &context.profile.os.release)?;
        if let Some(version) = release_version(host) {
            arguments.push(format!("--releasever={version}"));
        }
    } else {
        let path = work.path("yum.conf");
        let ca_file = context.profile.files.ca_file.as_deref();
        files::replace(&path, configuration(order.repositories, ca_file, work)?.as_bytes(), 0o600)?;
        arguments.extend(["-c".to_owned(), path.display().to_string()]);
        // Without one, dnf warns that it knows none.
        arguments.push(format!("--releasever={}", digits(&context.profile.os.release)));
    }
    let settings = ["exit_on_lock=1", "keepcache=1", "tsflags=test", "diskspacecheck=0"];
    arguments.extend(settings.iter().map(|setting| format!("--setopt={setting}")));
    if dnf {
        // Its cache has no packages of file: repositories.
        arguments.push(format!("--setopt=destdir={}", packages.display()));
    }
    arguments.push("install".to_owned());
    arguments.extend(order.packages.iter().cloned());
    let ran = context.run(&Command::new(tool, arguments, context.profile.packages.deadline));
    let output = ran.with_context(|| format!("collecting {}", order.packages.join(", ")))?;
    if output.status != 0 {
        let why = format!("{tool} did not collect {}: {}", order.packages.join(", "), reason(&output));
        let advice = if order.repositories.is_empty() { OWN_REPOSITORIES } else { NAMED_REPOSITORIES };
        let why = no_repository(why, advice);
        bail!(why);
    }
    // yum 3.2 leaves them in its cache in the root.
    let mut found = Vec::new();
    find(&packages, &mut found)?;
    find(&root, &mut found)?;
    for path in found {
        let to = packages.join(path.file_name().unwrap_or_default());
        fs::rename(&path, &to).with_context(|| format!("moving {}", path.display()))?;
    }
    let files = super::directory::packages(&packages)?;
    ensure!(
        !files.is_empty(),
        "{tool} resolved {} and downloaded nothing: of a file: repository yum copies no package, so name it by an http \
         address with --repository",
        order.packages.join(", ")
    );
    Ok(Resolved { directory: packages, files })
}

/// Makes sure, by rpm's own judgement, that every dependency of `packages` is among them.
///
/// # Errors
/// What is missing, as rpm says it.
pub(super) fn is_whole(context: &mut Context<'_>, packages: &Resolved, work: &Work) -> Result<()> {
    if packages.files.is_empty() {
        return Ok(());
    }
    // A database of its own instead of a root of its own: what counts is what the packages say of each other.
    let database = work.directory("database")?.display().to_string();
    let options =
        ["-i", "--test", "--nosignature", "--ignoresize", "--ignorearch", "--dbpath", database.as_str()];
    let files: Vec<&str> = packages.files.iter().map(String::as_str).collect();
    let trial = rpm::on_files(&packages.directory, &options, &files, QUESTION)?;
    let output = context.run(&trial.without_network())?;
    ensure!(output.status == 0, "what was downloaded is not whole: {}", reason(&output));
    Ok(())
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
        let answer = Command::new("rpm", args, Duration::from_secs(60)).read(host).ok()?;
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
fn configuration(urls: &[String], ca_file: Option<&Path>, work: &Work) -> Result<String> {
    let mut text = format!(
        "[main]\nreposdir={}\ncachedir=/var/cache/yum\nlogfile=/var/log/yum.log\nplugins=0\ngpgcheck=0\nobsoletes=1\n",
        work.path("none").display()
    );
    if let Some(path) = ca_file {
        // Under a name in which yum and dnf find nothing to expand.
        let copy = work.path("ca.pem");
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

/// The packages below `directory`.
fn find(directory: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let reading = || format!("reading the directory {}", directory.display());
    for entry in fs::read_dir(directory).with_context(reading)? {
        let entry = entry.with_context(reading)?;
        let kind = entry.file_type().with_context(reading)?;
        if kind.is_dir() {
            find(&entry.path(), found)?;
        } else if kind.is_file() && entry.path().extension().is_some_and(|extension| extension == "rpm") {
            found.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
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
        let work = Work::for_tests(dir.path());
        let of = |url: &str| configuration(&[url.to_owned()], None, &work).map_err(|error| error.to_string());
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
