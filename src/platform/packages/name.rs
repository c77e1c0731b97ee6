//! Names of packages and of their files.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::host::text;

pub const SUFFIX: &str = ".rpm";

/// Refuses a `name` of `what` that a tool would take for an option, a path, a group or a pattern.
/// Errors: It has other characters than such names have.
pub fn plain(name: &str, what: &str) -> Result<()> {
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    let rest = name.chars().all(|c| c.is_ascii_alphanumeric() || "._+~^-".contains(c));
    ensure!(
        first && rest,
        "`{}` cannot be the name of {what}: letters, digits, `.`, `_`, `+`, `~`, `^`, `-`",
        text::safe(name)
    );
    Ok(())
}

/// Refuses a directory whose name means more to package managers than itself: yum and dnf have it in their configuration, and rpm
/// in its macros.
/// Errors: It has others than letters, digits and a few more in its name.
pub fn plain_directory(directory: &Path) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._+~^-".contains(c);
    ensure!(
        directory.to_string_lossy().chars().all(plain),
        "yum, dnf and rpm take characters in the name of the directory `{}` for something else: collect in one with letters, \
         digits, `.`, `_`, `+`, `~`, `^`, `-` alone, and copy it",
        directory.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_be_an_option_a_path_or_a_pattern() {
        for name in ["-y", "--installroot=/x", "/tmp/x.rpm", "@base", "per*", "", "a b", "x\x1b"] {
            assert!(plain(name, "a package").is_err(), "{name}");
        }
        for name in ["perl", "kmod-reiserfs", "libstdc++", "python2.6", "7zip"] {
            plain(name, "a package").unwrap();
        }
    }
}
