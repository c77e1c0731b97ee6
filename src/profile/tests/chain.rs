//! Which profile is taken, how profiles extend each other, and who may write them.

use std::fs::File;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;
use crate::host::files::replace;

fn files(contents: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in contents {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        replace(&path, text.as_bytes(), 0o644).unwrap();
    }
    dir
}

/// A file at a desk.
fn at_desk(dir: &TempDir, name: &str) -> anyhow::Result<Profile> {
    load(Some(&dir.path().join(name).display().to_string()), &Host::live(), &[], Writers::Anyone)
}

/// Why the profile that `choice` names, or the own one of `host`, is refused.
fn refusal(choice: Option<&str>, host: &Host) -> String {
    format!("{:#}", load(choice, host, &[], Writers::Root).unwrap_err())
}

/// Why a file is refused, with the directory left out.
fn refused(dir: &TempDir, name: &str) -> String {
    let message = format!("{:#}", at_desk(dir, name).unwrap_err());
    assert!(!message.contains('\n'), "{message}");
    message.replace(&format!("{}/", dir.path().display()), "")
}

#[test]
fn a_file_changes_what_it_names_and_each_value_knows_its_line() {
    let dir = files(&[
        (
            "company.yaml",
            "extends: centos-6.6\nname: company\nsizing: {cpus: 8, memory: 16 GiB}\nos:\n  timezone: UTC\n",
        ),
        (
            "site/host.yaml",
            "# ours\nextends: ../company.yaml\nsizing:\n  cpus: 2\nos:\n  timezone: null\npackages:\n  base:\n  - perl\n  \
             - wget\nsite:\n  process-server: {address: ps}\n",
        ),
    ]);
    let profile = at_desk(&dir, "site/host.yaml").unwrap();
    assert_eq!((profile.sizing.cpus.get(), profile.sizing.memory.bytes()), (2, 16 << 30));
    assert_eq!((profile.sizing.os_disk.bytes(), profile.os.timezone.clone()), (100 << 30, None));
    assert_eq!(profile.packages.base, ["perl", "wget"]);
    assert_eq!(
        profile.site.process_server,
        Some(Server { address: "ps".parse().unwrap(), port: 9443.into() })
    );
    assert_eq!(profile.name, "company + host.yaml");
    let origin = |path: &str| {
        let base = format!("{}/", dir.path().display());
        profile.origins[path].replace(&base, "")
    };
    assert_eq!(origin("name"), "site/host.yaml:2");
    assert_eq!(origin("sizing.cpus"), "site/host.yaml:4");
    assert_eq!(origin("sizing.memory"), "site/../company.yaml:3");
    assert_eq!(origin("os.timezone"), "site/host.yaml:6");
    assert_eq!(origin("packages.base"), "site/host.yaml:8");
    assert_eq!(origin("packages.base[1]"), "site/host.yaml:10");
    assert_eq!(origin("retention.capacity"), "built-in centos-6.6");
    assert!(
        show(&profile).contains("    port: 9443                                                # default\n")
    );
    assert!(!profile.origins.contains_key("packages.base[2]"), "of the list that was replaced");
}

#[test]
fn null_takes_an_optional_value_away_and_a_later_layer_can_set_it_again() {
    let dir = files(&[
        (
            "a.yaml",
            "extends: centos-6.6\nsite:\n  configuration-server: {address: a, port: 4443}\nretention: {disk: x}\n",
        ),
        ("b.yaml", "extends: ./a.yaml\nsite:\n  configuration-server: null\nretention:\n  disk:\n"),
        ("c.yaml", "extends: b.yaml\nsite:\n  configuration-server: {address: c}\n"),
        ("d.yaml", "extends: a.yaml\nsite:\n  configuration-server: {address: d}\n"),
    ]);
    let b = at_desk(&dir, "b.yaml").unwrap();
    assert_eq!((b.site.configuration_server, b.retention.disk), (None, None));
    let c = at_desk(&dir, "c.yaml").unwrap();
    assert_eq!(c.site.configuration_server, Some(Server { address: "c".parse().unwrap(), port: 443.into() }));
    let d = at_desk(&dir, "d.yaml").unwrap();
    assert_eq!(
        d.site.configuration_server,
        Some(Server { address: "d".parse().unwrap(), port: 4443.into() })
    );
}

