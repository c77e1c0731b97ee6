//! The small files of /proc.

use mt_agent::facts::swaps;
use mt_agent::fuzzing;
use mt_agent_fuzz::text;

pub fn run(data: &[u8]) {
    let text = text(data);
    if let Ok(found) = swaps::parse(&text) {
        // Swap passed over could be on a disk about to be formatted.
        let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
        assert!(found.len() == lines || found.len() + 1 == lines && text.starts_with("Filename"));
    }
    let _ = (fuzzing::parse_btime(&text), fuzzing::parse_uptime(&text));
    let _ = (fuzzing::parse_meminfo(&text), fuzzing::parse_cpuinfo(&text));
    fuzzing::proc(&text);
}
