//! `mt-agent disks`.

use anyhow::{Result, bail};
use clap::builder::NonEmptyStringValueParser;

use super::exit;
use super::session::{Answer, Format, Session};
use crate::facts::blank::Probe;
use crate::facts::disks::Disk;
use crate::facts::gather::{self, Probing};
use crate::facts::{Fact, filesystems, retention};
use crate::host::ScsiId;
use crate::report::{disks, json};

/// List every disk: address, controller, size, SCSI ID, what uses it; changes nothing.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Read from the disks that nothing uses (or from these: kernel name, SCSI ID, by-id
    /// name or path) whether they could become the retention volume, and if not, why
    #[arg(long, value_name = "DEV", num_args = 0.., value_parser = NonEmptyStringValueParser::new())]
    pub probe: Option<Vec<String>>,
    /// How to report
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: Format,
}

impl Args {
    /// Lists them.
    ///
    /// # Errors
    /// The disks could not be told, or one that was named is not there.
    pub fn run(&self, session: &Session) -> Result<Answer> {
        let probing = match &self.probe {
            None => Probing::None,
            Some(names) if names.is_empty() => Probing::Idle,
            Some(names) => Probing::Named(names.clone()),
        };
        let (all, mut probes) = gather::disks_alone(&session.host, &probing);
        let all = match all {
            Fact::Known(all) => all,
            Fact::Unknown(why) | Fact::NotApplicable(why) => bail!("reading the disks: {why}"),
        };
        // A disk that cannot be told from another is never formatted, however blank it is.
        for probe in &mut probes {
            if all.iter().any(|disk| disk.name == probe.disk && disk.id().is_none()) {
                probe.eligible = false;
                probe
                    .why_not
                    .push("it has no SCSI ID by which it could be told from others: see scsi.ids".into());
            }
        }
        // A name that leads to no disk is no row of the table.
        if let Some(stray) = probes.iter().find(|probe| all.iter().all(|disk| disk.name != probe.disk)) {
            bail!("--probe {}: {}", stray.disk, stray.why_not.join("; "));
        }
        if probes.iter().any(|probe| probe.eligible)
            && let Some(carrier) = carrier(session, &all, &probes)
        {
            let id = carrier.id().map_or("", ScsiId::as_str);
            let note = format!("it is not needed: {} ({id}) carries the retention volume", carrier.name);
            for probe in probes.iter_mut().filter(|probe| probe.eligible) {
                probe.note = Some(note.clone());
            }
        }
        let text = match self.format {
            Format::Text => disks::render(&all, &probes, session.style),
            Format::Json => json::document(&disks::document(&all, &probes))?,
        };
        Ok(Answer::new(text, exit::READY))
    }
}

/// The disk that carries a retention volume of ours already.
fn carrier<'a>(session: &Session, all: &'a [Disk], probes: &[Probe]) -> Option<&'a Disk> {
    let probed: Vec<_> =
        probes.iter().filter_map(|probe| Some((probe.disk.as_str(), probe.volume.as_deref()?))).collect();
    let (record, links) = (retention::load(&session.host), filesystems::load(&session.host));
    retention::carrier(all, &record, &links, &probed)
}
