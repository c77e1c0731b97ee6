//! Wrong answers: one line that names them, exit code 2, no kickstart. Hostile ones end no line and no argument.

use std::fs;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::agent::{Ran, agent, mt_agent, run};
use crate::judge::{accepted, files, understood};

/// What is right, in the order of the profile.
fn answers() -> Value {
    json!({
        "extends": "centos-6.6",
        "name": "x",
        "description": "x",
        "os": {"timezone": "Europe/Berlin"},
        "layout": {"partitions": [{"mount": "/", "type": "ext4"}, {"mount": "/data", "type": "ext4"}]},
        "installation": {
            "language": "en_US.UTF-8",
            "keyboard": "us",
            "source": "cdrom",
            "disk": "sda",
            "boot-loader": "mbr",
            "sizes": [{"mount": "/", "size": "9 GB"}, {"mount": "/data", "size": "9 GB"}],
            "grow": "/",
            "swap": "6 GB",
            "network": "static",
            "interface": "eth0",
            "hostname": "mt1",
            "address": "10.0.0.5/24",
            "gateway": "10.0.0.1",
            "dns": ["10.0.0.2"],
            "agent": "https://h/x.rpm",
            "agent-sha256": "0".repeat(64),
            "finish": "reboot",
        },
    })
}

/// Runs the verb with this profile; the hash is in a file, unless the options name one.
fn printed(profile: &Value, hash: &str, options: &[&str]) -> Ran {
    let work = tempfile::tempdir().unwrap();
    let (file, hash_file) = (work.path().join("p.yaml"), work.path().join("hash"));
    fs::write(&file, profile.to_string()).unwrap();
    fs::write(&hash_file, hash).unwrap();
    let hash_file = format!("--root-hash-file={}", hash_file.display());
    let mut args = vec!["kickstart", "--allow-unsafe-profile", "--profile", file.to_str().unwrap()];
    if !options.iter().any(|option| option.starts_with("--root-hash-file")) {
        args.push(&hash_file);
    }
    args.extend(options);
    mt_agent(&args)
}

fn hash() -> String {
    format!("$6$salt${}", "a".repeat(86))
}

#[test]
fn wrong_options_exit_2_with_one_line_that_names_them() {
    for (option, words) in [
        (
            "--hostname=localhost",
            "--hostname: installation.hostname: found `localhost`, expected a host name of its own",
        ),
        ("--hostname=", "--hostname: installation.hostname: found ``, expected"),
        (
            "--address=10.0.0.5",
            "--address: installation.address: found `10.0.0.5`, expected an IPv4 address of a host with",
        ),
        ("--address=10.0.0.255/24", "--address: installation.address: found `10.0.0.255/24`, expected"),
        (
            "--gateway=10.0.1.1",
            "--gateway: installation.gateway: found `10.0.1.1`, expected an address in the host's network",
        ),
        (
            "--gateway=gw",
            "--gateway: installation.gateway: found `gw`, expected an IPv4 address such as `10.0.0.1`",
        ),
        ("--dns=10.0.0.2,dns", "--dns: installation.dns[1]: found `dns`, expected an IPv4 address"),
        (
            "--disk=/dev/sda",
            "--disk: installation.disk: found `/dev/sda`, expected a disk such as `sda`, or its name",
        ),
        ("--disk=sda,sdb", "--disk: installation.disk: found `sda,sdb`, expected"),
        (
            "--root-hash-file=/no/such",
            "reading the hash of root's password in /no/such: No such file or directory",
        ),
        (
            "--root-hash-file=/",
            "reading the hash of root's password in /: it is a directory, not a regular file",
        ),
    ] {
        let ran = printed(&answers(), &hash(), &[option]);
        ran.exits(2).says_nothing().complains(words).complains_in_one_line();
    }
    for args in [["--disk"].as_slice(), &["--output", "x"], &["sda"], &["--disk", "sda", "--disk", "sdb"]] {
        printed(&answers(), &hash(), args).exits(2).says_nothing();
    }
}

