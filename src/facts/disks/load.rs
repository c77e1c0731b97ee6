//! Reading all disks: /sys first, then their SCSI IDs; those that only the disks themselves tell, from a process that can
//! be left behind, each disk on a thread of its own there.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::{Disk, order, sysfs};
use crate::facts::{Fact, scsi};
use crate::host::apart::apart;
use crate::host::{Host, Kind};

/// How long all disks together have to tell their SCSI IDs. One that hangs (a lost path, a dying adapter)
/// keeps its thread, and the others their answers.
const DEADLINE: Duration = Duration::from_secs(16);

/// How much longer the process that asks them has, to tell.
const MARGIN: Duration = Duration::from_secs(2);

/// Every whole disk, in the order in which people count them. `used_by` is left empty: see
/// [`super::fill_users`].
#[must_use]
pub fn load(host: &Host) -> Fact<Vec<Disk>> {
    if host.kind() == Kind::Image {
        return Fact::NotApplicable("an image's tree has no disks".into());
    }
    Fact::from_result(read(host))
}

/// One block device by kernel name, a loop device for instance, as [`load`] reads disks.
///
/// # Errors
/// What could not be read.
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
    disks.sort_by(|a, b| order(&a.name).cmp(&order(&b.name)));
    identify(host, &mut disks, DEADLINE, scsi::identify);
    Ok(disks)
}

type Ask = fn(&Host, &str) -> Result<scsi::ScsiId, String>;

/// Fills in the SCSI IDs.
fn identify(host: &Host, disks: &mut [Disk], deadline: Duration, ask: Ask) {
    let mut silent = Vec::new();
    for disk in disks.iter_mut() {
        if !disk.is_scsi() {
            disk.scsi_id_error = Some(not_scsi(disk));
            continue;
        }
        match scsi::in_sysfs(host, &disk.name) {
            Some(answer) => tell(disk, answer),
            None => silent.push(disk.name.clone()),
        }
    }
    if silent.is_empty() {
        return;
    }
    let answers = if host.is_live() {
        // One copy for all: its threads can hang, and it tells what the others said.
        apart("asking the disks for their SCSI IDs", deadline + MARGIN, &[], || {
            ask_all(host, &silent, deadline, ask)
        })
    } else {
        Ok(ask_all(host, &silent, deadline, ask))
    };
    for disk in disks.iter_mut().filter(|disk| silent.contains(&disk.name)) {
        match &answers {
            Ok(answers) => match answers.get(&disk.name) {
                Some(answer) => tell(disk, answer.clone()),
                None => {
                    disk.scsi_id_error = Some(format!("it did not answer within {} s", deadline.as_secs()));
                }
            },
            Err(error) => disk.scsi_id_error = Some(error.to_string()),
        }
    }
}

fn tell(disk: &mut Disk, answer: Result<scsi::ScsiId, String>) {
    match answer {
        Ok(id) => {
            disk.scsi_id = Some(id.text);
            disk.scsi_id_source = Some(id.source);
            disk.scsi_id_error = None;
        }
        Err(error) => disk.scsi_id_error = Some(error),
    }
}

type Answers = BTreeMap<String, Result<scsi::ScsiId, String>>;

/// What the disks answered in time.
fn ask_all(host: &Host, names: &[String], deadline: Duration, ask: Ask) -> Answers {
    let until = Instant::now() + deadline;
    let (sender, came) = mpsc::channel();
    let mut answers = Answers::new();
    for name in names {
        let (host, asked, sender) = (host.clone(), name.clone(), sender.clone());
        let asking = thread::Builder::new().spawn(move || {
            let answer = ask(&host, &asked);
            sender.send((asked, answer))
        });
        if let Err(error) = asking {
            answers.insert(name.clone(), Err(format!("starting a thread to ask it: {error}")));
        }
    }
    drop(sender);
    while let Ok((name, answer)) = came.recv_timeout(until.saturating_duration_since(Instant::now())) {
        answers.insert(name, answer);
    }
    answers
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
                thread::sleep(Duration::from_secs(300));
            }
            Ok(scsi::ScsiId { text: format!("3{name}"), source: "SG_IO 0x83 NAA 6".into() })
        };
        let mut disks = [disk("sda"), disk("sdb"), disk("sdc")];
        let started = Instant::now();
        identify(&Host::live(), &mut disks, Duration::from_secs(5), ask);
        assert!(started.elapsed() < Duration::from_secs(150));
        assert_eq!(disks[0].scsi_id.as_deref(), Some("3sda"));
        assert_eq!(disks[2].scsi_id.as_deref(), Some("3sdc"));
        assert_eq!(disks[1].scsi_id, None);
        assert_eq!(disks[1].scsi_id_error.as_deref(), Some("it did not answer within 5 s"));
    }
}
