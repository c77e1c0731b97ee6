//! `mt-agent profile`.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Subcommand;

use super::exit;
use super::options::Format;
use super::session::{Answer, Session};
use crate::profile;
use crate::report::json;
use crate::report::profiles::{List, checked_document, render, render_checked, render_list};
use crate::run;

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

impl Args {
    pub fn run(&self, session: &Session) -> Result<Answer> {
        let named = match &self.action {
            Action::Show { name: Some(_), .. } => Some("show NAME"),
            Action::Check { .. } => Some("check FILE"),
            _ => None,
        };
        if let Some(named) = named.filter(|_| session.sources.profile_name().is_some()) {
            bail!("profile {named} and --profile exclude each other");
        }
        let (sources, style) = (&session.sources, session.style);
        let text = match &self.action {
            Action::List { format } => {
                let all = profile::builtin_names().iter().map(|name| sources.profile_called(Some(name)));
                let list = List::new(all.collect::<Result<_>>()?, &sources.host);
                match format {
                    Format::Json => json::document(&list)?,
                    Format::Text => render_list(&list, &sources.host, style),
                }
            }
            Action::Show { name, format } => {
                let shown = sources.profile_called(name.as_deref())?;
                match format {
                    Format::Json => json::document(&profile::to_json(&shown))?,
                    Format::Text => render(&shown, style),
                }
            }
            Action::Check { file, format } => {
                let checked = run::check_profile(sources, file)?;
                match format {
                    Format::Json => checked_document(file, &checked)?,
                    Format::Text => render_checked(file, &checked, style),
                }
            }
            Action::Schema { .. } => json::document(&profile::schema())?,
        };
        Ok(Answer::new(text, exit::READY))
    }
}
