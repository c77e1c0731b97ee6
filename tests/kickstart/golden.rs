//! One whole kickstart, as a person reads it; and the proof that ksvalidator judges.
//!
//! `MT_AGENT_BLESS=1 cargo test --test kickstart` writes it anew: read the difference in git.

use std::fs;
use std::path::Path;

use crate::agent::mt_agent;
use crate::judge::{accepted, files, ksvalidator};

const PROFILE: &str = "
extends: centos-6.6
name: example
os: {timezone: Europe/Berlin}
installation:
  agent: http://10.0.0.9/mt-agent-0.1.0-1.x86_64.rpm
  agent-sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
";

fn printed() -> String {
    let work = tempfile::tempdir().unwrap();
    let (profile, hash) = (work.path().join("p.yaml"), work.path().join("hash"));
    fs::write(&profile, PROFILE).unwrap();
    fs::write(&hash, format!("$6$salt${}\n", "a".repeat(86))).unwrap();
    let profile = format!("--profile={}", profile.display());
    let hash = format!("--root-hash-file={}", hash.display());
    let ran = mt_agent(&[
        "kickstart",
        "--allow-unsafe-profile",
        &profile,
        &hash,
        "--hostname=mt1.example.com",
        "--address=10.0.0.5/24",
        "--gateway=10.0.0.1",
        "--dns=10.0.0.2",
        "--dns=10.0.0.3",
    ]);
    ran.exits(0).stdout()
}

#[test]
fn a_whole_one_is_as_it_was_read_and_approved() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kickstart/expected.cfg");
    let text = printed();
    if std::env::var_os("MT_AGENT_BLESS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(text == expected, "{} is not what is printed now:\n{text}", path.display());
}

#[test]
fn the_validator_refuses_each_broken_line() {
    let whole = printed();
    let broken: Vec<(&str, &str)> = vec![
        ("\nzerombr\n", "\nzerombr yes\n"),
        ("\ncdrom\n", "\ncdrom --now\n"),
        ("lang en_US.UTF-8", "lang"),
        ("keyboard us", "keyboard us us"),
        ("timezone --utc Europe/Berlin", "timezone --utc"),
        ("rootpw --iscrypted ", "rootpw --crypted "),
        ("firewall --enabled", "firewall --enable-it"),
        ("--bootproto=static", "--bootproto=fixed"),
        ("ignoredisk --only-use=sda", "ignoredisk --use=sda"),
        ("clearpart --all", "clearpart --everything"),
        ("bootloader --location=mbr", "bootloader --location=disk"),
        ("part / --fstype=ext4 --size=20480", "part / --fstype=ext4 --size=20GB"),
        ("part /home ", "part "),
        ("part swap --size=6144", "autopart --nolvm"),
        ("\nreboot\n", "\nrestart\n"),
        ("@core\n%end\n", "@core\n"),
        ("%pre --erroronfail", "%pre --erroronfailure"),
        ("%post --nochroot", "%post --no-chroot"),
        ("\ninstall\n", "\ninstall \"\n"),
    ];
    let work = tempfile::tempdir().unwrap();
    accepted(&files(work.path(), std::slice::from_ref(&whole)));
    for (from, to) in broken {
        assert_eq!(whole.matches(from).count(), 1, "{from}");
        let file = files(work.path(), &[whole.replace(from, to)]);
        ksvalidator(&file).holds(to, |ran| ran.code() != 0);
    }
}
