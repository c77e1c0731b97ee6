//! A volume that the agent made and whose record is lost, and one that is damaged.

use std::fs;

use mt_agent::changes::Target;
use mt_agent::changes::mkfs::{self, Format};
use mt_agent::changes::mount::mount_retention;
use mt_agent::facts::disks::Map;
use mt_agent::facts::retention::uuid_of;
use mt_agent::host::Uuid;
use mt_agent::state::paths::RETENTION;

use super::desk::*;

/// Mounts the volume as one that has to have `uuid`.
fn adopt(device: &Loop, uuid: &Uuid) -> Result<mt_agent::changes::Done, String> {
    let volume = Target { uuid: Some(uuid.clone()), ..volume(device, "auto") };
    perform(|context| mount_retention(context, &StandIn::of(device), &volume, MOUNT_POINT))
}

#[test]
fn what_is_mounted_as_ours_has_its_uuid_and_is_on_record_again() {
    isolated(module_path!(), "what_is_mounted_as_ours_has_its_uuid_and_is_on_record_again", || {
        let device = Loop::new(64 * MIB);
        changed(format(&device, &device.target("ext4")));
        fs::remove_file(RETENTION).unwrap();
        // Before it is mounted, as that alone writes to it.
        let hash = device.hash();
        let said = adopt(&device, &uuid_of("36000c29other")).unwrap_err();
        assert!(
            said.contains(&format!("UUID {UUID}, label mt-retention; the volume that mt-agent made")),
            "{said}"
        );
        assert_eq!((device.hash(), record()), (hash, None));

        changed(adopt(&device, &UUID.into()));
        let written = record().unwrap();
        assert_eq!((written.scsi_id.as_str(), written.uuid), (ID, UUID.into()));
        assert_eq!((written.fs_type.as_str(), written.finished), ("ext4", true));
        run("umount", &[MOUNT_POINT]);
        // A record that is right is not written anew.
        let before = fs::read(RETENTION).unwrap();
        changed(adopt(&device, &UUID.into()));
        assert_eq!(fs::read(RETENTION).unwrap(), before);
        run("umount", &[MOUNT_POINT]);
    });
}

#[test]
fn a_volume_of_ours_is_erased_by_order_alone_and_then_made_again() {
    isolated(module_path!(), "a_volume_of_ours_is_erased_by_order_alone_and_then_made_again", || {
        let device = Loop::new(64 * MIB);
        let uuid = uuid_of(ID);
        let target = with(&device.target("ext4"), |target| target.uuid = Some(uuid.clone()));
        changed(format(&device, &target));
        changed(adopt(&device, &uuid));
        fs::File::create("/mnt/retention/points-in-time").unwrap();
        run("umount", &[MOUNT_POINT]);
        // By its UUID alone, without a record, it is known and no way to erase it is named.
        fs::remove_file(RETENTION).unwrap();
        let said = "it is not blank: it carries ext4, UUID ";
        refused(&device, &StandIn::of(&device), &target, said);
        let error = format(&device, &target).unwrap_err();
        assert!(
            error
                .ends_with("it is the retention volume that mt-agent made: run apply again, which mounts it")
        );
        assert!(!error.contains("--erase-disk"), "{error}");

        // The order is obeyed, with a finished record as well: it was done once already, and the file has to go.
        changed(adopt(&device, &uuid));
        assert!(fs::exists("/mnt/retention/points-in-time").unwrap());
        run("umount", &[MOUNT_POINT]);
        assert!(record().unwrap().finished);
        let there = device.fingerprint();
        changed(format(&device, &Format { erase: true, fingerprint: Some(there), ..target.clone() }));
        changed(adopt(&device, &uuid));
        assert!(!fs::exists("/mnt/retention/points-in-time").unwrap());
        // Mounted it is in use, whatever is ordered.
        let error = format(&device, &Format { erase: true, ..target }).unwrap_err();
        assert!(error.contains("it is in use: mounted at /mnt/retention"), "{error}");
        run("umount", &[MOUNT_POINT]);
    });
}

#[test]
fn two_disks_of_vmware_are_not_one_because_multipath_joined_them() {
    isolated(module_path!(), "two_disks_of_vmware_are_not_one_because_multipath_joined_them", || {
        let (device, other) = (Loop::new(64 * MIB), Loop::new(64 * MIB));
        let names = vec![device.name().to_owned(), other.name().to_owned()];
        let mut twins = StandIn {
            names,
            answer: Ok(ID.to_owned()),
            adapt: |disks| {
                let map = Map { major_minor: disks[0].major_minor, ..Map::default() };
                for disk in disks {
                    (disk.vendor, disk.multipath) = (Some("VMware".into()), Some(map.clone()));
                }
            },
        };
        let (first, second) = (device.name().to_owned(), other.name().to_owned());
        let said =
            format!("multipath took {first}, {second} for one disk, but a VMware virtual disk has one path");
        for erase in [false, true] {
            refused(&device, &twins, &Format { erase, ..device.target("ext4") }, &said);
        }
        // Neither is mounted as one.
        let error =
            perform(|context| mount_retention(context, &twins, &volume(&device, "ext4"), MOUNT_POINT))
                .unwrap_err();
        assert!(error.contains(&said), "{error}");
        // An array shows one disk by several paths.
        twins.adapt = |disks| {
            let map = Map { major_minor: disks[0].major_minor, ..Map::default() };
            for disk in disks {
                (disk.vendor, disk.multipath) = (Some("DGC".into()), Some(map.clone()));
            }
        };
        // The map is one in words alone, so it goes no further than to be looked for.
        let error = perform(|context| mkfs::format(context, &twins, &device.target("ext4"))).unwrap_err();
        assert!(!error.contains("has one path"), "{error}");
    });
}
