//! What rpm and dpkg-query print.

use mt_agent::facts::packages::{parse_dpkg, parse_rpm};
use mt_agent::fuzzing;
use mt_agent_fuzz::{safe_line, text};

pub fn run(data: &[u8]) {
    let text = text(data);
    match parse_rpm(&text) {
        Ok((installed, _)) => assert!(installed.keys().all(|name| name.is_ascii())),
        Err(error) => safe_line(&format!("{error:#}")),
    }
    if let Err(error) = parse_dpkg(&text) {
        safe_line(&format!("{error:#}"));
    }
    let _ = fuzzing::rpm_installed(&text, &["perl", "kmod-reiserfs"]);
    // It makes two expressions at every call, which is slow.
    let mentions_one = text.contains("ignature") || text.contains("digest");
    if mentions_one && fuzzing::rpm_signature_is_good(&text).unwrap_or(false) {
        assert!(text.contains("OK") && !text.contains("BAD\n"), "good? {text:?}");
    }
}
