//! What package files say of themselves, and whether the target's rpm can install them.
//!
//! rpm takes a file that is no package for a list of packages and addresses, and fetches and installs those. So the
//! first bytes are looked at before rpm sees a file.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

use super::rpm;
use super::version::Range;
use crate::host::{Host, files as host_files, text};
use crate::profile::Os;

/// The first bytes of a package file: its lead (`RPMLEAD_MAGIC0` to 3 of rpm's lib/rpmlead.c).
const LEAD: [u8; 4] = [0xed, 0xab, 0xee, 0xdb];

/// What begins the header of signatures behind the lead of 96 bytes (`rpm_header_magic` of rpm's lib/header.c).
const HEADER: [u8; 3] = [0x8e, 0xad, 0xe8];

/// What rpm is asked: a line for the package, then one for each thing that it requires, provides and obsoletes. Of a list
/// that it has not, rpm says `(none)`.
const FORMAT: &str = r"N\t%{NAME}\t%{EPOCH}\t%{VERSION}-%{RELEASE}\t%{ARCH}\t%{SOURCERPM}\t%{PAYLOADCOMPRESSOR}\n[R\t%{REQUIRENAME}\n]\n[P\t%{PROVIDENAME}\n]\n[O\t%{OBSOLETENAME}\t%{OBSOLETEFLAGS}\t%{OBSOLETEVERSION}\n]\n";

/// What rpm 4.8 (CentOS 6) can do, of what a package may ask of rpm: `rpm --showrc` lists it. What came later:
/// TildeInVersions 4.10, LargeFiles and RichDependencies 4.12, PayloadIsZstd 4.14, CaretInVersions 4.15.
const EL6_CAN: [&str; 13] = [
    "VersionedDependencies",
    "CompressedFileNames",
    "PayloadIsBzip2",
    "PayloadIsLzma",
    "PayloadIsXz",
    "PayloadFilesHavePrefix",
    "ExplicitPackageProvide",
    "HeaderLoadSortsTags",
    "ScriptletInterpreterArgs",
    "PartialHardlinkSets",
    "ConcurrentAccess",
    "BuiltinLuaScripts",
    "FileDigests",
];

/// With `FileCaps`, which 4.8 has where the kernel has capabilities, as CentOS 6's does.
const EL6_CAN_TOO: &str = "FileCaps";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Package {
    pub name: String,
    pub epoch: Option<u32>,
    /// Version and release.
    pub version: String,
    pub architecture: String,
    pub provides: Vec<String>,
    /// What rpm removes when it installs this by `-U`.
    pub obsoletes: Vec<Range>,
    requires: Vec<String>,
    source: bool,
    compressor: String,
}

impl Package {
    /// The name that its maker gives its file: `wget-1.12-5.el6.x86_64.rpm`.
    pub fn file(&self) -> String {
        format!("{}-{}.{}.rpm", self.name, self.version, self.architecture)
    }

    /// Whether it is a kernel, whatever it is called (`kernel`, `kernel-core`, `kernel-ml`).
    pub fn is_kernel(&self) -> bool {
        const PROVIDED: [&str; 3] = ["kernel", "kernel-core", "kernel-uname-r"];
        self.provides.iter().any(|name| PROVIDED.contains(&name.as_str()))
    }

    /// Makes sure that the system that `os` describes can install it.
    pub fn fits(&self, os: &Os) -> Result<()> {
        ensure!(!self.source, "it is a source package");
        ensure!(
            for_architecture(&self.architecture, os.architecture.name()),
            "it is made for {}, not for {}",
            self.architecture,
            os.architecture
        );
        if !os.release.contains("release 6") {
            return Ok(());
        }
        ensure!(
            ["gzip", "bzip2", "lzma", "xz", "(none)"].contains(&self.compressor.as_str()),
            "its payload is packed with {}, which release 6's rpm cannot read",
            self.compressor
        );
        for required in &self.requires {
            let feature = required.strip_prefix("rpmlib(").and_then(|rest| rest.strip_suffix(')'));
            let Some(feature) = feature else { continue };
            ensure!(
                EL6_CAN.contains(&feature) || feature == EL6_CAN_TOO,
                "it needs rpmlib({feature}), which release 6's rpm has not: it is a package of a newer release"
            );
        }
        Ok(())
    }
}

