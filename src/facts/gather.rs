//! All subjects at once: each on a thread of its own, each with a deadline.

use std::any::Any;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use time::macros::format_description;

pub use super::blank::Probing;
use super::{
    Fact, Facts, SCHEMA, blank, boot_entry, boot_id, boot_loader, clock, cpu_memory, custom_changes,
    device_nodes, disks, dmi, filesystems, fstab, guest_info, identity, journal, mounts, multipath, network,
    os, packages, processes, records, retention, services, site_agent, storage, strays, swaps, tools,
};
use crate::host::{Host, Kind};
use crate::profile::{Profile, Server};

/// What is to be read beyond what is always read.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Servers to ask over TCP: role, address, port.
    pub servers: Vec<(String, String, u16)>,
    /// The vendor script's marker file.
    pub marker: PathBuf,
    /// The vendor script's log.
    pub log: PathBuf,
    /// The archive that the vendor script comes in.
    pub archive: Option<PathBuf>,
    /// Whether its SHA-256 is pinned.
    pub archive_pinned: custom_changes::Pinned,
    /// Where the retention volume is to be mounted.
    pub mount_point: String,
    /// Which disks to probe for blankness.
    pub probe: Probing,
}

impl Wanted {
    /// What judging by `profile` needs.
    pub fn by_profile(profile: &Profile, probe: Probing) -> Self {
        let (site, changes) = (&profile.site, &profile.custom_changes);
        let servers = [
            ("configuration-server", site.configuration_server.as_ref().map(Server::endpoint)),
            ("process-server", site.process_server.as_ref().map(Server::endpoint)),
        ];
        let servers = servers.into_iter().filter_map(|(role, server)| {
            server.map(|(address, port)| (role.to_owned(), address.to_owned(), port))
        });
        Self {
            servers: servers.collect(),
            marker: changes.marker.to_path_buf(),
            log: changes.log.to_path_buf(),
            archive: changes.archive.as_deref().map(ToOwned::to_owned),
            archive_pinned: if changes.sha256.is_some() {
                custom_changes::Pinned::Yes
            } else {
                custom_changes::Pinned::No
            },
            mount_point: profile.retention.mount_point.to_string(),
            probe,
        }
    }
}

/// How long a subject has. What reads only /proc and /sys is done in a hundredth of a second.
const DEADLINE: Duration = Duration::from_secs(10);

/// How long the daemons have: a little more than the one command among them, so that a slow one leaves the others known.
const DAEMONS: Duration = Duration::from_secs(14);

/// How long the disks have: each has time-outs of its own for its commands.
const DISKS: Duration = Duration::from_secs(20);

/// How long what is mounted or could be has: a little more than its reads, which can tell better why.
const STORAGE: Duration = Duration::from_secs(14);

/// How long the package database has: a little more than its command, which can tell better why.
const PACKAGES: Duration = Duration::from_secs(35);

/// How long a subject of a recording has, however busy this machine is.
const RECORDING: Duration = Duration::from_secs(600);

