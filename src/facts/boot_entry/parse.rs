//! What GRUB 0.97 makes of its file: stage2/cmdline.c (`skip_to`, `find_command`, `run_script`), stage2/stage2.c (`cmain`, `run_menu`)
//! and stage2/builtins.c.

use super::BootEntry;
use super::command_line::{runlevel, words};
use super::lexer::{On, device, lines, number};
use crate::host::text;

/// What GRUB knows (`builtin_table`, and what Red Hat's shows a picture with). Any other line is skipped while the file is read:
/// it stops nothing, and a title that has nothing else says nothing.
const COMMANDS: &str = "background blocklist boot bootp cat chainloader clear cmp color configfile debug default dhcp displayapm \
    displaymem embed fallback find foreground fstest geometry halt help hiddenmenu hide ifconfig impsprobe \
    initrd install ioprobe kernel lock makeactive map md5crypt module modulenounzip pager partnew parttype \
    password pause rarp read reboot root rootnoverify savedefault serial setkey setup splashimage terminal \
    terminfo testload testvbe tftpserver timeout title unhide uppermem vbeprobe viewport shade";

/// What an entry opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub on: On,
    /// The file's path from the root of the file system there; `None` where the device alone is opened (`root`).
    pub path: Option<String>,
    /// As it stands there.
    pub shown: String,
}

/// An entry, as far as its commands are read.
#[derive(Default)]
struct Entry {
    has_command: bool,
    kernel: Option<Vec<String>>,
    initrd: bool,
    /// Whether `boot` stood there: what follows is not read.
    booted: bool,
    saves: bool,
    /// The name of the file with the kernel.
    image: String,
    /// How its last initial file system does not fit it.
    misfit: Option<String>,
    root: On,
    opens: Vec<Named>,
    waits: Vec<String>,
    untold: Vec<String>,
}

/// The head of the file: what stands before the first entry.
#[derive(Default)]
struct Menu {
    saved: bool,
    default: u64,
    timeout: bool,
    password: bool,
    waits: Vec<String>,
}

/// What of the entry that is started is looked into further.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct More {
    /// What it opens, in this order.
    pub opens: Vec<Named>,
    /// The runlevels for which its kernel's command line asks (`None`: for none, and /etc/inittab counts); where it is not known
    /// which entry starts, those of all.
    pub levels: Vec<Option<char>>,
    /// Whether it saves the number of an entry (`savedefault`).
    pub saves: bool,
}

/// The entry that a file of GRUB 0.97 starts by itself.
pub fn parse(text: &str) -> (BootEntry, More) {
    let mut menu = Menu::default();
    let mut entries: Vec<Entry> = Vec::new();
    for line in lines(text) {
        let end = line.find([' ', '=']).unwrap_or(line.len());
        let (command, argument) = (&line[..end], line[end..].trim_start_matches([' ', '=']));
        match (command, entries.last_mut()) {
            (command, _) if !text::has_word(COMMANDS, command) => {}
            // One that says nothing is overwritten.
            ("title", Some(Entry { has_command: false, .. })) => {}
            ("title", _) => entries.push(Entry::default()),
            (_, None) => menu.command(command, argument),
            (_, Some(entry)) => {
                entry.has_command = true;
                entry.command(command, argument, &menu);
            }
        }
    }
    entries.retain(|entry| entry.has_command);
    let mut levels: Vec<_> =
        entries.iter().map(|entry| runlevel(entry.kernel.as_deref().unwrap_or_default())).collect();
    let default = (!menu.saved).then_some(menu.default);
    let at = default.and_then(|number| usize::try_from(number).ok());
    let count = entries.len() as u64;
    let entry = at.filter(|at| *at < entries.len()).map(|at| entries.swap_remove(at));
    let Entry { kernel, initrd, opens, waits, untold, saves, misfit, .. } = entry.unwrap_or_default();
    let mut found = BootEntry { default, entries: count, kernel, untold, ..BootEntry::default() };
    if let Some(words) = found.kernel.as_deref().filter(|_| found.untold.is_empty()) {
        levels = vec![runlevel(words)];
    }
    found.waits = [menu.waits, waits].concat();
    if !menu.timeout {
        found.waits.push("without a timeout the menu waits for a key".into());
    }
    // Where each driver is a module, and a name that stays is resolved by what the initial file system starts.
    if found.kernel.is_some() && !initrd {
        found.lacking.push("its kernel is started without an initrd".into());
    }
    found.lacking.extend(misfit);
    (found, More { opens, levels, saves })
}

