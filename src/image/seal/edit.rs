//! Texts without what names a machine. All other bytes stay as they were.

mod settings;

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use crate::facts::fstab::{self, Dialect};

pub use settings::{with_value, without_keys, without_options};

/// The lines of `text`, each with its end.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|byte| *byte == b'\n')
}

/// A hosts file without these names, and without others whose first part is one of them; an address that is left without a
/// name goes with them.
pub fn without_names(hosts: &[u8], names: &[String]) -> Vec<u8> {
    let mut out = Vec::with_capacity(hosts.len());
    for line in lines(hosts) {
        let end = line.iter().position(|byte| *byte == b'#').unwrap_or(line.len());
        let words = words(&line[..end]);
        let is_ours = |word: &Range<usize>| {
            std::str::from_utf8(&line[word.clone()]).is_ok_and(|word| {
                let short = word.split('.').next().unwrap_or_default();
                names.iter().any(|name| name.eq_ignore_ascii_case(word) || name.eq_ignore_ascii_case(short))
            })
        };
        let (ours, others): (Vec<_>, Vec<_>) = words.into_iter().skip(1).partition(is_ours);
        if ours.is_empty() {
            out.extend_from_slice(line);
        } else if !others.is_empty() {
            let mut at = 0;
            for word in ours {
                // With a name goes the blank before it.
                let blank = line[..word.start].iter().rposition(|byte| !byte.is_ascii_whitespace());
                let from = blank.map_or(0, |last| last + 1).max(at);
                out.extend_from_slice(&line[at..from]);
                at = word.end;
            }
            out.extend_from_slice(&line[at..]);
        }
    }
    out
}

/// Where the words of a line are.
fn words(line: &[u8]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, byte) in line.iter().enumerate().filter(|(_, byte)| !byte.is_ascii_whitespace()) {
        let _ = byte;
        match found.last_mut() {
            Some(word) if word.end == at => word.end = at + 1,
            _ => found.push(at..at + 1),
        }
    }
    found
}

/// An fstab without the entries that are mounted at `mount_point`, however that is written, and without the comment that makes
/// one ours.
pub fn without_mount(fstab: &[u8], mount_point: &str, comment: &str) -> Vec<u8> {
    // A line that is passed over at boot names the disk of the template as well.
    let read = fstab::parse(&String::from_utf8_lossy(fstab), Dialect::UtilLinuxNg);
    let entries = read.entries.iter().map(|entry| (entry.line, &entry.mount_point));
    let all = entries.chain(read.ignored.iter().map(|line| (line.line, &line.mount_point)));
    // Paths are compared by their components: `//` and a slash at the end say nothing.
    let there = |(_, point): &(usize, &String)| Path::new(point) == Path::new(mount_point);
    let gone: BTreeSet<usize> = all.filter(there).map(|(line, _)| line).collect();
    let ours = |line: &[u8]| line.trim_ascii_start().starts_with(comment.as_bytes());
    let kept = |(index, line): &(usize, &[u8])| !gone.contains(&(index + 1)) && !ours(line);
    lines(fstab).enumerate().filter(kept).flat_map(|(_, line)| line).copied().collect()
}

/// `text` with each `id` in it replaced, wherever it stands as a word of its own.
pub fn with_id_replaced(text: &[u8], id: &str, by: &str) -> Vec<u8> {
    let part_of_word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let whole = rest.len() >= id.len()
            && rest[..id.len()].eq_ignore_ascii_case(id.as_bytes())
            && !part_of_word(rest.get(id.len()))
            && !(at > 0 && part_of_word(text.get(at - 1)));
        if whole && !id.is_empty() {
            out.extend_from_slice(by.as_bytes());
            at += id.len();
        } else {
            out.push(text[at]);
            at += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_hosts_file_loses_a_name_and_no_other() {
        let names = ["mt01.example".to_owned(), "mt01".to_owned()];
        let hosts = b"127.0.0.1   localhost mt01\n10.0.0.2\tMT01.example mt01 # me mt01\n10.0.0.3 cs mt01.example other\n::1 x";
        assert_eq!(text(without_names(hosts, &names)), "127.0.0.1   localhost\n10.0.0.3 cs other\n::1 x");
        let other = without_names(b"10.0.0.2 mt01.example.com mt01\n10.0.0.3 mt010\n", &names[1..]);
        assert_eq!(text(other), "10.0.0.3 mt010\n", "in whatever domain");
        let plain = b"10.0.0.9 mt010 amt01 # mt01\n#10.0.0.2 mt01\n\xff\n";
        assert_eq!(without_names(plain, &names), plain);
    }

    #[test]
    fn fstab_loses_the_retention_volume_and_its_comment() {
        let fstab = b"/dev/sda1 / ext4 defaults 1 1\n# mt-agent keeps: /mnt/retention\n/dev/mapper/36 /mnt/retention ext4 rw 0 0\n/dev/sdc1 /mnt/retention2 ext4 rw 0 0\n#/dev/sdd /mnt/retention ext4\n";
        let after = text(without_mount(fstab, "/mnt/retention", "# mt-agent keeps: "));
        assert_eq!(
            after,
            "/dev/sda1 / ext4 defaults 1 1\n/dev/sdc1 /mnt/retention2 ext4 rw 0 0\n#/dev/sdd /mnt/retention ext4\n"
        );
    }

    #[test]
    fn a_line_that_is_passed_over_at_boot_goes_too() {
        let fstab = b"/dev/sda1 / ext4 rw 1 1\n/dev/mapper/36 /mnt/retention ext4 rw # of the template\n";
        assert_eq!(text(without_mount(fstab, "/mnt/retention", "#mine")), "/dev/sda1 / ext4 rw 1 1\n");
    }

    #[test]
    fn a_mount_point_is_compared_as_mount_reads_it() {
        for written in ["/mnt//a\\040b", "//mnt/a\\040b/", "/mnt/./a\\040b", "\t/mnt/a\\040b//"] {
            let fstab = format!("/dev/sda1 / ext4 rw 1 1\n/dev/sdb1 {written} ext4 rw 0 0\n");
            let after = text(without_mount(fstab.as_bytes(), "/mnt/a b", "#mine"));
            assert_eq!(after, "/dev/sda1 / ext4 rw 1 1\n", "{written}");
        }
        let other =
            b"/dev/sdb1 /mnt/a\\040bc ext4 rw 0 0\n/dev/sdc1 /mnt/a ext4\n# /dev/x /mnt/a\\040b ext4\n";
        assert_eq!(without_mount(other, "/mnt/a b", "#mine"), other);
    }

    #[test]
    fn an_id_is_replaced_as_a_word() {
        let conf = b"wwid \"^36000C29a$\"\nwwid 36000c29ab\nx=136000c29a 36000c29a";
        assert_eq!(
            text(with_id_replaced(conf, "36000c29a", "30")),
            "wwid \"^30$\"\nwwid 36000c29ab\nx=136000c29a 30"
        );
        assert_eq!(with_id_replaced(b"abc", "", "x"), b"abc");
    }
}
