//! What a verb works on: the host and the profile that the command line names, and what waits there for a restart.

use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

use super::waiting::{self, Order};
use crate::facts::gather::Probing;
use crate::facts::{self, Facts};
use crate::host::{Host, files};
use crate::profile::{self, Profile, Setting, Writers};
use crate::report::waiting::Waiting;
use crate::state::resume::Pending;
use crate::steps::{self, waivers};

/// A host, and where its profile comes from.
#[derive(Clone, Debug)]
pub struct Sources {
    pub host: Host,
    profile: Option<String>,
    writers: Writers,
}

impl Sources {
    /// The running host, or the tree at `root`; `profile` is the name of a built-in profile or a file.
    /// Errors: `root` is no directory.
    pub fn open(root: Option<&Path>, profile: Option<String>, writers: Writers) -> Result<Self> {
        let host = match root {
            None => Host::live(),
            Some(root) => match root.metadata() {
                Ok(meta) if meta.is_dir() => Host::image(root),
                Ok(_) => bail!("--root {}: not a directory", root.display()),
                Err(error) => bail!("--root {}: {error}", root.display()),
            },
        };
        Ok(Self { host, profile, writers })
    }

    /// The same with the profile that an earlier run named.
    pub fn with_profile(&self, profile: Option<String>) -> Self {
        Self { profile: self.profile.clone().or(profile), ..self.clone() }
    }

    pub fn order(&self) -> Result<Option<Order>> {
        let profile_of = |order: &Pending| Self { profile: order.profile.clone(), ..self.clone() }.profile();
        waiting::find(&self.host, &profile_of)
    }

    /// The same, as it is reported.
    /// Errors: Only root can read it: what to report to others.
    pub fn waiting(&self) -> Result<Option<Waiting>, &'static str> {
        match self.order() {
            Ok(order) => Ok(order.as_ref().map(waiting::describe)),
            Err(_) if !nix::unistd::geteuid().is_root() => {
                Err("not run as root: cannot determine whether an apply waits for a restart")
            }
            Err(error) => Ok(Some(Waiting::unreadable(&format!("{error:#}")))),
        }
    }

    /// `--profile` as another process can use it: a file by its whole path.
    pub fn profile_name(&self) -> Option<String> {
        let name = self.profile.as_ref()?;
        let whole = Path::new(name).canonicalize().ok().filter(|_| name.contains(['/', '.']));
        Some(whole.and_then(|path| path.to_str().map(str::to_owned)).unwrap_or_else(|| name.clone()))
    }

    /// Refuses `--allow-unsafe-profile` for `verb`, which does as root what the profile says.
    /// Errors: It was given.
    pub fn refuse_unsafe_profile(&self, verb: &str) -> Result<()> {
        ensure!(
            self.writers == Writers::Root,
            "--allow-unsafe-profile is for verbs that change nothing: {verb} does as root what the profile says, so \
             nobody else may write it (without the option, the refusal prints the command that puts it right)"
        );
        Ok(())
    }

    /// The profile that the command line and the host ask for.
    /// Errors: It is not there, not safe or not valid.
    pub fn profile(&self) -> Result<Profile> {
        self.profile_called(None)
    }

    /// The profile that texts are filled from. Where nobody names one and the host's own cannot be used it is the built-in one, with
    /// the reason in a line.
    /// Errors: The profile that the command line names is not there, not safe or not valid.
    pub fn profile_for_texts(&self) -> Result<(Profile, Option<String>)> {
        match self.profile() {
            Ok(profile) => Ok((profile, None)),
            Err(error) if self.profile.is_none() => {
                let profile = self.profile_called(Some(profile::DEFAULT))?;
                Ok((
                    profile,
                    Some(format!("{error:#}: explained by the built-in profile {}", profile::DEFAULT)),
                ))
            }
            Err(error) => Err(error),
        }
    }

    /// As [`Sources::profile`], with `settings` of the command line on top.
    /// Errors: As there; a setting is not valid.
    pub fn profile_with(&self, settings: &[Setting]) -> Result<Profile> {
        let choice = self.profile.as_deref();
        profile::load_with(choice, &self.host, &steps::ids(), self.writers, settings)
    }

    /// The profile `name`; without a name, as [`Sources::profile`].
    pub fn profile_called(&self, name: Option<&str>) -> Result<Profile> {
        let choice = name.or(self.profile.as_deref());
        profile::load(choice, &self.host, &steps::ids(), self.writers)
    }

    /// The profile, and the facts read from the host or from the recording `file` by it.
    /// Errors: As [`Sources::profile`]; the recording is not one.
    pub fn profile_and_facts(&self, file: Option<&Path>, probe: Probing) -> Result<(Profile, Facts)> {
        // A recording says nothing of this desk, and the desk's own profile says nothing of the recording.
        let choice = file.and(self.profile.as_deref().or(Some(profile::DEFAULT)));
        let profile = self.profile_called(choice)?;
        let facts = match file {
            None => super::read_facts(&self.host, &profile, probe),
            Some(_) if !self.host.is_live() => bail!("--facts and --root exclude each other"),
            Some(file) => recording(file).with_context(|| format!("reading {}", file.display()))?,
        };
        Ok((profile, facts))
    }
}

/// Checks a profile file: it can be used, and each waiver has an effect.
/// Errors: It is not there, not safe or not valid; a waiver is without effect.
pub fn check_profile(sources: &Sources, file: &Path) -> Result<Profile> {
    let checked = profile::check(file, &steps::ids(), sources.writers)?;
    let faults = waivers::faults(&checked, super::today());
    ensure!(faults.is_empty(), "{}: {}", file.display(), faults.join("; "));
    Ok(checked)
}

fn recording(file: &Path) -> Result<Facts> {
    // One byte more than is accepted, so that what is longer is refused.
    facts::parse(&given(file, facts::LONGEST as u64 + 1)?)
}

/// The first `most` bytes of `file`, or of standard input for `-`, as text.
pub(super) fn given(file: &Path, most: u64) -> Result<String> {
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    } else {
        files::open(file)?.take(most).read_to_end(&mut bytes)?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
