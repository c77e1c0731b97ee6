//! What bash sources (ifcfg files, /etc/sysconfig, os-release), and bash itself.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::Duration;

use mt_agent::facts::shell::parse;

use super::{Random, run, samples};

/// What can stand in such a file, by accident or not. Nothing in it does anything to the machine.
const PIECES: &[&str] = &[
    "A=x",
    "A=x",
    "A=x",
    "B=1",
    "A = x",
    "A= x",
    "A =x",
    "A=",
    "A=\"x y\"",
    "A='x y'",
    "A='x",
    "A=\"x\\\"y\"",
    "A=x\\ y",
    "A=$B",
    "A=${B}x",
    "A=`:`",
    "A=$(:)",
    "A+=z",
    "A=x#y",
    " # A=c",
    "#A=c",
    "export A=x",
    "export A",
    "export A=x B=y",
    "declare A=x",
    "unset A",
    "nothing A=x",
    "A=x nothing",
    ";",
    "\n",
    "\n",
    "\n",
    "\n",
    "\n",
    " ",
    " ",
    " ",
    "\t",
    "&&",
    "||",
    "|",
    "&",
    "(",
    ")",
    "{ ",
    "}",
    "if :",
    "then",
    "fi",
    "f() {",
    "f () {\n:\n}\n",
    "return",
    "A=~",
    "A=(1 2)",
    "A[0]=q",
    "\\\n",
    "\r",
    "\r\n",
    "\u{a0}",
    "=",
    "A",
    "'",
    "\"",
    "$'x'",
    "A=$\"x\"",
    ": ${A:=d}",
    "<<E\n",
    "E",
    "!",
    "A=a;B=b",
    "case x in",
    "esac",
    "[ -n x ]",
    "\u{feff}",
    "A=x\u{e4}",
    "A=\"$\"",
    "A=a=b",
    "1A=x",
    "A-B=x",
    "\"A\"=x",
    "A\\=x",
    ";;",
    "A=x;",
    "A='a\nb'",
];

/// Sources each text in a bash of its own, and tells what is set in the end.
fn bash(texts: &[String], names: &[&str]) -> Vec<BTreeMap<String, String>> {
    // Programs are not found: only what bash itself does happens. Each file has a bash of its own: in a subshell the last
    // command of a file takes the shell's place.
    const SCRIPT: &str = r#"names=$1; shift
for file; do
    /bin/bash --norc --noprofile -c '. "$1" >/dev/null 2>&1 </dev/null
        for name in $2; do
            if [ -n "${!name+x}" ]; then builtin printf "%s\n%s\0" "$name" "${!name}"; fi
        done' bash "$file" "$names" 2>/dev/null
    builtin printf '\0'
done"#;
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new("/bin/bash");
    command.args(["--norc", "--noprofile", "-c", SCRIPT, "bash", &names.join(" ")]);
    command.env_clear().env("PATH", "/nonexistent").env("LC_ALL", "C").current_dir(dir.path());
    for (number, text) in texts.iter().enumerate() {
        let file = dir.path().join(number.to_string());
        fs::write(&file, text).unwrap();
        command.arg(file);
    }
    let output = run(&mut command);
    let said = String::from_utf8(output.stdout).unwrap();
    let mut told = vec![BTreeMap::new()];
    for one in said.split('\0') {
        match one.split_once('\n') {
            Some((name, value)) => _ = told.last_mut().unwrap().insert(name.to_owned(), value.to_owned()),
            None => told.push(BTreeMap::new()),
        }
    }
    told.truncate(texts.len());
    assert_eq!(told.len(), texts.len(), "{said:?}");
    told
}

/// Compares; answers how many values could be told.
fn compare(texts: &[String], names: &[&str]) -> usize {
    let mut told = 0;
    for (text, theirs) in texts.iter().zip(bash(texts, names)) {
        let ours = parse(text);
        for name in names {
            if let Ok(value) = ours.get(name) {
                assert_eq!(value.as_ref(), theirs.get(*name), "{name} in {text:?}");
                told += 1;
            }
        }
    }
    told
}

#[test]
fn assignments_are_read_as_bash_reads_them() {
    let mut random = Random::new();
    let (mut told, mut all) = (0, 0);
    for _ in samples(20, Duration::from_secs(3)) {
        let texts: Vec<String> =
            (0..100).map(|_| (0..=random.below(8)).map(|_| random.of(PIECES)).collect()).collect();
        told += compare(&texts, &["A", "B"]);
        all += 2 * texts.len();
    }
    assert!(told > all / 4, "of {all} values only {told} could be told");
}

#[test]
fn ifcfg_files_and_os_release_are_read_as_bash_reads_them() {
    let keys = ["DEVICE", "ONBOOT", "BOOTPROTO", "IPADDR", "PREFIX", "ID", "PRETTY_NAME"];
    let values = [
        "eth0",
        "'yes'",
        "\"none\"",
        "192.0.2.10",
        "24 ",
        " 24",
        "'it''s'",
        "\"a 'b'\"",
        "x # c",
        "x#c",
        "\u{a0}yes",
        "\"Debian \\\"12\\\"\"",
        "a b",
        "\"\\$x\"",
        "",
        "CentOS\\ 6",
    ];
    let mut random = Random::new();
    let mut text = || -> String {
        let end = random.of(&["\n", "\n", "\r\n"]);
        let line = |random: &mut Random| {
            let sign = random.of(&["=", "=", "=", "=", " = ", "= "]);
            format!("{}{sign}{}{end}", random.of(&keys), random.of(&values))
        };
        (0..=random.below(6)).map(|_| line(&mut random)).collect()
    };
    let mut texts = vec![fs::read_to_string("/etc/os-release").unwrap()];
    for _ in samples(5, Duration::from_secs(1)) {
        texts.extend((0..100).map(|_| text()));
        assert_eq!(compare(&texts, &keys), texts.len() * keys.len(), "all of them can be told");
        texts.clear();
    }
}
