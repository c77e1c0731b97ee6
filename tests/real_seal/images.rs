//! Image files, raw and qcow2, attached by scripts/seal-image.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mt_agent::facts::fstab::COMMENT;

use crate::desk::{AGENT, DISK, Mounted, all_files, fill, found_in, put, said, seal, words};
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
    let _alone = alone();
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
        let before = sha256(&image);
        let (code, text) = seal_image(&image, &["--dry-run"]);
        assert_eq!((code, sha256(&image)), (1, before), "{format}: {text}");
        contains(&text, "remove /home/joe/.bash_history");
        let (code, text) = seal_image(&image, &["--yes"]);
        assert_eq!(code, 0, "{format}: {text}");
        let (code, text) = seal_image(&image, &["--yes"]);
        assert_eq!((code, text.contains("sealed already")), (0, true), "{format}: {text}");
        assert_eq!(found_in(&bytes()), [] as [&str; 0], "{format}");
        nothing_is_attached();
    }
}

/// One image at a time: what is left attached is this one's.
static ONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    need_root();
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn nothing_is_attached() {
    let loops = tool("losetup", &["--list", "--output", "BACK-FILE"]);
    let loops = String::from_utf8_lossy(&loops.stdout).into_owned();
    assert!(!loops.contains("mt-agent-seal"), "{loops}");
    assert!(!fs::read_to_string("/proc/self/mountinfo").unwrap().contains("mt-agent-seal"));
}

fn sha256(file: &Path) -> String {
    let said = tool("sha256sum", &["--", file.to_str().unwrap()]);
    String::from_utf8_lossy(&said.stdout).split_whitespace().next().unwrap().to_owned()
}

/// A copy of the image as a loss of power leaves it: what was written last is in the journal alone.
fn with_a_journal_to_replay(dir: &Path, image: &Path) -> PathBuf {
    let (cut, at) = (dir.join("cut.raw"), dir.join("at"));
    fs::create_dir(&at).unwrap();
    let at = at.to_str().unwrap();
    tool("mount", &["-o", "loop,offset=1048576,sizelimit=67108864,commit=300", image.to_str().unwrap(), at]);
    put(Path::new(at), "root/.viminfo", "written last\n");
    // Into the journal, and not yet from there to its place.
    tool("sync", &["--", &format!("{at}/root/.viminfo")]);
    fs::copy(image, &cut).unwrap();
    tool("umount", &[at]);
    let of_part = format!("{}?offset=1048576", cut.display());
    let features = String::from_utf8_lossy(&tool("dumpe2fs", &["-h", &of_part]).stdout).into_owned();
    contains(&features, "needs_recovery");
    cut
}

#[test]
fn a_dry_run_leaves_an_image_whose_journal_waits_as_it_is() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let cut = with_a_journal_to_replay(dir.path(), &disk_image(dir.path(), "raw"));
    let over = dir.path().join("cut.qcow2");
    tool("qemu-img", &["convert", "-f", "raw", "-O", "qcow2", cut.to_str().unwrap(), over.to_str().unwrap()]);
    for image in [&cut, &over] {
        let before = sha256(image);
        let (code, text) = seal_image(image, &["--dry-run"]);
        assert_eq!((code, sha256(image)), (1, before.clone()), "{text}");
        // As the image will be found by a run that writes.
        contains(&text, "remove /root/.viminfo");
        // Nor is it written to by a run that only prints, is wrong, is refused, or has nobody to ask.
        for (args, code, told) in [
            (&["--list"][..], 0, "udev-net"),
            (&["--frob"], 2, "--frob"),
            (&["--yes", "--only", "frob"], 2, "frob"),
            (&["--yes", "--dry-run"], 2, "cannot be used together"),
            (&["--root", "/"], 2, "--root is this script's to set"),
            (&["--yes", "--skip", "passphrases"], 1, "not sealed: "),
            (&["-qy", "--skip", "passphrases"], 1, "not sealed: "),
            (&["--yes", "--format", "json", "--skip", "passphrases"], 1, "\"ended\": \"refused\","),
            (&[], 2, "nobody can be asked: add --yes"),
            (&["--format=json"], 2, "nobody can be asked: add --yes"),
        ] {
            let said = seal_image(image, args);
            assert_eq!((said.0, sha256(image)), (code, before.clone()), "{args:?}: {}", said.1);
            contains(&said.1, told);
        }
        let (code, text) = seal_image(image, &["--yes"]);
        assert_eq!(code, 0, "{text}");
    }
    nothing_is_attached();
}

