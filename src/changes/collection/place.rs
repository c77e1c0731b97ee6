//! Which directories a collection may lie in.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::host::text;
use crate::platform::packages::plain_directory;

/// Refuses a directory that cannot be named in one line, or written to the journal as it is.
/// Errors: Its name is not UTF-8, or has a line break or another control character in it.
pub fn can_be_named(directory: &Path) -> Result<()> {
    let name = directory.to_string_lossy();
    ensure!(
        directory.to_str().is_some_and(|name| !name.contains(char::is_control)),
        "the directory `{}` has a line break, another control character or bytes that are not UTF-8 in its name: move or \
         rename it",
        text::safe(&name)
    );
    Ok(())
}

/// As [`can_be_named`], for a directory to collect in.
/// Errors: It has others than letters, digits and a few more in its name.
pub fn can_be_collected_in(directory: &Path) -> Result<()> {
    can_be_named(directory)?;
    plain_directory(directory)
}
