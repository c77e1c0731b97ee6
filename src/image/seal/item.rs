//! What there is to do.

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Overwrite and remove.
    Remove { path: String },
    /// Write another content, and overwrite the old one.
    Rewrite { path: String, what: String, content: Vec<u8> },
    /// Overwrite and empty; the file stays.
    Empty { path: String },
    /// Remove what is below a directory; the directory stays.
    Clear { path: String, entries: usize, overwrite: bool },
    /// Fill what is free on a file system with zeros.
    FillFreeSpace { path: String },
}

impl Item {
    pub fn path(&self) -> &str {
        match self {
            Self::Remove { path }
            | Self::Rewrite { path, .. }
            | Self::Empty { path }
            | Self::Clear { path, .. }
            | Self::FillFreeSpace { path } => path,
        }
    }

    pub fn summary(&self) -> String {
        match self {
            Self::Remove { path } => format!("remove {path}"),
            Self::Rewrite { path, what, .. } => format!("{path}: {what}"),
            Self::Empty { path } => format!("empty {path}"),
            Self::Clear { path, entries, .. } => {
                let plural = if *entries == 1 { "entry" } else { "entries" };
                format!("remove what is below {path} ({entries} {plural})")
            }
            Self::FillFreeSpace { path } => format!("fill what is free on {path} with zeros"),
        }
    }
}
