//! What is called a secret, and what stands in its place.

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// Words that make a secret of the value of whatever has them in its name.
const WORDS: [&str; 10] = [
    "password",
    "passwd",
    "passphrase",
    "passwort",
    "passcode",
    "kennwort",
    "secret",
    "token",
    "credential",
    "authorization",
];

/// How the names of other secrets end, numbers at the end left away: `MYSQL_PWD`, `bindpw`, `wpa-psk`, `Set-Cookie`.
const ENDS: [&str; 4] = ["pwd", "pw", "psk", "cookie"];

/// Names of secrets that are ordinary parts of other names.
const WHOLE: [&str; 7] = ["pass", "passin", "passout", "pin", "otp", "requirepass", "masterauth"];

/// What the key is of that is a secret: a public key, a key ID and a GPG key are none.
const KEYS_OF: [&str; 11] = [
    "api",
    "access",
    "account",
    "private",
    "shared",
    "encryption",
    "master",
    "storage",
    "signing",
    "auth",
    "wep",
];

/// Words that end in "pass" and have nothing to do with it.
const NO_PASS: [&str; 5] = ["bypass", "compass", "surpass", "trespass", "underpass"];

/// What signs an address beside what is a secret everywhere: `sig=` of Azure (a shared access signature),
/// `X-Amz-Signature=` and their kin.
const QUERY: [&str; 4] = ["sig", "key", "code", "auth"];

/// Ends of names of packages: `passwd-0.77-4.el6.x86_64: …` tells of a package.
const PACKAGES: [&str; 5] = [".rpm", ".deb", ".x86_64", ".noarch", ".i686"];

/// Options of programs that take a secret and mean something else everywhere else: `sshpass -p`, `mysql -p`.
const OPTIONS: [(&str, &str); 7] = [
    ("sshpass", "-p"),
    ("mysql", "-p"),
    ("mariadb", "-p"),
    ("useradd", "-p"),
    ("usermod", "-p"),
    ("ldap", "-w"),
    ("redis-cli", "-a"),
];

/// Whether the value of what is called `name`, in lower case, is a secret.
pub(super) fn is_secret(name: &str) -> bool {
    if WORDS.iter().any(|word| name.contains(word)) {
        return true;
    }
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || "_.-".contains(c));
    WHOLE.contains(&stem)
        || ENDS.iter().any(|end| stem.ends_with(end))
        || (stem.ends_with("pass") && !NO_PASS.iter().any(|word| stem.ends_with(word)))
        || name.match_indices("key").any(|(at, _)| {
            let before = name[..at].trim_end_matches(['_', '-', '.']);
            KEYS_OF.iter().any(|of| before.ends_with(of))
        })
}

/// Whether `name`, in lower case, signs the address in whose query it stands.
pub(super) fn signs(name: &str) -> bool {
    QUERY.contains(&name) || name.ends_with("signature") || is_secret(name)
}

/// Whether what is called `name` is a package.
pub(super) fn is_package(name: &str) -> bool {
    PACKAGES.iter().any(|end| name.ends_with(end))
}

/// How long the part of `word` is that is an option with a secret behind it, in a line that begins with `before`.
pub(super) fn option(word: &str, before: &str) -> Option<usize> {
    // Of the vendor's installer: its passphrase, or the file that has it.
    if word == "-P" {
        return Some(word.len());
    }
    let of = |(program, option): &&(&str, &str)| word.starts_with(option) && before.contains(program);
    OPTIONS.iter().find(of).map(|(_, option)| option.len())
}
