//! Passwords, passphrases and tokens taken out of text: they reach no log, no journal and no report.
//!
//! It would rather hide a harmless word than show a secret: what it is given is output of other programs.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// What stands in place of a secret.
const MASK: &str = "***";

/// What a name has in it whose value is a secret.
macro_rules! secret {
    () => {
        "(?i-u:[a-z0-9_.-]*(?:password|passwd|passphrase|passwort|secret|token|(?:api|access|account|private|shared)[_-]?key)[a-z0-9_-]*)"
    };
}

/// A value: in quotes, or a word. A list's or a query's next part begins behind `,`, `;` or `&`.
macro_rules! value {
    () => {
        r#"(?:"[^"]*"|'[^']*'|[^\s,;&"']+)"#
    };
}

type Pattern = LazyLock<Option<Regex>>;

/// `password=x`, `"token": "x"`, `passphrase: x`.
static NAMED: Pattern =
    LazyLock::new(|| Regex::new(concat!("(", secret!(), r#"["']?\s*[=:]\s*)"#, value!())).ok());

/// `--password x`, and `-P x` of the vendor's installer where `x` is no file.
static OPTION: Pattern = LazyLock::new(|| {
    Regex::new(concat!(r"((?:^|\s|')(?:--?", secret!(), r"|-P)'?\s+)('?[^\s-][^\s]*)")).ok()
});

/// `Authorization: Basic x`, of a proxy's too; cookies.
static HEADER: Pattern = LazyLock::new(|| {
    Regex::new(
        r#"((?i-u:authorization|cookie)["']?\s*:\s*["']?)((?i-u:basic|bearer|digest|negotiate|ntlm)\s+)?[^\s"']+"#,
    )
    .ok()
});

/// What signs an address: `sig=` of Azure (a shared access signature), `X-Amz-Signature=`, `X-Goog-Credential=` and
/// their kin.
static QUERY: Pattern = LazyLock::new(|| {
    Regex::new(r#"([?&;](?i-u:sig|key|code|auth|pwd|[a-z0-9_-]*(?:signature|credential))=)[^\s&;#"'`<>]+"#)
        .ok()
});

/// `user:password@host` without a scheme, as curl takes it for a proxy.
static BARE: Pattern = LazyLock::new(|| Regex::new(r#"(^|[\s"'`(=,])[^\s"'`(=,:@/\\]+:[^\s"'/]+@"#).ok());

/// `text` with what looks like a secret replaced by `***`: credentials of addresses
/// (`scheme://user:password@host`) and what signs them, values of what is called password, passphrase, secret or token, and
/// headers that authenticate.
#[must_use]
pub fn without_secrets(text: &str) -> String {
    // Expressions are slow on long text: most text has nothing of what they look for.
    let mut text = addresses(text);
    let lower = text.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if lower.contains('@') {
        text = every(&BARE, &text, |found| Some(format!("{}{MASK}@", &found[1])));
    }
    if has(&["authorization", "cookie"]) {
        text = every(&HEADER, &text, |found| Some(format!("{}{MASK}", &found[1])));
    }
    if text.contains(['?', '&', ';']) {
        text = match QUERY.as_ref() {
            Some(query) => query.replace_all(&text, format!("${{1}}{MASK}")).into_owned(),
            None => MASK.to_owned(),
        };
    }
    let named = has(&["pass", "secret", "token", "key"]);
    if named {
        text = every(&NAMED, &text, |found| Some(format!("{}{MASK}", &found[1])));
    }
    if !named && !lower.contains("-p") {
        return text;
    }
    every(&OPTION, &text, |found| {
        let is_file = found[1].trim_end().ends_with("-P") && found[2].contains(['/', '.']);
        (!is_file).then(|| format!("{}{MASK}", &found[1]))
    })
}

/// The JSON document `json` without secrets in any of its strings; it stays the document that it is.
#[must_use]
pub fn json_without_secrets(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(start) = rest.find('"') {
        let mut escaped = false;
        let inside = |c: char| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        };
        let Some(length) = rest[start + 1..].find(inside) else { break };
        let end = start + 1 + length + 1;
        let literal = &rest[start..end];
        let masked = serde_json::from_str::<String>(literal).ok().and_then(|plain| {
            let masked = without_secrets(&plain);
            (masked != plain).then(|| serde_json::to_string(&masked).ok()).flatten()
        });
        out.push_str(&rest[..start]);
        out.push_str(masked.as_deref().unwrap_or(literal));
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// `text` with each match of `pattern` replaced. What follows a `/` is a part of a path (`/etc/passwd: …`).
fn every(pattern: &Pattern, text: &str, new: impl Fn(&Captures<'_>) -> Option<String>) -> String {
    let Some(pattern) = pattern.as_ref() else { return MASK.to_owned() };
    let mut out = String::with_capacity(text.len());
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = pattern.captures_at(text, at) {
        let (Some(all), Some(name)) = (found.get(0), found.get(1)) else { break };
        match new(&found).filter(|_| !text[..all.start()].ends_with('/')) {
            Some(new) => {
                out.push_str(&text[copied..all.start()]);
                out.push_str(&new);
                (copied, at) = (all.end(), all.end());
            }
            // Within what was not replaced there may be another.
            None => at = name.end().max(all.start() + 1),
        }
        while !text.is_char_boundary(at) {
            at += 1;
        }
    }
    out.push_str(&text[copied..]);
    out
}

/// Takes the credentials out of every address.
fn addresses(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        out.push_str(head);
        let word = &tail[..tail.find(char::is_whitespace).unwrap_or(tail.len())];
        let authority = &word[..word.find(['/', '"', '\'']).unwrap_or(word.len())];
        let hidden = match authority.rfind('@') {
            Some(sign) => sign,
            // A password may have a slash or a quote in it, or be cut off in the middle.
            None if has_password(authority) => word.rfind('@').unwrap_or(authority.len()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_taken_out_of_every_address() {
        for (text, expected) in [
            (
                "get http://u:p@h:8080/x via https://a@b and ftp://plain/x@y",
                "get http://***@h:8080/x via https://***@b and ftp://plain/x@y",
            ),
            ("http://user:pa@ss@host/", "http://***@host/"),
            ("https://:pw@h", "https://***@h"),
            ("http://us%20er:p%40s%2Fs@h:1/", "http://***@h:1/"),
            ("http://u:p/w@h/x", "http://***@h/x"),
            ("http://u:p'w@h/x", "http://***@h/x"),
            ("'http://u:pw@h/' http://u:pw@i", "'http://***@h/' http://***@i"),
            ("cut: http://user:secre", "cut: http://***"),
            ("http_proxy=http://u:p@h:3128", "http_proxy=http://***@h:3128"),
            ("http_proxy=user:secret@proxy:3128 yum", "http_proxy=***@proxy:3128 yum"),
            ("socks5://u:p@h:1080", "socks5://***@h:1080"),
        ] {
            assert_eq!(without_secrets(text), expected);
            assert_eq!(without_secrets(expected), expected);
        }
    }

    #[test]
    fn values_of_what_is_called_a_secret_are_taken_out() {
        for (text, expected) in [
            ("x?token=abc&y=1", "x?token=***&y=1"),
            (
                "https://a.blob.core.windows.net/c/?sv=2024-11-04&sr=b&sig=aB%2Fc%3D&se=2026-12-01",
                "https://a.blob.core.windows.net/c/?sv=2024-11-04&sr=b&sig=***&se=2026-12-01",
            ),
            (
                r#"{"url": "https://s3/x?X-Amz-Credential=A/b&X-Amz-Signature=0f"}"#,
                r#"{"url": "https://s3/x?X-Amz-Credential=***&X-Amz-Signature=***"}"#,
            ),
            (
                "AccountName=a;AccountKey=Zm9v==;EndpointSuffix=x",
                "AccountName=a;AccountKey=***;EndpointSuffix=x",
            ),
            ("rw,username=u,password=p/w,uid=0", "rw,username=u,password=***,uid=0"),
            (r#"{"passphrase": "two words", "a": 1}"#, r#"{"passphrase": ***, "a": 1}"#),
            ("proxy_password = 'x y' z", "proxy_password = *** z"),
            ("Enter passphrase: abc", "Enter passphrase: ***"),
            ("GET / Proxy-Authorization: Basic dTpw\r\nHost: x", "GET / Proxy-Authorization: ***\r\nHost: x"),
            ("authorization: Bearer a.b.c", "authorization: ***"),
            ("curl --proxy-password abc -v", "curl --proxy-password *** -v"),
            (
                "UnifiedAgentConfigurator.sh -i 10.0.0.1 -P abc",
                "UnifiedAgentConfigurator.sh -i 10.0.0.1 -P ***",
            ),
            ("API_KEY=1 api-key: 2", "API_KEY=*** api-key: ***"),
            ("open /etc/passwd: token=abc", "open /etc/passwd: token=***"),
        ] {
            assert_eq!(without_secrets(text), expected);
            assert_eq!(without_secrets(expected), expected);
        }
    }

    #[test]
    fn a_document_stays_one_whatever_its_strings_hold() {
        let values = [r#"http://u:p"w@h"#, r"C:\password=x\", "a\nhttp://u:p@h\\", "plain \" \\", ""];
        let json = serde_json::to_string_pretty(&values).unwrap();
        let back: Vec<String> = serde_json::from_str(&json_without_secrets(&json)).unwrap();
        assert_eq!(back, values.map(without_secrets));
        assert!(!back.concat().contains("p\"w") && back[0] == "http://***@h", "{back:?}");
        assert_eq!(json_without_secrets(r#"{"torn": "a"#), r#"{"torn": "a"#);
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "http://127.0.0.1:8080: refused (http://[::1]:80), http://h:1.",
            "reading /etc/passwd: permission denied",
            "-P passphrase.txt and -P /root/x",
            "git@host:path a@b 12:30 x/y:z@w pci-0000:00:10.0",
            "1000:0030 2:0:0:0 00:50:56:aa:bb:cc",
            "the token of a file",
            "Header V3 RSA/SHA1 Signature, key ID c105b9de: OK",
            "Signature: good; key ID 0608b895",
            "http://mirror/?release=6.6&arch=x86_64&repo=os",
        ] {
            assert_eq!(without_secrets(text), text);
        }
    }
}
