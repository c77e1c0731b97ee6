//! Wrong profiles, and what a person is told about each.

use crate::profile::load::{check, from_text};

/// Requirements that can be waived here.
const KNOWN: [&str; 4] = ["sizing.memory", "sizing.cpus", "retention.mounted", "retention.persistent"];

/// What is expected in several places.
const SIZING: &str = "a mapping with the keys memory, cpus, os-disk";
const PATH: &str = "an absolute path without `.`, `..` or spaces (letters, digits and ._+@%=:~-)";
const CPUS: &str = "a whole number from 1 to 1024";
const SIZE: &str = "a size such as `6 GB` (KB, MB, GB or TB, whole, more than 0) or a number of bytes";
const TIME: &str = "a time such as `90s`, `10m` or `1h`, from 1s to 24h";
const PACKAGE: &str = "a package name (letters, digits and ._+-, beginning with a letter or digit)";
const UNVERIFIED: &str = "one of `refuse`, `install-without-verification`";
const DISK: &str = "a SCSI ID, a name below /dev/disk/by-id, or a path below /dev";

/// What follows `extends: centos-6.6` (so that its first line is line 2), what is found there, and what is expected.
const UNEXPECTED: &[(&str, &str, &str)] = &[
    ("sizing: 6 GB", ":2: sizing: found `6 GB`", SIZING),
    ("sizing:", ":2: sizing: found nothing", SIZING),
    ("sizing: [6 GB]", ":2: sizing: found a list", SIZING),
    ("retention:\n  mount-point: null", ":3: retention.mount-point: found nothing", PATH),
    ("sizing:\n  cpus: four", ":3: sizing.cpus: found `four`", CPUS),
    ("sizing:\n  cpus: 0", ":3: sizing.cpus: found the number 0", CPUS),
    ("sizing:\n  cpus: -4", ":3: sizing.cpus: found the number -4", CPUS),
    ("sizing:\n  cpus: 4.5", ":3: sizing.cpus: found the number 4.5", CPUS),
    ("sizing:\n  memory: 6 gigabytes", ":3: sizing.memory: found `6 gigabytes`", SIZE),
    ("sizing:\n  memory: 0 GB", ":3: sizing.memory: found `0 GB`", SIZE),
    ("sizing:\n  os-disk: 99999999999999 TB", ":3: sizing.os-disk: found `99999999999999 TB`", SIZE),
    ("packages:\n  deadline: 10", ":3: packages.deadline: found the number 10", TIME),
    ("packages:\n  deadline: 0s", ":3: packages.deadline: found `0s`", TIME),
    ("packages:\n  deadline: 25h", ":3: packages.deadline: found `25h`", TIME),
    ("packages:\n  base: [--nogpgcheck]", ":3: packages.base[0]: found `--nogpgcheck`", PACKAGE),
    ("packages:\n  base: ['perl; reboot']", ":3: packages.base[0]: found `perl; reboot`", PACKAGE),
    ("packages:\n  multipath: [\"a\\nb\"]", ":3: packages.multipath[0]: found `a b`", PACKAGE),
    ("files:\n  directory: usr/local", ":3: files.directory: found `usr/local`", PATH),
    ("files:\n  unverified: accept", ":3: files.unverified: found `accept`", UNVERIFIED),
    ("files:\n  unverified: false", ":3: files.unverified: found `false`", UNVERIFIED),
    ("custom-changes:\n  marker: /etc/../etc/x", ":3: custom-changes.marker: found `/etc/../etc/x`", PATH),
    ("retention:\n  mount-point: mnt/retention", ":3: retention.mount-point: found `mnt/retention`", PATH),
    ("retention:\n  disk: /etc/passwd", ":3: retention.disk: found `/etc/passwd`", DISK),
    ("retention:\n  disk: 'not a disk!'", ":3: retention.disk: found `not a disk!`", DISK),
    ("retention:\n  disk: /dev/../etc/passwd", ":3: retention.disk: found `/dev/../etc/passwd`", DISK),
];

