//! The words of the kernel's command line that are judged.

use crate::facts::kept;

/// The words of a kernel's command line that are judged; `None` where no kernel is named.
pub(super) fn words(argument: &str) -> Option<Vec<String>> {
    let mut words = argument.split(' ').filter(|word| !word.is_empty() && !word.starts_with("--"));
    words.next()?;
    Some(words.filter(|word| is_judged(word)).map(shortened).collect())
}

/// Whether it names what becomes `/` and its type, whether that is kept read-only, from what memory is brought back, the first process
/// or the runlevel (/etc/init/rcS.conf of CentOS 6), stops in the initial file system (dracut 004), or keeps multipath from being
/// started or asks before each service (/etc/rc.d/rc.sysinit, which looks for these texts anywhere).
fn is_judged(word: &str) -> bool {
    const NAMES: [&str; 5] = ["root=", "init=", "rdinit=", "resume=", "rootfstype="];
    is_runlevel(word)
        || ["emergency", "noresume"].contains(&word)
        || is_break(word)
        || ["nompath", "confirm", "readonlyroot"].iter().any(|text| word.contains(text))
        || word != "init=/sbin/init" && NAMES.iter().any(|name| word.starts_with(name))
}

/// Whether the word asks for a runlevel; of several the last counts.
pub fn is_runlevel(word: &str) -> bool {
    ["-s", "s", "S", "single"].contains(&word)
        || word.len() == 1 && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// The runlevel with several users that a kernel's words ask for; with any other no service is started, which is judged by itself.
pub(super) fn runlevel(words: &[String]) -> Option<char> {
    let last = words.iter().rfind(|word| is_runlevel(word))?;
    last.chars().next().filter(|level| ('2'..='5').contains(level))
}

/// Whether dracut stops there with a shell (`getarg rdbreak`; later `rd.break`).
pub fn is_break(word: &str) -> bool {
    ["rdbreak", "rd.break"].contains(&word.split('=').next().unwrap_or_default())
}

/// The word, with as much of its value as a device's name has.
fn shortened(word: &str) -> String {
    match word.split_once('=') {
        Some((name, value)) => format!("{name}={}", kept::source(value.to_owned())),
        None => word.to_owned(),
    }
}
