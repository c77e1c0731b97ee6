//! A whole system for the real binary to change: this machine's own files below an overlay, with /var, /root, /run and
//! /dev of its own. Its programs are the real ones, its processes are this machine's. Needs root, unshare(1), overlayfs.

use std::ffi::OsStr;
use std::fs;
use std::process::{Command, Output};

use tempfile::TempDir;

const ENTER: &str = r#"
umask 022
cd "$1"
mount -t tmpfs system up
mkdir up/upper up/work
mount -t overlay system -o lowerdir=/,upperdir=up/upper,workdir=up/work root
for place in var root run dev; do mount -t tmpfs -o mode=755 system "root/$place"; done
mount --rbind /proc root/proc
if [ -z "${DISKS-}" ]; then
    mount --rbind /sys root/sys
else
    mount -t tmpfs -o mode=755 system root/sys
    cp -r "$DISKS/sys/." root/sys/
    for disk in sda sdb; do cp "$DISKS/commands/sg_io/$disk/page83" "root/sys/block/$disk/device/vpd_pg83"; done
fi
for node in null zero full random urandom tty; do cp -a "/dev/$node" root/dev/; done
ln -s /proc/self/fd root/dev/fd
mkdir -p root/var/lib root/var/log root/var/run root/var/tmp root/etc/mt-agent
cp "$3" root/usr/sbin/mt-agent
cp -R files/. root/
exec chroot root /bin/bash -c "exec 2>&1; cd /; $2"
"#;

pub struct System(TempDir, &'static str);

impl System {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["up", "root", "files"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        Self(dir, "")
    }

    /// With the devices of the recorded master target in /sys: what asks for disks of VMware finds them.
    pub fn with_disks(self) -> Self {
        Self(self.0, super::RECORDED)
    }

    /// A file at the absolute path `path`.
    pub fn file(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.0.path().join("files").join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Runs the bash script there, both streams in one; the binary is /usr/sbin/mt-agent. Nothing of it stays.
    pub fn run(&self, script: &str) -> Output {
        let enter = ["-m", "--propagation", "private", "--", "bash", "-euc", ENTER, "system"].map(OsStr::new);
        Command::new("unshare")
            .args(enter)
            .arg(self.0.path())
            .arg(script)
            .arg(env!("CARGO_BIN_EXE_mt-agent"))
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LC_ALL", "C.UTF-8")
            .env("DISKS", self.1)
            .output()
            .unwrap()
    }
}

/// What was said on both streams, every word parted by one blank: messages are wrapped.
pub fn said(output: &Output) -> String {
    let both = [output.stdout.as_slice(), b"\n", &output.stderr].concat();
    String::from_utf8_lossy(&both).split_whitespace().collect::<Vec<_>>().join(" ")
}
