//! What a person sees of long work: a bar or a spinner on a terminal, plain lines elsewhere. On standard error,
//! so that standard output holds the report alone.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::host::text::{ascii, bytes, safe, without_secrets};
use crate::report::text::Detail;

/// How often a transfer is reported where no bar can be drawn.
const EVERY: Duration = Duration::from_secs(10);

pub struct Progress {
    bar: Option<ProgressBar>,
    lines: Box<dyn Write>,
    on_terminal: bool,
    quiet: bool,
    reported: Option<Instant>,
}

impl Progress {
    /// Progress on standard error; none at all where little is to be said.
    pub fn new(detail: Detail) -> Self {
        let dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
        let on_terminal = io::stderr().is_terminal() && !dumb;
        let quiet = detail == Detail::Quiet;
        Self { bar: None, lines: Box::new(io::stderr()), on_terminal, quiet, reported: None }
    }

    pub fn line(&mut self, text: &str) {
        self.clear();
        if !self.quiet {
            let _ = writeln!(self.lines, "{}", clean(text));
        }
    }

    /// A line about long work: the last one stands beside a spinner, or each on a line of its own.
    pub fn work(&mut self, line: &str) {
        if self.quiet {
        } else if self.on_terminal {
            let bar = self.bar.get_or_insert_with(spinner);
            bar.set_message(clean(line));
        } else {
            // As it is: yum's own lines fill the console's 80 columns.
            let _ = writeln!(self.lines, "{}", clean(line));
        }
    }

    /// Bytes transferred so far, and in all where that is known.
    pub fn transfer(&mut self, what: &str, done: u64, total: Option<u64>) {
        if self.quiet {
        } else if self.on_terminal {
            let bar = self.bar.get_or_insert_with(spinner);
            if let (Some(total), None) = (total, bar.length()) {
                bar.set_style(style("   [{bar:30}] {percent:>3}% {wide_msg}"));
                bar.set_length(total);
            }
            bar.set_position(done);
            bar.set_message(format!("{} {}", bytes(done), clean(what)));
        } else if total == Some(done) || self.reported.is_none_or(|at| at.elapsed() >= EVERY) {
            self.reported = Some(Instant::now());
            let of = total.map(|total| format!(" of {}", bytes(total))).unwrap_or_default();
            let _ = writeln!(self.lines, "   {}: {}{of}", clean(what), bytes(done));
        }
    }

    /// Takes away what is drawn: the work has ended.
    pub fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        self.reported = None;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

fn spinner() -> ProgressBar {
    let bar = ProgressBar::no_length().with_style(style("   {spinner} {elapsed} {wide_msg}"));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .tick_chars("-\\|/ ")
        .progress_chars("=> ")
}

/// Plain ASCII: what tools print may be anything.
fn clean(text: &str) -> String {
    ascii(&safe(&without_secrets(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// What is written where there is no terminal.
    fn written(quiet: bool, work: impl FnOnce(&mut Progress)) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        let lines = Box::new(file.reopen().unwrap());
        work(&mut Progress { bar: None, lines, on_terminal: false, quiet, reported: None });
        fs::read_to_string(file.path()).unwrap()
    }

    #[test]
    fn without_a_terminal_there_are_plain_lines_and_not_one_for_every_block() {
        let work = |progress: &mut Progress| {
            progress.work("Installing \u{1b}[2Jperl");
            for done in [0, 1 << 20, 2 << 20, 3 << 20] {
                progress.transfer("http://user:secret@host/a.rpm", done, Some(3 << 20));
            }
            progress.line("done");
        };
        assert_eq!(
            written(false, work),
            "Installing \\u{1b}[2Jperl\n   http://***@host/a.rpm: 0 bytes of 3 MiB\n   \
             http://***@host/a.rpm: 3 MiB of 3 MiB\ndone\n"
        );
        assert_eq!(written(true, work), "");
    }
}
