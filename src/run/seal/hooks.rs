//! Programs of the site, run before anything is taken out.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::host::command::Command;
use crate::host::{Host, text, trust};
use crate::state::paths::HOOKS;

const HOOK_DEADLINE: Duration = Duration::from_secs(600);

/// The hooks of this machine, in the order of their names: also where a tree is sealed, as what lies in a tree is not run.
pub(super) fn hooks() -> Result<Vec<PathBuf>> {
    hooks_in(Path::new(HOOKS))
}

fn hooks_in(directory: &Path) -> Result<Vec<PathBuf>> {
    if directory.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        return Ok(Vec::new());
    }
    let directory = trust::place(directory)?;
    let mut found = Vec::new();
    for entry in fs::read_dir(&directory).with_context(|| format!("reading {}", directory.display()))? {
        let path = entry.with_context(|| format!("reading {}", directory.display()))?.path();
        let meta = path.symlink_metadata().with_context(|| format!("looking at {}", path.display()))?;
        // What package managers and editors leave beside a file is no hook.
        let copy = [".rpmsave", ".rpmnew", ".rpmorig", ".bak", ".dpkg-old", ".dpkg-dist", "~"];
        let name = path.to_string_lossy();
        ensure!(!meta.is_symlink(), "{name} is a link: put the program itself there");
        if meta.is_file()
            && meta.permissions().mode() & 0o111 != 0
            && !copy.iter().any(|end| name.ends_with(end))
        {
            trust::file(&path)?;
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Runs one; `progress` gets each line that it prints.
pub(super) fn run(hook: &Path, root: &Path, progress: &mut dyn FnMut(&str)) -> Result<()> {
    let command = Command::new(&hook.display().to_string(), [root.display().to_string()], HOOK_DEADLINE);
    let output = command.run_watched(&Host::live(), progress)?;
    ensure!(
        output.status == 0,
        "the hook {} ended with status {}: {}; nothing was taken out yet",
        hook.display(),
        output.status,
        text::safe(&output.message())
    );
    Ok(())
}
