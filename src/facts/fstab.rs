//! What is to be mounted at boot: /etc/fstab.

use serde::{Deserialize, Serialize};

use super::{Fact, decode, kept, read};
use crate::host::Host;

/// One entry; octal escapes are decoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Line number in the file, from 1.
    pub line: usize,
    /// Device, `UUID=…` or `LABEL=…`; of another machine's without its user ([`kept`]).
    pub device: String,
    /// Where; `none` or `swap` for swap.
    pub mount_point: String,
    /// File system type.
    pub fs_type: String,
    /// The options that are judged ([`kept::is_judged`]).
    pub options: Vec<String>,
    /// fsck pass; absent means 0.
    pub pass: u32,
    /// Whether it is the agent's own: below its comment, and for the mount point that this names.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ours: bool,
}

/// How the comment line above the agent's own entry begins; the mount point follows. The entry is ours only as long as it
/// has that very mount point: were the comment alone enough, a person who deletes our entry and leaves the comment would
/// hand us the line below it.
pub const COMMENT: &str = "# mt-agent keeps the next line: the retention volume on ";

/// Reads /etc/fstab.
#[must_use]
pub fn load(host: &Host) -> Fact<Vec<Entry>> {
    Fact::from_result(read::text(host, "/etc/fstab").map(|text| parse(&text)))
}

/// The entries of an fstab. A line that does not say where is none: mount passes over it as well. Trailing
/// fields may be missing.
#[must_use]
pub fn parse(text: &str) -> Vec<Entry> {
    let mut above = None;
    let mut entries = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(mut entry) = entry(index + 1, line) {
            entry.ours = above == Some(without_slash(&entry.mount_point).to_owned());
            entries.push(entry);
        }
        let named = line.trim_ascii().strip_prefix(COMMENT);
        above = named.map(|mount_point| without_slash(&decode::octal(mount_point)).to_owned());
    }
    entries
}

fn without_slash(mount_point: &str) -> &str {
    let short = mount_point.trim_end_matches('/');
    if short.is_empty() { mount_point } else { short }
}

fn entry(line: usize, text: &str) -> Option<Entry> {
    let mut fields = text.split([' ', '\t', '\r']).filter(|field| !field.is_empty());
    let device = fields.next().filter(|device| !device.starts_with('#'))?;
    let mount_point = fields.next().filter(|field| !field.starts_with('#'))?;
    let mut rest = fields.take_while(|field| !field.starts_with('#'));
    let (fs_type, options) = (rest.next().unwrap_or_default(), rest.next().unwrap_or_default());
    let pass = rest.nth(1).and_then(|pass| pass.parse().ok()).unwrap_or_default();
    Some(Entry {
        line,
        device: kept::source(decode::octal(device)),
        mount_point: decode::octal(mount_point),
        fs_type: decode::octal(fs_type),
        options: kept::options(split_options(&decode::octal(options))),
        pass,
        ours: false,
    })
}

/// Options stand between commas; an SELinux context in quotes has commas of its own.
fn split_options(options: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    options.split(move |c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

    const EL6: &str = "
#
# /etc/fstab
UUID=3e6be9de-8139-11d1-9106-a43f08d823a6 /                       ext4    defaults        1 1
UUID=\"9f2f\"\t/home\text4\tdefaults,context=\"a:b,auto\",noatime,ro\t1 2 # ours
  # indented
LABEL=my\\040swap swap swap
/dev/mapper/36000c2982b5df41a25811b07e74971e8 /mnt/a\\040b ext4 rw 0 0
lonely
tmpfs /dev/shm # nothing more
";

    #[test]
    fn comments_escapes_and_missing_fields_are_understood() {
        let entries = parse(EL6);
        let lines: Vec<_> = entries.iter().map(|entry| (entry.line, entry.mount_point.as_str())).collect();
        assert_eq!(lines, [(4, "/"), (5, "/home"), (7, "swap"), (8, "/mnt/a b"), (10, "/dev/shm")]);
        assert_eq!(entries[1].options, ["defaults", "ro"]);
        assert_eq!((entries[0].pass, entries[1].pass, entries[2].pass, entries[3].pass), (1, 2, 0, 0));
        assert_eq!((entries[2].device.as_str(), entries[2].options.len()), ("LABEL=my swap", 0));
        assert_eq!(entries[4].fs_type, "");
        testing::damage(EL6, |text| drop(parse(text)));
    }

    #[test]
    fn only_what_is_judged_is_kept() {
        for options in [
            "rw,user=me,pass=Hidden",
            "password=a,Hidden,noauto",
            "password=\"a,Hidden",
            "username=me%Hidden",
            "credentials=/root/Hidden,_netdev",
            "rw,password=a\\040Hidden",
            "ro,context=\"Hidden,x\"",
            "key=Hidden,sec=ntlm",
        ] {
            for device in ["//me:Hidden@server/x", "https://me:Hidden@server/", "//server/x", "a:Hidden@b:/x"]
            {
                let told = format!("{:?}", parse(&format!("{device} /y cifs {options} 0 0\n")));
                assert!(!told.contains("Hidden") && told.contains("/y"), "{told}");
            }
        }
        let entry = &parse("//s/x /y cifs noatime,noauto,ro,password=a,_netdev,bind 0 2\n")[0];
        assert_eq!((entry.options.join(","), entry.pass), ("noauto,ro,_netdev,bind".to_owned(), 2));
    }

    #[test]
    fn the_agent_s_own_entry_is_the_one_below_its_comment_with_its_mount_point() {
        let entry = "/dev/mapper/36 /mnt/a\\040b/ ext4 rw 0 0\n";
        let ours = |text: &str| parse(text).iter().map(|entry| entry.ours).collect::<Vec<_>>();
        let comment = format!("{COMMENT}/mnt/a\\040b\n");
        assert_eq!(ours(&format!("{entry}{comment}{entry}{entry}")), [false, true, false]);
        for between in ["\n", "# a person's\n", "/dev/sdb /data ext4 rw 0 0\n"] {
            assert!(!ours(&format!("{comment}{between}{entry}")).contains(&true), "{between:?}");
        }
    }

    #[test]
    fn a_missing_fstab_is_unknown() {
        let dir = testing::tree(&[]);
        let Fact::Unknown(why) = load(&Host::image(dir.path())) else { panic!() };
        assert!(why.starts_with("reading /etc/fstab: No such file"), "{why}");
    }
}
