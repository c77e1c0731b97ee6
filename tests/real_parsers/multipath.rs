//! multipath.conf, and `multipath -t`, which prints the configuration that it has read. It needs root: the file lies in a copy
//! of /etc that only it sees.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::Duration;

use mt_agent::facts::multipath::Dialect;
use mt_agent::facts::multipath::parse::parse;
use mt_agent::facts::multipath::{Configuration, matches};

use super::{Random, Reason, Reasons, run, samples};

/// Where a later multipath and 0.4.9-80 of CentOS 6.6 differ, as that was seen on such a machine.
const OF_CENTOS_6: &[Reason] = &[
    ("0.4.9 ends a line at ! or # behind a quotation mark", |text| {
        text.contains("\"!") || text.contains("\"#")
    }),
    ("0.4.9 takes two quotation marks for an end", |text| text.contains("\"\"")),
];

const VALUES: &[&str] = &[
    "36000c29",
    "\"36000c29\"",
    "\"^sd[a-z]\"",
    "^sd[a-z]",
    "\"\"",
    "\"!^sd\"",
    "\"#sdz\"",
    "\"a b\"",
    "a b",
    "\u{201c}x\u{201d}",
    "\"x\u{e4}y\"",
    "x#y",
    "x!y",
    "\"a\"\"b\"",
    "\"open",
    "\"a\" b",
    "",
    "x{",
    "\".*\"",
    "yes",
    "\"no\"",
    "1",
    "0",
    "off",
    "on",
    "greedy",
    "strict",
    "smart",
    "maybe",
];

fn section(random: &mut Random) -> String {
    let name = random.of(&[
        "blacklist",
        "blacklist",
        "blacklist",
        "blacklist_exceptions",
        "defaults",
        "\"blacklist\"",
        "devnode_blacklist",
        "blaklist",
    ]);
    let brace = random.of(&[" {\n", " {\n", " {\n", "{\n", "\n{\n", " { wwid x\n", "\n"]);
    let mut text = format!("{name}{brace}");
    for _ in 0..random.below(4) {
        let key = random.of(&[
            "wwid",
            "wwid",
            "devnode",
            "devnode",
            "property",
            "user_friendly_names",
            "find_multipaths",
            "\u{a0}wwid",
            "\"wwid\"",
        ]);
        match random.below(6) {
            // A device without both of them multipath 0.9.4 prints as no whole section.
            0 => text.push_str(&format!(
                "device {{\n vendor {}\n product {}\n}}\n",
                random.of(&["VMware", "\"V.*\"", "\"a b\" c"]),
                random.of(&["Virtual", "\".*\"", "\"Virtual disk\"", "“x”"])
            )),
            _ => text.push_str(&format!(
                "{key} {}{}",
                random.of(VALUES),
                random.of(&["\n", "\n", "\r\n", " # c\n"])
            )),
        }
    }
    text + random.of(&["}\n", "}\n", "}\n", "}\n", "} x\n", ""])
}

/// What multipath prints of each text.
fn multipath(texts: &[String]) -> Vec<String> {
    const SCRIPT: &str = r#"set -e
mount --make-rprivate /
mount --bind "$1/etc" /etc
cd "$1"
for number in $(seq 0 $(($2 - 1))); do
    cp "$1/$number" /etc/multipath.conf
    multipath -t 2>/dev/null >"$1/$number.out" || echo FAILED >"$1/$number.out"
done"#;
    let dir = tempfile::tempdir().unwrap();
    let copied = run(Command::new("cp").args(["-a", "/etc"]).arg(dir.path().join("etc")));
    assert!(copied.status.success(), "{copied:?}");
    for (number, text) in texts.iter().enumerate() {
        fs::write(dir.path().join(number.to_string()), text).unwrap();
    }
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", SCRIPT, "sh"]).arg(dir.path()).arg(texts.len().to_string());
    let output = run(&mut command);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (0..texts.len())
        .map(|number| {
            String::from_utf8_lossy(&fs::read(dir.path().join(format!("{number}.out"))).unwrap()).into_owned()
        })
        .collect()
}

/// The lists of a printed configuration that we read, without what multipath has built in; it leaves repetitions out.
fn lists(printed: &Configuration, built_in: &Configuration) -> [BTreeSet<String>; 6] {
    let pairs = |all: &[(String, String)]| {
        all.iter().map(|(one, other)| format!("{one}:{other}")).collect::<Vec<_>>()
    };
    let without = |all: Vec<String>, built_in: Vec<String>| {
        all.into_iter().filter(|one| !built_in.contains(one)).collect::<BTreeSet<_>>()
    };
    let (p, b) = (printed, built_in);
    [
        without(p.blacklist_wwids.clone(), b.blacklist_wwids.clone()),
        without(p.blacklist_devnodes.clone(), b.blacklist_devnodes.clone()),
        without(pairs(&p.blacklist_devices), pairs(&b.blacklist_devices)),
        without(p.exception_wwids.clone(), b.exception_wwids.clone()),
        without(p.exception_devnodes.clone(), b.exception_devnodes.clone()),
        without(pairs(&p.exception_devices), pairs(&b.exception_devices)),
    ]
}

