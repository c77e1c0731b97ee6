//! What is to be mounted at boot: /etc/fstab, read as mount(8) and swapon(8) read it.

mod dialect;
mod options;

use serde::{Deserialize, Serialize};

pub use self::dialect::Dialect;
use super::{Fact, decode, kept, read};
use crate::host::{FileSystem, Host};

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
    pub fs_type: FileSystem,
    /// The options that are judged ([`kept::is_judged`]).
    pub options: Vec<String>,
    /// fsck pass; absent means 0, and so does a negative one.
    pub pass: u32,
    /// Whether it is the agent's own: below its comment, and for the mount point that this names.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ours: bool,
    /// The name of the first option that the file system does not know, so that it is not mounted at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

impl Entry {
    /// Whether the line has this option.
    pub fn has(&self, option: &str) -> bool {
        self.options.iter().any(|own| own == option)
    }

    /// Whether it mounts something other than the file system of its device ([`kept::MOUNTS_ELSE`]).
    pub fn mounts_else(&self) -> bool {
        kept::MOUNTS_ELSE.iter().any(|option| self.has(option))
    }

    /// Whether its first column is to lead to a block device.
    pub fn names_device(&self) -> bool {
        self.device.starts_with("/dev/") || self.device.contains('=')
    }
}

/// A line that looks like an entry and is none: what mounts at boot passes over it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ignored {
    /// Line number in the file, from 1.
    pub line: usize,
    /// Its first field, as that of an entry.
    pub device: String,
    /// Its second field; empty where there is none.
    pub mount_point: String,
    /// Why it is passed over.
    pub why: String,
    /// Whether the agent's comment stands above it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ours: bool,
}

/// An fstab.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fstab {
    /// What counts, in the order of the file.
    pub entries: Vec<Entry>,
    /// What does not.
    pub ignored: Vec<Ignored>,
    /// The last line that mount(8) reads, where that is not the last of the file.
    pub ends: Option<usize>,
}

/// How the comment line above the agent's own entry begins; the mount point follows. The entry is ours only as long as it
/// has that very mount point: were the comment alone enough, a person who deletes our entry and leaves the comment would
/// hand us the line below it.
pub const COMMENT: &str = "# mt-agent keeps the next line: the retention volume on ";

/// Whether one of the lines is the agent's own, be it passed over at boot.
pub fn has_ours(entries: &[Entry], ignored: &[Ignored]) -> bool {
    entries.iter().any(|entry| entry.ours) || ignored.iter().any(|line| line.ours)
}

/// The buffer of mount(8) of util-linux-ng 2.17.2 holds a line of so many bytes, its end included.
const LONGEST: usize = 4095;

/// The bad line with which mount(8) of util-linux-ng 2.17.2 stops to read (`ERR_MAX`).
const MOST_BAD: usize = 5;

const BLANKS: [char; 2] = [' ', '\t'];

/// Reads /etc/fstab.
pub fn load(host: &Host) -> Fact<Fstab> {
    Fact::from_result(read::text(host, "/etc/fstab").map(|text| parse(&text, Dialect::of(host))))
}

/// What `dialect` makes of an fstab. Blank lines and comments are neither entries nor passed over.
pub fn parse(text: &str, dialect: Dialect) -> Fstab {
    let mut fstab = Fstab::default();
    let mut above: Option<String> = None;
    let mut bad = 0;
    for (number, raw) in (1..).zip(text.split_inclusive('\n')) {
        let line = raw.strip_suffix('\n').unwrap_or(raw);
        let comment = above.take();
        above = line.trim_ascii().strip_prefix(COMMENT).map(|point| without_slash(&field(point)).to_owned());
        let blank = is_blank_or_comment(line.strip_suffix('\r').unwrap_or(line));
        let read = read_line(line, raw.len(), dialect);
        match &read {
            Err(Bad { ends: true, .. }) => _ = fstab.ends.get_or_insert(number),
            _ if blank => {
                fstab.ignored.extend(commented_out(line, number, comment.as_deref()));
                continue;
            }
            Err(_) => {
                bad += 1;
                if dialect == Dialect::UtilLinuxNg && bad == MOST_BAD {
                    fstab.ends.get_or_insert(number);
                }
            }
            Ok(_) => {}
        }
        let known = first_four(line);
        let ours = comment.is_some_and(|point| point == without_slash(&field(known[1])));
        let read = match (read, fstab.ends) {
            // swapon(8) and systemd read on where mount(8) does not.
            _ if known[2] == "swap" && !blank => Ok(loosely(line)),
            (Ok(_), Some(end)) if end < number => {
                Err(Bad::line(format!("mount(8) of CentOS 6 reads no further than the bad line {end}")))
            }
            (Ok(fields), _) if fields.names[2] == "swap" => {
                Err(Bad::line("a carriage return is a part of its type to swapon(8)"))
            }
            (read, _) => read,
        };
        match read {
            Ok(fields) => fstab.entries.push(Entry { ours, ..fields.entry(number, dialect) }),
            Err(_) if blank => {}
            Err(Bad { why, .. }) => fstab.ignored.push(Ignored {
                line: number,
                device: kept::source(field(known[0])),
                mount_point: field(known[1]),
                why,
                ours,
            }),
        }
    }
    fstab
}

/// Why a line of ours is passed over before which a person put a `#`.
pub const COMMENTED_OUT: &str = "it is commented out";

