//! The servers of the Site Recovery site.

use std::cmp::Ordering;

use super::tally::Tally;
use super::{Requirement, Status, need};
use crate::facts::Facts;
use crate::facts::network::Answer;
use crate::facts::site_agent::SiteAgent;
use crate::profile::{Profile, Server};

const SHARED: Requirement = Requirement { section: "Common problems", ..Requirement::DEFAULT };

pub const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        id: "site.configuration-server",
        title: "The configuration server answers",
        why: "The master target registers at the configuration server and takes its orders from there. Without it \
              the portal does not list this machine when a failback is set up.",
        by_hand: "From this machine: `curl -kv {site.configuration-server url}` or `telnet {site.configuration-server}`. Open the port in the \
                  firewalls between the two, and see that the name resolves and the service runs.",
        look: "`telnet {site.configuration-server}` from this machine",
        judge: |profile, facts| {
            server(
                profile.site.configuration_server.as_ref().map(Server::endpoint),
                facts,
                "configuration-server",
            )
        },
        ..SHARED
    },
    Requirement {
        id: "site.process-server",
        title: "The process server answers",
        why: "The data that fails back comes through the process server. When it cannot be reached, reprotection \
              starts and makes no progress.",
        by_hand: "From this machine: `telnet {site.process-server}`. Open the port in the firewalls \
                  and on the VPN, and see that the process server has a heartbeat in the portal.",
        look: "`telnet {site.process-server}` from this machine",
        judge: |profile, facts| {
            server(profile.site.process_server.as_ref().map(Server::endpoint), facts, "process-server")
        },
        ..SHARED
    },
    Requirement {
        id: "site.version",
        title: "The master target is not newer than the configuration server",
        section: "Common things to check on a master target",
        why: "With a newer master target reprotection still succeeds; replication then fails.",
        by_hand: "Upgrade the configuration server and the process server first. The configuration server's version \
                  stands in the portal under Configuration Servers; give it in the profile as \
                  site.configuration-server-version.",
        look: "`cat /usr/local/.vx_version`; the configuration server's version stands in the portal under Configuration \
               Servers: give it in the profile as site.configuration-server-version",
        judge: version,
        ..SHARED
    },
    Requirement {
        id: "site.role",
        title: "The software is installed as a master target for VMware",
        section: "Install the master target software",
        why: "The same installer makes a protected machine of it (the role Agent): such a machine registers, and is never \
              offered as a master target.",
        by_hand: "`grep -i -e role -e platform /usr/local/drscout.conf`. Uninstall the software and install it anew with the \
                  role MasterTarget (-R MasterTarget; later: -r MT -v VmWare).",
        look: "`grep -i -e role -e platform /usr/local/drscout.conf`",
        judge: |_, facts| role(facts),
        ..SHARED
    },
];

/// As the installer writes them.
const ROLE: &str = "MasterTarget";
const PLATFORM: &str = "VmWare";

fn role(facts: &Facts) -> Result<Status, Status> {
    let agent = installed(facts)?;
    let Some(place) = &agent.configuration else {
        return Err(Status::unknown("the installed software has no drscout.conf, which names its role"));
    };
    let mut tally = Tally::default();
    match agent.role.as_deref() {
        Some(ROLE) => {}
        Some(other) => tally.problem(format!("{place} says Role={other}")),
        None => tally.problem(format!("{place} names no role")),
    }
    // Versions that have none knew no other platform for a master target.
    if let Some(other) = agent.platform.as_deref().filter(|platform| !platform.eq_ignore_ascii_case(PLATFORM))
    {
        tally.problem(format!("{place} says VmPlatform={other}"));
    }
    let found = match &agent.platform {
        Some(platform) => format!("{ROLE} for {platform}"),
        None => ROLE.to_owned(),
    };
    let fix = "uninstall the software and install it anew as a master target: -R MasterTarget (later: -r MT -v VmWare)";
    Ok(tally.status(found, format!("Role={ROLE} and VmPlatform={PLATFORM} alone"), fix))
}

/// The software, where it is installed.
fn installed(facts: &Facts) -> Result<&SiteAgent, Status> {
    let agent = need(&facts.site_agent, "the installed software")?;
    if agent.is_installed() {
        return Ok(agent);
    }
    Err(Status::not_applicable("the master target software is not installed"))
}

fn server(wanted: Option<(&str, u16)>, facts: &Facts, role: &str) -> Result<Status, Status> {
    let Some((address, port)) = wanted else {
        return Err(Status::not_applicable(format!("the profile names no {}", role.replace('-', " "))));
    };
    let asked = facts
        .servers
        .iter()
        .find(|server| server.role == role && server.address == address && server.port == port);
    let Some(asked) = asked else {
        return Err(Status::unknown(format!("{address} port {port} was not asked")));
    };
    let whom = format!("{address} port {port}");
    Ok(match need(&asked.answers, &whom)? {
        Answer::Connected(_) => Status::met(whom),
        Answer::Failed(why) => Status::unmet(
            format!("{whom}: {why}"),
            "a TCP connection",
            format!(
                "`telnet {address} {port}` from this machine; open the port in the firewalls between the two (and on \
                 the VPN or ExpressRoute), see that the name resolves and that the server runs"
            ),
        ),
    })
}

fn version(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let agent = installed(facts)?;
    let own = agent.version.as_deref();
    let own = own.ok_or_else(|| Status::unknown("the installed software does not give its version"))?;
    let theirs = profile.site.configuration_server_version.as_deref().ok_or_else(|| {
        Status::unknown(format!(
            "{own} is installed; the configuration server's version is not known: give it in the profile as \
             site.configuration-server-version"
        ))
    })?;
    let order = compare(own, theirs)
        .ok_or_else(|| Status::unknown(format!("the versions {own} and {theirs} cannot be compared")))?;
    Ok(match order {
        Ordering::Greater => Status::unmet(
            format!("{own} here, {theirs} on the configuration server"),
            format!("{theirs} or earlier"),
            "upgrade the configuration server and the process server, then reinstall or wait with the master target",
        ),
        Ordering::Less | Ordering::Equal => Status::met(format!("{own}, configuration server {theirs}")),
    })
}

