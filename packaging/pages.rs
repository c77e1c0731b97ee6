//! The man pages and completions of the packages, from the same definitions as the help:
//!
//!     cargo run --example pages -- DIRECTORY
//!
//! leaves man/PAGE.SECTION and completions/ in DIRECTORY, where packaging/build fills in @VERSION@ and @DATE@. What only a
//! person can write is in packaging/man: PAGE.roff has the description and the last sections of a verb's page,
//! PAGE.SECTION.roff the whole of any other page. Lines of these files that are filled in here:
//!
//!     @LIST@              what seal takes out and what stays (mt-agent-seal(8))
//!     @VCENTER@           what only vCenter can tell (mt-agent-check(8))
//!     @KEYS@              the keys of a profile (mt-agent-profile(5))
//!     @TESTS@ FILE NAME.. the tests that hold a promise, by file and function, or its beginning and "..." (mt-agent-safety(7))
//!
//! `cargo test --example pages` judges the pages, tests/packages/run what is in the packages.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a tool of the build: its files are not the host's"
)]

#[path = "pages/keys.rs"]
mod keys;
#[path = "pages/roff.rs"]
mod roff;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use mt_agent::cli::Cli;
use mt_agent::image::seal::steps;
use mt_agent::image::seal::table::{Row, TABLE};
use mt_agent::steps::vcenter_only;

use roff::{listed, roff, words, wrapped};

const SECTION: &str = "8";

/// What a page lists before its SEE ALSO, as (names, what they do): variables that all verbs read.
const ENVIRONMENT: &[(&str, &str)] = &[
    (
        "LC_ALL, LC_CTYPE, LANG",
        "The first one that is set names the character set. Without UTF-8 the output is ASCII alone.",
    ),
    ("NO_COLOR", "If it is set and not empty, `--color auto` uses no colours."),
    (
        "TERM",
        "With `dumb`, `--color auto` uses no colours. With it, or without any, progress is printed as lines.",
    ),
];

/// The variables that only [`ONLINE`] verbs read.
const ENVIRONMENT_ONLINE: &[(&str, &str)] = &[(
    "http_proxy, https_proxy, all_proxy, no_proxy",
    "How to reach the network: for the files that mt-agent fetches, and for yum or dnf. The names in capitals are read too, \
         but for HTTP_PROXY, which only yum or dnf is given; all_proxy is for what mt-agent fetches alone. A password in them is neither logged nor recorded.",
)];

/// The verbs that may use the network.
const ONLINE: &[&str] = &["mt-agent-apply", "mt-agent"];

const FAILED: &str = "could not do the work: bad usage, bad profile, not permitted, I/O error";

