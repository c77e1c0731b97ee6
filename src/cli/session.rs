//! What every verb is given: the host, the profile, how to show things.

use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};

use super::output::Color;
use crate::facts::gather::Probing;
use crate::facts::{self, Facts};
use crate::host::{Host, files};
use crate::profile::{self, Profile, Setting};
use crate::report::style::Style;
use crate::report::text::Detail;
use crate::report::waiting::Waiting;
use crate::run;
use crate::run::waiting::{self, Order};
use crate::state::request::{Request, Takeover};
use crate::state::resume::Pending;
use crate::steps::{self, Selection, Stage};

/// Options that every verb takes.
#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Profile to judge by: the name of a built-in one, or a file [default:
    /// /etc/mt-agent/profile.yaml, else the built-in one that fits the host]
    #[arg(long, global = true, value_name = "NAME|FILE", value_parser = NonEmptyStringValueParser::new())]
    pub profile: Option<String>,
    /// Accept a profile file that is writable by other users (at a desk; apply and seal
    /// do not)
    #[arg(long, global = true)]
    pub allow_unsafe_profile: bool,
    /// Look at the tree of an image, not at the running host
    #[arg(long, global = true, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// When to use colours
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t)]
    pub color: Color,
    /// Say less: only what is not met, and the verdict
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more: shorten nothing
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// What a verb works with.
#[derive(Clone, Debug)]
pub struct Session {
    /// The host.
    pub host: Host,
    /// What the terminal can show.
    pub style: Style,
    /// How much to say.
    pub detail: Detail,
    profile: Option<String>,
    /// Whether a profile that users other than root can write is accepted.
    pub allow_unsafe_profile: bool,
}

/// What a verb answers: the text for standard output, and the exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The text.
    pub text: String,
    /// The exit code.
    pub code: u8,
}

impl Answer {
    /// An answer.
    pub fn new(text: impl Into<String>, code: u8) -> Self {
        Self { text: text.into(), code }
    }
}

impl Session {
    /// A session by the global options.
    ///
    /// # Errors
    /// `--root` does not name a directory.
    pub fn open(global: &Global) -> Result<Self> {
        let host = match &global.root {
            None => Host::live(),
            Some(root) => match root.metadata() {
                Ok(meta) if meta.is_dir() => Host::image(root),
                Ok(_) => bail!("--root {}: not a directory", root.display()),
                Err(error) => bail!("--root {}: {error}", root.display()),
            },
        };
        let detail = match (global.quiet, global.verbose) {
            (true, _) => Detail::Quiet,
            (_, true) => Detail::Verbose,
            _ => Detail::Normal,
        };
        Ok(Self {
            host,
            style: global.color.style(),
            detail,
            profile: global.profile.clone(),
            allow_unsafe_profile: global.allow_unsafe_profile,
        })
    }

    /// This session with the profile that an earlier run named.
    #[must_use]
    pub fn with_profile(&self, profile: Option<String>) -> Self {
        Self { profile: self.profile.clone().or(profile), ..self.clone() }
    }

    /// The profile that an order names, as it is now.
    fn profile_of(&self, order: &Pending) -> Result<Profile> {
        Self { profile: order.profile.clone(), ..self.clone() }.profile()
    }

    /// The apply that waits for a restart, if one does.
    ///
    /// # Errors
    /// Its record cannot be read.
    pub fn order(&self) -> Result<Option<Order>> {
        waiting::find(&self.host, &|pending| self.profile_of(pending))
    }

    /// The same, as it is told.
    ///
    /// # Errors
    /// Only root can read it: what to tell others.
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
    #[must_use]
    pub fn profile_name(&self) -> Option<String> {
        let name = self.profile.as_ref()?;
        let whole = Path::new(name).canonicalize().ok().filter(|_| name.contains(['/', '.']));
        Some(whole.and_then(|path| path.to_str().map(str::to_owned)).unwrap_or_else(|| name.clone()))
    }

    /// Refuses `--allow-unsafe-profile` for `verb`, which does as root what the profile says.
    ///
    /// # Errors
    /// It was given.
    pub fn refuse_unsafe_profile(&self, verb: &str) -> Result<()> {
        ensure!(
            !self.allow_unsafe_profile,
            "--allow-unsafe-profile is for verbs that change nothing: {verb} does as root what the profile says, so \
             nobody else may write it (without the option, the refusal prints the command that puts it right)"
        );
        Ok(())
    }

    /// The profile that the command line and the host ask for.
    ///
    /// # Errors
    /// It is not there, not safe or not valid.
    pub fn profile(&self) -> Result<Profile> {
        self.profile_called(None)
    }

    /// As [`Session::profile`], with `settings` of the command line on top.
    ///
    /// # Errors
    /// As there; a setting is not valid.
    pub fn profile_with(&self, settings: &[Setting]) -> Result<Profile> {
        let choice = self.profile.as_deref();
        profile::load_with(choice, &self.host, &steps::ids(), self.allow_unsafe_profile, settings)
    }

    /// The profile `name`; without a name, as [`Session::profile`].
    ///
    /// # Errors
    /// As there.
    pub fn profile_called(&self, name: Option<&str>) -> Result<Profile> {
        let choice = name.or(self.profile.as_deref());
        profile::load(choice, &self.host, &steps::ids(), self.allow_unsafe_profile)
    }

