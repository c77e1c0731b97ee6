//! The man pages and completions of the packages, from the same definitions as the help:
//!
//!     cargo run --example pages -- DIRECTORY
//!
//! leaves man/PAGE.8 and completions/ in DIRECTORY, where packaging/build fills in @VERSION@ and @DATE@. What only a person
//! can write (longer descriptions, examples) is in packaging/man/PAGE.roff, one file a page. `cargo test --example pages`
//! judges them, tests/packages/run what is in the packages.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a tool of the build: its files are not the host's"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use mt_agent::cli::Cli;
use mt_agent::image::seal::table::{Row, TABLE};
use mt_agent::image::seal::{AROUND, STEPS};

const SECTION: &str = "8";

const FAILED: &str = "could not do the work: bad usage, bad profile, not permitted, I/O error";

/// What the exit statuses of the page `name` mean.
fn exit_status(name: &str) -> Vec<(u8, String)> {
    let statuses: &[&str] = match name.strip_prefix("mt-agent-") {
        None => &[
            "ready: every required requirement is met (plan: nothing to change); done, of what judges nothing",
            "not ready (plan: there are changes to make; seal: not sealed)",
            "@FAILED@, a change that failed",
            "ready after a restart that is still owed",
        ],
        Some("check") => &[
            "ready: every required requirement is met; of a selection, all that was looked at",
            "not ready",
            "@FAILED@",
            "ready after a restart that is still owed",
        ],
        Some("apply") => &[
            "ready: every required requirement is met; of a selection, all that was looked at; --forget: done",
            "not ready",
            "@FAILED@, a change that failed",
            "ready after a restart that is still owed; --resume: the restart has not happened yet",
        ],
        Some("plan") => &["nothing to change", "there are changes to make, or a restart is owed", "@FAILED@"],
        Some("seal") => &[
            "the image is sealed, or was already, or the steps chosen are done",
            "cloning would be unsafe, the person said no, or there is something to do with --dry-run",
            "@FAILED@, a step that failed: what is left is done by the next run",
        ],
        Some("state") => &[
            "everything that is on record agrees with this host; repair: also where nothing was to be done",
            "something does not agree, or a person is asked; the person said no, or there is something to do with --dry-run",
            "@FAILED@, a repair that failed: what is left is done by the next run",
        ],
        // They judge nothing.
        Some("profile") => {
            &["done; check: the file can be used", "", "@FAILED@; check: a waiver without effect"]
        }
        Some(_) => &["done", "", "@FAILED@"],
    };
    let told = (0..).zip(statuses).filter(|(_, text)| !text.is_empty());
    told.map(|(status, text)| (status, text.replace("@FAILED@", FAILED))).collect()
}

fn packaging() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging")
}

/// The program as the packages call it, built, so that every command knows its whole name.
fn program() -> Command {
    let mut program = Cli::command();
    program.build();
    program
}

fn usage(command: &Command) -> String {
    let line = command.clone().render_usage().to_string();
    line.trim_start_matches("Usage: ").to_owned()
}

/// The page of `command`, which is a verb or the program itself.
fn page(command: &Command, name: &str, others: &[String]) -> String {
    // clap wants names that live as long as the program.
    let lasting: &'static str = name.to_owned().leak();
    let command = command.clone().name(lasting).display_name(lasting);
    let synopsis = usage(&command);
    let man = Man::new(command.clone().override_usage(synopsis))
        .title(name.to_uppercase())
        .section(SECTION)
        .date("@DATE@")
        .source("mt-agent @VERSION@")
        .manual("System Administration");
    let mut out = Vec::new();
    man.render_title(&mut out).unwrap();
    // Left adjusted and not hyphenated: names stay whole, and can be searched for.
    out.extend_from_slice(b".ad l\n.nh\n");
    man.render_name_section(&mut out).unwrap();
    man.render_synopsis_section(&mut out).unwrap();
    let (description, rest) = extra(name);
    out.extend_from_slice(b".SH DESCRIPTION\n");
    out.extend_from_slice(description.as_bytes());
    actions(&command, name, &mut out);
    man.render_options_section(&mut out).unwrap();
    out.extend_from_slice(b".SH \"EXIT STATUS\"\n");
    for (status, text) in exit_status(name) {
        out.extend_from_slice(format!(".TP\n.B {status}\n{}\n", roff(&text)).as_bytes());
    }
    out.extend_from_slice(rest.as_bytes());
    out.extend_from_slice(b".SH \"SEE ALSO\"\n");
    let others: Vec<_> = others
        .iter()
        .filter(|other| *other != name)
        .map(|other| format!(".BR {} ({SECTION})", roff(other)))
        .collect();
    out.extend_from_slice(others.join(",\n").as_bytes());
    out.push(b'\n');
    // Breaks around vertical space do nothing, and mandoc says so.
    String::from_utf8(out).unwrap().replace(".br\n\n.br\n", ".sp\n")
}

fn roff(text: &str) -> String {
    text.replace('-', "\\-")
}

/// The list of `seal`, from the data that it works by.
fn list() -> String {
    let rows = |of: &dyn Fn(&Row) -> bool| -> String {
        let lines =
            TABLE.iter().filter(|row| of(row)).map(|row| format!(".IP \\(bu 2\n{}\n", roff(&row.summary())));
        lines.collect()
    };
    let mut out = String::new();
    for (id, title) in AROUND[..1].iter().chain(STEPS).chain(&AROUND[1..]) {
        out += &format!(".TP\n.B {}\n{}\n", roff(id), roff(title));
        let own = rows(&|row| row.step == *id);
        if !own.is_empty() {
            out += &format!(".RS\n{own}.RE\n");
        }
    }
    out += &format!(".SS \"Kept\"\n{}", rows(&Row::is_kept));
    out += &format!(".SS \"Left to you\"\n{}", rows(&Row::is_left));
    out
}

