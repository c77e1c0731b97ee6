//! Where the agent keeps what it keeps. The profile, which a person gives and the agent never writes, is `profile::HOST_FILE`.

/// What must outlive the agent.
pub const DIRECTORY: &str = "/var/lib/mt-agent";

/// What was done, one JSON line each: intents and outcomes.
pub const JOURNAL: &str = "/var/lib/mt-agent/journal.jsonl";

/// What an apply, a sealing or the first boot of a clone leaves for after a restart. Of another machine it names that one's disks.
pub const RESUME: &str = "/var/lib/mt-agent/resume.json";

/// The retention volume that was made, or is being made.
pub const RETENTION: &str = "/var/lib/mt-agent/retention.json";

/// This machine's identity, as `apply` last saw it.
pub const IDENTITY: &str = "/var/lib/mt-agent/identity.json";

/// The identity of the machine that this one was cloned from: written by `seal` into the image.
pub const TEMPLATE: &str = "/var/lib/mt-agent/template.json";

/// The one run of the vendor's script.
pub const VENDOR_SCRIPT: &str = "/var/lib/mt-agent/custom-changes.json";

/// Files as they were before a change, one directory a change.
pub const SAVED: &str = "/var/lib/mt-agent/saved";

/// Records that are not believed any more, one directory a time.
pub const SET_ASIDE: &str = "/var/lib/mt-agent/set-aside";

/// What was run, and its output. logrotate puts earlier ones beside it, with longer names.
pub const LOG: &str = "/var/log/mt-agent.log";

/// The directory and the name of [`LOG`].
pub fn log() -> (&'static str, &'static str) {
    LOG.rsplit_once('/').unwrap_or_default()
}

/// One run at a time. /var/run is on every system that we know, a link to /run on newer ones.
pub const LOCK: &str = "/var/run/mt-agent.lock";

/// All that the agent leaves below /var on a disk, as the patterns of a sealing.
pub const LEFT: [&str; 2] = ["/var/lib/mt-agent/*", "/var/log/mt-agent.log*"];

/// Programs of the site that a sealing runs before its own steps, with the root of what is sealed as their argument.
pub const HOOKS: &str = "/etc/mt-agent/seal.d";
