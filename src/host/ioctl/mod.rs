//! The only unsafe code: ioctls with a safe face, a copy of this process and its threads, and the signals and network of what
//! we start.
//!
//! Nothing here can alter a device: the one SCSI command that can be sent is INQUIRY, and the rest asks the
//! block layer for numbers, the device mapper for its status and the kernel for its log.
#![allow(unsafe_code)]

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::libc::{self, c_int, c_long, c_uchar, c_uint, c_ushort, c_void};
use nix::sys::signal::{self, SigHandler, SigSet, Signal};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{ForkResult, Pid, fork};

use super::map_status::MapStatus;

/// Lets `command` begin with no signal held back, and make files as root does. The signal mask of the thread that starts a
/// process goes on to it (since Rust 1.66), and through it to every daemon that it starts: one with SIGTERM held back cannot
/// be stopped. The file mode mask is our caller's: with 077 in it, packages make directories that nobody else can read.
pub fn begin_afresh(command: &mut Command) {
    // SAFETY: between fork and exec only sigprocmask(2) and umask(2) are called, which may be called there.
    unsafe {
        command.pre_exec(|| {
            umask(Mode::S_IWGRP | Mode::S_IWOTH);
            SigSet::empty().thread_set_mask().map_err(io::Error::from)
        });
    }
}

/// Keeps from every command what this process was started with beyond the three standard streams: a caller's lock would
/// be held by each daemon that is started. What is opened later is closed for commands by itself (`O_CLOEXEC`). To be called
/// before anything is started.
pub fn keep_descriptors_from_commands() {
    let listed = fs::read_dir("/proc/self/fd").map(|entries| {
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect::<Vec<RawFd>>()
    });
    // Without /proc those that a shell can open.
    for fd in listed.unwrap_or_else(|_| (0..256).collect()).into_iter().filter(|fd| *fd > 2) {
        // SAFETY: the number is used for this one call, which fails where nothing is open under it.
        let _ = fcntl(unsafe { BorrowedFd::borrow_raw(fd) }, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC));
    }
}

/// Takes this process into a network namespace of its own, in which no interface is up: unshare(2), which 2.6.32 has.
///
/// # Errors
/// `EPERM` without privilege, `EINVAL` where the kernel has no network namespaces; what else the system said.
pub fn leave_the_network() -> io::Result<()> {
    // SAFETY: no memory is handed over.
    Errno::result(unsafe { libc::unshare(libc::CLONE_NEWNET) })?;
    Ok(())
}

/// Lets `command` begin as [`leave_the_network`] leaves a process; where that fails it is not started.
pub fn begin_without_network(command: &mut Command) {
    // SAFETY: between fork and exec only unshare(2) is called, which may be called there.
    unsafe {
        command.pre_exec(leave_the_network);
    }
}

/// Lets the end of a process be waited for also where what started us ignores SIGCHLD: the kernel would then keep no
/// exit status (wait(2)), and every command would seem to have failed. To be called before anything is started.
pub fn keep_exit_statuses() {
    // Safe: no handler is set. It cannot fail for a signal that exists.
    let _ = unsafe { signal::signal(Signal::SIGCHLD, SigHandler::SigDfl) };
}

/// Does `work` in a copy of this process, which then ends; the copy's process id. Nothing of the copy's memory comes
/// back.
///
/// # Errors
/// What fork(2) says.
pub fn in_a_copy(work: impl FnOnce()) -> io::Result<Pid> {
    // SAFETY: of the threads only this one is in the copy, and a lock that another one held stays locked there. glibc
    // keeps its own (malloc's) usable across fork. `work` is to take no lock that other threads of ours take; one that
    // does would wait, and whoever waits for the copy has a deadline.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            A_COPY.store(true, Ordering::Relaxed);
            // The release is built without unwinding.
            end(catch_unwind(AssertUnwindSafe(work)).map_or(1, |()| 0))
        }
    }
}

/// Whether this process is a copy of another one.
static A_COPY: AtomicBool = AtomicBool::new(false);

/// Whether this process is a copy, in which no command can be started: whatever waits for one takes locks.
pub fn is_a_copy() -> bool {
    A_COPY.load(Ordering::Relaxed)
}

/// Ends this process, which is a copy, at once: nothing of what it has from its parent is run or written twice.
pub fn end(status: i32) -> ! {
    // SAFETY: no memory is handed over.
    unsafe { libc::_exit(status) }
}

/// Does `work` on a thread of its own, also in a copy of this process. Rust's own threads take a lock of the standard
/// library when they begin (`thread_info` of its stack_overflow/thread_info.rs, as of 1.95): where another thread held it while
/// the copy was made, none would ever begin there. glibc makes its own locks usable again in the copy.
///
/// # Errors
/// What pthread_create(3) says.
pub fn start_thread(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    start(Box::new(work))
}

