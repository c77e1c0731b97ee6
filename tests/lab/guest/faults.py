"""Lets system calls, files and tools fail under apply: faults.py POINTS SEED DISK (on the desk)

POINTS: how many places of each call that is made often; of those that alter something each one is tried.
"""

import collections
import os
import random
import re
import subprocess
import sys
import time

from machine import STATE, Machine, drop, pretend_restart, write

# Each place of these, with the errors in turn.
EACH = {
    "rename": ("EIO", "ENOSPC", "EACCES"),
    "fsync": ("EIO", "ENOSPC", "EINTR"),
    "fdatasync": ("EIO", "ENOSPC", "EINTR"),
    "mkdir": ("ENOSPC", "EACCES", "EIO"),
    "unlink": ("EIO", "EACCES"),
    "mknodat": ("EPERM", "ENOSPC"),
    "fchown": ("EIO", "EPERM"),
    "fchmod": ("EIO", "EPERM"),
    "ftruncate": ("EIO", "ENOSPC"),
    "flock": ("ENOLCK", "EINTR"),
    "mount": ("EIO", "EACCES", "ENOMEM"),
    "umount2": ("EBUSY",),
    "sync": ("EINTR",),
}
# Some places of these, each with each error.
SOME = {
    "openat": ("EACCES", "EIO", "ENOSPC", "EINTR", "EMFILE"),
    "write": ("ENOSPC", "EIO", "EINTR"),
    "read": ("EIO", "EINTR"),
    "ioctl": ("EIO", "ENOTTY", "EINTR"),
    "clone3": ("EAGAIN", "ENOMEM"),
    "pipe2": ("EMFILE",),
    "lseek": ("EIO",),
    "pread64": ("EIO",),
    "wait4": ("EINTR",),
    "waitid": ("EINTR",),
}


