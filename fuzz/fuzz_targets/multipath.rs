//! /etc/multipath.conf, read and edited.

use mt_agent::facts::multipath::Dialect;
use mt_agent::facts::multipath::parse::parse;
use mt_agent::fuzzing::{check_hidden, with_id, with_wwid};
use mt_agent_fuzz::{safe_line, text};

const ID: &str = "36000c2982b5df41a25811b07e74971e8";
const STALE: &str = "36000c29aaaaaaaaaaaaaaaaaaaaaaaaa";
const OTHER: &str = "36000c29bbbbbbbbbbbbbbbbbbbbbbbbb";

/// `text` without what an edit may write.
fn without_ids(text: &[u8]) -> Vec<u8> {
    let mut out = String::from_utf8_lossy(text).into_owned();
    for id in [ID, STALE] {
        for word in [format!("\"^{id}$\""), format!("\"{id}\""), format!("\"^{id}\""), format!("\"{id}$\"")] {
            out = out.replace(&word, "WWID");
        }
        for word in [format!("^{id}$"), id.to_owned()] {
            out = out.replace(&word, "WWID");
        }
    }
    out.into_bytes()
}

pub fn run(data: &[u8]) {
    for dialect in [Dialect::El6, Dialect::Later] {
        edited(data, dialect);
    }
    let script = with_id(data, STALE, ID);
    assert_eq!(script.len(), data.len(), "ids of one length");
}

fn edited(data: &[u8], dialect: Dialect) {
    let _ = parse(data, dialect);
    for stale in [None, Some(STALE)] {
        let after = match with_wwid(data, ID, stale, dialect) {
            Ok(after) => after,
            Err(error) => {
                safe_line(&format!("{error:#}"));
                continue;
            }
        };
        let again = with_wwid(&after, ID, stale, dialect).expect("what was written is understood");
        assert_eq!(again, after, "a second edit changed something");
        let others = [OTHER.into()];
        match check_hidden(&after, ID, &others, dialect) {
            // Both readers agree that the root disk is named.
            Ok(()) => {
                let read = parse(&after, dialect);
                let named = read
                    .configuration
                    .blacklist_wwids
                    .iter()
                    .any(|one| one.trim_start_matches('^').trim_end_matches('$') == ID);
                let by_pattern = !read.configuration.blacklist_wwids.is_empty();
                assert!(named || by_pattern, "{:?}", text(&after));
            }
            Err(error) => safe_line(&format!("{error:#}")),
        }
        // The rest is kept byte for byte: a value was replaced, or one line or section was put in, and to el6 the last line ended.
        let mut before = data.to_vec();
        if dialect == Dialect::El6 && !data.is_empty() && !data.ends_with(b"\n") {
            before.push(b'\n');
        }
        let (before_rest, after_rest) = (without_ids(&before), without_ids(&after));
        let common = before_rest.iter().zip(&after_rest).take_while(|(a, b)| a == b).count();
        let tail = before_rest[common..].iter().rev().zip(after_rest[common..].iter().rev());
        let end = tail.take_while(|(a, b)| a == b).count();
        assert!(common + end >= before_rest.len(), "{:?} became {:?}", text(data), text(&after));
    }
}
