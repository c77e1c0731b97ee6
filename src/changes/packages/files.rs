//! Packages that come as files: taken from a directory or fetched, verified, and installed in one
//! transaction. They stay in the profile's directory, as the procedure leaves them in /usr/local.
//!
//! Between its verification and its installation nobody but root can change a file: the directory, all above
//! it, and the file itself are root's alone, or the file is not used.

use anyhow::{Context as _, Result, anyhow, bail};

use super::names::describe;
use super::obtain::obtain;
use super::transaction::file_transaction;
use crate::changes::package_file::PackageFile;
use crate::changes::{Context, Done};
use crate::host::trust;
use crate::platform::packages::{Act, Database, plain, reason};

/// Installs those of `files` whose package is not installed.
/// Errors: One line: no copy could be had (and why not, for each address), one is not what it should be, or it was
/// not installed. Verified files stay; nothing unverified does.
pub fn install_files(context: &mut Context<'_>, files: &[PackageFile]) -> Result<Done> {
    let database = Database::of(context.host).context("installing package files")?;
    install_files_with(context, database, files)
}

/// As [`install_files`], with a certain database.
pub fn install_files_with(
    context: &mut Context<'_>,
    database: Database,
    files: &[PackageFile],
) -> Result<Done> {
    for spec in files {
        plain(&spec.package, "a package")?;
        plain(&spec.file, "a package file")?;
    }
    if files.is_empty() {
        return Ok(Done::Unchanged);
    }
    let names: Vec<&str> = files.iter().map(|spec| spec.package.as_str()).collect();
    let present = database.installed(context.host, &names)?;
    let absent: Vec<&PackageFile> =
        files.iter().filter(|spec| !present.contains_key(&spec.package)).collect();
    if absent.is_empty() {
        return Ok(Done::Unchanged);
    }
    let directory = trust::make_directory(&context.host.path(&context.profile.files.directory))
        .context("keeping package files (files.directory)")?;
    for spec in &absent {
        let how = obtain(context, database, &directory, spec)?;
        context.observer.log(&format!("{}: {how}", directory.join(&spec.file).display()));
        context.observer.progress(&format!("{}: {how}", spec.file));
    }
    let obtained: Vec<&str> = absent.iter().map(|spec| spec.file.as_str()).collect();
    let ran = file_transaction(context, database, Act::Install, &directory, &obtained)?;
    let names: Vec<&str> = absent.iter().map(|spec| spec.package.as_str()).collect();
    let installed = database.installed(context.host, &names)?;
    let left: Vec<&str> = names.into_iter().filter(|name| !installed.contains_key(*name)).collect();
    match ran {
        Ok(_) if left.is_empty() => Ok(Done::Changed(describe(&installed))),
        Ok(output) => {
            bail!("{} did not install {}: {}", database.tool().name, left.join(", "), reason(&output))
        }
        Err(failure) => Err(anyhow!(failure).context("installing package files")),
    }
}