/// What is below a command: the verbs of the program, which have pages of their own; the actions of a verb, which do not.
fn actions(command: &Command, name: &str, out: &mut Vec<u8>) {
    if !command.has_subcommands() {
        return;
    }
    if name == "mt-agent" {
        return Man::new(command.clone().subcommand_help_heading("VERBS"))
            .section(SECTION)
            .render_subcommands_section(out)
            .unwrap();
    }
    out.extend_from_slice(b".SH ACTIONS\n");
    for action in command.get_subcommands() {
        out.extend_from_slice(format!(".SS \"{}\"\n", roff(&usage(action))).as_bytes());
        // The global options are told once, for the verb.
        let mut own = Command::new("action");
        for arg in action.get_arguments().filter(|arg| !arg.is_global_set()) {
            own = own.arg(arg.clone());
        }
        own = own.disable_help_flag(true);
        own.build();
        let mut text = Vec::new();
        Man::new(own).render_options_section(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let about = action.get_about().unwrap_or_else(|| panic!("{} says nothing", action.get_name()));
        out.extend_from_slice(format!("{}\n", roff(&about.to_string())).as_bytes());
        // The preamble and the heading are the page's.
        out.extend_from_slice(text.split_once(".SH OPTIONS\n").map_or("", |(_, options)| options).as_bytes());
    }
}

/// What a person wrote: the description, and the sections after the exit status.
fn extra(name: &str) -> (String, String) {
    let path = packaging().join("man").join(format!("{name}.roff"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!("{}: {error}: write the description and the examples of the man page there", path.display())
    });
    let rest = text.find(".SH ").unwrap_or_else(|| panic!("{} has no section EXAMPLES", path.display()));
    let (description, rest) = text.split_at(rest);
    let rest = rest.replace("@LIST@\n", &list());
    assert!(description.trim().len() > 40, "{} has no description", path.display());
    assert!(rest.contains(".SH EXAMPLES\n"), "{} has no section EXAMPLES", path.display());
    (description.to_owned(), rest)
}

/// Every file, by its path below the directory.
fn wanted() -> BTreeMap<PathBuf, String> {
    let program = program();
    let mut pages: Vec<(String, &Command)> = program
        .get_subcommands()
        .filter(|verb| !verb.is_hide_set())
        .map(|verb| (format!("mt-agent-{}", verb.get_name()), verb))
        .collect();
    pages.insert(0, ("mt-agent".to_owned(), &program));
    let names: Vec<String> = pages.iter().map(|(name, _)| name.clone()).collect();
    let mut files = BTreeMap::new();
    for (name, command) in pages {
        files.insert(PathBuf::from(format!("man/{name}.{SECTION}")), page(command, &name, &names));
    }
    for (shell, name) in
        [(Shell::Bash, "mt-agent.bash"), (Shell::Zsh, "_mt-agent"), (Shell::Fish, "mt-agent.fish")]
    {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "mt-agent", &mut script);
        // clap_complete 4.6 writes the hyphen of the program's name in two ways, so that bash would know no verb.
        let script = String::from_utf8(script).unwrap().replace("mt__subcmd__agent__", "mt__agent__");
        files.insert(Path::new("completions").join(name), script);
    }
    files
}

fn main() {
    let Some(directory) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("pages: expected a directory to write to: cargo run --example pages -- DIRECTORY");
        std::process::exit(2);
    };
    for (name, text) in wanted() {
        let path = directory.join(name);
        let written = fs::create_dir_all(path.parent().unwrap()).and_then(|()| fs::write(&path, text));
        if let Err(error) = written {
            eprintln!("pages: writing {}: {error}", path.display());
            std::process::exit(2);
        }
    }
}

#[test]
fn every_description_belongs_to_a_page() {
    let wanted = wanted();
    for entry in fs::read_dir(packaging().join("man")).unwrap() {
        let path = entry.unwrap().path();
        let page = Path::new("man").join(path.file_name().unwrap()).with_extension(SECTION);
        assert!(wanted.contains_key(&page), "{} belongs to no page", path.display());
    }
}

#[test]
fn a_verb_that_judges_nothing_has_no_exit_status_of_a_judgement() {
    for (path, page) in wanted().iter().filter(|(path, _)| path.starts_with("man")) {
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap();
        let told = page.split_once(".SH \"EXIT STATUS\"\n").unwrap().1;
        let told = told.split_once(".SH ").map_or(told, |(told, _)| told);
        let statuses: String = told.lines().filter_map(|line| line.strip_prefix(".B ")).collect();
        let expected = match name.trim_start_matches("mt-agent-") {
            "mt-agent" | "check" | "apply" => "0123",
            "plan" | "seal" | "state" => "012",
            _ => "02",
        };
        assert_eq!(statuses, expected, "{name}");
        assert_eq!(told.contains("requirement"), expected == "0123", "{name}");
    }
}

#[test]
fn every_page_tells_every_option_of_its_verb() {
    let wanted = wanted();
    for verb in program().get_subcommands() {
        let page = &wanted[Path::new(&format!("man/mt-agent-{}.8", verb.get_name()))];
        let mut args: Vec<_> = verb.get_arguments().collect();
        args.extend(verb.get_subcommands().flat_map(Command::get_arguments));
        for long in args.iter().filter_map(|arg| arg.get_long()) {
            assert!(
                page.contains(&format!("\\fB\\-\\-{}\\fR", roff(long))),
                "mt-agent-{}(8) does not describe --{long}",
                verb.get_name()
            );
        }
        for line in page.lines() {
            assert!(line.len() < 1000, "{line}");
        }
    }
}
