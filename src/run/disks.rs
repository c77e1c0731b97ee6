//! `disks`: every disk, and whether those that are probed could become the retention volume.

use anyhow::{Result, bail};

use crate::facts::blank::Probe;
use crate::facts::disks::Disk;
use crate::facts::gather::{self, Probing};
use crate::facts::{Fact, filesystems, retention};
use crate::host::{Host, ScsiId};

/// The disks of `host`, and what the probes that were asked for say.
/// Errors: The disks cannot be read, or one that was named is not there.
pub fn disks(host: &Host, probing: &Probing) -> Result<(Vec<Disk>, Vec<Probe>)> {
    let (disks, mut probes) = gather::disks_alone(host, probing);
    let disks = match disks {
        Fact::Known(disks) => disks,
        Fact::Unknown(why) | Fact::NotApplicable(why) => bail!("reading the disks: {why}"),
    };
    refuse_without_id(&disks, &mut probes);
    // A name that leads to no disk is no row of the table.
    if let Some(stray) = probes.iter().find(|probe| disks.iter().all(|disk| disk.name != probe.disk)) {
        bail!("--probe {}: {}", stray.disk, stray.why_not.join("; "));
    }
    note_carrier(host, &disks, &mut probes);
    Ok((disks, probes))
}

/// A disk that nothing tells from another is never formatted, however blank it is.
fn refuse_without_id(disks: &[Disk], probes: &mut [Probe]) {
    for probe in probes {
        if disks.iter().any(|disk| disk.name == probe.disk && disk.id().is_none()) {
            probe.eligible = false;
            probe
                .why_not
                .push("it has no SCSI ID that distinguishes it from other disks: see scsi.ids".into());
        }
    }
}

/// Where a disk carries a retention volume of ours already, no other one is needed.
fn note_carrier(host: &Host, disks: &[Disk], probes: &mut [Probe]) {
    if !probes.iter().any(|probe| probe.eligible) {
        return;
    }
    let probed: Vec<_> =
        probes.iter().filter_map(|probe| Some((probe.disk.as_str(), probe.volume.as_deref()?))).collect();
    let (record, links) = (retention::load(host), filesystems::load(host));
    let Some(carrier) = retention::carrier(disks, &record, &links, &probed) else { return };
    let id = carrier.id().map_or("", ScsiId::as_str);
    let note = format!("it is not needed: {} ({id}) carries the retention volume", carrier.name);
    for probe in probes.iter_mut().filter(|probe| probe.eligible) {
        probe.note = Some(note.clone());
    }
}
