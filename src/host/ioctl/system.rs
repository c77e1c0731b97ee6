//! File systems and the kernel's log.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::libc::{self, c_int, c_long};

mod raw {
    // FS_IOC_GETFLAGS: declared with a long, and written as an int since Linux 1.3.
    nix::ioctl_read!(fs_ioc_getflags, b'f', 1, nix::libc::c_long);
}

/// Writes out what the kernel still holds for the file system of `file` alone: syncfs(2), which came with 2.6.39.
/// Errors: `ENOSYS` on older kernels; what the system said.
pub fn sync_file_system(file: &File) -> io::Result<()> {
    // SAFETY: no memory is handed over. Called by number: glibc has it since 2.14, and CentOS 6 has 2.12.
    Errno::result(unsafe { libc::syscall(libc::SYS_syncfs, file.as_raw_fd()) })?;
    Ok(())
}

/// The end of the kernel's log: lines, most with their level in front (`<3>`). By syslog(2), as /dev/kmsg tells nothing before 3.5;
/// nothing is taken out of the log, nor marked as read.
/// Errors: `EPERM` where that is root's alone, and this is not root; `ENOSYS` of a kernel without a log.
pub fn kernel_log() -> io::Result<Vec<u8>> {
    /// `SYSLOG_ACTION_READ_ALL`, `SYSLOG_ACTION_SIZE_BUFFER`.
    const READ_ALL: c_int = 3;
    const SIZE: c_int = 10;
    // SAFETY: no memory is handed over.
    let size = Errno::result(unsafe { libc::klogctl(SIZE, std::ptr::null_mut(), 0) })?;
    // Since 3.5 the kernel writes level and time of each line only when it is read.
    let room = size.saturating_mul(2).clamp(1 << 18, 1 << 24);
    let mut log = vec![0; usize::try_from(room).unwrap_or_default()];
    // SAFETY: `log` has room for as many bytes as the call is told, and outlives it.
    let read = Errno::result(unsafe { libc::klogctl(READ_ALL, log.as_mut_ptr().cast(), room) })?;
    log.truncate(usize::try_from(read).unwrap_or_default());
    Ok(log)
}

/// Whether the file behind `file` is marked immutable or append-only (`chattr +i`, `+a`): root cannot remove it either. A
/// file system without such marks has none.
pub fn is_immutable(file: &File) -> io::Result<bool> {
    const MARKS: c_long = 0x10 | 0x20;
    let mut flags: c_long = 0;
    // SAFETY: FS_IOC_GETFLAGS writes one int, and `flags` has room for a long.
    match unsafe { raw::fs_ioc_getflags(file.as_raw_fd(), &raw mut flags) } {
        Ok(_) => Ok(flags & MARKS != 0),
        Err(Errno::ENOTTY | Errno::EOPNOTSUPP | Errno::ENOSYS) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
