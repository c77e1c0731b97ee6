//! The values of `installation:`. They stand in lines of a kickstart and of a shell: none has a quote, a space, a
//! line end or a sign that either of the two knows, and none begins with a dash.

use std::borrow::Cow;
use std::net::Ipv4Addr;

use super::text::{Written, kept, names_a_host, straight};

texts! {
    /// The language of the installed system.
    Language(String => str), "a language such as `en_US.UTF-8`",
        r"^[a-z]{2,3}(_[A-Z]{2})?(\.[A-Za-z0-9-]{1,16})?(@[a-z]{1,16})?$", |text| Some(text.into());
    Keyboard(String => str), "a keyboard layout such as `us` or `de-latin1`", r"^[A-Za-z][A-Za-z0-9_.-]{0,39}$",
        |text| Some(text.into());
    /// Where the installer takes the system from.
    Medium(InstallSource => InstallSource),
        "`cdrom`, or the http:// or https:// address of an installation tree (letters, digits and ._~%+,=:/-)",
        r"^(cdrom|https?:/{2}[A-Za-z0-9][A-Za-z0-9.:-]*(/[A-Za-z0-9._~%+,=:-]*)*)$", InstallSource::named;
    SystemDisk(String => str), "a disk such as `sda`, or its name below /dev/disk/by-path or /dev/disk/by-id",
        r"^([shv]d[a-z]{1,2}|/dev/disk/by-(path|id)/[A-Za-z0-9][A-Za-z0-9._:-]*)$",
        |text| kept(text, text.len() <= 256 && !is_partition(text));
    Interface(String => str), "an interface such as `eth0`, `link` (the first with a cable) or its MAC address",
        r"^([a-z][a-z0-9]{0,14}|[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5})$", |text| Some(text.into());
    HostName(String => str), "a host name of its own such as `mt1.example.com`",
        r"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$",
        |text| kept(text, own_name(text));
    /// An address and the size of its network.
    HostAddress(String => str), "an IPv4 address of a host with the prefix of its network such as `10.0.0.5/24`",
        r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$", |text| kept(text, of_a_host(text).is_some());
    /// The address of another host.
    OtherAddress(Ipv4Addr => Ipv4Addr), "an IPv4 address such as `10.0.0.1`", r"^[0-9]{1,3}(\.[0-9]{1,3}){3}$",
        |text| text.parse().ok().filter(|address| ordinary(*address));
    /// Where the agent's package is.
    AgentPackage(String => str), "the http:// or https:// address of the agent's rpm, or its path below /mnt/source (the medium)",
        r"^(https?:/{2}[A-Za-z0-9][A-Za-z0-9.:-]*|/mnt/source)(/[A-Za-z0-9._~%+,=-]+)+\.rpm$",
        |text| kept(text, straight(text) && (text.starts_with('/') || address(text)));
}

impl HostAddress {
    /// The address, and the prefix of its network.
    pub fn parts(&self) -> Option<(Ipv4Addr, u8)> {
        of_a_host(self)
    }
}

/// Where the system is installed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstallSource {
    Cdrom,
    /// An installation tree at this http or https address.
    Url(String),
}

impl InstallSource {
    fn named(text: &str) -> Option<Self> {
        match text {
            "cdrom" => Some(Self::Cdrom),
            tree => address(tree).then(|| Self::Url(tree.to_owned())),
        }
    }
}

impl Written for InstallSource {
    fn written(&self) -> Cow<'_, str> {
        match self {
            Self::Cdrom => "cdrom".into(),
            Self::Url(address) => address.into(),
        }
    }
}

/// An address with a host, and a number for a port.
fn address(text: &str) -> bool {
    let host = text.split('/').nth(2).unwrap_or_default();
    let port = host.split_once(':').map(|(_, port)| port.parse::<u16>());
    names_a_host(text) && straight(text) && port.is_none_or(|port| port.is_ok_and(|port| port > 0))
}

