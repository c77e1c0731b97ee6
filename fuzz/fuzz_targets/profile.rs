//! A profile's YAML: a profile or one safe line, in bounded time and memory (libFuzzer's -rss_limit_mb, -timeout).

use mt_agent::fuzzing;
use mt_agent::profile::{show, to_json};
use mt_agent_fuzz::{safe_line, text};

pub fn run(data: &[u8]) {
    let text = text(data);
    for text in [text.clone().into_owned(), format!("extends: centos-6.6\n{text}")] {
        match fuzzing::profile(&text) {
            Ok(profile) => {
                let shown = show(&profile);
                for line in shown.lines() {
                    safe_line(line);
                }
                let _ = to_json(&profile);
            }
            Err(line) => safe_line(&line),
        }
    }
}
