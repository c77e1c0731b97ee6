//! Interface files of five kinds, resolv.conf and hosts.

use mt_agent::fuzzing::{self, parse_hosts, parse_resolver};
use mt_agent_fuzz::text;

pub fn run(data: &[u8]) {
    let text = text(data);
    fuzzing::interfaces(&text);
    let lines = text.lines().count();
    assert!(parse_resolver(&text).len() <= lines);
    assert!(parse_hosts(&text).iter().all(|entry| (1..=lines).contains(&entry.line)));
}
