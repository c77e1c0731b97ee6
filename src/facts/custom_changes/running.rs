//! Whether a run of the vendor's script still lives: it is a process group of its own, and goes on when the agent is
//! killed.

use anyhow::{Context, Result, ensure};

use crate::facts::read;
use crate::host::{Host, Kind};
use crate::state::vendor_script::{Process, Record};

/// What /proc/PID/stat shows of a process.
struct Stat {
    ended: bool,
    group: u32,
    session: u32,
    start_ticks: u64,
}

/// The process `pid`, which must live.
/// Errors: It has ended, or /proc cannot be read.
pub fn process(host: &Host, pid: u32) -> Result<Process> {
    let path = format!("/proc/{pid}/stat");
    let stat = parse(&read::text(host, &path)?).with_context(|| format!("{path} is not understood"))?;
    ensure!(!stat.ended, "process {pid} has ended");
    Ok(Process { pid, start_ticks: stat.start_ticks })
}

/// A process of the run that `record` tells of, if one still lives under the boot `boot_id`: its id.
pub fn living(host: &Host, boot_id: &str, record: &Record) -> Result<Option<u32>> {
    // Version 0.1.0 did not record its process.
    let Some(process) = record.process.filter(|_| record.boot_id == boot_id && host.kind() != Kind::Image)
    else {
        return Ok(None);
    };
    // With hidepid none but our own are seen, and the run would look as if it had ended.
    read::text(host, "/proc/1/stat").context("processes of others cannot be seen")?;
    let stat = |pid: u32| host.read(format!("/proc/{pid}/stat")).ok().and_then(|text| parse(&text));
    let leader = stat(process.pid);
    // While a member of a group lives, the kernel gives its number to no new process: a leader of another time leads
    // another group.
    if leader.as_ref().is_some_and(|leader| leader.start_ticks != process.start_ticks) {
        return Ok(None);
    }
    if leader.is_some_and(|leader| !leader.ended) {
        return Ok(Some(process.pid));
    }
    let is_of = |stat: &Stat| !stat.ended && (stat.group == process.pid || stat.session == process.pid);
    let names = host.list("/proc").context("reading /proc")?;
    Ok(names.iter().filter_map(|name| name.parse().ok()).find(|pid| stat(*pid).as_ref().is_some_and(is_of)))
}

/// A process whose command line names `script`: a run of which nothing is on record.
pub fn by_name(host: &Host, script: &str) -> Result<Option<u32>> {
    read::text(host, "/proc/1/stat").context("processes of others cannot be seen")?;
    let runs = |pid: &u32| {
        let line = host.read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split('\0').any(|word| word.rsplit('/').next() == Some(script))
    };
    let names = host.list("/proc").context("reading /proc")?;
    Ok(names.iter().filter_map(|name| name.parse().ok()).find(runs))
}

/// The message about a run that still lives.
pub fn in_words(record: &Record, pid: u32) -> String {
    format!(
        "the vendor script is still running (process {pid}, started at {}): wait for its end, then run this again",
        record.started_at
    )
}

/// The name of the process stands in parentheses and may have some of its own: fields count from the last one.
fn parse(stat: &str) -> Option<Stat> {
    let (_, rest) = stat.rsplit_once(')')?;
    let words: Vec<&str> = rest.split_whitespace().collect();
    Some(Stat {
        ended: matches!(*words.first()?, "Z" | "X" | "x"),
        group: words.get(2)?.parse().ok()?,
        session: words.get(3)?.parse().ok()?,
        start_ticks: words.get(19)?.parse().ok()?,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::facts::testing;
    use crate::state::vendor_script::{Outcome, SCHEMA};

    fn stat(pid: u32, state: &str, group: u32, session: u32, start: u64) -> (String, String) {
        let more = "-1 4202496 1 2 3 4 5 6 7 8 20 0 1 0";
        let line = format!("{pid} (a) S b)) {state} 1 {group} {session} 0 {more} {start} 9 9\n");
        (format!("proc/{pid}/stat"), line)
    }

    fn lives(processes: &[(String, String)]) -> Option<u32> {
        let init = stat(1, "S", 1, 1, 0);
        let files: Vec<_> =
            processes.iter().chain([&init]).map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let tree = testing::tree(&files);
        living(&Host::recorded(tree.path()), "b", &record()).unwrap()
    }

    pub(in crate::facts::custom_changes) fn record() -> Record {
        Record {
            schema: SCHEMA.into(),
            archive_sha256: String::new(),
            boot_id: "b".into(),
            started_at: "2026-01-01T00:00:00Z".into(),
            outcome: Outcome::Started,
            process: Some(Process { pid: 50, start_ticks: 7 }),
            log_bytes: None,
        }
    }

    #[test]
    fn the_script_or_what_is_left_of_its_group_is_found_and_no_other_process() {
        assert_eq!(lives(&[stat(50, "S", 50, 9, 7)]), Some(50));
        assert_eq!(lives(&[stat(50, "Z", 50, 9, 7), stat(51, "D", 50, 9, 8)]), Some(51));
        assert_eq!(lives(&[stat(51, "S", 50, 9, 8)]), Some(51), "its leader has ended");
        assert_eq!(lives(&[stat(51, "S", 51, 50, 8)]), Some(51), "of its session");
        assert_eq!(lives(&[stat(50, "Z", 50, 9, 7), stat(51, "Z", 50, 9, 8)]), None);
        assert_eq!(
            lives(&[stat(50, "S", 50, 50, 8), stat(51, "S", 50, 50, 9)]),
            None,
            "the number is another's now"
        );
        assert_eq!(lives(&[stat(51, "S", 51, 9, 8)]), None);
        assert_eq!(lives(&[]), None);
    }

    #[test]
    fn another_boot_an_older_record_and_hidden_processes() {
        let (path, line) = stat(50, "S", 50, 50, 7);
        let tree = testing::tree(&[(&path, &line)]);
        let host = Host::recorded(tree.path());
        assert_eq!(living(&host, "another", &record()).unwrap(), None);
        assert_eq!(living(&host, "b", &Record { process: None, ..record() }).unwrap(), None);
        let error = format!("{:#}", living(&host, "b", &record()).unwrap_err());
        assert!(error.starts_with("processes of others cannot be seen"), "{error}");
    }

    #[test]
    fn this_process_is_told_from_one_of_the_same_number() {
        let own = process(&Host::live(), std::process::id()).unwrap();
        assert!(own.start_ticks > 0);
        let with = |start_ticks| Record { process: Some(Process { start_ticks, ..own }), ..record() };
        assert_eq!(living(&Host::live(), "b", &with(own.start_ticks)).unwrap(), Some(own.pid));
        assert_eq!(living(&Host::live(), "b", &with(own.start_ticks + 1)).unwrap(), None);
        testing::damage(&stat(50, "S", 50, 50, 7).1, |text| {
            parse(text);
        });
    }
}
