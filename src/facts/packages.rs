//! The package database: `rpm -qa` or `dpkg-query`, once for all packages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Installed packages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packages {
    /// `rpm` or `dpkg`.
    pub manager: String,
    /// Name to version-release of every installed package.
    pub installed: BTreeMap<String, String>,
    /// Unfinished transactions found (/var/lib/yum/transaction-all…).
    pub unfinished: Vec<String>,
}
