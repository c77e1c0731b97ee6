"""Lets system calls, files and tools fail under apply: faults.py SOAK SECONDS SEED DISK (on the desk)

SOAK 1: faults of every kind, chosen evenly, as many as there are seconds for, two thirds of the number that each kind
names at the least. More: all of them.
early: packages and the vendor's script, before the restart. late: format, mount and fstab, after it.
"""

import collections
import errno
import os
import random
import re
import sys
import time

import breaks
from machine import STATE, Machine, pretend_restart

# Calls that alter something, with the errors that they give in turn.
ALTERING = {
    "rename": ("ENOSPC", "EIO", "EACCES"),
    "fsync": ("EIO", "ENOSPC", "EINTR"),
    "fdatasync": ("ENOSPC", "EIO", "EINTR"),
    "mkdir": ("ENOSPC", "EIO", "EACCES"),
    "unlink": ("EIO", "EACCES"),
    "mknodat": ("EACCES", "ENOSPC"),
    "fchown": ("EIO", "EACCES"),
    "fchmod": ("EIO", "EACCES"),
    "ftruncate": ("EIO", "ENOSPC"),
    "flock": ("ENOLCK", "EINTR"),
    "mount": ("EIO", "EACCES", "ENOSPC", "EINTR"),
    "umount2": ("EBUSY", "EINTR"),
    "sync": ("EINTR",),
    "write": ("ENOSPC", "EIO", "EACCES", "EINTR"),
}
# Calls of the main thread that look, wait and start: as above.
OTHER = {
    "openat": ("EACCES", "EIO", "ENOSPC", "EINTR", "EMFILE"),
    "read": ("EIO", "EINTR", "EACCES"),
    "ioctl": ("EIO", "ENOTTY", "EINTR", "EACCES"),
    "clone3": ("EAGAIN", "ENOMEM", "ENOSPC"),
    "pipe2": ("EMFILE", "ENFILE"),
    "lseek": ("EIO",),
    "pread64": ("EIO", "EINTR"),
    "wait4": ("EINTR",),
    "waitid": ("EINTR",),
}
ON_FILES = {"openat": ("EACCES", "EIO", "EINTR", "ENOSPC"), "read": ("EIO", "EINTR", "EACCES")}
# The tools of each part of the way, and calls of theirs that fail (`3+`: the third and all after it).
TOOLS = {
    "early": {
        "/usr/bin/yum": (),
        "/usr/bin/rpm": (("pwrite64", "2+", "ENOSPC"), ("openat", 9, "EIO"), ("read", 5, "EIO")),
        "/usr/bin/bash": (("write", 1, "ENOSPC"), ("clone", 2, "EAGAIN"), ("openat", 9, "EACCES")),
    },
    "late": {
        "/usr/sbin/mkfs.ext4": (("pwrite64,write", "3+", "EIO"), ("fsync", 1, "EIO"), ("ioctl", 1, "EIO"), ("openat", 4, "EACCES")),
        "/usr/sbin/blkid": (("read", 6, "EIO"), ("ioctl", 1, "EIO"), ("openat", 3, "EACCES")),
        "/usr/bin/udevadm": (("openat", 5, "EACCES"),),
    },
}
# By what a message names a tool: its name in short, or who uses it.
USERS = {
    "/usr/bin/bash": ("yum", "ApplyCustomChanges.sh"),
    "/usr/bin/yum": ("yum",),
    "/usr/bin/rpm": ("rpm",),
    "/usr/sbin/mkfs.ext4": ("mkfs",),
}
WHOLE = ("/etc/fstab", "/etc/multipath.conf", "/etc/bashrc")
# What the script was writing when a call of its own failed is its own, and the agent has to ask.
SCRIPTS_OWN = WHOLE[1:]
# No run here may take longer: what hangs is given up sooner. Seconds, on a machine that is busy with other things.
LONGEST = 110
# For whoever looks into one: a regular expression for the faults to try, and what each run said.
ONLY = os.environ.get("MT_LAB_ONLY")

