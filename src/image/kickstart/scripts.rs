//! What the installer runs before and after its own work.

use anyhow::Result;

use super::answers::{Addressing, Answers};
use super::refusal::refused;
use crate::host::text::without_secrets;
use crate::profile::{self, InstallSource, Installation, Profile};

/// Where the installer mounts the CD: seen from outside the installed system alone.
const MEDIUM: &str = "/mnt/source/";

/// What ends the profile in a script: no line of it is without a colon, a dash or a `#`.
const PROFILE_ENDS: &str = "END_OF_PROFILE";

/// Before: a disk that is only known by the kernel's name has to be the only one.
///
/// It may end the installation (`--erroronfail`): nothing has been written yet, and to go on could erase another disk.
pub(super) fn before(installation: &Installation) -> String {
    let disk = &installation.disk;
    if disk.starts_with('/') {
        return String::new();
    }
    format!(
        "
%pre --erroronfail
# The kernel deals its names out anew at each start: beside a second disk, {disk} may be another one than was meant.
found=
for entry in /sys/block/[shv]d*; do
    [ ! -e \"$entry\" ] || found=\"$found ${{entry##*/}}\"
done
if [ \"$found\" != ' {disk}' ]; then
    echo \"mt-agent: expected {disk} to be the only disk, found:${{found:- none}}. Nothing was written.\" >&2
    echo \"Take the other disks away, or name this one by its path below /dev/disk/by-path.\" >&2
    exit 1
fi
%end
"
    )
}

/// After: the host's own name, and the agent.
///
/// Nothing here ends the installation. The system is whole by then, and starts; what has failed is in the log, and
/// `mt-agent apply` does it again. `mt-agent check` believes the host alone, so nobody takes it for ready.
/// Errors: The agent's place contradicts another answer.
pub(super) fn after(profile: &Profile, answers: &Answers<'_>) -> Result<String> {
    let mut text = String::new();
    if let Addressing::Static { address, .. } = answers.addressing {
        let hostname = answers.hostname;
        let short = hostname.split('.').next().unwrap_or(hostname);
        let names = if short == hostname { short.to_owned() } else { format!("{hostname} {short}") };
        text.push_str(&format!(
            "
%post
# The installer leaves the host's own name out; the procedure wants it.
echo '{address} {names}' >>/etc/hosts
%end
"
        ));
    }
    if let Some(agent) = &profile.installation.agent {
        text.push_str(&agent_script(profile, agent)?);
    }
    Ok(text)
}

/// Refuses addresses with credentials: whoever gets the kickstart could read them.
fn no_credentials(profile: &Profile) -> Result<()> {
    for (kind, list) in [("reiserfs", &profile.files.reiserfs), ("xfs", &profile.files.xfs)] {
        for (number, file) in list.iter().enumerate() {
            if let Some(at) = file.urls.iter().position(|url| without_secrets(url) != *url) {
                let path = format!("files.{kind}[{number}].urls[{at}]");
                let what = "found an address with credentials, expected one without: a kickstart brings the profile to \
                            the installed system, and is read by whoever gets it";
                return Err(refused(profile, &path, what));
            }
        }
    }
    Ok(())
}

fn agent_script(profile: &Profile, agent: &str) -> Result<String> {
    no_credentials(profile)?;
    let installation = &profile.installation;
    let sum = installation.agent_sha256.as_ref();
    let (from_medium, get) = if agent.starts_with(MEDIUM) {
        if *installation.source != InstallSource::Cdrom {
            let what = format!(
                "found `{agent}`, but with installation.source `{}` the installer mounts no medium there",
                installation.source
            );
            return Err(refused(profile, "installation.agent", &what));
        }
        let copy = format!("cp '{agent}' /mnt/sysimage/root/mt-agent.rpm\n");
        (copy, "[ -f /root/mt-agent.rpm ] || give_up 'the medium has no such file'".to_owned())
    } else {
        if agent.starts_with("http:") && sum.is_none() {
            let what = "found nothing, expected the SHA-256 of the agent's rpm: anybody on the way can change what \
                        http:// brings";
            return Err(refused(profile, "installation.agent-sha256", what));
        }
        let fetch = format!(
            "curl --fail --silent --show-error --retry 3 --output /root/mt-agent.rpm '{agent}' ||\n    \
             give_up 'the package could not be fetched'"
        );
        (String::new(), fetch)
    };
    let verify = sum.map_or_else(String::new, |sum| {
        format!(
            "echo '{sum}  /root/mt-agent.rpm' | sha256sum --check ||\n    give_up 'the package is not the one that the profile pins'\n"
        )
    });
    Ok(format!(
        "
%post --nochroot
{from_medium}# Name servers that DHCP brought are the installer's alone so far.
[ -s /mnt/sysimage/etc/resolv.conf ] || cp /etc/resolv.conf /mnt/sysimage/etc/resolv.conf
%end

%post
exec >/root/mt-agent-post.log 2>&1
give_up() {{
    echo \"mt-agent: $1; nothing was applied\"
    rm -f /root/mt-agent.rpm
    exit 1
}}
{get}
{verify}rpm --upgrade --verbose /root/mt-agent.rpm || give_up 'rpm did not install the package'
rm -f /root/mt-agent.rpm
cat >/etc/mt-agent/profile.yaml <<'{PROFILE_ENDS}'
{differences}{PROFILE_ENDS}
/usr/sbin/mt-agent apply --stage image --yes
echo \"mt-agent apply --stage image: exit code $? (0 ready, 1 not ready, 2 failed, 3 a restart is owed)\"
%end
",
        differences = profile::differences(profile),
    ))
}
