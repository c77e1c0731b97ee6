//! The status and the tables of device-mapper devices.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use crate::host::map_status::MapStatus;

mod raw {
    // DM_TABLE_STATUS: its size is that of the header alone.
    nix::ioctl_readwrite_bad!(dm_table_status, nix::request_code_readwrite!(0xfd, 12, 312), super::DmIoctl);
}

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
/// Errors: `ENXIO` where there is no such device-mapper device; `EACCES`; more than there is room for.
pub fn device_mapper_status(control: &File, dev: u64) -> io::Result<MapStatus> {
    asked(control, dev, DM_NOFLUSH)
}

/// Asks it likewise for the table of the device.
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
