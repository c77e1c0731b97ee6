//! What tells one machine from another: what it shows now, and what is on record of it and of the image that it was cloned from.

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Fact, read as files};
use crate::host::{Host, text};
use crate::state;

pub use crate::state::identity::{Kind, Mark, Present, Record};

/// Where sshd keeps the keys by which a host is known.
pub const SSH_DIRECTORY: &str = "/etc/ssh";

/// What is known of identities beside the firmware's, the disks' and the interfaces'.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub ssh_host_keys: Fact<Vec<HostKey>>,
    pub recorded: Fact<Option<Record>>,
    pub template: Fact<Option<Record>>,
    /// Whether a sealing of this machine or of its image was interrupted, by the record of what waits.
    #[serde(default = "not_sealing")]
    pub half_sealed: Fact<bool>,
}

/// Of recordings by an agent that could not seal.
fn not_sealing() -> Fact<bool> {
    Fact::Known(false)
}

/// Recordings of an agent that did not read it yet.
impl Default for Identity {
    fn default() -> Self {
        Self::unknown("the recording was made by an agent that did not look")
    }
}

/// A host key of sshd.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostKey {
    /// `ssh_host_rsa_key.pub`.
    pub file: String,
    /// SHA-256 of the public key as it stands there (base64), lower-case hex.
    pub sha256: String,
}

impl Identity {
    pub fn unknown(why: &str) -> Self {
        Self {
            ssh_host_keys: Fact::Unknown(why.into()),
            recorded: Fact::Unknown(why.into()),
            template: Fact::Unknown(why.into()),
            half_sealed: Fact::Unknown(why.into()),
        }
    }
}

pub fn load(host: &Host) -> Identity {
    Identity {
        ssh_host_keys: Fact::from_result(ssh_host_keys(host)),
        recorded: recorded(host),
        template: template(host),
        half_sealed: Fact::from_result(state::resume::is_half_sealed(host)),
    }
}

/// This machine's record; `Known(None)` where there is none. A torn one is unknown.
pub fn recorded(host: &Host) -> Fact<Option<Record>> {
    Fact::from_result(state::identity::read(host))
}

/// The image's record, likewise.
pub fn template(host: &Host) -> Fact<Option<Record>> {
    Fact::from_result(state::identity::template(host))
}

fn ssh_host_keys(host: &Host) -> Result<Vec<HostKey>> {
    let names = host.list(SSH_DIRECTORY).map_err(|error| files::explain(SSH_DIRECTORY, error))?;
    let mut keys = Vec::new();
    for key in names.iter().filter(|name| name.starts_with("ssh_host_") && name.ends_with("key")) {
        let file = format!("{key}.pub");
        // Without its public half nothing shows which key it is.
        let text = files::text(host, &format!("{SSH_DIRECTORY}/{file}"))?;
        let public =
            public_key(&text).with_context(|| format!("{SSH_DIRECTORY}/{file} has no key that we know"))?;
        let sha256 = text::hex(&Sha256::digest(public));
        keys.push(HostKey { file, sha256 });
    }
    Ok(keys)
}

/// The key in a `.pub` file: after its type, base64; of SSH 1, which el6's sshd still makes, the modulus after length and
/// exponent. What follows is a comment.
pub fn public_key(text: &str) -> Option<&str> {
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let first = words.next().filter(|word| !word.starts_with('#'))?;
        words.nth(usize::from(first.bytes().all(|byte| byte.is_ascii_digit())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;
    use crate::state::paths::{IDENTITY, RESUME, TEMPLATE};

    #[test]
    fn host_keys_and_records_are_read_and_a_torn_record_is_unknown() {
        let dir = testing::tree(&[
            ("etc/ssh/ssh_host_rsa_key.pub", "# old\nssh-rsa AAAAB3Nza root@template\n"),
            ("etc/ssh/ssh_host_rsa_key", "secret"),
            ("etc/ssh/ssh_host_key", "secret"),
            ("etc/ssh/ssh_host_key.pub", "2048 65537 1234567890 root@template\n"),
            (&IDENTITY[1..], "{\"schema\":"),
        ]);
        let seen = load(&Host::image(dir.path()));
        let keys = seen.ssh_host_keys.known().unwrap();
        assert_eq!((keys.len(), keys[0].file.as_str()), (2, "ssh_host_key.pub"));
        // The exponent is everybody's.
        assert_eq!(public_key("2048 65537 1234567890 x"), Some("1234567890"));
        testing::put(dir.path(), "etc/ssh/ssh_host_dsa_key", "secret");
        let Fact::Unknown(why) = load(&Host::image(dir.path())).ssh_host_keys else { panic!() };
        assert!(why.starts_with("reading /etc/ssh/ssh_host_dsa_key.pub: "), "{why}");
        testing::put(dir.path(), &RESUME[1..], "{\"seal\": {}, \"first-boot\": true}");
        assert_eq!(load(&Host::image(dir.path())).half_sealed, Fact::Known(true));
        testing::put(dir.path(), &RESUME[1..], "{");
        assert!(matches!(load(&Host::image(dir.path())).half_sealed, Fact::Unknown(_)));
        assert!(
            matches!(&seen.recorded, Fact::Unknown(why) if why.starts_with(IDENTITY)),
            "{:?}",
            seen.recorded
        );
        assert_eq!(seen.template, Fact::Known(None));
        testing::put(dir.path(), &TEMPLATE[1..], "garbage");
        let Fact::Unknown(why) = template(&Host::image(dir.path())) else { panic!() };
        assert!(why.contains("copy it from the template") && !why.contains("state repair"), "{why}");
        let bare = Record::new("00", "2026-06-01T00:00:00Z", &[]);
        testing::put(dir.path(), &IDENTITY[1..], &serde_json::to_string(&bare).unwrap());
        let Fact::Unknown(why) = recorded(&Host::image(dir.path())) else { panic!() };
        assert!(why.contains("no mark stands in it") && why.contains("mt-agent state repair"), "{why}");
        testing::damage("ssh-rsa AAAA x", |text| {
            let _ = public_key(text);
        });
    }
}