/// Name, epoch, version, release and architecture in one word: `perl-4:5.10.1-136.el6.x86_64`.
impl std::fmt::Display for Package {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&nevra(&self.name, self.epoch, &self.version, &self.architecture))
    }
}

/// As a [`Package`] is displayed.
pub fn nevra(name: &str, epoch: Option<u32>, version: &str, architecture: &str) -> String {
    let epoch = epoch.map_or_else(String::new, |epoch| format!("{epoch}:"));
    format!("{name}-{epoch}{version}.{architecture}")
}

/// What the package files `files` in `directory` say of themselves, in their order. Nothing that is no package reaches
/// rpm.
/// Errors: One of them is no package, or none that this host's rpm can read.
pub fn look(host: &Host, directory: &Path, files: &[&str]) -> Result<Vec<Package>> {
    for file in files {
        is_package(&directory.join(file)).with_context(|| (*file).to_owned())?;
    }
    ask(host, directory, files)
}

/// As [`look`], of one file, which messages do not name.
pub fn look_at(host: &Host, directory: &Path, file: &str) -> Result<Package> {
    is_package(&directory.join(file))?;
    ask(host, directory, &[file])?.pop().with_context(|| format!("rpm said nothing of {file}"))
}

fn ask(host: &Host, directory: &Path, files: &[&str]) -> Result<Vec<Package>> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    // Signatures are `signatures`' matter; a missing key must not print here.
    let options = ["-qp", "--nosignature", "--qf", FORMAT];
    let question = rpm::on_files(directory, &options, files, rpm::long(files.len()))?;
    let output = question.without_network().run(host)?;
    ensure!(output.status == 0 && !output.truncated, "rpm cannot read what is there: {}", output.message());
    let packages = parse(&String::from_utf8_lossy(&output.stdout))?;
    ensure!(
        packages.len() == files.len(),
        "rpm listed {} packages in {} files: {}",
        packages.len(),
        files.len(),
        files.join(", ")
    );
    Ok(packages)
}

pub fn paths(host: &Host, directory: &Path, file: &str) -> Result<Vec<String>> {
    let options = ["-qp", "--nosignature", "--qf", r"[%{FILENAMES}\n]"];
    let answer = rpm::on_files(directory, &options, &[file], rpm::LONG_QUESTION)?.read(host)?;
    let paths = answer.lines().filter(|line| !line.is_empty() && *line != "(none)");
    Ok(paths.map(str::to_owned).collect())
}

fn is_package(path: &Path) -> Result<()> {
    has_lead(&host_files::open(path).with_context(|| format!("reading {}", path.display()))?)
}

/// As [`is_package`], of a file that is open.
/// Errors: It does not; what it is instead.
pub fn has_lead(file: &File) -> Result<()> {
    let mut head = [0; 96 + HEADER.len()];
    let read = file.read_at(&mut head, 0)?;
    ensure!(read > 0, "it is empty");
    ensure!(
        head.starts_with(&LEAD) && head.ends_with(&HEADER),
        "it is no rpm package{}",
        if head[..4].contains(&b'<') { " but a web page" } else { "" }
    );
    Ok(())
}