Fault = collections.namedtuple("Fault", "kind how context objects")


def evenly(faults, most, offset):
    """At most so many of them, at even distances."""
    if len(faults) <= most:
        return faults
    return [faults[(index * len(faults) + offset % len(faults)) // most % len(faults)] for index in range(most)]


class Family:
    """All faults in one part of the way."""

    def __init__(self, name, soak, dice, disk):
        self.name = name
        self.want = 3 if name == "early" else 0
        self.all = soak > 1
        self.dice = dice
        self.machine = Machine(disk if name == "late" else None)
        self.tally = collections.Counter()
        self.problems = collections.defaultdict(list)
        self.harmless = set()
        self.missed = []
        self.longest = (0, "none")

    # Which faults there are

    def learn(self):
        """Two runs without faults: what the main thread calls, and which files any thread opens."""
        machine = self.machine
        for path in WHOLE:
            machine.learn(path)
        machine.put_back()
        self.harmless.add(machine.fingerprint())
        # poll is the first call of a Rust program; what comes before is the loader's.
        status, said, calls = machine.traced(",".join([*ALTERING, *OTHER, "poll"]))
        begin = collections.Counter(name for name, _ in calls[:[name for name, _ in calls].index("poll")])
        calls = [(name, number) for name, number in calls if number > begin[name]]
        machine.expect(f"{self.name}: a run without faults exits {self.want} after {len(calls)} calls",
                       [] if status == self.want else [said])
        for path in WHOLE:
            machine.learn(path)
        machine.put_back()
        status, _ = machine.apply(prefix=["strace", "-f", "-o", breaks.TRACE, "-e", "trace=openat,execve"])
        machine.expect(f"{self.name}: so does one with all its threads traced", [] if status == self.want else [str(status)])
        return calls, opened()

    def faults(self):
        """All of them, by kind: (how many a test run plays at most, faults)."""
        calls, files = self.learn()
        for table, most in ((ALTERING, 3), (OTHER, 2)):
            for name, errors in table.items():
                yield most, [
                    Fault(name, f"{name} number {number} gives {error}", lambda n=name, m=number, e=error: breaks.call(n, m, e),
                          breaks.injected)
                    for called, number in calls if called == name
                    for error in (errors if self.all and table is ALTERING else (errors[number % len(errors)],))
                ]
        for name, errors in ON_FILES.items():
            yield 6, [
                Fault(f"{name} on files", f"{name} on {path} gives {error}",
                      lambda p=path, n=name, e=error: breaks.on_file(p, n, e), breaks.injected)
                for index, path in enumerate(path for path in files if name != "read" or os.path.isfile(path))
                for error in (errors[index % len(errors)],)
            ]
        yield 6, [
            Fault("full disks", f"{path} has room for {room} bytes", lambda p=path, r=room: breaks.full(p, r), None)
            for path in (STATE, "/var/log", "/etc") for room in (0, 4096, 8192, 12288)
        ]
        yield 4, [
            Fault("file size limits", f"no file may have more than {size} bytes", lambda s=size: breaks.limited(s), None)
            for size in (0, 60, 500, 1500, 2500, 3500, 5000, 200_000)
        ]
        yield 9, [
            Fault("read-only", f"{path} is read-only", lambda p=path: breaks.read_only(p), None)
            for path in ("/etc", "/var/lib", "/var/log", "/mnt")
        ]
        tools = TOOLS[self.name]
        yield 3, [
            Fault("execve of tools", f"{path} cannot be executed: {error}",
                  lambda p=path, e=error: breaks.execution(p, e), breaks.injected)
            for path in tools for error in ("EIO", "EACCES", "ENOMEM", "ENOEXEC")
        ]
        yield 6, [
            Fault("calls of tools", f"{name} number {number} of {path} gives {error}",
                  lambda p=path, c=(name, number, error): breaks.in_tool(p, *c), lambda p=path: users(p, breaks.injected()))
            for path, calls in tools.items() for name, number, error in calls
        ]
        for ruin, options in breaks.RUINS.items():
            yield len(tools) if ruin == "hangs" else 1, [
                Fault(f"a tool that {ruin}", f"{path} {ruin}", lambda p=path, o=options: breaks.tool(p, **o),
                      lambda p=path: users(p, set()))
                for path in tools
            ]

    # What must come of each

    def reason(self, fault, status, said, objects):
        """What is wrong with the exit status, and with how it is explained."""
        wrong = []
        if "panicked" in said or status in (101, 134) or status < 0:
            wrong.append(f"it panicked or was ended by a signal ({status})")
        elif status not in (1, 2, self.want):
            wrong.append(f"exit status {status}")
        # Not ready: the report says what cannot be determined, and why.
        error = re.search(r"gives (E[A-Z]+)$", fault.how)
        # A thread that cannot be started is told to try again, whatever the reason (pthread_create).
        codes = [error[1], *(["EAGAIN"] if fault.kind == "clone3" else [])] if error else []
        words = [os.strerror(getattr(errno, code)) for code in codes]
        words += [os.path.basename(path) for path in objects if path]
        # Its lines have 80 columns.
        if status == 1 and words and not any(word in " ".join(said.split()) for word in words):
            wrong.append(f"its report has none of {words}")
        if status == 2:
            lines = [line for line in said.splitlines() if line.startswith("mt-agent: ")]
            told = lines[-1] if lines else ""
            if not told:
                wrong.append("it names no reason")
            elif not named(told, objects):
                wrong.append(f"its reason names none of {sorted(objects)}: {told}")
            elif len(told) > 2000:
                wrong.append(f"its reason is {len(told)} characters long: {told[:200]}")
        return wrong

    def play(self, fault):
        machine = self.machine
        machine.put_back()
        began = time.monotonic()
        with fault.context() as prefix:
            status, said = machine.apply(prefix=prefix)
            took = time.monotonic() - began
            machine.wait_for_orphans()
            objects = fault.objects() if fault.objects else {""}
        if objects is None:
            self.missed.append(fault.how)
            return
        self.tally["faults"] += 1
        self.tally[f"exit {status}"] += 1
        wrong = self.reason(fault, status, said, objects)
        self.longest = max(self.longest, (took, fault.how))
        if took > LONGEST:
            wrong.append(f"it took {took:.0f} s")
        # The script's own tools meet these too, and write on.
        of_script = fault.kind in ("calls of tools", "full disks", "file size limits") or fault.kind.endswith(" on files")
        wrong += machine.torn(SCRIPTS_OWN if of_script else ())
        wrong += machine.vendor_problem(1)
        # Where nothing at all was changed, the next run is the one that was seen at the beginning.
        if not wrong and machine.fingerprint() not in self.harmless:
            wrong, questions = machine.converge(self.want)
            self.tally["questions"] += questions
            self.tally["runs after"] += 1
            wrong += machine.torn(SCRIPTS_OWN)
        if wrong:
            self.problems[fault.kind].append(
                f"{fault.how}: " + "\n".join(wrong) + f"\n  the run with the fault exited {status} and said:\n" + said[-1500:])
        if ONLY:
            print(f"    {fault.how}: exit {status} after {took:.1f} s, {sorted(objects)}\n{said}", flush=True)

    def chosen(self):
        """The faults to play, by kind."""
        for most, faults in self.faults():
            if ONLY:
                yield [fault for fault in faults if re.search(ONLY, fault.how)]
            else:
                yield faults if self.all else evenly(faults, most, self.dice.randrange(1000))

    def play_all(self, seconds):
        began = time.monotonic()
        machine = self.machine
        machine.keep_state()
        kinds = list(self.chosen())
        wanted, played = sum(map(len, kinds)), 0
        for chosen in kinds:
            before = self.tally["faults"]
            # In another order than theirs: what is left out is not always the last.
            for index, fault in enumerate(self.dice.sample(chosen, len(chosen))):
                late = time.monotonic() - began > seconds * (played + index) / wanted
                if late and index >= len(chosen) * 2 / 3 and not self.all and not ONLY:
                    self.tally["left out"] += 1
                    continue
                self.play(fault)
            played += len(chosen)
            if self.tally["faults"] > before:
                kind = chosen[0].kind
                machine.expect(f"{self.name}: {kind}: {self.tally['faults'] - before} faults: no panic, nothing torn, the "
                               "object named, mended by the next run", self.problems.pop(kind, []))
        machine.put_back()
        print(f"  {self.name}: {dict(self.tally)}, {time.monotonic() - began:.0f} s; the longest, {self.longest[0]:.0f} s of at most "
              f"{LONGEST}: {self.longest[1]}; never came: {'; '.join(self.missed) or 'none'}", flush=True)
        return self.tally["faults"]


def users(tool, objects):
    """With the names of a tool; None: nothing failed."""
    return None if objects is None else objects | {tool, *USERS.get(tool, ())}


def named(told, objects):
    """Whether a reason names what failed: the file, what it was to replace, a directory above it; or a command."""
    if re.search(r"`[^`]+`", told):
        return True
    # A link says it as well: /sys/block/sda/ro.
    if objects & {os.path.realpath(place) for place in re.findall(r"/[^ :;,]+", told)}:
        return True
    if objects == {""}:
        # Which file it was is not known here: any, or the change that failed.
        return "/" in told or "standard output" in told or "starting a thread" in told or re.match(r"mt-agent: [a-z]+(-[a-z]+)*[.][a-z-]+: ", told)
    for path in objects:
        path = re.sub(r"^/proc/[0-9]+/", "/proc/self/", path)
        # Our own node of a device is told by the device's name.
        path = re.sub(r"^/dev/[.]mt-agent-[^/]+/", "/dev/mapper/", path)
        directory, name = os.path.split(path)
        places = [path, f"{directory}/" + re.sub(r"^[.](.*)[.]mt-agent-new$", r"\1", name), directory]
        # In a directory that is ours, what lies deeper goes by its own name.
        places += [path[:at.start()] for at in re.finditer("/", path) if path.count("/", 0, at.start()) > 2]
        if any(place in told for place in places if len(place) > 1):
            return True
        # What was opened from there goes by its own name.
        if path == "/" and "/" in told:
            return True
    return False


def opened():
    """The files that the agent's own threads opened, in the order of the trace; not those of the programs it started."""
    with open(breaks.TRACE, encoding="utf-8", errors="replace") as stream:
        lines = [line.split(None, 1) for line in stream]
    agent = lines[0][0]
    started = {pid for pid, line in lines if line.startswith("execve(") and pid != agent}
    files = {}
    for pid, line in lines:
        found = re.match(r'openat\([^,]*, "(/[^"]*)"', line)
        if found and pid not in started and " = -1 " not in line:
            # What the loader and the standard library open, and other processes' files, are not the same each time.
            if not re.match(r"/(usr/)?lib|/etc/ld[.]so|/proc/(\d|self/(fd|maps))|/dev/[.]|/sys/fs/cgroup|/$", found[1]):
                files[found[1]] = True
    return sorted(files)


def main():
    soak, seconds, seed = map(int, sys.argv[1:4])
    disk = sys.argv[4]
    print(f"  seed {seed}", flush=True)
    dice = random.Random(seed)
    faults = Family("early", soak, dice, disk).play_all(seconds)
    Machine().apply()
    pretend_restart()
    faults += Family("late", soak, dice, disk).play_all(seconds)
    if not ONLY:
        Machine().expect(f"{faults} faults in all, a hundred or more", [] if faults >= 100 else ["too few"])
    Machine.end()


main()
