//! The identity of the template, recorded before it is taken out: its clones must not have it.

use anyhow::{Context, Result, bail};

use super::{Item, Template};
use crate::facts::Fact;
use crate::state::identity::{Kind, Record, draw_salt};
use crate::state::paths::TEMPLATE;
use crate::steps::image::identifiers;

/// The record to write, when what is there does not say it all yet. What `apply` recorded on the template is taken over:
/// of a tree it is all that is known of the machine.
/// Errors: A record that is there cannot be read: then nobody knows what the template was.
fn sealed_identity(template: &Template<'_>, at: &str) -> Result<Option<Record>> {
    let identity = &template.facts.identity;
    let (own, image) = match (&identity.recorded, &identity.template) {
        (Fact::Unknown(why), _) | (_, Fact::Unknown(why)) => {
            bail!("{why}: look at it, and remove it if it is damaged")
        }
        (own, image) => (own.known().cloned().flatten(), image.known().cloned().flatten()),
    };
    let present = identifiers(template.facts);
    // The same machine sealed again keeps what was recorded before its keys were removed.
    let again = image.filter(|image| {
        let is_machine_s = |kind| matches!(kind, Kind::BiosUuid | Kind::RootDisk | Kind::Mac);
        let machine_s = || present.iter().filter(|one| is_machine_s(one.kind));
        // Of a tree nothing but new host keys may be known.
        machine_s().any(|one| image.has(one)) || (machine_s().next().is_none() && own.is_none())
    });
    let is_again = again.is_some();
    let mut record = match again.or(own) {
        Some(record) => record,
        None => Record::new(&draw_salt()?, at, &[]),
    };
    let is_more = record.extend(&present);
    at.clone_into(&mut record.recorded_at);
    Ok((is_more || !is_again).then_some(record))
}

/// The first thing that sealing does, where there is something to record.
/// Errors: A record that is there cannot be read.
pub fn template_record(template: &Template<'_>, at: &str) -> Result<Option<Item>> {
    let Some(record) = sealed_identity(template, at)? else { return Ok(None) };
    let mut content = serde_json::to_vec_pretty(&record).context("encoding the template's identity")?;
    content.push(b'\n');
    let kinds = [
        (Kind::BiosUuid, "BIOS UUID"),
        (Kind::RootDisk, "root disk"),
        (Kind::Disk, "other disks"),
        (Kind::Mac, "hardware addresses"),
        (Kind::SshHostKey, "SSH host keys"),
    ];
    let known: Vec<_> = kinds.iter().filter(|(kind, _)| record.knows(*kind)).map(|(_, name)| *name).collect();
    let known = if known.is_empty() { "nothing is known of it".to_owned() } else { known.join(", ") };
    let what = format!("record what identifies the template, hashed ({known})");
    Ok(Some(Item::Rewrite { path: TEMPLATE.to_owned(), what, content }))
}
