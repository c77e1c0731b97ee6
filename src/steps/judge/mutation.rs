//! Every leaf of a ready host's facts is deleted, nulled and changed in turn. What may change on a host that stays ready is
//! listed, each with its reason: whatever else stays "ready" in spite of a change is a fact that nobody judges.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::testing::{TODAY, ready};
use super::*;
use crate::facts::Fact;
use crate::facts::site_agent::SiteAgent;
use crate::host::DeviceNumber;

/// Leaves after whose change a host may be ready, by the beginnings of their paths (`*` for anything), and why. An element of a
/// list is called by its name, mount point, path or line.
const MAY_CHANGE: &str = "
    /schema | a recording of another schema is refused before it is judged
    /agent | who read them, for people
    /recorded_at | told with the report
    /privileged | what users other than root cannot read is unknown by itself
    /boot_id | any boot but that of the vendor's script
    /boot_entry/file /boot_loader/disk /disks[*]/path /disks[*]/partitions[*]/name /disks[*]/scsi_id_source /dmi/product | shown
    /fstab[*]/line /network/hosts[*]/line /network/nics[eth0]/configuration/file /network/nics[eth0]/name | shown
    /boot_loader/mbr | one more place with a boot loader's code
    /boot_loader/partitions[*] | which boot loader and where: shown; that there is one is judged
    /clock/now_secs | when they were read
    /clock/boot_record_secs /clock/boot_secs | counts where the vendor's script was run by hand
    /clock/service | os.clock is recommended
    /cpu_memory/ /disks[sda]/size_bytes | sizing is recommended
    /custom_changes/archive_bytes | the script has run: its archive is not needed any more
    /custom_changes/blacklistrootdev_ | the ID in it is judged; these tell why there is none
    /custom_changes/log_tail | judged where it says FAILED
    /custom_changes/marker_ctime_secs | counts against the recorded run alone
    /custom_changes/record/archive_sha256 | which archive it was, for people
    /custom_changes/record/boot_id | any boot but this one
    /custom_changes/record/schema /identity/*/schema | a record of another schema is refused when it is read
    /retention_record/schema | a record of another schema is refused when it is read
    /custom_changes/running | counts while a run has no outcome
    /device_nodes[*]/g | the group of what everybody may open
    /disks[*]/controller/driver /disks[*]/controller/pci | shown: the kind is judged
    /disks[*]/hctl | without one it is no SCSI disk, and has no ID to answer with; its controller is judged
    /disks[*]/major_minor | what lies on it is told by its partitions and its map
    /disks[*]/model | shown; told from other disks by its vendor too
    /disks[*]/vendor | the ID of another vendor's disk is judged as well
    /disks[*]/partitions[*]/size_bytes | counts where the retention volume is a partition
    /disks[sda]/partitions[sda5]/start_bytes | what lies in an extended partition the table itself does not say
    /disks[sda]/partitions[sda4]/major_minor | an extended partition carries nothing
    /disks[sda]/read_only | its mounts are judged
    /disks[*]/used_by | shown: the mounts and the swap are judged
    /disks[sdb]/holders[dm-0]/ | shown: what leads to the volume is told by its number
    /disks[sdb]/multipath/ | names of the map: what is mounted is told by its number
    /dmi/vendor /dmi/vmware_pci | a SCSI ID of VMware's tells it too
    /dmi/uuid /network/nics[eth0]/mac | one mark of a machine among several
    /filesystems/by_id/ | names that no line of fstab has here
    /filesystems/by_mapper/ | the map itself tells its name
    /filesystems/by_uuid/7a5e4c31 | a name that no line of fstab has here
    /fstab[*]/options | what is not judged by name: an option that mount(8) does not know is not told yet
    /fstab[*]/pass | the order of fsck, for what is there at every boot
    /fstab[/dev/ /fstab[/proc] /fstab[/sys] /mounts[/dev /mounts[/proc /mounts[/sys | the kernel's own file systems
    /fstab[swap]/mount_point | a line of the type swap has none
    /guest_retention_disk/ | asked where a disk is to be chosen
    /identity/recorded/marks[*]/sha256 | one mark among several: most of them have to be as recorded
    /identity/recorded/recorded-at /identity/template/recorded-at /network/nics[eth0]/driver /os/id /os/kernel | for people
    /identity/template/marks[*]/sha256 | what is not this machine's is what a clone has
    /identity/template/salt | a record that only root can write is believed
    /mounts[/]/free_bytes /mounts[/]/free_inodes /mounts[/]/inodes | room on / is recommended
    /mounts[/mnt/retention]/inodes | 0 where they are not counted: the free ones are judged
    /mounts[/home]/ /mounts[/var/crash]/ | how full it is does not matter to the master target
    /mounts[*]/size_bytes | the size of the disk is judged, but for the retention volume's
    /mounts[*]/source /storage[*]/name | shown: what is mounted is told by its number
    /mounts[*]/super_options[data=ordered] | no option that matters
    /multipath/configuration/blacklist_devices | of other hardware: what hides these disks is judged
    /multipath/configuration/blacklist_devnodes | of other hardware: what hides these disks is judged
    /multipath/at_boot | which link: shown
    /multipath/configuration/find_multipaths | off in 0.4.9 where it is not set
    /multipath/configuration/user_friendly_names | off in every version where it is not set
    /multipath/daemon | which process: shown
    /multipath/maps[*]/major_minor /multipath/maps[*]/name | shown: a map is told by its ID, its name and its paths
    /network/hosts[*]/names[localhost | not this machine's name
    /network/hosts[*]/names[mt01] | an alias
    /network/nics[eth0]/configuration/protocol | a static address is recommended
    /network/nics[eth0]/physical | configured, it takes part whatever it is
    /network/nics[eth0]/carrier | its state tells it too; that there is no link is judged
    /network/nics[eth0]/state | its link tells it too; that it is down is judged
    /os/systemd | counts where the line of fstab has nofail
    /os/timezone/ | os.timezone is recommended
    /packages/installer | counts where something is to be installed
    /packages/installed/ | not named by the profile, or its version
    /journal | traces of what is not on record, where a record is lost
    /records_set_aside | traces of what is not on record, where something is to be made or run
    /retention_record/boot_id /retention_record/started_at | when it was made, for people
    /retention_record/finished /retention_record/fs_type | counts until the volume is mounted
    /servers[*]/answers/connected | how long it took, for people
    /site_agent/configuration | where its role stands
    /site_agent/install_log | a trace that counts where a disk is to be chosen
    /site_agent/platform | versions of the software that name none know no other for a master target
    /site_agent/role | of no matter where nothing is installed
    /storage[*]/volume | counts where two devices carry the same
    /storage[sda]/ /storage[sda5]/ | nothing is mounted from it: what it carries is judged
    /strays/ | told where nothing is mounted
    /swaps[*]/path | shown: a swap partition is told by its number
    /tools/ | the program or its process: one of them proves it
";

/// Whether `called` begins as `pattern` says.
fn fits(called: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = called.strip_prefix(first) else { return false };
    for part in parts {
        // Of one element of a list.
        let Some(at) = rest.find(part).filter(|at| !rest[..*at].contains(']')) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

/// A leaf of the document: the way to it, and how a person calls it.
struct Leaf {
    pointer: String,
    called: String,
}

fn leaves(value: &Value, pointer: &str, called: &str, into: &mut Vec<Leaf>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                let escaped = key.replace('~', "~0").replace('/', "~1");
                // What is known is what is meant.
                let name = if key == "known" { called.to_owned() } else { format!("{called}/{key}") };
                leaves(value, &format!("{pointer}/{escaped}"), &name, into);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, value) in items.iter().enumerate() {
                let names = ["name", "mount_point", "path", "line", "file", "kind", "role"];
                let name = [value].into_iter().chain(names.iter().map(|key| &value[key])).find_map(called_by);
                let name = name.unwrap_or_else(|| "*".to_owned());
                leaves(value, &format!("{pointer}/{index}"), &format!("{called}[{name}]"), into);
            }
        }
        _ => into.push(Leaf { pointer: pointer.to_owned(), called: called.to_owned() }),
    }
}

fn called_by(value: &Value) -> Option<String> {
    match value {
        Value::String(name) => Some(name.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What a leaf is changed to.
fn changed(value: &Value) -> Vec<Value> {
    match value {
        Value::Bool(value) => vec![json!(!value)],
        Value::Number(number) if number.as_u64() == Some(0) => vec![json!(1)],
        Value::Number(_) => vec![json!(0)],
        // Of a device's number another one: what is no number is no recording.
        Value::String(text) if text.parse::<DeviceNumber>().is_ok() => {
            vec![json!("259:1048575"), json!("changed"), json!("")]
        }
        Value::String(_) => vec![json!("changed"), json!("")],
        // Whichever of them it could be.
        _ => vec![json!("changed"), json!(1), json!(true), json!(["changed"])],
    }
}

/// The document without the leaf.
fn without(document: &Value, pointer: &str) -> Value {
    let mut document = document.clone();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Value::Object(map) => drop(map.remove(&key.replace("~1", "/").replace("~0", "~"))),
        Value::Array(items) => drop(items.remove(key.parse().unwrap())),
        _ => unreachable!("a leaf lies in something"),
    }
    document
}

/// What stays ready, by what a person calls the leaf, with the changes that do not matter.
fn stays_ready(profile: &Profile, facts: &Facts) -> BTreeMap<String, BTreeSet<&'static str>> {
    let judged = |facts: &Facts| verdict(&judge_all(profile, facts, TODAY, &Selection::default()));
    assert_eq!(judged(facts), Verdict::Ready);
    let is_ready = |document: &Value| {
        // What is no recording is refused, which is no verdict; what is the same is no change.
        Facts::deserialize(document).is_ok_and(|read| read != *facts && judged(&read) == Verdict::Ready)
    };
    let mut document = serde_json::to_value(facts).unwrap();
    let mut all = Vec::new();
    leaves(&document, "", "", &mut all);
    assert!(all.len() > 400, "{}", all.len());
    let mut stay: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
    for Leaf { pointer, called } in all {
        let old = document.pointer(&pointer).unwrap().clone();
        let nulled = (!old.is_null()).then_some(("nulled", Value::Null));
        for (how, new) in changed(&old).into_iter().map(|new| ("changed", new)).chain(nulled) {
            *document.pointer_mut(&pointer).unwrap() = new;
            if is_ready(&document) {
                stay.entry(called.clone()).or_default().insert(how);
            }
        }
        document.pointer_mut(&pointer).unwrap().clone_from(&old);
        if is_ready(&without(&document, &pointer)) {
            stay.entry(called).or_default().insert("deleted");
        }
    }
    stay
}

#[test]
fn a_ready_host_stays_ready_only_where_it_does_not_matter() {
    let (profile, facts) = ready();
    let mut in_service = facts.clone();
    in_service.site_agent = Fact::Known(SiteAgent {
        version: Some("9.6.0".into()),
        installation_dir: Some("/usr/local/ASR".into()),
        configuration: Some("/usr/local/drscout.conf".into()),
        role: Some("MasterTarget".into()),
        platform: Some("VmWare".into()),
        ..SiteAgent::default()
    });
    let starts = || {
        let paths = MAY_CHANGE.lines().filter_map(|line| line.split_once(" | "));
        paths.flat_map(|(paths, _)| paths.split_whitespace())
    };
    let mut used = BTreeSet::new();
    let mut wrong = Vec::new();
    for facts in [facts, in_service] {
        for (called, how) in stays_ready(&profile, &facts) {
            match starts().find(|start| fits(&called, start)) {
                Some(start) => drop(used.insert(start)),
                None => wrong.push(format!("{called} {how:?}")),
            }
        }
    }
    assert!(wrong.is_empty(), "ready in spite of it:\n{}", wrong.join("\n"));
    let idle: Vec<_> = starts().filter(|start| !used.contains(start)).collect();
    assert!(idle.is_empty(), "a reason for nothing: {idle:?}");
}