#[test]
fn a_disk_is_sealed_where_it_is_said_that_it_is_one() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let image = disk_image(dir.path(), "raw");
    let shown = tool("losetup", &["--find", "--show", "--partscan", image.to_str().unwrap()]);
    let disk = String::from_utf8_lossy(&shown.stdout).trim().to_owned();
    let before = sha256(&image);
    let script = |args: &[&str]| seal_image(Path::new(args[0]), &args[1..]);
    let unsaid = script(&[&disk, "--yes"]);
    let file = script(&["--raw-device", image.to_str().unwrap(), "--yes"]);
    let looked = script(&["--raw-device", &disk, "--dry-run"]);
    let untouched = sha256(&image) == before;
    let over = tool("losetup", &["--find", "--show", "--read-only", "--offset", "1048576", &disk]);
    let used = script(&["--raw-device", &disk, "--yes"]);
    tool("losetup", &["--detach", String::from_utf8_lossy(&over.stdout).trim()]);
    let sealed = script(&["--raw-device", &disk, "--yes"]);
    tool("losetup", &["--detach", &disk]);
    assert_eq!(unsaid.0, 2, "{}", unsaid.1);
    contains(
        &unsaid.1,
        &format!(
            "is a disk, not an image file: if it is the disk to seal, say so: seal-image --raw-device {disk}"
        ),
    );
    assert_eq!(file.0, 2, "{}", file.1);
    contains(&file.1, "is not a block device: --raw-device is for a whole disk");
    assert_eq!((looked.0, untouched), (1, true), "{}", looked.1);
    assert_eq!(used.0, 2, "{}", used.1);
    contains(&used.1, "is in use (");
    assert_eq!(sealed.0, 0, "{}", sealed.1);
    assert_eq!(found_in(&fs::read(&image).unwrap()), [] as [&str; 0]);
    nothing_is_attached();
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
fn an_image_that_has_more_than_its_own_clusters_is_refused_in_one_line() {
    need_root();
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let create = |args: &[&str], name: &str| {
        tool("qemu-img", &[&["create", "-q", "-f", "qcow2"], args, &[path(name).as_str(), "16M"]].concat());
    };
    create(&[], "snapshots");
    tool("qemu-img", &["snapshot", "-c", "before", &path("snapshots")]);
    create(&["-F", "qcow2", "-b", &path("snapshots")], "over");
    create(&["-o", &format!("data_file={}", path("data"))], "with-data");
    create(&["-o", &format!("data_file={},data_file_raw=on", path("data-raw"))], "with-raw-data");
    // Of a header that a guest or an enemy wrote: a bit and an extension that nobody knows yet. And LUKS as the method of
    // encryption: qemu-img measures for seconds how fast it derives a key before it makes such an image, and may give up.
    for (name, at, bytes) in
        [("feature", 78, &[1, 0][..]), ("extension", 112, b"DISK"), ("encrypted", 32, &[0, 0, 0, 2])]
    {
        create(&[], name);
        let mut header = fs::read(path(name)).unwrap();
        header[at..at + bytes.len()].copy_from_slice(bytes);
        fs::write(path(name), header).unwrap();
    }
    for (name, has) in [
        ("snapshots", "internal snapshots"),
        ("over", "a backing file"),
        ("with-data", "an external data file"),
        ("with-raw-data", "an external data file"),
        ("encrypted", "encryption"),
        ("feature", "features that are not known here"),
        ("extension", "a header extension 0x4449534b that is not known here"),
    ] {
        let files = || all_files(dir.path());
        let before = files();
        let (code, text) = seal_image(Path::new(&path(name)), &["--yes"]);
        assert_eq!((code, files() == before), (2, true), "{text}");
        contains(
            &text,
            &format!("{name} has {has}, where what is taken out would stay or what is written would go"),
        );
        contains(&text, &format!("flatten it first: qemu-img convert -O qcow2 {}", path(name)));
        assert!(text.starts_with("seal-image: "), "{text}");
    }
}

#[test]
fn an_image_of_another_format_is_refused_by_the_format() {
    need_root();
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    // A descriptor of VMware is a text that names the files, or the disk, with the data.
    tool(
        "qemu-img",
        &["create", "-q", "-f", "vmdk", "-o", "subformat=monolithicFlat", &path("flat.vmdk"), "16M"],
    );
    contains(&fs::read_to_string(path("flat.vmdk")).unwrap(), "flat-flat.vmdk");
    for format in ["vmdk", "vdi", "vhdx", "vpc", "qed", "qcow", "parallels"] {
        let name = if format == "vmdk" { path("flat.vmdk") } else { path(format) };
        if format != "vmdk" {
            tool("qemu-img", &["create", "-q", "-f", format, &name, "16M"]);
        }
        let before = all_files(dir.path());
        let (code, text) = seal_image(Path::new(&name), &["--yes"]);
        assert_eq!((code, all_files(dir.path()) == before), (2, true), "{text}");
        contains(
            &text,
            &format!("is an image of the format {format}, raw or qcow2 was expected: convert it first"),
        );
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
