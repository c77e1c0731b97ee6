//! Which disks are probed.

/// Which disks to probe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Probing {
    /// None: `check`, `facts`, `disks`.
    #[default]
    None,
    /// Every disk that nothing uses: `plan`, `apply`, `disks --probe`.
    Idle,
    /// The same, and the fingerprint of this one, which a person wants erased: by the same kinds of names.
    ToErase(String),
    /// These, by kernel name, SCSI ID, by-id name or path, whether or not they are used.
    Named(Vec<String>),
}

impl Probing {
    /// The disks that nothing uses, for a plan that may erase `erase`.
    pub fn idle(erase: Option<&str>) -> Self {
        erase.map_or(Self::Idle, |name| Self::ToErase(name.to_owned()))
    }
}
