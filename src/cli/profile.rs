//! `mt-agent profile`.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use clap::Subcommand;
use serde::Serialize;

use super::exit;
use super::session::{Answer, Format, Session};
use crate::profile;
use crate::report::json;
use crate::report::style::{Page, Paint};
use crate::run;
use crate::steps::{self, waivers};

/// Lists, shows and checks profiles.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

/// What to do with profiles.
#[derive(Debug, Subcommand)]
enum Action {
    /// List the built-in profiles, and say whether this host has one of its own
    List {
        /// How to report
        #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
        format: Format,
    },
    /// Print a profile complete, with where each value came from
    Show {
        /// The profile [default: the one that this host is judged by]
        #[arg(value_name = "NAME|FILE")]
        name: Option<String>,
        /// How to report
        #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
        format: Format,
    },
    /// Check a profile file: exit code 0 when it can be used, and each waiver has an effect
    Check {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// How to report
        #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
        format: Format,
    },
    /// Print the JSON Schema of profile files
    Schema {
        /// How to print it: a schema is JSON in either
        #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Json)]
        format: Format,
    },
}

/// The document of `profile list`.
#[derive(Serialize)]
struct List<'a> {
    schema: &'static str,
    profiles: Vec<Listed<'a>>,
    host_file: Option<&'static str>,
}

/// A built-in profile.
#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    description: String,
    default: bool,
}

/// The document of `profile check`.
#[derive(Serialize)]
struct Checked<'a> {
    schema: &'static str,
    file: &'a Path,
    name: &'a str,
    valid: bool,
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    /// The profile is not there, not safe or not valid.
    pub fn run(&self, session: &Session) -> Result<Answer> {
        let named = match &self.action {
            Action::Show { name: Some(_), .. } => Some("show NAME"),
            Action::Check { .. } => Some("check FILE"),
            _ => None,
        };
        if let Some(named) = named.filter(|_| session.profile_name().is_some()) {
            bail!("profile {named} and --profile exclude each other");
        }
        let text = match &self.action {
            Action::List { format } => list(session, *format)?,
            Action::Show { name, format } => {
                let shown = session.profile_called(name.as_deref())?;
                match format {
                    Format::Json => json::document(&profile::to_json(&shown))?,
                    Format::Text => lines(session, &profile::show(&shown)),
                }
            }
            Action::Check { file, format } => {
                let checked = profile::check(file, &steps::ids(), session.allow_unsafe_profile)?;
                let faults = waivers::faults(&checked, run::today());
                ensure!(faults.is_empty(), "{}: {}", file.display(), faults.join("; "));
                match format {
                    Format::Json => json::document(&Checked {
                        schema: "mt-agent/profile-check/v1",
                        file,
                        name: &checked.name,
                        valid: true,
                    })?,
                    Format::Text => lines(
                        session,
                        &format!("{}: the profile {} can be used\n", file.display(), checked.name),
                    ),
                }
            }
            Action::Schema { .. } => json::document(&profile::schema())?,
        };
        Ok(Answer::new(text, exit::READY))
    }
}

fn list(session: &Session, format: Format) -> Result<String> {
    let mut profiles = Vec::new();
    for &name in profile::builtin_names() {
        let description =
            session.profile_called(Some(name))?.description.as_deref().unwrap_or_default().to_owned();
        profiles.push(Listed { name, description, default: name == profile::DEFAULT });
    }
    let host_file = session.host.exists(profile::HOST_FILE).then_some(profile::HOST_FILE);
    if format == Format::Json {
        return json::document(&List { schema: "mt-agent/profiles/v1", profiles, host_file });
    }
    let mut page = Page::new(session.style);
    for Listed { name, description, default } in &profiles {
        let description = format!("{description}{}", if *default { " (default)" } else { "" });
        page.wrapped("", Paint::Bold, &format!("{name:12}  "), &description);
    }
    match host_file {
        Some(file) => page.line(&format!("{} has a profile of its own: {file}", session.host)),
        None => page.line(&format!("{} has no {}", session.host, profile::HOST_FILE)),
    };
    Ok(page.finish())
}

/// A text of several lines as it is, but safe: its columns have a meaning, so it is not wrapped.
fn lines(session: &Session, text: &str) -> String {
    let mut page = Page::new(session.style);
    for line in text.lines() {
        page.put(Paint::Plain, line).end();
    }
    page.finish()
}
