//! The same with tools as old as CentOS 6.6's: each refuses the options that its version does not have, and mke2fs
//! asks before it takes a whole disk.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use mt_agent::facts::retention::RECORD;
use nix::mount::MsFlags;

use crate::desk::*;

const PLACE: &str = "/var/lib/old-tools";

/// Tool, its options as its own source has them, and what else it did then.
const TOOLS: [(&str, &str, &str); 4] = [
    // e2fsprogs 1.41.12.
    (
        "mkfs.ext4",
        "b:cf:g:G:i:jl:m:no:qr:s:t:vE:FI:J:KL:M:N:O:R:ST:U:V",
        "echo 'It is entire device, not just one partition!'; printf 'Proceed anyway? (y,n) '; read -r answer || exit 1
         [ \"$answer\" = y ] || exit 1",
    ),
    // xfsprogs 3.1.1: no -m, so no UUID.
    ("mkfs.xfs", "b:d:i:l:L:n:KNp:qr:s:CfV", ""),
    // util-linux-ng 2.17.2: no `-o export`.
    (
        "blkid",
        "c:f:ghlL:o:O:ps:S:t:u:U:w:v",
        "case \" $* \" in *' -o export '*) echo 'Invalid output format export.' >&2; exit 4 ;; esac",
    ),
    ("wipefs", "ahno:pV", ""),
];

/// Puts the stand-ins over the tools, for this process and what it starts.
fn old_tools() {
    for (tool, options, more) in TOOLS {
        let real = format!("{PLACE}/real/{tool}");
        let stand_in = format!("{PLACE}/{tool}");
        fs::create_dir_all(format!("{PLACE}/real")).unwrap();
        fs::copy(format!("/usr/sbin/{tool}"), &real).unwrap();
        let script = format!(
            "#!/bin/bash\necho \"{tool} $*\" >>{PLACE}/called\nwhile getopts '{options}' option; do\n    \
             if [ \"$option\" = '?' ]; then echo \"{tool} $*\" >>{PLACE}/refused; exit 1; fi\ndone\n{more}\nexec {real} \"$@\"\n"
        );
        mt_agent::host::files::replace(Path::new(&stand_in), script.as_bytes(), 0o755).unwrap();
        assert_eq!(fs::metadata(&stand_in).unwrap().permissions().mode() & 0o777, 0o755);
        let over = format!("/usr/sbin/{tool}");
        nix::mount::mount(
            Some(stand_in.as_str()),
            over.as_str(),
            None::<&str>,
            MsFlags::MS_BIND,
            None::<&str>,
        )
        .unwrap();
    }
}

fn lines(name: &str) -> Vec<String> {
    let text = fs::read_to_string(format!("{PLACE}/{name}")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn called(part: &str) -> bool {
    lines("called").iter().any(|line| line.starts_with(part))
}

#[test]
fn ext4_with_the_tools_of_centos_6() {
    isolated(module_path!(), "ext4_with_the_tools_of_centos_6", || {
        old_tools();
        crate::from_blank_to_mounted("ext4", 64 * MIB);
        fs::remove_file(RECORD).unwrap();
        let device = Loop::new(64 * MIB);
        device.write_at(1 << 20, b"old data");
        changed(format(&device, &device.erasing("ext4", &device.fingerprint())));
        assert!(called("mkfs.ext4 -q -U") && called("blkid -p -o udev /dev/") && called("wipefs -a "));
        assert_eq!(lines("refused"), [""; 0]);
    });
}

#[test]
fn xfs_gets_its_uuid_where_mkfs_cannot_give_it_one() {
    isolated(module_path!(), "xfs_gets_its_uuid_where_mkfs_cannot_give_it_one", || {
        old_tools();
        crate::from_blank_to_mounted("xfs", 512 * MIB);
        // It was asked, with no device named, and not for anything else that it lacks.
        let refused = lines("refused");
        assert_eq!(refused.len(), 1, "{refused:?}");
        assert!(refused[0].starts_with("mkfs.xfs -m uuid=") && refused[0].ends_with(" -V"), "{refused:?}");
        assert!(called("mkfs.xfs -q -L mt-"), "{:?}", lines("called"));
    });
}
