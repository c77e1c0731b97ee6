//! Tools as old as CentOS 6.6's: each refuses the options that its version does not have, and does otherwise what that
//! version was seen to do on a 2.6.32 kernel.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::mount::MsFlags;

const PLACE: &str = "/var/lib/old-tools";

/// Which wipefs of util-linux-ng 2.17.2: what each does about a partition table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wipefs {
    /// Warns, leaves it, wipes the rest, ends with status 0.
    RedHat,
    /// Wipes nothing, ends with status 1.
    Upstream,
}

/// e2fsprogs 1.41.12. It asks for a whole disk, and discards all of it before it looks at -n.
const MKE2FS: &str = r#"
printf '%s is entire device, not just one partition!\nProceed anyway? (y,n) ' "$node"
read -r answer || exit 1
[ "$answer" = y ] || exit 1
blkdiscard -f "$node" || exit 1
case " $* " in *' -n '*) exit 0 ;; esac
exec "$real" "$@"
"#;

/// xfsprogs 3.1.1: no -m, so no UUID.
const MKFS_XFS: &str = r#"exec "$real" "$@""#;

/// util-linux-ng 2.17.2: no `-o export`; what is ambivalent has status 2 and a name without its last letter.
const BLKID: &str = r#"
case " $* " in *' -o export '*) echo 'Invalid output format export.' >&2; exit 4 ;; esac
"$real" "$@" | sed 's/^ID_FS_AMBIVALENT=/ID_FS_AMBIVALEN=/'
status=${PIPESTATUS[0]}
[ "$status" = 8 ] && exit 2
exit "$status"
"#;

const WIPEFS: &str = r#"
table=$("$PLACE/real/blkid" -p -o value -s PTTYPE "$node")
WHERE_THERE_IS_A_TABLE
"$real" -t nodos,noPMBR,nogpt,nomac,nosun,nosgi,nobsd "$@" |
    sed -E 's/^.*: ([0-9]+ bytes) were erased at offset 0x0*([0-9a-f]+) \((.*)\): (.*)$/\1 [\4] erased at offset 0x\2 (\3)/'
exit "${PIPESTATUS[0]}"
"#;

const WARNS: &str =
    r#"[ -z "$table" ] || echo "wipefs: WARNING: $node: appears to contain '$table' partition table" >&2"#;
const REFUSES: &str = r#"[ -z "$table" ] || { echo "wipefs: error: $node: appears to contain '$table' partition table" >&2; exit 1; }"#;

/// These are as they are today.
const AS_IT_IS: &str = r#"exec "$real" "$@""#;

/// Puts the stand-ins over the tools, for this process and what it starts.
pub fn old_tools(wipefs: Wipefs) {
    let table = if wipefs == Wipefs::RedHat { WARNS } else { REFUSES };
    let wipefs = WIPEFS.replace("WHERE_THERE_IS_A_TABLE", table);
    // Tool, its options as its own source has them, what it does.
    let tools = [
        ("/usr/sbin/mkfs.ext4", "b:cf:g:G:i:jl:m:no:qr:s:t:vE:FI:J:KL:M:N:O:R:ST:U:V", MKE2FS),
        ("/usr/sbin/mkfs.xfs", "b:d:i:l:L:n:KNp:qr:s:CfV", MKFS_XFS),
        ("/usr/sbin/blkid", "c:f:ghlL:o:O:ps:S:t:u:U:w:v", BLKID),
        ("/usr/sbin/wipefs", "ahno:pV", &wipefs),
        ("/usr/bin/partx", "adl-:", AS_IT_IS),
        ("/usr/bin/dd", "", AS_IT_IS),
    ];
    fs::create_dir_all(format!("{PLACE}/real")).unwrap();
    for (over, options, does) in tools {
        let tool = over.rsplit('/').next().unwrap();
        let real = format!("{PLACE}/real/{tool}");
        fs::copy(over, &real).unwrap();
        let script = format!(
            r#"#!/bin/bash
PLACE={PLACE}
real={real}
echo "{tool} $*" >>$PLACE/called
if [ "$(wc -l <$PLACE/called)" = "$(cat $PLACE/kill 2>/dev/null)" ]; then kill -KILL $PPID; exit 1; fi
while getopts '{options}' option; do
    if [ "$option" = '?' ]; then echo "{tool} $*" >>$PLACE/refused; exit 1; fi
done
node=${{!#}}
{does}
"#
        );
        let stand_in = format!("{PLACE}/{tool}");
        mt_agent::host::files::replace(Path::new(&stand_in), script.as_bytes(), 0o755).unwrap();
        assert_eq!(fs::metadata(&stand_in).unwrap().permissions().mode() & 0o777, 0o755);
        let bind = MsFlags::MS_BIND;
        nix::mount::mount(Some(stand_in.as_str()), over, None::<&str>, bind, None::<&str>).unwrap();
    }
}

/// The tool itself, whether or not a stand-in lies over it.
pub fn of_today(tool: &str) -> String {
    let aside = format!("{PLACE}/real/{tool}");
    if fs::exists(&aside).unwrap() { aside } else { tool.to_owned() }
}

/// Who starts the tool with this number, counted from now, is killed before it does anything.
pub fn kill_at(number: usize) {
    for (name, content) in [("called", String::new()), ("kill", number.to_string())] {
        let path = format!("{PLACE}/{name}");
        mt_agent::host::files::replace(Path::new(&path), content.as_bytes(), 0o600).unwrap();
    }
}

pub fn kill_nobody() {
    fs::remove_file(format!("{PLACE}/kill")).unwrap();
}

pub fn lines(name: &str) -> Vec<String> {
    let text = fs::read_to_string(format!("{PLACE}/{name}")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

pub fn called(part: &str) -> bool {
    lines("called").iter().any(|line| line.starts_with(part))
}

/// That the file system was made without the option that destroys before it is looked at, and no tool was asked for what it
/// does not have.
pub fn nothing_refused() {
    assert_eq!(lines("refused"), [""; 0]);
    let dry: Vec<_> = lines("called")
        .into_iter()
        .filter(|line| line.starts_with("mkfs.ext4 ") && line.contains(" -n"))
        .collect();
    assert_eq!(dry, [""; 0]);
}
