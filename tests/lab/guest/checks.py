"""Two hundred checks of a ready machine, one after the other: they change nothing and leave nothing behind: checks.py DISK"""

import os
import subprocess
import sys
import time

from machine import AGENT, FILES, MOUNT_POINT, TREES, Machine, mounted, pretend_restart, processes, read

ROUNDS = 200
# Where programs leave what they forget.
PLACES = ["/", "/dev", "/dev/shm", "/etc", "/root", "/run", "/tmp", "/var/lib", "/var/lib/mt-agent", "/var/log", "/var/run", "/var/tmp"]


def contents():
    """All that apply and the vendor's script write, and what lies on the volume. rpm's own -shm and -wal come and go with
    every reader of its database."""
    found = {}
    for top in [*FILES, *TREES, MOUNT_POINT]:
        below = [f"{directory}/{name}" for directory, _, names in os.walk(top) for name in names]
        for path in [top, *below]:
            if os.path.lexists(path) and not path.endswith(("-shm", "-wal")):
                found[path] = (os.lstat(path).st_mtime_ns, os.lstat(path).st_mode, read(path) if os.path.isfile(path) else None)
    return found


def left():
    """What could be more, or other, after a check."""
    ours = [line for line in processes() if str(os.getpid()) != line.split()[0]]
    found = {"processes": sorted(ours), "mounts": mounted(), "files": contents()}
    for place in PLACES:
        found[place] = sorted(os.listdir(place)) if os.path.isdir(place) else None
    for kind in ("sem", "shm", "msg"):
        found["System V " + kind] = read(f"/proc/sysvipc/{kind}")
    return found


def difference(before, after):
    if isinstance(before, dict):
        return [path for path in {**before, **after} if before.get(path) != after.get(path)]
    return f"{before}\nand then:\n{after}"


def main():
    machine = Machine(sys.argv[1])
    machine.keep_state()
    machine.put_back()
    for want in (3, 0):
        status, said = machine.apply()
        machine.expect(f"apply exits {want}", [] if status == want else [f"it exits {status}:", said])
        if want == 3:
            pretend_restart()
    before, began, statuses = left(), time.monotonic(), {}
    for _ in range(ROUNDS):
        done = subprocess.run([AGENT, "check"], input=b"", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        statuses.setdefault(done.returncode, done.stdout.decode(errors="replace"))
    after, took = left(), time.monotonic() - began
    machine.expect(f"{ROUNDS} checks exit 0 ({took:.0f} s)",
                   [f"exit status {status}:\n{said}" for status, said in statuses.items() if status])
    machine.expect("they change nothing and leave nothing behind",
                   [f"{what}: {difference(before[what], after[what])}" for what in before if before[what] != after[what]])
    machine.apply("--retention-disk", "no such disk")
    machine.expect("what a run of apply leaves would have been seen", [] if left() != after else ["it was not"])
    Machine.end()


main()