impl Menu {
    fn command(&mut self, command: &str, argument: &str) {
        match command {
            "default" if argument == "saved" => self.saved = true,
            "default" => {
                if let Some(number) = number(argument) {
                    (self.saved, self.default) = (false, number);
                }
            }
            "timeout" => self.timeout |= number(argument).is_some(),
            "password" => self.password = true,
            // It takes that on which a key is pressed first.
            "terminal" => {
                let words = || argument.split(' ').filter(|word| !word.is_empty());
                let several = words().filter(|word| !word.starts_with("--")).count() > 1;
                if several && !words().any(|word| word.starts_with("--timeout=")) {
                    self.waits.push(
                        "`terminal` with several terminals and without --timeout waits for a key".into(),
                    );
                }
            }
            _ => {}
        }
    }
}

impl Entry {
    fn command(&mut self, command: &str, argument: &str, menu: &Menu) {
        /// What neither loads nor waits.
        const HARMLESS: [&str; 5] = ["clear", "color", "makeactive", "uppermem", "title"];
        match command {
            _ if self.booted => {}
            "boot" => self.booted = true,
            "root" | "rootnoverify" if argument.is_empty() => {}
            "root" | "rootnoverify" => {
                let (device, _) = device(argument);
                self.root = device;
                if command == "root" {
                    let on = self.root.clone();
                    let shown = text::safe(argument.split(' ').next().unwrap_or_default());
                    self.opens.push(Named { on, path: None, shown });
                }
            }
            "kernel" => {
                self.kernel = words(argument).or(self.kernel.take());
                self.initrd = false;
                self.misfit = None;
                self.image = self.open(argument);
            }
            "initrd" => {
                if self.kernel.is_none() {
                    self.waits.push("its initrd stands before its kernel, at which GRUB stops".into());
                }
                self.initrd = true;
                let file = self.open(argument);
                self.misfit = is_of_another_kernel(&file, &self.image).then(|| {
                    format!("{} is of another version than {}", text::safe(&file), text::safe(&self.image))
                });
            }
            "lock" if menu.password => self.waits.push("`lock`: it asks for the password of the menu".into()),
            "lock" => {}
            "password" => self.waits.push("`password`: it asks for one".into()),
            "pause" => self.waits.push("`pause` waits for a key".into()),
            // Where default is a number, what it saves is read by nothing.
            "savedefault" if argument.is_empty() || number(argument).is_some() => self.saves = true,
            command if HARMLESS.contains(&command) => {}
            command => {
                let command: String = command.chars().take(20).collect();
                self.untold.push(format!("what comes of its command `{}`", text::safe(&command)));
            }
        }
    }

    /// Notes the file that a command loads, and tells its name.
    fn open(&mut self, argument: &str) -> String {
        let word =
            argument.split(' ').find(|word| !word.is_empty() && !word.starts_with("--")).unwrap_or_default();
        let (on, path) = if word.starts_with('(') { device(word) } else { (self.root.clone(), word) };
        self.opens.push(Named { on, path: Some(path.to_owned()), shown: text::safe(word) });
        path.rsplit('/').next().unwrap_or_default().to_owned()
    }
}

/// Whether an initial file system has the modules of another kernel, by the versions in the names that CentOS gives both; a name
/// without one says nothing. What follows a version in either (`.bak`) is no part of it, unless it goes on as one does.
fn is_of_another_kernel(initrd: &str, kernel: &str) -> bool {
    let is_version = |version: &&str| version.starts_with(|c: char| c.is_ascii_digit());
    let initrd = ["initramfs-", "initrd-"].iter().find_map(|kind| initrd.strip_prefix(kind));
    let initrd = initrd.map(|name| name.strip_suffix(".img").unwrap_or(name)).filter(is_version);
    let (Some(initrd), Some(kernel)) = (initrd, kernel.strip_prefix("vmlinuz-").filter(is_version)) else {
        return false;
    };
    let rest = initrd.strip_prefix(kernel).or_else(|| kernel.strip_prefix(initrd));
    let goes_on = |rest: &str| {
        let bare = rest.trim_start_matches(['.', '-', '_', '+']);
        bare.starts_with(|c: char| c.is_ascii_digit())
            || ["debug", "kdump"].iter().any(|word| bare.starts_with(word))
    };
    rest.is_none_or(goes_on)
}

