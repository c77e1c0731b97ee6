//! Which services the host starts at boot, from the links that say so: they are there in an image's tree too.

use std::io;

use crate::host::Host;

use super::{boot_entry, os};

/// The runlevel that CentOS 6's /etc/init/rcS.conf takes where /etc/inittab names none.
const RUNLEVEL: &str = "3";

/// Where systemd looks for links, and the targets that every boot of a server comes through.
const UNITS: [&str; 4] = [
    "/etc/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];
const TARGETS: [&str; 5] =
    ["sysinit.target", "basic.target", "local-fs.target", "multi-user.target", "graphical.target"];

/// The link by which the host starts the service `name` at boot, if there is one: that of the runlevel for which the kernel's
/// command line asks, else of the default one (CentOS 6), or that of a target (systemd).
pub fn at_boot(host: &Host, name: &str) -> Result<Option<String>, String> {
    let unread = |path: &str, error: &io::Error| format!("reading {path}: {error}");
    if os::systemd(host).map_err(|error| format!("{error:#}"))? {
        let unit = format!("{name}.service");
        // One that is masked is a link to /dev/null, or empty.
        let own = format!("{}/{unit}", UNITS[0]);
        let is_masked = match host.place(&own).and_then(|place| place.symlink_metadata()) {
            Ok(meta) if meta.is_symlink() => host
                .place(&own)
                .and_then(std::fs::read_link)
                .map_err(|error| unread(&own, &error))?
                .ends_with("null"),
            Ok(meta) => meta.len() == 0,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(unread(&own, &error)),
        };
        if is_masked || !UNITS.iter().any(|dir| host.exists(format!("{dir}/{unit}"))) {
            return Ok(None);
        }
        let links = UNITS.iter().flat_map(|dir| TARGETS.iter().map(move |target| format!("{dir}/{target}")));
        let mut links =
            links.flat_map(|dir| [format!("{dir}.wants/{unit}"), format!("{dir}.requires/{unit}")]);
        return Ok(links.find(|link| host.exists(link)));
    }
    const INITTAB: &str = "/etc/inittab";
    let inittab = host.read_if_exists(INITTAB).map_err(|error| unread(INITTAB, &error))?.unwrap_or_default();
    let usual = runlevel(&inittab);
    let mut levels: Vec<String> = Vec::new();
    for level in boot_entry::runlevels(host).map_err(|error| format!("{error:#}"))? {
        let level = level.map_or_else(|| usual.to_owned(), String::from);
        if !["2", "3", "4", "5"].contains(&level.as_str()) {
            return Err(format!(
                "the default runlevel of {INITTAB} is {level}, in which no server works (0 halts, 1 and S are for one user, 6 \
                 restarts); id:{RUNLEVEL}:initdefault: is usual"
            ));
        }
        if !levels.contains(&level) {
            levels.push(level);
        }
    }
    let links = levels.iter().map(|level| link(host, level, name));
    let links =
        links.collect::<io::Result<Vec<_>>>().map_err(|error| format!("reading /etc/rc.d: {error}"))?;
    let (on, off): (Vec<_>, Vec<_>) = levels.iter().zip(&links).partition(|(_, link)| link.is_some());
    if let [(on, _), ..] = on[..]
        && let [(off, _), ..] = off[..]
    {
        return Err(format!(
            "{name} is started in the runlevel {on} and not in {off}, and it is not known which of the two the boot loader's \
             default entry asks for"
        ));
    }
    Ok(links.into_iter().flatten().next())
}

/// The link by which a runlevel starts a service.
fn link(host: &Host, level: &str, name: &str) -> io::Result<Option<String>> {
    let dir = format!("/etc/rc.d/rc{level}.d");
    let names = host.list(&dir)?;
    let starts = |link: &&String| {
        let rest = link.strip_prefix('S').and_then(|rest| rest.strip_suffix(name));
        rest.is_some_and(|number| number.len() == 2 && number.bytes().all(|b| b.is_ascii_digit()))
    };
    let link = names.iter().find(starts).map(|link| format!("{dir}/{link}"));
    // A link whose script is gone starts nothing.
    Ok(link.filter(|link| host.resolve(link).is_ok_and(|script| script.exists())))
}

/// What a master target does not come up without, by the names of the services that bring it: the network (CentOS 6 alone: what
/// starts it elsewhere is no link), VMware Tools (open-vm-tools, VMware's own installer).
const NEEDED: [&[&str]; 2] =
    [&["network", "NetworkManager"], &["vmtoolsd", "open-vm-tools", "vmware-tools", "vmware-tools-services"]];

/// The services that are installed, that a master target needs, and that nothing starts at boot.
pub fn off(host: &Host) -> Result<Vec<String>, String> {
    let is_systemd = os::systemd(host).map_err(|error| format!("{error:#}"))?;
    let directories: &[&str] = if is_systemd { &UNITS } else { &["/etc/rc.d/init.d"] };
    let is_installed = |name: &&&str| {
        let file = if is_systemd { format!("{name}.service") } else { (**name).to_owned() };
        directories.iter().any(|directory| host.exists(format!("{directory}/{file}")))
    };
    let mut found = Vec::new();
    for names in NEEDED.iter().skip(usize::from(is_systemd)) {
        let mut installed = names.iter().filter(is_installed).peekable();
        let Some(first) = installed.peek().map(|name| (**name).to_owned()) else { continue };
        // Of VMware's own installer a job of upstart starts them.
        let by_upstart = |name: &str| !is_systemd && host.exists(format!("/etc/init/{name}.conf"));
        let mut starts = false;
        for name in installed {
            starts |= by_upstart(name) || at_boot(host, name)?.is_some();
        }
        found.extend((!starts).then_some(first));
    }
    Ok(found)
}

/// The default runlevel by inittab(5), as CentOS 6 reads it.
fn runlevel(inittab: &str) -> &str {
    fn level(line: &str) -> Option<&str> {
        let mut fields = line.split(':');
        let (id, level, action) = (fields.next()?, fields.next()?, fields.next()?);
        (!id.starts_with('#') && action == "initdefault" && !level.is_empty()).then_some(level)
    }
    inittab.lines().find_map(level).unwrap_or(RUNLEVEL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing::tree;

    fn link(files: &[(&str, &str)]) -> Option<String> {
        let dir = tree(files);
        at_boot(&Host::image(dir.path()), "multipathd").unwrap()
    }

    #[test]
    fn what_is_installed_and_starts_by_nothing_is_off() {
        let off = |files: &[(&str, &str)]| off(&Host::image(tree(files).path()));
        const NETWORK: (&str, &str) = ("etc/rc.d/init.d/network", "#!/bin/bash\n");
        const TOOLS: (&str, &str) = ("etc/rc.d/init.d/vmware-tools", "#!/bin/bash\n");
        const OTHER: (&str, &str) = ("etc/rc.d/rc3.d/S99local", "-> ../init.d/x");
        assert_eq!(off(&[]), Ok(vec![]));
        assert_eq!(off(&[NETWORK, TOOLS, OTHER]), Ok(vec!["network".to_owned(), "vmware-tools".to_owned()]));
        let started = ("etc/rc.d/rc3.d/S10network", "-> ../init.d/network");
        assert_eq!(off(&[NETWORK, TOOLS, started]), Ok(vec!["vmware-tools".to_owned()]));
        let upstart = ("etc/init/vmware-tools.conf", "start on x");
        assert_eq!(off(&[NETWORK, TOOLS, started, upstart]), Ok(vec![]));
        let stopped = ("etc/rc.d/rc3.d/K90network", "-> ../init.d/network");
        let manager = [
            ("etc/rc.d/init.d/NetworkManager", "#!/bin/bash\n"),
            ("etc/rc.d/rc3.d/S23NetworkManager", "-> ../init.d/NetworkManager"),
        ];
        assert_eq!(off(&[NETWORK, stopped]), Ok(vec!["network".to_owned()]));
        assert_eq!(off(&[NETWORK, stopped, manager[0], manager[1]]), Ok(vec![]));
        let unreadable = ("etc/inittab", "id:6:initdefault:\n");
        assert!(off(&[NETWORK, unreadable]).unwrap_err().contains("default runlevel"));
        let unit = [("usr/lib/systemd/systemd", ""), ("usr/lib/systemd/system/vmtoolsd.service", "[Unit]\n")];
        assert_eq!(off(&[unit[0], unit[1]]), Ok(vec!["vmtoolsd".to_owned()]));
        let wanted = (
            "etc/systemd/system/multi-user.target.wants/vmtoolsd.service",
            "-> /usr/lib/systemd/system/vmtoolsd.service",
        );
        assert_eq!(off(&[unit[0], unit[1], wanted]), Ok(vec![]));
    }

    #[test]
    fn on_centos_6_the_default_runlevel_counts() {
        const SCRIPT: (&str, &str) = ("etc/rc.d/init.d/multipathd", "#!/bin/bash\n");
        let at = |level: &str, name: &'static str| {
            [(format!("etc/rc.d/rc{level}.d/{name}"), "-> ../init.d/multipathd"), (SCRIPT.0.into(), SCRIPT.1)]
        };
        let started_by = |files: &[(String, &'static str)], more: &[(&'static str, &'static str)]| {
            let files: Vec<_> = files.iter().map(|(path, content)| (path.as_str(), *content)).collect();
            link(&[files.as_slice(), more].concat())
        };
        let started = Some("/etc/rc.d/rc3.d/S13multipathd".to_owned());
        assert_eq!(started_by(&at("3", "S13multipathd"), &[]), started);
        assert_eq!(
            started_by(
                &at("3", "S13multipathd"),
                &[("etc/inittab", "#id:5:initdefault:\nid:3:initdefault:\n")]
            ),
            started
        );
        assert_eq!(started_by(&at("3", "S13multipathd"), &[("etc/inittab", "id:5:initdefault:\n")]), None);
        assert!(started_by(&at("5", "S13multipathd"), &[("etc/inittab", "id:5:initdefault:\n")]).is_some());
        for name in ["K87multipathd", "S1multipathd", "Sxxmultipathd", "S13multipathd2"] {
            assert_eq!(started_by(&at("3", name), &[]), None, "{name}");
        }
        assert_eq!(started_by(&at("3", "S13multipathd")[..1], &[]), None, "a link whose script is gone");
        assert_eq!(link(&[]), None);
        for level in ["0", "1", "6", "S"] {
            let dir = tree(&[("etc/inittab", &format!("id:{level}:initdefault:\n"))]);
            let why = at_boot(&Host::image(dir.path()), "multipathd").unwrap_err();
            assert!(why.contains(&format!("is {level}, in which no server works")), "{why}");
        }
    }

    #[test]
    fn the_runlevel_of_the_kernel_line_goes_before_that_of_inittab() {
        let at_boot = |grub: &str, inittab: &str| {
            let dir = tree(&[
                ("boot/grub/grub.conf", grub),
                ("etc/inittab", inittab),
                ("etc/rc.d/rc3.d/S13multipathd", "-> ../init.d/multipathd"),
                ("etc/rc.d/init.d/multipathd", "#!/bin/bash\n"),
            ]);
            at_boot(&Host::recorded(dir.path()), "multipathd")
        };
        let started = Ok(Some("/etc/rc.d/rc3.d/S13multipathd".to_owned()));
        let entry = |words: &str| format!("title a\nkernel /a {words}\ninitrd /b\n");
        for (words, inittab, expected) in [
            ("quiet", "", started.clone()),
            ("5", "", Ok(None)),
            ("2 quiet", "id:3:initdefault:\n", Ok(None)),
            ("5 3", "id:5:initdefault:\n", started.clone()),
            ("3", "id:6:initdefault:\n", started.clone()),
            ("", "id:5:initdefault:\n", Ok(None)),
            // That of one user is reported by itself.
            ("single", "", started.clone()),
        ] {
            assert_eq!(at_boot(&entry(words), inittab), expected, "{words}, {inittab}");
        }
        // Another entry's counts where the default one is not known.
        let two = format!("{}{}", entry("3"), entry("5"));
        assert_eq!(at_boot(&two, ""), started);
        assert_eq!(at_boot(&format!("default=1\n{two}"), ""), Ok(None));
        for unknown in ["default saved\n", "default=7\n"] {
            let why = at_boot(&format!("{unknown}{two}"), "").unwrap_err();
            assert!(why.starts_with("multipathd is started in the runlevel 3 and not in 5, and"), "{why}");
        }
        assert_eq!(at_boot(&format!("default saved\n{}{}", entry(""), entry("3")), ""), started);
        assert_eq!(at_boot(&format!("default saved\n{}", entry("5")), ""), Ok(None));
    }

    #[test]
    fn with_systemd_a_target_that_is_booted_wants_it() {
        const UNIT: (&str, &str) = ("usr/lib/systemd/system/multipathd.service", "[Unit]\n");
        const SYSTEMD: (&str, &str) = ("usr/lib/systemd/systemd", "");
        const TO: &str = "-> /usr/lib/systemd/system/multipathd.service";
        let wants = "etc/systemd/system/sysinit.target.wants/multipathd.service";
        assert_eq!(link(&[SYSTEMD, UNIT, (wants, TO)]), Some(format!("/{wants}")));
        let by_vendor = "usr/lib/systemd/system/multi-user.target.wants/multipathd.service";
        assert_eq!(link(&[SYSTEMD, UNIT, (by_vendor, TO)]), Some(format!("/{by_vendor}")));
        assert_eq!(link(&[SYSTEMD, UNIT]), None);
        assert_eq!(link(&[SYSTEMD, (wants, TO)]), None, "a link to a unit that is gone");
        let rescue = "etc/systemd/system/rescue.target.wants/multipathd.service";
        assert_eq!(link(&[SYSTEMD, UNIT, (rescue, TO)]), None);
        let masked = ("etc/systemd/system/multipathd.service", "-> /dev/null");
        assert_eq!(link(&[SYSTEMD, UNIT, (wants, TO), masked]), None);
    }
}
