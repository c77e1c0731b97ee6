//! Release, architecture, kernel, names and time zone.

use std::io::Read;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde::{Deserialize, Serialize};

use super::family::{self, Family};
use super::{Fact, read, shell};
use crate::host::command::Command;
use crate::host::{Host, Kind, files, text};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Os {
    /// First line of /etc/redhat-release, else PRETTY_NAME of /etc/os-release.
    pub release: Fact<String>,
    /// `ID` of /etc/os-release, or `centos`, `rhel`… by redhat-release.
    pub id: Fact<Option<String>>,
    /// The family of systems that it belongs to.
    #[serde(default = "Fact::not_read")]
    pub family: Fact<Family>,
    /// The machine's architecture, as uname says it (an image: what its /bin/sh is built for).
    pub architecture: Fact<String>,
    pub kernel: Fact<String>,
    /// The hostname in effect (an image: the configured one).
    pub hostname: Fact<String>,
    /// The hostname that the next boot will set: /etc/sysconfig/network HOSTNAME or /etc/hostname.
    pub configured_hostname: Fact<Option<String>>,
    pub timezone: Fact<Timezone>,
    /// Whether systemd starts the machine (an image: will), and not the scripts of CentOS 6.
    #[serde(default = "not_recorded")]
    pub systemd: Fact<bool>,
}

/// What starts a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Init {
    Systemd,
    Scripts,
}

impl Init {
    /// Of facts that do not tell, CentOS 6's: they were recorded elsewhere, by a version that did not look.
    pub fn of(os: &Os) -> Self {
        os.systemd.known().map_or(Self::Scripts, |&systemd| systemd.into())
    }
}

impl From<bool> for Init {
    fn from(systemd: bool) -> Self {
        if systemd { Self::Systemd } else { Self::Scripts }
    }
}

/// systemd, where it is installed.
pub(super) const SYSTEMD: [&str; 2] = ["/usr/lib/systemd/systemd", "/lib/systemd/systemd"];

