#![no_main]
//! Our own records, as a disk that lost power may return them.

use libfuzzer_sys::fuzz_target;
use mt_agent::fuzzing;
use mt_agent_fuzz::text;

fuzz_target!(|data: &[u8]| {
    fuzzing::records(&text(data));
});
