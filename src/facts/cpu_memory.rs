//! Memory and processors.

use serde::{Deserialize, Serialize};

use super::Fact;

/// What the kernel can use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CpuMemory {
    /// Memory that the kernel manages, in bytes: less than what the VM was given, by what kernel, firmware
    /// and crash kernel reserve.
    pub memory_bytes: Fact<u64>,
    /// Logical processors online.
    pub cpus: Fact<u64>,
}
