//! The vendor's ApplyCustomChanges.sh: once, and provably.
//!
//! What a loss of power (or SIGKILL) leaves, instant by instant:
//!
//! - while the archive is checked and unpacked, or files are saved: no record; the next run begins anew and
//!   clears what was half unpacked. A shell that is held waits for the script's turn: without us it ends, and
//!   has done nothing;
//! - from the record's `started` on, which names that process, whether or not the script was reached: the state is
//!   *unknown*. The next run stops and a person decides. The script itself may go on after us: it is a process of its
//!   own, and while it or what it started in its group lives, no run begins and no decision is taken;
//! - after the script's end, before its outcome is recorded: the same, although the marker may be there;
//! - after the outcome is recorded: as recorded.
//!
//! The unpacked archive stays below the work directory: the master target is installed from it later.

mod evidence;
#[cfg(test)]
mod tests;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use self::evidence::Before;
pub use self::evidence::in_words;
use super::archive::{Archive, Limits};
use super::{Context, Done, consent, device_nodes};
use crate::facts::custom_changes::{running, words};
use crate::facts::family::{self, Family};
use crate::host::command::{self, Command, Failure, Output};
use crate::host::{Host, files, text, trust};
use crate::platform::texts::texts;
use crate::state::paths::VENDOR_SCRIPT;
use crate::state::saved;
use crate::state::vendor_script::{self, Outcome, Record};

/// What a person does about a run that did not do its work, or of which that is not known.
pub const DECIDE: &str = "decide with `mt-agent apply --custom-changes=accept` (its changes are in place) or \
                      `--custom-changes=rerun` (run it again)";

/// Runs the vendor script in `archive`, if it was never started, or where a person says so (`rerun`). `agreed` is the
/// SHA-256 of the archive that a person agreed to.
/// Errors: One line that says what is known of the host now: the script was not started (the next apply tries
/// again), or it was, and a person must decide.
#[expect(clippy::fn_params_excessive_bools, reason = "a field of the change")]
pub fn run(context: &mut Context<'_>, archive: &Path, rerun: bool, agreed: Option<&str>) -> Result<Done> {
    let runner = context.host.clone();
    ensure!(runner.is_live(), "the vendor script can be run on the running host only");
    run_on(context, &runner, archive, rerun, agreed)
}

/// The record of the run.
/// Errors: It is not believed: then nobody knows whether the script has run.
pub fn recorded(host: &Host) -> Result<Option<Record>> {
    vendor_script::read(host).context("without it nobody knows whether the vendor script has run")
}

/// Refuses while a run lives of which no end, or no good one, is recorded: it may be changing what we look at.
/// Errors: One line that names its process; it cannot be determined whether it lives.
pub fn refuse_while_running(host: &Host, boot_id: &str) -> Result<()> {
    // A record that cannot be read stops what depends on it.
    match recorded(host) {
        Ok(Some(record)) if record.outcome.is_open() => has_ended(host, boot_id, &record),
        _ => Ok(()),
    }
}

fn has_ended(runner: &Host, boot_id: &str, record: &Record) -> Result<()> {
    let living =
        running::living(runner, boot_id, record).context("telling whether the vendor script still runs")?;
    living.map_or(Ok(()), |pid| Err(anyhow!(running::in_words(record, pid))))
}

