//! The list, row by row: a word of its own is planted at each of its places, and looked for in the image's bytes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use mt_agent::image::seal::AUTHORIZED_KEYS;
use mt_agent::image::seal::table::{Act, Row, TABLE};

use crate::desk::{Mounted, all_files, fill, put, seal};
use crate::support::{contains, tool};

/// Begins every word that is planted; a number of four digits follows.
const WORD: &str = "LEFTOVER-";

/// A place with the word that lies there.
struct Planted {
    row: &'static Row,
    /// In the tree.
    path: String,
    word: String,
}

/// What a place stands for in a tree with the users root and joe.
fn paths(place: &str) -> Vec<String> {
    let named = place.replace("profiles/*", "profiles/default").replace('*', "planted");
    match named.strip_prefix("~/") {
        Some(rest) => vec![format!("root/{rest}"), format!("home/joe/{rest}")],
        None => vec![named.trim_start_matches('/').to_owned()],
    }
}

/// The file in which the word of a row is put at `path`, and what it holds.
fn file_of(act: Act, path: &str, word: &str) -> (String, String) {
    let key = format!("-----BEGIN PRIVATE KEY-----\n{word}\n");
    match act {
        Act::Clear | Act::Discard => (format!("{path}/deep/er/file"), word.to_owned()),
        Act::Logs => (format!("{path}/httpd/access_log"), word.to_owned()),
        Act::PrivateKeys => (format!("{path}/id_planted"), key),
        Act::LeavePrivateKeys => (format!("{path}/pki/tls/private/planted.key"), key),
        Act::Keys(keys) => {
            let lines: String = keys.iter().map(|key| format!("export {key}=\"{word}\"\n")).collect();
            (path.to_owned(), format!("A=1 {}={word}; B=2\n{lines}C=3\n", keys[0]))
        }
        Act::Options(options) => {
            let lines: String = options.iter().map(|option| format!("send {option} \"{word}\";\n")).collect();
            (path.to_owned(), format!("timeout 60;\n{lines}"))
        }
        _ => (path.to_owned(), word.to_owned()),
    }
}

/// A word at each place of each row, but for those that code looks for, which `fill` has.
fn plant(root: &Path) -> Vec<Planted> {
    let mut planted = Vec::new();
    for row in TABLE {
        if matches!(row.act, Act::Code(_) | Act::KeepAlways | Act::LeaveAlways) {
            continue;
        }
        for path in row.places.iter().flat_map(|place| paths(place)) {
            let word = format!("{WORD}{:04}", planted.len());
            let (file, content) = file_of(row.act, &path, &word);
            // A place of two rows has one file.
            if !root.join(&file).exists() {
                put(root, &file, &content);
                planted.push(Planted { row, path: file, word });
            }
        }
    }
    planted
}

/// Which of the words are in the bytes.
fn words_in(bytes: &[u8]) -> BTreeSet<String> {
    let word = WORD.as_bytes();
    let at = (0..bytes.len().saturating_sub(word.len() + 4)).filter(|at| bytes[*at..].starts_with(word));
    at.map(|at| String::from_utf8_lossy(&bytes[at..at + word.len() + 4]).into_owned()).collect()
}

fn unmounted_words(image: &Mounted) -> BTreeSet<String> {
    tool("umount", &[&image.path("root")]);
    words_in(&fs::read(image.path("image")).unwrap())
}

fn stays(planted: &Planted) -> bool {
    let is_kept = planted.row.step == AUTHORIZED_KEYS;
    is_kept || matches!(planted.row.act, Act::Keep | Act::Leave | Act::LeavePrivateKeys)
}

fn wanted(planted: &[Planted], of: impl Fn(&Planted) -> bool) -> BTreeSet<String> {
    planted.iter().filter(|one| of(one)).map(|one| one.word.clone()).collect()
}

