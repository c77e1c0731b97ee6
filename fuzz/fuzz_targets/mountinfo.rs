//! /proc/self/mountinfo: a mount passed over could be that of a disk about to be formatted.

use mt_agent::facts::mounts;
use mt_agent_fuzz::text;

pub fn run(data: &[u8]) {
    let text = text(data);
    if let Ok(mounts) = mounts::parse(&text) {
        assert_eq!(mounts.len(), text.lines().count(), "a line was passed over");
    }
}
