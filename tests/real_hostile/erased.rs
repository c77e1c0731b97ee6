//! `--erase-disk` over what a disk can carry: with today's tools, and with those of CentOS 6.6, which leave partition tables
//! and do not tell the kernel.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use mt_agent::changes::Done;
use mt_agent::changes::Target;
use mt_agent::changes::mkfs::Format;
use mt_agent::host::FileSystem;
use mt_agent::state::paths::RETENTION;

use super::desk::{ID, Loop, MIB, UUID, changed, fingerprint_of, format, isolated, record, run};
use super::fixtures;
use super::judge::disk;
use super::stand_ins::{self, Wipefs, kill_at, kill_nobody, nothing_refused, old_tools};

const SIZE: u64 = 32 * MIB;

fn erasing(device: &Loop) -> Format {
    device.erasing("ext4", &device.fingerprint())
}

/// That the new file system is there, and nothing beside it, for libblkid and for the kernel.
fn alone(what: &str, device: &Loop) {
    assert_eq!(device.carries(), ("ext4".into(), UUID.into(), "mt-retention".into()), "{what}");
    let list = ["--no-act", "--noheadings", "--output", "TYPE", &device.device];
    assert_eq!(run(&stand_ins::of_today("wipefs"), &list), "ext4", "{what}");
    assert_eq!(disk(device).partitions, [], "{what}");
    for sector in [512, 4096] {
        let mut last = [0; 8];
        File::open(&device.device).unwrap().read_exact_at(&mut last, device.size() - sector).unwrap();
        assert_ne!(&last, b"EFI PART", "{what}");
    }
    assert!(record().unwrap().finished, "{what}");
}

/// That it can be erased: nothing is left, and a second run, without the order that is carried out, changes nothing.
pub fn erased(what: &str, device: &Loop) {
    println!("--- {what}, erased");
    changed(format(device, &erasing(device)));
    alone(what, device);
    let hash = device.hash();
    assert_eq!(format(device, &device.target("ext4")), Ok(Done::Unchanged), "{what}");
    assert_eq!(device.hash(), hash, "{what}");
    fs::remove_file(RETENTION).unwrap();
}

/// A disk whose partitions the kernel shows.
fn shown(script: &str) -> Loop {
    let device = Loop::with(SIZE, &["--partscan"], |image| {
        duct::cmd!("sfdisk", "-q", image).stdin_bytes(script).run().unwrap();
    });
    show(&device);
    device
}

/// Shows them also where the kernel was built without readers of partition tables.
fn show(device: &Loop) {
    run("partx", &["--update", &device.device]);
    assert!(!disk(device).partitions.is_empty(), "the kernel shows no partition of {}", device.device);
}

fn mbr() -> Loop {
    shown("label: dos\n,4M\n,4M\n,4M\n,12M,E\n,3M\n,3M\n")
}

fn gpt() -> Loop {
    shown("label: gpt\n,8M\n,16M\n")
}

/// A GPT whose MBR shows a partition too, for systems that know no GPT.
fn hybrid() -> Loop {
    let device = gpt();
    // Type 0c, from sector 2048 on, 8 MiB; and the boot code of somebody.
    device.write_at(0, b"boot code");
    device.write_at(462, &[0, 0, 2, 0, 0x0c, 0, 0, 0, 0, 8, 0, 0, 0, 0x40, 0, 0]);
    device
}

fn only_the_copy() -> Loop {
    let device = gpt();
    device.write_at(0, &vec![0; 34 * 512]);
    device
}

/// An MBR beside file systems in the partitions and, older than it, all over the disk.
fn several() -> Loop {
    let device = Loop::with(SIZE, &["--partscan"], |image| {
        duct::cmd!("mkfs.ext4", "-q", "-F", image).run().unwrap();
        duct::cmd!("mkswap", image).stdout_null().stderr_null().run().unwrap();
        duct::cmd!("sfdisk", "-q", "--wipe", "never", image).stdin_bytes("label: dos\n,8M\n").run().unwrap();
    });
    show(&device);
    fixtures::md_1(&device, 0);
    run("mkfs.ext4", &["-q", &format!("{}p1", device.device)]);
    device
}

fn with(make: fn(&Loop)) -> Loop {
    let device = Loop::new(SIZE);
    make(&device);
    device
}

/// With partitions that the kernel shows.
fn partitioned() -> Vec<(&'static str, Loop)> {
    vec![
        ("MBR", mbr()),
        ("GPT", gpt()),
        ("hybrid", hybrid()),
        ("only the copy of a GPT", only_the_copy()),
        ("several at once", several()),
    ]
}

/// Without.
fn whole() -> Vec<(&'static str, Loop)> {
    vec![
        ("LVM", with(|d| drop(run("pvcreate", &["-qq", "-y", &d.device])))),
        ("md 0.90", with(fixtures::md_0_90)),
        ("md 1.0", with(|d| fixtures::md_1(d, 0))),
        ("md 1.1", with(|d| fixtures::md_1(d, 1))),
        ("md 1.2", with(|d| fixtures::md_1(d, 2))),
        ("ZFS", with(fixtures::zfs)),
        (
            "contradictions",
            with(|d| {
                run("mkswap", &[&d.device]);
                let swap = fs::read(d.image()).unwrap()[4096 - 10..4096].to_vec();
                run("mkfs.ext4", &["-q", "-F", &d.device]);
                d.write_at(4096 - 10, &swap);
            }),
        ),
    ]
}

