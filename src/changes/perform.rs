//! Which code performs which change.

use super::identity::Hardware;
use super::{
    Change, Context, Done, collection, custom_changes, device_nodes, fstab, grow, mkfs, mount, multipath,
    packages, records, unmount,
};

impl Change {
    /// Performs it. Checks first whether the host is so already.
    /// Errors: What failed, naming the object. The host is then as it was, or as the change's own file says.
    pub fn perform(&self, context: &mut Context<'_>) -> anyhow::Result<Done> {
        match self {
            Self::InstallPackages { packages, from: None, .. } => packages::install(context, packages),
            Self::InstallPackages { packages, from: Some(from), manifest_sha256, .. } => {
                collection::install(context, from, manifest_sha256.as_deref(), packages)
            }
            Self::Collect(order) => collection::collect(context, order),
            Self::InstallFiles { files } => packages::install_files(context, files),
            Self::MakeDeviceNodes { nodes } => device_nodes::make(context, Some(nodes)),
            Self::RunCustomChanges { archive, rerun, archive_sha256 } => {
                custom_changes::run(context, archive, *rerun, archive_sha256.as_deref())
            }
            Self::RecordCustomChanges { accepted } => custom_changes::record(context, *accepted),
            Self::SetRecordsAside => records::set_aside(context),
            Self::RecordOwnDisks { scsi_ids } => records::own_disks(context.host, scsi_ids),
            Self::BlacklistRootDisk { scsi_id, replaces } => {
                multipath::blacklist_root_disk(context, scsi_id, replaces.as_deref())
            }
            Self::ConfigureMultipath { off, unhide } => multipath::configure::configure(context, off, unhide),
            Self::StartMultipathd { disks, reload } => multipath::start::start(context, disks, *reload),
            Self::FormatRetention(format) => mkfs::format(context, &Hardware, format),
            Self::WriteFstab { device, mount_point, fs_type, options, .. } => {
                fstab::write(context, &fstab::Entry { device, mount_point, fs_type, options })
            }
            Self::MountRetention { target, mount_point, mounted: _ } => {
                mount::mount_retention(context, &Hardware, target, mount_point)
            }
            Self::UnmountRetention { mount_point, major_minor, disk } => {
                unmount::unmount(context, mount_point, *major_minor, disk)
            }
            Self::RemoveFstab { mount_point, devices } => fstab::remove(context.host, mount_point, devices),
            Self::GrowRetention { target, mount_point } => {
                grow::grow(context, &Hardware, target, mount_point)
            }
        }
    }
}
