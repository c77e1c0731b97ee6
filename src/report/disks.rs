//! `disks`: every disk with its address, controller, SCSI ID, size and users; with `--probe` also whether it
//! could become the retention volume.

use serde::Serialize;
use serde_json::Value;

use super::style::{Page, Paint, Style, cut};
use crate::facts::blank::Probe;
use crate::facts::blank::examine::READ_WHOLE;
use crate::facts::disks::{Controller, ControllerKind, Disk, Map};
use crate::host::ScsiId;
use crate::host::text::bytes;

/// The document of `disks`.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    schema: &'static str,
    disks: Vec<Row<'a>>,
}

/// One disk of the document.
#[derive(Debug, Serialize)]
struct Row<'a> {
    name: &'a str,
    path: &'a str,
    hctl: Option<&'a str>,
    controller: Option<&'a Controller>,
    vendor: Option<&'a str>,
    model: Option<&'a str>,
    size_bytes: u64,
    read_only: bool,
    scsi_id: Option<&'a ScsiId>,
    scsi_id_source: Option<&'a str>,
    scsi_id_error: Option<&'a str>,
    multipath: Option<&'a Map>,
    used_by: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    probe: Option<Verdict<'a>>,
}

/// The outcome of a probe, without the disk's name, which stands in the row.
#[derive(Debug, Serialize)]
struct Verdict<'a> {
    blank: Option<Value>,
    found: &'a [String],
    in_use: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    written: Option<bool>,
    eligible: bool,
    why_not: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
}

/// Whether a disk is blank: "sampled" where the places that were read are zeros, and others were not read.
fn blank(disk: &Disk, probe: &Probe) -> Option<Value> {
    match probe.blank {
        Some(true) if is_sampled(disk) => Some("sampled".into()),
        blank => blank.map(Value::from),
    }
}

fn is_sampled(disk: &Disk) -> bool {
    disk.size_bytes > READ_WHOLE
}

/// The document on `disks` and the probes that were made.
pub fn document<'a>(disks: &'a [Disk], probes: &'a [Probe]) -> Document<'a> {
    let row = |disk: &'a Disk| Row {
        name: &disk.name,
        path: &disk.path,
        hctl: disk.hctl.as_deref(),
        controller: disk.controller.as_ref(),
        vendor: disk.vendor.as_deref(),
        model: disk.model.as_deref(),
        size_bytes: disk.size_bytes,
        read_only: disk.read_only,
        scsi_id: disk.id(),
        scsi_id_source: disk.scsi_id.as_ref().ok().and_then(|known| known.source.as_deref()),
        scsi_id_error: disk.scsi_id.as_ref().err().map(|no_id| no_id.why.as_str()),
        multipath: disk.multipath.as_ref(),
        used_by: &disk.used_by,
        probe: probe_of(disk, probes).map(|probe| Verdict {
            blank: blank(disk, probe),
            found: &probe.found,
            in_use: &probe.in_use,
            written: probe.written,
            eligible: probe.eligible,
            why_not: &probe.why_not,
            note: probe.note.as_deref(),
        }),
    };
    Document { schema: "mt-agent/disks/v1", disks: disks.iter().map(row).collect() }
}

fn probe_of<'a>(disk: &Disk, probes: &'a [Probe]) -> Option<&'a Probe> {
    probes.iter().find(|probe| probe.disk == disk.name)
}

/// Columns before the last one, which takes what is left of the line.
const HCTL: usize = 10;
const CONTROLLER: usize = 12;
const SIZE: usize = 11;
/// What lies under a disk begins here.
const INDENT: usize = 10;

/// The table.
pub fn render(disks: &[Disk], probes: &[Probe], style: Style) -> String {
    let mut page = Page::new(style);
    let name = disks.iter().map(|disk| disk.name.chars().count()).max().unwrap_or(0).clamp(5, INDENT - 1) + 1;
    let columns = |name_text: &str, hctl: &str, controller: &str, size: &str| {
        format!("{name_text:name$}{hctl:HCTL$}{controller:CONTROLLER$}{size:>SIZE$}  ")
    };
    page.put(Paint::Bold, &columns("NAME", "HCTL", "CONTROLLER", "SIZE"))
        .put(Paint::Bold, "SCSI ID / USED BY")
        .end();
    for disk in disks {
        let head = columns(
            &cut(&disk.name, name - 1),
            &cut(disk.hctl.as_deref().unwrap_or("-"), HCTL - 1),
            &cut(&disk.controller.as_ref().map_or_else(|| "-".into(), controller), CONTROLLER - 1),
            &bytes(disk.size_bytes),
        );
        let start = head.chars().count();
        page.put(Paint::Plain, &head);
        match &disk.scsi_id {
            Ok(known) => page.hang(start, &known.id),
            Err(no_id) => page.hang(start, &format!("no ID: {}", no_id.why)),
        };
        let mut users = disk.used_by.clone();
        if let Some(map) = &disk.multipath {
            // On a master target the map is called like the ID: said once, it is easier to read.
            let own_name = !disk.has_id(&map.dm_name);
            users.insert(
                0,
                if own_name { format!("multipath map {}", map.dm_name) } else { "multipath map".into() },
            );
        }
        if disk.read_only {
            users.push("read-only".into());
        }
        if !users.is_empty() {
            page.put(Paint::Plain, &" ".repeat(start)).hang(start, &users.join(", "));
        }
        if let Some(probe) = probe_of(disk, probes) {
            verdict(&mut page, disk, probe);
        }
    }
    page.finish()
}

