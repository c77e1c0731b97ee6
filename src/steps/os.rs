//! The operating system: release, architecture, names, time and device nodes.

pub(crate) mod device_nodes;

use std::net::IpAddr;

use super::known::but;
use super::{Belongs, Requirement, Severity, Status, id, need};
use crate::facts::Facts;
use crate::platform::words;
use crate::profile::Profile;

const SHARED: Requirement = Requirement { section: "Install CentOS 6.6", ..Requirement::DEFAULT };

pub const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        id: id::OS_RELEASE,
        title: "The operating system is the release that the profile names",
        why: "The vendor script and the installer compare the release with the one they were made for. On any \
              other they print FAILED or refuse, some of them only after half of their work.",
        by_hand: "Install the minimal system of {os.release}. An update in place leads past it: keep the \
                  repositories pinned to the release's own archive.",
        look: "`cat /etc/redhat-release /etc/os-release`",
        belongs: |_| Belongs::Image,
        judge: release,
        ..SHARED
    },
    Requirement {
        id: "os.architecture",
        title: "The machine is of the profile's architecture",
        why: "The agent archive holds binaries of one architecture; its installer stops on another.",
        by_hand: "Install the 64-bit (x86_64) edition; a 32-bit system cannot be turned into one.",
        look: "`uname -m`",
        belongs: |_| Belongs::Image,
        judge: architecture,
        ..SHARED
    },
    Requirement {
        id: "os.hostname",
        title: "The machine has a hostname of its own",
        why: "The master target registers at the configuration server under its hostname. Two machines called \
              localhost overwrite each other there, and a name that changes at a restart leaves a dead entry.",
        by_hand: "{system.hostname}",
        look: "{system.hostname-seen}",
        judge: |_, facts| hostname(facts),
        ..SHARED
    },
    Requirement {
        id: "os.timezone",
        title: "A time zone is set",
        severity: Severity::Recommended,
        why: "Logs of the master target are compared with those of the configuration server when a failback \
              fails; without a time zone their times are hard to match.",
        by_hand: "{system.timezone}",
        look: "{system.timezone-seen}",
        belongs: |_| Belongs::Both,
        judge: timezone,
        ..SHARED
    },
    Requirement {
        id: "os.clock",
        title: "A time service keeps the clock",
        severity: Severity::Recommended,
        why: "Recovery points carry times, and the servers authenticate each other with them: a clock that is \
              more than about 15 minutes off makes replication fail. How far it is from the configuration \
              server's cannot be determined from here: compare the two by hand.",
        by_hand: "{system.clock}; or switch on the time synchronisation of VMware Tools: \
                  `vmware-toolbox-cmd timesync enable`.",
        look: "{system.clock-seen}",
        belongs: |_| Belongs::Both,
        judge: |_, facts| clock(facts),
        ..SHARED
    },
    device_nodes::REQUIREMENT,
];

fn release(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let found = need(&facts.os.release, "the release")?.trim();
    let wanted = &*profile.os.release;
    if found == wanted {
        return Ok(Status::met(found));
    }
    let mut fix = if found.starts_with("CentOS release 6.") && wanted.starts_with("CentOS release 6.") {
        format!(
            "install {wanted} afresh (vault.centos.org and archive.kernel.org/centos-vault keep it): yum \
             leads only to later releases, and going back is not supported"
        )
    } else {
        format!("install {wanted}, or judge this machine with a profile that is made for {found}")
    };
    if wanted.starts_with("CentOS release 6.") {
        fix.push_str(
            "; Site Recovery 9.10.0 and later accept no new master target on CentOS 6.6: its successors are \
             Ubuntu 16.04 from 9.10 on and Ubuntu 20.04 from 9.42 on",
        );
    }
    if let Some(why) = words::of(facts).not_supported {
        fix.push_str("; ");
        fix.push_str(why);
    }
    Ok(Status::unmet(found, wanted, fix))
}

fn architecture(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let found = need(&facts.os.architecture, "the architecture")?;
    let wanted = profile.os.architecture.name();
    if found == wanted {
        return Ok(Status::met(found));
    }
    Ok(Status::unmet(found, wanted, format!("install the {wanted} edition of {}", profile.os.release)))
}

