//! What the vendor's script and software leave: logs, a script with an id in it, version and configuration files.

use mt_agent::fuzzing::{self, parse_blacklist_script, parse_configuration, parse_version};
use mt_agent_fuzz::{safe_line, text};

pub fn run(data: &[u8]) {
    let text = text(data);
    if let Some(id) = parse_blacklist_script(&text) {
        assert!((17..=33).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
    let _ = (parse_configuration(&text, "Role"), parse_version(&text));
    let tail = fuzzing::log_tail(&text);
    assert!(tail.lines().count() <= 9);
    tail.lines().for_each(safe_line);
}