/// As [`run`]; `runner` is the host on which the script is a process, the context's the one whose files count.
#[expect(clippy::fn_params_excessive_bools, reason = "as `run` has it")]
fn run_on(
    context: &mut Context<'_>,
    runner: &Host,
    archive: &Path,
    rerun: bool,
    agreed: Option<&str>,
) -> Result<Done> {
    let host = context.host;
    let settings = &context.profile.custom_changes;
    let earlier = recorded(host)?;
    if let Some(earlier) = &earlier {
        has_ended(runner, context.boot_id, earlier)?;
    }
    if !rerun && let Some(done) = already(host, &settings.marker, earlier.as_ref())? {
        return Ok(done);
    }
    ensure!(command::available(runner, "bash"), "there is no bash on this host to run {}", settings.script);

    let work = work_directory(host, &settings.work_directory)?;
    let archive = Archive::open(&host.path(archive), settings.sha256.as_deref(), &Limits::default())?;
    consent::unchanged(&settings.script, archive.sha256(), agreed)?;
    let script = archive.find(&settings.script)?;
    context.observer.progress(&format!("unpacking {} below {}", archive.summary(), work.display()));
    let script = archive.unpack(&work)?.join(script);
    prepare(&script)?;

    let before = Before::take(host, &settings.log)?;
    if rerun {
        take_marker_away(context, earlier.as_ref())?;
    }
    let mut record = Record::new(archive.sha256(), context.boot_id, Outcome::Started);
    record.log_bytes = Some(before.log_bytes);
    let ran = execute(context, runner, &script, &mut record);
    // It removes /dev/null, however it ends.
    let nodes = match device_nodes::make(context, None) {
        Ok(Done::Unchanged) => String::new(),
        Ok(Done::Changed(what)) => format!("; {what}"),
        Err(error) => format!("; WARNING: {error:#}"),
    };
    if !nodes.is_empty() {
        context.observer.log(&format!("after the vendor script{nodes}"));
    }
    if let Err(failure @ (Failure::Missing { .. } | Failure::Spawn { .. })) = ran {
        bail!("{} was not started: {failure}; put that right and apply again{nodes}", settings.script);
    }
    // It ran, whatever can be read of it.
    let judged = judge(host, &settings.marker, &settings.script, &before, ran)
        .unwrap_or_else(|error| Judged::Unknown(format!("it was started, but {error:#}")));
    match judged {
        Judged::Applied(what) => {
            record.outcome = Outcome::Applied;
            evidence::settle(host, &settings.marker)
                .and_then(|()| vendor_script::write(host, &record))
                .with_context(|| format!("{what}{nodes}, but that could not be recorded; {DECIDE}"))?;
            Ok(Done::Changed(format!("{what}{nodes}")))
        }
        Judged::Failed(why) => {
            record.outcome = Outcome::Failed(why.clone());
            vendor_script::write(host, &record)?;
            bail!(
                "{} failed: {why}{nodes}; it never runs again by itself: put that right, then {DECIDE}",
                settings.script
            )
        }
        Judged::Unknown(why) => {
            bail!("the state of the custom changes is unknown: {why}{}{nodes}; {DECIDE}", before.kept())
        }
    }
}

/// Records a run that a person made (seen by its marker), or one that a person accepts.
///
/// An accepted run keeps the boot id under which it was started: a restart since then counts.
/// Errors: There is no marker to see, a person must decide first, the script still runs, or the record could not
/// be written.
#[expect(clippy::fn_params_excessive_bools, reason = "a field of the change")]
pub fn record(context: &mut Context<'_>, accepted: bool) -> Result<Done> {
    let host = context.host;
    let marker = &context.profile.custom_changes.marker;
    let outcome = if accepted { Outcome::Accepted } else { Outcome::Observed };
    let old = recorded(host)?;
    if let Some(old) = &old {
        has_ended(host, context.boot_id, old)?;
    }
    let new = match old {
        Some(Record { outcome: Outcome::Accepted, .. }) => return Ok(Done::Unchanged),
        // Whatever came of it.
        Some(old) if accepted => Record { outcome, ..old },
        Some(Record { outcome: Outcome::Applied | Outcome::Observed, .. }) => return Ok(Done::Unchanged),
        Some(old @ Record { outcome: Outcome::Started, .. }) => {
            bail!("the vendor script {}: {DECIDE}", in_words(&old))
        }
        None if accepted && !host.exists(marker) => {
            bail!("no run of the vendor script is recorded that could be accepted")
        }
        _ => Record::new("", context.boot_id, outcome),
    };
    ensure!(
        accepted || host.exists(marker),
        "there is no {}: nobody has run the vendor script to its end",
        marker.display()
    );
    vendor_script::write(host, &new)?;
    Ok(Done::Changed(format!("recorded in {VENDOR_SCRIPT} that the vendor script {}", in_words(&new))))
}