/// As large as that of Rust's own threads, in bytes.
const STACK: usize = 2 << 20;

type Work = Box<dyn FnOnce() + Send>;

fn start(work: Work) -> io::Result<()> {
    extern "C" fn begin(work: *mut c_void) -> *mut c_void {
        // SAFETY: it is the pointer that `start` made of a box, and this thread alone has it.
        let work = unsafe { Box::from_raw(work.cast::<Work>()) };
        let _ = catch_unwind(AssertUnwindSafe(work));
        std::ptr::null_mut()
    }
    let work = Box::into_raw(Box::new(work));
    // SAFETY: the attributes live until the call is over, and each call gets what it is declared to take. The thread takes
    // over `work`; where none began, it is taken back.
    unsafe {
        let mut attributes = std::mem::zeroed();
        let mut thread = 0;
        let mut failed = libc::pthread_attr_init(&raw mut attributes);
        if failed == 0 {
            libc::pthread_attr_setstacksize(&raw mut attributes, STACK);
            libc::pthread_attr_setdetachstate(&raw mut attributes, libc::PTHREAD_CREATE_DETACHED);
            failed = libc::pthread_create(&raw mut thread, &raw const attributes, begin, work.cast());
            libc::pthread_attr_destroy(&raw mut attributes);
        }
        if failed != 0 {
            drop(Box::from_raw(work));
            return Err(io::Error::from_raw_os_error(failed));
        }
    }
    Ok(())
}

/// Writes out what the kernel still holds for the file system of `file` alone: syncfs(2), which came with 2.6.39.
///
/// # Errors
/// `ENOSYS` on older kernels; what the system said.
pub fn sync_file_system(file: &File) -> io::Result<()> {
    // SAFETY: no memory is handed over. Called by number: glibc has it since 2.14, and CentOS 6 has 2.12.
    Errno::result(unsafe { libc::syscall(libc::SYS_syncfs, file.as_raw_fd()) })?;
    Ok(())
}

/// Writes out the dirty pages of the block device behind `file` and waits for them. Unlike fsync(2) it asks the device
/// for no flush, so nothing at all is sent where nothing is dirty.
///
/// # Errors
/// What the system said.
pub fn write_out(file: &File) -> io::Result<()> {
    let how =
        libc::SYNC_FILE_RANGE_WAIT_BEFORE | libc::SYNC_FILE_RANGE_WRITE | libc::SYNC_FILE_RANGE_WAIT_AFTER;
    // SAFETY: no memory is handed over.
    Errno::result(unsafe { libc::sync_file_range(file.as_raw_fd(), 0, 0, how) })?;
    Ok(())
}

/// A SCSI device's answer to one INQUIRY. The ioctl went through; whether the command succeeded is told by
/// the three status fields together (0 in all of them), as sg's documentation has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// SCSI status byte of the device: 0x00 GOOD, 0x02 CHECK CONDITION.
    pub status: u8,
    /// Status of the host adapter: `DID_…` of the kernel.
    pub host_status: u16,
    /// Status of the low-level driver: `DRIVER_…` of the kernel.
    pub driver_status: u16,
    /// Sense data, as much as came back.
    pub sense: Vec<u8>,
    /// The data, cut to what was transferred.
    pub data: Vec<u8>,
}

/// `struct sg_io_hdr` of scsi/sg.h, version 3 of the interface ('S'): the only one that 2.6.32's sd knows.
#[repr(C)]
struct SgIoHdr {
    interface_id: c_int,
    dxfer_direction: c_int,
    cmd_len: c_uchar,
    mx_sb_len: c_uchar,
    iovec_count: c_ushort,
    dxfer_len: c_uint,
    dxferp: *mut c_void,
    cmdp: *mut c_uchar,
    sbp: *mut c_uchar,
    timeout: c_uint,
    flags: c_uint,
    pack_id: c_int,
    usr_ptr: *mut c_void,
    status: c_uchar,
    masked_status: c_uchar,
    msg_status: c_uchar,
    sb_len_wr: c_uchar,
    host_status: c_ushort,
    driver_status: c_ushort,
    resid: c_int,
    duration: c_uint,
    info: c_uint,
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<SgIoHdr>() == 88, "the layout that the kernel's scsi/sg.h has on x86_64");

const SG_DXFER_FROM_DEV: c_int = -3;
const INQUIRY: u8 = 0x12;
const EVPD: u8 = 0x01;

mod raw {
    use super::SgIoHdr;
    use nix::libc::{c_int, c_long};

