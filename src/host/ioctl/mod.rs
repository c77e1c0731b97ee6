//! The only unsafe code: ioctls with a safe face, a copy of this process and its threads, and the signals and network of what
//! we start.
//!
//! Nothing here can alter a device: the one SCSI command that can be sent is INQUIRY, and the rest asks the
//! block layer for numbers, the device mapper for its status and the kernel for its log.
#![allow(unsafe_code)]

mod block;
mod device_mapper;
mod process;
mod scsi;
mod system;

pub use self::block::{below_loop, is_read_only, size_bytes, write_out};
pub use self::device_mapper::{DEVICE_MAPPER, device_mapper_status, device_mapper_table};
pub use self::process::{
    begin_afresh, begin_without_network, end, in_a_copy, is_a_copy, keep_descriptors_from_commands,
    keep_exit_statuses, leave_the_network, start_thread,
};
pub use self::scsi::{Reply, inquiry};
pub use self::system::{is_immutable, kernel_log, sync_file_system};

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use nix::libc;

    use super::*;

    #[test]
    fn what_is_no_block_device_is_refused_by_the_kernel() {
        let file = tempfile::tempfile().unwrap();
        let errno = |error: io::Error| error.raw_os_error();
        assert_eq!(errno(size_bytes(&file).unwrap_err()), Some(libc::ENOTTY));
        assert_eq!(errno(is_read_only(&file).unwrap_err()), Some(libc::ENOTTY));
        assert_eq!(errno(below_loop(&file).unwrap_err()), Some(libc::ENOTTY));
        let refused = inquiry(&file, Some(0x83), 254, Duration::from_secs(1)).unwrap_err();
        assert_eq!(errno(refused), Some(libc::ENOTTY));
    }
}
