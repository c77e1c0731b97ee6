//! Release files, host name, the header of a program.

use mt_agent::fuzzing::{parse_elf, parse_hostname, parse_release};
use mt_agent_fuzz::text;

pub fn run(data: &[u8]) {
    let text = text(data);
    let _ = parse_release(None, Some(&text));
    let _ = parse_release(Some(&text), None);
    let _ = parse_release(Some(&text), Some(&text));
    if let Some(name) = parse_hostname(&text) {
        assert!(!name.is_empty());
    }
    let _ = parse_elf(data);
}
