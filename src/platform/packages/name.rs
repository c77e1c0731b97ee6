//! Names of packages and of their files.

use anyhow::{Result, ensure};

use crate::host::text;

/// How the name of a package file ends.
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
