//! The entry that the boot loader of CentOS 6 starts by itself: /boot/grub/grub.conf, read as GRUB 0.97 reads it.
//!
//! Its stage2/cmdline.c (`skip_to`, `find_command`) and stage2/stage2.c (`get_line_from_config`, `cmain`).

use std::io::ErrorKind;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::{Fact, kept, os, read};
use crate::host::{Host, Kind, text};

/// The entry that is started where nobody chooses another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootEntry {
    /// The file in which it stands.
    pub file: String,
    /// Its number, from 0; `None` where it is the one that was saved last (`default saved`).
    pub default: Option<u64>,
    /// How many entries the file has.
    pub entries: u64,
    /// The words of its kernel's command line that are judged; `None` where there is no such entry, or it starts no kernel.
    pub kernel: Option<Vec<String>>,
    /// Its kernel and initial file systems that are not there or empty, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacking: Vec<String>,
}

impl BootEntry {
    /// The devices that its kernel's command line names by the parameter `key`: `root`, or `resume` where that is in force.
    pub fn devices<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        let words = || self.kernel.iter().flatten();
        let is_off = key == "resume" && words().any(|word| word == "noresume");
        let value = move |word: &'a String| word.strip_prefix(key)?.strip_prefix('=');
        words().filter_map(value).filter(move |_| !is_off)
    }
}

/// For facts of a version that did not look.
#[must_use]
pub fn not_read() -> Fact<Option<BootEntry>> {
    Fact::Unknown("it was recorded by a version that did not look at it".into())
}

/// Reads what GRUB 0.97 goes by; `None` where another boot loader starts the machine, or its file is not there. Red Hat's
/// looks for grub.conf; menu.lst beside a file of GRUB 2 is left over.
#[must_use]
pub fn load(host: &Host) -> Fact<Option<BootEntry>> {
    let find = || -> Result<Option<BootEntry>> {
        if os::systemd(host).unwrap_or(false) || host.exists("/sys/firmware/efi") {
            return Ok(None);
        }
        for (file, successor) in
            [("/boot/grub/grub.conf", None), ("/boot/grub/menu.lst", Some("/boot/grub/grub.cfg"))]
        {
            let text = match successor {
                Some(successor) if host.exists(successor) => None,
                _ => read::text_if_exists(host, file)?,
            };
            if let Some(text) = text {
                let (entry, files) = parse(&text);
                return Ok(Some(BootEntry { file: file.into(), lacking: lacking(host, &files)?, ..entry }));
            }
        }
        Ok(None)
    };
    Fact::from_result(find())
}

/// Of the files that an entry loads, those that are not there or hold nothing. GRUB names them on its own root: what lies there below
/// /boot is named so, or without it where /boot is a file system of its own.
fn lacking(host: &Host, files: &[String]) -> Result<Vec<String>> {
    let is_boot_file = |name: &String| ["vmlinuz", "init"].iter().any(|kind| name.starts_with(kind));
    // A recording is made by hand: without any such file it says nothing of them.
    if host.kind() == Kind::Recorded && !host.list("/boot").unwrap_or_default().iter().any(is_boot_file) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for file in files {
        let (mut why, mut there) = ("is not there", false);
        for place in [file.clone(), format!("/boot{file}")] {
            match host.resolve(&place).and_then(|place| place.metadata()) {
                Ok(meta) if meta.is_file() && meta.len() > 0 => there = true,
                Ok(_) => why = "is empty",
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
                Err(error) => return Err(read::explain(&place, error)),
            }
        }
        found.extend((!there).then(|| format!("{} {why}", text::safe(file))));
    }
    Ok(found)
}

/// The files that an entry of GRUB 0.97 loads.
type Files = Vec<String>;

/// The entry that a file of GRUB 0.97 starts by itself, and the files that it loads.
#[must_use]
pub fn parse(text: &str) -> (BootEntry, Files) {
    let mut default = Some(0);
    // Of each entry, whether it says anything, its kernel, and its files.
    let mut entries: Vec<(bool, Option<Vec<String>>, Files)> = Vec::new();
    for line in lines(text) {
        let end = line.find([' ', '=']).unwrap_or(line.len());
        let (command, argument) = (&line[..end], line[end..].trim_start_matches([' ', '=']));
        let is_first = entries.len() == 1;
        match (command, entries.last_mut()) {
            ("title", Some((false, ..))) if is_first => {}
            ("title", _) => entries.push((false, None, Files::new())),
            ("default", None) if argument == "saved" => default = None,
            ("default", None) => default = number(argument).or(default),
            (_, None) => {}
            (_, Some(entry)) => {
                entry.0 = true;
                if command == "kernel" {
                    entry.2.clear();
                    entry.1 = words(argument).or(entry.1.take());
                }
                if ["kernel", "initrd"].contains(&command) {
                    entry.2.extend(path(argument));
                }
            }
        }
    }
    // A first entry that says nothing is none.
    entries.retain({
        let alone = entries.len() == 1;
        move |entry| entry.0 || !alone
    });
    let at = default.and_then(|number| usize::try_from(number).ok());
    let count = entries.len() as u64;
    let (_, kernel, files) =
        at.filter(|at| *at < entries.len()).map(|at| entries.swap_remove(at)).unwrap_or_default();
    (BootEntry { file: String::new(), default, entries: count, kernel, lacking: Vec::new() }, files)
}

