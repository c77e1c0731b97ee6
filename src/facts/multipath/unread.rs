//! Whether multipathd goes by the configuration file as it is now: it reads it when it starts, and when it is told to.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{CONFIGURATION, IDS};
use crate::facts::custom_changes::running;
use crate::facts::{Fact, clock, read};
use crate::host::command::Command;
use crate::host::{Host, text};

/// Written by multipathd when it starts, and not after.
const PIDFILE: &str = "/var/run/multipathd.pid";

/// The sections of what multipath prints that are compared as a whole.
const SECTIONS: [&str; 3] = ["blacklist", "blacklist_exceptions", "multipaths"];

/// What is compared of every section.
const KEYS: [&str; 2] = ["user_friendly_names", "find_multipaths"];

/// How long multipath and multipathd have to answer, each. A daemon that waits for a disk does not.
const DEADLINE: Duration = Duration::from_secs(8);

/// How long both have, and a little more.
pub(crate) const WITHIN: Duration = Duration::from_secs(18);

/// `sysconf(_SC_CLK_TCK)` of Linux on `x86_64`.
const TICKS: u64 = 100;

/// How far apart, in seconds, two times have to be that were rounded and counted from another begin.
const APART: u64 = 2;

/// What the process `pid` of multipathd has not read of [`CONFIGURATION`] yet, in words: by its own answer, held against
/// what multipath reads in the file now. Both print what they have by one function in each version (0.4.9: `dump_config`,
/// `show_config`; later ones: `snprint_config`). Where there is no such answer, a file that is older than the process is one
/// that it has read.
pub(crate) fn load(host: &Host, pid: u32) -> Fact<Option<String>> {
    let asked = || -> Result<Option<String>> {
        let ask = |tool: &str, word: &str| -> Result<String> {
            let output = Command::new(tool, [word], DEADLINE).only_looks().read(host)?;
            // "timeout" and "fail" end with status 0 in 0.4.9.
            ensure!(output.contains("blacklist {"), "{tool} {word} prints no configuration");
            Ok(output)
        };
        Ok(difference(&ask("multipathd", "-kshow config")?, &ask("multipath", "-t")?))
    };
    match asked() {
        Ok(difference) => Fact::Known(difference),
        Err(why) => match is_older(host, pid) {
            Ok(true) => Fact::Known(None),
            Ok(false) => Fact::Unknown(format!("{why:#}, and the file is not older than multipathd")),
            Err(more) => Fact::Unknown(format!("{why:#}; {more:#}")),
        },
    }
}

/// How what multipathd has differs from what the file says, of what is judged here.
fn difference(daemon: &str, file: &str) -> Option<String> {
    let (daemon, file) = (judged(daemon), judged(file));
    if daemon == file {
        return None;
    }
    let only = |of: &[&str], other: &[&str]| match of.iter().find(|line| !other.contains(line)) {
        Some(line) => format!("`{}`", text::safe(line)),
        None => "nothing more".to_owned(),
    };
    Some(format!("it goes by {}, the file has {}", only(&daemon, &file), only(&file, &daemon)))
}

/// The lines of a printed configuration that are compared.
fn judged(printed: &str) -> Vec<&str> {
    let mut section = "";
    let mut judged = Vec::new();
    for line in printed.lines() {
        let word = line.split_whitespace().next().unwrap_or_default();
        if line.ends_with('{') && line.starts_with(word) {
            section = word;
        }
        if SECTIONS.contains(&section) || KEYS.contains(&word) || IDS.contains(&word) {
            judged.push(line.trim());
        }
    }
    judged
}

