//! VPD pages: what a disk answers when it is asked who it is.

use mt_agent::facts::scsi::vpd;
use mt_agent::fuzzing;
use mt_agent_fuzz::safe_line;

pub fn run(data: &[u8]) {
    for page in [vpd::SUPPORTED_PAGES, vpd::SERIAL, vpd::IDENTIFICATION] {
        let _ = vpd::lacks(data, page);
    }
    let _ = vpd::whole_length(data);
    if let Some(serial) = vpd::serial(data) {
        safe_line(&serial);
    }
    // A page 0x83 and, behind it, a page 0x80.
    let (page_83, page_80) = data.split_at(data.len() * 3 / 4);
    for id in [fuzzing::scsi_id(data, data), fuzzing::scsi_id(page_83, page_80)] {
        match id {
            Ok(id) => {
                assert!(!id.id.is_empty(), "an empty id");
                safe_line(&id.id);
                safe_line(&id.source.expect("it was asked for"));
            }
            Err(why) => safe_line(&why),
        }
    }
}
