//! What is done with package files.

#[derive(Clone, Copy, Debug)]
pub enum Act<'a> {
    Install,
    /// They are installed, in place of earlier editions of theirs.
    Upgrade,
    /// It is tried whether [`Act::Upgrade`] would succeed.
    TryUpgrade,
    /// It is tried whether they need nothing but each other, with an empty database in this directory.
    TryAlone(&'a str),
}
