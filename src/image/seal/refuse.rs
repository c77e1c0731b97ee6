//! When cloning would be unsafe, whatever is taken out.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use nix::libc;
use nix::sys::statvfs::{FsFlags, statvfs};

use super::{Item, Template, code, places};
use crate::changes::{fstab, scrub};
use crate::facts::Fact;
use crate::facts::custom_changes::Outcome;
use crate::facts::mounts::{self, Mount};
use crate::host::command::quoted;
use crate::host::{Host, files, ioctl, text};
use crate::platform::template::{COVERED, covered};
use crate::state::sealing::Chosen;
use crate::steps::devices::mount_at;

/// Where the service that resumes apply at the first boot is enabled when it is enabled: SysV, below these in a level's directory, or
/// systemd.
const SYSV_LINKS: [&str; 2] = ["/etc/rc.d", "/etc"];
const UNIT_LINKS: &str = "/etc/systemd/system/multi-user.target.wants";
const SERVICE: &str = "mt-agent-resume";

/// The steps whose files a search of the image must not find under another name.
const SECRETS: [&str; 6] =
    ["ssh-host-keys", "passphrases", "private-keys", "registrations", "account-backups", "installer"];

/// That the list covers this system: of another one, identities would stay in places that nobody looks at.
/// Errors: It does not, or which system it is cannot be determined.
pub fn check_covered(template: &Template<'_>) -> Result<()> {
    let host = template.host;
    let covers = format!("seal covers release {} of {}", COVERED.release, COVERED.names.join(", "));
    let os = &template.facts.os;
    let release = match &os.release {
        Fact::Known(release) => release,
        Fact::Unknown(why) | Fact::NotApplicable(why) => {
            bail!("which system {host} is cannot be determined ({why}): {covers}; nothing was changed")
        }
    };
    let number = release.split_once(" release ").map_or("", |(_, number)| number);
    let major = number.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    let is_covered = os.family.known().and_then(|family| covered(*family)).is_some_and(|covered| {
        covered.names.iter().any(|name| release.starts_with(name)) && major == covered.release
    });
    ensure!(
        is_covered,
        "{host} is {}: {covers}, and would leave what identifies a machine of another system; nothing was changed",
        text::safe(release)
    );
    Ok(())
}

/// Why this template is not sealed: one line each; none when it can be. `work` is what the chosen steps would do.
pub fn refusals(template: &Template<'_>, chosen: &Chosen, work: &[(&str, Vec<Item>)]) -> Vec<String> {
    let mut why = Vec::new();
    why.extend(system(template));
    why.extend(registered(template));
    why.extend(half_done(template));
    why.extend(mounted(template));
    why.extend(bound(template));
    why.extend(template.not_mounted().into_iter().map(|entry| {
        format!(
            "nothing is mounted at {} of {}, which its /etc/fstab mounts: what lies there would stay",
            text::safe(&entry.mount_point),
            template.host
        )
    }));
    if chosen.is_sealing() && !chosen.has("passphrases") {
        why.extend(passphrases(template));
    }
    for (step, items) in work {
        why.extend(items.iter().filter_map(|item| fixed(template, step, item)));
        if SECRETS.contains(step) {
            why.extend(items.iter().filter_map(|item| left_elsewhere(template, item)));
        }
    }
    if chosen.is_sealing() && chosen.has("first-boot") {
        why.extend(first_boot(template));
    }
    why
}

fn system(template: &Template<'_>) -> Option<String> {
    if !template.host.exists(fstab::PATH) {
        return Some(format!(
            "{} has no /etc/fstab: it is not the root of an installed system (mount all its file systems there)",
            template.host
        ));
    }
    match &template.facts.fstab {
        Fact::Unknown(why) => Some(format!("cannot determine which file systems are the image's: {why}")),
        _ => None,
    }
}

fn registered(template: &Template<'_>) -> Option<String> {
    match &template.facts.site_agent {
        Fact::Known(agent) if agent.is_installed() => Some(format!(
            "the master target software is installed ({}) and known to its configuration server by an id that every clone \
             would share: uninstall it, and install it on each clone",
            agent
                .configuration
                .as_deref()
                .or(agent.installation_dir.as_deref())
                .unwrap_or("/usr/local/.vx_version")
        )),
        Fact::Known(_) | Fact::NotApplicable(_) => None,
        Fact::Unknown(why) => {
            Some(format!("cannot determine whether the master target software is installed: {why}"))
        }
    }
}

