//! Hashes of passwords, which stand in /etc/shadow, in kickstarts, in directories and in grub.cfg.

use std::ops::Range;

/// What stands between the first two `$`, crypt(5); `argon2id` and its kin begin so too.
const METHODS: [&str; 18] = [
    "1", "2", "2a", "2b", "2x", "2y", "3", "5", "6", "7", "8", "y", "gy", "md5", "sha1", "apr1", "scrypt",
    "argon2",
];

/// What stands in braces, RFC 2307 and what servers added.
const SCHEMES: [&str; 7] = ["SHA", "SSHA", "MD5", "SMD5", "CRYPT", "PBKDF2", "ARGON2"];

const GRUB: &str = "grub.pbkdf2.";

/// How many characters there are at least behind the method.
const SHORTEST: usize = 12;

pub(super) fn all(line: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, sign) in line.match_indices(['$', '{']) {
        let text = &line[at + 1..];
        let is_crypt = sign == "$";
        let Some((method, hash)) = text.split_once(if is_crypt { '$' } else { '}' }) else { continue };
        let is_method = match is_crypt {
            true => {
                METHODS.contains(&method)
                    || ["argon2", "pbkdf2"].iter().any(|begin| method.starts_with(begin))
            }
            false => SCHEMES.iter().any(|scheme| {
                method.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme))
            }),
        };
        let length = run(hash);
        if is_method && length >= SHORTEST && (!is_crypt || hash[..length].contains('$')) {
            found.push(at..line.len() - hash.len() + length);
        }
    }
    found.extend(line.match_indices(GRUB).map(|(at, _)| at..at + run(&line[at..])));
    found
}

/// How long the beginning of `text` is that can be a hash.
fn run(text: &str) -> usize {
    text.find(|c: char| !(c.is_ascii_alphanumeric() || "./$=,+-".contains(c))).unwrap_or(text.len())
}
