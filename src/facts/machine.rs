//! By what an order that waits for a restart knows its machine again.

use sha2::{Digest, Sha256};

use super::dmi;
use crate::host::{Host, text};
use crate::state::machine::Machine;

/// Where systemd and D-Bus keep the machine ID: machine-id(5), dbus-uuidgen(1). CentOS 6 has the second, with D-Bus.
const MACHINE_ID: [&str; 2] = ["/etc/machine-id", "/var/lib/dbus/machine-id"];

/// Reads what `host` has of it. What cannot be read is `None`.
pub fn load(host: &Host) -> Machine {
    let uuid = dmi::load(host).known().and_then(|dmi| dmi.uuid.known().cloned().flatten());
    // Of an image that has not been booted the file is empty, or says `uninitialized`.
    let id = MACHINE_ID.iter().find_map(|path| {
        let id = host.read(path).ok()?.trim().to_ascii_lowercase();
        (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
    });
    let sum = |kind: &str, value: String| text::hex(&Sha256::digest(format!("mt-agent {kind} {value}")));
    Machine {
        bios_uuid: uuid.map(|uuid| sum("bios-uuid", uuid.trim().to_ascii_lowercase())),
        machine_id: id.map(|id| sum("machine-id", id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

    #[test]
    fn a_machine_is_known_again_by_all_that_is_recorded_of_it() {
        let dir = testing::tree(&[
            ("sys/class/dmi/id/product_uuid", "564D1C2B-0000\n"),
            ("etc/machine-id", "uninitialized\n"),
            ("var/lib/dbus/machine-id", "3D1219c7c4c5404aaa1f6d2a48adfda4\n"),
        ]);
        let host = Host::recorded(dir.path());
        let here = load(&host);
        let json = serde_json::to_string(&here).unwrap().to_lowercase();
        assert!(!json.contains("564d1c2b") && !json.contains("3d1219c7"), "{json}");
        assert_eq!(here.is(&load(&host)), Ok(()));
        // systemd's file has the same ID in lower case.
        testing::put(dir.path(), "etc/machine-id", "3d1219c7c4c5404aaa1f6d2a48adfda4\n");
        assert_eq!(here.is(&load(&host)), Ok(()));
        let reason = |change: &dyn Fn(&mut Machine)| {
            let mut now = here.clone();
            change(&mut now);
            here.is(&now).unwrap_err()
        };
        let other = || Some("00".to_owned());
        assert!(reason(&|now| now.bios_uuid = other()).ends_with("another BIOS UUID"));
        assert!(reason(&|now| now.machine_id = other()).ends_with("another machine ID"));
        assert!(reason(&|now| now.machine_id = None).starts_with("cannot determine"));
        assert!(Machine::default().is(&here).unwrap_err().starts_with("it does not say"));
        // What was not there when it was given is no other machine's.
        assert_eq!(Machine { bios_uuid: None, ..here.clone() }.is(&here), Ok(()));
    }
}