/// What follows there likewise, and the whole refusal after `p.yaml`.
const EXTENDING: &[(&str, &str)] = &[
    // Keys.
    (
        "colour: red",
        ":2: unknown key `colour`; accepted keys: extends, name, description, os, sizing, layout, network, hypervisor, packages, sources, files, custom-changes, retention, site, installation, waivers",
    ),
    (
        "retention:\n  mountpoint: /mnt/r",
        ":3: retention: unknown key `mountpoint` (did you mean `mount-point`?); accepted keys: disk, mount-point, filesystem, capacity, free-percent",
    ),
    (
        "files:\n  xfs:\n    - package: xfsprogs\n      name: x",
        ":5: files.xfs[0]: unknown key `name`; accepted keys: package, file, urls, sha256",
    ),
    ("sizing:\n  cpus: 2\n  memory: 1 GB\n  cpus: 4", ":5: the key `cpus` is set already in line 3"),
    ("443: x", ":2: found a key that is not text; keys are words"),
    ("[a]: x", ":2: found a key that is not text; keys are words"),
    ("os:\n  <<: {release: x}", ":3: found the merge key `<<`; use `extends` instead"),
    ("files:\n  xfs:\n    - package: xfsprogs", ":4: files.xfs[0]: the key `file` is missing"),
    ("site:\n  process-server:\n    port: 9443", ":3: site.process-server: the key `address` is missing"),
    // Types.
    ("packages:\n  base: perl", ":3: packages.base: found `perl`, expected a list"),
    (
        "packages:\n  base: [perl, 7]",
        ":3: packages.base[1]: found the number 7, which is not text, expected a package name (letters, digits and ._+-, beginning with a letter or digit); put it in quotes",
    ),
    ("layout:\n  swap: yes", ":3: layout.swap: found `yes`, expected `true` or `false`"),
    (
        "layout:\n  partitions:\n    - /",
        ":4: layout.partitions[0]: found `/`, expected a mapping with the keys mount, type",
    ),
    (
        "name: true",
        ":2: name: found `true`, which is not text, expected a name of up to 100 ASCII characters; put it in quotes",
    ),
    ("name: !secret x", ":2: name: found a YAML tag (`!...`), expected a plain value"),
    // Values.
    (
        "installation:\n  hostnme: mt1",
        ":3: installation: unknown key `hostnme` (did you mean `hostname`?); accepted keys: language, keyboard, source, disk, boot-loader, sizes, grow, swap, network, interface, hostname, address, gateway, dns, ipv6, root-hash-file, agent, agent-sha256, finish",
    ),
    (
        "installation:\n  disk: [sda]",
        ":3: installation.disk: found a list, expected a disk such as `sda`, or its name below /dev/disk/by-path or /dev/disk/by-id",
    ),
    (
        "installation:\n  boot-loader: root",
        ":3: installation.boot-loader: found `root`, expected one of `mbr`, `partition`",
    ),
    (
        "installation:\n  hostname: localhost.localdomain",
        ":3: installation.hostname: found `localhost.localdomain`, expected a host name of its own such as `mt1.example.com`",
    ),
    (
        "installation:\n  sizes:\n    - mount: /\n      size: 8 GB\n    - mount: /\n      size: 9 GB",
        ":6: installation.sizes[1].mount: found `/`, which is also installation.sizes[0].mount (p.yaml:4)",
    ),
    ("os:\n  architecture: x86_65", ":3: os.architecture: found `x86_65`, expected `x86_64`"),
    (
        "os:\n  timezone: ../../etc/passwd",
        ":3: os.timezone: found `../../etc/passwd`, expected a time zone such as `Europe/Berlin`",
    ),
    (
        "layout:\n  partitions:\n    - mount: /\n      type: ext9",
        ":5: layout.partitions[0].type: found `ext9`, expected one of `ext2`, `ext3`, `ext4`, `xfs`, `btrfs`, `vfat`",
    ),
    (
        "layout:\n  partitions:\n    - mount: home\n      type: ext4",
        ":4: layout.partitions[0].mount: found `home`, expected an absolute mount point without `.`, `..` or spaces (letters, digits and ._+@%=:~-)",
    ),
    (
        "hypervisor:\n  max-disks: 61",
        ":3: hypervisor.max-disks: found the number 61, expected a whole number from 1 to 60",
    ),
    (
        "files:\n  xfs: [{package: xfsprogs, file: ../xfsprogs-1.x86_64.rpm}]",
        ":3: files.xfs[0].file: found `../xfsprogs-1.x86_64.rpm`, expected a file name that ends in .rpm or .deb, without a directory",
    ),
    (
        "files:\n  xfs: [{package: xfsprogs, file: -xfsprogs-1.x86_64.rpm}]",
        ":3: files.xfs[0].file: found `-xfsprogs-1.x86_64.rpm`, expected a file name that ends in .rpm or .deb, without a directory",
    ),
    (
        "files:\n  xfs: [{package: xfsprogs, file: xfsprogs-1.x86_64.rpm, urls: ['ftp://h/x']}]",
        ":3: files.xfs[0].urls[0]: found `ftp://h/x`, expected an address that begins with http:// or https:// (for a local directory there is `files.from`)",
    ),
    (
        "files:\n  xfs: [{package: xfsprogs, file: xfsprogs-1.x86_64.rpm, urls: ['https://u:secret@']}]",
        ":3: files.xfs[0].urls[0]: found `https://***@`, expected an address that begins with http:// or https:// (for a local directory there is `files.from`)",
    ),
    (
        "files:\n  xfs: [{package: xfsprogs, file: xfsprogs-1.x86_64.rpm, urls: ['https://h/x'], sha256: abc}]",
        ":3: files.xfs[0].sha256: found `abc`, expected a SHA-256 checksum of 64 hexadecimal digits",
    ),
    (
        "custom-changes:\n  archive: latestlinuxmobsvc.tar.gz",
        ":3: custom-changes.archive: found `latestlinuxmobsvc.tar.gz`, expected an absolute path without `.`, `..` or spaces (letters, digits and ._+@%=:~-)",
    ),
    (
        "custom-changes:\n  script: ../../bin/sh",
        ":3: custom-changes.script: found `../../bin/sh`, expected a file name without a directory (letters, digits and ._+-)",
    ),
    (
        "retention:\n  filesystem: vfat",
        ":3: retention.filesystem: found `vfat`, expected one of `ext4`, `xfs`",
    ),
    (
        "retention:\n  mount-point: /mnt/re tention",
        ":3: retention.mount-point: found `/mnt/re tention`, expected an absolute path without `.`, `..` or spaces (letters, digits and ._+@%=:~-)",
    ),
    (
        "retention:\n  mount-point: \"/mnt/\\e[2J\"",
        ":3: retention.mount-point: found `/mnt/\\u{1b}[2J`, expected an absolute path without `.`, `..` or spaces (letters, digits and ._+@%=:~-)",
    ),
    (
        "site:\n  configuration-server: 10.0.0.4",
        ":3: site.configuration-server: found `10.0.0.4`, expected a mapping with the keys address, port",
    ),
    (
        "site:\n  configuration-server: {address: 'https://cs'}",
        ":3: site.configuration-server.address: found `https://cs`, expected a host name or an IP address, without scheme and port",
    ),
    (
        "site:\n  configuration-server: {address: 'cs:443'}",
        ":3: site.configuration-server.address: found `cs:443`, expected a host name or an IP address, without scheme and port",
    ),
    (
        "site:\n  configuration-server: {address: cs, port: 0}",
        ":3: site.configuration-server.port: found the number 0, expected a whole number from 1 to 65535",
    ),
    (
        "site:\n  configuration-server-version: 9.10",
        ":3: site.configuration-server-version: found the number 9.1, which is not text, expected a version such as '9.10.4149.1'; put it in quotes",
    ),
    (
        "site:\n  configuration-server-version: latest",
        ":3: site.configuration-server-version: found `latest`, expected a version such as '9.10.4149.1'",
    ),
    (
        "waivers:\n  - requirement: sizing.memory\n    until: '2026-12-31'",
        ":3: waivers[0]: the key `reason` is missing",
    ),
    (
        "waivers:\n  - requirement: sizing.memory\n    reason: ' '\n    until: '2026-12-31'",
        ":4: waivers[0].reason: found ` `, expected some words (up to 1000 characters)",
    ),
    (
        "waivers:\n  - requirement: sizing.memory\n    reason: x\n    until: '2026-02-30'",
        ":5: waivers[0].until: found `2026-02-30`, expected a date of this century such as '2026-12-31'",
    ),
    (
        "waivers:\n  - requirement: sizing.memory\n    reason: x\n    until: forever",
        ":5: waivers[0].until: found `forever`, expected a date of this century such as '2026-12-31'",
    ),
    (
        "waivers:\n  - requirement: sizing.memory\n    reason: x\n    until: '9999-12-31'",
        ":5: waivers[0].until: found `9999-12-31`, expected a date of this century such as '2026-12-31'",
    ),
    // Contradictions.
    (
        "layout:\n  partitions:\n    - {mount: /, type: ext4}\n    - {mount: /home, type: ext4}\n    - {mount: /home, type: xfs}",
        ":6: layout.partitions[2].mount: found `/home`, which is also layout.partitions[1].mount (p.yaml:5)",
    ),
    ("layout:\n  partitions: []", ":3: layout.partitions: `/` is not among them, expected at least `/`"),
    (
        "layout:\n  partitions: [{mount: /home, type: ext4}]",
        ":3: layout.partitions: `/` is not among them, expected at least `/`",
    ),
    (
        "layout:\n  partitions:\n    - {mount: /, type: ext4}\n    - {mount: /proc/x, type: ext4}",
        ":5: layout.partitions[1].mount: found `/proc/x`, but /proc belongs to the kernel",
    ),
    (
        "packages:\n  base: []",
        ":3: packages.base: found an empty list, expected at least one package; to do without, waive `packages.base`",
    ),
    (
        "packages:\n  base:\n    - perl\n    - rsync\n    - perl",
        ":6: packages.base[2]: found `perl`, which is listed already",
    ),
    (
        "sources:\n  xfs: true\nfiles:\n  xfs: []",
        ":3: sources.xfs: found `true`, but no file is listed in files.xfs (p.yaml:5)",
    ),
    (
        "files:\n  xfs: [{package: xfsprogs, file: e2fsprogs-1.x86_64.rpm, urls: ['https://h/x']}]",
        ":3: files.xfs[0].file: found `e2fsprogs-1.x86_64.rpm`, which is no file of the package `xfsprogs`",
    ),
    (
        "files:\n  xfs: [{package: xfsprogs, file: xfsprogs-3.1.1-16.el6.x86_65.rpm, urls: ['https://h/x']}]",
        ":3: files.xfs[0].file: found `xfsprogs-3.1.1-16.el6.x86_65.rpm`, which is for `x86_65`, expected x86_64 or noarch",
    ),
    (
        "files:\n  xfs: [{package: xfsprogs, file: xfsprogs-1.x86_64.rpm}]",
        ":3: files.xfs[0].urls: found no address, expected at least one, or a directory in files.from",
    ),
    (
        "files:\n  directory: /mnt/retention/rpms",
        ":3: files.directory: found `/mnt/retention/rpms`, which lies on the volume of retention.mount-point (built-in centos-6.6); that is used for nothing else",
    ),
    ("files:\n  from: /proc/self", ":3: files.from: found `/proc/self`, but /proc belongs to the kernel"),
    (
        "custom-changes:\n  work-directory: /usr/local/mt",
        ":3: custom-changes.work-directory: found `/usr/local/mt`, expected a directory that is not below /usr/local: unpacked there, the later installation of the master target fails",
    ),
    (
        "custom-changes:\n  log: /etc/.appliedmtcustomchanges",
        ":3: custom-changes.marker: found `/etc/.appliedmtcustomchanges`, which is also custom-changes.log (p.yaml:3); the script begins its log before it is done",
    ),
    (
        "retention:\n  mount-point: /home",
        ":3: retention.mount-point: found `/home`, a directory of the system, expected one of its own such as `/mnt/retention`",
    ),
    (
        "retention:\n  mount-point: /var/crash",
        ":3: retention.mount-point: found `/var/crash`, but the retention volume is used for nothing else, and `/var/crash` is layout.partitions[1].mount (built-in centos-6.6)",
    ),
    (
        "retention:\n  mount-point: /dev/shm/x",
        ":3: retention.mount-point: found `/dev/shm/x`, a directory of the system, expected one of its own such as `/mnt/retention`",
    ),
    (
        "retention:\n  mount-point: /srv\nlayout:\n  partitions:\n    - {mount: /, type: ext4}\n    - {mount: /srv/data, type: ext4}",
        ":3: retention.mount-point: found `/srv`, but the retention volume is used for nothing else, and `/srv/data` is layout.partitions[1].mount (p.yaml:7)",
    ),
    (
        "waivers:\n  - requirement: retention.mount\n    reason: x\n    until: '2026-12-31'",
        ":3: waivers[0].requirement: there is no requirement `retention.mount` (did you mean `retention.mounted`?); `mt-agent explain` lists them",
    ),
    (
        "waivers:\n  - requirement: colour.red\n    reason: x\n    until: '2026-12-31'",
        ":3: waivers[0].requirement: there is no requirement `colour.red`; `mt-agent explain` lists them",
    ),
    (
        "waivers:\n  - {requirement: sizing.cpus, reason: x, until: '2026-12-31'}\n  - {requirement: sizing.cpus, reason: y, until: '2027-12-31'}",
        ":4: waivers[1].requirement: found `sizing.cpus`, which is also waivers[0].requirement (p.yaml:3)",
    ),
];

