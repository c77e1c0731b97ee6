//! Our own records, as a disk that lost power may return them.

use mt_agent::fuzzing;
use mt_agent_fuzz::{safe_line, text};

pub fn run(data: &[u8]) {
    fuzzing::records(&text(data));
    for file in fuzzing::manifest(&text(data)) {
        assert!(!file.contains('/') && !file.starts_with(['.', '-']) && file.ends_with(".rpm"), "{file:?}");
        safe_line(&file);
    }
}
