//! What is called a secret, and what stands in its place.

use crate::host::text::has_word;

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// Words that make a secret of the value of whatever has them in its name.
const WORDS: &str = "password passwd passphrase passwort passcode kennwort secret token credential authorization \
     sharedaccesssignature";

/// How the names of other secrets end, numbers at the end left away: `MYSQL_PWD`, `bindpw`, `wpa-psk`, `Set-Cookie`.
const ENDS: [&str; 5] = ["pwd", "pw", "psk", "cookie", "bearer"];

/// Names of secrets that are ordinary parts of other names.
const WHOLE: [&str; 8] = ["_auth", "pass", "passin", "passout", "pin", "otp", "requirepass", "masterauth"];

/// What the key is of that is a secret: a public key, a key ID and a GPG key are none.
const KEYS_OF: &str = "api access account private shared encryption master storage signing auth wep activation registration \
     license";

/// Words that end in "pass" and have nothing to do with it.
const NO_PASS: [&str; 5] = ["bypass", "compass", "surpass", "trespass", "underpass"];

/// What signs an address beside what is a secret everywhere: `sig=` of Azure (a shared access signature),
/// `X-Amz-Signature=` and their kin.
const QUERY: [&str; 4] = ["sig", "key", "code", "auth"];

/// Ends of names of packages: `passwd-0.77-4.el6.x86_64: …` tells of a package.
const PACKAGES: [&str; 6] = [".rpm", ".deb", ".x86_64", ".noarch", ".i686", ".aarch64"];

/// Options of programs that take a secret and mean something else everywhere else: `sshpass -p`, `mysql -p`.
const OPTIONS: [(&str, &str); 4] = [
    ("-p", "sshpass mysql mariadb useradd usermod"),
    ("-w", "ldap"),
    ("-a", "redis-cli"),
    ("-P", "ipmitool sqlcmd bcp isql tsql UnifiedAgentConfigurator"),
];

/// Programs whose `-P` takes no secret; of all others it may (the vendor's installer: its passphrase, or the file that has it).
const OTHER_P: &str = "df cp mv rm ln ls du tar lsblk cd pwd ps find stat chown chgrp grep xargs rsync ssh scp sftp wget curl \
     mysql mysqldump mariadb lsof lspci fsck";

/// Programs that read passwords from what is written to them.
const READERS: [&str; 4] = ["passwd", "chpasswd", "gpasswd", "smbpasswd"];

/// Ends of names of units and programs that tell something behind their names.
const SPEAKERS: [&str; 10] = [
    ".service", ".socket", ".path", ".target", ".timer", ".mount", ".slice", "-agent", "chpasswd", "gpasswd",
];

/// What passwd(1) and the modules of PAM say, as it begins.
const PASSWD_SAYS: [&str; 14] = [
    "Authentication ",
    "all authentication tokens ",
    "Unknown user name ",
    "unknown user ",
    "user '",
    "Only root ",
    "Permission denied",
    "You may not ",
    "password expiry information ",
    "password updated ",
    "password unchanged",
    "unrecognized option ",
    "invalid option ",
    "Cannot determine your user name",
];

/// Whether something that is called `name`, in lower case, is a program or a unit that says `what`.
pub(super) fn prints(name: &str, what: &str) -> bool {
    SPEAKERS.iter().any(|end| name.ends_with(end))
        || (name == "passwd" && PASSWD_SAYS.iter().any(|begin| what.starts_with(begin)))
}

pub(super) fn reads_passwords(name: &str) -> bool {
    READERS.contains(&name)
}

/// Whether the last command that begins in `before` runs one of `programs`.
pub(super) fn runs(before: &str, programs: &str) -> bool {
    let command = before.rsplit(['|', ';', '&']).next().unwrap_or_default();
    let in_path = |c: char| c.is_whitespace() || "\"'`(/:".contains(c);
    command.split(in_path).any(|word| has_word(programs, word))
}

/// What divides the words of a name.
const BETWEEN: [char; 4] = ['_', '-', '.', ' '];

/// Whether a word in `name`, in lower case, makes a secret of its value, however its own parts are written (`pass_phrase`).
pub(super) fn is_secret_of_words(name: &str) -> bool {
    WORDS.split(' ').any(|word| name.contains(word))
        || (name.contains("pass") && name.contains(BETWEEN) && {
            let joined = name.replace(BETWEEN, "");
            WORDS.split(' ').any(|word| word.starts_with("pass") && joined.contains(word))
        })
}

/// Whether the value of what is called `name`, in lower case, is a secret.
pub(super) fn is_secret(name: &str) -> bool {
    if is_secret_of_words(name) {
        return true;
    }
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || "_.-".contains(c));
    WHOLE.contains(&stem)
        || ENDS.iter().any(|end| stem.ends_with(end))
        || (stem.ends_with("pass") && !NO_PASS.iter().any(|word| stem.ends_with(word)))
        || name.match_indices("key").any(|(at, _)| {
            let before = name[..at].trim_end_matches(BETWEEN);
            KEYS_OF.split(' ').any(|of| before.ends_with(of))
        })
}

/// Whether `name`, in lower case, signs the address in whose query it stands.
pub(super) fn signs(name: &str) -> bool {
    QUERY.contains(&name) || name.ends_with("signature") || is_secret(name)
}

pub(super) fn is_package(name: &str) -> bool {
    PACKAGES.iter().any(|end| name.ends_with(end))
}

/// How long the part of `word` is that is an option with a secret behind it, in a line that begins with `before`.
pub(super) fn option(word: &str, before: &str) -> Option<usize> {
    let of = |(option, programs): &&(&str, &str)| {
        word.starts_with(option) && programs.split(' ').any(|program| before.contains(program))
    };
    let option = OPTIONS.iter().find(of).map(|(option, _)| option.len());
    option.or_else(|| (word == "-P" && !runs(before, OTHER_P)).then_some(word.len()))
}
