//! What stays in the image, and what a person has to know of it.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result};

use super::table::{Act, Row, TABLE};
use super::{Item, Template, code, places};
use crate::changes::scrub;
use crate::facts::Fact;
use crate::facts::fstab::Entry;
use crate::facts::network::{self, NicConfiguration};
use crate::host::text;
use crate::platform::template::RED_HAT;

/// How many places are shown of one row.
const SHOWN: usize = 6;

/// What stays of the list, as it is there: what is kept, with the reason, and what is left to a person. `work` is what the
/// steps do.
pub fn stays(template: &Template<'_>, work: &[(&str, Vec<Item>)]) -> Result<(Vec<String>, Vec<String>)> {
    let gone: BTreeSet<&str> = work.iter().flat_map(|(_, items)| items).map(Item::path).collect();
    let (mut kept, mut left) = (Vec::new(), Vec::new());
    for row in TABLE {
        let (places, lines) = match row.act {
            Act::Keep => (places::files(template, row.places)?, &mut kept),
            Act::Leave => (places::expand(template, row.places)?, &mut left),
            Act::LeavePrivateKeys => (private_keys(template, row.places)?, &mut left),
            Act::Clear if row.only_tree => (in_use(template, row)?, &mut left),
            _ => continue,
        };
        let places: Vec<_> = places.iter().filter(|place| !gone.contains(place.as_str())).collect();
        if places.is_empty() {
            continue;
        }
        let mut line: String =
            places.iter().take(SHOWN).map(|place| text::safe(place)).collect::<Vec<_>>().join(", ");
        if places.len() > SHOWN {
            line += &format!(" and {} more", places.len() - SHOWN);
        }
        lines.push(format!("{line} ({})", row.why));
    }
    for (link, target) in links(template, work, &gone)? {
        left.push(format!("{} (what {} leads to stays)", text::safe(&target), text::safe(&link)));
    }
    Ok((kept, left))
}

/// Links that are removed, those below /var/log, and `~/.ssh` where that is one, with where they lead, where something is there that no step takes out.
fn links(
    template: &Template<'_>,
    work: &[(&str, Vec<Item>)],
    gone: &BTreeSet<&str>,
) -> Result<Vec<(String, String)>> {
    let removed = work.iter().flat_map(|(_, items)| items).filter(|item| matches!(item, Item::Remove { .. }));
    let mut links: BTreeSet<String> = removed.map(|item| item.path().to_owned()).collect();
    code::walk(template, code::LOG_DIRECTORY, scrub::DEPTH, &mut |path| {
        links.insert(path.to_owned());
    })?;
    links.extend(places::expand(template, &["~/.ssh"])?);
    let mut found = Vec::new();
    for link in links {
        let is_link = template.host.place(&link).is_ok_and(|place| place.is_symlink());
        let Some(target) = template.host.resolve(&link).ok().filter(|_| is_link) else { continue };
        let below = Path::new("/").join(target.strip_prefix(template.host.root()).unwrap_or(&target));
        let name = below.to_string_lossy().into_owned();
        let is_there =
            target.metadata().is_ok_and(|meta| meta.is_dir() || (meta.is_file() && meta.len() > 0));
        if is_there && !below.starts_with(code::LOG_DIRECTORY) && !gone.contains(name.as_str()) {
            found.push((link, name));
        }
    }
    Ok(found)
}

/// Of a running template, the directories that only a tree has cleared.
fn in_use(template: &Template<'_>, row: &Row) -> Result<Vec<String>> {
    let mut found = Vec::new();
    if template.host.is_live() {
        for path in places::expand(template, row.places)? {
            if places::count_below(template, &path)? > 0 {
                found.push(path);
            }
        }
    }
    Ok(found)
}

/// The files below the directories that hold a private key.
fn private_keys(template: &Template<'_>, directories: &[&str]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for directory in places::expand(template, directories)? {
        let top = template.host.resolve(&directory).with_context(|| format!("looking for {directory}"))?;
        for file in scrub::below(&top)?.files {
            // What a link leads to is looked at where it lies.
            if file.symlink_metadata().is_ok_and(|meta| meta.is_file()) && places::holds_private_key(&file)? {
                let below = file.strip_prefix(&top).unwrap_or(&file);
                found.push(format!("{directory}/{}", below.display()));
            }
        }
    }
    Ok(found)
}

