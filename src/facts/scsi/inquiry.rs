//! INQUIRY through SG_IO: one page, whole, or why not.

use std::fmt;
use std::fs::File;
use std::io;
use std::time::Duration;

use nix::libc;

use super::vpd;
use crate::host::ioctl::{self, Reply};

/// What the kernel gives a disk to answer one INQUIRY.
const TIMEOUT: Duration = Duration::from_secs(5);
/// First allocation length: what a disk that knows only one byte of it still takes.
const SMALL: u16 = 254;
/// The most that is asked for; an adapter's transfer limit answers more with EIO.
const LARGE: u16 = 4096;

/// Why there is no page.
#[derive(Debug)]
pub enum Fault {
    Ioctl(io::Error),
    /// The device refused the command, with additional sense code and qualifier.
    IllegalRequest(u8, u8),
    /// It reported another condition: sense key, additional sense code and qualifier.
    Sense(u8, u8, u8),
    /// It ended with a SCSI status other than GOOD, and no sense data.
    Status(u8),
    /// The host adapter reported a failure (`DID_…`).
    Host(u16),
    /// The driver reported a failure (`DRIVER_…`).
    Driver(u16),
}

impl Fault {
    /// Whether the disk did not answer, or could not: a refusal, and a system that lets us not ask, are none.
    pub fn is_silence(&self) -> bool {
        match self {
            Self::Ioctl(error) => {
                ![libc::ENOTTY, libc::EPERM, libc::EACCES].map(Some).contains(&error.raw_os_error())
            }
            Self::IllegalRequest(..) | Self::Status(_) => false,
            Self::Sense(..) | Self::Host(_) | Self::Driver(_) => true,
        }
    }

    /// Whether it is worth asking again: conditions that pass by themselves or are told only once.
    fn passes(&self) -> bool {
        const UNIT_ATTENTION: u8 = 6;
        const BUSY: u8 = 0x08;
        const TASK_SET_FULL: u8 = 0x28;
        const BUS_BUSY: u16 = 0x02;
        const RESET: u16 = 0x08;
        const SOFT_ERROR: u16 = 0x0b;
        match self {
            Self::Sense(key, ..) => *key == UNIT_ATTENTION,
            Self::Status(status) => [BUSY, TASK_SET_FULL].contains(status),
            Self::Host(status) => [BUS_BUSY, RESET, SOFT_ERROR].contains(status),
            Self::Ioctl(_) | Self::IllegalRequest(..) | Self::Driver(_) => false,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ioctl(error) if error.raw_os_error() == Some(libc::ENOTTY) => {
                f.write_str("it takes no SCSI commands")
            }
            Self::Ioctl(error) => write!(f, "SG_IO: {error}"),
            Self::IllegalRequest(asc, ascq) => write!(f, "ILLEGAL REQUEST (sense 05/{asc:02x}/{ascq:02x})"),
            Self::Sense(key, asc, ascq) => {
                write!(f, "{} (sense {key:02x}/{asc:02x}/{ascq:02x})", sense_key(*key))
            }
            Self::Status(status) => write!(f, "SCSI status {status:#04x}"),
            Self::Host(0x01) => f.write_str("the disk does not answer (host status 0x01)"),
            Self::Host(0x03) => {
                write!(f, "no answer within {} s (host status 0x03)", TIMEOUT.as_secs())
            }
            Self::Host(status) => write!(f, "the host adapter failed (host status {status:#04x})"),
            Self::Driver(status) => write!(f, "the driver failed (driver status {status:#04x})"),
        }
    }
}

fn sense_key(key: u8) -> &'static str {
    const NAMES: [&str; 16] = [
        "NO SENSE",
        "RECOVERED ERROR",
        "NOT READY",
        "MEDIUM ERROR",
        "HARDWARE ERROR",
        "ILLEGAL REQUEST",
        "UNIT ATTENTION",
        "DATA PROTECT",
        "BLANK CHECK",
        "VENDOR SPECIFIC",
        "COPY ABORTED",
        "ABORTED COMMAND",
        "reserved sense key",
        "VOLUME OVERFLOW",
        "MISCOMPARE",
        "COMPLETED",
    ];
    NAMES[usize::from(key & 0x0f)]
}

/// The VPD page `page` of the SCSI disk behind `file`, as much of it as the disk gives.
pub fn page(file: &File, page: u8) -> Result<Vec<u8>, Fault> {
    let first = ask(file, page, SMALL)?;
    match vpd::whole_length(&first) {
        Some(length) if length > first.len() && first.len() == usize::from(SMALL) => {
            let allocation = u16::try_from(length).unwrap_or(LARGE).min(LARGE);
            // A disk that reads one byte of the length may refuse; what came first is then what there is.
            Ok(ask(file, page, allocation).unwrap_or(first))
        }
        _ => Ok(first),
    }
}