/// Version 0.1.0 did not read it.
fn not_recorded() -> Fact<bool> {
    Fact::Unknown("these facts were read by a version that did not look for systemd".into())
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timezone {
    /// Its name (`Europe/Berlin`): where /etc/localtime leads, /etc/sysconfig/clock ZONE or /etc/timezone.
    pub name: Option<String>,
    pub localtime: bool,
    /// That /etc/localtime is another zone than the files name, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disagrees: Option<String>,
}

impl Os {
    pub fn unknown(why: &str) -> Self {
        Self {
            release: Fact::Unknown(why.into()),
            id: Fact::Unknown(why.into()),
            family: Fact::Unknown(why.into()),
            architecture: Fact::Unknown(why.into()),
            kernel: Fact::Unknown(why.into()),
            hostname: Fact::Unknown(why.into()),
            configured_hostname: Fact::Unknown(why.into()),
            timezone: Fact::Unknown(why.into()),
            systemd: Fact::Unknown(why.into()),
        }
    }
}

pub fn load(host: &Host) -> Os {
    let release = release_and_id(host);
    let configured_hostname = Fact::from_result(configured_hostname(host));
    Os {
        release: Fact::from_result(release.as_ref().map(|(release, _)| release.clone())),
        id: Fact::from_result(release.map(|(_, id)| id)),
        family: family::load(host),
        architecture: Fact::from_result(architecture(host)),
        kernel: kernel(host),
        hostname: hostname(host, &configured_hostname),
        configured_hostname,
        timezone: Fact::from_result(timezone(host)),
        systemd: Fact::from_result(systemd(host)),
    }
}

/// Whether systemd is installed, which then starts the machine.
pub(crate) fn systemd(host: &Host) -> Result<bool> {
    for path in SYSTEMD {
        if read::if_there(path, host.place(path).and_then(|place| place.symlink_metadata()))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn release_and_id(host: &Host) -> Result<(String, Option<String>)> {
    let mut redhat = None;
    for path in family::RELEASES {
        if redhat.is_none() {
            redhat = read::text_if_exists(host, path)?;
        }
    }
    let mut os_release = read::text_if_exists(host, "/etc/os-release")?;
    if os_release.is_none() {
        os_release = read::text_if_exists(host, "/usr/lib/os-release")?;
    }
    parse_release(redhat.as_deref(), os_release.as_deref())
        .context("neither /etc/redhat-release nor /etc/os-release names the release")
}

/// The release and the distribution's id, from redhat-release and os-release where they are there.
pub fn parse_release(redhat: Option<&str>, os_release: Option<&str>) -> Option<(String, Option<String>)> {
    let os_release = shell::parse(os_release.unwrap_or_default());
    let value = |key| os_release.known(key);
    let line = redhat.and_then(|text| text.lines().next()).map(str::trim).filter(|line| !line.is_empty());
    let id = value("ID").or_else(|| line.and_then(redhat_id).map(str::to_owned));
    Some((line.map(str::to_owned).or_else(|| value("PRETTY_NAME"))?, id))
}

/// CentOS 6 has no os-release.
fn redhat_id(line: &str) -> Option<&'static str> {
    family::RED_HAT.iter().find(|(start, _)| line.starts_with(start)).map(|(_, id)| *id)
}

fn architecture(host: &Host) -> Result<String> {
    match host.kind() {
        Kind::Live => Ok(nix::sys::utsname::uname()?.machine().to_string_lossy().into_owned()),
        Kind::Recorded => {
            let machine = Command::new("uname", ["-m"], Duration::from_secs(1)).read(host)?;
            let machine = machine.trim();
            if machine.is_empty() {
                Err(anyhow!("the recording does not say"))
            } else {
                Ok(machine.to_owned())
            }
        }
        Kind::Image => {
            let shell = host.resolve("/bin/sh").map_err(|error| read::explain("/bin/sh", error))?;
            let mut header = Vec::new();
            files::open(&shell)
                .and_then(|file| file.take(20).read_to_end(&mut header))
                .map_err(|error| read::explain("/bin/sh", error))?;
            parse_elf(&header).map(str::to_owned).context("/bin/sh of the image is no program that we know")
        }
    }
}

/// What an ELF file is built for, in uname's words.
pub fn parse_elf(header: &[u8]) -> Option<&'static str> {
    let order = header.strip_prefix(b"\x7fELF")?.get(1)?;
    let machine = [*header.get(18)?, *header.get(19)?];
    match (order, u16::from_le_bytes(machine), u16::from_be_bytes(machine)) {
        (1, 62, _) => Some("x86_64"),
        (1, 3, _) => Some("i686"),
        (1, 183, _) => Some("aarch64"),
        (1, 21, _) => Some("ppc64le"),
        (2, _, 22) => Some("s390x"),
        _ => None,
    }
}

fn kernel(host: &Host) -> Fact<String> {
    match host.kind() {
        Kind::Live => Fact::from_result(
            nix::sys::utsname::uname().map(|uname| uname.release().to_string_lossy().into_owned()),
        ),
        Kind::Image => Fact::needs_kernel(),
        Kind::Recorded => sysctl(host, "/proc/sys/kernel/osrelease"),
    }
}

fn hostname(host: &Host, configured: &Fact<Option<String>>) -> Fact<String> {
    match (host.kind(), configured) {
        (Kind::Live, _) => {
            Fact::from_result(nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned()))
        }
        (Kind::Recorded, _) => sysctl(host, "/proc/sys/kernel/hostname"),
        (Kind::Image, Fact::Known(Some(name))) => Fact::Known(name.clone()),
        (Kind::Image, Fact::Unknown(why)) => Fact::Unknown(why.clone()),
        (Kind::Image, _) => {
            Fact::NotApplicable("the image names no host: each machine made from it gets its own name".into())
        }
    }
}

fn sysctl(host: &Host, path: &str) -> Fact<String> {
    Fact::from_result(
        read::attribute(host, path).and_then(|value| value.with_context(|| format!("{path} says nothing"))),
    )
}

/// systemd sets what /etc/hostname says and passes over /etc/sysconfig/network. The scripts of el6 do the contrary:
/// rc.sysinit knows no /etc/hostname.
fn configured_hostname(host: &Host) -> Result<Option<String>> {
    let own = read::text_if_exists(host, "/etc/hostname")?.and_then(|text| parse_hostname(&text));
    let network = read::text_if_exists(host, "/etc/sysconfig/network")?.unwrap_or_default();
    let sysconfig = || {
        let name = shell::parse(&network).get("HOSTNAME");
        name.map(|name| name.filter(|name| !name.is_empty()))
            .map_err(|why| anyhow!("/etc/sysconfig/network: {why}"))
    };
    let systemd = systemd(host)?;
    let red_hat = family::is_red_hat(host);
    Ok(match (systemd, red_hat) {
        (true, _) if own.is_some() => own,
        (false, false) => sysconfig()?.or(own),
        _ => sysconfig()?,
    })
}

/// The name in /etc/hostname: its first line that is no comment.
pub fn parse_hostname(text: &str) -> Option<String> {
    text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned)
}

