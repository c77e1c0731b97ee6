//! Reading all disks: /sys first, then their SCSI IDs; those that only the disks themselves tell, from a process that can
//! be left behind, each disk on a thread of its own there.

use std::time::Duration;

use super::{Disk, sysfs};
use crate::facts::scsi::{KnownId, NoId};
use crate::facts::{Fact, scsi};
use crate::host::each::{apart_at_once, at_once};
use crate::host::{Host, Kind};

/// How long all disks together have to tell their SCSI IDs. One that hangs (a lost path, a dying adapter)
/// keeps its thread, and the others their answers.
const DEADLINE: Duration = Duration::from_secs(16);

/// Every whole disk, in the order in which people count them. `used_by` is left empty: see
/// [`super::fill_users`].
pub fn load(host: &Host) -> Fact<Vec<Disk>> {
    if host.kind() == Kind::Image {
        return Fact::NotApplicable("an image's tree has no disks".into());
    }
    Fact::from_result(read(host))
}

/// One block device by kernel name, a loop device for instance, as [`load`] reads disks.
pub fn describe(host: &Host, name: &str) -> Result<Disk, String> {
    let mut disk = sysfs::describe(host, name)?;
    identify(host, std::slice::from_mut(&mut disk), DEADLINE, scsi::identify);
    Ok(disk)
}

fn read(host: &Host) -> Result<Vec<Disk>, String> {
    let mut disks = Vec::new();
    for name in sysfs::disk_names(host)? {
        match sysfs::describe(host, &name) {
            Ok(disk) => disks.push(disk),
            // A disk that went away while it was read is none.
            Err(_) if !host.exists(format!("/sys/block/{name}")) => {}
            Err(error) => return Err(error),
        }
    }
    identify(host, &mut disks, DEADLINE, scsi::identify);
    Ok(disks)
}

type Ask = fn(&Host, &str) -> Result<KnownId, NoId>;

/// Fills in the SCSI IDs.
fn identify(host: &Host, disks: &mut [Disk], deadline: Duration, ask: Ask) {
    let mut silent = Vec::new();
    for disk in disks.iter_mut() {
        if !disk.is_scsi() {
            disk.scsi_id = Err(not_scsi(disk).into());
            continue;
        }
        match scsi::in_sysfs(host, &disk.name) {
            Some(answer) => disk.scsi_id = answer.map_err(NoId::from),
            None => silent.push(disk.name.clone()),
        }
    }
    if silent.is_empty() {
        return;
    }
    let asking = host.clone();
    // That it has none is an answer too.
    let ask = move |name: &str| Ok(ask(&asking, name));
    let answers = if host.is_live() {
        apart_at_once("asking the disks for their SCSI IDs", &silent, deadline, ask)
    } else {
        Ok(at_once(&silent, deadline, ask))
    };
    for disk in disks.iter_mut().filter(|disk| silent.contains(&disk.name)) {
        disk.scsi_id = match answers.as_ref().map(|answers| answers.get(&disk.name)) {
            Ok(Some(Ok(answer))) => answer.clone(),
            Ok(Some(Err(error))) => Err(error.clone().into()),
            Ok(None) => {
                let why = format!("it did not answer within {} s", deadline.as_secs());
                Err(NoId { why, silent: true })
            }
            Err(error) => Err(error.to_string().into()),
        };
    }
}

fn not_scsi(disk: &Disk) -> String {
    let driver = disk.controller.as_ref().and_then(|controller| controller.driver.as_deref());
    match driver {
        Some(driver) => format!("it is not a SCSI disk (driver {driver})"),
        None => "it is not a SCSI disk".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(name: &str) -> Disk {
        Disk { name: name.into(), hctl: Some("0:0:0:0".into()), ..Disk::default() }
    }

    #[test]
    fn a_disk_that_hangs_costs_only_its_own_id() {
        let ask: Ask = |_, name| {
            if name == "sdb" {
                std::thread::sleep(Duration::from_secs(300));
            }
            Ok(format!("3{name}").as_str().into())
        };
        let mut disks = [disk("sda"), disk("sdb"), disk("sdc")];
        let started = std::time::Instant::now();
        identify(&Host::live(), &mut disks, Duration::from_secs(5), ask);
        assert!(started.elapsed() < Duration::from_secs(150));
        assert!(disks[0].has_id("3sda") && disks[2].has_id("3sdc"));
        assert_eq!(disks[1].scsi_id, Err(NoId { why: "it did not answer within 5 s".into(), silent: true }));
    }
}
