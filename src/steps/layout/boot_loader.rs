//! The boot loader on the disk that carries `/`, and its configuration.

use crate::facts::boot_loader::BootLoader;
use crate::facts::fstab::Ignored;
use crate::facts::{Fact, Facts};
use crate::platform::words;
use crate::profile::Profile;
use crate::steps::devices::passed_over;
use crate::steps::{Status, need};

use super::next_boot::boot;

const CONFIGURED: &str = "a boot loader with its configuration";

pub(super) fn boot_loader(profile: &Profile, facts: &Facts) -> Result<Status, Status> {
    let closed =
        |entry| Status::unmet(boot::is_unmounted(entry), CONFIGURED, boot::mount(profile, facts, entry));
    if let Some(entry) = boot::unmounted("/boot", facts) {
        return Ok(closed(entry));
    }
    let status = installed(facts)?;
    // Only an EFI host goes by it.
    let efi = boot::unmounted("/boot/efi", facts).filter(|_| matches!(status, Status::Unmet { .. }));
    Ok(efi.map_or(status, closed))
}

fn installed(facts: &Facts) -> Result<Status, Status> {
    let loader = match &facts.boot_loader {
        Fact::Unknown(_) if !facts.privileged => {
            return Err(Status::unknown("the first sectors of a disk can be read by root only"));
        }
        other => need(other, "the boot loader")?,
    };
    let BootLoader { disk, mbr, partitions, configuration } = loader;
    let expected = format!("a boot loader in the first sector of {disk} or of one of its partitions");
    let family = words::family(facts);
    let fix = words::install_boot_loader(family, disk);
    // Code of an unknown kind may be what a Windows or DOS disk starts with: it would start no Linux by itself.
    let is_loader = |code: &str| !code.to_ascii_lowercase().contains("unknown");
    let mut places: Vec<_> = partitions.iter().map(|(name, code)| (name, code)).collect();
    if let Some(code) = mbr {
        places.insert(0, (disk, code));
    }
    let known = places.iter().find(|(_, code)| is_loader(code));
    let is_efi = |file: &&String| file.to_ascii_lowercase().contains("/efi/");
    if let Some((place, code)) = known {
        let of = match code.as_str() {
            "GRUB" => "/grub",
            "LILO" => "/lilo",
            "SYSLINUX" => "linux/",
            _ => "",
        };
        let own = |file: &&String| file.contains(of) || is_efi(file);
        let own: Vec<&str> = configuration.iter().filter(own).map(String::as_str).collect();
        if mbr.is_none() && !own.is_empty() && !configuration.iter().any(|file| is_efi(&file)) {
            return Ok(Status::unmet(
                format!("{code} on {place}, but no code in the first sector of {disk} that starts it"),
                format!(
                    "a boot loader in the first sector of {disk}, or code there that starts the one in {place}"
                ),
                fix,
            ));
        }
        let empty = facts.boot_entry.known().and_then(Option::as_ref).filter(|entry| entry.entries == 0);
        let lacks = match empty {
            _ if own.is_empty() => Some("no configuration file of it".to_owned()),
            Some(entry) if code.as_str() == "GRUB" => Some(format!("{} has no entry", entry.file)),
            _ => None,
        };
        if let Some(lacks) = lacks {
            let (passed, fix) = match passed_over(facts, "/boot").filter(|_| configuration.is_empty()) {
                Some(Ignored { line, why, .. }) => (
                    format!("; line {line} of /etc/fstab, for /boot, is passed over at boot: {why}"),
                    format!("put line {line} of /etc/fstab right, then `mount /boot`"),
                ),
                None => (String::new(), words::of(facts).write_boot_entries.to_owned()),
            };
            return Ok(Status::unmet(format!("{code} on {place}, but {lacks}{passed}"), CONFIGURED, fix));
        }
        return Ok(Status::met(format!("{code} on {place}, {}", own.join(", "))));
    }
    if let Some(efi) = configuration.iter().find(is_efi) {
        return Ok(Status::met(format!("EFI: {efi}")));
    }
    if let Some((place, code)) = places.first() {
        return Err(Status::unknown(format!(
            "{place} carries {code}: whether it starts this system cannot be determined"
        )));
    }
    Ok(Status::unmet(format!("no boot code on {disk} or its partitions"), expected, fix))
}

#[cfg(test)]
mod tests {
    use crate::facts::Fact;
    use crate::facts::boot_loader::BootLoader;
    use crate::steps::testing::Judged;

    fn loader(mbr: Option<&str>, partitions: &[(&str, &str)], configuration: &[&str]) -> Fact<BootLoader> {
        Fact::Known(BootLoader {
            disk: "sda".into(),
            mbr: mbr.map(Into::into),
            partitions: partitions.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect(),
            configuration: configuration.iter().map(|file| (*file).into()).collect(),
        })
    }

    #[test]
    fn a_boot_loader_may_be_in_the_disk_or_a_partition() {
        let mut host = Judged::ready("layout.boot-loader");
        let conf = &["/boot/grub/grub.conf"][..];
        let grub = |partitions, configuration| loader(Some("GRUB"), partitions, configuration);
        let unclear = || Some("unknown boot code");
        let (lilo, linux) = (&["/etc/lilo.conf"][..], &["/boot/extlinux/extlinux.conf"][..]);
        let efi = "/boot/efi/EFI/centos/grub.conf";
        let part =
            "unmet: GRUB on sda1, but no code in the first sector of sda that starts it | a boot loader in";
        let none = "unmet: no boot code on sda or its partitions | a boot loader in the first sector of sda or of one of its \
                    partitions | `grub-install /dev/sda`";
        let bare = "unmet: GRUB on sda, but no configuration file of it |";
        let unknown =
            "unknown: sda carries unknown boot code: whether it starts this system cannot be determined";
        let cases = [
            (grub(&[], conf), "met: GRUB on sda, /boot/grub/grub.conf"),
            (loader(None, &[("sda1", "GRUB")], conf), part),
            (grub(&[], &[conf[0], lilo[0]]), "met: GRUB on sda, /boot/grub/grub.conf"),
            (grub(&[], lilo), bare),
            (loader(Some("SYSLINUX"), &[], linux), "met: SYSLINUX on sda, /boot/extlinux/extlinux.conf"),
            (loader(unclear(), &[("sda1", "GRUB")], conf), "met: GRUB on sda1, /boot/grub/grub.conf"),
            (loader(None, &[], &[efi]), "met: EFI: /boot/efi/EFI/centos/grub.conf"),
            (grub(&[], &[]), &format!("{bare} a boot loader with its configuration |")),
            (loader(None, &[], conf), none),
            (loader(unclear(), &[], conf), unknown),
            (
                Fact::Unknown("reading sda: I/O error".into()),
                "unknown: the boot loader: reading sda: I/O error",
            ),
        ];
        for (fact, expected) in cases {
            host.boot_loader = fact;
            host.starts(expected);
        }
        host.privileged = false;
        host.is("unknown: the first sectors of a disk can be read by root only");
    }
}