    nix::ioctl_readwrite_bad!(sg_io, 0x2285, SgIoHdr);
    // DM_TABLE_STATUS: its size is that of the header alone.
    nix::ioctl_readwrite_bad!(dm_table_status, nix::request_code_readwrite!(0xfd, 12, 312), super::DmIoctl);
    nix::ioctl_read!(blkgetsize64, 0x12, 114, u64);
    nix::ioctl_read_bad!(blkroget, nix::request_code_none!(0x12, 94), c_int);
    // FS_IOC_GETFLAGS: declared with a long, and written as an int since Linux 1.3.
    nix::ioctl_read!(fs_ioc_getflags, b'f', 1, c_long);
    nix::ioctl_read_bad!(blksszget, nix::request_code_none!(0x12, 104), c_int);
    // LOOP_GET_STATUS64.
    nix::ioctl_read_bad!(loop_status, 0x4c05, [u64; super::LOOP_INFO]);
}

/// `struct loop_info64` of linux/loop.h, in words of 8 bytes: the device number of the file's file system, its inode, its own
/// device number where it is a device; what follows is not looked at.
const LOOP_INFO: usize = 232 / 8;

/// `struct dm_ioctl` of linux/dm-ioctl.h, version 4 (2.6.32 and today), with room for the answer behind it.
#[repr(C)]
struct DmIoctl {
    version: [u32; 3],
    data_size: u32,
    data_start: u32,
    target_count: u32,
    open_count: i32,
    flags: u32,
    event_nr: u32,
    padding: u32,
    dev: u64,
    name_uuid: [u8; DM_HEADER as usize - 48],
    data: [u8; (DM_ROOM - DM_HEADER) as usize],
}

const DM_HEADER: u32 = 312;
const DM_ROOM: u32 = 16 << 10;
const _: () =
    assert!(size_of::<DmIoctl>() == DM_ROOM as usize, "the layout that the kernel's dm-ioctl.h has");
const DM_SUSPENDED: u32 = 1 << 1;
const DM_STATUS_TABLE: u32 = 1 << 4;
const DM_BUFFER_FULL: u32 = 1 << 8;
const DM_NOFLUSH: u32 = 1 << 11;

/// Where the device mapper is asked.
pub const DEVICE_MAPPER: &str = "/dev/mapper/control";

/// Asks the device mapper for the status of the device `dev`, a number as of makedev(3), through `control`
/// (/dev/mapper/control). It waits for no I/O.
///
/// # Errors
/// `ENXIO` where there is no such device-mapper device; `EACCES`; more than there is room for.
pub fn device_mapper_status(control: &File, dev: u64) -> io::Result<MapStatus> {
    asked(control, dev, DM_NOFLUSH)
}

/// Asks it likewise for the table of the device.
///
/// # Errors
/// As of the status.
pub fn device_mapper_table(control: &File, dev: u64) -> io::Result<MapStatus> {
    asked(control, dev, DM_NOFLUSH | DM_STATUS_TABLE)
}

fn asked(control: &File, dev: u64, flags: u32) -> io::Result<MapStatus> {
    let mut asked = Box::new(DmIoctl {
        version: [4, 0, 0],
        data_size: DM_ROOM,
        data_start: DM_HEADER,
        target_count: 0,
        open_count: 0,
        flags,
        event_nr: 0,
        padding: 0,
        dev,
        name_uuid: [0; DM_HEADER as usize - 48],
        data: [0; (DM_ROOM - DM_HEADER) as usize],
    });
    // SAFETY: the structure is as long as it says, is initialised, and outlives the call.
    unsafe { raw::dm_table_status(control.as_raw_fd(), &raw mut *asked) }?;
    if asked.flags & DM_BUFFER_FULL != 0 {
        return Err(io::Error::other("its status is longer than there is room for"));
    }
    // Where the answer begins is the kernel's to say.
    let start = asked.data_start.saturating_sub(DM_HEADER) as usize;
    Ok(MapStatus {
        suspended: asked.flags & DM_SUSPENDED != 0,
        targets: asked.target_count,
        bytes: asked.data.get(start..).unwrap_or_default().to_vec(),
    })
}