fn timezone(host: &Host) -> Result<Timezone> {
    // A link is what is in effect; a copy has no name, and the other files say which one was copied.
    let link = host.path("/etc/localtime").read_link().ok();
    let linked = link.as_deref().and_then(|link| zone_of_link(&link.to_string_lossy()));
    let clock = read::text_if_exists(host, "/etc/sysconfig/clock")?.unwrap_or_default();
    // el6 itself takes a blank in ZONE for an underscore.
    let zone = shell::parse(&clock).known("ZONE").map(|zone| zone.replace(' ', "_"));
    let debian = read::text_if_exists(host, "/etc/timezone")?.and_then(|text| parse_hostname(&text));
    let named = [&zone, &debian].into_iter().flatten().find(|name| !name.is_empty());
    // Where systemd starts the machine the link alone counts, and the other files are left over.
    let named = named.filter(|_| !systemd(host).unwrap_or(true));
    let disagrees = named.and_then(|named| another_zone(host, linked.as_deref(), named));
    let name = [linked, zone, debian].into_iter().flatten().find(|name| !name.is_empty());
    if name.as_ref().is_some_and(|name| name.len() > 200) {
        bail!("the name of the time zone is longer than 200 characters");
    }
    Ok(Timezone { name, localtime: is_file(host, "/etc/localtime"), disagrees })
}

/// That /etc/localtime, which is a link to the zone `linked` or a copy, is not the zone `named`. A copy can be older than the zone's
/// own file, and a zone has several names, so the rule counts that both give for today's years.
fn another_zone(host: &Host, linked: Option<&str>, named: &str) -> Option<String> {
    let [now, then] =
        ["/etc/localtime", &format!("/usr/share/zoneinfo/{named}")].map(|path| rule(host, path));
    match (now, then, linked) {
        (Some(now), Some(then), _) => {
            (now != then).then(|| format!("/etc/localtime is {now}, but {named} is {then}"))
        }
        (_, _, Some(linked)) => {
            (linked != named).then(|| format!("/etc/localtime is {linked}, but {named} is configured"))
        }
        _ => None,
    }
}

/// The rule for the years to come at the end of a zone's file (RFC 9636, since version 2): `CET-1CEST,M3.5.0,M10.5.0/3`.
fn rule(host: &Host, path: &str) -> Option<String> {
    let content = host.read(path).ok()?;
    let (_, rule) = content.strip_prefix("TZif")?.strip_suffix('\n')?.rsplit_once('\n')?;
    (!rule.is_empty() && rule.len() < 200).then(|| text::safe(rule))
}

/// Whether a file lies at `path`, or where a link there leads.
pub(super) fn is_file(host: &Host, path: &str) -> bool {
    host.resolve(path).and_then(|path| path.metadata()).is_ok_and(|meta| meta.is_file())
}

