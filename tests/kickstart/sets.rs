//! Sets of answers out of a seed: each a profile, options, and what the installer has to make of them.

use std::path::Path;

use serde_json::{Value, json};

/// SplitMix64: the same numbers from the same seed, on every machine.
pub struct Dice(pub u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn even(&mut self) -> bool {
        self.below(2) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}

/// One set.
pub struct Set {
    /// The profile file.
    pub yaml: String,
    /// The verb's options, without that for the hash.
    pub options: Vec<String>,
    /// The hash file.
    pub hash: String,
    /// What the parser has to understand, the scripts aside.
    pub wanted: Value,
    /// Whether it has an agent to install.
    pub has_agent: bool,
}

impl Set {
    /// The whole command line, with the profile and the hash in these files.
    pub fn args(&self, profile: &Path, hash: &Path) -> Vec<String> {
        let (profile, hash) = (profile.display(), hash.display());
        let mut args: Vec<String> = ["kickstart", "--allow-unsafe-profile"].map(Into::into).to_vec();
        args.extend([format!("--profile={profile}"), format!("--root-hash-file={hash}")]);
        args.extend(self.options.iter().cloned());
        args
    }
}

/// What may stand in the profile, or in an option instead.
struct Answers<'a> {
    dice: &'a mut Dice,
    installation: serde_json::Map<String, Value>,
    options: Vec<String>,
}

impl Answers<'_> {
    fn put(&mut self, key: &str, value: impl Into<Value>) {
        self.installation.insert(key.into(), value.into());
    }

    /// In the profile, or by the option of that name, which then counts more than what the profile says.
    fn either(&mut self, key: &str, value: &str, other: &str) {
        match self.dice.below(3) {
            0 => self.put(key, value),
            1 => self.options.push(format!("--{key}={value}")),
            _ => {
                self.put(key, other);
                self.options.push(format!("--{key}={value}"));
            }
        }
    }
}

fn netmask(prefix: u64) -> String {
    let octet = |number: u64| 256 - (1_u64 << (8 - prefix.saturating_sub(8 * number).min(8)));
    (0..4).map(|number| octet(number).to_string()).collect::<Vec<_>>().join(".")
}

fn hash(dice: &mut Dice) -> String {
    const LETTERS: &[u8] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut word = |length: u64| (0..length).map(|_| char::from(dice.pick(LETTERS))).collect::<String>();
    let (salt, long, middle, short) = (word(8), word(86), word(43), word(22));
    match dice.below(4) {
        0 => format!("$6$rounds=100000${salt}${long}"),
        1 => format!("$5${salt}${middle}"),
        2 => format!("$1${salt}${short}"),
        _ => format!("$6${salt}${long}"),
    }
}