#[test]
fn a_password_is_refused_and_not_repeated() {
    for password in ["S3cret!", "S3cret $6$x$y", &format!("S3cret{}", hash()), &format!("{} S3cret", hash())]
    {
        let ran = printed(&answers(), password, &[]).exits(2).says_nothing().complains_in_one_line();
        ran.complains("found no password hash (`$6$`, `$5$` or `$1$`, whole")
            .holds("no secret is told", |ran| !ran.stderr().contains("S3cret"));
    }
}

#[test]
fn the_hash_may_come_from_standard_input_and_shows_nowhere_else() {
    let work = tempfile::tempdir().unwrap();
    let (file, piped) = (work.path().join("p.yaml"), work.path().join("hash"));
    fs::write(&file, answers().to_string()).unwrap();
    fs::write(&piped, hash()).unwrap();
    let args =
        ["kickstart", "--allow-unsafe-profile", "--profile", file.to_str().unwrap(), "--root-hash-file", "-"];
    let ran = run(agent(&args).stdin(Stdio::from(fs::File::open(piped).unwrap()))).exits(0);
    assert_eq!(ran.stdout().matches(&hash()).count(), 1, "{ran}");
    assert!(ran.stderr().is_empty(), "{ran}");
    run(&mut agent(&args)).exits(2).says_nothing().complains("found nothing, expected the hash");
}

/// Every text of the answers, by where it stands.
fn texts(value: &Value, path: String, out: &mut Vec<String>) {
    match value {
        Value::Object(entries) => {
            entries.iter().for_each(|(key, value)| texts(value, format!("{path}/{key}"), out));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| texts(item, format!("{path}/{index}"), out));
        }
        Value::String(_) if path != "/extends" => out.push(path),
        _ => {}
    }
}

#[test]
fn no_hostile_value_ends_a_line_or_an_argument() {
    const HOSTILE: [&str; 14] = [
        "x\nreboot",
        "x\n%end\n%post\nrm -rf /\n%end",
        "x\r\n%include /etc/passwd",
        "'; reboot; '",
        "\"; reboot; \"",
        "$(reboot)",
        "`reboot`",
        "x y --ondisk=sdb",
        "--grow",
        "x #",
        "x\\",
        "x\u{2028}reboot",
        "x\u{0}y",
        "END_OF_PROFILE\nreboot",
    ];
    let right = answers();
    let mut paths = Vec::new();
    texts(&right, String::new(), &mut paths);
    assert!(paths.len() > 25, "{paths:?}");
    let mut harmless = vec![printed(&right, &hash(), &[]).exits(0).stdout()];
    let mut refused = 0;
    for path in &paths {
        for hostile in HOSTILE {
            let mut profile = right.clone();
            *profile.pointer_mut(path).unwrap() = hostile.into();
            let ran = printed(&profile, &hash(), &[]);
            if ran.code() == 0 {
                assert!(path == "/name" || path == "/description", "{path} takes {hostile:?}\n{ran}");
                harmless.push(ran.stdout());
            } else {
                refused += 1;
                ran.exits(2).says_nothing().complains_in_one_line();
            }
        }
    }
    assert!(refused > 300 && harmless.len() > 10, "{refused} refused, {} taken", harmless.len());
    // What is free text changes a comment and the profile that the installed system gets, and nothing else.
    let work = tempfile::tempdir().unwrap();
    let files = files(work.path(), &harmless);
    accepted(&files);
    let mut read = understood(&files);
    for value in &mut read {
        let script = value["scripts"].as_array_mut().unwrap().last_mut().unwrap();
        let text = script[3].as_str().unwrap();
        let (head, rest) = text.split_once("<<'END_OF_PROFILE'\n").unwrap();
        let (_, tail) = rest.split_once("\nEND_OF_PROFILE\n").unwrap();
        script[3] = format!("{head}{tail}").into();
    }
    for (value, text) in read.iter().zip(&harmless) {
        assert_eq!(value, &read[0], "{text}");
    }
}
