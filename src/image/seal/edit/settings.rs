//! Settings in files that a shell or dhclient reads.

use std::ops::Range;

use super::lines;

/// The key of a line that is an assignment (`  export KEY=value`), as NetworkManager reads the interfaces' files.
fn key(line: &[u8]) -> Option<&str> {
    // Of a line in another encoding the key is plain all the same.
    let end = line.iter().position(|byte| *byte == b'=')?;
    let key = std::str::from_utf8(&line[..end]).ok()?.trim_start();
    Some(key.strip_prefix("export ").unwrap_or(key).trim_start())
}

/// `text` without the assignments of these keys, whether a shell reads them or a program that knows lines alone.
pub fn without_keys(text: &[u8], keys: &[&str]) -> Vec<u8> {
    let mut text = text.to_vec();
    // What is taken out may have had a quote that hid another one.
    loop {
        let found = assignments(&text).filter(|(key, _)| keys.contains(key));
        let ranges = found.map(|(_, range)| range.start..with_semicolon(&text, range.end)).collect();
        let is_empty = |line: &[u8]| {
            let line = line.split(|byte| *byte == b'#').next().unwrap_or_default();
            let mut words = line.split(|byte| byte.is_ascii_whitespace() || *byte == b';');
            words.all(|word| word.is_empty() || word == b"export")
        };
        let after = without(&text, ranges, is_empty);
        let kept = |line: &&[u8]| !key(line).is_some_and(|key| keys.contains(&key));
        let after: Vec<u8> = lines(&after).filter(kept).flatten().copied().collect();
        if after == text {
            return after;
        }
        text = after;
    }
}

/// The end of a command that ends at `end`, with its semicolon: one that nothing stands before is an error to a shell.
fn with_semicolon(text: &[u8], end: usize) -> usize {
    let blanks = text[end..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let at = end + blanks;
    if text.get(at) == Some(&b';') && text.get(at + 1) != Some(&b';') { at + 1 } else { end }
}

/// `text` with `key` set to `value` wherever it is set.
pub fn with_value(text: &[u8], wanted: &str, value: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    for (_, range) in assignments(text).filter(|(key, _)| *key == wanted) {
        out.extend_from_slice(&text[at..range.start]);
        out.extend_from_slice(format!("{wanted}={value}").as_bytes());
        at = range.end;
    }
    out.extend_from_slice(&text[at..]);
    out
}

/// The assignments that a shell finds in `text`, each with where it stands.
fn assignments(text: &[u8]) -> impl Iterator<Item = (&str, Range<usize>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < text.len() {
            if ends_word(text[at]) {
                at += 1;
            } else if text[at] == b'#' {
                at = find(text, at, b'\n').unwrap_or(text.len());
            } else {
                let word = at..end_of_word(text, at);
                at = word.end;
                let name = text[word.clone()].split(|byte| *byte == b'=').next().unwrap_or_default();
                let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
                if word.start + name.len() < word.end && name.iter().all(is_name) {
                    return std::str::from_utf8(name).ok().map(|name| (name, word));
                }
            }
        }
        None
    })
}

fn ends_word(byte: u8) -> bool {
    byte.is_ascii_whitespace() || b";&|()<>".contains(&byte)
}

fn find(text: &[u8], from: usize, wanted: u8) -> Option<usize> {
    text.get(from..)?.iter().position(|byte| *byte == wanted).map(|at| from + at)
}

/// Where the word that begins at `at` ends. A quote that nothing closes is an ordinary character: a shell refuses the file.
fn end_of_word(text: &[u8], mut at: usize) -> usize {
    while at < text.len() && !ends_word(text[at]) {
        let closed = match text[at] {
            b'\\' => Some(at + 1),
            b'\'' | b'`' => find(text, at + 1, text[at]),
            b'"' => quoted(text, at + 1),
            b'$' if text.get(at + 1) == Some(&b'(') => find(text, at + 2, b')'),
            b'$' if text.get(at + 1) == Some(&b'{') => find(text, at + 2, b'}'),
            _ => None,
        };
        at = closed.unwrap_or(at) + 1;
    }
    at.min(text.len())
}

/// Where the quotation that begins at `at` has its second `"`.
fn quoted(text: &[u8], mut at: usize) -> Option<usize> {
    while *text.get(at)? != b'"' {
        at += if text[at] == b'\\' { 2 } else { 1 };
    }
    Some(at)
}

