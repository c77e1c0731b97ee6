//! A kickstart for the installer of CentOS 6 (anaconda 13, RHEL6): the procedure's installation chapter, answered from
//! the profile. Pure: text from a profile and a hash.
//!
//! The profile's values cannot end a line or an argument, here or in a shell: their types see to that. Whether they
//! make a whole is asked here, and each thing that is missing or contradicts another is refused by its name.

mod answers;
mod network;
mod partitions;
mod password;
mod refusal;
mod scripts;

use anyhow::Result;

pub use password::PasswordHash;

use crate::host::text::safe;
use crate::platform::{Installer, installer};
use crate::profile::{InstallSource, Profile};

use self::refusal::refused;

/// The longest hash file that is read, in bytes.
pub const LONGEST_HASH: u64 = 1024;

/// The kickstart of `profile`, with `hash` for root's password.
/// Errors: All the answers that are lacking; or the first one that contradicts another: where it stands, its key,
/// what was found, what was expected.
pub fn kickstart(profile: &Profile, hash: Option<&PasswordHash>) -> Result<String> {
    release(profile)?;
    let answers = answers::gather(profile, hash)?;
    let network = network::line(profile, &answers)?;
    let partitions = partitions::lines(profile, &answers)?;
    let after = scripts::after(profile, &answers)?;
    let installation = &profile.installation;
    let before = scripts::before(installation);
    let source = match &*installation.source {
        InstallSource::Cdrom => "cdrom".to_owned(),
        InstallSource::Url(address) => format!("url --url={address}"),
    };
    let disk = partitions::disk(installation);
    let text = format!(
        "\
# A kickstart for the installer of CentOS 6 (RHEL6), by the profile {name}.
# It ERASES the disk {disk}, and touches no other.
install
text
{source}
lang {language}
keyboard {keyboard}
timezone --utc {zone}
rootpw --iscrypted {hash}
authconfig --enableshadow --passalgo=sha512
selinux --enforcing
firewall --enabled --service=ssh --port={port}:tcp
firstboot --disabled
skipx
{network}
ignoredisk --only-use={disk}
zerombr
clearpart --all --initlabel --drives={disk}
bootloader --location={place} --append=\"crashkernel=auto\"
{partitions}
{finish}

%packages --nobase
@core
%end
{before}{after}",
        name = safe(&profile.name),
        language = installation.language,
        keyboard = installation.keyboard,
        zone = answers.zone,
        hash = answers.hash.text(),
        port = data_port(profile),
        place = installation.boot_loader.name(),
        finish = installation.finish.name(),
    );
    Ok(text)
}

/// The TCP port on which the master target takes data: the site's, where the profile names it.
fn data_port(profile: &Profile) -> u16 {
    profile.site.process_server.as_ref().map_or(9443, |server| server.port.get())
}

/// Refuses a release with another installer.
fn release(profile: &Profile) -> Result<()> {
    let release = &profile.os.release;
    let Installer::Kickstart =
        installer(release).map_err(|error| refused(profile, "os.release", &error.to_string()))?;
    if release.split_whitespace().any(|word| word == "6" || word.starts_with("6.")) {
        return Ok(());
    }
    let what = format!("found `{release}`, expected a release 6: a kickstart is for its installer alone");
    Err(refused(profile, "os.release", &what))
}

#[cfg(test)]
mod tests;
