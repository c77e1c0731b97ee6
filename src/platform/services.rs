//! Services: by systemd, or by the scripts of the family.

use std::time::Duration;

use anyhow::{Context as _, Result};

use super::support::unsupported;
use crate::facts::family::{self, Family};
use crate::facts::os;
use crate::host::Host;
use crate::host::command::Command;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Enable,
    Start,
    Reload,
}

impl Verb {
    const fn word(self) -> &'static str {
        match self {
            Self::Enable => "enable",
            Self::Start => "start",
            Self::Reload => "reload",
        }
    }
}

/// The command that does `verb` to the service `name`, and has `deadline` to end.
/// Errors: Scripts start the services of this host, and not in a way that the agent knows.
pub fn command(host: &Host, name: &str, verb: Verb, deadline: Duration) -> Result<Command> {
    if os::systemd(host).unwrap_or(false) {
        return Ok(Command::new("systemctl", [verb.word(), name], deadline));
    }
    let family = family::of(host).context("cannot determine how services are started on this host")?;
    match (family, verb) {
        (Family::RedHat, Verb::Enable) => Ok(Command::new("chkconfig", [name, "on"], deadline)),
        (Family::RedHat, Verb::Start | Verb::Reload) => {
            Ok(Command::new("service", [name, verb.word()], deadline))
        }
        (Family::Debian, _) => {
            let what = format!("to {} the service {name} without systemd", verb.word());
            Err(unsupported(family, &what, "do it by hand"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systemd_or_the_family_says_how_services_are_started() {
        let lines = |files: &[&str]| {
            let dir = tempfile::tempdir().unwrap();
            for file in files {
                let path = dir.path().join(file);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::File::create(path).unwrap();
            }
            let host = Host::image(dir.path());
            [Verb::Enable, Verb::Reload].map(|verb| {
                command(&host, "multipathd", verb, Duration::from_secs(1))
                    .map_or_else(|error| format!("{error:#}"), |command| command.line())
            })
        };
        assert_eq!(lines(&["etc/redhat-release"]), ["chkconfig multipathd on", "service multipathd reload"]);
        let systemd = ["systemctl enable multipathd", "systemctl reload multipathd"];
        assert_eq!(lines(&["etc/redhat-release", "usr/lib/systemd/systemd"]), systemd);
        assert_eq!(lines(&["usr/lib/systemd/systemd"]), systemd, "whatever the family is");
        let [debian, _] = lines(&["var/lib/dpkg/status"]);
        assert_eq!(
            debian,
            "to enable the service multipathd without systemd is not supported on Debian systems yet, only on those of the Red \
             Hat family: do it by hand"
        );
        let [unknown, _] = lines(&[]);
        assert!(unknown.starts_with("cannot determine how services are started on this host: "), "{unknown}");
    }
}