/// The statements of dhclient that tell a server or the machine a name.
const TELLING: [&[u8]; 5] = [b"send", b"supersede", b"default", b"prepend", b"append"];

/// Functions of dhclient whose value is each machine's own.
const OWN: [&[u8]; 2] = [b"hardware", b"gethostname"];

/// A dhclient.conf without the statements that set one of these options to a constant. It reads words in any case, and
/// `dhcp.` before an option as nothing.
pub fn without_options(text: &[u8], options: &[&str]) -> Vec<u8> {
    let sets = |range: &Range<usize>| {
        let statement = text[range.clone()].to_ascii_lowercase();
        let (words, plain) = (words(&statement), unquoted(&statement));
        let option = words.get(1).map(|word| word.strip_suffix(b"=").unwrap_or(word));
        let option = option.map(|option| option.strip_prefix(b"dhcp.").unwrap_or(option));
        words.first().is_some_and(|word| TELLING.contains(word))
            && option.is_some_and(|option| options.iter().any(|one| one.as_bytes() == option))
            && !OWN.iter().any(|own| plain.windows(own.len()).any(|part| part == *own))
    };
    let is_empty = |line: &[u8]| line.trim_ascii().is_empty() || line.trim_ascii().starts_with(b"#");
    without(text, statements(text).filter(sets).collect(), is_empty)
}

fn words(statement: &[u8]) -> Vec<&[u8]> {
    let ends = |byte: &u8| byte.is_ascii_whitespace() || *byte == b';';
    statement.split(ends).filter(|word| !word.is_empty()).collect()
}

/// `statement` without what stands in quotes.
fn unquoted(statement: &[u8]) -> Vec<u8> {
    let mut quoted = false;
    let is_plain = |byte: &u8| {
        quoted ^= *byte == b'"';
        !quoted
    };
    statement.iter().copied().filter(is_plain).collect()
}

/// Where the statements of a dhclient.conf stand, each with its semicolon, blocks within too.
fn statements(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let (mut at, mut start) = (0, None);
    std::iter::from_fn(move || {
        while at < text.len() {
            let here = at;
            match text[here] {
                b'#' => at = find(text, here, b'\n').unwrap_or(text.len()),
                b'"' => {
                    start.get_or_insert(here);
                    at = quoted(text, here + 1).map_or(text.len(), |end| end + 1);
                }
                b'{' | b'}' => (at, start) = (here + 1, None),
                b';' => {
                    at = here + 1;
                    if let Some(start) = start.take() {
                        return Some(start..at);
                    }
                }
                byte => {
                    if !byte.is_ascii_whitespace() {
                        start.get_or_insert(here);
                    }
                    at = here + 1;
                }
            }
        }
        None
    })
}

