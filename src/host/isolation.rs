//! Whether a command can be kept from the network: run in a network namespace of its own, in which no interface is up.

use std::sync::OnceLock;
use std::time::Duration;

use super::apart::apart;
use super::ioctl;

/// How long making a namespace may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// Why it cannot: this process is not root's, or the kernel or the container that it is in has no such namespaces. Found
/// out once, by a copy of this process.
pub fn refused() -> Option<&'static str> {
    static REFUSED: OnceLock<Option<String>> = OnceLock::new();
    let ask = || {
        let tried = apart("making a network namespace", DEADLINE, &[], || {
            ioctl::leave_the_network().err().map(|error| error.to_string())
        });
        let why = tried.unwrap_or_else(|error| Some(error.to_string()))?;
        Some(format!("no network namespace can be made here ({why})"))
    };
    REFUSED.get_or_init(ask).as_deref()
}