/// What stays in the image and is not for every clone, beyond the list.
pub fn notes(template: &Template<'_>) -> Vec<String> {
    let mut notes = addresses(template);
    notes.extend(template.absent().into_iter().map(|entry| {
        format!(
            "nothing is mounted at {} ({}), which /etc/fstab lets be absent: it is not looked into; where it is the image's, \
             mount it first",
            text::safe(&entry.mount_point),
            text::safe(&entry.device)
        )
    }));
    notes.extend(not_bound(template).map(|entry| {
        format!(
            "{} is not bound to {}, as /etc/fstab binds it (mount --bind): what it holds is not looked for there",
            text::safe(&entry.device),
            text::safe(&entry.mount_point)
        )
    }));
    let entries = template.facts.fstab.known().into_iter().flatten();
    notes.extend(entries.filter(|entry| entry.options.iter().any(|option| option == "data=journal")).map(|entry| {
        format!(
            "{} is mounted with data=journal: its journal holds what was taken out until --wipe-free-space fills free space",
            text::safe(&entry.mount_point)
        )
    }));
    if let Some(disk) = &template.profile.retention.disk {
        notes.push(format!(
            "the profile names the retention disk {}: a clone formats that one and no other, or waits",
            text::safe(disk)
        ));
    }
    notes
}

/// The directories that fstab binds to another place, where they are not: logs may lie in one.
fn not_bound<'a>(template: &'a Template<'_>) -> impl Iterator<Item = &'a Entry> {
    let entries = template.facts.fstab.known().into_iter().flatten();
    let id = |path: &str| {
        let meta = template.host.resolve(path).ok()?.metadata().ok()?;
        meta.is_dir().then_some((meta.dev(), meta.ino()))
    };
    entries.filter(move |entry| {
        entry.options.iter().any(|option| option == "bind" || option == "rbind")
            && id(&entry.device).is_some_and(|source| id(&entry.mount_point) != Some(source))
    })
}

/// The addresses that the interfaces keep: one that cannot be determined is shown as such, and hides no other.
fn addresses(template: &Template<'_>) -> Vec<String> {
    let cannot = |what: &str, why: &str| {
        format!(
            "which address {what} keeps cannot be determined ({why}): a clone may come up with the template's"
        )
    };
    let keeps = |file: &str, address: &str| {
        format!("{file} keeps the address {address}: each clone comes up with it until it is customised")
    };
    let mut notes = Vec::new();
    let files = match places::files(template, &RED_HAT.interfaces[..1]) {
        Ok(files) => files,
        Err(why) => return vec![cannot("an interface", &format!("{why:#}"))],
    };
    for file in files.iter().filter(|file| !file.ends_with("/ifcfg-lo")) {
        match places::bytes(template, file) {
            Ok(Some(text)) => {
                notes.extend(match network::address_in_ifcfg(file, &String::from_utf8_lossy(&text)) {
                    Ok(address) => address.map(|address| keeps(file, &text::safe(&address))),
                    Err(why) => Some(cannot(file, &format!("{why:#}"))),
                });
            }
            Ok(None) => notes.push(cannot(file, "it is not a file")),
            Err(why) => notes.push(cannot(file, &format!("{why:#}"))),
        }
    }
    match &template.facts.network.nics {
        Fact::Known(nics) => notes.extend(nics.iter().filter_map(|nic| match &nic.configuration {
            Fact::Known(Some(NicConfiguration { file, address: Some(address), .. }))
                if !files.contains(file) =>
            {
                Some(keeps(file, address))
            }
            Fact::Unknown(why) => Some(cannot(&nic.name, why)),
            _ => None,
        })),
        Fact::Unknown(why) => notes.push(cannot("another interface", why)),
        Fact::NotApplicable(_) => {}
    }
    notes
}