/// `text` without the ranges (in order, apart), and without the lines of which nothing is left; with a range goes the blank
/// before it, where another one follows.
fn without(text: &[u8], ranges: Vec<Range<usize>>, is_empty: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    let mut ranges = ranges.into_iter().peekable();
    while let Some(range) = ranges.next() {
        let start = text[..range.start].iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let line_end = |from: usize| find(text, from, b'\n').map_or(text.len(), |last| last + 1);
        let before = |from: usize, range: &Range<usize>| {
            let whole = &text[from..range.start];
            let ends = text.get(range.end).is_none_or(u8::is_ascii_whitespace);
            if ends { whole.trim_ascii_end() } else { whole }
        };
        out.extend_from_slice(&text[at..start]);
        let mut left = before(start, &range).to_vec();
        let (mut from, mut end) = (range.end, line_end(range.end));
        while let Some(range) = ranges.next_if(|range| range.start < end) {
            left.extend_from_slice(before(from, &range));
            (from, end) = (range.end, line_end(range.end));
        }
        left.extend_from_slice(&text[from..end]);
        if !is_empty(&left) {
            out.extend_from_slice(&left);
        }
        at = end;
    }
    out.extend_from_slice(&text[at..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    const KEYS: [&str; 3] = ["HWADDR", "UUID", "HOSTNAME"];

    #[test]
    fn an_interface_keeps_all_but_what_names_its_machine() {
        let ifcfg = b"DEVICE=eth0\nHWADDR=00:50:56:AA\n# UUID=x\nUUID=\"8c\"\nONBOOT=yes\nexport HOSTNAME=t\nIPADDR=10.0.0.2";
        assert_eq!(text(without_keys(ifcfg, &KEYS)), "DEVICE=eth0\n# UUID=x\nONBOOT=yes\nIPADDR=10.0.0.2");
        assert_eq!(without_keys(b"MYUUID=1\n\xff=2\nHWADDR=x # B\xfcro\n", &KEYS), b"MYUUID=1\n\xff=2\n");
        let network = b"NETWORKING=yes\nHOSTNAME=mt01.example\nGATEWAY=10.0.0.1\n";
        assert_eq!(
            text(with_value(network, "HOSTNAME", "localhost.localdomain")),
            "NETWORKING=yes\nHOSTNAME=localhost.localdomain\nGATEWAY=10.0.0.1\n"
        );
    }

    #[test]
    fn assignments_stand_wherever_a_shell_finds_them() {
        for (before, after) in [
            ("DEVICE=eth0 HWADDR=x ONBOOT=yes\n", "DEVICE=eth0 ONBOOT=yes\n"),
            ("HWADDR=x ; ONBOOT=yes;UUID=1\n", " ONBOOT=yes;\n"),
            ("A=1 HWADDR=x;B=2\n", "A=1 B=2\n"),
            ("export UUID='a b' HWADDR=x\nA=1\n", "A=1\n"),
            ("UUID=\"a\nb\"\nA=1\n", "A=1\n"),
            ("UUID=$(uuidgen -t) # new\nUUID=`a b`\nUUID=${X:-a b}\nA=1\n", "A=1\n"),
            ("NAME=\"UUID=x HWADDR=y\"\n", "NAME=\"UUID=x HWADDR=y\"\n"),
            ("A=1 # UUID=x\n#UUID=y\n", "A=1 # UUID=x\n#UUID=y\n"),
            ("NAME=joe's\nHWADDR=x\n", "NAME=joe's\n"),
            // A shell takes it for a part of NAME, NetworkManager for an address.
            ("NAME='joe\nHWADDR=x\n'\n", "NAME='joe\n'\n"),
            ("UUID=a\\\nb\nA=1\n", "A=1\n"),
            ("UUID", "UUID"),
        ] {
            let once = without_keys(before.as_bytes(), &KEYS);
            assert_eq!(text(once.clone()), after, "{before:?}");
            assert_eq!(without_keys(&once, &KEYS), once, "{before:?}");
        }
        assert_eq!(text(with_value(b"A=1 HOSTNAME='x y' B=2", "HOSTNAME", "l")), "A=1 HOSTNAME=l B=2");
    }

    #[test]
    fn dhclient_keeps_what_each_machine_tells_by_itself() {
        let options = ["dhcp-client-identifier", "host-name"];
        for (before, after) in [
            ("send host-name \"mt01\";\ntimeout 60;\n", "timeout 60;\n"),
            ("send host-name = gethostname();\n", "send host-name = gethostname();\n"),
            ("send dhcp-client-identifier = hardware;\n", "send dhcp-client-identifier = hardware;\n"),
            ("send dhcp-client-identifier\n  01:00:50:56:aa:bb:cc;\nretry 1;\n", "retry 1;\n"),
            ("supersede host-name \"hardware; #1\"; # mine\n", ""),
            ("# send host-name \"x\";\n", "# send host-name \"x\";\n"),
            (
                "interface \"eth0\" {\n  send host-name \"x\"; retry 1;\n}\n",
                "interface \"eth0\" {\n retry 1;\n}\n",
            ),
            ("SEND Host-Name \"mt01\";\nsend dhcp.host-name \"x\";\nretry 1;\n", "retry 1;\n"),
            ("send Host-Name = GetHostName();\n", "send Host-Name = GetHostName();\n"),
            ("request host-name, routers;\n", "request host-name, routers;\n"),
            ("send host-name \"x", "send host-name \"x"),
        ] {
            let once = without_options(before.as_bytes(), &options);
            assert_eq!(text(once.clone()), after, "{before:?}");
            assert_eq!(without_options(&once, &options), once, "{before:?}");
        }
    }
}