#[test]
fn erasing_leaves_nothing_with_today_s_tools() {
    isolated(module_path!(), "erasing_leaves_nothing_with_today_s_tools", || {
        // Those without partitions are erased where they are made (contents.rs).
        for (what, device) in partitioned() {
            erased(what, &device);
        }
    });
}

fn with_old_tools(wipefs: Wipefs, contents: Vec<(&str, Loop)>) {
    old_tools(wipefs);
    for (what, device) in contents {
        erased(what, &device);
    }
    assert!(stand_ins::called("partx -d --nr 1-1024 /dev/.mt-agent-"));
    nothing_refused();
}

#[test]
fn erasing_leaves_nothing_with_red_hat_s_old_tools() {
    isolated(module_path!(), "erasing_leaves_nothing_with_red_hat_s_old_tools", || {
        with_old_tools(Wipefs::RedHat, partitioned().into_iter().chain(whole()).collect());
    });
}

#[test]
fn erasing_leaves_nothing_with_upstream_s_old_tools() {
    isolated(module_path!(), "erasing_leaves_nothing_with_upstream_s_old_tools", || {
        with_old_tools(Wipefs::Upstream, partitioned());
    });
}

#[test]
fn a_partition_that_is_read_keeps_everything() {
    isolated(module_path!(), "a_partition_that_is_read_keeps_everything", || {
        let device = mbr();
        let hash = device.hash();
        let reader = File::open(format!("{}p1", device.device)).unwrap();
        let error = format(&device, &erasing(&device)).unwrap_err();
        assert!(error.contains("making the kernel forget the partitions of "), "{error}");
        assert_eq!(device.hash(), hash);
        drop(reader);
        erased("MBR", &device);
    });
}

#[test]
fn a_partition_that_the_kernel_shows_without_a_table_is_forgotten() {
    isolated(module_path!(), "a_partition_that_the_kernel_shows_without_a_table_is_forgotten", || {
        let device = Loop::with(SIZE, &["--partscan"], |_| {});
        changed(format(&device, &device.target("ext4")));
        run("addpart", &[&device.device, "1", "2048", "16384"]);
        assert_eq!(disk(&device).partitions.len(), 1);
        let hash = device.hash();
        assert_eq!(format(&device, &device.target("ext4")), Ok(Done::Unchanged));
        assert_eq!((disk(&device).partitions, device.hash()), (vec![], hash));
    });
}

const VICTIM: &str = "MT_AGENT_TEST_VICTIM";

#[test]
fn an_agent_killed_at_any_step_of_an_erasure_is_made_good_by_the_next_run() {
    const NAME: &str = "an_agent_killed_at_any_step_of_an_erasure_is_made_good_by_the_next_run";
    // The second process: erases the device that it is told, and is killed.
    if let Ok(device) = std::env::var(VICTIM) {
        let identity = super::desk::StandIn {
            names: vec![device.strip_prefix("/dev/").unwrap().to_owned()],
            answer: Ok(ID.into()),
            adapt: |_| {},
        };
        let fingerprint = Some(fingerprint_of(&device, SIZE));
        let target =
            Target { scsi_id: ID.into(), device, fs_type: FileSystem::Ext4, uuid: Some(UUID.into()) };
        let target = Format { target, size_bytes: SIZE, erase: true, fingerprint };
        super::desk::perform(|context| mt_agent::changes::mkfs::format(context, &identity, &target)).unwrap();
        return;
    }
    isolated(module_path!(), NAME, || {
        for (make, next_erases) in [(mbr as fn() -> Loop, true), (gpt, false)] {
            let mut gone_on = 0;
            for step in 1.. {
                let device = make();
                if step == 1 && !fs::exists("/var/lib/old-tools").unwrap() {
                    old_tools(Wipefs::RedHat);
                }
                kill_at(step);
                let own = std::env::current_exe().unwrap();
                let victim =
                    duct::cmd!(own, "--exact", format!("erased::{NAME}")).env(VICTIM, &device.device);
                let output = victim.stdout_null().stderr_null().unchecked().run().unwrap();
                kill_nobody();
                if output.status.success() {
                    // It called no tool with that number.
                    assert!(step > 6, "only {step} tools were called: {:?}", stand_ins::lines("called"));
                    alone("not killed", &device);
                    fs::remove_file(RETENTION).unwrap();
                    break;
                }
                // Without the option it goes on once what a person wanted erased is gone, and says so before.
                let hash = device.hash();
                if !next_erases {
                    match format(&device, &device.target("ext4")) {
                        Ok(_) => gone_on += 1,
                        Err(error) => {
                            assert!(error.contains("--erase-disk"), "step {step}: {error}");
                            assert_eq!(device.hash(), hash, "step {step}");
                        }
                    }
                }
                let done = format(&device, &erasing(&device));
                assert!(done.is_ok(), "step {step}: {done:?}");
                alone(&format!("step {step}"), &device);
                fs::remove_file(RETENTION).unwrap();
            }
            assert!(next_erases || gone_on > 1, "a run without --erase-disk never went on");
        }
        nothing_refused();
    });
}