/// What [`FORMAT`] asked for. A name with a line break in it gives lines that are none of these.
fn parse(answer: &str) -> Result<Vec<Package>> {
    let mut packages: Vec<Package> = Vec::new();
    for line in answer.lines().filter(|line| !line.is_empty() && *line != "(none)") {
        let fields: Vec<String> = line.split('\t').map(text::safe).collect();
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let unclear = || format!("rpm did not say what it is: {}", text::safe(line));
        if let ["N", name, epoch, version, architecture, source, compressor] = fields[..] {
            packages.push(Package {
                name: name.to_owned(),
                epoch: match epoch {
                    "(none)" => None,
                    epoch => Some(epoch.parse().with_context(unclear)?),
                },
                version: version.to_owned(),
                architecture: architecture.to_owned(),
                source: source == "(none)",
                compressor: compressor.to_owned(),
                ..Package::default()
            });
            continue;
        }
        let package = packages.last_mut().with_context(unclear)?;
        match fields[..] {
            ["R", name] => package.requires.push(name.to_owned()),
            ["P", name] => package.provides.push(name.to_owned()),
            ["O", name, senses, evr] => {
                let senses = senses.parse().with_context(unclear)?;
                package.obsoletes.push(Range { name: name.to_owned(), senses, evr: evr.to_owned() });
            }
            _ => bail!(unclear()),
        }
    }
    Ok(packages)
}

/// Whether a machine of the architecture `machine` runs packages made for `package`.
fn for_architecture(package: &str, machine: &str) -> bool {
    let old = ["i386", "i486", "i586", "i686"].contains(&package);
    package == machine || package == "noarch" || (machine == "x86_64" && old)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Architecture;

    fn fits(answer: &str) -> Result<(), String> {
        let os = Os {
            release: "CentOS release 6.6 (Final)".parse().unwrap(),
            architecture: Architecture::X86_64,
            timezone: None,
        };
        parse(answer).and_then(|packages| packages[0].fits(&os)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_package_of_release_6_passes() {
        let answer = "N\tperl\t4\t5.10.1-136.el6\tx86_64\tperl-5.10.1-136.el6.src.rpm\txz\nR\tperl-libs\n\
                      R\trpmlib(FileDigests)\nR\trpmlib(PayloadIsXz)\nR\trpmlib(FileCaps)\n\nP\tperl\n\n(none)\n";
        let package = parse(answer).unwrap().remove(0);
        assert_eq!(package.to_string(), "perl-4:5.10.1-136.el6.x86_64");
        assert_eq!(package.file(), "perl-5.10.1-136.el6.x86_64.rpm");
        fits(answer).unwrap();
        for architecture in ["noarch", "i686"] {
            fits(&answer.replace("\tx86_64\t", &format!("\t{architecture}\t"))).unwrap();
        }
    }

    #[test]
    fn what_release_6_cannot_install_is_refused_with_the_reason() {
        let answer = "N\tx\t(none)\t1-1\tx86_64\tx-1-1.src.rpm\tgzip\n";
        for (from, to, why) in [
            ("x86_64", "aarch64", "it is made for aarch64, not for x86_64"),
            ("x-1-1.src.rpm", "(none)", "it is a source package"),
            ("gzip", "zstd", "its payload is packed with zstd, which release 6's rpm cannot read"),
        ] {
            assert_eq!(fits(&answer.replace(from, to)).unwrap_err(), why);
        }
        assert_eq!(
            fits(&format!("{answer}R\trpmlib(RichDependencies)\n")).unwrap_err(),
            "it needs rpmlib(RichDependencies), which release 6's rpm has not: it is a package of a newer release"
        );
    }

    #[test]
    fn an_answer_that_was_not_asked_for_is_refused() {
        let good = "N\tx\t(none)\t1-1\tnoarch\tx-1-1.src.rpm\tgzip\n(none)\nP\tx\n\nO\told\t2\t1.0\n\n";
        let package = parse(good).unwrap().remove(0);
        assert_eq!(package.provides, ["x"]);
        assert_eq!(package.obsoletes, [Range { name: "old".into(), senses: 2, evr: "1.0".into() }]);
        for bad in
            ["error\n", "P\tx\n", "N\tx\t(none)\t1-1\n", &format!("{good}O\tx\n"), &format!("{good}X\tx\n")]
        {
            let error = parse(bad).unwrap_err().to_string();
            assert!(error.starts_with("rpm did not say what it is: "), "{error}");
        }
    }
}
