//! What blkid prints of a disk: "nothing" is said of nothing only.

use mt_agent::facts::blank::blkid::Signatures;
use mt_agent::fuzzing;
use mt_agent_fuzz::{safe_line, text};

pub fn run(data: &[u8]) {
    let Some((&status, rest)) = data.split_first() else { return };
    let (stdout, stderr) = match rest.iter().position(|byte| *byte == 0) {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => (rest, &[][..]),
    };
    match fuzzing::blkid(i32::from(status), stdout, stderr) {
        Signatures::Nothing => {
            assert_eq!(status, 2);
            assert!(rest.iter().all(|byte| *byte == 0 || byte.is_ascii_whitespace()), "{rest:?}");
        }
        Signatures::Found(found) => {
            assert!(!found.is_empty());
            found.iter().for_each(|one| safe_line(one));
        }
        Signatures::Unknown(why) => safe_line(&why),
    }
    safe_line(&fuzzing::signature(&text(rest)));
}
