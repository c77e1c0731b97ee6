//! The package database: `rpm -qa` or `dpkg-query`, once for all packages.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::{Deserialize, Serialize};

use super::{Fact, family, read};
use crate::host::command::{self, Command};
use crate::host::{Host, Kind, text};

/// Whose database of installed packages it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Database {
    /// rpm's.
    Rpm,
    /// dpkg's.
    Dpkg,
}

/// What installs packages from repositories.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Manager {
    /// yum, or dnf under that name.
    #[default]
    Yum,
    /// dnf, where there is no yum.
    Dnf,
}

impl Manager {
    /// The manager of a host with rpm's database, where there is one.
    pub fn over_rpm(host: &Host) -> Option<Self> {
        [Self::Yum, Self::Dnf].into_iter().find(|manager| command::available(host, manager.tool()))
    }

    /// Whether it is the one that a change has where it names none.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The name of its program.
    pub const fn tool(self) -> &'static str {
        match self {
            Self::Yum => "yum",
            Self::Dnf => "dnf",
        }
    }
}

/// Installed packages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packages {
    /// Whose database it is.
    #[serde(rename = "manager")]
    pub database: Database,
    /// What installs packages from repositories, where that is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installer: Option<Manager>,
    /// Name to version-release of every installed package; of several versions of one (kernels), all, with
    /// commas between.
    pub installed: BTreeMap<String, String>,
    /// What the manager began and did not finish, in words: transactions of yum (/var/lib/yum/transaction-all…), packages that
    /// dpkg has not configured.
    pub unfinished: Vec<String>,
    /// Packages of which rpm has several that are not made to be installed beside each other, in words: an update was cut short.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub duplicates: Vec<String>,
}

/// rpm waits for its lock without end; this ends it.
const DEADLINE: Duration = Duration::from_secs(30);

/// rpm's databases: Berkeley DB (el6, el7), ndb and SQLite.
const RPM: [(&str, &str); 2] = [("/var/lib/rpm", "Packages"), ("/usr/lib/sysimage/rpm", "Packages")];

/// Names that the database has in the directory, beside `Packages`.
const RPM_NEWER: [&str; 2] = ["rpmdb.sqlite", "Packages.db"];

const DPKG: &str = "/var/lib/dpkg";

/// Asks the manager whose database is there for all packages.
pub fn load(host: &Host) -> Fact<Packages> {
    Fact::from_result(match there(host) {
        Some((Database::Rpm, directory)) => rpm(host, directory),
        Some((Database::Dpkg, directory)) => dpkg(host, directory),
        None => Err(anyhow!("neither rpm's nor dpkg's database is there")),
    })
}

/// The database that is there, with its directory. A system of the Red Hat family with dpkg on it, and a Debian with rpm on it, both exist.
fn there(host: &Host) -> Option<(Database, &'static str)> {
    if host.kind() == Kind::Recorded {
        return match (host.exists("/commands/rpm"), host.exists("/commands/dpkg-query")) {
            (true, _) => Some((Database::Rpm, RPM[0].0)),
            (false, true) => Some((Database::Dpkg, DPKG)),
            (false, false) => None,
        };
    }
    let has = |directory: &str, name: &str| host.exists(format!("{directory}/{name}"));
    let rpm = RPM
        .iter()
        .find(|(directory, name)| has(directory, name) || RPM_NEWER.iter().any(|name| has(directory, name)));
    let red_hat = family::is_red_hat(host);
    match (rpm, has(DPKG, "status")) {
        (Some((directory, _)), dpkg) if red_hat || !dpkg => Some((Database::Rpm, directory)),
        (_, true) => Some((Database::Dpkg, DPKG)),
        _ => None,
    }
}

fn rpm(host: &Host, directory: &str) -> Result<Packages> {
    let mut args = vec!["-qa".to_owned(), "--qf".into(), r"%{NAME}\t%{VERSION}-%{RELEASE}\t%{ARCH}\n".into()];
    if host.kind() == Kind::Image {
        // Not --root: that enters the tree and loads code from it.
        args.extend(["--dbpath".into(), absolute(host, directory)?]);
    }
    let command = Command::new("rpm", args, DEADLINE);
    let (stdout, stderr) = ask(host, &command)?;
    // A damaged database makes rpm print errors and a part of the packages, with status 0.
    if let Some(error) = stderr.lines().find(|line| line.starts_with("error:")) {
        bail!("`{}` said: {}", command.line(), text::safe(&text::without_secrets(error)));
    }
    let (installed, duplicates) =
        parse_rpm(&stdout).with_context(|| format!("the output of `{}`", command.line()))?;
    // This host's rpm may not know the image's kind of database; it then lists nothing, with status 0.
    if installed.is_empty() && (host.kind() == Kind::Image || !stderr.trim().is_empty()) {
        let reason = text::safe(&text::without_secrets(stderr.trim()));
        bail!(
            "`{}` lists no package: it cannot read that database{}{reason}",
            command.line(),
            separator(&reason)
        );
    }
    let (database, installer) = (Database::Rpm, Manager::over_rpm(host));
    Ok(Packages { database, installer, installed, unfinished: unfinished_yum(host), duplicates })
}

