//! What identifies the machine that was read.

use super::Facts;
use crate::state::identity::{Kind, Present};

/// What identifies the machine that `facts` were read from, as far as it is known. `root` is the kernel name of the disk
/// that carries `/`. An interface counts when it is a card: bridges and tunnels draw their addresses.
pub fn present(facts: &Facts, root: Option<&str>) -> Vec<Present> {
    let mut all = Vec::new();
    let mut add = |kind, place: &str, value: &str| {
        all.push(Present { kind, place: place.to_owned(), value: value.to_ascii_lowercase() });
    };
    if let Some(uuid) = facts.dmi.known().and_then(|dmi| dmi.uuid.known()?.as_ref()) {
        add(Kind::BiosUuid, "", uuid);
    }
    for disk in facts.disks.known().into_iter().flatten() {
        let kind = if root == Some(disk.name.as_str()) { Kind::RootDisk } else { Kind::Disk };
        if let Some(id) = disk.id() {
            add(kind, &disk.name, id);
        }
    }
    for nic in facts.network.nics.known().into_iter().flatten() {
        if let (true, Some(mac)) = (nic.physical, &nic.mac) {
            add(Kind::Mac, &nic.name, mac);
        }
    }
    for key in facts.identity.ssh_host_keys.known().into_iter().flatten() {
        add(Kind::SshHostKey, &key.file, &key.sha256);
    }
    all
}