/// The set of this seed.
pub fn set(seed: u64) -> Set {
    let mut dice = Dice(seed);
    let dice = &mut dice;
    let zone = dice.pick(&["Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+3"]);
    let lang = dice.pick(&["en_US.UTF-8", "de_DE.UTF-8", "ja_JP.UTF-8", "fr_FR@euro", "pt_BR"]);
    let keyboard = dice.pick(&["us", "de-latin1-nodeadkeys", "fr-latin9", "ANSI-dvorak"]);
    let tree = dice.pick(&["", "http://vault.centos.org/6.6/os/x86_64", "https://m.example:8443/c%206/~x/"]);
    let disk = dice.pick(&[
        "sda",
        "sdb",
        "/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:0:0",
        "/dev/disk/by-id/scsi-36000c29f0c4be2a1d0a7b9d3c2e1f405",
    ]);
    let place = dice.pick(&["mbr", "partition"]);
    let finish = dice.pick(&["reboot", "poweroff"]);
    let (has_swap, is_static, ipv6) = (dice.even(), dice.even(), dice.even());
    let interface = dice.pick(&["eth0", "link", "00:50:56:ab:cd:ef"]);
    let hostname = dice.pick(&["mt1", "mt1.example.com", "A-1.b-2.c3", "3com.example"]);
    let port = dice.pick(&[9443, 9080]);

    let mut mounts = vec![("/", dice.pick(&["ext4", "ext3"]))];
    for mount in ["/boot", "/var/crash", "/home", "/data.1/a_b", "/srv/=x~y@%"] {
        if dice.even() {
            mounts.push((mount, dice.pick(&["ext2", "ext3", "ext4"])));
        }
    }
    let sizes: Vec<u64> = mounts
        .iter()
        .map(|(mount, _)| if *mount == "/" { 4096 + dice.below(20_000) } else { 100 + dice.below(5000) })
        .collect();
    let grow = dice.even().then(|| dice.pick(&mounts).0);
    let swap = 100 + dice.below(8000);
    let hash = hash(dice);

    let mut answers = Answers { dice, installation: serde_json::Map::new(), options: Vec::new() };
    answers.put("language", lang);
    answers.put("keyboard", keyboard);
    answers.put("source", if tree.is_empty() { "cdrom" } else { tree });
    answers.either("disk", disk, "sdz");
    answers.put("boot-loader", place);
    let listed: Vec<_> = mounts
        .iter()
        .zip(&sizes)
        .map(|((mount, _), size)| json!({"mount": mount, "size": format!("{size} MB")}))
        .collect();
    answers.put("sizes", listed);
    answers.put("grow", grow);
    answers.put("swap", format!("{swap} MB"));
    answers.put("network", if is_static { "static" } else { "dhcp" });
    answers.put("interface", interface);
    answers.either("hostname", hostname, "other");
    answers.put("ipv6", ipv6);
    answers.put("finish", finish);
    let agent = match answers.dice.below(4) {
        0 => None,
        1 => Some(("http://10.9.8.7/mt-agent-0.1.0-1.x86_64.rpm", true)),
        2 if tree.is_empty() => Some(("/mnt/source/extra/mt-agent.rpm", false)),
        _ => Some(("https://packages.example:8443/~a/mt-agent.rpm", false)),
    };
    if let Some((place, pinned)) = agent {
        answers.put("agent", place);
        if pinned || answers.dice.even() {
            answers.put("agent-sha256", "0123456789abcdef".repeat(4));
        }
    }
    let addresses = is_static.then(|| {
        let prefix = 8 + answers.dice.below(23);
        let (address, gateway) = ("10.20.30.42".to_owned(), "10.20.30.41".to_owned());
        answers.either("address", &format!("{address}/{prefix}"), "192.0.2.1/24");
        answers.either("gateway", &gateway, "192.0.2.2");
        let dns = ["10.1.1.1", "10.1.1.2", "10.1.1.3"];
        let dns = &dns[..usize::try_from(1 + answers.dice.below(3)).unwrap()];
        if answers.dice.even() {
            answers.put("dns", dns);
        } else {
            answers.put("dns", ["192.0.2.3"].as_slice());
            answers.options.extend(dns.iter().map(|server| format!("--dns={server}")));
        }
        [address, netmask(prefix), gateway, dns.join(",")]
    });
    let [address, mask, gateway, dns] = addresses.unwrap_or_default();

    let Answers { installation, options, .. } = answers;
    let layout = mounts.iter().map(|(mount, kind)| json!({"mount": mount, "type": kind}));
    let yaml = json!({
        "extends": "centos-6.6",
        "os": {"timezone": zone},
        "layout": {"partitions": layout.collect::<Vec<_>>(), "swap": has_swap},
        "site": {"process-server": {"address": "ps", "port": port}},
        "installation": installation,
    });
    let disk = disk.trim_start_matches("/dev/");
    let mut partitions: Vec<_> = mounts
        .iter()
        .zip(&sizes)
        .map(|((mount, kind), size)| json!([mount, kind, size, grow == Some(mount), disk]))
        .collect();
    if has_swap {
        partitions.push(json!(["swap", "", swap, false, disk]));
    }
    let wanted = json!({
        "lang": lang,
        "keyboard": keyboard,
        "zone": [zone, true],
        "method": if tree.is_empty() { json!(["cdrom", null]) } else { json!(["url", tree]) },
        "root": [hash, true],
        "only": [disk],
        "zeroed": true,
        "cleared": [[disk], true],
        "boot_loader": [place, "crashkernel=auto"],
        "autopart": false,
        "logical": 0,
        "partitions": partitions,
        "network": [interface, if is_static { "static" } else { "dhcp" }, address, mask, gateway, dns, hostname, !ipv6, true],
        "firewall": [true, ["ssh"], [format!("{port}:tcp")]],
        "finish": if finish == "reboot" { 1 } else { 2 },
        "packages": [false, ["core"], []],
    });
    Set { yaml: yaml.to_string(), options, hash: hash + "\n", wanted, has_agent: agent.is_some() }
}