/// The agent's own entry for `point`, which a person has made a comment.
fn commented_out(line: &str, number: usize, point: Option<&str>) -> Option<Ignored> {
    let entry = line.trim_start_matches(BLANKS).strip_prefix('#')?.trim_start_matches(['#', ' ', '\t']);
    let [device, mount_point, ..] = first_four(entry).map(field);
    (point? == without_slash(&mount_point)).then(|| Ignored {
        line: number,
        device: kept::source(device),
        mount_point,
        why: COMMENTED_OUT.to_owned(),
        ours: true,
    })
}

/// Why a line is no entry.
struct Bad {
    /// Whether nothing after it is read.
    ends: bool,
    why: String,
}

impl Bad {
    fn line(why: impl Into<String>) -> Self {
        Self { ends: false, why: why.into() }
    }
}

/// The fields of an entry, as they are written.
struct Fields<'a> {
    /// Device, mount point, type, options.
    names: [&'a str; 4],
    pass: i32,
}

impl Fields<'_> {
    /// The entry of a line that the agent did not write.
    fn entry(&self, line: usize, dialect: Dialect) -> Entry {
        let [device, mount_point, fs_type, options] = self.names.map(field);
        let all: Vec<&str> = split_options(&options).collect();
        let refused = options::refused(&fs_type, &all, dialect);
        let (device, options) = (kept::source(device), kept::options(all));
        let pass = self.pass.max(0).unsigned_abs();
        Entry { line, device, mount_point, fs_type: fs_type.into(), options, pass, ours: false, refused }
    }
}

fn is_blank_or_comment(line: &str) -> bool {
    let line = line.trim_start_matches(BLANKS);
    line.is_empty() || line.starts_with('#')
}

/// A line as mount(8) reads it; `length` is that of the line with its end, in bytes.
fn read_line(line: &str, length: usize, dialect: Dialect) -> Result<Fields<'_>, Bad> {
    let old = dialect == Dialect::UtilLinuxNg;
    // Its last line may lack the end, for which there is room all the same.
    if old && length + usize::from(length == line.len()) > LONGEST {
        let why = format!("it is longer than {LONGEST} bytes, and mount(8) of CentOS 6 reads no further");
        return Err(Bad { ends: true, why });
    }
    if line.contains('\0') {
        return Err(Bad { ends: old, why: "it has a NUL byte".to_owned() });
    }
    let without_return = line.strip_suffix('\r').unwrap_or(line);
    let names = first_four(without_return);
    if names[1].is_empty() || names[2].is_empty() {
        return Err(Bad::line("it has no mount point or no type"));
    }
    if !old && without_return.len() < line.len() && fields_of(without_return).nth(4).is_none() {
        return Err(Bad::line("a carriage return is a part of its last field to systemd"));
    }
    let mut numbers = [0; 2];
    for ((number, what), text) in
        numbers.iter_mut().zip(["dump", "pass"]).zip(fields_of(without_return).skip(4))
    {
        *number = number_of(text, dialect).ok_or_else(|| {
            Bad::line(if text.starts_with('#') {
                format!("a comment stands where the {what} number is expected")
            } else {
                format!(
                    "what stands where the {what} number is expected is none (a blank among the options?)"
                )
            })
        })?;
    }
    Ok(Fields { names, pass: numbers[1] })
}

/// A line as glibc's getmntent(3) reads it: what is no number is 0.
fn loosely(line: &str) -> Fields<'_> {
    Fields { names: first_four(line), pass: 0 }
}

/// A number as atoi(3) and strtol(3) make it; libmount's strtol(3) takes a sign, and passes over blanks of other kinds.
fn number_of(text: &str, dialect: Dialect) -> Option<i32> {
    let text = match dialect {
        Dialect::UtilLinuxNg => text,
        Dialect::Libmount => text.trim_start_matches(['\u{b}', '\u{c}', '\r']),
    };
    let (is_negative, digits) = match text.strip_prefix('-') {
        _ if dialect == Dialect::UtilLinuxNg => (false, text),
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value: i64 = digits.parse().unwrap_or(i64::MAX);
    let value = if is_negative { -value } else { value };
    // An int holds the lower half.
    let [a, b, c, d, ..] = value.to_le_bytes();
    Some(i32::from_le_bytes([a, b, c, d]))
}

fn fields_of(line: &str) -> impl Iterator<Item = &str> {
    line.split(BLANKS).filter(|field| !field.is_empty())
}

/// The first four fields; those that are missing are empty.
fn first_four(line: &str) -> [&str; 4] {
    let mut fields = fields_of(line);
    std::array::from_fn(|_| fields.next().unwrap_or_default())
}

/// A field, decoded; a byte of zero ends it, as C has it.
fn field(text: &str) -> String {
    let mut decoded = decode::octal(text);
    decoded.truncate(decoded.find('\0').unwrap_or(decoded.len()));
    decoded
}

fn without_slash(mount_point: &str) -> &str {
    let short = mount_point.trim_end_matches('/');
    if short.is_empty() { mount_point } else { short }
}

/// Options stand between commas; an SELinux context in quotes has commas of its own.
fn split_options(options: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let parts = options.split(move |c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    parts.filter(|option| !option.is_empty())
}

#[cfg(test)]
#[path = "fstab/tests.rs"]
mod tests;
