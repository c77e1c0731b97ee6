//! The values of the file format. Each is checked as it is read, by the very pattern that the JSON Schema shows.

#[macro_use]
mod text;
#[macro_use]
mod choices;
mod installation;
mod numbers;

pub use choices::{
    Architecture, BootLoaderPlace, Finish, NetworkKind, PartitionType, RetentionType, ScriptStage, Unverified,
};
pub use installation::{
    AgentPackage, HostAddress, HostName, InstallSource, Interface, Keyboard, Language, Medium, OtherAddress,
    SystemDisk,
};
pub use numbers::{Port, Size, Span, Whole};

use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};

use time::Date;

use text::{kept, names_a_host, straight};

texts! {
    Name(String => str), "a name of up to 100 ASCII characters", r"^[!-~]([ -~]{0,98}[!-~])?$", |text| Some(text.into());
    /// Words for people, in one line.
    Words(String => str), "some words (up to 1000 characters)", r"\S", words;
    Reference(String => str), "the name of a built-in profile or a path", r"^[!-~]([ -~]{0,4000}[!-~])?$",
        |text| Some(text.into());
    Release(String => str), "a release such as `CentOS release 6.6 (Final)`", r"^[!-~]([ -~]{0,126}[!-~])?$",
        |text| Some(text.into());
    Timezone(String => str), "a time zone such as `Europe/Berlin`",
        r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$", |text| kept(text, text.len() <= 64);
    /// A file or directory of the host.
    AbsolutePath(PathBuf => Path), "an absolute path without `.`, `..` or spaces (letters, digits and ._+@%=:~-)",
        r"^(/[A-Za-z0-9._+@%=:~-]+)+$", |text| straight(text).then(|| text.into());
    /// Where a volume is mounted.
    MountPoint(String => str), "an absolute path without `.`, `..` or spaces (letters, digits and ._+@%=:~-)",
        r"^(/[A-Za-z0-9._+@%=:~-]+)+$", |text| kept(text, straight(text));
    /// Where a partition is mounted.
    PartitionMount(String => str), "an absolute mount point without `.`, `..` or spaces (letters, digits and ._+@%=:~-)",
        r"^(/|(/[A-Za-z0-9._+@%=:~-]+)+)$", |text| kept(text, straight(text));
    PackageName(String => str), "a package name (letters, digits and ._+-, beginning with a letter or digit)",
        r"^[A-Za-z0-9][A-Za-z0-9._+-]*$", |text| kept(text, text.len() <= 128);
    PackageFile(String => str), "a file name that ends in .rpm or .deb, without a directory",
        r"^[A-Za-z0-9][A-Za-z0-9._+~^-]*\.(rpm|deb)$", |text| kept(text, text.len() <= 255);
    ScriptName(String => str), "a file name without a directory (letters, digits and ._+-)",
        r"^[A-Za-z0-9_][A-Za-z0-9._+-]*$", |text| kept(text, text.len() <= 255);
    /// Where a file is fetched from.
    Url(String => str), "an address that begins with http:// or https:// (for a local directory there is `files.from`)",
        // Two slashes by count: written out, the part behind them looks like the credentials of an address, which
        // no document that we print keeps.
        r"^https?:/{2}[A-Za-z0-9._~%!$&*+,;=:@\[\]-]+(/[!#-;=?-\[\]_a-z~]*)?$", |text| kept(text, names_a_host(text));
    /// A SHA-256 checksum, in lower-case hex.
    Sha256(String => str), "a SHA-256 checksum of 64 hexadecimal digits", r"^[0-9A-Fa-f]{64}$",
        |text| Some(text.to_lowercase());
    Address(String => str), "a host name or an IP address, without scheme and port", r"^[A-Za-z0-9:][A-Za-z0-9.:_-]{0,252}$",
        |text| kept(text, !text.contains(':') || text.parse::<Ipv6Addr>().is_ok());
    Version(String => str), "a version such as '9.10.4149.1'", r"^[0-9]{1,9}(\.[0-9]{1,9}){1,3}$", |text| Some(text.into());
    DiskName(String => str), "a SCSI ID, a name below /dev/disk/by-id, or a path below /dev",
        // Of SCSI IDs, those of the types 0, 1 and S are made of vendor and model, and can have blanks.
        r"^([01S][ -~]*|[A-Za-z0-9][A-Za-z0-9._+@%=:~#\\-]*|/dev(/[A-Za-z0-9._+@%=:~-]+)+)$",
        |text| kept(text, text.len() <= 256 && !text.ends_with(' ') && straight(text));
    RequirementId(String => str), "the id of a requirement such as `sizing.memory`", r"^[a-z][a-z-]*\.[a-z][a-z-]*$",
        |text| kept(text, text.len() <= 80);
    Day(Date => Date), "a date of this century such as '2026-12-31'", r"^20[0-9]{2}-[0-9]{2}-[0-9]{2}$", date;
}

