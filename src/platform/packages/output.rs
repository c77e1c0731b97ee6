//! What a package manager says.

use crate::host::command::Output;
use crate::host::text;

/// Why a package manager did not do it: the lines that say so, else the last ones.
pub fn reason(output: &Output) -> String {
    const TELLING: [&str; 15] = [
        "No package",
        "No match for",
        "Error",
        "error:",
        "Errno",
        "Cannot",
        "Could not",
        "Unable to find",
        "nothing provides",
        "is needed by",
        "conflicts with",
        "Failed",
        "protected packages",
        "is not signed",
        "Public key",
    ];
    let all = [output.stdout.as_slice(), b"\n", &output.stderr].concat();
    let all = text::without_secrets(&String::from_utf8_lossy(&all));
    let mut lines: Vec<&str> = Vec::new();
    for line in all.lines().map(|line| line.trim().trim_start_matches("- ")) {
        // What ends in a colon announces the lines that follow.
        let names_it = !line.ends_with(':') && TELLING.iter().any(|word| line.contains(word));
        if names_it && !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.truncate(6);
    let message = if lines.is_empty() { output.message() } else { text::safe(&lines.join("; ")) };
    let message: String = message.chars().take(600).collect();
    if message.is_empty() { format!("it said nothing (status {})", output.status) } else { message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_yum_says_of_missing_packages_and_dead_mirrors_is_quoted() {
        let output = Output {
            stdout: b"Setting up Install Process\nNo package lsscsi available.\nError: Nothing to do\nError: Nothing to do\n"
                .to_vec(),
            ..Output::default()
        };
        assert_eq!(reason(&output), "No package lsscsi available.; Error: Nothing to do");
        assert_eq!(reason(&Output::default()), "it said nothing (status 0)");
    }
}
