//! The nodes in /dev that every program expects.

use crate::changes::Change;
use crate::facts::device_nodes::{self, Kind};
use crate::facts::{Fact, Facts};
use crate::steps::remedy::Remedy;
use crate::steps::{Belongs, RemediedBy, Requirement, Status, id, need};

pub(super) const REQUIREMENT: Requirement = Requirement {
    id: id::DEVICE_NODES,
    title: "/dev/null and its like are there",
    section: "Install CentOS 6.6",
    why: "The vendor script removes /dev/null as root, and what writes to it next leaves an ordinary file there: programs of \
          other users are denied it, and it fills memory. Where it stays away nothing that opens it starts. udev makes \
          it anew at the next boot.",
    by_hand: "As root, for each wrong one (here null, 1 3): mknod -m 666 /dev/new c 1 3 && mv -fT /dev/new /dev/null; then \
              restorecon /dev/null under SELinux. zero is 1 5, full 1 7, random 1 8, urandom 1 9, tty 5 0.",
    look: "`ls -l /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty`",
    belongs: |_| Belongs::Both,
    judge: |_, facts| judge(facts),
    remedy: RemediedBy::Apply(|_, facts, _| make(facts)),
    ..Requirement::DEFAULT
};

fn judge(facts: &Facts) -> Result<Status, Status> {
    let nodes = need(&facts.device_nodes, "the nodes in /dev")?;
    if let Some(path) = device_nodes::paths().find(|path| nodes.iter().all(|node| node.path != *path)) {
        return Err(Status::unknown(format!("what {path} is was not read")));
    }
    let wrong: Vec<String> = nodes.iter().filter_map(device_nodes::DeviceNode::wrong).collect();
    if wrong.is_empty() {
        return Ok(Status::met(device_nodes::paths().collect::<Vec<_>>().join(", ")));
    }
    let fix =
        "mt-agent apply makes them anew before anything else; by hand: mt-agent explain os.device-nodes";
    Ok(Status::unmet(wrong.join("; "), "the character devices of these names, root's, of mode 666", fix))
}

/// Makes them anew. Left to a person are a directory, as what it holds is not ours, and how /dev is mounted.
pub(in crate::steps) fn make(facts: &Facts) -> Remedy {
    let Fact::Known(nodes) = &facts.device_nodes else { return Remedy::None };
    let wrong = || nodes.iter().filter(|node| node.wrong().is_some());
    let is_left = |node: &&device_nodes::DeviceNode| matches!(node.kind, Kind::Directory | Kind::Closed);
    let made: Vec<String> = wrong().filter(|node| !is_left(node)).map(|node| node.path.clone()).collect();
    match wrong().find(is_left) {
        Some(node) if made.is_empty() && node.kind == Kind::Closed => {
            Remedy::Refused("mount -o remount,dev /dev, then mt-agent check".into())
        }
        Some(node) if made.is_empty() => Remedy::Refused(format!(
            "{path} is a directory: look at what it holds and move it away (mv {path} /root/), then mt-agent apply",
            path = node.path
        )),
        _ if made.is_empty() => Remedy::None,
        _ => Remedy::one(Change::MakeDeviceNodes { nodes: made }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::testing::{Judged, edit, ready};

    #[test]
    fn a_wrong_node_is_unmet_and_made_anew_and_a_directory_is_a_persons() {
        let mut host = Judged::ready("os.device-nodes");
        host.is("met: /dev/null, /dev/zero, /dev/full, /dev/random, /dev/urandom, /dev/tty");
        assert_eq!(host.remedy(), Remedy::None);
        let nodes = edit(&mut host.device_nodes);
        nodes[0].kind = Kind::File { bytes: 0 };
        nodes[0].mode = 0o644;
        nodes[1].kind = Kind::Missing;
        let outcome = host.outcome();
        let found = "unmet: /dev/null is an ordinary file of mode 644 (0 bytes); /dev/zero is missing |";
        assert!(outcome.starts_with(found), "{outcome}");
        let made = |nodes: &[&str]| {
            Remedy::one(Change::MakeDeviceNodes { nodes: nodes.iter().map(|path| (*path).into()).collect() })
        };
        assert_eq!(host.remedy(), made(&["/dev/null", "/dev/zero"]));
        edit(&mut host.device_nodes)[0].kind = Kind::Directory;
        assert_eq!(host.remedy(), made(&["/dev/zero"]));
        edit(&mut host.device_nodes)[1] = ready().1.device_nodes.known().unwrap()[1].clone();
        let Remedy::Refused(why) = host.remedy() else { panic!("not refused") };
        assert!(why.starts_with("/dev/null is a directory: "), "{why}");
        edit(&mut host.device_nodes)[0].kind = Kind::Closed;
        assert_eq!(host.remedy(), Remedy::Refused("mount -o remount,dev /dev, then mt-agent check".into()));
        edit(&mut host.device_nodes).remove(3);
        host.is("unknown: what /dev/random is was not read");
        host.device_nodes = Fact::not_read();
        host.starts("unknown: the nodes in /dev: ");
        assert_eq!(host.remedy(), Remedy::None);
    }
}
