//! The agent's own records of a machine: kept where `apply` has run, set aside where they are another machine's.

use std::fs;
use std::io;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use super::{Context, Done};
use crate::facts::Fact;
use crate::facts::identity;
use crate::host::{Host, ScsiId, files};
use crate::state::identity::{Kind, Mark, Present, Record, draw_salt, write};
use crate::state::journal::{ON_RECORD, RECORDED};
use crate::state::paths::{IDENTITY, RESUME, RETENTION, SET_ASIDE, TEMPLATE};
use crate::state::saved;
use crate::state::set_aside::DAMAGED;

/// Writes what identifies this machine now, where that is not what is on record. The salt of a record stays, and so do the own
/// disks; `own` are the SCSI IDs of those of a host of which none are on record yet. As long as none are, no disk gets on record
/// by being attached, but for the first that carries `/`.
pub fn keep_identity(host: &Host, at: &str, now: &[Present], own: Option<&[ScsiId]>) -> Result<Done> {
    let old = match identity::recorded(host) {
        Fact::Known(old) => old,
        // Judged as unknown, and no reason to forget it.
        Fact::Unknown(_) | Fact::NotApplicable(_) => return Ok(Done::Unchanged),
    };
    let salt = match &old {
        Some(old) => old.salt.clone(),
        None => draw_salt()?,
    };
    let mut new = Record::new(&salt, at, now);
    new.own_disks = old.as_ref().and_then(|old| old.own_disks.clone());
    if let (None, Some(own)) = (&new.own_disks, own) {
        new.own(own);
    }
    if new.own_disks.is_none() {
        let is_disk = |mark: &&Mark| matches!(mark.kind, Kind::RootDisk | Kind::Disk);
        let seen: Vec<Mark> = old.iter().flat_map(|old| &old.marks).filter(is_disk).cloned().collect();
        new.marks.retain(|mark| !is_disk(&mark) || seen.is_empty() && mark.kind == Kind::RootDisk);
        new.marks.extend(seen);
        new.marks.sort();
    }
    let is_same = |old: Record| old.marks == new.marks && old.own_disks == new.own_disks;
    if new.marks.is_empty() || old.is_some_and(is_same) {
        return Ok(Done::Unchanged);
    }
    write(host, IDENTITY, &new)?;
    Ok(Done::Changed(format!("{RECORDED} in {IDENTITY}")))
}

/// Puts the disks with these SCSI IDs on record as this host's own, as a person said.
/// Errors: What failed, naming the file; or that the record cannot be read.
pub(super) fn own_disks(host: &Host, scsi_ids: &[ScsiId]) -> Result<Done> {
    let mut record = match identity::recorded(host) {
        Fact::Known(Some(record)) => record,
        // What identifies the machine, and when, is added as this apply ends.
        Fact::Known(None) => Record::new(&draw_salt()?, "", &[]),
        Fact::Unknown(why) | Fact::NotApplicable(why) => bail!("{why}"),
    };
    if !record.own(scsi_ids) {
        return Ok(Done::Unchanged);
    }
    write(host, IDENTITY, &record)?;
    Ok(Done::Changed(format!("{}{ON_RECORD}", scsi_ids.join(", "))))
}

/// Adds what identifies the template now to its record: started again it has new host keys, and its clones must not have
/// those either.
pub fn extend_template(host: &Host, at: &str, now: &[Present]) -> Result<Done> {
    let Fact::Known(Some(mut record)) = identity::template(host) else { return Ok(Done::Unchanged) };
    if !record.extend(now) {
        return Ok(Done::Unchanged);
    }
    at.clone_into(&mut record.recorded_at);
    write(host, TEMPLATE, &record)?;
    Ok(Done::Changed(format!("recorded in {TEMPLATE} what the template has anew")))
}

/// Moves the records that name another machine's disks and restarts below [`SET_ASIDE`]. That machine's identity becomes the
/// one that this machine must not have. What the vendor's script did in the disk that was copied stays recorded.
pub(super) fn set_aside(context: &mut Context<'_>) -> Result<Done> {
    let host = context.host;
    let Fact::Known(Some(other)) = identity::recorded(host) else {
        return Ok(Done::Unchanged);
    };
    let directory = format!("{SET_ASIDE}/{}", saved::stamp("records"));
    let whole = saved::directory(host, &directory)?;
    for path in [RETENTION, RESUME] {
        let (from, to) = (host.path(path), whole.join(path.rsplit('/').next().unwrap_or(path)));
        match fs::rename(&from, &to) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            moved => moved.with_context(|| format!("moving {} to {}", from.display(), to.display()))?,
        }
    }
    files::sync_parent(&whole.join("x"))?;
    write(host, TEMPLATE, &other)?;
    // Last: as long as it is there, an interrupted change is begun again.
    fs::remove_file(host.path(IDENTITY)).with_context(|| format!("removing {IDENTITY}"))?;
    files::sync_parent(&host.path(IDENTITY))?;
    Ok(Done::Changed(format!("the other machine's records lie in {directory}")))
}