#[test]
fn an_error_names_the_file_of_the_chain_that_it_is_in() {
    let dir = files(&[
        ("base.yaml", "extends: centos-6.6\nsizing:\n  cpus: many\n"),
        ("top.yaml", "extends: base.yaml\nsizing:\n  memory: 8 GB\n"),
        ("lost.yaml", "\nextends: none.yaml\n"),
        ("typing.yaml", "name: x\nextends: centos-66\n"),
        ("half.yaml", "name: half\nos: {release: x, architecture: x86_64}\n"),
        ("over-half.yaml", "extends: half.yaml\n"),
    ]);
    let expected = "base.yaml:3: sizing.cpus: found `many`, expected a whole number from 1 to 1024";
    assert_eq!(refused(&dir, "top.yaml"), expected);
    assert_eq!(
        refused(&dir, "lost.yaml"),
        "none.yaml: cannot be read: No such file or directory (os error 2)"
    );
    assert_eq!(
        refused(&dir, "typing.yaml"),
        "typing.yaml:2: extends: no built-in profile is called `centos-66` (did you mean `centos-6.6`?); built-in: \
         centos-6.6; a file is named by a path with `/`, or ends in .yaml"
    );
    assert_eq!(
        refused(&dir, "over-half.yaml"),
        "half.yaml: extends no other profile and lacks sizing, layout, network, hypervisor, packages, sources, files, \
         custom-changes, retention, site, installation; add what is missing, or `extends: centos-6.6`"
    );
}

#[test]
fn circles_and_long_chains_are_refused() {
    let mut chain: Vec<(String, String)> =
        (0..9).map(|n| (format!("{n}.yaml"), format!("extends: {}.yaml\n", n + 1))).collect();
    chain.push(("9.yaml".into(), "extends: centos-6.6\n".into()));
    let chain: Vec<_> = chain.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let dir = files(&chain);
    assert_eq!(refused(&dir, "0.yaml"), "0.yaml: extends a chain of more than 8 profiles");
    let eight = at_desk(&dir, "3.yaml").unwrap();
    assert!(eight.name.starts_with("centos-6.6 + 9.yaml + 8.yaml"), "{}", eight.name);

    let dir = files(&[("a.yaml", "extends: b.yaml\n"), ("b.yaml", "extends: ./again.yaml\n")]);
    symlink("a.yaml", dir.path().join("again.yaml")).unwrap();
    assert_eq!(refused(&dir, "a.yaml"), "a.yaml -> b.yaml -> ./again.yaml: extends itself");
    let dir = files(&[("a.yaml", "extends: a.yaml\n")]);
    assert_eq!(refused(&dir, "a.yaml"), "a.yaml -> a.yaml: extends itself");
}

#[test]
fn a_file_extends_what_lies_beside_it_not_beside_a_link_to_it() {
    let dir = files(&[
        ("real/top.yaml", "extends: base.yaml\n"),
        ("real/base.yaml", "extends: centos-6.6\nname: the right one\n"),
        ("base.yaml", "extends: centos-6.6\nname: the wrong one\n"),
    ]);
    symlink("real/top.yaml", dir.path().join("link.yaml")).unwrap();
    assert_eq!(at_desk(&dir, "link.yaml").unwrap().name, "the right one + link.yaml");
}