/// Orders versions by their numbers (9.10.0 comes before 9.42); missing numbers are 0; `None` when one of them
/// is more than numbers and dots.
fn compare(a: &str, b: &str) -> Option<Ordering> {
    let numbers = |text: &str| -> Option<Vec<u64>> {
        let number =
            |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok()).flatten();
        text.trim().split('.').map(number).collect()
    };
    let (mut a, mut b) = (numbers(a)?, numbers(b)?);
    let length = a.len().max(b.len());
    a.resize(length, 0);
    b.resize(length, 0);
    Some(a.cmp(&b))
}

#[cfg(test)]
mod tests {
    use super::super::testing::Judged;
    use super::*;
    use crate::facts::Fact;

    #[test]
    fn what_is_installed_is_a_master_target_for_vmware() {
        let mut host = Judged::ready("site.role");
        let none = "not-applicable: the master target software is not installed";
        host.is(none);
        let text = |text: Option<&str>| text.map(str::to_owned);
        let cases = [
            (Some("MasterTarget"), Some("VmWare"), "met: MasterTarget for VmWare"),
            (Some("MasterTarget"), Some("VMware"), "met: MasterTarget for VMware"),
            (Some("MasterTarget"), None, "met: MasterTarget"),
            (Some("MasterTarget"), Some("Azure"), "unmet: /c says VmPlatform=Azure | Role=MasterTarget and"),
            (Some("Agent"), Some("VmWare"), "unmet: /c says Role=Agent | Role=MasterTarget and"),
            (Some("mastertarget"), None, "unmet: /c says Role=mastertarget |"),
            (Some("MasterTarget, Agent"), None, "unmet: /c says Role=MasterTarget, Agent |"),
            (None, None, "unmet: /c names no role |"),
        ];
        for (role, platform, expected) in cases {
            host.site_agent = Fact::Known(SiteAgent {
                role: text(role),
                platform: text(platform),
                configuration: Some("/c".into()),
                ..SiteAgent::default()
            });
            host.starts(expected);
        }
        host.site_agent = Fact::Known(SiteAgent { version: Some("9.6.0".into()), ..SiteAgent::default() });
        host.starts("unknown: the installed software has no drscout");
        host.site_agent = Fact::Unknown("reading /c: I/O error".into());
        host.is("unknown: the installed software: reading /c: I/O error");
    }

    #[test]
    fn named_servers_must_answer() {
        let mut host = Judged::ready("site.process-server");
        host.of("site.configuration-server").is("met: 192.0.2.20 port 443");
        host.is("met: 192.0.2.21 port 9443");

        host.servers[1].answers = Fact::Known(Answer::Failed("connection refused".into()));
        host.starts("unmet: 192.0.2.21 port 9443: connection refused | a TCP connection |")
            .has("`telnet 192.0.2.21 9443`");

        host.servers[1].answers = Fact::Unknown("no time".into());
        host.is("unknown: 192.0.2.21 port 9443: no time");
    }

    #[test]
    fn a_server_that_was_not_asked_is_unknown() {
        let mut host = Judged::ready("site.process-server");
        // A recording made with another profile: the answer is that of another server.
        host.profile.site.configuration_server =
            Some(Server { address: "10.0.0.7".parse().unwrap(), port: 443.into() });
        host.of("site.configuration-server").is("unknown: 10.0.0.7 port 443 was not asked");
        host.servers.clear();
        host.is("unknown: 192.0.2.21 port 9443 was not asked");
        host.profile.site.process_server = None;
        host.is("not-applicable: the profile names no process server");
    }

    #[test]
    fn the_master_target_is_not_newer() {
        let mut host = Judged::ready("site.version");
        host.is("not-applicable: the master target software is not installed");
        let install = |version: Option<&str>| {
            Fact::Known(SiteAgent {
                version: version.map(Into::into),
                installation_dir: Some("/usr/local/ASR".into()),
                ..SiteAgent::default()
            })
        };
        for (own, theirs, expected) in [
            ("9.10.0", "9.42", "met: 9.10.0, configuration server 9.42"),
            ("9.42.0", "9.42", "met: 9.42.0, configuration server 9.42"),
            ("9.42.1", "9.42", "unmet: 9.42.1 here, 9.42 on the configuration server | 9.42 or earlier |"),
            ("9.10.0", "9.6.0", "unmet: 9.10.0 here, 9.6.0 on the configuration server |"),
            ("9.10-beta", "9.42", "unknown: the versions 9.10-beta and 9.42 cannot be compared"),
            ("9..1", "9.42", "unknown: the versions 9..1 and 9.42 cannot be compared"),
            ("", "9.42", "unknown: the versions  and 9.42 cannot be compared"),
        ] {
            host.site_agent = install(Some(own));
            host.profile.site.configuration_server_version = Some(theirs.parse().unwrap());
            host.starts(expected);
        }
        host.profile.site.configuration_server_version = None;
        host.site_agent = install(Some("9.6.0"));
        host.starts("unknown: 9.6.0 is installed; the configuration server's version is not known");
        host.site_agent = install(None);
        host.is("unknown: the installed software does not give its version");
        host.site_agent = Fact::Unknown("reading /usr/local/.vx_version: I/O error".into());
        host.starts("unknown: the installed software: reading");
    }
}
