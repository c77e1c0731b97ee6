//! The judges: ksvalidator, and the parser behind it. Without them a test fails.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::agent::{Ran, run, tool};

/// The version that `scripts/test` installs.
const VERSION: &str = "3.78";

fn program(name: &str) -> PathBuf {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools");
    let path = tools.join(format!("pykickstart-{VERSION}/bin/{name}"));
    assert!(path.exists(), "{} is missing: `scripts/test image` installs it", path.display());
    path
}

/// Writes `texts` to files of a directory, in order.
pub fn files(directory: &Path, texts: &[String]) -> Vec<PathBuf> {
    let write = |(number, text): (usize, &String)| {
        let path = directory.join(format!("{number:04}.cfg"));
        fs::write(&path, text).unwrap();
        path
    };
    texts.iter().enumerate().map(write).collect()
}

/// What ksvalidator says of these files.
pub fn ksvalidator(files: &[PathBuf]) -> Ran {
    // Not by its first line: an interpreter's path with blanks or quotes does not work there.
    let mut args = vec![program("ksvalidator").into_os_string(), "-v".into(), "RHEL6".into()];
    args.extend(files.iter().map(|file| file.as_os_str().to_owned()));
    run(&mut tool(program("python").to_str().unwrap(), &args))
}

/// Asserts that ksvalidator looked at every file and found nothing wrong.
#[track_caller]
pub fn accepted(files: &[PathBuf]) {
    let ran = ksvalidator(files);
    let looked = ran.stdout().matches("Checking kickstart file").count();
    assert_eq!(looked, files.len(), "{ran}");
    ran.exits(0).holds("nothing to complain of", |ran| ran.stderr().is_empty());
}

/// Each kickstart as the installer's parser understands it.
pub fn understood(files: &[PathBuf]) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kickstart/read.py");
    let args: Vec<_> = std::iter::once(&script).chain(files).collect();
    let ran = run(&mut tool(program("python").to_str().unwrap(), &args)).exits(0);
    let read: Vec<_> = ran.stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read.len(), files.len(), "{ran}");
    read
}
