//! The hash of root's password.

use std::fmt;
use std::sync::LazyLock;

use anyhow::{Result, bail};
use regex::Regex;

/// The hashes that the C library of CentOS 6 knows: SHA-512, SHA-256, MD5.
static KNOWN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^(\$6\$(rounds=[1-9][0-9]{3,8}\$)?[./0-9A-Za-z]{1,16}\$[./0-9A-Za-z]{86}",
        r"|\$5\$(rounds=[1-9][0-9]{3,8}\$)?[./0-9A-Za-z]{1,16}\$[./0-9A-Za-z]{43}",
        r"|\$1\$[./0-9A-Za-z]{1,8}\$[./0-9A-Za-z]{22})$",
    ))
    .ok()
});

const MAKE: &str = "`openssl passwd -6` prints one";

/// The hash of a password, as /etc/shadow holds it. It is never shown but in a kickstart.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes the text of a file that holds a hash and nothing else.
    /// Errors: It is no hash that CentOS 6 knows. The message does not repeat it: it may be a password.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim_end_matches(['\r', '\n']);
        if KNOWN.as_ref().is_some_and(|known| known.is_match(text)) {
            return Ok(Self(text.to_owned()));
        }
        if text.trim().is_empty() {
            bail!("found nothing, expected the hash of root's password; {MAKE}");
        }
        if text.contains('\n') {
            bail!("found more than one line, expected the hash of root's password alone; {MAKE}");
        }
        if let Some(kind) =
            ["$y$", "$gy$", "$7$", "$2a$", "$2b$", "$2y$"].iter().find(|kind| text.starts_with(*kind))
        {
            bail!("found a hash of the kind `{kind}`, which CentOS 6 does not know, expected `$6$`; {MAKE}");
        }
        bail!(
            "found no password hash (`$6$`, `$5$` or `$1$`, whole, without spaces); a password itself is refused; {MAKE}"
        )
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

/// What is logged by accident is no hash.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        PasswordHash::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn whole_hashes_are_taken_and_never_shown() {
        let long = "a".repeat(86);
        for right in [
            format!("$6$salt${long}"),
            format!("$6$rounds=656000$salt./0$./{}", &long[2..]),
            format!("$5$salt${}\n", &long[..43]),
            format!("$1$saltsalt${}\r\n", &long[..22]),
        ] {
            let hash = PasswordHash::parse(&right).unwrap();
            assert_eq!(hash.text(), right.trim_end());
            assert_eq!(format!("{hash:?}"), "PasswordHash(***)");
        }
    }

    #[test]
    fn what_is_no_hash_is_refused_and_not_repeated() {
        let long = "a".repeat(86);
        for wrong in [
            "Secret-1".to_owned(),
            format!("$6$salt${}", &long[1..]),
            format!("$6$salt${long}a"),
            format!("$6$salt with space${long}"),
            format!("$6$salt${long} --lock"),
            format!(" $6$salt${long}"),
            format!("$6$rounds=1$salt${long}"),
            format!("$6$${long}"),
            format!("root:$6$salt${long}:1:0:::::"),
            format!("$1$saltsalt9${}", &long[..22]),
        ] {
            let refused = refusal(&wrong);
            assert!(
                refused.starts_with("found no password hash (") && !refused.contains("Secret"),
                "{refused}"
            );
        }
        assert!(refusal("\n").starts_with("found nothing, expected the hash"));
        assert!(refusal(&format!("$6$salt${long}\nreboot\n")).starts_with("found more than one line"));
        assert!(refusal("$y$j9T$salt$hash").starts_with("found a hash of the kind `$y$`, which CentOS 6"));
    }
}