fn separator(reason: &str) -> &'static str {
    if reason.is_empty() { "" } else { ": " }
}

fn dpkg(host: &Host, directory: &str) -> Result<Packages> {
    let mut args =
        vec!["-W".to_owned(), "-f".into(), r"${Package}\t${Version}\t${db:Status-Abbrev}\n".into()];
    if host.kind() == Kind::Image {
        args.splice(0..0, ["--admindir".to_owned(), absolute(host, directory)?]);
    }
    let command = Command::new("dpkg-query", args, DEADLINE);
    let (stdout, _) = ask(host, &command)?;
    let (installed, mut unfinished) =
        parse_dpkg(&stdout).with_context(|| format!("the output of `{}`", command.line()))?;
    // As apt has it: dpkg takes such files into its database when it ends.
    let updates = host.list(format!("{directory}/updates")).unwrap_or_default();
    if updates.iter().any(|name| name.bytes().all(|byte| byte.is_ascii_digit())) {
        unfinished.push("dpkg was interrupted".to_owned());
    }
    let (database, installer) = (Database::Dpkg, None);
    Ok(Packages { database, installer, installed, unfinished, duplicates: Vec::new() })
}

/// Standard output and standard error. An image's database is read by this host's own tool.
fn ask(host: &Host, command: &Command) -> Result<(String, String)> {
    let live = Host::live();
    let output = command.run(if host.kind() == Kind::Image { &live } else { host })?;
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    command.succeeded(&output)?;
    if output.truncated {
        bail!("`{}` printed more than can be a list of packages", command.line());
    }
    let stdout = String::from_utf8(output.stdout)
        .with_context(|| format!("`{}` printed bytes that are not UTF-8", command.line()))?;
    Ok((stdout, stderr))
}

fn absolute(host: &Host, directory: &str) -> Result<String> {
    let path = host.resolve(directory).and_then(|path| path.canonicalize());
    let path = path.with_context(|| format!("looking for {directory} of the image"))?;
    let path = path.into_os_string().into_string().ok().context("the image's path is not UTF-8")?;
    // How often `%%` becomes one differs between rpm's editions.
    ensure!(
        !path.contains('%'),
        "the image's path {} has a `%`, which rpm would expand: mount the image at a path without one",
        text::safe(&path)
    );
    Ok(path)
}

/// What `rpm -qa` printed, a line `NAME<tab>VERSION-RELEASE<tab>ARCH` for each package: the packages, and those that are there
/// several times in one architecture. Keys (gpg-pubkey) are none. In a recording the architecture may be missing.
/// Errors: The first line that is none.
#[allow(clippy::type_complexity)]
pub fn parse_rpm(text: &str) -> Result<(BTreeMap<String, String>, Vec<String>)> {
    let mut installed = BTreeMap::new();
    let mut by_arch: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let fields = line.split('\t').collect::<Vec<_>>();
        let (name, version, arch) = match fields[..] {
            [name, version] => (name, version, ""),
            [name, version, arch] if !arch.trim().is_empty() => (name, version, arch),
            _ => bail!("line {} is not a package: {}", index + 1, shown(line)),
        };
        if !is_name(name) || version.trim().is_empty() {
            bail!("line {} is not a package: {}", index + 1, shown(line));
        }
        if name != "gpg-pubkey" {
            add(&mut installed, name, version);
            by_arch.entry((name, arch)).or_default().push(version);
        }
    }
    // As package-cleanup has it: kernels, and modules for them, are installed beside each other.
    let beside = |name: &str| name == "kernel" || name.starts_with("kernel-") || name.starts_with("kmod-");
    let several = by_arch.iter().filter(|((name, _), versions)| versions.len() > 1 && !beside(name));
    let duplicates =
        several.map(|((name, _), versions)| format!("{name} {}", versions.join(" and "))).collect();
    Ok((installed, duplicates))
}

