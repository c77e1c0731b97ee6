//! What a command has from whoever started the agent: nothing that the agent did not mean it to have.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "files of a test are not the host's")]

mod support;

use support::world::World;

#[test]
fn a_command_has_none_of_our_caller_s_files_and_a_mask_of_its_own() {
    let world = World::new();
    world.file("/etc/redhat-release", "CentOS release 6.6 (Final)\n");
    world.file("/var/lib/rpm/Packages", "");
    world.tool("rpm", "readlink /proc/$$/fd/* >/var/tmp/open\numask >/var/tmp/mask\n");
    let started =
        "exec 5</etc/passwd 7>>/var/tmp/lock 9<>/var/tmp/both; flock -n 7 || exit 99; umask 077; exec ";
    let output = world.run(&format!("{started} $AGENT check"), &[]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let open = world.left("/var/tmp/open");
    // The stand-in is a script, which its shell has open.
    let known = |path: &str| {
        path == "/dev/null"
            || path.starts_with("pipe:[")
            || path == "/usr/sbin/rpm"
            || path == "/var/tmp/open"
    };
    assert!(open.lines().count() >= 3 && open.lines().all(known), "{open}");
    assert_eq!(world.left("/var/tmp/mask"), "0022\n");
    // The stand-in would have told of them: started without the agent between, it has them.
    world.run(&format!("{started} rpm"), &[]);
    let open = world.left("/var/tmp/open");
    assert!(open.contains("/etc/passwd") && open.contains("/var/tmp/lock"), "{open}");
}
