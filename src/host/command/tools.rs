//! Where the tools of a host are found.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::host::Host;

/// Where system tools live, on CentOS 6 and on merged-/usr systems alike. The caller's PATH is not asked:
/// a root program runs no tool from a directory that somebody else chose.
pub(super) const DIRECTORIES: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Whether `tool` can be found in the system's directories of `host`.
pub fn available(host: &Host, tool: &str) -> bool {
    find(host, tool).is_some()
}

pub(super) fn find(host: &Host, tool: &str) -> Option<PathBuf> {
    if tool.starts_with('/') {
        return Some(PathBuf::from(tool));
    }
    DIRECTORIES.iter().map(|dir| host.path(dir).join(tool)).find(|path| {
        path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    })
}