/// What `dpkg-query -W` printed: installed packages, and those that are half installed.
/// Errors: The first line that is none.
#[allow(clippy::type_complexity)]
pub fn parse_dpkg(text: &str) -> Result<(BTreeMap<String, String>, Vec<String>)> {
    let (mut installed, mut unfinished) = (BTreeMap::new(), Vec::new());
    for (index, line) in text.lines().enumerate() {
        let fields = line.split('\t').collect::<Vec<_>>();
        let [name, version, status] = fields[..] else {
            bail!("line {} is not a package: {}", index + 1, shown(line));
        };
        let state = status.as_bytes().get(1);
        match (is_name(name), state) {
            (true, Some(b'i')) => add(&mut installed, name, version),
            (true, Some(b't' | b'W')) => {
                add(&mut installed, name, version);
                unfinished.push(format!("{name} waits for triggers"));
            }
            // Not installed, or only its configuration is left.
            (true, Some(b'n' | b'c')) => {}
            (true, Some(b'H')) => unfinished.push(format!("{name} is half installed")),
            (true, Some(b'U')) => unfinished.push(format!("{name} is unpacked and not configured")),
            (true, Some(b'F')) => unfinished.push(format!("{name} is half configured")),
            _ => bail!("line {} is not a package: {}", index + 1, shown(line)),
        }
    }
    Ok((installed, unfinished))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_graphic())
}

fn shown(line: &str) -> String {
    text::safe(&line.chars().take(80).collect::<String>())
}

fn add(installed: &mut BTreeMap<String, String>, name: &str, version: &str) {
    let versions = installed.entry(name.to_owned()).or_default();
    if versions.split(", ").any(|known| known == version) {
        return;
    }
    if !versions.is_empty() {
        versions.push_str(", ");
    }
    versions.push_str(version);
}

/// Transactions that yum began and did not finish, in words. As yum-complete-transaction has it: what stands in the one file and
/// not in the other is left to be done. An empty file was cut short.
pub fn unfinished_yum(host: &Host) -> Vec<String> {
    const DIRECTORY: &str = "/var/lib/yum";
    let names = host.list(DIRECTORY).unwrap_or_default();
    let all = names.iter().filter(|name| !name.ends_with("disabled"));
    let left = |name: &String| {
        let path = format!("{DIRECTORY}/{name}");
        let done = format!("{DIRECTORY}/transaction-done{}", name.strip_prefix("transaction-all")?);
        let read = read::text(host, &path).and_then(|all| Ok((all, read::text_if_exists(host, &done)?)));
        let steps = match read {
            Ok((all, done)) => match steps_left(&all, &done.unwrap_or_default()) {
                (0, 0) => "it is empty".to_owned(),
                (0, _) => return None,
                (left, all) => format!("{left} of {all} steps are left"),
            },
            Err(_) => "it cannot be read".to_owned(),
        };
        Some(format!("{path}: {steps}"))
    };
    all.filter_map(left).collect()
}

