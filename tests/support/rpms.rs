//! Small packages, a repository of them, and a key of our own. All names begin with `mt-agent-test-`; they
//! go into this machine's rpm database, and out of it again, one test at a time, or stay out of it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use nix::fcntl::{Flock, FlockArg};

use super::{need_root, tool};

/// The prefix of all names.
pub const PREFIX: &str = "mt-agent-test-";

/// What was built so far, by name, version, specification and payload: tests want the same packages again and again, and
/// rpmbuild is slow.
static BUILT: Mutex<BTreeMap<[String; 4], Vec<u8>>> = Mutex::new(BTreeMap::new());

/// A place for packages.
pub struct Desk {
    dir: tempfile::TempDir,
    repository: Option<PathBuf>,
    /// Who holds it has this machine's rpm database alone.
    lock: Option<Flock<File>>,
}

impl Desk {
    /// With this machine's rpm database; what is installed is removed at the end.
    pub fn new() -> Self {
        let mut desk = Self::apart();
        // Other runs of these tests on this machine wait here.
        let file = File::create("/tmp/mt-agent-test.lock").unwrap();
        desk.lock = Some(Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, error)| error).unwrap());
        clear();
        desk
    }

    /// For tests that leave this machine's rpm database as it is.
    pub fn apart() -> Self {
        need_root();
        Self { dir: tempfile::tempdir().unwrap(), repository: None, lock: None }
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Makes a package `mt-agent-test-NAME` with more lines of its specification, and tells where it is.
    pub fn package(&self, name: &str, more: &str) -> PathBuf {
        // gzip, as rpm 4.8 needs it.
        self.packed(&format!("{PREFIX}{name}"), more, "w9.gzdio")
    }

    /// As `package`, of another version than 1.0.
    pub fn edition(&self, name: &str, version: &str, more: &str) -> PathBuf {
        self.made(&format!("{PREFIX}{name}"), version, more, "w9.gzdio")
    }

    /// Makes a package of any name, its payload packed as `payload` says.
    pub fn packed(&self, name: &str, more: &str, payload: &str) -> PathBuf {
        self.made(name, "1.0", more, payload)
    }

    fn made(&self, name: &str, version: &str, more: &str, payload: &str) -> PathBuf {
        let top = self.dir().join("build");
        let file = top.join(format!("RPMS/noarch/{name}-{version}-1.noarch.rpm"));
        let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
        let key = [name, version, more, payload].map(str::to_owned);
        if let Some(package) = built.get(&key) {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, package).unwrap();
            return file;
        }
        let spec = self.dir().join(format!("{name}.spec"));
        let text = format!(
            "Name: {name}\nVersion: {version}\nRelease: 1\nSummary: Test\nLicense: MIT\nBuildArch: noarch\n\
             {more}\n%description\nMade by a test.\n%files\n"
        );
        fs::write(&spec, text).unwrap();
        let define = format!("_topdir {}", top.display());
        let payload = format!("_binary_payload {payload}");
        let spec = spec.to_str().unwrap();
        tool("rpmbuild", &["-bb", "--quiet", "--define", &define, "--define", &payload, spec]);
        built.insert(key, fs::read(&file).unwrap());
        file
    }

    /// Offers what was built as the machine's repository.
    pub fn repository(&mut self) {
        let packages = self.dir().join("build/RPMS");
        tool("createrepo_c", &["--quiet", packages.to_str().unwrap()]);
        let path = PathBuf::from("/etc/yum.repos.d/mt-agent-test.repo");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = format!(
            "[mt-agent-test]\nname=mt-agent test\nbaseurl=file://{}\ngpgcheck=0\n",
            packages.display()
        );
        fs::write(&path, text).unwrap();
        self.repository = Some(path);
        // What dnf keeps of an earlier one is good for a second at least (metadata_expire), which is long here.
        tool("dnf", &["--quiet", "--disablerepo=*", "--enablerepo=mt-agent-test", "clean", "expire-cache"]);
    }

    /// Makes a key and gives its id; signs `packages` with it.
    pub fn sign(&self, packages: &[&Path]) -> String {
        let home = self.dir().join("gnupg");
        fs::create_dir(&home).unwrap();
        tool("chmod", &["700", home.to_str().unwrap()]);
        let gpg = |args: &[&str]| {
            let all: Vec<&str> = ["--homedir", home.to_str().unwrap(), "--batch", "--quiet"]
                .into_iter()
                .chain(args.iter().copied())
                .collect();
            tool("gpg", &all)
        };
        gpg(&["--passphrase", "", "--quick-gen-key", "mt-agent test", "rsa2048", "sign", "never"]);
        let key = gpg(&["--armor", "--export"]).stdout;
        File::create(self.key()).unwrap().write_all(&key).unwrap();
        for package in packages {
            let path = format!("_gpg_path {}", home.display());
            tool(
                "rpmsign",
                &[
                    "--define",
                    &path,
                    "--define",
                    "_gpg_name mt-agent test",
                    "--define",
                    "__gpg /usr/bin/gpg",
                    "--addsign",
                    package.to_str().unwrap(),
                ],
            );
        }
        let list = gpg(&["--list-keys", "--with-colons"]).stdout;
        let list = String::from_utf8(list).unwrap();
        let id =
            list.lines().find(|line| line.starts_with("pub:")).unwrap().split(':').nth(4).unwrap().to_owned();
        id[8..].to_lowercase()
    }

    /// Where the public key is.
    pub fn key(&self) -> PathBuf {
        self.dir().join("key.asc")
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if let Some(path) = &self.repository {
            let _ = fs::remove_file(path);
        }
        if self.lock.is_some() {
            clear();
        }
    }
}

/// Takes every package and key of these tests out of the database.
fn clear() {
    let all = tool("rpm", &["-qa", "--qf", "%{NAME}-%{VERSION}-%{RELEASE} %{SUMMARY}\\n"]).stdout;
    for line in String::from_utf8(all).unwrap().lines() {
        let name = line.split(' ').next().unwrap();
        if name.starts_with(PREFIX) {
            tool("rpm", &["-e", "--nodeps", "--noscripts", name]);
        } else if name.starts_with("gpg-pubkey-") && line.contains("mt-agent test") {
            tool("rpm", &["-e", name]);
        }
    }
}
