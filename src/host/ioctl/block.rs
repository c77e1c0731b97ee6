//! What the block layer says of a device, and its dirty pages.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::libc;

use crate::host::DeviceNumber;

mod raw {
    use nix::libc::c_int;

    nix::ioctl_read!(blkgetsize64, 0x12, 114, u64);
    nix::ioctl_read_bad!(blkroget, nix::request_code_none!(0x12, 94), c_int);
    // LOOP_GET_STATUS64.
    nix::ioctl_read_bad!(loop_status, 0x4c05, [u64; super::LOOP_INFO]);
}

/// `struct loop_info64` of linux/loop.h, in words of 8 bytes: the device number of the file's file system, its inode, its own
/// device number where it is a device; what follows is not looked at.
const LOOP_INFO: usize = 232 / 8;

/// Size in bytes of the block device behind `file`.
/// Errors: `ENOTTY` when it is no block device.
pub fn size_bytes(file: &File) -> io::Result<u64> {
    let mut size = 0;
    // SAFETY: BLKGETSIZE64 writes one u64, which `size` is.
    unsafe { raw::blkgetsize64(file.as_raw_fd(), &raw mut size) }?;
    Ok(size)
}

/// Whether the kernel holds the block device behind `file` for read-only.
/// Errors: `ENOTTY` when it is no block device.
pub fn is_read_only(file: &File) -> io::Result<bool> {
    let mut flag = 0;
    // SAFETY: BLKROGET writes one int, which `flag` is.
    unsafe { raw::blkroget(file.as_raw_fd(), &raw mut flag) }?;
    Ok(flag != 0)
}

/// The number of the block device below the loop device behind `file`, or of the one on which the file below it lies.
/// Errors: `ENOTTY` when it is no loop device, `ENXIO` when nothing is below it.
pub fn below_loop(file: &File) -> io::Result<DeviceNumber> {
    let mut info = [0_u64; LOOP_INFO];
    // SAFETY: LOOP_GET_STATUS64 writes one struct loop_info64, for which `info` has room.
    unsafe { raw::loop_status(file.as_raw_fd(), &raw mut info) }?;
    Ok(DeviceNumber::of(if info[2] == 0 { info[0] } else { info[2] }))
}

/// Writes out the dirty pages of the block device behind `file` and waits for them. Unlike fsync(2) it asks the device
/// for no flush, so nothing at all is sent where nothing is dirty.
pub fn write_out(file: &File) -> io::Result<()> {
    let how =
        libc::SYNC_FILE_RANGE_WAIT_BEFORE | libc::SYNC_FILE_RANGE_WRITE | libc::SYNC_FILE_RANGE_WAIT_AFTER;
    // SAFETY: no memory is handed over.
    Errno::result(unsafe { libc::sync_file_range(file.as_raw_fd(), 0, 0, how) })?;
    Ok(())
}