/// The file that a command loads, on GRUB's own root; what lies on a device that it names cannot be told from here.
fn path(argument: &str) -> Option<String> {
    let name = argument.split(' ').find(|word| !word.is_empty() && !word.starts_with("--"))?;
    name.starts_with('/').then(|| name.to_owned())
}

/// Its lines without blanks at the beginning and without comments. A backslash takes the end of a line away, of a comment's too.
fn lines(text: &str) -> Vec<String> {
    /// What its buffer holds of one (`NEW_HEAPSIZE`).
    const LONGEST: usize = 1499;
    let (mut found, mut line) = (Vec::new(), String::new());
    let (mut literal, mut comment) = (false, false);
    for c in text.chars().filter(|c| *c != '\r').chain(['\n']) {
        let mut c = if c == '\t' { ' ' } else { c };
        if literal && c == '\n' {
            c = ' ';
            line.pop();
        }
        literal = c == '\\' && !literal;
        match c {
            '\n' if comment => comment = false,
            _ if comment => {}
            '\n' if line.is_empty() => {}
            '\n' => found.push(std::mem::take(&mut line)),
            '#' if line.is_empty() => comment = true,
            ' ' if line.is_empty() => {}
            _ if line.len() < LONGEST => line.push(c),
            _ => {}
        }
    }
    found
}

/// A number at the beginning (`safe_parse_maxint`).
fn number(text: &str) -> Option<u64> {
    let (digits, radix) = text.strip_prefix("0x").map_or((text, 10), |digits| (digits, 16));
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    u64::from_str_radix(&digits[..end], radix).ok()
}

/// The words of a kernel's command line that are judged; `None` where no kernel is named.
fn words(argument: &str) -> Option<Vec<String>> {
    let mut words = argument.split(' ').filter(|word| !word.is_empty() && !word.starts_with("--"));
    words.next()?;
    Some(words.filter(|word| is_judged(word)).map(kept).collect())
}

/// Whether it tells what becomes `/`, from what memory is brought back, the first process or the runlevel (/etc/init/rcS.conf of CentOS 6), or keeps multipath
/// from being started (/etc/rc.d/rc.sysinit, which looks for the text anywhere).
fn is_judged(word: &str) -> bool {
    const NAMES: [&str; 4] = ["root=", "init=", "rdinit=", "resume="];
    is_runlevel(word)
        || ["emergency", "noresume"].contains(&word)
        || word.contains("nompath")
        || word != "init=/sbin/init" && NAMES.iter().any(|name| word.starts_with(name))
}