/// Reads everything. Nothing is changed, and nothing waits longer than its deadline.
pub fn gather(host: &Host, wanted: &Wanted) -> Facts {
    let packages = start(host, PACKAGES, packages::load);
    let disks = start(host, DISKS, disks::load);
    let servers = {
        let servers = wanted.servers.clone();
        start(host, DEADLINE, move |host| network::servers::ask(host, &servers))
    };
    let daemons = start(host, DAEMONS, |host| {
        let processes = processes::load(host);
        (clock::load(host, &processes), tools::load(host, &processes), multipath::daemon(host, &processes))
    });
    let custom_changes = {
        let (marker, log, archive) = (wanted.marker.clone(), wanted.log.clone(), wanted.archive.clone());
        let pinned = wanted.archive_pinned;
        start(host, DEADLINE, move |host| {
            custom_changes::load(host, &marker, &log, archive.as_deref(), pinned)
        })
    };
    let controllers = start(host, DEADLINE, disks::load_controllers);
    let device_nodes = start(host, DEADLINE, device_nodes::load);
    let mounts = start(host, DEADLINE, mounts::load);
    let swaps = start(host, DEADLINE, swaps::load);
    let boot_loader = start(host, DEADLINE, boot_loader::load);
    let boot_entry = start(host, DEADLINE, boot_entry::load);
    let services_off = start(host, DEADLINE, |host| Fact::from_result(services::off(host)));
    let filesystems = start(host, DEADLINE, filesystems::load);
    let multipath = start(host, DEADLINE, multipath::load);
    let network = start(host, DEADLINE, network::load);
    let os = start(host, DEADLINE, os::load);
    let cpu_memory = start(host, DEADLINE, cpu_memory::load);
    let dmi = start(host, DEADLINE, dmi::load);
    let fstab = start(host, DEADLINE, fstab::load);
    let site_agent = start(host, DEADLINE, site_agent::load);
    let identity = start(host, DEADLINE, identity::load);
    let retention_record = start(host, DEADLINE, retention::load);
    let records_set_aside = start(host, DEADLINE, records::set_aside);
    let journal = start(host, DEADLINE, journal::load);
    let boot_id = start(host, DEADLINE, boot_id::load);
    // Whoever probes disks is about to choose one.
    let guest_retention_disk =
        (wanted.probe != Probing::None).then(|| start(host, DEADLINE, guest_info::load));

    let (mounts, swaps) = (mounts.fact(), swaps.fact());
    let disks = disks.fact();
    let storage = {
        let (mounts, disks) = (mounts.clone(), disks.clone());
        start(host, STORAGE, move |host| storage::load(host, &mounts, &disks))
    };
    let strays = {
        let (mounts, point) = (mounts.clone(), wanted.mount_point.clone());
        start(host, DEADLINE, move |host| strays::load(host, &point, &mounts))
    };
    let (clock, tools, (daemon, others)) = daemons.wait().unwrap_or_else(|why| {
        let clock = clock::Clock {
            now_secs: clock::now(),
            boot_secs: Fact::Unknown(why.clone()),
            boot_record_secs: Fact::Unknown(why.clone()),
            service: Fact::Unknown(why.clone()),
            others: Vec::new(),
        };
        (clock, Fact::Unknown(why.clone()), (Fact::Unknown(why), Vec::new()))
    });
    let unread = {
        let daemon = daemon.clone();
        start(host, multipath::unread::WITHIN, move |host| multipath::unread(host, &daemon))
    };
    let (disks, probes) = used_and_probed(host, disks, &mounts, &swaps, &wanted.probe);
    let (fstab, fstab_ignored) = match fstab.fact() {
        Fact::Known(fstab) => (Fact::Known(fstab.entries), fstab.ignored),
        Fact::Unknown(why) => (Fact::Unknown(why), Vec::new()),
        Fact::NotApplicable(why) => (Fact::NotApplicable(why), Vec::new()),
    };
    let retention_record = retention_record.fact();
    let filesystems = with_our_volume(host, filesystems.fact(), &retention_record, &disks);
    let multipath = multipath.wait().unwrap_or_else(|why| multipath::Multipath::unknown(&why));
    Facts {
        schema: SCHEMA.to_owned(),
        agent: env!("CARGO_PKG_VERSION").to_owned(),
        recorded_at: date(clock.now_secs),
        // A recording tells what whoever made it could read.
        privileged: host.kind() == Kind::Recorded || nix::unistd::geteuid().is_root(),
        boot_id: boot_id.fact(),
        os: os.wait().unwrap_or_else(|why| os::Os::unknown(&why)),
        dmi: dmi.fact(),
        cpu_memory: cpu_memory.wait().unwrap_or_else(|why| cpu_memory::CpuMemory {
            memory_bytes: Fact::Unknown(why.clone()),
            cpus: Fact::Unknown(why),
        }),
        clock,
        device_nodes: device_nodes.fact(),
        disks,
        controllers: controllers.fact(),
        mounts,
        storage: storage.fact(),
        fstab,
        fstab_ignored,
        swaps,
        filesystems,
        boot_loader: boot_loader.fact(),
        boot_entry: boot_entry.fact(),
        services_off: services_off.fact(),
        network: network.wait().unwrap_or_else(|why| network::Network::unknown(&why)),
        packages: packages.fact(),
        tools,
        multipath: multipath::Multipath { daemon, others, unread: unread.fact(), ..multipath },
        custom_changes: custom_changes
            .wait()
            .unwrap_or_else(|why| custom_changes::CustomChanges::unknown(&why)),
        site_agent: site_agent.fact(),
        identity: identity.wait().unwrap_or_else(|why| identity::Identity::unknown(&why)),
        records_set_aside: records_set_aside.fact(),
        journal: journal.fact(),
        retention_record,
        strays: strays.fact(),
        guest_retention_disk: guest_retention_disk.map_or_else(guest_info::not_asked, Pending::fact),
        servers: servers.wait().unwrap_or_else(|why| unasked(wanted, &why)),
        probes,
    }
}

/// The disks with what uses them and the probes asked for, and nothing else: `disks`.
pub fn disks_alone(host: &Host, probing: &Probing) -> (Fact<Vec<disks::Disk>>, Vec<blank::Probe>) {
    let disks = start(host, DISKS, disks::load);
    let (mounts, swaps) = (mounts::load(host), swaps::load(host));
    used_and_probed(host, disks.fact(), &mounts, &swaps, probing)
}

