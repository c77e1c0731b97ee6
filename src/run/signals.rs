//! SIGINT and SIGTERM end a run after the change that is under way, with everything recorded; before the first
//! change they end it at once.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use nix::sys::signal::{SigSet, Signal, raise};

use crate::host::{Host, apart};

/// Whether a person or the system asked the run to end.
#[derive(Clone, Debug)]
pub struct Guard(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Whether changes are being made: from then on nothing ends half-way.
    changing: bool,
    seen: Option<Signal>,
}

impl Guard {
    /// Holds SIGINT, SIGTERM and SIGHUP back for the rest of the process, but for those that the process was started
    /// to ignore (nohup). To be called before other threads are started: they inherit the mask. Commands that are run
    /// do not, see [`crate::host::command`].
    pub fn install(host: &Host) -> Result<Self> {
        let status = host
            .read("/proc/self/status")
            .context("reading /proc/self/status for the signals that are ignored")?;
        let mut set = SigSet::empty();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            // One that is ignored and held back would come all the same.
            if !is_ignored(&status, signal) {
                set.add(signal);
            }
        }
        let mut held_back = set;
        // For good: a file that meets a limit (ulimit -f) is then an error of the write, which says so, not our end.
        held_back.add(Signal::SIGXFSZ);
        held_back.thread_block().context("holding signals back")?;
        let guard = Self(Arc::default());
        let writer = guard.clone();
        let waiting = thread::Builder::new().spawn(move || {
            while let Ok(signal) = set.wait() {
                writer.came(signal);
                // Only changes are ended in an orderly way, and a disk that does not answer is not one under way.
                apart::end_waiting();
            }
        });
        waiting.context("starting a thread to wait for signals")?;
        Ok(guard)
    }

    /// From here on changes are made. A signal that comes before ends the process.
    pub fn begin_changes(&self) {
        self.state().changing = true;
    }

    pub fn seen(&self) -> Option<Signal> {
        self.state().seen
    }

    fn came(&self, signal: Signal) {
        // Kept while the process ends, so that no change begins meanwhile.
        let mut state = self.state();
        if !state.changing {
            let _ = writeln!(io::stderr(), "\nmt-agent: ended by {signal}: nothing was changed");
            let mut alone = SigSet::empty();
            alone.add(signal);
            // No handler was set: the process ends as one that knows nothing of signals.
            let _ = alone.thread_unblock().and_then(|()| raise(signal));
        } else if state.seen.is_none() {
            let _ = writeln!(io::stderr(), "\nmt-agent: {signal}: ending after the change that is under way");
        }
        state.seen.get_or_insert(signal);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the line `SigIgn:` of /proc/self/status, a mask in hexadecimal, has the signal.
fn is_ignored(status: &str, signal: Signal) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask & (1 << (signal as u32 - 1)) != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::time::Duration;

    const INSIDE: &str = "MT_AGENT_TEST_SIGNALS";

    /// A process of its own that gets SIGTERM, which a shell that runs the tests in the background does not let
    /// them ignore as it does SIGINT; what it printed and the signal that ended it.
    fn interrupted(name: &str, body: fn(&Guard)) -> Option<(String, Option<i32>)> {
        if std::env::var_os(INSIDE).is_some() {
            let guard = Guard::install(&Host::live()).unwrap();
            body(&guard);
            thread::sleep(Duration::from_secs(300));
            return None;
        }
        let own = std::env::current_exe().unwrap();
        let name = format!("run::signals::tests::{name}");
        let command = duct::cmd!(own, "--exact", name, "--nocapture", "--test-threads=1").env(INSIDE, "1");
        let output = command.stdout_null().stderr_capture().unchecked().run().unwrap();
        Some((String::from_utf8_lossy(&output.stderr).into_owned(), output.status.signal()))
    }

    #[test]
    fn before_the_first_change_a_signal_ends_the_run_at_once() {
        let ended = interrupted("before_the_first_change_a_signal_ends_the_run_at_once", |guard| {
            guard.came(Signal::SIGTERM);
        });
        let Some((message, signal)) = ended else { return };
        assert!(message.contains("mt-agent: ended by SIGTERM: nothing was changed"), "{message}");
        assert_eq!(signal, Some(Signal::SIGTERM as i32));
    }

    #[test]
    fn during_changes_a_signal_is_noted_and_ends_nothing_half_way() {
        let guard = Guard(Arc::default());
        guard.begin_changes();
        assert_eq!(guard.seen(), None);
        guard.came(Signal::SIGTERM);
        guard.came(Signal::SIGINT);
        assert_eq!(guard.seen(), Some(Signal::SIGTERM));
    }

    #[test]
    fn what_nohup_ignores_stays_ignored() {
        assert!(is_ignored("SigBlk:\t0\nSigIgn:\t0000000000000001\n", Signal::SIGHUP));
        assert!(!is_ignored("SigIgn:\t0000000000000001\n", Signal::SIGINT));
        assert!(!is_ignored("", Signal::SIGHUP));
    }
}
