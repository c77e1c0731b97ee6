//! `installation:`: what can never be right, and the validated section.

use std::path::PathBuf;

use super::Check;
use crate::profile::model::{
    BootLoaderPlace, Finish, InstallSource, Installation, NetworkKind, PartitionSize,
};
use crate::profile::raw::{RawBootLoader, RawFinish, RawInstallation, RawNetworkKind};
use crate::profile::wrong::Wrong;

/// Looks for contradictions that no other section can resolve.
pub fn check(raw: &RawInstallation, check: &Check<'_>) -> Result<(), Wrong> {
    for (index, item) in raw.sizes.iter().enumerate() {
        let path = format!("installation.sizes[{index}].mount");
        let mount = &item.mount.0;
        if let Some(first) = raw.sizes[..index].iter().position(|other| other.mount.0 == *mount) {
            let first = check.named(&format!("installation.sizes[{first}].mount"));
            return Err(check.wrong(&path, format!("found `{mount}`, which is also {first}")));
        }
    }
    Ok(())
}

/// The validated section.
pub fn made(raw: &RawInstallation) -> Installation {
    Installation {
        language: raw.language.0.clone(),
        keyboard: raw.keyboard.0.clone(),
        source: match raw.source.0.as_str() {
            "cdrom" => InstallSource::Cdrom,
            address => InstallSource::Url(address.to_owned()),
        },
        disk: raw.disk.0.clone(),
        boot_loader: match raw.boot_loader {
            RawBootLoader::Mbr => BootLoaderPlace::Mbr,
            RawBootLoader::Partition => BootLoaderPlace::Partition,
        },
        sizes: raw
            .sizes
            .iter()
            .map(|item| PartitionSize { mount: item.mount.0.clone(), bytes: item.size.0 })
            .collect(),
        grow: raw.grow.as_ref().map(|mount| mount.0.clone()),
        swap_bytes: raw.swap.map(|size| size.0),
        network: match raw.network {
            RawNetworkKind::Static => NetworkKind::Static,
            RawNetworkKind::Dhcp => NetworkKind::Dhcp,
        },
        interface: raw.interface.0.clone(),
        hostname: raw.hostname.as_ref().map(|name| name.0.clone()),
        address: raw.address.as_ref().map(|address| address.0.clone()),
        // Always addresses: their type checked it.
        gateway: raw.gateway.as_ref().and_then(|address| address.0.parse().ok()),
        dns: raw.dns.iter().filter_map(|address| address.0.parse().ok()).collect(),
        ipv6: raw.ipv6,
        root_hash_file: raw.root_hash_file.as_ref().map(|path| PathBuf::from(&path.0)),
        agent: raw.agent.as_ref().map(|place| place.0.clone()),
        agent_sha256: raw.agent_sha256.as_ref().map(|sum| sum.0.to_lowercase()),
        finish: match raw.finish {
            RawFinish::Reboot => Finish::Reboot,
            RawFinish::Poweroff => Finish::Poweroff,
        },
    }
}