/// Sends INQUIRY to the SCSI device behind `file`: the vital product data page `page`, or the standard data
/// for `None`. At most `allocation` bytes come back; `timeout` is the kernel's, in whole milliseconds. A
/// descriptor open for reading is enough.
///
/// # Errors
/// What the ioctl says: `ENOTTY` for what is no SCSI disk (a partition, virtio), `EIO`, `EPERM`. A command
/// that the device refused is not an error here: see [`Reply`].
pub fn inquiry(file: &File, page: Option<u8>, allocation: u16, timeout: Duration) -> io::Result<Reply> {
    let [high, low] = allocation.to_be_bytes();
    let mut cdb = [INQUIRY, page.map_or(0, |_| EVPD), page.unwrap_or(0), high, low, 0];
    let mut data = vec![0; usize::from(allocation)];
    let mut sense = [0; 64];
    let mut header = SgIoHdr {
        interface_id: c_int::from(b'S'),
        dxfer_direction: SG_DXFER_FROM_DEV,
        cmd_len: 6,
        mx_sb_len: 64,
        iovec_count: 0,
        dxfer_len: c_uint::from(allocation),
        dxferp: data.as_mut_ptr().cast(),
        cmdp: cdb.as_mut_ptr(),
        sbp: sense.as_mut_ptr(),
        timeout: c_uint::try_from(timeout.as_millis()).unwrap_or(c_uint::MAX),
        flags: 0,
        pack_id: 0,
        usr_ptr: std::ptr::null_mut(),
        status: 0,
        masked_status: 0,
        msg_status: 0,
        sb_len_wr: 0,
        host_status: 0,
        driver_status: 0,
        resid: 0,
        duration: 0,
        info: 0,
    };
    // SAFETY: the header has the kernel's layout; its three pointers lead to buffers that live until the
    // call returns and whose lengths it names; SG_IO is synchronous and keeps none of them. What a device
    // driver that is not SCSI makes of the request is ENOTTY or EINVAL.
    unsafe { raw::sg_io(file.as_raw_fd(), &raw mut header) }?;
    // resid is the driver's word: some leave it 0, and nothing forbids a negative or too large one.
    let untransferred = usize::try_from(header.resid).unwrap_or(0);
    data.truncate(data.len().saturating_sub(untransferred));
    Ok(Reply {
        status: header.status,
        host_status: header.host_status,
        driver_status: header.driver_status,
        sense: sense[..usize::from(header.sb_len_wr).min(sense.len())].to_vec(),
        data,
    })
}

/// Size in bytes of the block device behind `file`.
///
/// # Errors
/// `ENOTTY` when it is no block device.
pub fn size_bytes(file: &File) -> io::Result<u64> {
    let mut size = 0;
    // SAFETY: BLKGETSIZE64 writes one u64, which `size` is.
    unsafe { raw::blkgetsize64(file.as_raw_fd(), &raw mut size) }?;
    Ok(size)
}

/// Whether the kernel holds the block device behind `file` for read-only.
///
/// # Errors
/// `ENOTTY` when it is no block device.
pub fn is_read_only(file: &File) -> io::Result<bool> {
    let mut flag = 0;
    // SAFETY: BLKROGET writes one int, which `flag` is.
    unsafe { raw::blkroget(file.as_raw_fd(), &raw mut flag) }?;
    Ok(flag != 0)
}

/// Logical sector size in bytes of the block device behind `file`.
///
/// # Errors
/// `ENOTTY` when it is no block device; `InvalidData` when the kernel answers with less than 1.
pub fn sector_bytes(file: &File) -> io::Result<u32> {
    let mut size = 0;
    // SAFETY: BLKSSZGET writes one int, which `size` is.
    unsafe { raw::blksszget(file.as_raw_fd(), &raw mut size) }?;
    u32::try_from(size)
        .ok()
        .filter(|size| *size > 0)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("sector size {size}")))
}

/// `major:minor` of the block device below the loop device behind `file`, or of the one on which the file below it lies.
///
/// # Errors
/// `ENOTTY` when it is no loop device, `ENXIO` when nothing is below it.
pub fn below_loop(file: &File) -> io::Result<String> {
    let mut info = [0_u64; LOOP_INFO];
    // SAFETY: LOOP_GET_STATUS64 writes one struct loop_info64, for which `info` has room.
    unsafe { raw::loop_status(file.as_raw_fd(), &raw mut info) }?;
    let number = if info[2] == 0 { info[0] } else { info[2] };
    Ok(format!("{}:{}", nix::sys::stat::major(number), nix::sys::stat::minor(number)))
}

/// The end of the kernel's log: lines, most with their level in front (`<3>`). By syslog(2), as /dev/kmsg tells nothing before 3.5;
/// nothing is taken out of the log, nor marked as read.
///
/// # Errors
/// `EPERM` where that is root's alone, and this is not root; `ENOSYS` of a kernel without a log.
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
///
/// # Errors
/// What the ioctl says, other than that it is not known.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_block_device_is_refused_by_the_kernel() {
        let file = tempfile::tempfile().unwrap();
        let errno = |error: io::Error| error.raw_os_error();
        assert_eq!(errno(size_bytes(&file).unwrap_err()), Some(libc::ENOTTY));
        assert_eq!(errno(is_read_only(&file).unwrap_err()), Some(libc::ENOTTY));
        assert_eq!(errno(sector_bytes(&file).unwrap_err()), Some(libc::ENOTTY));
        assert_eq!(errno(below_loop(&file).unwrap_err()), Some(libc::ENOTTY));
        let refused = inquiry(&file, Some(0x83), 254, Duration::from_secs(1)).unwrap_err();
        assert_eq!(errno(refused), Some(libc::ENOTTY));
    }
}