fn half_done(template: &Template<'_>) -> Option<String> {
    match &template.facts.custom_changes.record {
        Fact::Known(Some(record))
            if record.outcome == Outcome::Started
                || record.outcome.is_open() && template.facts.custom_changes.marker_ctime_secs == Fact::Known(None) =>
        {
            Some(
                "a run of the vendor script was interrupted or failed, and what it did is unknown: decide with mt-agent \
                 apply --custom-changes=accept or =rerun first"
                    .to_owned(),
            )
        }
        Fact::Unknown(why) => Some(format!("cannot determine whether the vendor script ran: {why}")),
        _ => None,
    }
}

fn mounted(template: &Template<'_>) -> Option<String> {
    let point = &template.profile.retention.mount_point;
    match &template.facts.mounts {
        Fact::Known(mounts) => mount_at(mounts, point).map(|mount| {
            format!(
                "{} is mounted at {point}: a retention volume is never part of an image; umount {point}, and detach the \
                 disk before cloning",
                mount.source
            )
        }),
        Fact::NotApplicable(_) => None,
        Fact::Unknown(why) => Some(format!("cannot determine what is mounted at {point}: {why}")),
    }
}

/// What is bound into a tree that was unpacked or copied, from its own file system: it has the tree's device number, and may
/// be this machine's (a package cache, /tmp).
fn bound(template: &Template<'_>) -> Vec<String> {
    if template.is_mounted() {
        return Vec::new();
    }
    let read = Host::live().read("/proc/self/mountinfo").map_err(anyhow::Error::from);
    let mounts = match read.and_then(|text| mounts::parse(&text)) {
        Ok(mounts) => mounts,
        Err(why) => return vec![format!("what is mounted in the tree cannot be determined: {why:#}")],
    };
    let root = template.host.root();
    let root = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
    let below = |mount: &Mount| {
        let place = Path::new(&mount.mount_point).strip_prefix(&root).ok()?;
        (place != Path::new("")).then(|| format!("/{}", place.display()))
    };
    let refusal = |path: String| {
        let place = text::safe(&root.join(path.trim_start_matches('/')).to_string_lossy());
        format!(
            "{place} is bound there from elsewhere on the same file system (mount --bind), and what it holds may not be the \
             image's: unmount it first (umount {place})"
        )
    };
    mounts.iter().filter_map(below).filter(|path| template.has(path)).map(refusal).collect()
}

/// A passphrase in an image is one in the hands of everybody who gets a copy.
fn passphrases(template: &Template<'_>) -> Vec<String> {
    match code::passphrases(template) {
        Ok(found) => {
            let refusal = |item: &Item| {
                format!("{} holds the site's passphrase in plain text, and --skip leaves it", item.path())
            };
            found.iter().map(refusal).collect()
        }
        Err(why) => vec![format!("cannot determine whether a passphrase file is left: {why:#}")],
    }
}

/// Why the content of a file that is removed would stay: what is removed is a name, and the content has another one.
fn left_elsewhere(template: &Template<'_>, item: &Item) -> Option<String> {
    let path = item.path();
    let place = template.host.place(path).ok()?;
    if matches!(item, Item::Clear { .. }) {
        let below = scrub::below(&places::directory(template.host, path).ok()??).ok()?;
        let is_linked =
            |file: &&PathBuf| file.symlink_metadata().is_ok_and(|meta| meta.is_file() && meta.nlink() > 1);
        let linked = below.files.iter().find(is_linked)?;
        return Some(with_names(template, &linked.display().to_string(), linked));
    }
    let meta = place.symlink_metadata().ok()?;
    if meta.is_symlink() {
        let target = template.host.resolve(path).ok()?.metadata().ok()?;
        let to = place.read_link().ok()?;
        let to = text::safe(&to.to_string_lossy());
        if target.is_dir() {
            return Some(format!(
                "{path} is a link to the directory {to}, whose content would stay: look at it, take out by hand what is of this \
                 machine, and remove the link; then seal again"
            ));
        }
        return target.is_file().then(|| {
            format!(
                "{path} is a link to {to}, whose content would stay: remove that file by hand (shred -u), then seal again"
            )
        });
    }
    (meta.is_file() && meta.nlink() > 1).then(|| with_names(template, path, &place))
}

fn with_names(template: &Template<'_>, path: &str, place: &Path) -> String {
    format!(
        "{} is a file with {} names, and its content would stay under the others: remove those by hand (find {} \
         -samefile {}), then seal again",
        text::safe(path),
        place.symlink_metadata().map(|meta| meta.nlink()).unwrap_or_default(),
        template.host.root().display(),
        quoted(&place.to_string_lossy())
    )
}

