//! What a package file says of itself, and whether the target's rpm can install it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::host::command::Command;
use crate::host::{Host, text};
use crate::profile::Os;

/// How long a question to rpm may take.
const QUESTION: Duration = Duration::from_secs(60);

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

/// What a package file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Version and release.
    pub version: String,
    /// `x86_64`, `noarch`, …
    pub architecture: String,
}

/// What the package file at `path` says, when the system that `os` describes can install it.
///
/// # Errors
/// It is no package, or not one for that system: why.
pub fn inspect(host: &Host, path: &Path, os: &Os) -> Result<Package> {
    let format =
        r"%{NAME}\t%{VERSION}-%{RELEASE}\t%{ARCH}\t%{SOURCERPM}\t%{PAYLOADCOMPRESSOR}\n[%{REQUIRENAME}\n]";
    let args = ["-qp", "--nosignature", "--qf", format, &path.to_string_lossy()];
    let answer = Command::new("rpm", args, QUESTION).read(host)?;
    parse(&answer, os).with_context(|| path.file_name().unwrap_or_default().to_string_lossy().into_owned())
}

fn parse(answer: &str, os: &Os) -> Result<Package> {
    let mut lines = answer.lines();
    let fields: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let [name, version, architecture, source, compressor] = fields.as_slice() else {
        bail!("rpm did not say what it is: {}", text::safe(answer.lines().next().unwrap_or_default()));
    };
    let package = Package {
        name: text::safe(name),
        version: text::safe(version),
        architecture: text::safe(architecture),
    };
    ensure!(*source != "(none)", "it is a source package");
    ensure!(
        for_architecture(architecture, &os.architecture),
        "it is made for {}, not for {}",
        package.architecture,
        os.architecture
    );
    if os.release.contains("release 6") {
        let plain = ["gzip", "bzip2", "lzma", "xz", "(none)"].contains(compressor);
        ensure!(
            plain,
            "its payload is packed with {}, which release 6's rpm cannot read",
            text::safe(compressor)
        );
        for line in lines {
            let Some(feature) = line.strip_prefix("rpmlib(").and_then(|rest| rest.strip_suffix(')')) else {
                continue;
            };
            ensure!(
                EL6_CAN.contains(&feature) || feature == EL6_CAN_TOO,
                "it needs rpmlib({}), which release 6's rpm has not: it is a package of a newer release",
                text::safe(feature)
            );
        }
    }
    Ok(package)
}

/// Whether a machine of the architecture `machine` runs packages made for `package`.
fn for_architecture(package: &str, machine: &str) -> bool {
    let old = ["i386", "i486", "i586", "i686"].contains(&package);
    package == machine || package == "noarch" || (machine == "x86_64" && old)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(answer: &str) -> Result<Package, String> {
        let os = Os {
            release: "CentOS release 6.6 (Final)".into(),
            architecture: "x86_64".into(),
            timezone: None,
        };
        parse(answer, &os).map_err(|error| error.to_string())
    }

    #[test]
    fn a_package_of_release_6_passes() {
        let answer = "perl\t5.10.1-136.el6\tx86_64\tperl-5.10.1-136.el6.src.rpm\txz\nperl-libs\n\
                      rpmlib(FileDigests)\nrpmlib(PayloadIsXz)\nrpmlib(FileCaps)\n";
        let package = of(answer).unwrap();
        assert_eq!((package.name.as_str(), package.version.as_str()), ("perl", "5.10.1-136.el6"));
        for architecture in ["noarch", "i686"] {
            of(&answer.replace("\tx86_64\t", &format!("\t{architecture}\t"))).unwrap();
        }
    }

    #[test]
    fn what_release_6_cannot_install_is_refused_with_the_reason() {
        let answer = "x\t1-1\tx86_64\tx-1-1.src.rpm\tgzip\n";
        for (from, to, why) in [
            ("x86_64", "aarch64", "it is made for aarch64, not for x86_64"),
            ("x-1-1.src.rpm", "(none)", "it is a source package"),
            ("gzip", "zstd", "its payload is packed with zstd, which release 6's rpm cannot read"),
        ] {
            assert_eq!(of(&answer.replace(from, to)).unwrap_err(), why);
        }
        assert_eq!(
            of(&format!("{answer}rpmlib(RichDependencies)\n")).unwrap_err(),
            "it needs rpmlib(RichDependencies), which release 6's rpm has not: it is a package of a newer release"
        );
        assert_eq!(of("error\n").unwrap_err(), "rpm did not say what it is: error");
    }
}