fn hostname(facts: &Facts) -> Result<Status, Status> {
    let expected = "a hostname of its own, the same now and after the next boot";
    let family = words::family(facts);
    let name = need(&facts.os.hostname, "the hostname")?.trim();
    if let Err(problem) = check_hostname(name) {
        return Ok(Status::unmet(problem, expected, words::of(facts).choose_hostname));
    }
    let keep = words::keep_hostname(family, name);
    let configured = need(&facts.os.configured_hostname, "the hostname of the next boot")?;
    let found = match configured.as_deref().map(str::trim) {
        Some(next) if next.eq_ignore_ascii_case(name) => return Ok(Status::met(name)),
        Some(next) => match check_hostname(next) {
            Ok(()) => format!("{name} now, {next} after the next boot"),
            Err(problem) => format!("{name} now, but for the next boot: {problem}"),
        },
        None => format!("{name} now, but no hostname is configured for the next boot"),
    };
    Ok(Status::unmet(found, expected, keep))
}

/// Whether a machine can be known by this name; else why not.
fn check_hostname(name: &str) -> Result<(), String> {
    if name.is_empty() || name == "(none)" {
        return Err("no hostname is set".into());
    }
    if name.to_ascii_lowercase().starts_with("localhost") {
        return Err(format!("the hostname is {name}, which every machine has"));
    }
    if name.parse::<IpAddr>().is_ok() {
        return Err(format!("the hostname {name} is an address"));
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    // 64 is the kernel's limit.
    if name.len() > 64 || !name.split('.').all(is_label) {
        return Err(format!(
            "\"{name}\" is no valid hostname: up to 64 letters, digits and hyphens, in words parted by dots"
        ));
    }
    Ok(())
}

fn timezone(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let found = need(&facts.os.timezone, "the time zone")?;
    let name = found.name.as_deref();
    let wanted = profile.os.timezone.as_deref();
    let zone = wanted.unwrap_or("Area/City");
    let family = words::family(facts);
    let fix = words::set_timezone(family, zone);
    let expected = wanted.map_or_else(|| "a time zone".to_owned(), |wanted| format!("time zone {wanted}"));
    if !found.localtime {
        let found = match name {
            Some(name) => format!("{name} is configured, but there is no /etc/localtime"),
            None => "no time zone is set".into(),
        };
        return Ok(Status::unmet(found, expected, fix));
    }
    if let Some(disagrees) = &found.disagrees {
        let zone = name.filter(|_| wanted.is_none()).unwrap_or(zone);
        return Ok(Status::unmet(disagrees, expected, words::agree_on_timezone(family, zone)));
    }
    match (wanted, name) {
        (Some(wanted), Some(name)) if wanted != name => Ok(Status::unmet(name, expected, fix)),
        (Some(_), None) => Ok(Status::unknown("the name of the time zone is not configured")),
        (_, Some(name)) => Ok(Status::met(name)),
        (None, None) => Ok(Status::met("/etc/localtime, without a name")),
    }
}

fn clock(facts: &Facts) -> Result<Status, Status> {
    Ok(match need(&facts.clock.service, "the time service")? {
        Some(service) => Status::met(format!("{service} runs")),
        None => Status::unmet(
            but("no time service runs", &facts.clock.others),
            "ntpd, chronyd, systemd-timesyncd or the time synchronisation of VMware Tools",
            words::of(facts).time_service,
        ),
    })
}

#[cfg(test)]
mod tests {
    use crate::facts::Fact;
    use crate::facts::os::Timezone;
    use crate::steps::testing::Judged;

    #[test]
    fn the_release_is_compared_to_the_letter() {
        let mut host = Judged::ready("os.release");
        host.is("met: CentOS release 6.6 (Final)");

        host.os.release = Fact::Known("CentOS release 6.10 (Final)".into());
        host.starts("unmet: CentOS release 6.10 (Final) | CentOS release 6.6 (Final) | install")
            .has("going back is not supported");

        host.os.release = Fact::Known("Ubuntu 20.04.6 LTS".into());
        host.has("a profile that is made for Ubuntu 20.04.6 LTS")
            .has("Ubuntu 16.04 from 9.10 on and Ubuntu 20.04 from 9.42 on");

        host.os.release = Fact::Unknown("reading /etc/redhat-release: no such file".into());
        host.is("unknown: the release: reading /etc/redhat-release: no such file");
    }

    #[test]
    fn the_architecture_is_the_profiles() {
        let mut host = Judged::ready("os.architecture");
        host.is("met: x86_64");
        host.os.architecture = Fact::Known("i686".into());
        host.is("unmet: i686 | x86_64 | install the x86_64 edition of CentOS release 6.6 (Final)");
        host.os.architecture = Fact::NotApplicable("an image's tree".into());
        host.is("not-applicable: an image's tree");
    }

    #[test]
    fn a_hostname_is_its_own_and_stays() {
        let mut host = Judged::ready("os.hostname");
        host.is("met: mt01.example.com");

        let long = format!("{}.example.com", "m".repeat(60));
        for (name, expected) in [
            ("", "unmet: no hostname is set |"),
            ("(none)", "unmet: no hostname is set |"),
            (
                "localhost.localdomain",
                "unmet: the hostname is localhost.localdomain, which every machine has |",
            ),
            ("LOCALHOST", "unmet: the hostname is LOCALHOST, which every machine has |"),
            ("10.0.0.20", "unmet: the hostname 10.0.0.20 is an address |"),
            ("mt_1", "unmet: \"mt_1\" is no valid hostname"),
            ("mt1..example", "unmet: \"mt1..example\" is no valid hostname"),
            ("-mt1", "unmet: \"-mt1\" is no valid hostname"),
            (long.as_str(), "unmet: \"mmmm"),
        ] {
            host.os.hostname = Fact::Known(name.into());
            host.os.configured_hostname = Fact::Known(Some(name.into()));
            let outcome = host.outcome();
            assert!(outcome.starts_with(expected), "{name}: {outcome}");
        }
    }

    #[test]
    fn a_hostname_that_the_next_boot_changes_is_not_set() {
        let mut host = Judged::ready("os.hostname");
        let cases = [
            (Some("mt2"), "unmet: mt01.example.com now, mt2 after the next boot |"),
            (
                Some("localhost.localdomain"),
                "unmet: mt01.example.com now, but for the next boot: the hostname is localhost.localdomain",
            ),
            (None, "unmet: mt01.example.com now, but no hostname is configured for the next boot |"),
        ];
        for (configured, expected) in cases {
            host.os.configured_hostname = Fact::Known(configured.map(Into::into));
            host.starts(expected).has("write HOSTNAME=mt01.example.com to /etc/sysconfig/network");
        }
        host.os.configured_hostname = Fact::Known(Some("MT01.example.com".into()));
        host.is("met: mt01.example.com");
        host.os.configured_hostname = Fact::Unknown("not permitted".into());
        host.is("unknown: the hostname of the next boot: not permitted");
    }

    #[test]
    fn a_time_zone_is_set_and_is_the_profiles() {
        let mut host = Judged::ready("os.timezone");
        host.is("met: Europe/Berlin");

        host.profile.os.timezone = Some("Etc/UTC".parse().unwrap());
        host.is("unmet: Europe/Berlin | time zone Etc/UTC | write ZONE=\"Etc/UTC\" to /etc/sysconfig/clock and copy \
             /usr/share/zoneinfo/Etc/UTC to /etc/localtime");
        host.os.timezone = Fact::Known(Timezone { name: None, localtime: true, disagrees: None });
        host.starts("unknown: ");
        host.profile.os.timezone = None;
        host.is("met: /etc/localtime, without a name");
        host.os.timezone = Fact::Known(Timezone { name: None, localtime: false, disagrees: None });
        host.starts("unmet: no time zone is set |");
        host.os.timezone =
            Fact::Known(Timezone { name: Some("Europe/Berlin".into()), localtime: false, disagrees: None });
        host.starts("unmet: Europe/Berlin is configured, but there is no /etc/localtime |");
    }

    #[test]
    fn a_time_service_runs() {
        let mut host = Judged::ready("os.clock");
        host.is("met: ntpd runs");
        host.clock.service = Fact::Known(None);
        host.starts("unmet: no time service runs | ntpd, chronyd");
        host.clock.service = Fact::NotApplicable("nothing runs in an image".into());
        host.is("not-applicable: nothing runs in an image");
    }
}