fn ask(file: &File, page: u8, allocation: u16) -> Result<Vec<u8>, Fault> {
    let mut attempts = 3;
    loop {
        let reply = ioctl::inquiry(file, Some(page), allocation, TIMEOUT).map_err(Fault::Ioctl)?;
        attempts -= 1;
        match data(reply) {
            Err(fault) if fault.passes() && attempts > 0 => {}
            outcome => return outcome,
        }
    }
}

/// The data of a reply that succeeded.
fn data(reply: Reply) -> Result<Vec<u8>, Fault> {
    const CHECK_CONDITION: u8 = 0x02;
    const DRIVER_SENSE: u16 = 0x08;
    const RECOVERED: u8 = 1;
    // Bits 0, 6 and 7 are reserved or vendor-specific in old devices; the upper half of the driver's word
    // was a suggestion what to do, up to 2.6.
    let status = reply.status & 0x3e;
    let driver = reply.driver_status & 0x0f;
    if status == CHECK_CONDITION || driver == DRIVER_SENSE {
        match sense(&reply.sense) {
            Some((0 | RECOVERED, ..)) if reply.host_status == 0 => return Ok(reply.data),
            Some((5, asc, ascq)) => return Err(Fault::IllegalRequest(asc, ascq)),
            Some((key, asc, ascq)) => return Err(Fault::Sense(key, asc, ascq)),
            None => {}
        }
    }
    match (status, reply.host_status, driver) {
        (0, 0, 0) => Ok(reply.data),
        (_, host, _) if host != 0 => Err(Fault::Host(host)),
        (0, _, driver) => Err(Fault::Driver(driver)),
        (status, ..) => Err(Fault::Status(status)),
    }
}

/// Sense key, additional sense code and qualifier, from fixed or descriptor format.
fn sense(bytes: &[u8]) -> Option<(u8, u8, u8)> {
    let at = |index: usize| bytes.get(index).copied().unwrap_or_default();
    match bytes.first()? & 0x7f {
        0x70 | 0x71 => Some((bytes.get(2)? & 0x0f, at(12), at(13))),
        0x72 | 0x73 => Some((bytes.get(1)? & 0x0f, at(2), at(3))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(key: u8, asc: u8, ascq: u8) -> Vec<u8> {
        vec![0x70, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, asc, ascq, 0, 0, 0, 0]
    }

    fn check(sense: Vec<u8>) -> Reply {
        Reply { status: 2, driver_status: 8, sense, data: vec![1], ..Reply::default() }
    }

    #[test]
    fn an_ioctl_that_returns_0_is_not_success() {
        let message = |reply: Reply| data(reply).unwrap_err().to_string();
        assert_eq!(message(check(fixed(5, 0x24, 0))), "ILLEGAL REQUEST (sense 05/24/00)");
        assert_eq!(message(check(vec![0x72, 0x05, 0x24, 0x01])), "ILLEGAL REQUEST (sense 05/24/01)");
        assert_eq!(message(check(fixed(2, 4, 1))), "NOT READY (sense 02/04/01)");
        assert_eq!(message(Reply { status: 0x18, ..Reply::default() }), "SCSI status 0x18");
        assert_eq!(
            message(Reply { host_status: 1, ..Reply::default() }),
            "the disk does not answer (host status 0x01)"
        );
        assert_eq!(
            message(Reply { host_status: 3, ..Reply::default() }),
            "no answer within 5 s (host status 0x03)"
        );
        assert_eq!(
            message(Reply { driver_status: 6, ..Reply::default() }),
            "the driver failed (driver status 0x06)"
        );
        assert_eq!(message(check(Vec::new())), "SCSI status 0x02");
        // Sense data cut off anywhere does not panic and does not pass for success.
        for length in 0..18 {
            let cut = fixed(5, 0x24, 0)[..length].to_vec();
            assert!(data(check(cut)).is_err(), "cut to {length} bytes");
        }
    }

    #[test]
    fn a_recovered_error_is_success() {
        assert_eq!(data(check(fixed(1, 0x17, 0))).unwrap(), [1]);
        assert_eq!(data(Reply { data: vec![7], ..Reply::default() }).unwrap(), [7]);
    }

    #[test]
    fn only_what_passes_is_asked_again() {
        assert!(Fault::Sense(6, 0x29, 0).passes());
        assert!(Fault::Status(8).passes());
        assert!(!Fault::IllegalRequest(0x24, 0).passes());
        assert!(!Fault::Host(3).passes());
    }
}