/// What the two switches come to, where the last value of each is one that multipath knows; `steps/multipath` goes by the same
/// words.
fn switches(configuration: &Configuration) -> [Option<&'static str>; 2] {
    let yes_or_no = |value: Option<&str>| match value {
        Some("yes" | "1") => Some("on"),
        Some("no" | "0") | None => Some("off"),
        Some(_) => None,
    };
    let finds = match configuration.find_multipaths.as_deref() {
        // Upstream since 0.7.8, and so in this machine's 0.9.4.
        Some("strict") | None => Some("strict"),
        Some("off") => Some("off"),
        Some("on") => Some("on"),
        Some("greedy") => Some("greedy"),
        Some("smart") => Some("smart"),
        value => yes_or_no(value),
    };
    [yes_or_no(configuration.user_friendly_names.as_deref()), finds]
}

#[test]
fn configurations_are_read_as_multipath_reads_them() {
    let read = |text: &str, dialect| parse(text.as_bytes(), dialect).configuration;
    // What it prints is plain: one entry a line, in quotation marks.
    let printed = |text: &str| read(text, Dialect::Later);
    let built_in = printed(&multipath(&[String::new()])[0]);
    assert!(!built_in.blacklist_devnodes.is_empty(), "{built_in:?}");
    let mut random = Random::new();
    let mut of_centos_6 = Reasons::new(OF_CENTOS_6);
    let mut judged = BTreeSet::new();
    let words = ["yes", "1", "no", "0", "off", "on", "greedy", "strict", "smart"];
    let of_word =
        |word| format!("defaults {{\n user_friendly_names {word}\n find_multipaths \"{word}\"\n}}\n");
    let mut first: Vec<String> = words.map(of_word).into();
    for _ in samples(4, Duration::from_secs(4)) {
        let mut texts: Vec<String> =
            (0..20).map(|_| (0..=random.below(2)).map(|_| section(&mut random)).collect()).collect();
        texts.append(&mut first);
        for (text, output) in texts.iter().zip(multipath(&texts)) {
            let (old, new) = (read(text, Dialect::El6), read(text, Dialect::Later));
            let none = Configuration::default();
            let same = output.trim() == "FAILED" || lists(&printed(&output), &built_in) == lists(&new, &none);
            let theirs = lists(&printed(&output), &built_in);
            assert!(same, "{text}\nmultipath has {theirs:?}\nours is {new:?}");
            let (ours, theirs) = (switches(&new), switches(&printed(&output)));
            for (ours, theirs) in ours.iter().zip(theirs).filter(|(ours, _)| ours.is_some()) {
                assert!(
                    output.trim() == "FAILED" || *ours == theirs,
                    "{text}\n{ours:?}, and multipath has {theirs:?}"
                );
                judged.extend(ours.filter(|_| output.trim() != "FAILED"));
            }
            assert!(
                lists(&old, &none) == lists(&new, &none) || of_centos_6.explain(text),
                "{text}\n{old:?}\n{new:?}"
            );
        }
    }
    of_centos_6.all_occurred();
    assert_eq!(judged.len(), 5, "{judged:?}");
}

/// multipath gives the expressions of the blacklist to regcomp(3) as extended ones, as bash does those of `=~`.
#[test]
fn expressions_match_what_regcomp_matches() {
    const SCRIPT: &str = r#"export LC_ALL=C
while IFS= read -r pattern && IFS= read -r name; do
    [[ $name =~ $pattern ]]
    echo $?
done"#;
    const PIECES: &[&str] = &[
        "^",
        "$",
        "sd",
        "a",
        "[a-z]",
        "[b-z]",
        "[^a]",
        "[[:alpha:]]",
        "[]a]",
        "[a-]",
        "[[a]",
        "[a&&b]",
        ".",
        "+",
        "*",
        "?",
        "|",
        "(",
        ")",
        "{1,2}",
        "{2}",
        "{",
        "}",
        "\\.",
        "\\d",
        "\\w",
        "\\b",
        "\\<",
        "\\$",
        "\\",
        "(?",
        "0",
    ];
    let names = ["sda", "sdb", "sdz", "sdaa", "sdab", "dm-0", "cciss!c0d0"];
    let mut random = Random::new();
    let (mut told, mut compared) = (0, 0);
    for _ in samples(40, Duration::from_secs(2)) {
        let patterns: Vec<String> =
            (0..50).map(|_| (0..=random.below(5)).map(|_| random.of(PIECES)).collect()).collect();
        let pairs: Vec<(&str, &str)> = patterns
            .iter()
            .flat_map(|pattern| names.iter().map(move |name| (pattern.as_str(), *name)))
            .collect();
        let input: String = pairs.iter().map(|(pattern, name)| format!("{pattern}\n{name}\n")).collect();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pairs");
        fs::write(&file, input).unwrap();
        let output = run(Command::new("bash").args(["-c", SCRIPT]).stdin(fs::File::open(&file).unwrap()));
        let answers = String::from_utf8(output.stdout).unwrap();
        assert_eq!(answers.lines().count(), pairs.len());
        for ((pattern, name), answer) in pairs.iter().zip(answers.lines()) {
            // This one multipath itself takes for everything.
            if *pattern == "*" {
                continue;
            }
            let text = format!("blacklist {{\n devnode \"{pattern}\"\n}}\n");
            if !parse(text.as_bytes(), Dialect::Later).configuration.problems.is_empty() {
                told += 1;
                continue;
            }
            compared += 1;
            assert_eq!(if matches(pattern, name) { "0" } else { "1" }, answer, "{pattern} and {name}");
        }
    }
    assert!(told > 1000 && compared > 1000, "{told} {compared}");
}