fn used_and_probed(
    host: &Host,
    mut disks: Fact<Vec<disks::Disk>>,
    mounts: &Fact<Vec<mounts::Mount>>,
    swaps: &Fact<Vec<swaps::Swap>>,
    probing: &Probing,
) -> (Fact<Vec<disks::Disk>>, Vec<blank::Probe>) {
    if let (Fact::Known(disks), Fact::Known(mounts), Fact::Known(swaps)) = (&mut disks, mounts, swaps) {
        disks::fill_users(disks, mounts, swaps);
    }
    // A loop device is not listed, but where it is named it is a disk like others.
    if let (Fact::Known(disks), Probing::Named(names)) = (&mut disks, probing) {
        for name in names {
            if let Ok(named) = disks::resolve(host, disks, name)
                && disks.iter().all(|disk| disk.name != named.name)
            {
                disks.push(named);
            }
        }
        if let (Fact::Known(mounts), Fact::Known(swaps)) = (mounts, swaps) {
            disks::fill_users(disks, mounts, swaps);
        }
    }
    // Last, as it asks what uses a disk. Without the disks there is nothing that could be eligible.
    let probes = match &disks {
        Fact::Known(disks) => blank::probes(host, disks, mounts, swaps, probing),
        Fact::Unknown(_) | Fact::NotApplicable(_) => Vec::new(),
    };
    (disks, probes)
}

/// The names of file systems, with that of the volume which our record says we made, where udev has no link for it.
fn with_our_volume(
    host: &Host,
    mut links: Fact<filesystems::Filesystems>,
    record: &Fact<Option<retention::Record>>,
    disks: &Fact<Vec<disks::Disk>>,
) -> Fact<filesystems::Filesystems> {
    let (Fact::Known(known), Some(Some(record)), Some(disks)) = (&mut links, record.known(), disks.known())
    else {
        return links;
    };
    if !known.by_uuid.contains_key(&record.uuid)
        && let Some(disk) = retention::sought(record, disks).cloned()
    {
        let (uuid, record) = (record.uuid.clone(), record.clone());
        let found = start(host, DEADLINE, move |host| retention::unlinked(host, &record, &disk)).wait();
        known.by_uuid.extend(found.ok().flatten().map(|number| (uuid, number)));
    }
    links
}

fn unasked(wanted: &Wanted, why: &str) -> Vec<network::Server> {
    let server = |(role, address, port): &(String, String, u16)| network::Server {
        role: role.clone(),
        address: address.clone(),
        port: *port,
        answers: Fact::Unknown(why.to_owned()),
    };
    wanted.servers.iter().map(server).collect()
}

/// RFC 3339, UTC.
fn date(secs: u64) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    let date = i64::try_from(secs).ok().and_then(|secs| OffsetDateTime::from_unix_timestamp(secs).ok());
    date.and_then(|date| date.format(&format).ok()).unwrap_or_default()
}

/// A subject that is being read on a thread of its own. It is not joined: one that hangs in the kernel would
/// make us hang.
struct Pending<T> {
    reading: Reading,
    of: PhantomData<T>,
}

/// Whatever is read: threads and channels are compiled once, not for each subject (some 100 kB).
type Anything = Box<dyn Any + Send>;

struct Reading {
    answer: Receiver<Anything>,
    until: Instant,
    within: Duration,
    failed: Option<String>,
}

fn start<T: Send + 'static>(
    host: &Host,
    within: Duration,
    load: impl FnOnce(&Host) -> T + Send + 'static,
) -> Pending<T> {
    let reading = Reading::begin(host, within, Box::new(|host| Box::new(load(host))));
    Pending { reading, of: PhantomData }
}

impl Reading {
    fn begin(host: &Host, within: Duration, load: Box<dyn FnOnce(&Host) -> Anything + Send>) -> Self {
        let (sender, answer) = mpsc::channel();
        // A recording is files: what is late there tells of the machine that judges, not of the one that was recorded.
        let within = if host.kind() == Kind::Recorded { RECORDING } else { within };
        let host = host.clone();
        let spawned = thread::Builder::new().spawn(move || {
            let _ = sender.send(load(&host));
        });
        let failed = spawned.err().map(|error| format!("no thread could be started to read it: {error}"));
        Self { answer, until: Instant::now() + within, within, failed }
    }

    fn wait(self) -> Result<Anything, String> {
        if let Some(why) = self.failed {
            return Err(why);
        }
        let left = self.until.saturating_duration_since(Instant::now());
        self.answer.recv_timeout(left).map_err(|error| match error {
            RecvTimeoutError::Timeout => format!("did not answer within {} s", self.within.as_secs()),
            RecvTimeoutError::Disconnected => DEFECT.into(),
        })
    }
}

const DEFECT: &str = "reading it failed; this is a defect of mt-agent";

impl<T: 'static> Pending<T> {
    fn wait(self) -> Result<T, String> {
        let answer = self.reading.wait()?.downcast::<T>();
        answer.map(|answer| *answer).map_err(|_| DEFECT.to_owned())
    }
}

