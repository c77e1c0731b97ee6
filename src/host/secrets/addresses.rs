//! Credentials within addresses: `scheme://user:password@host`, and `user:password@host` without a scheme.

use super::names::MASK;

/// Takes the credentials out of every address with a scheme.
pub(super) fn with_scheme(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        out.push_str(head);
        let word = &tail[..tail.find(char::is_whitespace).unwrap_or(tail.len())];
        let authority = &word[..word.find(['/', '"', '\'']).unwrap_or(word.len())];
        let hidden = match authority.rfind('@') {
            // A password may have a slash, a quote or an `@` in it.
            _ if authority.contains(':') && word.contains('@') => word.rfind('@').unwrap_or_default(),
            Some(sign) => sign,
            // Or be cut off in the middle.
            None if has_password(authority) => authority.len(),
            None => 0,
        };
        if hidden > 0 {
            out.push_str(MASK);
        }
        // An `@` alone hides nothing.
        rest = &tail[hidden..];
        let next = rest.find("://").unwrap_or(rest.len()).min(authority.len().saturating_sub(hidden));
        out.push_str(&rest[..next]);
        rest = &rest[next..];
    }
    out.push_str(rest);
    out
}

/// Whether what follows the host's colon is no port.
fn has_password(authority: &str) -> bool {
    let host = authority.rsplit_once(']').map_or(authority, |(_, port)| port);
    let host = host.trim_end_matches(|c: char| c.is_ascii_punctuation() && c != '*' && c != '@');
    host.split_once(':').is_some_and(|(_, port)| !port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Takes them out of `user:password@host`, as curl takes it for a proxy, and of `//user:password@host`.
pub(super) fn without_scheme(text: &str) -> String {
    let ends = |c: char| c.is_whitespace() || "\"'`".contains(c);
    let masked = |word: &str| match credentials(word) {
        Some((from, sign)) => format!("{}{MASK}{}", &word[..from], &word[sign..]),
        None => word.to_owned(),
    };
    text.split_inclusive(ends).map(masked).collect()
}

/// Where in `word` such a user begins, and where the `@` behind the password is.
fn credentials(word: &str) -> Option<(usize, usize)> {
    let sign = word.rfind('@')?;
    let begins = word[..sign].match_indices(['(', '=', ',']).map(|(at, _)| at + 1);
    let begins = std::iter::once(0).chain(begins);
    begins.map(|begin| word[begin..sign].trim_start_matches("/")).find_map(|user| {
        let (name, password) = user.split_once(':')?;
        let is_user = !name.is_empty() && !name.contains(['@', '/', '(', '=', ',']);
        let is_password = !password.is_empty() && !password.starts_with('/');
        (is_user && is_password).then_some((sign - user.len(), sign))
    })
}