/// Whether the word asks for a runlevel; of several the last counts.
#[must_use]
pub fn is_runlevel(word: &str) -> bool {
    ["-s", "s", "S", "single"].contains(&word)
        || word.len() == 1 && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// The word, with as much of its value as a device's name has.
fn kept(word: &str) -> String {
    match word.split_once('=') {
        Some((name, value)) => format!("{name}={}", kept::source(value.to_owned())),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing;

    /// As the installer of CentOS 6.6 writes it.
    const INSTALLED: &str = "# grub.conf generated by anaconda\n#boot=/dev/sda\ndefault=0\ntimeout=5\n\
        splashimage=(hd0,0)/boot/grub/splash.xpm.gz\nhiddenmenu\ntitle CentOS (2.6.32-504.el6.x86_64)\n\troot (hd0,0)\n\
        \tkernel /boot/vmlinuz-2.6.32-504.el6.x86_64 ro root=UUID=1-2 rd_NO_LUKS  KEYBOARDTYPE=pc rd_NO_MD crashkernel=auto \
        LANG=en_US.UTF-8 rd_NO_LVM rd_NO_DM rhgb quiet\n\tinitrd /boot/initramfs-2.6.32-504.el6.x86_64.img\n";

    fn of(text: &str) -> (Option<u64>, u64, Option<String>) {
        let (BootEntry { default, entries, kernel, .. }, _) = parse(text);
        (default, entries, kernel.map(|words| words.join(" ")))
    }

    fn some(words: &str) -> Option<String> {
        Some(words.to_owned())
    }

    #[test]
    fn the_default_entry_is_found_as_grub_finds_it() {
        assert_eq!(of(INSTALLED), (Some(0), 1, some("root=UUID=1-2")));
        let two = "title a\n kernel /a root=/dev/a\ntitle b\n kernel --no-mem-option /b root=LABEL=b 1\n";
        for (before, expected) in [
            ("", (Some(0), 2, some("root=/dev/a"))),
            ("default 1\n", (Some(1), 2, some("root=LABEL=b 1"))),
            ("default = 0x1 # two\n", (Some(1), 2, some("root=LABEL=b 1"))),
            (" default\t1\r\n", (Some(1), 2, some("root=LABEL=b 1"))),
            ("default=x\n", (Some(0), 2, some("root=/dev/a"))),
            ("#default=1\n", (Some(0), 2, some("root=/dev/a"))),
            ("# \\\ndefault=1\n", (Some(0), 2, some("root=/dev/a"))),
            ("Default=1\n", (Some(0), 2, some("root=/dev/a"))),
            ("default=2\n", (Some(2), 2, None)),
            ("default saved\n", (None, 2, None)),
            ("title empty\n", (Some(0), 2, some("root=/dev/a"))),
        ] {
            assert_eq!(of(&format!("{before}{two}")), expected, "{before:?}");
        }
        for (text, expected) in [
            ("", (Some(0), 0, None)),
            ("default=0\ntitle a\n", (Some(0), 0, None)),
            ("title a\n\tchainloader +1\n", (Some(0), 1, None)),
            ("title a\n\tkernel\n", (Some(0), 1, None)),
            // In an entry, default is no command.
            ("title a\n kernel /a root=/dev/a\ndefault=1\n", (Some(0), 1, some("root=/dev/a"))),
            ("title=a\nkernel=/a \\\n root=/dev/a\n", (Some(0), 1, some("root=/dev/a"))),
            ("title a\nkernel /a root=/dev/a\nkernel /b root=/dev/b", (Some(0), 1, some("root=/dev/b"))),
        ] {
            assert_eq!(of(text), expected, "{text:?}");
        }
        testing::damage(INSTALLED, |text| drop(parse(text)));
    }

    #[test]
    fn what_the_entry_loads_has_to_be_there() {
        let (_, files) = parse(INSTALLED);
        let [kernel, initrd] = files.as_slice() else { panic!("{files:?}") };
        let lacking = |text: &str, there: &[(&str, &str)]| {
            let dir = testing::tree(
                &[&[("boot/grub/grub.conf", text), ("boot/initrd-other", "x")], there].concat(),
            );
            load(&Host::recorded(dir.path())).known().cloned().unwrap().unwrap().lacking
        };
        assert_eq!(lacking(INSTALLED, &[(&kernel[1..], "x"), (&initrd[1..], "x")]), Vec::<String>::new());
        let found = lacking(INSTALLED, &[(&initrd[1..], "")]);
        assert_eq!(found, [format!("{kernel} is not there"), format!("{initrd} is empty")]);
        // On a file system of its own, as a link, on a device that is named, and of another entry.
        let text = "default=1\ntitle a\nkernel /gone\ntitle b\nkernel --type=linux /vmlinuz ro\ninitrd (hd1,0)/other\n";
        assert_eq!(
            lacking(text, &[("boot/vmlinuz", "-> kernel"), ("boot/kernel", "x")]),
            Vec::<String>::new()
        );
        assert_eq!(lacking(text, &[("boot/vmlinuz", "-> gone")]), ["/vmlinuz is not there"]);
        assert_eq!(lacking("title a\nkernel /x\nkernel /vmlinuz", &[("vmlinuz", "x")]), Vec::<String>::new());
    }

    #[test]
    fn only_words_that_are_judged_are_kept() {
        let line = "password --md5 Hidden\ntitle a\nkernel /a ro root=nfs:me:Hidden@x nompath x=Hidden init=/bin/sh init=/sbin/init \
                    rdinit=/x S s single -s emergency 3 12 quiet\n";
        let told = of(line).2.unwrap();
        assert!(!told.contains("Hidden"), "{told}");
        assert!(told.ends_with("nompath init=/bin/sh rdinit=/x S s single -s emergency 3"), "{told}");
    }

    #[test]
    fn the_file_is_that_of_the_loader_that_starts_the_machine() {
        let entry = "title a\nkernel /a root=/dev/a\n";
        let file = |files: &[(&str, &str)]| {
            let dir = testing::tree(files);
            load(&Host::recorded(dir.path())).known().cloned().unwrap().map(|entry| entry.file)
        };
        assert_eq!(file(&[("boot/grub/menu.lst", entry)]).as_deref(), Some("/boot/grub/menu.lst"));
        let both = [("boot/grub/menu.lst", ""), ("boot/grub/grub.conf", entry)];
        assert_eq!(file(&both).as_deref(), Some("/boot/grub/grub.conf"));
        assert_eq!(file(&[("boot/grub/menu.lst", entry), ("boot/grub/grub.cfg", "")]), None);
        assert_eq!(file(&[("boot/grub/grub.conf", entry), ("sys/firmware/efi/x", "")]), None);
        assert_eq!(file(&[("boot/grub2/grub.cfg", "")]), None);
        let dir = testing::tree(&[("boot/grub/grub.conf/x", "")]);
        let Fact::Unknown(why) = load(&Host::recorded(dir.path())) else { panic!() };
        assert!(why.starts_with("reading /boot/grub/grub.conf: "), "{why}");
    }
}