/// A whole file, and its refusal.
const WHOLE: &[(&str, &str)] = &[
    ("", ": is empty; it must at least say `extends: centos-6.6`"),
    ("\u{feff}# nothing\n", ": is empty; it must at least say `extends: centos-6.6`"),
    ("~", ": is empty; it must at least say `extends: centos-6.6`"),
    ("just words", ":1: found no mapping of keys to values (`key: value`)"),
    ("- a\n- b", ":1: found no mapping of keys to values (`key: value`)"),
    (
        "name: x",
        ": extends no other profile and lacks os, sizing, layout, network, hypervisor, packages, sources, files, custom-changes, retention, site, installation; add what is missing, or `extends: centos-6.6`",
    ),
    (
        "name: x\nsizing:\n  cpus: 4\n",
        ": extends no other profile and lacks os, sizing.memory, sizing.os-disk, layout, network, hypervisor, packages, sources, files, custom-changes, retention, site, installation; add what is missing, or `extends: centos-6.6`",
    ),
    ("extends: [a]", ":1: extends: found no text, expected the name of a built-in profile or a path"),
    (
        "extends: centos-6.6\nos:\n\trelease: x",
        ":3: is not YAML: found character that cannot start any token at line 3 column 1, while scanning for the next token (there is a tab in this line: YAML is indented with spaces)",
    ),
    (
        "extends: centos-6.6\nos: {release: x",
        ":3: is not YAML: did not find expected ',' or '}' at line 3 column 1, while parsing a flow mapping at line 2 column 5",
    ),
    (
        "extends: centos-6.6\nos:\n  release: 'x\n",
        ":4: is not YAML: found unexpected end of stream at line 4 column 1, while scanning a quoted scalar at line 3 column 12",
    ),
    (
        "extends: centos-6.6\nname: *nobody",
        ":2: found an alias (`*...`) of an anchor that is not defined before it",
    ),
    ("extends: centos-6.6\n---\nname: x\n", ": holds more than one YAML document; keep one"),
    (
        "extends: centos-6.6\nname: \u{1}",
        ":2: is not YAML: control characters are not allowed at position 26",
    ),
];