class Faults:
    """All faults in one part of the way."""

    def __init__(self, name, points, dice, disk):
        self.name = name
        self.want = 3 if name == "early" else 0
        self.points = points
        self.dice = dice
        self.machine = Machine(disk if name == "late" else None)
        self.tally = collections.Counter()
        self.problems = collections.defaultdict(list)

    def judge(self, kind, how, status, said, mend=None):
        """However it ended: no panic, a code that is documented, a reason, nothing torn; then it converges."""
        machine = self.machine
        machine.wait_for_orphans()
        self.tally[kind] += 1
        self.tally[f"exit {status}"] += 1
        wrong = []
        if "panicked" in said or status in (101, 134) or status < 0:
            wrong.append(f"it panicked or was ended by a signal ({status})")
        elif status == 127 and "error while loading shared libraries" in said:
            self.tally["before main"] += 1
        elif status not in (0, 1, 2, 3):
            wrong.append(f"exit status {status}")
        if status == 2:
            last = said.strip().splitlines()[-1] if said.strip() else ""
            lines = [line for line in said.splitlines() if line.startswith("mt-agent: ")]
            if not lines:
                wrong.append(f"it names no reason: {last}")
            elif not re.search(r"/|`|^mt-agent: [a-z]+(-[a-z]+)*[.][a-z-]+: ", lines[-1]):
                wrong.append(f"its reason names no object: {lines[-1]}")
            elif len(lines[-1]) > 2000:
                wrong.append(f"its reason is {len(lines[-1])} characters long: {lines[-1][:200]}")
        if status in (0, 3) and status != self.want:
            wrong.append(f"exit status {status}")
        wrong += machine.torn() + machine.vendor_problem(1)
        if mend:
            mend()
        if not wrong:
            wrong, questions = machine.converge(self.want)
            self.tally["questions"] += questions
            wrong += machine.torn()
        if wrong:
            self.problems[kind].append(f"{how}: " + "\n".join(wrong) + "\n  the run with the fault said:\n" + said[-1500:])

    def call_fails(self, call, number, error):
        self.machine.put_back()
        status, said = self.machine.apply(prefix=[
            "strace", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={number}"])
        self.judge(call, f"{call} number {number} gives {error}", status, said)

    def calls(self):
        machine = self.machine
        machine.put_back()
        status, said, found = machine.traced(",".join([*EACH, *SOME]))
        machine.expect(f"{self.name}: a run without faults exits {self.want} after {len(found)} calls",
                       [] if status == self.want else [said])
        for path in ("/etc/fstab", "/etc/multipath.conf", "/etc/bashrc"):
            machine.learn(path)
        counts = collections.Counter(name for name, _ in found)
        for call, errors in EACH.items():
            for number in range(1, counts[call] + 1):
                self.call_fails(call, number, errors[number % len(errors)])
            self.told(call)
        for call, errors in SOME.items():
            for error in errors:
                most = min(self.points, counts[call])
                for number in sorted(self.dice.sample(range(1, counts[call] + 1), most)):
                    self.call_fails(call, number, error)
            self.told(call)

    def told(self, kind):
        if self.tally[kind]:
            self.machine.expect(f"{self.name}: {kind}: {self.tally[kind]} faults, no panic, nothing torn, all mended",
                                self.problems[kind])

    def full_disk(self):
        """The agent's directory on a file system of so few pages: writes are cut short at each of their places."""
        machine = self.machine
        for pages in range(1, 7):
            machine.put_back()
            os.makedirs(STATE, exist_ok=True)
            kept = subprocess.run(["tar", "-C", STATE, "-c", "."], stdout=subprocess.PIPE, check=True).stdout
            subprocess.run(["mount", "-t", "tmpfs", "full", STATE], check=True)
            subprocess.run(["tar", "-C", STATE, "-x"], input=kept, check=True)
            used = os.statvfs(STATE)
            size = (used.f_blocks - used.f_bfree + pages) * used.f_frsize
            subprocess.run(["mount", "-o", f"remount,size={size}", STATE], check=True)
            status, said = machine.apply()

            def mend():
                left = subprocess.run(["tar", "-C", STATE, "-c", "."], stdout=subprocess.PIPE, check=True).stdout
                subprocess.run(["umount", STATE], check=True)
                subprocess.run(["tar", "-C", STATE, "-x"], input=left, check=True)

            self.judge("full disk", f"{STATE} has {pages} pages left", status, said, mend)

    def read_only(self, path):
        self.machine.put_back()
        subprocess.run(["mount", "--bind", path, path], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", path], check=True)
        status, said = self.machine.apply()
        self.judge("read-only", f"{path} is read-only", status, said,
                   lambda: subprocess.run(["umount", "-l", path], check=True))

    def tool(self, path, kind, content=None):
        """The tool at path is missing, or something else lies there."""
        machine = self.machine
        machine.put_back()
        os.rename(path, path + ".away")
        if content is not None:
            write(path, content)
            os.chmod(path, 0o755 if kind != "not executable" else 0o644)
        began = time.monotonic()
        status, said = machine.apply()

        def mend():
            drop(path)
            os.rename(path + ".away", path)

        if time.monotonic() - began > 60:
            self.problems["tools"].append(f"{path} {kind}: it took {time.monotonic() - began:.0f} s")
        self.judge("tools", f"{path} {kind}", status, said, mend)

    def tools(self, paths, hanging):
        noise = b"#!/bin/sh\nhead -c 20000000 /dev/urandom\nhead -c 20000000 /dev/urandom >&2\nexit %d\n"
        for path in paths:
            self.tool(path, "missing")
            self.tool(path, "not executable", b"#!/bin/sh\nexit 0\n")
            self.tool(path, "is no program", b"\x7fELF rubbish")
            self.tool(path, "does nothing", b"#!/bin/sh\nexit 0\n")
            self.tool(path, "is killed", b"#!/bin/sh\nkill -9 $$\n")
            self.tool(path, "fails with bytes that are no text", b"#!/bin/sh\nprintf '\\377\\033[31m\\n' >&2\nexit 9\n")
            self.tool(path, "prints megabytes", noise % 0)
            self.tool(path, "prints megabytes and fails", noise % 1)
        for path in hanging:
            self.tool(path, "hangs", b"#!/bin/sh\nsleep 600 &\nwait\n")

    def play(self):
        began = time.monotonic()
        self.machine.keep_state()
        for path in ("/etc/fstab", "/etc/multipath.conf", "/etc/bashrc"):
            self.machine.learn(path)
        self.calls()
        self.full_disk()
        self.told("full disk")
        for path in ("/etc", "/var/lib", "/var/log", "/mnt"):
            self.read_only(path)
        self.told("read-only")
        if self.name == "early":
            self.tools(("/usr/bin/yum", "/usr/bin/rpm", "/usr/bin/bash"), ("/usr/bin/yum", "/usr/bin/rpm"))
        else:
            self.tools(("/sbin/mkfs.ext4", "/sbin/blkid", "/usr/bin/udevadm"), ("/usr/bin/udevadm",))
        self.told("tools")
        self.machine.put_back()
        faults = sum(count for key, count in self.tally.items() if not key.startswith("exit") and key not in ("questions", "before main"))
        print(f"  {self.name}: {faults} faults, {dict(self.tally)}, {time.monotonic() - began:.0f} s", flush=True)


def main():
    points, seed, disk = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    print(f"  seed {seed}", flush=True)
    dice = random.Random(seed)
    # So that a tool that hangs is given up in a time that a test can wait for.
    with open("/etc/mt-agent/profile.yaml", "a", encoding="utf-8") as stream:
        stream.write("packages: {deadline: 5s}\n")
    Faults("early", points, dice, disk).play()
    Machine().apply()
    pretend_restart()
    Faults("late", points, dice, disk).play()
    Machine.end()


main()