#[test]
fn nothing_of_the_list_is_left_in_the_bytes_and_what_stays_is_told() {
    let image = Mounted::new();
    let root = image.root();
    fill(&root);
    let planted = plant(&root);
    assert!(planted.len() > 130, "{}", planted.len());
    tool("sync", &[]);
    let before = words_in(&fs::read(image.path("image")).unwrap());
    assert_eq!(before, wanted(&planted, |_| true), "the words can be found at all");
    let (code, text) = seal(&root, &["--yes"]);
    assert_eq!(code, 0, "{text}");
    for one in planted.iter().filter(|one| stays(one)) {
        assert!(root.join(&one.path).exists(), "{}", one.path);
    }
    // Each row of what stays is told, with its reason.
    for row in TABLE.iter().filter(|row| matches!(row.act, Act::Keep | Act::Leave | Act::LeavePrivateKeys)) {
        contains(&text, &format!("({})", row.why));
    }
    contains(&text, "kept: /root/.ssh/authorized_keys, ");
    contains(&text, "left to you: /etc/pki/tls/private/planted.key (a private key");
    let shell = fs::read_to_string(root.join("etc/sysconfig/network-scripts/ifcfg-planted")).unwrap();
    assert_eq!(shell, "A=1 B=2\nC=3\n");
    let settled = all_files(&root);
    let (code, text) = seal(&root, &["--yes"]);
    assert_eq!(
        (code, text.contains("sealed already"), all_files(&root) == settled),
        (0, true, true),
        "{text}"
    );
    let left = unmounted_words(&image);
    let cached = wanted(&planted, |one| matches!(one.row.act, Act::Discard));
    let expected = wanted(&planted, stays);
    assert_eq!(left.difference(&cached).cloned().collect::<BTreeSet<_>>(), expected);
    image.mount();
    let (code, text) = seal(&root, &["--yes", "--wipe-free-space", "--remove-authorized-keys"]);
    assert_eq!(code, 0, "{text}");
    contains(&text, "remove /home/joe/.ssh/authorized_keys");
    let expected = wanted(&planted, |one| stays(one) && !one.path.contains("/authorized_keys"));
    assert_eq!(unmounted_words(&image), expected);
}

#[test]
fn a_journal_of_contents_is_free_of_them_once_free_space_is_filled() {
    let image = Mounted::new();
    let root = image.root();
    let journal = || {
        tool("umount", &[&image.path("root")]);
        tool("mount", &["-o", "loop,data=journal", &image.path("image"), &image.path("root")]);
    };
    journal();
    fill(&root);
    put(&root, "etc/fstab", "UUID=1 / ext4 data=journal 1 1\n");
    let planted = plant(&root);
    tool("sync", &[]);
    let (code, text) = seal(&root, &["--yes"]);
    assert_eq!(code, 0, "{text}");
    contains(&text, "note: / is mounted with data=journal: its journal holds what was taken out until");
    let left = unmounted_words(&image);
    assert!(left.len() > planted.len() / 2, "a journal of contents has them: {left:?}");
    image.mount();
    journal();
    let (code, text) = seal(&root, &["--yes", "--wipe-free-space"]);
    assert_eq!(code, 0, "{text}");
    assert_eq!(unmounted_words(&image), wanted(&planted, stays));
}

#[test]
fn a_link_at_home_leads_to_nothing_that_is_removed() {
    let image = Mounted::new();
    let root = image.root();
    fill(&root);
    let key = "-----BEGIN PRIVATE KEY-----\nkept\n";
    put(&root, "etc/pki/tls/private/site.key", key);
    put(&root, "etc/pki/fish_history", "kept");
    fs::create_dir_all(root.join("home/ann/.local/share")).unwrap();
    for (to, link) in [("/etc/pki/tls/private", "home/ann/.ssh"), ("/etc/pki", "home/ann/.local/share/fish")]
    {
        std::os::unix::fs::symlink(to, root.join(link)).unwrap();
    }
    let (code, text) = seal(&root, &["--yes"]);
    assert_eq!(code, 0, "{text}");
    contains(&text, "left to you: /etc/pki/tls/private/site.key (a private key");
    assert!(root.join("etc/pki/tls/private/site.key").exists() && root.join("etc/pki/fish_history").exists());
    // The link is a name of the key: the user's own would stay under the other.
    std::os::unix::fs::symlink("/etc/pki/tls/private/site.key", root.join("home/joe/.ssh/id_dsa")).unwrap();
    let (code, text) = seal(&root, &["--yes"]);
    assert_eq!(code, 1, "{text}");
    contains(
        &text,
        "/home/joe/.ssh/id_dsa is a link to /etc/pki/tls/private/site.key, whose content would stay",
    );
}