#[cfg(test)]
mod tests {
    use super::super::tests::INSTALLED;
    use super::*;
    use crate::facts::testing;

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
            ("title empty\ntitle too\nquiet\n", (Some(0), 2, some("root=/dev/a"))),
        ] {
            assert_eq!(of(&format!("{before}{two}")), expected, "{before:?}");
        }
        for (text, expected) in [
            ("", (Some(0), 0, None)),
            ("default=0\ntitle a\n", (Some(0), 0, None)),
            ("title a\n\tchainloader +1\n", (Some(0), 1, None)),
            ("title a\n\tkernel\n", (Some(0), 1, None)),
            // Neither a title without a body nor what GRUB does not know counts, wherever it stands.
            (
                "default=1\ntitle a\n kernel /a root=/dev/a\ntitle -\nKernel /x\ntitle b\n kernel /b root=/dev/b\ntitle c\n",
                (Some(1), 2, some("root=/dev/b")),
            ),
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
    fn only_words_that_are_judged_are_kept() {
        let line = "password --md5 Hidden\ntitle a\nkernel /a ro root=nfs:me:Hidden@x nompath x=Hidden init=/bin/sh init=/sbin/init \
                    rdinit=/x S s single -s emergency 3 12 quiet\n";
        let found = of(line).2.unwrap();
        assert!(!found.contains("Hidden"), "{found}");
        assert!(found.ends_with("nompath init=/bin/sh rdinit=/x S s single -s emergency 3"), "{found}");
    }

    #[test]
    fn what_waits_for_a_person_is_told() {
        let waits = |text: &str| parse(text).0.waits.join("; ");
        let entry = "title a\nkernel /a\ninitrd /b\n";
        assert_eq!(waits(INSTALLED), "");
        for (text, expected) in [
            (entry.to_owned(), "without a timeout the menu waits for a key"),
            (format!("timeout=-1\n{entry}"), "without a timeout the menu waits for a key"),
            // In an entry it is no command.
            (format!("{entry}timeout=5\n"), "without a timeout the menu waits for a key"),
            (format!("timeout 0\nterminal --dumb serial\n{entry}"), ""),
            (format!("timeout 0\nterminal --timeout=5 serial console\n{entry}"), ""),
            (
                format!("timeout 0\nterminal serial console\n{entry}"),
                "`terminal` with several terminals and without --timeout waits for a key",
            ),
            (format!("timeout 0\npassword x\n{entry}"), ""),
            (format!("timeout 0\n{entry}lock\n"), ""),
            (format!("timeout 0\npassword x\n{entry}lock\n"), "`lock`: it asks for the password of the menu"),
            (format!("timeout 0\n{entry}password x\n"), "`password`: it asks for one"),
            (format!("timeout 0\n{entry}pause\n"), "`pause` waits for a key"),
            // What follows `boot` is not read, and what another entry has is none of it.
            (format!("timeout 0\n{entry}boot\npause\n"), ""),
            (format!("timeout 0\n{entry}title b\npause\n"), ""),
            (
                "timeout 0\ntitle a\ninitrd /b\nkernel /a\n".to_owned(),
                "its initrd stands before its kernel, at which GRUB stops",
            ),
        ] {
            assert_eq!(waits(&text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_read_of_an_entry_is_not_told() {
        let untold =
            |line: &str| parse(&format!("title a\nkernel /a\ninitrd /b\n{line}\n")).0.untold.join("; ");
        let known = "quiet|Kernel /x|root (hd0,0)|root|rootnoverify (hd0)|makeactive|uppermem 1|savedefault|savedefault 1|lock|boot";
        for line in known.split('|') {
            assert_eq!(untold(line), "", "{line}");
        }
        for line in
            ["configfile /x", "savedefault fallback", "map (hd0) (hd1)", "default=1", "chainloader +1"]
        {
            let command = line.split([' ', '=']).next().unwrap();
            assert_eq!(untold(line), format!("what comes of its command `{command}`"));
        }
    }

    #[test]
    fn a_kernel_needs_an_initrd_behind_it() {
        let lacking = |commands: &str| parse(&format!("title a\n{commands}")).0.lacking;
        let none = ["its kernel is started without an initrd"];
        assert_eq!(lacking("kernel /a\ninitrd /b\n"), [""; 0]);
        assert_eq!(lacking("kernel /a\n"), none);
        assert_eq!(lacking("initrd /b\nkernel /a\n"), none);
        assert_eq!(lacking("kernel /a\ninitrd /b\nkernel /c\n"), none);
        assert_eq!(lacking("kernel /a\n#initrd /b\n"), none);
        assert_eq!(lacking("kernel /a\nboot\ninitrd /b\n"), none);
        // Of an entry that starts none nothing is said.
        assert_eq!(lacking("chainloader +1\n"), [""; 0]);
    }

    #[test]
    fn an_initrd_is_that_of_its_kernel() {
        let other = |kernel: &str, initrd: &str| {
            let (entry, _) =
                parse(&format!("title a\nkernel /boot/{kernel} ro\ninitrd (hd0,0)/boot/{initrd}\n"));
            entry.lacking
        };
        const KERNEL: &str = "vmlinuz-2.6.32-504.el6.x86_64";
        assert_eq!(
            other(KERNEL, "initramfs-2.6.32-431.el6.x86_64.img"),
            ["initramfs-2.6.32-431.el6.x86_64.img is of another version than vmlinuz-2.6.32-504.el6.x86_64"]
        );
        for (kernel, initrd) in [
            (KERNEL, "initramfs-2.6.32-504.1.3.el6.x86_64.img"),
            (KERNEL, "initrd-2.6.32-504.el6.i686.img"),
            (KERNEL, "initrd-2.6.32-504.el6.x86_64kdump.img"),
            (KERNEL, "initramfs-2.6.32-504.el6.x86_64.debug.img"),
            ("vmlinuz-2.6.32", "initramfs-2.6.32-504.el6.x86_64.img"),
            ("vmlinuz-2.6.32-504.el6.x86_64.debug", "initramfs-2.6.32-504.el6.x86_64.img"),
        ] {
            assert_eq!(other(kernel, initrd).len(), 1, "{kernel} {initrd}");
        }
        for (kernel, initrd) in [
            (KERNEL, "initramfs-2.6.32-504.el6.x86_64.img"),
            (KERNEL, "initrd-2.6.32-504.el6.x86_64.img"),
            (KERNEL, "initramfs-2.6.32-504.el6.x86_64.img.bak"),
            (KERNEL, "initramfs-2.6.32-504.el6.x86_64-multipath.img"),
            (KERNEL, "initramfs.img"),
            (KERNEL, "initrd-new.img"),
            ("vmlinuz", "initramfs-2.6.32-504.el6.x86_64.img"),
            ("vmlinuz-new", "initramfs-2.6.32-504.el6.x86_64.img"),
        ] {
            assert_eq!(other(kernel, initrd), [""; 0], "{kernel} {initrd}");
        }
        // The last of each counts.
        let lines = "kernel /vmlinuz-1\ninitrd /initramfs-2.img\n";
        let again = |more: &str| parse(&format!("title a\n{lines}{more}")).0.lacking.len();
        assert_eq!([again(""), again("initrd /initramfs-1.img\n")], [1, 0]);
        assert_eq!(again("kernel /vmlinuz-2\ninitrd /initramfs-2.img\n"), 0);
    }

    #[test]
    fn devices_are_read_as_grub_names_them() {
        let of = |lines: &str| {
            let (_, More { opens, .. }) = parse(&format!("title a\n{lines}"));
            let shown = |named: &Named| format!("{:?} {}", named.on, named.path.as_deref().unwrap_or("-"));
            opens.iter().map(shown).collect::<Vec<_>>().join("; ")
        };
        for (lines, expected) in [
            ("kernel /a\n", "None /a"),
            ("root (hd0,1)\nkernel /a\n", "Some(Disk(0, Some(1))) -; Some(Disk(0, Some(1))) /a"),
            ("root=(hd0x1,0) 5\n", "Some(Disk(1, Some(0))) -"),
            ("rootnoverify (hd0x1)\n", ""),
            ("rootnoverify (hd0x)\nkernel --type=linux /a ro\n", "Some(Other(\"(hd0x)\")) /a"),
            ("kernel (hd1)/a\ninitrd (hd0,0)/b\n", "Some(Disk(1, None)) /a; Some(Disk(0, Some(0))) /b"),
            ("kernel (nd)/a\n", "Some(Other(\"(nd)\")) /a"),
            ("kernel (hd0,0,a)/a\n", "Some(Other(\"(hd0,0,a)\")) /a"),
            ("root hd0,0\n", "Some(Other(\"hd0,0\")) -"),
            ("kernel vmlinuz\ninitrd\n", "None vmlinuz; None "),
            ("root (hd0,0\n", "Some(Other(\"(hd0,0\")) -"),
        ] {
            assert_eq!(of(lines), expected, "{lines}");
        }
    }
}
