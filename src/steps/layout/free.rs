//! Room on the file systems of the system itself.

use crate::facts::Facts;
use crate::platform::words;
use crate::steps::devices::mount_at;
use crate::steps::storage::{room, what_fills};
use crate::steps::tally::Tally;
use crate::steps::{Status, need};

/// What is free at least, in per cent: logs, a package transaction and the software's own cache fit.
const WANTED: u64 = 10;

pub(super) fn free(facts: &Facts) -> Result<Status, Status> {
    let mounts = need(&facts.mounts, "the mounts")?;
    let mut tally = Tally::default();
    let (mut found, mut fixes) = (Vec::new(), Vec::new());
    for path in ["/", "/var"] {
        let Some(mount) = mount_at(mounts, path) else {
            if path == "/" {
                tally.unknown("no mount of / was found");
            }
            continue;
        };
        let Some(room) = room(mount, &mut tally) else { continue };
        let text = format!("{path}: {}", room.text);
        if room.percent < WANTED || room.inode_percent < WANTED {
            tally.problem(text);
            fixes.push(what_fills(path, &room));
        } else {
            found.push(text);
        }
    }
    let fix = format!(
        "{}. Then `{}`, old logs in /var/log; or make disk and file system larger",
        fixes.join("; "),
        words::of(facts).clean_packages
    );
    Ok(tally.status(found.join("; "), format!("{WANTED} % or more on each, of the inodes too"), fix))
}

#[cfg(test)]
mod tests {
    use crate::facts::Fact;
    use crate::steps::Severity;
    use crate::steps::testing::{Judged, mount, mounts};

    #[test]
    fn little_room_on_the_system_s_own_file_systems_is_told_as_advice() {
        let mut host = Judged::ready("layout.free");
        host.is("met: /: 90 % free (35.4 GiB), 97 % of the inodes");
        assert_eq!(host.finding().severity, Severity::Recommended);
        let mut var = mount("/var", "8:6", "/dev/sda6", 10 << 30);
        var.free_bytes = Fact::Known(1 << 30);
        mounts(&mut host).push(var.clone());
        host.has("; /var: 10 % free (1 GiB), 50 % of the inodes");
        mounts(&mut host).last_mut().unwrap().free_bytes = Fact::Known(800 << 20);
        host.starts("unmet: /var: 7 % free (800 MiB), 50 % of the inodes | 10 % or more on each");
        *mounts(&mut host).last_mut().unwrap() = var;
        mounts(&mut host).last_mut().unwrap().free_inodes = Fact::Known(0);
        host.starts("unmet: /var: 10 % free (1 GiB), 0 % of the inodes |");
        mounts(&mut host).last_mut().unwrap().free_inodes = Fact::Unknown("why".into());
        host.is("unknown: the free inodes of /var: why");
        host.mounts = Fact::NotApplicable("an image's tree".into());
        host.is("not-applicable: an image's tree");
    }
}