#[test]
fn private_keys_go_from_directories_below_dot_ssh_and_those_of_protocol_1_too() {
    let image = Mounted::new();
    let root = image.root();
    fill(&root);
    let keys = [
        ("root/.ssh/keys/old/id_rsa", "-----BEGIN RSA PRIVATE KEY-----\nx\n"),
        ("home/joe/.ssh/identity", "SSH PRIVATE KEY FILE FORMAT 1.1\n\0\x03\0x"),
        ("home/joe/.ssh/identity.pub", "2048 65537 1 joe@mt01\n"),
    ];
    for (path, content) in keys {
        put(&root, path, content);
    }
    put(&root, "root/.ssh/keys/config", "Host *\n");
    let (code, text) = seal(&root, &["--yes"]);
    assert_eq!(code, 0, "{text}");
    for (path, _) in keys {
        assert!(!root.join(path).exists(), "{path}: {text}");
    }
    assert!(root.join("root/.ssh/keys/config").exists());
}

#[test]
fn what_a_link_or_a_bind_mount_hides_is_named() {
    let image = Mounted::new();
    let root = image.root();
    fill(&root);
    put(&root, "srv/weblogs/access_log", "kept\n");
    put(&root, "srv/one.log", "kept\n");
    put(&root, "home/joe/commands", "kept\n");
    put(&root, "data/spool/x", "kept\n");
    put(&root, "etc/fstab", "UUID=1 / ext4 defaults 1 1\n/data/spool /var/spool/mail none bind 0 0\n");
    let link = |to: &str, at: &str| std::os::unix::fs::symlink(to, root.join(at)).unwrap();
    link("/srv/weblogs", "var/log/httpd");
    link("../../srv/one.log", "var/log/one.log");
    link("messages", "var/log/current");
    link("commands", "home/joe/.lesshst");
    link("/dev/null", "root/.bash_history");
    put(&root, "srv/keys/id_rsa", "-----BEGIN RSA PRIVATE KEY-----\nx\n");
    link("/srv/keys", "root/.ssh");
    let (code, text) = seal(&root, &["--yes"]);
    assert_eq!(code, 0, "{text}");
    contains(&text, "left to you: /srv/weblogs (what /var/log/httpd leads to stays)");
    contains(&text, "left to you: /srv/one.log (what /var/log/one.log leads to stays)");
    contains(&text, "left to you: /home/joe/commands (what /home/joe/.lesshst leads to stays)");
    contains(&text, "note: /data/spool is not bound to /var/spool/mail, as /etc/fstab binds it");
    contains(&text, "left to you: /srv/keys (what /root/.ssh leads to stays)");
    assert_eq!(text.matches("leads to stays").count(), 4, "{text}");
    // A list of types is mount's to try.
    put(&root, "etc/fstab", "UUID=1 / ext4 defaults 1 1\nLABEL=logs /var/log xfs,ext4 defaults 1 2\n");
    let (code, text) = seal(&root, &["--yes"]);
    assert_eq!(code, 1, "{text}");
    contains(&text, "refused: nothing is mounted at /var/log");
}

#[test]
fn replaced_and_new_files_have_their_selinux_label() {
    let image = Mounted::new();
    let root = image.root();
    fill(&root);
    let label =
        |path: &str, label: &str| xattr::set(root.join(path), "security.selinux", label.as_bytes()).unwrap();
    let told = |path: &str| xattr::get(root.join(path), "security.selinux").unwrap().map(String::from_utf8);
    label("etc/hosts", "system_u:object_r:net_conf_t:s0");
    label("var/log/messages", "system_u:object_r:var_log_t:s0");
    label("var/lib/mt-agent", "system_u:object_r:var_lib_t:s0");
    let (code, text) = seal(&root, &["--yes"]);
    assert_eq!(code, 0, "{text}");
    for (path, wanted) in [
        ("etc/hosts", "system_u:object_r:net_conf_t:s0"),
        ("var/log/messages", "system_u:object_r:var_log_t:s0"),
        ("var/lib/mt-agent/template.json", "system_u:object_r:var_lib_t:s0"),
        ("var/lib/mt-agent/resume.json", "system_u:object_r:var_lib_t:s0"),
    ] {
        assert_eq!(told(path), Some(Ok(wanted.to_owned())), "{path}");
    }
}