/// Whether the file was changed last before the process began. The file's time is that of the clock then. The begin of the
/// process is told by the clock of today (ticks since the boot) and by that of then (its own file): with a step of the clock
/// between file and begin, or since, a file that was changed later is not older than both.
fn is_older(host: &Host, pid: u32) -> Result<bool> {
    let time = |path| read::ctime(host, path)?.with_context(|| format!("there is no {path}"));
    let stat = read::text(host, "/proc/stat")?;
    let boot = clock::parse_btime(&stat).context("/proc/stat does not say when the kernel booted")?;
    let began = boot.saturating_add(running::process(host, pid)?.start_ticks / TICKS);
    Ok(time(CONFIGURATION)?.saturating_add(APART) <= began.min(time(PIDFILE)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;
    use crate::testing::begins;

    /// As 0.9.4 prints it; 0.4.9 has the same sections and blanks.
    fn printed(names: &str, wwid: &str) -> String {
        format!(
            "defaults {{\n\tverbosity 2\n\tuser_friendly_names \"{names}\"\n\tfind_multipaths \"no\"\n}}\nblacklist {{\n\
             \tdevnode \"!^(sd[a-z]|dasd[a-z]|nvme[0-9])\"\n\twwid \"{wwid}\"\n\tdevice {{\n\t\tvendor \"InMage\"\n\t}}\n}}\n\
             blacklist_exceptions {{\n\tproperty \"(SCSI_IDENT_|ID_WWN)\"\n}}\ndevices {{\n\tdevice {{\n\t\tvendor \"3PARdata\"\n\
             \t\tfast_io_fail_tmo 10\n\t}}\n}}\nmultipaths {{\n\tmultipath {{\n\t\twwid \"x\"\n\t\talias \"y\"\n\t}}\n}}\n"
        )
    }

    #[test]
    fn what_the_daemon_has_is_held_against_the_file() {
        let now = printed("no", "^a$");
        assert_eq!(difference(&now, &now), None);
        let was = |daemon: &str| difference(daemon, &now).unwrap_or_default();
        assert_eq!(
            was(&printed("yes", "^a$")),
            "it goes by `user_friendly_names \"yes\"`, the file has `user_friendly_names \"no\"`"
        );
        assert_eq!(was(&printed("no", "^b$")), "it goes by `wwid \"^b$\"`, the file has `wwid \"^a$\"`");
        assert_eq!(
            was(&now.replace("\twwid \"^a$\"\n", "")),
            "it goes by nothing more, the file has `wwid \"^a$\"`"
        );
        assert_eq!(
            was(&now.replace("alias \"y\"", "alias \"z\"")),
            "it goes by `alias \"z\"`, the file has `alias \"y\"`"
        );
        let device = "fast_io_fail_tmo 10\n";
        let with = |line: &str| now.replace(device, &format!("{device}\t\t{line}\n"));
        assert!(was(&with("user_friendly_names \"yes\"")).contains("yes"));
        assert!(was(&with("uid_attribute \"DM_UUID\"")).contains("DM_UUID"));
        // What it was started with, and what is not judged.
        for other in [now.replace("verbosity 2", "verbosity 3"), with("no_path_retry 3")] {
            assert_eq!(difference(&other, &now), None);
        }
        testing::damage(&now, |text| drop(difference(text, &now)));
    }

    fn unread(files: &[(&str, &str)]) -> Fact<Option<String>> {
        let more = "-1 4202752 1012 0 3 0 5 11 0 0 20 0 1 0";
        let stat = format!("9 (multipathd) S 1 9 9 0 {more} 20400 1 1\n");
        let base = [
            ("proc/9/stat", stat.as_str()),
            ("proc/stat", "btime 10000\n"),
            ("etc/multipath.conf", ""),
            ("var/run/multipathd.pid", "9"),
        ];
        let dir = testing::tree(&[&base, files].concat());
        load(&Host::recorded(dir.path()), 9)
    }

    #[test]
    fn without_an_answer_the_times_of_both_clocks_count() {
        // It began at 10204 by the clock of today.
        let at = |file: u64, begin: u64| {
            let lines = format!("/etc/multipath.conf {file}\n/var/run/multipathd.pid {begin}\n");
            unread(&[("commands/ctime", &lines)])
        };
        assert_eq!(at(9000, 10204), Fact::Known(None));
        assert_eq!(at(10202, 10204), Fact::Known(None));
        // Changed since; within the same seconds; the clock was behind when the file was changed, and was set since; it was
        // ahead when the process began.
        for (file, begin) in [(10300, 10204), (10203, 10204), (7300, 7204), (10300, 13804)] {
            let Fact::Unknown(why) = at(file, begin) else { panic!("{file} {begin}") };
            assert!(why.contains("the file is not older than multipathd"), "{why}");
        }
        // Set right since the boot: a golden image's file is older than either.
        assert_eq!(at(5000, 7204), Fact::Known(None));
        assert!(matches!(unread(&[]), Fact::Unknown(_)), "the recording does not say");
    }

    #[test]
    fn the_answer_goes_before_the_times_and_what_is_none_is_no_answer() {
        let (old, now) = (printed("yes", "a"), printed("no", "a"));
        let ctime = |file: u64| format!("/etc/multipath.conf {file}\n/var/run/multipathd.pid 10204\n");
        let asked = |daemon: &str, file: u64| {
            unread(&[
                ("commands/multipathd", daemon),
                ("commands/multipath", &now),
                ("commands/ctime", &ctime(file)),
            ])
        };
        assert_eq!(asked(&now, 10300), Fact::Known(None), "it was told to read it since");
        let Fact::Known(Some(_)) = asked(&old, 9000) else { panic!("older than the process") };
        assert_eq!(asked("timeout\n", 9000), Fact::Known(None));
        let Fact::Unknown(why) = asked("timeout\n", 10300) else { panic!() };
        begins(&why, "multipathd -kshow config prints no configuration, and");
    }
}