/// Moves what lies at `path` below [`SET_ASIDE`], whatever it is: a record that is not believed any more is never deleted.
pub fn put_aside(host: &Host, path: &str) -> Result<Done> {
    let from = host.place(path)?;
    if from.symlink_metadata().is_err() {
        return Ok(Done::Unchanged);
    }
    let to = free_place(host, path)?;
    fs::rename(&from, &to).with_context(|| format!("moving {} to {}", from.display(), to.display()))?;
    files::sync_parent(&to)?;
    files::sync_parent(&from)?;
    Ok(Done::Changed(format!("set {path} aside as {}", to.display())))
}

/// Writes the file at `path` anew, as `content`; the old one, `old`, is kept below [`SET_ASIDE`].
pub fn rewrite(host: &Host, path: &str, old: &str, content: &str) -> Result<Done> {
    let copy = free_place(host, path)?;
    files::replace(&copy, old.as_bytes(), 0o600)?;
    files::replace(&host.path(path), content.as_bytes(), 0o600)?;
    Ok(Done::Changed(format!("wrote {path} without what cannot be read; all of it is in {}", copy.display())))
}

/// A name below [`SET_ASIDE`] for what lies at `path`, which nothing has.
fn free_place(host: &Host, path: &str) -> Result<PathBuf> {
    let whole = saved::directory(host, &format!("{SET_ASIDE}/{}", saved::stamp(DAMAGED)))?;
    let name = path.rsplit('/').next().unwrap_or(path);
    let number =
        |number: u32| whole.join(if number == 0 { name.to_owned() } else { format!("{name}.{number}") });
    let free = (0..1000).map(number).find(|place| place.symlink_metadata().is_err());
    free.with_context(|| format!("{} holds 1,000 of {name}: move it away", whole.display()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Seen, profile};
    use super::*;
    use crate::state::paths::{DIRECTORY, VENDOR_SCRIPT};

    fn one(value: &str) -> Vec<Present> {
        vec![Present { kind: Kind::BiosUuid, place: String::new(), value: value.into() }]
    }

    #[test]
    fn nothing_is_set_aside_by_way_of_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::image(dir.path());
        let elsewhere = dir.path().join("elsewhere");
        fs::create_dir_all(&elsewhere).unwrap();
        fs::create_dir_all(host.path(DIRECTORY)).unwrap();
        fs::write(host.path(IDENTITY), "garbage").unwrap();
        std::os::unix::fs::symlink(&elsewhere, host.path(SET_ASIDE)).unwrap();
        let error = format!("{:#}", put_aside(&host, IDENTITY).unwrap_err());
        assert!(error.ends_with("set-aside is a symbolic link, not a directory: move it away"), "{error}");
        assert!(rewrite(&host, IDENTITY, "garbage", "").is_err());
        assert_eq!(fs::read(host.path(IDENTITY)).unwrap(), b"garbage");
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
        // All of the state may lie elsewhere.
        fs::remove_file(host.path(SET_ASIDE)).unwrap();
        fs::rename(host.path(DIRECTORY), elsewhere.join("state")).unwrap();
        std::os::unix::fs::symlink("../../elsewhere/state", host.path(DIRECTORY)).unwrap();
        assert!(matches!(put_aside(&host, IDENTITY).unwrap(), Done::Changed(_)));
    }

    #[test]
    fn an_identity_is_recorded_once_and_its_salt_stays() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::image(dir.path());
        assert!(matches!(keep_identity(&host, "t1", &one("a"), None).unwrap(), Done::Changed(_)));
        let first = fs::read_to_string(host.path(IDENTITY)).unwrap();
        assert_eq!(keep_identity(&host, "t2", &one("a"), None).unwrap(), Done::Unchanged);
        assert_eq!(fs::read_to_string(host.path(IDENTITY)).unwrap(), first);
        keep_identity(&host, "t3", &one("b"), None).unwrap();
        let Fact::Known(Some(second)) = identity::recorded(&host) else { panic!() };
        assert!(first.contains(&second.salt) && second.has(&one("b")[0]) && !second.has(&one("a")[0]));
        assert_eq!(
            keep_identity(&host, "t4", &[], None).unwrap(),
            Done::Unchanged,
            "nothing known is nothing to record"
        );
        files::replace(&host.path(IDENTITY), b"{", 0o600).unwrap();
        assert_eq!(keep_identity(&host, "t5", &one("c"), None).unwrap(), Done::Unchanged);
        assert_eq!(fs::read(host.path(IDENTITY)).unwrap(), b"{", "a torn record is for a person to look at");
    }

    #[test]
    fn own_disks_are_recorded_once_and_added_to_by_a_person_alone() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::image(dir.path());
        let ids = |ids: &[&str]| ids.iter().map(|id| ScsiId::from(*id)).collect::<Vec<_>>();
        let owned = |id| {
            let Fact::Known(Some(record)) = identity::recorded(&host) else { panic!() };
            record.owns(id)
        };
        // By a person before the first apply has recorded anything, then by that apply, which finds them there.
        assert!(matches!(own_disks(&host, &ids(&["36a", "36b"])).unwrap(), Done::Changed(_)));
        assert_eq!(own_disks(&host, &ids(&["36b"])).unwrap(), Done::Unchanged);
        assert!(matches!(
            keep_identity(&host, "t1", &one("a"), Some(&ids(&["36c"]))).unwrap(),
            Done::Changed(_)
        ));
        assert!(owned("36a") && owned("36b") && !owned("36c"));
        // What is recorded later leaves them; a person's word adds.
        keep_identity(&host, "t2", &one("b"), Some(&ids(&["36c"]))).unwrap();
        assert!(owned("36a") && !owned("36c"));
        own_disks(&host, &ids(&["36c"])).unwrap();
        assert!(owned("36a") && owned("36c"));
        let before = fs::read(host.path(IDENTITY)).unwrap();
        assert_eq!(keep_identity(&host, "t3", &one("b"), None).unwrap(), Done::Unchanged);
        assert_eq!(fs::read(host.path(IDENTITY)).unwrap(), before);
        files::replace(&host.path(IDENTITY), b"{", 0o600).unwrap();
        own_disks(&host, &ids(&["36d"])).unwrap_err();
        fs::remove_file(host.path(IDENTITY)).unwrap();
        keep_identity(&host, "t4", &one("a"), None).unwrap();
        assert!(!owned("36a"));
        // The record of an older agent, or of a host that was not in order.
        keep_identity(&host, "t5", &one("a"), Some(&ids(&["36a"]))).unwrap();
        assert!(owned("36a"));
    }

    #[test]
    fn no_disk_gets_on_record_by_being_attached_while_none_are_on_record_as_own() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::image(dir.path());
        let recorded = || {
            let Fact::Known(Some(record)) = identity::recorded(&host) else { panic!() };
            record
        };
        let with = |disks: &[(Kind, &str)]| {
            let disk = |(kind, id): &(Kind, &str)| Present {
                kind: *kind,
                place: String::new(),
                value: (*id).into(),
            };
            [one("a"), disks.iter().map(disk).collect()].concat()
        };
        // No disk had an ID, then they do, and another one is attached that speaks against the own ones.
        keep_identity(&host, "t1", &one("a"), None).unwrap();
        let now = with(&[(Kind::RootDisk, "36a"), (Kind::Disk, "36f")]);
        keep_identity(&host, "t2", &now, None).unwrap();
        assert!(recorded().saw("36a") && !recorded().saw("36f"));
        assert_eq!(keep_identity(&host, "t3", &now, None).unwrap(), Done::Unchanged);
        // An older agent's record of both own disks, when the machine was started from a third one, then the second is away.
        write(
            &host,
            IDENTITY,
            &Record::new("00", "t", &with(&[(Kind::RootDisk, "36a"), (Kind::Disk, "36b")])),
        )
        .unwrap();
        let started = with(&[(Kind::RootDisk, "36f"), (Kind::Disk, "36a")]);
        assert_eq!(keep_identity(&host, "t4", &started, None).unwrap(), Done::Unchanged);
        assert!(recorded().owns("36a") && recorded().saw("36b") && !recorded().saw("36f"));
        // Once it is known whose they are, all that is there is a mark of this machine.
        let now = with(&[(Kind::RootDisk, "36a"), (Kind::Disk, "36f")]);
        keep_identity(&host, "t5", &now, Some(&["36a".into()])).unwrap();
        assert!(recorded().saw("36f") && !recorded().owns("36f"));
    }

    #[test]
    fn records_of_another_machine_are_kept_aside_and_its_identity_is_remembered() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::image(dir.path());
        keep_identity(&host, "t", &one("other"), None).unwrap();
        for path in [RETENTION, RESUME, VENDOR_SCRIPT] {
            files::replace(&host.path(path), b"{}", 0o600).unwrap();
        }
        let (profile, mut observer) = (profile(), Seen::default());
        let mut context = Context { host: &host, profile: &profile, boot_id: "b", observer: &mut observer };
        assert!(matches!(set_aside(&mut context).unwrap(), Done::Changed(_)));
        assert_eq!(set_aside(&mut context).unwrap(), Done::Unchanged);
        assert!(!host.exists(RETENTION) && !host.exists(RESUME) && !host.exists(IDENTITY));
        assert!(host.exists(VENDOR_SCRIPT), "what the script did was copied with the disk");
        let stamp = host.list(SET_ASIDE).unwrap().remove(0);
        assert_eq!(host.list(format!("{SET_ASIDE}/{stamp}")).unwrap(), ["resume.json", "retention.json"]);
        let Fact::Known(Some(template)) = identity::template(&host) else { panic!() };
        assert!(template.has(&one("other")[0]));
    }
}
