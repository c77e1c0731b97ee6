"""Days in the life of a ready master target: what happens to it, what check then says, and whether its advice mends it.

Each event breaks one thing. Some are played at a time, of different requirements: one check has to tell all of them and
nothing else, the commands that it names are run, and the next check has to be ready again.
"""

import glob
import json
import os
import re
import subprocess
import sys
import time

from machine import AGENT, Machine, read, write

MOUNT_POINT = "/mnt/retention"
IDS = {}


def run(words):
    # Not DEVNULL: it is among what goes away.
    done = subprocess.run(["bash", "-c", words], input=b"", stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout.decode(errors="replace")


def must(words):
    status, said = run(words)
    if status:
        raise SystemExit(f"daytwo.py: {words}: exit status {status}\n{said}")
    return said


class Event:
    """`name`: what happened, by the commands `does`. `requirement` is then unmet, with `says` (an expression) in what was
    found; None: that is nobody's fault, and nothing is told. `mend` are commands that its advice names word for word; where a person has to think, the advice says
    `advice`, and `by_hand` is what follows from it."""

    def __init__(self, name, does, requirement, says, *mend, advice="", by_hand=(), status="unmet", recommended=False,
                 also=()):
        self.name, self.does, self.requirement, self.says, self.mend = name, does, requirement, says, mend
        self.advice, self.by_hand, self.status, self.recommended = advice, by_hand, status, recommended
        # What else is told because of it.
        self.also = also

    def wrong(self, finding):
        """What is otherwise than it should be."""
        if self.requirement is None:
            return []
        if finding is None:
            return ["it is met"]
        told, advice = text(finding, "found", "reason"), text(finding, "fix", "reason")
        wrong = [] if finding["status"] == self.status else [f"it is {finding['status']}, not {self.status}"]
        wrong += [] if re.search(self.says, told) else [f"it does not say {self.says!r}"]
        wrong += [] if self.advice in advice else [f"its advice does not say {self.advice!r}"]
        wrong += [f"its advice does not name {command!r}" for command in self.mend if command not in advice]
        return wrong and wrong + [json.dumps(finding, indent=1)]


def check():
    process = subprocess.run([AGENT, "check", "--format", "json"], input=b"", stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, check=False)
    try:
        return process.returncode, json.loads(process.stdout)
    except ValueError:
        raise SystemExit("daytwo.py: check: " + process.stderr.decode(errors="replace"))


def wanting(report):
    return {one["id"]: one for one in report["findings"] if one["status"] in ("unmet", "unknown", "restart-owed", "blocked")}


def text(finding, *keys):
    return "\n".join(finding.get(key) or "" for key in keys)


class Days:
    """A ready machine, and what was wanting before anything happened to it (a practice machine has little memory)."""

    def __init__(self, machine):
        self.machine = machine
        _, report = check()
        self.before = set(wanting(report))

    def wanting(self):
        status, report = check()
        return status, {name: one for name, one in wanting(report).items() if name not in self.before}

    def is_ready(self, what):
        status, left = self.wanting()
        self.machine.expect(what, [] if (status, left) == (0, {}) else
                            [f"exit status {status}"] + [f"{name}: {json.dumps(one)}" for name, one in left.items()])

    def play(self, events):
        for event in events:
            must(event.does)
        status, found = self.wanting()
        want = 0 if all(event.recommended or not event.requirement for event in events) else 1
        self.machine.expect("together they are " + ("not ready" if want else "still ready"),
                            [] if status == want else [f"exit status {status}"])
        for event in events:
            self.machine.expect(f"{event.name}: {event.requirement or 'nothing is wrong'}", event.wrong(found.pop(event.requirement, None)))
        along = {name for event in events for name in event.also}
        others = {name: one for name, one in found.items() if one["status"] != "blocked" and name not in along}
        self.machine.expect("nothing else is told", [f"{name}: {json.dumps(one)}" for name, one in others.items()])
        done = []
        # A person says yes, and answers at a terminal.
        ways = {command: command + " --yes" for command in (APPLY, REPAIR)}
        commands = dict.fromkeys(command for event in events for command in (*event.mend, *event.by_hand))
        # Last: it ends with a check.
        for command in sorted(commands, key=lambda command: command == APPLY):
            status, said = run(ways.get(command, f"{TERMINAL} {command}" if command.startswith("fsck") else command))
            done += [f"{command}: exit status {status}\n{said[:1500]}"] if status else []
        self.machine.expect("what the advice names can be done", done)
        if commands:
            self.is_ready("and then the machine is ready")



IFCFG = "/etc/sysconfig/network-scripts/ifcfg-eth0"
# SCSI IDs of the retention disk and of a customer's; their maps are of those names.
B, C = (must(f"/lib/udev/scsi_id --whitelisted --device=/dev/{disk}").strip() for disk in ("sdb", "sdc"))
SWAP, HOME = (must(f"blkid -p -s UUID -o value /dev/{partition}").strip() for partition in ("sda2", "sda4"))
APPLY, REPAIR = "mt-agent apply", "mt-agent state repair"
STATE = "/var/lib/mt-agent"
TERMINAL = "python3 -B /run/lab/terminal.py y"


def aside(path):
    """Not beside it: what lies in some directories is read whatever its name is."""
    return "/root/day" + path.replace("/", "%")


def edited(path, expression):
    """Keeps the file and edits it; that it was changed is looked at."""
    return f"{kept(path)} && sed -i '{expression}' {path} && ! cmp -s {path} {aside(path)}"


def kept(path):
    return f"cp -a {path} {aside(path)}"


def put_back(path):
    return (f"cp {aside(path)} {path}",)


DAYS = [
    [
        Event("/var/crash is unmounted", "umount /var/crash", "layout.var-crash", "not mounted, though line", "mount /var/crash"),
        Event("/home is unmounted", "umount /home", "layout.home", "not mounted, though line", "mount /home"),
        Event("swap is switched off", "swapoff -a", "layout.swap", "no swap is active, though line", "swapon -a"),
        Event("the volume is unmounted", "umount /mnt/retention", "retention.mounted", "nothing is mounted",
              "mount /mnt/retention"),
        Event("the resolver's file is emptied", edited("/etc/resolv.conf", "/^nameserver/d"), "network.dns", "names no server",
              advice='add "nameserver ADDRESS" to /etc/resolv.conf', by_hand=put_back("/etc/resolv.conf")),
        Event("/dev/null is removed", "rm /dev/null", "os.device-nodes", "/dev/null is missing", APPLY),
    ],
    [
        Event("the line of /home is gone", edited("/etc/fstab", "/ .home /d"), "layout.home", "has no line for /home",
              advice=f'one line "UUID={HOME} /home ext4 defaults 1 2"', by_hand=put_back("/etc/fstab")),
        Event("the interface is not started at boot", edited(IFCFG, "s/^ONBOOT=yes/ONBOOT=no/"), "network.static",
              "does not start on boot", advice="ONBOOT=yes", by_hand=put_back(IFCFG)),
        Event("the host's name is gone from hosts", edited("/etc/hosts", "/mt-lab/d"), "network.hosts-file", "does not map",
              advice='add to /etc/hosts: "10.0.2.15 mt-lab.example.test mt-lab"', by_hand=put_back("/etc/hosts")),
        Event("VMware Tools end", "pkill -x vmtoolsd", "hypervisor.tools", "does not run", advice="service vmtoolsd start",
              by_hand=("setsid vmtoolsd infinity >/run/lab/out/tools 2>&1 & sleep 1",)),
        Event("the volume turns read-only", "mount -o remount,ro /mnt/retention", "retention.unlocked", "read-only",
              "mount -o remount,rw /mnt/retention"),
    ],
    [
        Event("the line of swap is gone", edited("/etc/fstab", "/ swap /d"), "layout.swap", "no line of /etc/fstab activates",
              advice=f'add "UUID={SWAP} swap swap defaults 0 0" to /etc/fstab', by_hand=put_back("/etc/fstab")),
        Event("the host is called localhost", "hostname localhost", "os.hostname", "is localhost", advice="hostname NAME",
              by_hand=("hostname mt-lab.example.test",)),
        Event("/home turns read-only", "mount -o remount,ro /home", "layout.home", "mounted read-only",
              "mount -o remount,rw /home"),
        Event("something is mounted over the volume", "mount -t tmpfs none /mnt/retention", "retention.disk",
              "is mounted at /mnt/retention over", "umount /mnt/retention"),
        Event("the time zone's file is removed", f"{kept('/etc/localtime')} && rm /etc/localtime", "os.timezone",
              "no /etc/localtime", advice="to /etc/localtime", by_hand=put_back("/etc/localtime"), recommended=True),
    ],
    [
        Event("/home's line is by a name that moves", edited("/etc/fstab", "s,^UUID=[^ ]* */home ,/dev/sda4 /home ,"), "layout.home",
              "/dev/sda4, which can be another device", advice=f'"UUID={HOME} /home ext4 defaults 1 2"',
              by_hand=put_back("/etc/fstab")),
        Event("the disk of the volume is used for something else too", "mkdir -p /srv/also && mount --bind /mnt/retention /srv/also",
              "retention.dedicated", "mounted at /srv/also", "umount /srv/also"),
        Event("the volume is filled", "fallocate -l 39G /mnt/retention/a && ! dd if=/dev/zero of=/mnt/retention/b bs=1M",
              "retention.free", "0 % free", advice="du -xh", by_hand=("rm /mnt/retention/[ab]",)),
        Event("a package is removed", "rpm -e --nodeps rsync", "packages.base", "not installed: rsync", "mt-agent apply"),
        Event("the default boot entry is one that is not there", edited("/boot/grub/grub.conf", "s/^default=0/default=1/"),
              "layout.next-boot", "has no entry 1", advice="default=N", by_hand=put_back("/boot/grub/grub.conf")),
    ],
    [
        Event("multipath.conf gives short names", edited("/etc/multipath.conf", "s/user_friendly_names.*/user_friendly_names yes/"),
              "multipath.names", "user_friendly_names yes", "mt-agent apply", also=("multipath.running",)),
        Event("the line of the volume is gone", edited("/etc/fstab", "/retention/d"), "retention.persistent", "no line for",
              "mt-agent apply"),
        Event("something is mounted over /home", "mount -t tmpfs none /home", "layout.home", "is mounted at /home over", "umount /home"),
        Event("swap is made anew", f"swapoff -a && mkswap -U 5ee3b7a2-01f3-468f-94d1-e1124fa1ef5b /dev/sda2 && echo change >/sys/class/block/sda2/uevent && udevadm settle", "layout.swap",
              "no swap is active", advice="put UUID=5ee3b7a2-01f3-468f-94d1-e1124fa1ef5b in the place of",
              by_hand=(f"mkswap -U {SWAP} /dev/sda2 && echo change >/sys/class/block/sda2/uevent && udevadm settle", "swapon -a")),
    ],
    [
        Event("multipath.conf asks for several paths", edited("/etc/multipath.conf", "s/find_multipaths.*/find_multipaths yes/"),
              "multipath.finds", "find_multipaths yes", "mt-agent apply"),
        Event("the release is another one", edited("/etc/redhat-release", "s/6.6/6.7/"), "os.release", "release 6.7",
              advice="install CentOS release 6.6", by_hand=put_back("/etc/redhat-release")),
        Event("a disk is in fstab that is gone", edited("/etc/fstab", "$aUUID=dead-beef /data ext4 defaults 1 2"), "layout.next-boot",
              "leads to no device", advice="remove the line", by_hand=put_back("/etc/fstab")),
        Event("the file system of the volume has met errors",
              f"umount /mnt/retention && debugfs -w -R 'ssv error_count 3' /dev/mapper/{B} && mount /mnt/retention",
              "retention.alive", "has errors", "umount /mnt/retention", "fsck -f /dev/mapper/" + B, "mount /mnt/retention"),
    ],
    [
        Event("the root disk is not hidden any more", edited("/etc/multipath.conf", "/wwid/d"), "custom-changes.root-disk",
              "no wwid is blacklisted", "mt-agent apply"),
        Event("the volume's disk is offline",
              # Nothing may be under way: a commit that fails ends the journal.
              "mount -o remount,noinit_itable /mnt/retention && sync -f /mnt/retention && echo offline >/sys/block/sdb/device/state", "retention.alive", "sdb is offline",
              "echo running > /sys/block/sdb/device/state", also=("layout.next-boot", "layout.own-disks", "scsi.ids")),
        Event("the device mapper's package is removed", "rpm -e --nodeps device-mapper-multipath", "packages.multipath",
              "not installed", "mt-agent apply"),
    ],
    [
        Event("the customer's disk is in fstab by a name that moves", edited("/etc/fstab", "$a/dev/sdc /data ext4 defaults 0 0"),
              "layout.next-boot", "/dev/sdc", advice="put UUID=", by_hand=put_back("/etc/fstab")),
        Event("multipathd ends", "service multipathd stop", "multipath.running", "does not run", "mt-agent apply"),
        Event("a map over a disk is suspended", f"dmsetup suspend --noflush --nolockfs {B}", "retention.alive", "is suspended",
              f"dmsetup resume {B}", also=("layout.next-boot", "layout.own-disks")),
    ],
    [
        Event("multipathd is not started at boot", "chkconfig multipathd off", "multipath.running", "boot", "mt-agent apply"),
        Event("the volume's line is by a name that moves", edited("/etc/fstab", f"s,^/dev/mapper/{B},/dev/sdb,"), "retention.persistent",
              "/dev/sdb", advice="/dev/mapper/" + B, by_hand=put_back("/etc/fstab")),
    ],
    [
        Event("the volume's line is made a comment", edited("/etc/fstab", "s,^/dev/mapper/[0-9a-f]* /mnt/retention,#&,"),
              "retention.persistent", "comment", advice="#", by_hand=put_back("/etc/fstab")),
    ],
    [
        Event("the record of the volume is garbage", f"head -c 300 /dev/urandom >{STATE}/retention.json", "retention.disk",
              "retention.json", REPAIR, status="unknown"),
        Event("the record of the machine's identity is cut off", f"truncate -s 40 {STATE}/identity.json", "image.identity",
              "identity.json", REPAIR, status="unknown", also=("layout.own-disks",)),
    ],
    [
        Event("a customer's disk is detached", "echo 1 >/sys/block/sdc/device/delete && sleep 2 && udevadm settle", None, ""),
        Event("the journal's last line is torn", f"echo '{{\"at' >>{STATE}/journal.jsonl", None, ""),
        Event("the log is taken away", "rm /var/log/mt-agent.log", None, ""),
        Event("what was saved is taken away", f"rm -rf {STATE}/saved", None, ""),
        Event("the clock is set", "date -s '+1 hour'", None, ""),
    ],
    [
        Event("the customer's disk is attached again",
              "for host in /sys/class/scsi_host/*/scan; do echo - - - >$host; done && sleep 3 && udevadm settle", None, ""),
        Event("the clock is set back", "date -s '-1 hour'", None, ""),
        Event("the journal is taken away", f"rm {STATE}/journal.jsonl", None, ""),
    ],
]


def days(machine):
    life = Days(machine)
    events = 0
    for number, day in enumerate(DAYS, 1):
        print(f"\n--- day {number}", flush=True)
        life.play(day)
        events += len(day)
    print(f"\n  {events} events", flush=True)


days(Machine())
Machine.end()
