//! No input makes the program panic, hang, or fill the memory; each is refused with one line.

use std::fs;
use std::time::{Duration, Instant};

use super::*;
use crate::profile::load::from_text;
use crate::testing::{chance, samples};

/// What one profile may take. A test machine is slow and a debug build slower: the figure is for "at once",
/// against the minutes and gigabytes that these texts would take without the bounds.
const AT_ONCE: Duration = Duration::from_secs(60);

/// The most memory that this process ever had, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The refusal of a text, which comes at once and in little memory.
fn refusal(text: &str) -> String {
    let (started, before) = (Instant::now(), peak());
    let message = from_text(text, "p.yaml", &[]).unwrap_err().to_string();
    let (took, grew) = (started.elapsed(), peak() - before);
    assert!(took < AT_ONCE, "took {took:?}: {message}");
    // Tests run side by side, and all of them count here.
    assert!(grew < 300 << 10, "took {grew} KiB: {message}");
    assert!(!message.contains('\n') && message.chars().count() < 600, "{message}");
    message
}

const TOO_MUCH: &str = "holds more than a profile can need (do aliases repeat each other?)";

#[test]
fn a_billion_laughs_fill_no_memory() {
    let mut text = String::from("a: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for level in 1..10 {
        let list = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("b{level}: &a{level} [{list}]\n"));
    }
    assert!(refusal(&text).ends_with(TOO_MUCH), "{}", refusal(&text));
}

#[test]
fn a_few_aliases_to_a_long_list_fill_no_memory() {
    // Within what serde_yaml lets pass: 20,000 aliases to 20,000 values.
    let text = format!("a: &a\n{}b:\n{}", "- x\n".repeat(20_000), "- *a\n".repeat(20_000));
    assert!(refusal(&text).ends_with(TOO_MUCH), "{}", refusal(&text));
    let text = format!("a: &a {}\nb:\n{}", "x".repeat(100_000), "- *a\n".repeat(20_000));
    assert!(refusal(&text).ends_with(TOO_MUCH), "{}", refusal(&text));
}

#[test]
fn what_contains_itself_ends() {
    assert_eq!(refusal("a: &a [*a]\n"), "p.yaml:1: nested deeper than 12 levels");
    assert_eq!(refusal("a: &a\n  b: *a\n"), "p.yaml:2: nested deeper than 12 levels");
}

#[test]
fn depth_is_bounded_in_every_style() {
    assert_eq!(refusal(&"[".repeat(250_000)), "p.yaml: holds more than 2000 brackets");
    let flow = format!("a: {}{}", "[".repeat(500), "]".repeat(500));
    assert_eq!(refusal(&flow), "p.yaml:1: nested deeper than 12 levels");
    assert_eq!(refusal(&"- ".repeat(120_000)), "p.yaml:1: nested deeper than 12 levels");
    assert_eq!(refusal(&"? ".repeat(120_000)), "p.yaml:1: nested deeper than 12 levels");
    let blocks: String = (0..500).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert!(refusal(&blocks).ends_with(": nested deeper than 12 levels"), "{}", refusal(&blocks));
}

#[test]
fn very_many_keys_and_very_long_ones_are_refused_at_once() {
    let many: String = (0..20_000).map(|n| format!("k{n}: 1\n")).collect();
    assert_eq!(refusal(&many), "p.yaml:101: found more than 100 keys in one mapping");
    let long = format!("? {}\n: 1\n", "k".repeat(200_000));
    assert_eq!(refusal(&long), format!("p.yaml:1: unknown key `{}...`", "k".repeat(60)));
}

#[test]
fn an_anchor_that_is_defined_twice_is_not_guessed_at() {
    let text =
        "extends: centos-6.6\nsizing:\n  memory: &a 1 GB\n  os-disk: &a 2 GB\nretention:\n  capacity: *a\n";
    assert_eq!(refusal(text), "p.yaml:4: the anchor `&a` is defined more than once");
}

#[test]
fn an_alias_is_no_offence() {
    let text = "extends: centos-6.6\nsizing:\n  memory: &size 200 GB\n  os-disk: *size\n";
    let profile = from_text(text, "p.yaml", &[]).unwrap();
    assert_eq!(profile.sizing.os_disk.bytes(), 200 << 30);
}

#[test]
fn thousands_of_mutations_end_in_a_profile_or_in_one_line() {
    let words = ": [ ] { } *a | > ' \" # % \u{0} \u{feff} \u{2028} ü null ~ true 0x10 1e999 -1 \
         99999999999999999999999999999999999999999 .nan /../.. ` \\";
    let pieces: Vec<&str> = words
        .split(' ')
        .chain([
            "\t",
            "\n",
            ": ",
            "- ",
            "&a ",
            "!x ",
            "!!int ",
            "---\n",
            "...\n",
            "<<: ",
            "? ",
            "extends: ",
            "\r",
        ])
        .collect();
    let original: Vec<char> = builtin(DEFAULT)
        .unwrap()
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .flat_map(|line| line.chars().chain(['\n']))
        .collect();
    let mut roll = chance(20_260_101);
    let (mut right, mut wrong) = (0, 0);
    for round in samples(2000, Duration::from_secs(1)) {
        let mut text = original.clone();
        for _ in 0..=roll(3) {
            if text.is_empty() {
                break;
            }
            let at = roll(text.len());
            match roll(5) {
                0 => drop(text.remove(at)),
                1 => drop(text.splice(at..at, pieces[roll(pieces.len())].chars())),
                2 => text.truncate(at.max(1)),
                3 => {
                    let end = (at + roll(40)).min(text.len());
                    let part: Vec<char> = text[at..end].to_vec();
                    let to = roll(text.len() + 1);
                    text.splice(to..to, part);
                }
                _ => text[at] = char::from(u8::try_from(roll(128)).unwrap()),
            }
        }
        let text: String = text.into_iter().collect();
        match from_text(&text, "p.yaml", &["sizing.memory"]) {
            Ok(profile) => {
                right += 1;
                let again = from_text(&show(&profile), "shown.yaml", &["sizing.memory"]);
                let again =
                    again.unwrap_or_else(|wrong| panic!("round {round}: {wrong}\n{}", show(&profile)));
                assert_eq!(to_json(&again)["profile"], to_json(&profile)["profile"], "round {round}");
            }
            Err(error) => {
                wrong += 1;
                let message = error.to_string();
                assert!(message.starts_with("p.yaml") && !message.contains('\n'), "round {round}: {message}");
                assert!(!message.chars().any(char::is_control), "round {round}: {message}");
            }
        }
    }
    // Both kinds are really tried.
    assert!(right > 100 && wrong > 800, "{right} right, {wrong} wrong");
}