compared! {
    Name Release MountPoint PartitionMount PackageName PackageFile Url Sha256 Address RequirementId Words
}

/// What the command line or the program itself names: any path will do.
impl From<PathBuf> for AbsolutePath {
    fn from(path: PathBuf) -> Self {
        Self(path)
    }
}

impl AsRef<Path> for AbsolutePath {
    fn as_ref(&self) -> &Path {
        self
    }
}

impl From<Date> for Day {
    fn from(date: Date) -> Self {
        Self(date)
    }
}

#[cfg(test)]
impl DiskName {
    /// What no profile could hold, for tests of what stands behind the check.
    pub fn unchecked(name: &str) -> Self {
        Self(name.to_owned())
    }
}

#[cfg(test)]
impl MountPoint {
    /// What no profile could hold, for tests of what stands behind the check.
    pub fn unchecked(path: &str) -> Self {
        Self(path.to_owned())
    }
}

fn words(text: &str) -> Option<String> {
    let right = text.chars().count() <= 1000 && !text.chars().any(|c| c.is_control() && !c.is_whitespace());
    right.then(|| text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn date(text: &str) -> Option<Date> {
    Date::parse(text, time::macros::format_description!("[year]-[month]-[day]")).ok()
}

#[cfg(test)]
mod tests {
    use super::text::Checked;
    use super::*;

    #[test]
    fn every_pattern_is_one() {
        let right = Name::checked("a").is_some()
            && Words::checked("ä").is_some()
            && Reference::checked("../a b.yaml").is_some()
            && Release::checked("CentOS release 6.6 (Final)").is_some()
            && Timezone::checked("America/Argentina/Buenos_Aires").is_some()
            && AbsolutePath::checked("/a/.b/c-1.x").is_some()
            && PartitionMount::checked("/").is_some()
            && PackageName::checked("python2-pyasn1").is_some()
            && PackageFile::checked("libstdc++-4.4.7-4.el6.x86_64.rpm").is_some()
            && ScriptName::checked("ApplyCustomChanges.sh").is_some()
            && Sha256::checked(&"aB".repeat(32)).is_some()
            && Version::checked("9.42.6215.1").is_some()
            && RequirementId::checked("packages.base").is_some()
            && Day::checked("2028-02-29").is_some();
        assert!(right);
    }

    #[test]
    fn paths_lead_where_they_read() {
        for wrong in
            ["", "/", "a", "/a/", "//a", "/a//b", "/a/../b", "/./a", "/a b", "/a\n", "/a\0", "/ä", "~/a"]
        {
            assert!(AbsolutePath::checked(wrong).is_none(), "{wrong:?}");
        }
        assert!(AbsolutePath::checked("/..a/b..").is_some());
    }

    #[test]
    fn addresses_are_of_the_web_and_name_a_host() {
        for right in ["http://h/x", "https://u:p@h:8080/a?b=c&d#e", "https://[fe80::1]/x", "http://h"] {
            assert!(Url::checked(right).is_some(), "{right}");
        }
        for wrong in
            ["", "h/x", "file:///x", "https://", "https:///x", "https://u@/x", "http://h/a b", "http://h/`x`"]
        {
            assert!(Url::checked(wrong).is_none(), "{wrong}");
        }
        for right in ["cs", "cs.example.com", "10.0.0.4", "fe80::1"] {
            assert!(Address::checked(right).is_some(), "{right}");
        }
        for wrong in ["", "cs:443", "https://cs", "cs/x", "-o", "a b"] {
            assert!(Address::checked(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn disks_are_named_by_id_or_below_dev() {
        for right in [
            "36000c2982b5df41a25811b07e74971e8",
            "scsi-36000c29",
            "SVMware Virtual disk 1",
            "/dev/disk/by-id/x",
        ] {
            assert!(DiskName::checked(right).is_some(), "{right}");
        }
        for wrong in "/dev,/dev/,/etc/x,/dev/../x,../x,-x,x , x,a\nb,not a disk,disk!,".split(',') {
            assert!(DiskName::checked(wrong).is_none(), "{wrong}");
        }
    }
}