/// Whether a name below /dev/disk is that of a partition.
fn is_partition(text: &str) -> bool {
    let number = text.rsplit_once("-part").map_or("", |(_, number)| number);
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// No name that every host has, and no address.
fn own_name(text: &str) -> bool {
    let mut labels = text.split('.');
    let first = labels.next().unwrap_or_default();
    let last = text.rsplit('.').next().unwrap_or_default();
    text.len() <= 64
        && text.split('.').all(|label| label.len() <= 63)
        && !first.eq_ignore_ascii_case("localhost")
        && !first.eq_ignore_ascii_case("localhost6")
        && !last.bytes().all(|byte| byte.is_ascii_digit())
}

/// The address of a host, and the prefix of its network.
fn of_a_host(text: &str) -> Option<(Ipv4Addr, u8)> {
    let (address, prefix) = text.split_once('/')?;
    let (address, prefix) = (address.parse::<Ipv4Addr>().ok()?, prefix.parse::<u8>().ok()?);
    // Beyond 30 no host is left beside network and broadcast address.
    let mask = (1..=30).contains(&prefix).then(|| u32::MAX << (32 - prefix))?;
    let host = u32::from(address) & !mask;
    (ordinary(address) && host != 0 && host != !mask).then_some((address, prefix))
}

/// Whether one host can have it.
fn ordinary(address: Ipv4Addr) -> bool {
    let first = address.octets()[0];
    (1..224).contains(&first) && !address.is_loopback()
}

#[cfg(test)]
mod tests {
    use super::super::text::Checked;
    use super::*;

    #[test]
    fn what_could_end_a_line_or_an_argument_is_refused_everywhere() {
        type Check = fn(&str) -> bool;
        let checks: [(Check, &str); 9] = [
            (|text| Language::checked(text).is_some(), "en_US.UTF-8"),
            (|text| Keyboard::checked(text).is_some(), "de-latin1"),
            (|text| Medium::checked(text).is_some(), "http://vault.example/6.6/os/x86_64/"),
            (|text| SystemDisk::checked(text).is_some(), "/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:0:0"),
            (|text| Interface::checked(text).is_some(), "eth0"),
            (|text| HostName::checked(text).is_some(), "mt1.example.com"),
            (|text| HostAddress::checked(text).is_some(), "10.0.0.5/24"),
            (|text| OtherAddress::checked(text).is_some(), "10.0.0.1"),
            (|text| AgentPackage::checked(text).is_some(), "https://host:8443/a/mt-agent-0.1.0-1.x86_64.rpm"),
        ];
        for (check, right) in checks {
            assert!(check(right), "{right}");
            for piece in [
                "\n", "\r", " ", "\t", "'", "\"", "\\", "`", "$", ";", "&", "|", "#", "<", ">", "*", "?",
                "[", "{", "(", "!", "\0", "\u{85}", "\u{2028}", "ä", "％", "\n%end\n",
            ] {
                for at in 0..=right.len() {
                    let (head, tail) = right.split_at(at);
                    let text = format!("{head}{piece}{tail}");
                    assert!(!check(&text), "{text:?}");
                }
            }
            for wrong in ["", "-", "--", &format!("-{right}"), &format!("--x={right}"), &right.repeat(200)] {
                assert!(!check(wrong), "{wrong:?}");
            }
        }
    }

    #[test]
    fn disks_are_whole_and_are_named_one_by_one() {
        for right in ["sda", "sdab", "/dev/disk/by-id/scsi-36000c29f0c4be2a1d0a7b9d3c2e1f405"] {
            assert!(SystemDisk::checked(right).is_some(), "{right}");
        }
        let words = "sda1 /dev/sda sd dm-0 sr0 fd0 sda,sdb /dev/disk/by-id/.. /dev/disk/by-label/x \
            /dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:0:0-part1 disk/by-id/x";
        for wrong in words.split(' ') {
            assert!(SystemDisk::checked(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_host_has_a_name_and_an_address_of_its_own() {
        for wrong in [
            "localhost",
            "localhost.localdomain",
            "LOCALHOST",
            "10.0.0.5",
            "mt_1",
            "mt1.",
            ".mt1",
            "a..b",
            "mt-.x",
            &"a".repeat(65),
        ] {
            assert!(HostName::checked(wrong).is_none(), "{wrong}");
        }
        for right in ["mt1", "localhost1", "3com.example", &"a".repeat(63)] {
            assert!(HostName::checked(right).is_some(), "{right}");
        }
        assert_eq!(of_a_host("10.1.2.3/8"), Some((Ipv4Addr::new(10, 1, 2, 3), 8)));
        let words = "10.0.0.0/24 10.0.0.255/24 10.0.0.5/31 10.0.0.5/32 10.0.0.5/0 127.0.0.1/8 224.0.0.1/24 \
            0.0.0.1/8 10.0.0.05/24 10.0.0.256/24 10.0.0.5";
        for wrong in words.split(' ') {
            assert!(of_a_host(wrong).is_none(), "{wrong}");
        }
        for wrong in ["127.0.0.1", "0.0.0.0", "255.255.255.255", "10.0.0.1/24", "::1"] {
            assert!(OtherAddress::checked(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn the_agent_comes_from_the_web_or_from_the_medium() {
        assert!(AgentPackage::checked("/mnt/source/mt-agent.rpm").is_some());
        let words = "/root/mt-agent.rpm /mnt/source/../x.rpm /mnt/source.rpm nfs://h/x.rpm http://h/x.deb \
            http://u:p@h/x.rpm http:///x.rpm http://h:0/x.rpm http://h:99999/x.rpm";
        for wrong in words.split(' ') {
            assert!(AgentPackage::checked(wrong).is_none(), "{wrong}");
        }
        for wrong in
            ["dvd", "nfs:h:/x", "ftp://h/x", "http://u:p@h/", "http://h:x/", "http://", "http://h/../x"]
        {
            assert!(Medium::checked(wrong).is_none(), "{wrong}");
        }
    }
}