/// Lets the script run again, because a person says so (`--custom-changes=rerun`): takes its marker, on which it would
/// refuse, out of the way; a copy is kept. Interrupted after that, the record says that the script ran, also where until
/// then the marker alone did.
fn take_marker_away(context: &mut Context<'_>, earlier: Option<&Record>) -> Result<()> {
    let host = context.host;
    let marker = &context.profile.custom_changes.marker;
    if let Some(earlier) = earlier {
        context
            .observer
            .progress(&format!("the vendor script runs again, although it {}", in_words(earlier)));
    }
    if !host.exists(marker) {
        return Ok(());
    }
    if earlier.is_none() {
        vendor_script::write(host, &Record::new("", context.boot_id, Outcome::Observed))?;
    }
    saved::keep(host, &marker.to_string_lossy(), &saved::stamp("custom-changes"))?;
    let path = host.path(marker);
    fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
    files::sync_parent(&path)?;
    context.observer.progress(&format!("took {} away, so that the script runs again", marker.display()));
    Ok(())
}

/// Whether there is anything to do: `Some` where there is not.
fn already(host: &Host, marker: &Path, record: Option<&Record>) -> Result<Option<Done>> {
    let marked = host.exists(marker);
    let marker = marker.display();
    match record {
        Some(record @ Record { outcome: Outcome::Started, .. }) => {
            let hint = if marked {
                format!("its marker {marker} is there, so it reached its end")
            } else {
                format!("its marker {marker} is not there, so it did not reach its end")
            };
            bail!("the vendor script {}; {hint}; it is not run again by itself: {DECIDE}", in_words(record))
        }
        Some(Record { outcome: Outcome::Applied | Outcome::Observed | Outcome::Accepted, .. }) if marked => {
            Ok(Some(Done::Unchanged))
        }
        Some(Record { outcome: Outcome::Accepted, .. }) => Ok(Some(Done::Unchanged)),
        Some(record @ Record { outcome: Outcome::Applied | Outcome::Observed, .. }) => bail!(
            "the vendor script {}, but its marker {marker} is gone (the vendor's uninstaller removes it); it is not run \
             again by itself: {DECIDE}",
            in_words(record)
        ),
        Some(record @ Record { outcome: Outcome::Failed(_), .. }) if !marked => {
            bail!("the vendor script {}; it is not run again by itself: {DECIDE}", in_words(record))
        }
        Some(Record { outcome: Outcome::Failed(_), .. }) | None if marked => bail!(
            "{marker} is there, so somebody has run the vendor script since this plan was made; apply again: the \
             agent then records it"
        ),
        _ => Ok(None),
    }
}

/// The private directory to unpack in, made where it is missing.
fn work_directory(host: &Host, configured: &Path) -> Result<PathBuf> {
    let refused = host.path("/usr/local");
    let refused = refused.canonicalize().unwrap_or(refused);
    let below = |path: &Path| -> Result<()> {
        ensure!(
            !path.starts_with(&refused),
            "the work directory {} lies under /usr/local, where the vendor's software does not install: choose another \
             in the profile (custom-changes.work-directory)",
            path.display()
        );
        Ok(())
    };
    let path = host.path(configured);
    below(&path)?;
    // What exists of it tells where it leads, before anything is made.
    let existing = path.ancestors().find_map(|level| level.canonicalize().ok());
    existing.as_deref().map_or(Ok(()), below)?;
    trust::make_directory(&path)
}

