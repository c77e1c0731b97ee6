//! Image files, raw and qcow2, attached by scripts/seal-image.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mt_agent::facts::fstab::COMMENT;

use crate::desk::{AGENT, DISK, Mounted, fill, found_in, put, said, seal, words};
use crate::support::{contains, need_root, tool};

/// An image of a disk with two partitions, `/` and `/home`, as a raw file or qcow2; of this one /home may be absent.
fn disk_image(dir: &Path, format: &str) -> PathBuf {
    let (tree, home) = (dir.join("tree"), dir.join("home"));
    fill(&tree);
    fs::rename(tree.join("home"), &home).unwrap();
    fs::create_dir(tree.join("home")).unwrap();
    let ids = ["6f1d7a4e-0b1c-4a55-9a0e-5c0de0000001", "6f1d7a4e-0b1c-4a55-9a0e-5c0de0000005"];
    put(
        &tree,
        "etc/fstab",
        &format!(
            "UUID={} / ext4 defaults 1 1\nUUID={} /home ext4 {} 1 2\n{}",
            ids[0],
            ids[1],
            if format == "raw" { "defaults" } else { "defaults,nofail" },
            // Another disk's, by either name that `apply` writes.
            if format == "raw" {
                format!("/dev/mapper/{DISK} /mnt/retention ext4 rw 0 0\n")
            } else {
                format!(
                    "{COMMENT}/mnt/retention\nUUID=3817aa48-f3e5-88cf-8178-26462a4c110d /mnt/retention ext4 rw 0 0\n"
                )
            }
        ),
    );
    let raw = dir.join("disk.raw");
    fs::File::create(&raw).unwrap().set_len(100 << 20).unwrap();
    let name = raw.to_str().unwrap();
    let table = Command::new("sh")
        .args(["-c", &format!("printf 'label: dos\\nstart=1MiB, size=64MiB, type=83\\nstart=65MiB, size=32MiB, type=83\\n' | sfdisk -q {name}")])
        .output()
        .unwrap();
    assert!(table.status.success(), "{}", said(&table).1);
    for (id, from, offset, size) in [(ids[0], &tree, 1_u64, "64M"), (ids[1], &home, 65, "32M")] {
        let extended = format!("offset={}", offset << 20);
        tool("mkfs.ext4", &["-q", "-F", "-U", id, "-d", from.to_str().unwrap(), "-E", &extended, name, size]);
    }
    if format == "raw" {
        return raw;
    }
    let image = dir.join("disk.qcow2");
    tool("qemu-img", &["convert", "-f", "raw", "-O", "qcow2", name, image.to_str().unwrap()]);
    image
}

fn seal_image(image: &Path, args: &[&str]) -> (i32, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/seal-image");
    let output =
        Command::new("bash").arg(script).arg(image).args(args).env("MT_AGENT", AGENT).output().unwrap();
    said(&output)
}

#[test]
fn image_files_are_sealed_and_nothing_stays_attached() {
    need_root();
    for format in ["raw", "qcow2"] {
        let dir = tempfile::tempdir().unwrap();
        let image = disk_image(dir.path(), format);
        let bytes = || {
            let raw = dir.path().join("seen.raw");
            let args = ["convert", "-f", format, "-O", "raw", image.to_str().unwrap(), raw.to_str().unwrap()];
            tool("qemu-img", &args);
            fs::read(raw).unwrap()
        };
        assert_eq!(found_in(&bytes()), words(), "{format}");
        let (code, text) = seal_image(&image, &["--dry-run"]);
        assert_eq!(code, 1, "{format}: {text}");
        contains(&text, "remove /home/joe/.bash_history");
        let (code, text) = seal_image(&image, &["--yes"]);
        assert_eq!(code, 0, "{format}: {text}");
        let (code, text) = seal_image(&image, &["--yes"]);
        assert_eq!((code, text.contains("sealed already")), (0, true), "{format}: {text}");
        assert_eq!(found_in(&bytes()), [] as [&str; 0], "{format}");
        let loops = String::from_utf8_lossy(&tool("losetup", &["--list", "--output", "BACK-FILE"]).stdout)
            .into_owned();
        assert!(!loops.contains("mt-agent-seal"), "{loops}");
        assert!(!fs::read_to_string("/proc/self/mountinfo").unwrap().contains("mt-agent-seal"));
    }
}

#[test]
fn what_is_no_image_of_a_system_is_refused_in_one_line() {
    need_root();
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), "empty", "");
    put(dir.path(), "text", &"not a disk ".repeat(1000));
    for (name, words) in [("none", "no such image file"), ("empty", "empty"), ("text", "no partition table")]
    {
        let (code, text) = seal_image(&dir.path().join(name), &["--yes"]);
        assert_eq!(code, 2, "{text}");
        contains(&text, words);
        assert!(text.starts_with("seal-image: "), "{text}");
    }
}

#[test]
fn an_image_with_old_clusters_is_refused_in_one_line() {
    need_root();
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    tool("qemu-img", &["create", "-q", "-f", "qcow2", &path("snapshots"), "16M"]);
    tool("qemu-img", &["snapshot", "-c", "before", &path("snapshots")]);
    let over = ["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", &path("snapshots"), &path("over")];
    tool("qemu-img", &over);
    for (name, has) in [("snapshots", "internal snapshots"), ("over", "a backing file")] {
        let before = fs::read(path(name)).unwrap();
        let (code, text) = seal_image(Path::new(&path(name)), &["--yes"]);
        assert_eq!((code, fs::read(path(name)).unwrap() == before), (2, true), "{text}");
        contains(&text, &format!("{name} has {has}, where what is taken out would stay"));
        contains(&text, &format!("flatten it first: qemu-img convert -O qcow2 {}", path(name)));
        assert!(text.starts_with("seal-image: "), "{text}");
    }
}

#[test]
fn an_image_without_all_its_file_systems_is_refused() {
    let image = Mounted::new();
    let root = image.root();
    fill(&root);
    let fstab = "UUID=1 / ext4 defaults 1 1\nUUID=2 /home ext4 defaults 1 2\nUUID=3 /data ext4 nofail 0 0\n";
    put(&root, "etc/fstab", fstab);
    let (code, text) = seal(&root, &["--yes"]);
    assert_eq!(code, 1, "{text}");
    contains(&text, "nothing is mounted at /home of the tree");
    contains(&text, "note: nothing is mounted at /data (UUID=3), which /etc/fstab lets be absent");
    assert!(!text.contains("refused: nothing is mounted at /data"), "{text}");
    put(&root, "etc/fstab", &fstab.replace("UUID=2 /home ext4 defaults", "UUID=2 /home ext4 nofail"));
    let home = root.join("home");
    tool("mount", &["-t", "tmpfs", "home", home.to_str().unwrap()]);
    put(&home, "joe/passphrase.txt", "the image's");
    let (_, text) = seal(&root, &["--dry-run", "--wipe-free-space"]);
    contains(&text, "fill what is free on / with zeros fill what is free on /home with zeros");
    assert!(!text.contains("is mounted at /home"), "{text}");
    let (code, text) = seal(&root, &["--yes"]);
    let left = home.join("joe/passphrase.txt").exists();
    tool("umount", &[home.to_str().unwrap()]);
    assert_eq!((code, left), (0, false), "{text}");
}
