//! What vSphere's administrator told this VM: `guestinfo.*` of its configuration, through VMware Tools.

use std::time::Duration;

use super::Fact;
use crate::host::command::{self, Command, Failure};
use crate::host::{Host, Kind};

/// The setting that names the retention disk by its SCSI ID.
pub const RETENTION_DISK: &str = "guestinfo.mt-agent.retention-disk";

/// The tools that ask the hypervisor; both take the same words. vmware-rpctool alone needs no running daemon.
const TOOLS: [(&str, &[&str]); 2] = [("vmware-rpctool", &[]), ("vmtoolsd", &["--cmd"])];

/// The hypervisor answers in milliseconds, or not at all.
const DEADLINE: Duration = Duration::from_secs(3);

/// The retention disk that the setting names; `Known(None)` where it is not set. For a fact that was not asked for,
/// [`not_asked`].
pub fn load(host: &Host) -> Fact<Option<String>> {
    if host.kind() == Kind::Image {
        return Fact::needs_kernel();
    }
    let there = |(tool, _): &&(&str, &[&str])| match host.kind() {
        Kind::Recorded => host.exists(format!("/commands/{tool}")),
        _ => command::available(host, tool),
    };
    let Some((tool, before)) = TOOLS.iter().find(there) else {
        return Fact::NotApplicable("no VMware Tools that could ask for it".into());
    };
    let arguments = before.iter().copied().map(str::to_owned).chain([format!("info-get {RETENTION_DISK}")]);
    match Command::new(tool, arguments, DEADLINE).read(host) {
        Ok(output) => Fact::Known(parse(&output)),
        Err(Failure::Status { message, .. }) if is_unset(&message) => Fact::Known(None),
        Err(failure) => Fact::Unknown(failure.to_string()),
    }
}

/// What stands for it where nobody needs it: `check` does not ask.
pub fn not_asked() -> Fact<Option<String>> {
    Fact::NotApplicable("it was not asked for".into())
}

/// The value; blank is not set, as an administrator takes a setting back by emptying it.
pub fn parse(output: &str) -> Option<String> {
    let value = output.trim();
    (!value.is_empty() && !is_unset(value)).then(|| value.to_owned())
}

/// What the hypervisor answers for a setting that is not there.
fn is_unset(output: &str) -> bool {
    output.trim().to_ascii_lowercase().ends_with("no value found")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

    #[test]
    fn a_setting_is_read_and_one_that_is_missing_or_empty_is_none() {
        let answer = |file: &str, output: &str| {
            let dir = testing::tree(&[(file, output)]);
            load(&Host::recorded(dir.path()))
        };
        let id = "36000c29f0c4be2a1d0a7b9d3c2e1f405";
        for tool in ["commands/vmware-rpctool", "commands/vmtoolsd"] {
            assert_eq!(answer(tool, &format!("{id}\n")), Fact::Known(Some(id.into())), "{tool}");
            assert_eq!(answer(tool, "\n"), Fact::Known(None));
            assert_eq!(answer(tool, "No value found\n"), Fact::Known(None));
        }
        assert!(matches!(answer("x", ""), Fact::NotApplicable(why) if why.contains("no VMware Tools")));
        assert_eq!(load(&Host::image("/")), Fact::needs_kernel());
        testing::damage("No value found\n", |text| drop(parse(text)));
    }
}