/// Makes the script executable, as the procedure says, and looks whether it is one that bash can run.
fn prepare(script: &Path) -> Result<()> {
    let name = script.display();
    let head = files::read(script).with_context(|| format!("reading {name}"))?;
    let first = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    ensure!(!head.is_empty(), "{name} is empty: the archive is damaged");
    ensure!(
        !first.ends_with(b"\r"),
        "{name} has the line ends of another system (CR LF): it was changed on its way; copy the archive again"
    );
    let first = text::safe(&String::from_utf8_lossy(first));
    let shell = first.strip_prefix("#!").is_none_or(|line| {
        line.split_whitespace().any(|word| word.ends_with("/bash") || word.ends_with("/sh") || word == "bash")
    });
    ensure!(shell && !head.contains(&0), "{name} is not a shell script: it begins with `{first:.60}`");
    fs::set_permissions(script, fs::Permissions::from_mode(0o755))
        .with_context(|| format!("making {name} executable"))
}

/// Runs the script in its own directory, with the answer to its question and nothing more on stdin. It begins when
/// `record`, with its process, is on disk.
///
/// Through bash, not as a program: a /var that is mounted noexec is no reason to stop.
fn execute(
    context: &mut Context<'_>,
    runner: &Host,
    script: &Path,
    record: &mut Record,
) -> Result<Output, Failure> {
    let host = context.host;
    let settings = &context.profile.custom_changes;
    let directory = script.parent().unwrap_or(Path::new("/"));
    let command = Command::new("bash", [format!("./{}", settings.script)], settings.deadline.get())
        .dir(directory)
        .stdin("Y\n");
    context.run_held(runner, &command, &mut |pid| {
        record.process = Some(running::process(runner, pid)?);
        vendor_script::write(host, record)
    })
}

enum Judged {
    /// It reached its end: what that did.
    Applied(String),
    /// It ended without its marker: how, what it said and what it changed.
    Failed(String),
    /// How it ended is not known, or it was ended from outside: why.
    Unknown(String),
}

/// What came of the run, told from the host. The marker was not there before.
fn judge(
    host: &Host,
    marker: &Path,
    script: &str,
    before: &Before,
    ran: Result<Output, Failure>,
) -> Result<Judged> {
    let marked = host.exists(marker);
    let (log, wwids, changed) = (before.new_log()?, evidence::wwids(host)?, before.changed(host)?);
    let changed = match changed.as_slice() {
        [] => "it changed none of the files that it is known to write".to_owned(),
        changed => format!("it changed {}", changed.join(", ")),
    };
    let output = match ran {
        Ok(output) => output,
        Err(failure) => {
            let marker = if marked { "its marker is there" } else { "its marker is not there" };
            return Ok(Judged::Unknown(format!("{failure}; {marker}; {changed}")));
        }
    };
    let printed = String::from_utf8_lossy(&output.stdout);
    let failed = words::failures(&log).or_else(|| words::failures(&printed));
    if marked {
        let mut what =
            format!("{script} ran to its end (status {}); the machine must be restarted", output.status);
        if let Some(failed) = failed {
            what.push_str(&format!("; WARNING: it said: {failed}"));
        }
        if wwids.is_empty() {
            what.push_str(
                "; WARNING: it blacklisted no disk in /etc/multipath.conf, so the root disk is not excluded",
            );
        }
        return Ok(Judged::Applied(what));
    }
    let messages = [failed.unwrap_or_default(), words::last(&log), words::last(&printed), output.message()];
    let message = messages.iter().find(|message| !message.is_empty());
    let message =
        message.map_or_else(|| "it said nothing".to_owned(), |message| format!("it said: {message}"));
    let mut why =
        format!("it ended with status {} without its marker {}; {message}", output.status, marker.display());
    let packages = before.missing_packages(host).join(" ");
    if !packages.is_empty() {
        let install = texts(family::of(host).unwrap_or(Family::RedHat)).install;
        why.push_str(&format!("; packages that it misses: {packages} ({install} {packages})"));
    }
    why.push_str(&format!("; {changed}{}", before.kept()));
    Ok(Judged::Failed(why))
}
