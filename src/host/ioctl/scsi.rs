//! INQUIRY, by SG_IO.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::time::Duration;

use nix::libc::{c_int, c_uchar, c_uint, c_ushort, c_void};

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
    nix::ioctl_readwrite_bad!(sg_io, 0x2285, super::SgIoHdr);
}

/// Sends INQUIRY to the SCSI device behind `file`: the vital product data page `page`, or the standard data
/// for `None`. At most `allocation` bytes come back; `timeout` is the kernel's, in whole milliseconds. A
/// descriptor open for reading is enough.
/// Errors: What the ioctl says: `ENOTTY` for what is no SCSI disk (a partition, virtio), `EIO`, `EPERM`. A command
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