    /// The profile, and the facts read from the host or from the recording `file` by it.
    ///
    /// # Errors
    /// As [`Session::profile`]; the recording is not one.
    pub fn profile_and_facts(&self, file: Option<&Path>, probe: Probing) -> Result<(Profile, Facts)> {
        // A recording says nothing of this desk, and the desk's own profile says nothing of the recording.
        let choice = file.and(self.profile.as_deref().or(Some(profile::DEFAULT)));
        let profile = self.profile_called(choice)?;
        let facts = match file {
            None => run::read_facts(&self.host, &profile, probe),
            Some(_) if !self.host.is_live() => bail!("--facts and --root exclude each other"),
            Some(file) => recording(file).with_context(|| format!("reading {}", file.display()))?,
        };
        Ok((profile, facts))
    }
}

fn recording(file: &Path) -> Result<Facts> {
    let mut bytes = Vec::new();
    // One byte more than is accepted, so that what is longer is told to be.
    let most = facts::LONGEST as u64 + 1;
    if file == Path::new("-") {
        io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    } else {
        files::open(file)?.take(most).read_to_end(&mut bytes)?;
    }
    facts::parse(&String::from_utf8_lossy(&bytes))
}

/// Text for people, or a JSON document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// One versioned document
    Json,
}

impl Format {
    /// That a person can be asked before something is done: `to repair it`.
    ///
    /// # Errors
    /// A document is wanted, or there is no terminal: what to add.
    pub fn can_ask(self, to: &str) -> Result<()> {
        ensure!(
            self == Self::Text,
            "--format json asks nothing: add --yes once --dry-run shows what you want; nothing was changed"
        );
        ensure!(
            io::stdin().is_terminal() && io::stdout().is_terminal(),
            "no terminal to ask on: add --yes {to}; nothing was changed"
        );
        Ok(())
    }
}

/// What is to be done with disks.
#[derive(Args, Debug)]
pub struct Disks {
    /// The disk to carry the retention volume: SCSI ID, by-id name or /dev path
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    retention_disk: Option<String>,
    /// Allow this one disk to be formatted although it is not blank: ALL ITS DATA IS LOST.
    /// A disk in use is refused all the same
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    erase_disk: Option<String>,
    /// A disk that was added to this host and is its own, no protected machine's: put it on record (repeatable)
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    own_disk: Vec<String>,
    /// Make the retention volume on this disk instead of the one that has it: that volume
    /// is unmounted and its line taken out of fstab, and its disk left as it is
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new(), conflicts_with = "retention_disk")]
    replace_retention: Option<String>,
    /// Take the volume that mt-agent made on this disk as the retention volume, in the
    /// place of another one too
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new(),
        conflicts_with_all = ["retention_disk", "erase_disk", "replace_retention"])]
    adopt_retention: Option<String>,
    /// Grow the retention volume to the size of its disk, mounted as it is
    #[arg(long, conflicts_with = "replace_retention")]
    grow: bool,
}

impl Disks {
    /// What is asked of the plan.
    #[must_use]
    pub fn request(&self) -> Request {
        let named = [
            (&self.retention_disk, None),
            (&self.replace_retention, Some(Takeover::Replace)),
            (&self.adopt_retention, Some(Takeover::Adopt)),
        ];
        let named = named.into_iter().find_map(|(name, takeover)| Some((name.clone()?, takeover)));
        let (retention_disk, takeover) =
            named.map_or((None, None), |(name, takeover)| (Some(name), takeover));
        let (erase_disk, own_disks, grow) = (self.erase_disk.clone(), self.own_disk.clone(), self.grow);
        Request { retention_disk, takeover, grow, erase_disk, own_disks, ..Request::default() }
    }
}

/// `--only` and `--skip`.
#[derive(Args, Debug)]
pub struct Selected {
    /// Look at these requirements or sections alone (repeatable, or comma separated)
    #[arg(long, value_name = "ID|SECTION", value_delimiter = ',')]
    only: Vec<String>,
    /// Leave these requirements or sections out
    #[arg(long, value_name = "ID|SECTION", value_delimiter = ',')]
    skip: Vec<String>,
    /// Look at what belongs to a golden image, or to each machine made from one
    #[arg(long, value_enum, value_name = "STAGE")]
    stage: Option<StageName>,
}

/// Stages of the way to a master target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StageName {
    /// What can be baked: packages, files, layout
    Image,
    /// What depends on the machine: disks, names, retention volume
    Machine,
}

impl Selected {
    /// The selection.
    ///
    /// # Errors
    /// An unknown name, with those that are close to it; nothing left to look at.
    pub fn selection(&self) -> Result<Selection> {
        Selection::new(self.only.clone(), self.skip.clone())
    }

    /// `--stage`, which a profile tells the requirements of: [`Selection::at_stage`].
    #[must_use]
    pub fn stage(&self) -> Option<Stage> {
        self.stage.map(|name| match name {
            StageName::Image => Stage::Image,
            StageName::Machine => Stage::Machine,
        })
    }
}