/// Why a file cannot be removed or replaced, as far as that can be determined without trying.
fn fixed(template: &Template<'_>, step: &str, item: &Item) -> Option<String> {
    let path = item.path();
    let place = match item {
        Item::Remove { .. } | Item::Empty { .. } => template.host.place(path),
        Item::Clear { .. } => template.host.resolve(path),
        // Of a link, what it leads to is replaced.
        Item::Rewrite { .. } => {
            template.host.resolve(path).map(|place| place.canonicalize().unwrap_or(place))
        }
        Item::FillFreeSpace { .. } => return None,
    };
    let asked = |place: PathBuf| match item {
        // What is below it is reported when it cannot be removed.
        Item::Clear { .. } => is_fixed(&place, &place),
        _ => is_fixed(&place, place.parent()?),
    };
    let why = place.map_or_else(|error| Some(error.to_string()), asked)?;
    Some(if step == "passphrases" {
        format!("{path} holds the site's passphrase and cannot be removed: {why}")
    } else {
        format!("{path} cannot be changed: {why}")
    })
}

/// Why `place`, whose name is in `directory`, cannot be changed.
fn is_fixed(place: &Path, directory: &Path) -> Option<String> {
    let is_marked =
        |path: &Path| -> io::Result<bool> { ioctl::is_immutable(&files::node(path, libc::O_NONBLOCK)?) };
    let meta = place.symlink_metadata().ok()?;
    if !directory.is_dir() {
        return None;
    }
    let looked = || -> io::Result<Option<String>> {
        if statvfs(directory)?.flags().contains(FsFlags::ST_RDONLY) {
            return Ok(Some("its file system is mounted read-only".to_owned()));
        }
        // A name goes out of its directory, and a new one comes into it.
        if is_marked(directory)? {
            return Ok(Some("its directory is marked immutable (chattr -i)".to_owned()));
        }
        // Of what is no file only the name goes; a device or a pipe is not opened to be asked.
        let marked = meta.is_file() && is_marked(place)?;
        Ok(marked.then(|| "it is marked immutable (chattr -i)".to_owned()))
    };
    looked().unwrap_or_else(|error| Some(error.to_string()))
}

/// Without the service nothing is done at the first boot of a clone, and nothing reports that.
fn first_boot(template: &Template<'_>) -> Option<String> {
    let listed = |directory: &str| template.host.list(directory).unwrap_or_default();
    let inittab = template.host.read("/etc/inittab").unwrap_or_default();
    let level = default_level(&inittab);
    let levels: Vec<char> = level.map_or_else(|| vec!['2', '3', '5'], |level| vec![level]);
    let sysv = |top: &str| {
        levels.iter().any(|level| {
            let names = listed(&format!("{top}/rc{level}.d"));
            names.iter().any(|name| name.starts_with('S') && name.ends_with(SERVICE))
        })
    };
    let unit = listed(UNIT_LINKS).iter().any(|name| *name == format!("{SERVICE}.service"));
    let at = level.map(|level| format!(" in the runlevel {level}, which /etc/inittab begins"));
    let at = at.unwrap_or_default();
    (!(unit || SYSV_LINKS.iter().any(|top| sysv(top)))).then(|| {
        format!(
            "the service {SERVICE} is not switched on{at}, so nothing would run at a clone's first boot: install the package \
             of mt-agent (chkconfig {SERVICE} on), or --skip first-boot"
        )
    })
}

/// The multi-user level to which a start leads, by `id:3:initdefault:` of an inittab.
fn default_level(inittab: &str) -> Option<char> {
    inittab.lines().find_map(|line| {
        let mut fields = line.trim().split(':').skip(1);
        let level = fields.next()?.chars().next().filter(|level| ('2'..='5').contains(level));
        level.filter(|_| fields.next() == Some("initdefault") && !line.trim().starts_with('#'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_level_is_read_from_an_inittab() {
        for (inittab, level) in [
            ("# Default runlevel.\n#id:5:initdefault:\nid:3:initdefault:\n", Some('3')),
            ("id:4:initdefault:", Some('4')),
            ("id:1:initdefault:\n", None),
            ("x:3:respawn:/sbin/mingetty tty1\n", None),
            ("# systemd uses targets\n", None),
            ("id\nid:\nid::initdefault:", None),
        ] {
            assert_eq!(default_level(inittab), level, "{inittab}");
        }
    }
}