/// What the exit statuses of the page `name` mean.
fn exit_status(name: &str) -> Vec<(u8, String)> {
    let statuses: &[&str] = match name.strip_prefix("mt-agent-") {
        None => &[
            "ready: every required requirement is met (plan: nothing to change); done, of what judges nothing",
            "not ready (plan: there are changes to make, or a restart is owed; seal: not sealed)",
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

/// What is read from the environment by the verb of the page `name`.
fn environment(name: &str) -> String {
    let online = if ONLINE.contains(&name) { ENVIRONMENT_ONLINE } else { &[] };
    let mut out = String::from(".SH ENVIRONMENT\n");
    for (names, text) in ENVIRONMENT.iter().chain(online) {
        out += &format!(".TP\n.B {}\n{}\n", words(names), words(text));
    }
    out + ".PP\nThe tools that are started get the proxy variables and\n.BR TZ ,\nand are looked for in /usr/sbin, /usr/bin, /sbin and \
           /bin, whatever\n.B PATH\nsays.\n"
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

/// What a person wrote of a page without a verb, whole.
fn written(name: &str, section: &str, text: &str) -> String {
    let heading = format!(
        ".TH {} {section} @DATE@ \"mt-agent @VERSION@\" \"System Administration\"\n.ad l\n.nh\n",
        name.to_uppercase()
    );
    let (mut out, mut listing) = (heading, false);
    for line in text.lines() {
        let tests = line.strip_prefix("@TESTS@ ");
        if tests.is_some() && !listing {
            out += ".PP\nTests:\n";
        }
        listing = tests.is_some();
        match tests {
            Some(tests) => out += &listed(tests),
            None if line == "@KEYS@" => out += &keys::keys(),
            None => out += &format!("{line}\n"),
        }
    }
    wrapped(&out)
}

/// The page of `command`, which is a verb or the program itself.
fn page(command: &Command, name: &str, others: &[(String, String)]) -> String {
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
    // The examples come last, what is read from the environment before them.
    let at = rest.find(".SH EXAMPLES\n").unwrap();
    let (rest, examples) = rest.split_at(at);
    for part in [rest, &environment(name), examples] {
        out.extend_from_slice(part.as_bytes());
    }
    out.extend_from_slice(b".SH \"SEE ALSO\"\n");
    let others: Vec<_> = others
        .iter()
        .filter(|(other, section)| other != name || section != SECTION)
        .map(|(other, section)| format!(".BR {} ({section})", roff(other)))
        .collect();
    out.extend_from_slice(others.join(",\n").as_bytes());
    out.push(b'\n');
    // Breaks around vertical space do nothing, and mandoc says so.
    wrapped(&String::from_utf8(out).unwrap().replace(".br\n\n.br\n", ".sp\n"))
}

/// What only vCenter can tell.
fn vcenter() -> String {
    vcenter_only().iter().map(|text| format!(".IP \\(bu 2\n{}\n", words(text))).collect()
}

/// The list of `seal`, from the data that it works by.
fn list() -> String {
    let rows = |of: &dyn Fn(&Row) -> bool| -> String {
        let lines =
            TABLE.iter().filter(|row| of(row)).map(|row| format!(".IP \\(bu 2\n{}\n", roff(&row.summary())));
        lines.collect()
    };
    let mut out = String::new();
    for (id, title) in steps() {
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
    let rest = rest.replace("@LIST@\n", &list()).replace("@VCENTER@\n", &vcenter());
    assert!(description.trim().len() > 40, "{} has no description", path.display());
    assert!(rest.contains(".SH EXAMPLES\n"), "{} has no section EXAMPLES", path.display());
    (description.to_owned(), rest)
}

/// The pages that are no verb's: (name, section, text).
fn others() -> Vec<(String, String, String)> {
    let mut pages = Vec::new();
    for entry in fs::read_dir(packaging().join("man")).unwrap() {
        let path = entry.unwrap().path();
        let page = path.file_stem().and_then(|stem| stem.to_str()).unwrap();
        if let Some((name, section)) = page.rsplit_once('.') {
            pages.push((name.to_owned(), section.to_owned(), fs::read_to_string(&path).unwrap()));
        }
    }
    pages.sort();
    pages
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
    let others = others();
    let mut names: Vec<_> = pages.iter().map(|(name, _)| (name.clone(), SECTION.to_owned())).collect();
    names.extend(others.iter().map(|(name, section, _)| (name.clone(), section.clone())));
    let mut files = BTreeMap::new();
    for (name, section, text) in others {
        files.insert(PathBuf::from(format!("man/{name}.{section}")), written(&name, &section, &text));
    }
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
        let stem = Path::new("man").join(path.file_stem().unwrap());
        let page = if stem.extension().is_some() { stem } else { stem.with_extension(SECTION) };
        assert!(wanted.contains_key(&page), "{} belongs to no page", path.display());
    }
}

#[test]
fn a_verb_that_judges_nothing_has_no_exit_status_of_a_judgement() {
    for (path, page) in
        wanted().iter().filter(|(path, _)| path.extension().is_some_and(|section| section == SECTION))
    {
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
fn every_page_of_section_8_has_its_environment_and_two_examples() {
    for (path, page) in
        wanted().iter().filter(|(path, _)| path.extension().is_some_and(|section| section == SECTION))
    {
        let name = path.display();
        assert!(page.contains("\n.SH ENVIRONMENT\n"), "{name}");
        let examples = page.split_once("\n.SH EXAMPLES\n").unwrap().1;
        let examples = examples.split_once("\n.SH ").unwrap().0;
        let commands = examples.lines().filter(|line| line.starts_with("mt\\-agent"));
        assert!(commands.count() >= 2, "{name}: expected two examples at least");
    }
}

#[test]
fn every_key_of_a_profile_is_in_its_page() {
    let page = &wanted()[Path::new("man/mt-agent-profile.5")];
    let schema = mt_agent::profile::schema();
    let objects = schema["$defs"].as_object().unwrap().values().chain([&schema]);
    let keys: Vec<_> = objects.flat_map(|object| object["properties"].as_object().unwrap().keys()).collect();
    assert!(keys.len() > 60, "{keys:?}");
    let headings: Vec<_> =
        page.lines().filter_map(|line| line.strip_prefix(".B ").or(line.strip_prefix(".SS "))).collect();
    for key in keys {
        let key = roff(key);
        assert!(headings.iter().any(|path| path.rsplit('.').next() == Some(&key)), "{key}");
    }
}

#[test]
fn every_promise_names_tests_that_are_there() {
    let text = fs::read_to_string(packaging().join("man/mt-agent-safety.7.roff")).unwrap();
    let top = packaging().join("..");
    let mut count = 0;
    for line in text.lines().filter_map(|line| line.strip_prefix("@TESTS@ ")) {
        let mut parts = line.split(' ');
        let file = parts.next().unwrap();
        let source = fs::read_to_string(top.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        for name in parts {
            let (name, end) = name.strip_suffix("...").map_or((name, "("), |beginning| (beginning, ""));
            let found = ["", "    "]
                .iter()
                .any(|indent| source.contains(&format!("#[test]\n{indent}fn {name}{end}")));
            assert!(found, "{file} has no test {name}");
            count += 1;
        }
    }
    assert!(count > 50, "{count}");
    // Each promise, which is a subsection, has one at least.
    let promises = text.split("\n.SS ").skip(1);
    for promise in promises {
        assert!(promise.contains("\n@TESTS@ "), "{promise}");
    }
}

#[test]
fn every_page_that_another_names_is_there() {
    let wanted = wanted();
    for (path, page) in wanted.iter().filter(|(path, _)| path.starts_with("man")) {
        let plain = page.replace("\\fB", "").replace("\\fR", "").replace("\\-", "-").replace(" (", "(");
        for (at, _) in plain.match_indices("mt-agent") {
            let rest = &plain[at..];
            let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '-').unwrap_or(rest.len());
            if let [b'(', section @ b'1'..=b'9', b')', ..] = rest.as_bytes()[end..] {
                let named = format!("man/{}.{}", &rest[..end], char::from(section));
                assert!(wanted.contains_key(Path::new(&named)), "{} names {named}", path.display());
            }
        }
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