#[test]
fn each_wrong_profile_is_refused_with_its_line_and_what_is_accepted() {
    let extending = |text| format!("extends: centos-6.6\n{text}\n");
    let unexpected = UNEXPECTED
        .iter()
        .map(|(text, found, expected)| (extending(text), format!("{found}, expected {expected}")));
    let others = EXTENDING.iter().map(|(text, message)| (extending(text), (*message).to_owned()));
    let whole = WHOLE.iter().map(|(text, message)| ((*text).to_owned(), (*message).to_owned()));
    let mut failures = Vec::new();
    for (text, expected) in unexpected.chain(others).chain(whole) {
        let message = match from_text(&text, "p.yaml", &KNOWN) {
            Ok(_) => "accepted".to_owned(),
            Err(wrong) => wrong.to_string(),
        };
        let message = message.strip_prefix("p.yaml").unwrap_or(&message).to_owned();
        if message != expected {
            failures.push(format!("--- {text}\n    found:    {message}\n    expected: {expected}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What `profile check` says of a retention disk that is named so, as it stands in the file.
fn checked(disk: &str) -> Result<(), String> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("p.yaml");
    let text = format!("extends: centos-6.6\nretention:\n  disk: {disk}\n");
    crate::host::files::replace(&file, text.as_bytes(), 0o644).unwrap();
    check(&file, &KNOWN, crate::profile::Writers::Anyone).map(drop).map_err(|wrong| format!("{wrong:#}"))
}

fn refused_as_moving(name: &str) {
    let message = checked(&format!("'{name}'")).unwrap_err();
    let expected = format!(
        "p.yaml:3: retention.disk: found `{name}`, which can be another disk after each restart, expected its SCSI ID, "
    );
    assert!(message.contains(&expected) && message.lines().count() == 1, "{message}");
}

#[test]
fn a_checked_profile_names_a_retention_disk_by_what_stays() {
    let words = "/dev/sdb sdb /dev/sdaa sdb1 /dev/vdb2 /dev/xvda /dev/dm-0 /dev/mapper/mpathb mpatha nvme0n1 \
        md0 /dev/md0 retention pci-0000:03:00.0-scsi-0:0:1:0 \
        /dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:1:0 \
        /dev/disk/by-uuid/30ef1c40-2cfe-8764-838a-54b27fe8b884 /dev/disk/by-label/data";
    words.split(' ').for_each(refused_as_moving);
    for stays in [
        "36000c29f0c4be2a1d0a7b9d3c2e1f405",
        "scsi-36000c29f0c4be2a1d0a7b9d3c2e1f405",
        "/dev/disk/by-id/wwn-0x6000c29f0c4be2a1d0a7b9d3c2e1f405",
        "/dev/mapper/36000c29f0c4be2a1d0a7b9d3c2e1f405",
        "SVMware Virtual disk 1",
        "null",
    ] {
        assert_eq!(checked(stays), Ok(()));
    }
}

#[test]
fn a_scsi_id_is_what_scsi_id_can_print() {
    for (kind, id) in [
        ("NAA 6", "36000c2982b5df41a25811b07e74971e8"),
        ("NAA 6 ASCII", "3naa.6000c2982b5df41a25811b07e74971e8"),
        ("NAA 5", "35000c29001020304"),
        ("NAA 5 ASCII", "3Target:5000c290#1"),
        ("NAA", "32001020304050607"),
        ("NAA ASCII", "36000C2982B5DF41A25811B07E74971E8"),
        ("pre-SPC-3", "360060480000102030405060708090a0b"),
        ("EUI-64", "2000c290102030405"),
        ("EUI-64 ASCII", "2eui.000c290102030405"),
        ("T10 vendor", "1ATA_QEMU_HARDDISK_QM00001"),
        ("T10 vendor with blanks", "1ATA     QEMU HARDDISK   QM00001"),
        ("T10 vendor, binary", "1564d77617265202020"),
        ("vendor-specific", "0VMware  Virtual disk    e4"),
        ("serial number", "SVMware_Virtual_disk_6000c29"),
        ("serial number with blanks", "SVMware  Virtual disk   6000c29"),
    ] {
        assert_eq!(checked(&format!("'{id}'")), Ok(()), "{kind}");
    }
    let none = "3 36000c29 3par-lun1 2 2nd 20000 1 1st 1retent 0 0xyz S Storage Sda 4000c29f0c4be2a1d 9";
    none.split(' ').for_each(refused_as_moving);
    // A partition, and the UUID of a file system.
    for other in [
        "36000c2982b5df41a25811b07e74971e8-part1",
        "36000c2982b5df41a25811b07e74971e8p1",
        "1ATA_QEMU_HARDDISK_QM00001-part2",
        "3b7e1c94-35af-4d60-8f12-6e09a4c3d702",
        "2B7E1C94-35AF-4D60-8F12-6E09A4C3D702",
    ] {
        refused_as_moving(other);
    }
}
