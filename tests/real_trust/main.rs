//! What root runs or believes, nobody else may write, and nothing but a file is opened: the rule itself, in real
//! directories with other owners, and the real binary at each place where it reads one.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "files of a test are not the host's")]

mod consumers;
mod no_files;
mod rule;
#[path = "../support/mod.rs"]
mod support;

use std::process::Output;

use support::world::World;
use support::{need_root, waived_until};

/// Has `bash` installed, and knows no other package.
const RPM: &str = r#"
case "$1" in
-qa) printf 'bash\t4.1-1\n' ;;
-E) echo /var/lib/rpm ;;
-q) shift 3; for name; do echo "package $name is not installed"; done; exit 1 ;;
esac
"#;

/// A master target to be, on which the vendor's script is the next thing to do. The waiver is for what this machine is not.
const PROFILE: &str = "extends: centos-6.6
packages: {base: [bash], multipath: [bash]}
waivers: [{requirement: layout.no-lvm, reason: a test, until: 'UNTIL'}]
";

/// Packs a script that counts its runs into the archive `$1`.
const PACK: &str = r#"
pack() {
    mkdir -p "$(dirname "$1")" /var/tmp/in
    printf '#!/bin/bash\necho ran >>/var/tmp/ran\ntouch /etc/.appliedmtcustomchanges\n' >/var/tmp/in/ApplyCustomChanges.sh
    tar -C /var/tmp/in -czf "$1" ApplyCustomChanges.sh
}
"#;

fn world(more: &str) -> World {
    need_root();
    let world = World::new().with_disks();
    world.tool("rpm", RPM);
    world.file("/var/lib/rpm/Packages", "");
    world.file("/etc/redhat-release", "CentOS release 6.6 (Final)\n");
    let profile = PROFILE.replace("UNTIL", &waived_until());
    world.file("/etc/mt-agent/profile.yaml", &format!("{profile}{more}"));
    world
}

/// What it said on both streams, each run of blanks as one.
fn said(output: &Output) -> String {
    let both = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8_lossy(&both).split_whitespace().collect::<Vec<_>>().join(" ")
}