/// How many steps of a transaction of yum are left to be done, and how many it has.
fn steps_left(all: &str, done: &str) -> (usize, usize) {
    let steps = |text| str::lines(text).filter(|line| !line.trim().is_empty());
    let mut left: Vec<&str> = steps(all).collect();
    let count = left.len();
    for step in steps(done) {
        if let Some(at) = left.iter().position(|other| *other == step) {
            left.swap_remove(at);
        }
    }
    (left.len(), count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

    const EL6: &str = "perl\t5.10.1-136.el6_6.1\nkernel\t2.6.32-504.el6\nkernel\t2.6.32-573.el6\ngpg-pubkey\tc105b9de-4e0fd3a3\n";
    const DEBIAN: &str = "xfsprogs\t6.1.0-1\tii \nlibc6\t2.36-9\tii \nlibc6\t2.36-9\tii \nold\t1\trc \nhalf\t2\tiF \nheld\t3\thi \n";

    #[test]
    fn rpm_s_list_is_read_without_its_keys() {
        let (installed, duplicates) = parse_rpm(EL6).unwrap();
        assert_eq!((installed.len(), duplicates.len()), (2, 0));
        assert_eq!(installed["kernel"], "2.6.32-504.el6, 2.6.32-573.el6");
        for bad in ["perl 5.10\n", "\t1\n", "perl\t\n", "a\tb\t\n", "a\tb\tc\td\n", "er ror\tx\n", "\n"] {
            let error = parse_rpm(&format!("{EL6}{bad}")).unwrap_err().to_string();
            assert!(error.starts_with("line 5 is not a package: "), "{error}");
        }
        testing::damage(EL6, |text| drop(parse_rpm(text)));
    }

    #[test]
    fn of_what_rpm_has_several_times_an_update_was_cut_short() {
        let duplicates = |text: &str| parse_rpm(text).unwrap().1;
        let glibc = "glibc\t2.12-1.149.el6\tx86_64\nglibc\t2.12-1.149.el6\ti686\nkernel\t1-1\tx86_64\nkernel\t1-2\tx86_64\n\
             kmod-reiserfs\t0-1\tx86_64\nkmod-reiserfs\t0-2\tx86_64\ngpg-pubkey\t1-1\t(none)\ngpg-pubkey\t2-2\t(none)\n";
        assert_eq!(duplicates(glibc), [""; 0]);
        let cut = format!("perl\t5.10-136\tx86_64\n{glibc}perl\t5.10-141\tx86_64\n");
        assert_eq!(duplicates(&cut), ["perl 5.10-136 and 5.10-141"]);
        // A reinstallation.
        assert_eq!(
            duplicates("perl\t5.10-136\tx86_64\nperl\t5.10-136\tx86_64\n"),
            ["perl 5.10-136 and 5.10-136"]
        );
        assert_eq!(duplicates("lib\t1-1\ti686\nlib\t1-2\tx86_64\n"), [""; 0]);
    }

    #[test]
    fn what_is_left_of_a_transaction_of_yum_is_what_is_not_done() {
        const ALL: &str = "ts_install 0:perl-5.10-136.el6.x86_64\nts_update 0:bash-4-1.x86_64\nts_updated 0:bash-3-1.x86_64\n";
        let first = ALL.lines().next().unwrap();
        assert_eq!(steps_left(ALL, ""), (3, 3));
        assert_eq!(steps_left(ALL, &format!("{first}\n{first}\nelse\n")), (2, 3));
        assert_eq!(steps_left(ALL, ALL), (0, 3));
        testing::damage(ALL, |text| {
            let (left, all) = steps_left(ALL, text);
            assert!(left <= all);
        });
        let left = |all: &str, done: &[(&str, &str)]| {
            let mut files = vec![("var/lib/yum/transaction-all.2015-01-01.10:00.00", all)];
            files.extend(done);
            let dir = testing::tree(&files);
            unfinished_yum(&Host::recorded(dir.path()))
        };
        let done = "var/lib/yum/transaction-done.2015-01-01.10:00.00";
        let path = "/var/lib/yum/transaction-all.2015-01-01.10:00.00";
        assert_eq!(left(ALL, &[(done, first)]), [format!("{path}: 2 of 3 steps are left")]);
        assert_eq!(left(ALL, &[]), [format!("{path}: 3 of 3 steps are left")]);
        assert_eq!(left("", &[]), [format!("{path}: it is empty")]);
        assert_eq!(left(ALL, &[(done, ALL)]), [""; 0]);
        // What a person has set aside, and the second file alone.
        let aside = testing::tree(&[("var/lib/yum/transaction-all.2015.disabled", ALL), (done, ALL)]);
        assert_eq!(unfinished_yum(&Host::recorded(aside.path())), [""; 0]);
    }

    #[test]
    fn dpkg_s_list_is_read_by_state() {
        let (installed, unfinished) = parse_dpkg(DEBIAN).unwrap();
        assert_eq!(installed.keys().collect::<Vec<_>>(), ["held", "libc6", "xfsprogs"]);
        assert_eq!(
            (installed["libc6"].as_str(), unfinished),
            ("2.36-9", vec!["half is half configured".into()])
        );
        let (waiting, unfinished) = parse_dpkg("a\t1\tit \nb\t1\tiW \nc\t1\tiU \nd\t1\tiHR\n").unwrap();
        assert_eq!(waiting.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(unfinished.len(), 4, "{unfinished:?}");
        assert!(parse_dpkg("x\t1\t\n").is_err());
        testing::damage(DEBIAN, |text| drop(parse_dpkg(text)));
    }

    #[test]
    fn a_recording_answers_from_its_file_and_shows_what_yum_left() {
        let dir = testing::tree(&[
            ("commands/rpm", EL6),
            ("var/lib/yum/transaction-all.2015-01-01.10:00.00", "x y\n"),
        ]);
        let Fact::Known(packages) = load(&Host::recorded(dir.path())) else { panic!() };
        assert_eq!((packages.database, packages.installed.len()), (Database::Rpm, 2));
        assert_eq!(
            packages.unfinished,
            ["/var/lib/yum/transaction-all.2015-01-01.10:00.00: 1 of 1 steps are left"]
        );
        let none = testing::tree(&[]);
        let why = "neither rpm's nor dpkg's database is there";
        assert_eq!(load(&Host::recorded(none.path())), Fact::Unknown(why.into()));
        assert_eq!(load(&Host::image(none.path())), Fact::Unknown(why.into()));
    }

    #[test]
    fn an_image_that_this_host_cannot_read_has_unknown_packages() {
        let dir = testing::tree(&[("var/lib/rpm/Packages", "not a database"), ("etc/redhat-release", "x")]);
        let read = load(&Host::image(dir.path()));
        let Fact::Unknown(why) = read else { panic!("{read:?}") };
        assert!(why.contains("rpm"), "{why}");
    }

    #[test]
    fn this_machine_s_own_database_is_read() {
        let read = load(&Host::live());
        let Fact::Known(packages) = read else { panic!("{read:?}") };
        assert!(packages.installed.len() > 50, "{}", packages.installed.len());
    }
}
