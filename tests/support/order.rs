//! An apply that waits for a restart, as it is left for this machine and for a profile.

use std::fs;

use mt_agent::facts::machine;
use mt_agent::host::Host;
use mt_agent::{profile, run, steps};
use serde_json::{Value, json};

/// An order that was given a moment ago, in another boot, with `/etc/mt-agent/profile.yaml` of this content, for `only`.
pub fn given(content: &str, only: &[&str]) -> Value {
    // The name of a profile is that of its file.
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("profile.yaml");
    fs::write(&path, content).unwrap();
    let profile =
        profile::load(path.to_str(), &Host::live(), &steps::ids(), profile::Writers::Anyone).unwrap();
    json!({
        "schema": "mt-agent/resume/v1",
        "boot-id": "another",
        "profile": null,
        "only": only,
        "skip": [],
        "bound": {
            "given-at": run::now(),
            "profile-sha256": profile::digest(&profile),
            "machine": machine::load(&Host::live()),
        },
        "request": {},
    })
}
