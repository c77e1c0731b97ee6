//! Machines with and without a network: what one collects, and the other installs from it.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use serde_json::Value;

use super::mirror::Mirror;
use super::rpms::Desk;
use super::tool;
use super::world::World;

/// A rpm database of the world's own, as CentOS has it, with nothing in it.
pub const DATABASE: &str = "rpm --initdb; ";

/// What a connected machine has: packages `a` and `b` that are wanted, what they need, what nobody wants, and the
/// file `f`; and a world for each machine.
pub struct Site {
    pub desk: Desk,
    pub mirror: Mirror,
    pub out: PathBuf,
    pub accept: bool,
}

impl Site {
    pub fn new() -> Self {
        let desk = Desk::apart();
        desk.package("a", "Requires: mt-agent-test-lib, mt-agent-test-base");
        desk.package("b", "");
        desk.package("lib", "Provides: mt-agent-test-library\nRequires: mt-agent-test-deep");
        desk.package("deep", "");
        // Like glibc: whatever is installed needs it, and every target has it.
        desk.package("base", "");
        desk.package("unwanted", "");
        let mirror = Mirror::new(&desk.dir().join("build/RPMS"));
        mirror.index();
        let out = desk.dir().join("out");
        Self { desk, mirror, out, accept: true }
    }

    pub fn profile(&self) -> String {
        let unverified = if self.accept { "install-without-verification" } else { "refuse" };
        let f = self.mirror.url("/noarch/mt-agent-test-f-1.0-1.noarch.rpm");
        format!(
            "extends: centos-6.6\npackages: {{base: [mt-agent-test-a], multipath: [mt-agent-test-b]}}\n\
             files:\n  directory: /var/lib/kept\n  unverified: {unverified}\n  reiserfs:\n    - package: mt-agent-test-f\n\
             \x20     file: mt-agent-test-f-1.0-1.noarch.rpm\n      urls: ['{f}']\n"
        )
    }

    /// A machine with this profile and more lines of it, an rpm database and nothing installed.
    pub fn machine(&self, more: &str) -> World {
        let world = World::new();
        world.file("/etc/mt-agent/profile.yaml", &format!("{}{more}", self.profile()));
        world.file("/etc/redhat-release", "CentOS release 6.6 (Final)\n");
        world.file("/etc/rpm/macros", "%_dbpath /var/lib/rpm\n");
        world
    }

    /// Collects from the mirror, with more options.
    pub fn collect(&self, world: &World, more: &str) -> Output {
        let url = self.mirror.url("/");
        world.run(
            &format!("{DATABASE}$AGENT apply --download-only $OUT --repository {url} {more}"),
            &self.out(),
        )
    }

    pub fn out(&self) -> [(&str, &str); 1] {
        [("OUT", self.out.to_str().unwrap())]
    }

    /// Collects as it should be.
    #[track_caller]
    pub fn collected(&self) {
        let output = self.collect(&self.machine(""), "");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }

    /// Runs an apply from the collection on a machine without network.
    pub fn offline(&self, world: &World, before: &str, more: &str) -> Output {
        let run = "unshare -n -- strace -f -qq -e trace=connect,sendto,sendmsg -o /var/tmp/trace $AGENT apply --yes \
                   --only packages --offline $OUT";
        world.run(&format!("{DATABASE}{before}\n{run} {more}"), &self.out())
    }

    /// As [`Site::offline`], on a machine that could reach the mirror.
    pub fn connected(&self, world: &World, before: &str, more: &str) -> Output {
        let run = "$AGENT apply --yes --only packages --offline $OUT";
        world.run(&format!("{DATABASE}{before}\n{run} {more}"), &self.out())
    }

    /// Puts other bytes in the place of a package, and lets the manifest say so.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.file(name);
        fs::write(&path, bytes).unwrap();
        let sum = text(&tool("sha256sum", &[path.to_str().unwrap()]).stdout)[..64].to_owned();
        self.amend(name, &[("sha256", sum.into()), ("size", bytes.len().into())]);
    }

    /// Lets the manifest say something else of a package.
    pub fn amend(&self, name: &str, values: &[(&str, Value)]) {
        let path = self.out.join("manifest.json");
        let mut manifest: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let files = manifest["files"].as_array_mut().unwrap();
        let entry = files.iter_mut().find(|entry| entry["file"] == rpm(name).as_str()).unwrap();
        for (key, value) in values {
            entry[*key] = value.clone();
        }
        fs::write(&path, manifest.to_string()).unwrap();
    }

    /// A package of the build directory.
    pub fn built(&self, file: &str) -> String {
        self.desk.dir().join("build/RPMS/noarch").join(file).display().to_string()
    }

    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(&self.out).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.out.join(format!("mt-agent-test-{name}-1.0-1.noarch.rpm"))
    }
}

pub fn rpm(name: &str) -> String {
    format!("mt-agent-test-{name}-1.0-1.noarch.rpm")
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The words of a page, however its lines were broken.
pub fn words(bytes: &[u8]) -> String {
    text(bytes).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The one line that a failed run says, with the collection's directory as DIR.
#[track_caller]
pub fn refused(site: &Site, output: &Output) -> String {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let lines: Vec<_> = stderr.lines().filter(|line| line.starts_with("mt-agent: ")).collect();
    assert_eq!(lines.len(), 1, "{stderr}");
    lines[0].replace(site.out.to_str().unwrap(), "DIR")
}
