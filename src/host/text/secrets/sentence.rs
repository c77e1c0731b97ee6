//! Values in a sentence: `the password is x`, `using password x`, `password changed to x`.

use crate::host::text::has_word;

/// What is said of a state, and no value: the end of a line.
const STATES: &str = "required,needed,wrong,incorrect,invalid,empty,missing,expired,locked,not set,not valid";

/// What is said of a package: how the line goes on.
const OF_PACKAGES: [&str; 6] =
    ["needed by ", "obsoleted by ", "already ", "not installed", "intended for a ", "not a package"];

/// What stands between the name and the value.
const LINKS: [&str; 10] = ["is", "was", "has", "been", "now", "changed", "set", "reset", "updated", "to"];

/// What is done with a secret: the value follows its name.
const USED: &str = "set setting change changed changing reset use used uses using with register registered registering \
     send sending try tried trying rejected";

/// What follows there in a sentence that tells no value.
const NO_VALUES: &str = "for of from in with without and or to on at by via as is was has that which if when file files \
     authentication auth policy hash hashes prompt again database expiry expiration aging protection \
     protected based ring failed only change quality requests";

/// How the names end of what is used so. `passwd` is a program, and `libsecret` a package.
const NAMES: [&str; 6] = ["password", "passphrase", "passcode", "secret", "token", "key"];

pub(super) fn is_state(text: &str) -> bool {
    STATES.split(',').any(|state| state == text)
}

/// The value in `text`, which follows `name`, in lower case, in a line that begins with `before`.
pub(super) fn value<'a>(before: &str, name: &str, text: &'a str) -> Option<&'a str> {
    // Words of prose: `would pass for one`.
    if ["pass", "pin"].contains(&name) {
        return None;
    }
    // A shell's `unexpected token "x"` is about a program's text.
    if text.starts_with(['"', '\'']) {
        return (!before.ends_with("unexpected ")).then_some(text);
    }
    let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
    if ["for", "of"].contains(&verb) {
        let mut behind = rest.match_indices(':').take(4).map(|(at, _)| &rest[at + 1..]);
        return behind.find(|rest| rest.is_empty() || rest.starts_with([' ', '\t'])).map(str::trim_start);
    }
    linked(before, text).or_else(|| {
        let word = verb.trim_end_matches(|c: char| c.is_ascii_punctuation());
        let is_value = !word.is_empty() && !has_word(NO_VALUES, word) && !LINKS.contains(&word);
        let is_name = NAMES.iter().any(|end| name.ends_with(end)) && !name.starts_with("lib");
        (is_name && is_value && !text.starts_with('(') && !is_state(text) && is_used(before)).then_some(text)
    })
}

/// What follows `is`, `was set to`, `has been changed to:`; `to` alone where something was done with the secret.
fn linked<'a>(before: &str, text: &'a str) -> Option<&'a str> {
    let (mut value, mut is_given, mut last, mut has_sign) = (text, is_used(before), "", false);
    loop {
        let (word, behind) = value.split_once(' ').unwrap_or((value, ""));
        let link = word.trim_end_matches([':', '=']);
        if !LINKS.contains(&link) {
            break;
        }
        is_given |= ["is", "was"].contains(&link) || !last.is_empty();
        (value, last, has_sign) = (behind.trim_start(), link, link.len() < word.len());
    }
    let state = value.trim_end_matches(|c: char| c == '.' || c == '!' || c.is_whitespace());
    let is_value = !is_state(state) && !OF_PACKAGES.iter().any(|text| value.starts_with(text));
    let is_linked = has_sign || (is_given && ["is", "was", "now", "to"].contains(&last));
    (is_linked && is_value && (has_sign || !value.is_empty())).then_some(value)
}

/// Whether one of the last words tells that something is done with what follows, and no help of a program's options does.
fn is_used(before: &str) -> bool {
    let is_help = before.trim_start().starts_with('-') && before.trim_start().contains("  ");
    !is_help
        && before.split_whitespace().rev().take(3).any(|word| {
            let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
            USED.split(' ').any(|used| used.eq_ignore_ascii_case(word))
        })
}