impl<T: 'static> Pending<Fact<T>> {
    fn fact(self) -> Fact<T> {
        self.wait().unwrap_or_else(Fact::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_that_hangs_or_breaks_is_unknown_and_the_rest_goes_on() {
        let within = Duration::from_millis(30);
        let hanging = start(&Host::live(), within, |_| {
            thread::sleep(Duration::from_secs(300));
            Fact::Known(1)
        });
        let quick = start(&Host::live(), DEADLINE, |_| Fact::Known(2));
        let broken = start(&Host::live(), DEADLINE, |_| -> Fact<u8> { panic!("a parser that panics") });
        let started = Instant::now();
        assert_eq!(hanging.fact(), Fact::Unknown("did not answer within 0 s".into()));
        assert_eq!(quick.fact(), Fact::Known(2));
        let why = "reading it failed; this is a defect of mt-agent";
        assert_eq!(broken.fact(), Fact::Unknown(why.into()));
        assert!(started.elapsed() < Duration::from_secs(150));
    }

    #[test]
    fn this_machine_is_read_whole_and_a_recording_of_it_is_the_same() {
        let wanted = Wanted { servers: vec![("x".into(), "127.0.0.1".into(), 1)], ..Wanted::default() };
        let facts = gather(&Host::live(), &wanted);
        assert_eq!((facts.schema.as_str(), facts.servers.len()), (SCHEMA, 1));
        assert!(facts.boot_id.known().is_some_and(|id| id.len() == 36), "{:?}", facts.boot_id);
        assert!(facts.mounts.known().is_some() && facts.recorded_at.ends_with('Z'));
        let json = serde_json::to_string(&facts).unwrap();
        assert_eq!(crate::facts::parse(&json).unwrap(), facts);
    }

    #[test]
    fn an_empty_image_has_nothing_known_that_was_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let facts = gather(&Host::image(dir.path()), &Wanted::default());
        assert_eq!(facts.boot_id, Fact::needs_kernel());
        assert_eq!((facts.mounts.known(), facts.disks.known(), facts.fstab.known()), (None, None, None));
        assert!(matches!(facts.os.release, Fact::Unknown(_)) && matches!(facts.packages, Fact::Unknown(_)));
    }

    #[test]
    fn a_recorded_centos_6_6_is_known_in_every_point() {
        let tree = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios/centos-6.6-ready/host");
        let wanted = Wanted {
            marker: "/etc/.appliedmtcustomchanges".into(),
            log: "/var/log/appliedmtcustomchanges.log".into(),
            ..Wanted::default()
        };
        let facts = gather(&Host::recorded(tree), &wanted);
        let json = serde_json::to_string(&facts).unwrap();
        for word in [r#""unknown":"#, r#""scsi_id_error":""#] {
            let at = json.find(word).map(|at| json.chars().skip(at).take(200).collect::<String>());
            assert_eq!(at, None);
        }
        assert_eq!((facts.recorded_at.as_str(), facts.privileged), ("2017-02-06T12:20:00Z", true));
        assert_eq!(facts.os.release, Fact::Known("CentOS release 6.6 (Final)".into()));
        let [root, retention] = &facts.disks.known().unwrap()[..] else { panic!("{:?}", facts.disks) };
        assert_eq!(root.used_by, ["/ (sda1)", "/var/crash (sda2)", "/home (sda3)", "swap (sda5)"]);
        assert!(root.has_id("36000c29b3c1a4e5f60718293a4b5c6d7"));
        assert_eq!(retention.device(), "/dev/mapper/36000c2982b5df41a25811b07e74971e8");
        let loader = facts.boot_loader.known().unwrap();
        assert_eq!(loader.partitions, [("sda1".to_owned(), "GRUB".to_owned())]);
        assert_eq!(loader.mbr.as_deref(), Some("unknown boot code"));
        let filesystems = facts.filesystems.known().unwrap();
        assert_eq!(filesystems.by_uuid[&"0f3c6a52-8d1b-4e07-9a64-1c5b7d2e9f01".into()], "8:1");
        assert_eq!(facts.swaps.known().unwrap()[0].major_minor, Some("8:5".into()));
        assert_eq!(facts.clock.service, Fact::Known(Some("ntpd".into())));
        let nic = &facts.network.nics.known().unwrap()[0];
        assert_eq!((nic.name.as_str(), nic.driver.as_deref()), ("eth0", Some("vmxnet3")));
        assert_eq!(facts, gather(&Host::recorded(tree), &wanted));
    }

    #[test]
    fn dates_are_written_as_rfc_3339() {
        assert_eq!(date(1_420_070_400), "2015-01-01T00:00:00Z");
        assert_eq!(date(u64::MAX), "");
    }
}