fn verdict(page: &mut Page, disk: &Disk, probe: &Probe) {
    let indent = " ".repeat(INDENT - 4);
    if probe.eligible {
        page.wrapped(
            &indent,
            Paint::Good,
            "eligible: ",
            if is_sampled(disk) {
                "unused, and blank in both ends and in 1,024 samples between: it can become the retention volume"
            } else {
                "blank and unused, it can become the retention volume"
            },
        );
        if let Some(note) = &probe.note {
            page.wrapped(&indent, Paint::Warn, "note: ", note);
        }
        if probe.written == Some(true) {
            page.wrapped(
                &indent,
                Paint::Warn,
                "written to: ",
                "something was written to it since this boot, so it is taken only where it is named",
            );
        }
    } else {
        page.wrapped(&indent, Paint::Warn, "not eligible: ", &probe.why_not.join("; "));
    }
    let why_not = probe.why_not.join("; ");
    for (label, list) in [("found: ", &probe.found), ("in use: ", &probe.in_use)] {
        let more: Vec<_> = list.iter().map(String::as_str).filter(|item| !why_not.contains(item)).collect();
        if !more.is_empty() {
            page.wrapped(&indent, Paint::Dim, label, &more.join("; "));
        }
    }
}

/// A controller in one word.
fn controller(controller: &Controller) -> String {
    let kind = match controller.kind {
        ControllerKind::LsiLogicParallel => "LSI Logic",
        ControllerKind::LsiLogicSas => "LSI SAS",
        ControllerKind::ParavirtualScsi => "PVSCSI",
        ControllerKind::BusLogic => "BusLogic",
        ControllerKind::Ahci => "AHCI",
        ControllerKind::Nvme => "NVMe",
        ControllerKind::Ide => "IDE",
        ControllerKind::Virtio => "virtio",
        ControllerKind::Other => return controller.driver.clone().unwrap_or_else(|| "other".into()),
    };
    kind.to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::style::WIDTH;
    use super::*;

    fn disk(number: usize) -> Disk {
        Disk {
            name: format!("sd{}", char::from(b'a' + u8::try_from(number % 26).unwrap())),
            path: "/dev/sda".into(),
            hctl: Some(format!("{}:0:{}:0", number / 15, number % 15)),
            controller: Some(Controller {
                kind: ControllerKind::LsiLogicSas,
                driver: Some("mptsas".into()),
                pci: Some("1000:0054".into()),
            }),
            size_bytes: 1 << 40,
            scsi_id: Ok("36000c2982b5df41a25811b07e74971e8".into()),
            used_by: vec!["/ (sda1)".into(), "swap (sda5)".into()],
            ..Disk::default()
        }
    }

    #[test]
    fn sixty_disks_fit_the_console_and_no_id_is_cut() {
        let mut disks: Vec<_> = (0..60).map(disk).collect();
        disks[7].scsi_id = Err("page 0x83 is not among the supported pages (is EnableUUID off?)".into());
        disks[8].name = "\x1b]0;evil\x07".into();
        let text = render(&disks, &[], Style::default());
        assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
        assert_eq!(text.matches("36000c2982b5df41a25811b07e74971e8").count(), 59);
        assert!(text.contains("no ID: page 0x83 is not among the\n"), "{text}");
        assert!(!text.contains('\x1b') && !text.contains('\x07'), "{text}");
        assert!(
            text.starts_with(
                "NAME      HCTL      CONTROLLER         SIZE  SCSI ID / USED BY\n\
                 sda       0:0:0:0   LSI SAS           1 TiB  36000c2982b5df41a25811b07e74971e8\n\
                 \x20                                            / (sda1), swap (sda5)\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn a_probe_says_what_it_found_under_its_disk() {
        let probe = Probe {
            disk: "sda".into(),
            blank: Some(false),
            found: vec!["ext4 file system (libblkid)".into()],
            in_use: vec!["mounted at / (sda1)".into()],
            eligible: false,
            why_not: vec!["not blank".into(), "in use".into()],
            ..Probe::default()
        };
        let text = render(&[disk(0)], std::slice::from_ref(&probe), Style::default());
        assert!(
            text.contains(
                "      not eligible: not blank; in use\n      found: ext4 file system (libblkid)\n"
            ),
            "{text}"
        );
        let value = serde_json::to_value(document(&[disk(0)], &[probe])).unwrap();
        assert_eq!(value["disks"][0]["probe"]["in_use"][0], "mounted at / (sda1)");
        assert_eq!(value["disks"][0]["controller"]["kind"], "lsi-logic-sas");
        let blank = Probe { disk: "sda".into(), blank: Some(true), eligible: true, ..Probe::default() };
        let small = Disk { size_bytes: READ_WHOLE, ..disk(0) };
        for (disk, word, words) in [
            (disk(0), "sampled".into(), "unused, and blank in both ends and in 1,024 samples between"),
            (small, Value::from(true), "eligible: blank and unused"),
        ] {
            let value =
                serde_json::to_value(document(std::slice::from_ref(&disk), std::slice::from_ref(&blank)));
            assert_eq!(value.unwrap()["disks"][0]["probe"]["blank"], word);
            assert!(render(&[disk], std::slice::from_ref(&blank), Style::default()).contains(words));
        }
        let without = serde_json::to_value(document(&[disk(0)], &[])).unwrap();
        assert!(without["disks"][0].get("probe").is_none());
    }
}
