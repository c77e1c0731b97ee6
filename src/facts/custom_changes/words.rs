//! What the vendor's script says, cut down to what a person needs: it names what it misses a line above its FAILED, and
//! says FAILED only when the last of its list is missing.

use crate::host::text;

/// How much of it is shown, in characters.
const LONGEST: usize = 600;

/// How many lines above a FAILED belong to it.
const ABOVE: usize = 2;

/// The first lines of `output` that say FAILED, each with what stands above it, made into one.
pub fn failures(output: &str) -> Option<String> {
    let output = text::without_secrets(output);
    let failed = failed(&output);
    (!failed.is_empty()).then(|| joined(failed.into_iter()))
}

/// What [`failures`] needs of `output`, a line each, cut to 500 characters; empty where nothing failed.
pub fn judged(output: &str) -> String {
    let output = text::without_secrets(output);
    let line = |line: &str| text::safe(line).chars().take(500).collect::<String>();
    failed(&output).into_iter().map(line).collect::<Vec<_>>().join("\n")
}

fn failed(output: &str) -> Vec<&str> {
    let lines = lines(output);
    let failed: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].contains("FAILED")).take(3).collect();
    let belongs =
        |at: &usize| failed.iter().any(|failed| (failed.saturating_sub(ABOVE)..=*failed).contains(at));
    (0..lines.len()).filter(belongs).map(|at| lines[at]).collect()
}

/// The end of `output`, made into one line; empty where it is empty.
pub fn last(output: &str) -> String {
    let output = text::without_secrets(output);
    let lines = lines(&output);
    joined(lines[lines.len().saturating_sub(ABOVE + 2)..].iter().copied())
}

/// The lines that say something.
fn lines(output: &str) -> Vec<&str> {
    // The script's question stands before the first line that follows it.
    let start = |line: &'_ str| line.rfind("[default N] :").map_or(0, |at| at + "[default N] :".len());
    output.lines().map(|line| line[start(line)..].trim()).filter(|line| !line.is_empty()).collect()
}

fn joined<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let lines: Vec<&str> = lines.collect();
    text::safe(&lines.join("; ")).chars().take(LONGEST).collect()
}

/// The packages that the script's own list of missing ones names. A line with anything but names is prose.
pub fn packages(list: &str) -> Vec<String> {
    let is_name = |word: &str| {
        let last = word.bytes().next_back();
        word.len() > 1
            && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.+".contains(&b))
            && word.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            && last.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'+')
    };
    let names = |line: &&str| {
        let mut words = line.split_whitespace();
        // In a sentence small words stand alone.
        words.clone().all(is_name) && !words.any(|word| ["is", "are", "not", "the"].contains(&word))
    };
    let mut found: Vec<String> = Vec::new();
    for word in list.lines().filter(names).flat_map(str::split_whitespace) {
        if found.len() < 20 && !found.iter().any(|name| name == word) {
            found.push(word.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_quoted_safely_with_what_stands_above_them() {
        assert_eq!(failures("all done\n"), None);
        assert_eq!(failures("FAILED token=abc\n").as_deref(), Some("FAILED token=***"));
        let output =
            "started\nchecking packages\nlsscsi kexec-tools\n\nSure? [default N] : FAILED\x07\nend\n";
        let expected = "checking packages; lsscsi kexec-tools; FAILED\\u{7}";
        assert_eq!(failures(output).as_deref(), Some(expected));
        assert_eq!(failures("FAILED\nFAILED\n").as_deref(), Some("FAILED; FAILED"));
        // What is kept of it says the same, and no more.
        let log = format!("secret one\n{output}{0}a\n\nb\nc FAILED\n{0}", "more\n".repeat(50));
        assert_eq!(failures(&judged(&log)), failures(&log));
        assert_eq!(judged(&log).lines().count(), 6, "{}", judged(&log));
        assert_eq!(judged("all done\n"), "");
        assert!(failures(&"x".repeat(5000).replacen('x', "FAILED", 1)).unwrap().len() <= LONGEST);
    }

    #[test]
    fn the_end_of_what_was_said_is_more_than_its_last_line() {
        assert_eq!(
            last("a\nb\n\nc\nlsscsi\nnot all packages are there\n"),
            "b; c; lsscsi; not all packages are there"
        );
        assert_eq!(last(" \n"), "");
        assert_eq!(last("Sure? [Y|N] [default N] : Stopped\n"), "Stopped");
    }

    #[test]
    fn packages_are_taken_from_lines_of_names_alone() {
        let list = "The following packages are missing:\nlsscsi\nkexec-tools device-mapper-multipath\nlsscsi\nthese are not installed\n$(reboot)\n";
        assert_eq!(packages(list), ["lsscsi", "kexec-tools", "device-mapper-multipath"]);
        assert_eq!(packages("libstdc++ x86_64\n"), ["libstdc++", "x86_64"]);
        assert_eq!(packages(""), [] as [&str; 0]);
    }
}
