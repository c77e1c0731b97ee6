//! SIGINT and SIGTERM end a run after the change that is under way, with everything recorded.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;

use anyhow::{Context, Result};
use nix::sys::signal::{SigSet, Signal};

/// Tells whether a person or the system asked the run to end.
#[derive(Clone, Debug)]
pub struct Guard(Arc<AtomicI32>);

impl Guard {
    /// Holds SIGINT, SIGTERM and SIGHUP back for the rest of the process and notes them instead. To be
    /// called before other threads are started: they inherit the mask. Commands that are run do not:
    /// the standard library clears their mask.
    ///
    /// # Errors
    /// What the system said.
    pub fn install() -> Result<Self> {
        let mut set = SigSet::empty();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            set.add(signal);
        }
        set.thread_block().context("holding signals back")?;
        let seen = Arc::new(AtomicI32::new(0));
        let writer = Arc::clone(&seen);
        thread::spawn(move || {
            while let Ok(signal) = set.wait() {
                writer.store(signal as i32, Ordering::SeqCst);
            }
        });
        Ok(Self(seen))
    }

    /// The signal that came, if one did.
    #[must_use]
    pub fn seen(&self) -> Option<Signal> {
        Signal::try_from(self.0.load(Ordering::SeqCst)).ok()
    }
}
