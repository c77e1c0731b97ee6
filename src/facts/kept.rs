//! What is kept of the options and sources of file systems: what is judged. The rest may be a password
//! (`pass=`, `username=user%password`, `//user:password@server`), and no one needs it.

use crate::host::text;

/// The options that are judged, or that our own line in fstab has.
const JUDGED: [&str; 12] = [
    "defaults", "rw", "ro", "auto", "noauto", "nofail", "_netdev", "bind", "rbind", "remount", "loop",
    "offset",
];

/// Likewise: with it the journal of a file system holds what was taken out of its files.
const JUDGED_VALUES: [&str; 3] = ["data=journal", "data=ordered", "data=writeback"];

/// How a device is named by what it carries.
const TAGS: [&str; 5] = ["UUID=", "LABEL=", "PARTUUID=", "PARTLABEL=", "ID="];

/// Whether the option is one that is kept.
#[must_use]
pub fn is_judged(option: &str) -> bool {
    JUDGED.contains(&option) || JUDGED_VALUES.contains(&option)
}

/// Those whose name is judged, whatever their value.
const JUDGED_NAMES: [&str; 2] = ["loop=", "offset="];

/// The options that are kept, in their order; of some the name alone.
pub(crate) fn options<'a>(options: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let name = |option: &'a str| match JUDGED_NAMES.iter().any(|name| option.starts_with(name)) {
        true => option.split('=').next().unwrap_or_default(),
        false => option,
    };
    options.into_iter().map(name).filter(|option| is_judged(option)).map(str::to_owned).collect()
}

/// A device, `UUID=…`, a path or a name as it is; of what another machine serves nothing that could be a password.
pub(crate) fn source(source: String) -> String {
    let is_path = source.starts_with('/') && !source.starts_with("//");
    let is_tag = TAGS.iter().any(|tag| source.starts_with(tag));
    if is_path || is_tag || source.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    {
        return source;
    }
    let place = match source.rfind('@') {
        Some(at) => format!("***{}", &source[at..]),
        None => source,
    };
    text::without_secrets(place.split(['?', '#', ';']).next().unwrap_or_default())
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
            ("fs01:/export/home", "fs01:/export/home"),
            ("//server/share", "//server/share"),
            ("//user:p@ss/w,d@server/share", "***@server/share"),
            ("https://user:pass@server/dav", "***@server/dav"),
            ("https://server/dav?sig=abc", "https://server/dav"),
            ("curlftpfs#ftp://user:pass@server/", "***@server/"),
            ("me@server:/home", "***@server:/home"),
        ] {
            assert_eq!(source(given.to_owned()), kept);
        }
    }
}