/// The zone's name in the target of /etc/localtime.
fn zone_of_link(target: &str) -> Option<String> {
    let (_, zone) = target.split_once("zoneinfo/")?;
    let zone = zone.strip_prefix("posix/").or_else(|| zone.strip_prefix("right/")).unwrap_or(zone);
    Some(zone.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

    #[test]
    fn releases_of_each_family() {
        let el6 = parse_release(Some("CentOS release 6.6 (Final) \n"), None).unwrap();
        assert_eq!(el6, ("CentOS release 6.6 (Final)".into(), Some("centos".into())));
        let el7 = "NAME=\"CentOS Linux\"\nID=\"centos\"\nPRETTY_NAME=\"CentOS Linux 7 (Core)\"\n";
        let el7 = parse_release(Some("CentOS Linux release 7.4.1708 (Core)"), Some(el7)).unwrap();
        assert_eq!(el7, ("CentOS Linux release 7.4.1708 (Core)".into(), Some("centos".into())));
        let debian = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n";
        let debian = parse_release(None, Some(debian)).unwrap();
        assert_eq!(debian, ("Debian GNU/Linux 12 (bookworm)".into(), Some("debian".into())));
        assert_eq!(parse_release(Some("\n"), Some("ID=x")), None);
        testing::damage("PRETTY_NAME=\"a \\\"b\\\"\"\nID='x'", |text| {
            drop(parse_release(Some(text), Some(text)));
        });
    }

    #[test]
    fn the_file_that_the_next_boot_reads_names_the_host() {
        let both =
            [("etc/sysconfig/network", "NETWORKING=yes\nHOSTNAME=mt01\n"), ("etc/hostname", "#\nother\n")];
        let el6 = testing::tree(&both);
        testing::put(el6.path(), "proc/sys/kernel/hostname", "mt01.example\n");
        let el6 = load(&Host::recorded(el6.path()));
        assert_eq!(el6.configured_hostname, Fact::Known(Some("mt01".into())));
        assert_eq!(el6.hostname, Fact::Known("mt01.example".into()));
        assert_eq!(el6.systemd, Fact::Known(false));
        let el7 = testing::tree(&both);
        testing::put(el7.path(), "usr/lib/systemd/systemd", "");
        let el7 = load(&Host::image(el7.path()));
        assert_eq!(el7.configured_hostname, Fact::Known(Some("other".into())));
        assert_eq!(el7.hostname, Fact::Known("other".into()));
        assert_eq!(el7.kernel, Fact::needs_kernel());
        assert_eq!(el7.systemd, Fact::Known(true));
        assert!(matches!(el7.architecture, Fact::Unknown(why) if why.starts_with("reading /bin/sh")));
        let unread = testing::tree(&[("etc/redhat-release", "CentOS release 6.6 (Final)\n"), both[1]]);
        let configured = load(&Host::image(unread.path())).configured_hostname;
        assert_eq!(configured, Fact::Known(None), "el6 has no use for /etc/hostname");
        let nameless = testing::tree(&[]);
        assert!(matches!(load(&Host::image(nameless.path())).hostname, Fact::NotApplicable(_)));
    }

    #[test]
    fn time_zones_of_each_family() {
        let zone = |files: &[(&str, &str)]| {
            let dir = testing::tree(files);
            timezone(&Host::image(dir.path())).unwrap()
        };
        let clock = ("etc/sysconfig/clock", "ZONE=\"America/New York\"\n");
        let el6 = zone(&[clock, ("etc/localtime", "TZif")]);
        assert_eq!(el6, Timezone { name: Some("America/New_York".into()), localtime: true, disagrees: None });
        let link = ("etc/localtime", "-> ../usr/share/zoneinfo/Europe/Berlin");
        let systemd = ("usr/lib/systemd/systemd", "");
        let el7 = zone(&[clock, link, systemd, ("usr/share/zoneinfo/Europe/Berlin", "TZif")]);
        assert_eq!(el7, Timezone { name: Some("Europe/Berlin".into()), localtime: true, disagrees: None });
        assert!(!zone(&[link]).localtime, "a link that leads nowhere");
        let debian = zone(&[("etc/timezone", "Etc/UTC\n"), ("etc/localtime", "TZif")]);
        assert_eq!(debian.name.as_deref(), Some("Etc/UTC"));
        assert_eq!(zone(&[]), Timezone { name: None, localtime: false, disagrees: None });
        // A copy of another zone, an older copy of the same, and another name of it.
        let berlin = ("usr/share/zoneinfo/Europe/Berlin", "TZif2 new\nCET-1CEST,M3.5.0\n");
        let clock = ("etc/sysconfig/clock", "ZONE=Europe/Berlin\n");
        let disagrees = |copy| zone(&[berlin, clock, ("etc/localtime", copy)]).disagrees;
        assert_eq!(disagrees("TZif2 old\nCET-1CEST,M3.5.0\n"), None);
        let other = "/etc/localtime is EST5EDT,M3.2.0, but Europe/Berlin is CET-1CEST,M3.5.0";
        assert_eq!(disagrees("TZif2 new\nEST5EDT,M3.2.0\n").as_deref(), Some(other));
        for unknown in ["TZif", "TZif2\n", "a stand-in", ""] {
            assert_eq!(disagrees(unknown), None);
        }
        let linked = |to, more: &[(&'static str, &'static str)]| {
            zone(&[&[berlin, clock, ("etc/localtime", to)], more].concat()).disagrees
        };
        assert_eq!(linked("-> ../usr/share/zoneinfo/Europe/Berlin", &[]), None);
        let paris = [("usr/share/zoneinfo/Europe/Paris", "TZif2\nCET-1CEST,M3.5.0\n")];
        assert_eq!(linked("-> ../usr/share/zoneinfo/Europe/Paris", &paris), None);
        let gone = "/etc/localtime is Europe/Paris, but Europe/Berlin is configured";
        assert_eq!(linked("-> ../usr/share/zoneinfo/Europe/Paris", &[]).as_deref(), Some(gone));
    }

    #[test]
    fn an_image_s_shell_tells_its_architecture() {
        let mut header = *b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0";
        assert_eq!(parse_elf(&header), Some("x86_64"));
        header[18] = 0xb7;
        assert_eq!(parse_elf(&header), Some("aarch64"));
        assert_eq!((parse_elf(&header[..19]), parse_elf(b"#!/bin/sh")), (None, None));
    }
}
