//! What is kept of the options and sources of file systems: what is judged. The rest may be a password
//! (`pass=`, `username=user%password`, `//user:password@server`), and no one needs it.

use crate::host::text;

/// The options that are judged, or that our own line in fstab has.
const JUDGED: [&str; 7] = ["defaults", "rw", "ro", "auto", "noauto", "nofail", "_netdev"];

/// The options with which a line of fstab mounts something other than the file system of its device. Those of a loop device ask for
/// one by themselves (`loop_check` in mount.c of util-linux-ng 2.17.2).
pub const MOUNTS_ELSE: [&str; 7] = ["bind", "rbind", "remount", "loop", "offset", "sizelimit", "encryption"];

/// Likewise: with it the journal of a file system holds what was taken out of its files.
const JUDGED_VALUES: [&str; 3] = ["data=journal", "data=ordered", "data=writeback"];

/// How a device is named by what it carries.
const TAGS: [&str; 5] = ["UUID=", "LABEL=", "PARTUUID=", "PARTLABEL=", "ID="];

/// Whether the option is one that is kept.
pub fn is_judged(option: &str) -> bool {
    JUDGED.contains(&option) || MOUNTS_ELSE.contains(&option) || JUDGED_VALUES.contains(&option)
}

/// The options that are kept, in their order; of some the name alone.
pub(crate) fn options<'a>(options: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let name = |option: &'a str| {
        let name = option.split('=').next().unwrap_or_default();
        if MOUNTS_ELSE.contains(&name) { name } else { option }
    };
    options.into_iter().map(name).filter(|option| is_judged(option)).map(str::to_owned).collect()
}

/// What stands for what is not kept.
const HIDDEN: &str = "***";

/// A device, `UUID=…`, a path or a name as it is; of what another machine serves, and of what a program of its own mounts, the
/// place alone: host and directory, which tell a person what it is. The rest may be a password wherever it stands
/// (`https://server/TOKEN`, `:sftp,user=x,pass=y:/`, `remote,pass=x:`), also behind a path (`/usr/bin/sshfs#me:password@server`).
pub(crate) fn source(source: String) -> String {
    let word =
        |source: &str| source.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if TAGS.iter().any(|tag| source.starts_with(tag)) || word(&source) {
        return source;
    }
    if !source.starts_with('/') || source.starts_with("//") {
        return remote(&source);
    }
    // A carriage return at its end is judged. Of the names that udev makes, these are all (`whitelisted_char_ok` of its util.c); others it escapes.
    let marks = if source.starts_with("/dev/") { "/#+-.:=@_\\~\r" } else { "/+-.@_~ \r" };
    let kept = leading(&source, marks);
    let hidden = if kept.len() == source.len() { "" } else { HIDDEN };
    text::without_secrets(&format!("{kept}{hidden}"))
}

/// The beginning of `text` that consists of letters, digits and `marks`.
fn leading<'a>(text: &'a str, marks: &str) -> &'a str {
    let end = text.find(|c: char| !c.is_alphanumeric() && !marks.contains(c));
    &text[..end.unwrap_or(text.len())]
}

/// `HOST:/DIRECTORY`, `//HOST/SHARE`, `SCHEME://HOST:PORT`, and no more than that of anything else.
fn remote(source: &str) -> String {
    let (user, place) = match source.rsplit_once('@') {
        // It may stand in a value.
        Some(_) if source.contains(['=', '\'', '"', '?']) => return HIDDEN.to_owned(),
        Some((_, place)) => ("***@", place),
        None => ("", source),
    };
    let plain = leading(place, "-_./:+~[]");
    let is_url = source.contains("://");
    // Behind the scheme, and an address in brackets.
    let scheme = plain.find("://").map_or(0, |at| at + 3);
    let host = if plain[scheme..].starts_with('[') { plain.find(']').unwrap_or(plain.len()) } else { scheme };
    let mut end = plain.len();
    if is_url {
        end = plain[host..].find('/').map_or(end, |at| host + at);
    }
    if let Some(colon) = plain[host..end].find(':').map(|at| host + at) {
        let behind = &plain[colon + 1..end];
        end = colon + 1;
        if behind.starts_with('/') || (is_url && behind.bytes().all(|byte| byte.is_ascii_digit())) {
            end += behind.find(':').unwrap_or(behind.len());
        }
    }
    let hidden = if end == place.len() { "" } else { HIDDEN };
    format!("{user}{}{hidden}", &plain[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_keeps_its_place_and_no_user() {
        for (given, kept) in [
            ("/dev/mapper/vg-root@snap", "/dev/mapper/vg-root@snap"),
            ("UUID=3e6be9de-8139-11d1-9106-a43f08d823a6", "UUID=3e6be9de-8139-11d1-9106-a43f08d823a6"),
            ("LABEL=my swap", "LABEL=my swap"),
            ("tmpfs", "tmpfs"),
            ("", ""),
            (
                "/dev/disk/by-path/pci-0000:00:10.0-scsi-0:0:1:0",
                "/dev/disk/by-path/pci-0000:00:10.0-scsi-0:0:1:0",
            ),
            ("/dev/disk/by-label/a\\x20b", "/dev/disk/by-label/a\\x20b"),
            ("/srv/my files/été.img", "/srv/my files/été.img"),
            ("/usr/bin/sshfs#me:Hidden@server:/", "/usr/bin/sshfs***"),
            ("/usr/bin/rclone:sftp,pass=Hidden:/", "/usr/bin/rclone***"),
            ("/srv/x,password=Hidden", "/srv/x***"),
            ("/dev/fuse?pass=Hidden", "/dev/fuse***"),
            ("/dev/x,y", "/dev/x***"),
            ("fs01:/export/home", "fs01:/export/home"),
            ("[fe80::1]:/export/home", "[fe80::1]:/export/home"),
            ("//server/share", "//server/share"),
            ("pool/data", "pool/data"),
            ("//user:p@ss/w,d@server/share", "***@server/share"),
            ("https://user:pass@server/dav", "***@server***"),
            ("https://user:Hidden", "https://user:***"),
            ("https://server/dav?sig=abc", "https://server***"),
            ("https://server:8443/Hidden", "https://server:8443***"),
            ("https://[fe80::1]:8443", "https://[fe80::1]:8443"),
            ("https://server/x?sig=a@Hidden", "***"),
            ("curlftpfs#ftp://user:pass@server/", "***@server***"),
            ("sshfs#host:/x", "sshfs***"),
            ("me@server:/home", "***@server:/home"),
            ("remote:Hidden", "remote:***"),
            ("rclone:remote:Hidden", "rclone:***"),
            (":sftp,user=me,pass=Hidden:/dir", ":***"),
            ("remote,pass=Hidden:dir", "remote***"),
            (":webdav,url='https://h',pass=a@Hidden:/x", "***"),
            ("user%Hidden", "user***"),
            ("me@fsid.name=/Hidden", "***"),
            ("mon1,mon2:/", "mon1***"),
        ] {
            assert_eq!(source(given.to_owned()), kept);
        }
    }
}
