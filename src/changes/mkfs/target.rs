//! The disk that becomes the retention volume.

/// What to format, as planned.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// SCSI ID of the disk.
    pub scsi_id: &'a str,
    /// The device to write to: its multipath map where it has one.
    pub device: &'a str,
    /// `ext4` or `xfs`.
    pub fs_type: &'a str,
    /// The UUID to give it, in lower case.
    pub uuid: &'a str,
    /// Size in bytes, as planned.
    pub size_bytes: u64,
    /// Whether "not blank" is lifted for it.
    pub erase: bool,
    /// For what alone that is lifted: the fingerprint of the disk when a person said so.
    pub fingerprint: Option<&'a str>,
}
