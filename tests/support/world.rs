//! A world of its own for the real binary: `/etc` and `/usr` may be changed, `/var` and `/root` are empty, tools
//! may be replaced by stand-ins, and nothing of it reaches this machine. Needs root, unshare(1) and overlayfs. The binary
//! is seen at one plain path, whatever the path it was built at and whatever is mounted over that.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The binary in the world.
const AGENT: &str = "/usr/lib/mt-agent-test/mt-agent";

const ENTER: &str = r#"
umask 022
# Relative names from here on: they stay when something is mounted over the absolute ones.
cd "$1"
mount -t tmpfs world upper
for part in etc usr; do
    mkdir "upper/$part" "upper/$part.work"
    mount -t overlay world -o "lowerdir=/$part,upperdir=upper/$part,workdir=upper/$part.work" "/$part"
done
install -D /dev/null "$AGENT"
mount --bind "$3" "$AGENT"
[ -z "${DISKS-}" ] || {
    mount -t tmpfs -o mode=755 world /sys
    cp -r "$DISKS/sys/." /sys/
    for disk in sda sdb; do cp "$DISKS/commands/sg_io/$disk/page83" "/sys/block/$disk/device/vpd_pg83"; done
}
for place in /var /root; do mount -t tmpfs -o mode=755 world "$place"; done
mkdir -p /var/lib /var/log /var/run /var/cache /var/tmp
cp -a tools/. /usr/sbin/
chmod -R u=rwX,go=rX files
cp -R files/. /
set +e
(cd / && exec sh -c "$2")
status=$?
cp -a /var out
exit "$status"
"#;

pub struct World {
    dir: TempDir,
    disks: &'static str,
    alone: &'static [&'static str],
}

impl World {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["upper", "tools", "files"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        Self { dir, disks: "", alone: &[] }
    }

    /// With the devices of the recorded master target in /sys: what asks for disks of VMware finds them.
    pub fn with_disks(self) -> Self {
        Self { disks: super::RECORDED, ..self }
    }

    /// Without the processes of others: what another test runs is not taken for this world's.
    pub fn alone(self) -> Self {
        Self { alone: &["--pid", "--fork", "--kill-child", "--mount-proc"], ..self }
    }

    /// A shell script in place of the tool `name`.
    pub fn tool(&self, name: &str, script: &str) {
        let path = self.dir.path().join("tools").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A file at the absolute path `path` of the world.
    pub fn file(&self, path: &str, content: &str) {
        let path = self.dir.path().join("files").join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Runs the shell script in the world; `$AGENT` is the binary. What it leaves in /var is kept.
    pub fn run(&self, script: &str, variables: &[(&str, &str)]) -> Output {
        drop(fs::remove_dir_all(self.dir.path().join("out")));
        let enter = ["-m", "--propagation", "private", "--", "sh", "-euc", ENTER, "world"].map(OsStr::new);
        Command::new("unshare")
            .args(self.alone)
            .args(enter)
            .arg(self.dir.path())
            .arg(script)
            .arg(env!("CARGO_BIN_EXE_mt-agent"))
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LC_ALL", "C.UTF-8")
            .env("AGENT", AGENT)
            .env("DISKS", self.disks)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// What the last run left at `path` of /var.
    pub fn left(&self, path: &str) -> String {
        let path = self.dir.path().join("out").join(path.trim_start_matches("/var/"));
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Every file that the last run left in /var: its path there, its mode, its content.
    pub fn all_left(&self) -> Vec<(String, u32, String)> {
        let mut found = Vec::new();
        let out = self.dir.path().join("out");
        collect(&out, &out, &mut found);
        found
    }
}

fn collect(top: &Path, dir: &Path, found: &mut Vec<(String, u32, String)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        let meta = path.symlink_metadata().unwrap();
        let name = format!("/var/{}", path.strip_prefix(top).unwrap().display());
        if meta.is_dir() {
            found.push((name, meta.mode() & 0o7777, String::new()));
            collect(top, &path, found);
        } else if meta.is_file() {
            let content = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            found.push((name, meta.mode() & 0o7777, content));
        }
    }
}