#[test]
fn without_the_flag_a_file_that_others_can_write_is_refused_and_so_is_what_it_extends() {
    let dir = tempfile::Builder::new().tempdir_in("/tmp").unwrap();
    let (path, base) = (dir.path().join("p.yaml"), dir.path().join("base.yaml"));
    replace(&path, b"extends: base.yaml\n", 0o644).unwrap();
    replace(&base, b"extends: centos-6.6\n", 0o644).unwrap();
    let name = path.display().to_string();
    assert_eq!(
        load(Some(&name), &Host::live(), &[], Writers::Root).unwrap().name,
        "centos-6.6 + base.yaml + p.yaml"
    );
    std::fs::set_permissions(&base, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    let message = refusal(Some(&name), &Host::live());
    assert!(
        message
            .starts_with(&format!("{0}: is refused: users other than root can write {0} (", base.display())),
        "{message}"
    );
    assert!(message.contains("pass --allow-unsafe-profile"), "{message}");
    assert_eq!(check(&path, &[], Writers::Anyone).unwrap().name, "centos-6.6 + base.yaml + p.yaml");
    let message = format!("{:#}", check(&path, &[], Writers::Root).unwrap_err());
    assert!(message.contains("is refused"), "{message}");
}

#[test]
fn the_host_s_own_profile_comes_first_then_the_default() {
    let tree = files(&[
        ("etc/mt-agent/profile.yaml", "extends: /srv/base.yaml\n"),
        ("srv/base.yaml", "extends: more.yaml\nname: of the tree\n"),
        ("srv/more.yaml", "extends: centos-6.6\nsizing: {cpus: 3}\n"),
    ]);
    let profile = load(None, &Host::recorded(tree.path()), &[], Writers::Root).unwrap();
    assert_eq!((&*profile.name, profile.sizing.cpus.get()), ("of the tree + profile.yaml", 3));
    let expected = format!("{}/srv/more.yaml:2", tree.path().display());
    assert_eq!(profile.origins["sizing.cpus"], expected);

    // An image's profile is what root will act on: the rule of ownership holds.
    assert_eq!(
        load(None, &Host::image(tree.path()), &[], Writers::Root).unwrap().name,
        "of the tree + profile.yaml"
    );
    let base = tree.path().join("srv/base.yaml");
    std::fs::set_permissions(&base, std::os::unix::fs::PermissionsExt::from_mode(0o606)).unwrap();
    let message = refusal(None, &Host::image(tree.path()));
    assert!(message.contains("srv/base.yaml: is refused: users other than root can write"), "{message}");

    let empty = files(&[("etc/redhat-release", "CentOS release 6.6 (Final)\n")]);
    assert_eq!(load(None, &Host::image(empty.path()), &[], Writers::Root).unwrap().name, "centos-6.6");
    let other = files(&[("etc/redhat-release", "Fedora release 12\n")]);
    assert_eq!(load(None, &Host::image(other.path()), &[], Writers::Root).unwrap().name, "centos-6.6");
}

#[test]
fn a_link_that_leads_nowhere_is_not_taken_for_no_profile() {
    let tree = files(&[("etc/mt-agent/other", "")]);
    symlink("gone.yaml", tree.path().join("etc/mt-agent/profile.yaml")).unwrap();
    let message = refusal(None, &Host::recorded(tree.path()));
    assert!(
        message
            .ends_with("etc/mt-agent/profile.yaml: cannot be read: No such file or directory (os error 2)"),
        "{message}"
    );
}

#[test]
fn where_it_cannot_be_told_whether_there_is_one_there_is_no_default() {
    let tree = files(&[("etc/mt-agent", "a file")]);
    let message = refusal(None, &Host::recorded(tree.path()));
    assert!(
        message.ends_with("etc/mt-agent/profile.yaml: cannot be read: Not a directory (os error 20)"),
        "{message}"
    );
}

#[test]
fn a_link_of_a_tree_does_not_lead_to_this_machine_s_profile() {
    let outside = files(&[("secret.yaml", "extends: centos-6.6\nname: outside\n")]);
    let tree = files(&[("etc/mt-agent/other", "")]);
    symlink(outside.path().join("secret.yaml"), tree.path().join("etc/mt-agent/profile.yaml")).unwrap();
    let message = refusal(None, &Host::recorded(tree.path()));
    assert!(message.contains("cannot be read: No such file"), "{message}");
}

#[test]
fn an_unknown_name_lists_the_built_in_ones() {
    let message =
        |choice: &str| load(Some(choice), &Host::live(), &[], Writers::Root).unwrap_err().to_string();
    assert_eq!(
        message("centos6.6"),
        "no built-in profile is called centos6.6 (did you mean `centos-6.6`?); built-in: centos-6.6; a file is named \
         by a path with `/`, or ends in .yaml"
    );
    assert!(
        message("ubuntu\u{1b}[2J").starts_with("no built-in profile is called ubuntu\\u{1b}[2J; built-in")
    );
    assert!(message("").contains("built-in: centos-6.6"));
    assert_eq!(
        message("/dev/null"),
        "/dev/null: cannot be read: it is a character device, not a regular file"
    );
    let dir = tempfile::tempdir().unwrap();
    File::create(dir.path().join("empty.yaml")).unwrap();
    assert!(refused(&dir, "empty.yaml").starts_with("empty.yaml: is empty"));
    assert_eq!(PathBuf::from(HOST_FILE), Path::new("/etc/mt-agent/profile.yaml"));
}
