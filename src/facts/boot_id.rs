//! The kernel's random id of this boot; two boots never share one.

use anyhow::{Context as _, Result};

use super::{Fact, read};
use crate::host::{Host, Kind};

pub const PATH: &str = "/proc/sys/kernel/random/boot_id";

pub(super) fn load(host: &Host) -> Fact<String> {
    if host.kind() == Kind::Image {
        return Fact::needs_kernel();
    }
    let id = read::attribute(host, PATH).and_then(|id| id.with_context(|| format!("{PATH} is empty")));
    Fact::from_result(id)
}

pub fn read(host: &Host) -> Result<String> {
    let id = host.read(PATH).with_context(|| format!("reading the boot id {PATH}"))?;
    Ok(id.trim().to_owned())
}
