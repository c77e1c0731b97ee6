//! A disk of our own: a loop device, which is listed where it is named.

use std::fs::File;

use crate::agent::{mt_agent, run, tool};

struct Loop(String);

impl Drop for Loop {
    fn drop(&mut self) {
        run(&mut tool("losetup", &["-d", &self.0]));
    }
}

#[test]
fn a_loop_device_that_is_named_is_listed_with_its_probe_and_never_eligible() {
    let image = tempfile::NamedTempFile::new().unwrap();
    File::options().write(true).open(image.path()).unwrap().set_len(64 << 20).unwrap();
    // One at a time: a losetup that looks for a free device opens what another one has just taken.
    let attach = ["/dev/loop-control", "losetup", "--find", "--show", image.path().to_str().unwrap()];
    let attached = run(&mut tool("flock", &attach)).exits(0);
    let device = Loop(attached.stdout().trim().to_owned());
    let name = device.0.trim_start_matches("/dev/");
    for named in [name, &device.0] {
        let ran = mt_agent(&["disks", "--probe", named, "--format", "json"]).exits(0);
        let document = ran.json();
        let disks = document["disks"].as_array().unwrap();
        let disk =
            disks.iter().find(|disk| disk["name"] == name).unwrap_or_else(|| panic!("not listed\n{ran}"));
        assert_eq!(
            (&disk["probe"]["blank"], &disk["probe"]["eligible"]),
            (&true.into(), &false.into()),
            "{ran}"
        );
        assert!(disk["probe"]["why_not"][0].as_str().unwrap().starts_with("it has no SCSI ID"), "{ran}");
    }
    mt_agent(&["disks", "--probe", name]).exits(0).says("not eligible: it has no SCSI ID");
    mt_agent(&["disks"]).exits(0).holds("unnamed, it is none", |ran| !ran.stdout().contains(name));
}
