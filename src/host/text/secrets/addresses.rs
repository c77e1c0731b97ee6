//! Credentials within addresses: `scheme://user:password@host`, and `user:password@host` without a scheme.

use std::ops::Range;

use super::names;

/// Where the credentials are of every address with a scheme, or with `//` alone.
pub(super) fn with_scheme(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(sign) = text[at..].find("//") {
        let before = &text[..at + sign];
        at += sign + 2;
        if !before.is_empty() && !before.ends_with(|c: char| c.is_whitespace() || ":\"'=(".contains(c)) {
            continue;
        }
        let tail = &text[at..];
        let word = &tail[..tail.find(char::is_whitespace).unwrap_or(tail.len())];
        let authority = &word[..word.find(['/', '"', '\'']).unwrap_or(word.len())];
        let hidden = match authority.rfind('@') {
            // A password may have a slash, a quote or an `@` in it.
            _ if authority.contains(':') && word.contains('@') && !word.ends_with('@') => {
                word.rfind('@').unwrap_or_default()
            }
            Some(sign) if !word.ends_with('@') => sign,
            // Or have a blank in it, or be cut off in the middle.
            _ if has_password(authority) => {
                let end = tail[word.len()..].find("//").map_or(tail.len(), |end| word.len() + end);
                tail[..end].rfind('@').unwrap_or(authority.len())
            }
            sign => sign.unwrap_or_default(),
        };
        // An `@` alone hides nothing.
        if hidden > 0 {
            found.push(at..at + hidden);
            at += hidden;
        }
    }
    found
}

/// Whether what follows the host's colon is no port.
fn has_password(authority: &str) -> bool {
    let host = authority.rsplit_once(']').map_or(authority, |(_, port)| port);
    let host = host.trim_end_matches(|c: char| c.is_ascii_punctuation() && c != '*' && c != '@');
    host.split_once(':').is_some_and(|(host, port)| {
        let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
        !is_port && !is_placeholder(host, port)
    })
}

/// Whether a message shows how an address is written: `https://SERVER:PORT/`, `http://host:<port>`.
fn is_placeholder(host: &str, port: &str) -> bool {
    let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    port == "PORT"
        || (is_word(host) && is_word(port))
        || ["<", "{", "${"].iter().any(|sign| port.starts_with(sign))
}

/// Where they are in `user:password@host`, as curl takes it for a proxy, and in `//user:password@host`.
pub(super) fn without_scheme(text: &str) -> Vec<Range<usize>> {
    let ends = |c: char| c.is_whitespace() || "\"'`".contains(c);
    let mut at = 0;
    let found = text.split_inclusive(ends).filter_map(|word| {
        at += word.len();
        let start = at - word.len();
        credentials(word).map(|(from, sign)| start + from..start + sign)
    });
    found.collect()
}

/// Where in `word` such a user begins, and where the `@` behind the password is.
fn credentials(word: &str) -> Option<(usize, usize)> {
    let sign = word.rfind('@')?;
    let begins = word[..sign].match_indices(['(', '=', ',']).map(|(at, _)| at + 1);
    let begins = std::iter::once(0).chain(begins);
    begins.map(|begin| word[begin..sign].trim_start_matches("/")).find_map(|user| {
        let (name, password) = user.split_once(':')?;
        let is_user = !name.is_empty() && !name.contains(['@', '/', '(', '=', ',']);
        // `perl-4:5.10.1-136.el6.x86_64@base` is a package with its epoch, and where it comes from.
        let is_password = !password.is_empty() && !password.starts_with('/') && !names::is_package(password);
        (is_user && is_password).then_some((sign - user.len(), sign))
    })
}
