"""Two hundred checks of a ready machine, one after the other: they change nothing and leave nothing behind: checks.py DISK"""

import os
import subprocess
import sys
import time

from machine import AGENT, Machine, mounted, pretend_restart, processes, read

ROUNDS = 200
# Where programs leave what they forget.
PLACES = ["/", "/dev", "/dev/shm", "/etc", "/root", "/run", "/tmp", "/var/lib", "/var/lib/mt-agent", "/var/log", "/var/run", "/var/tmp"]


def left(machine):
    """What could be more, or other, after a check."""
    ours = [line for line in processes() if str(os.getpid()) != line.split()[0]]
    found = {"processes": sorted(ours), "mounts": mounted(), "what can be put back": machine.fingerprint(),
             "log": read("/var/log/mt-agent.log"), "lock": os.path.exists("/var/run/mt-agent.lock")}
    for place in PLACES:
        found[place] = sorted((entry.name, entry.stat(follow_symlinks=False).st_ctime_ns)
                              for entry in os.scandir(place)) if os.path.isdir(place) else None
    for kind in ("sem", "shm", "msg"):
        found["System V " + kind] = read(f"/proc/sysvipc/{kind}")
    return found


def main():
    machine = Machine(sys.argv[1])
    machine.keep_state()
    machine.put_back()
    for want in (3, 0):
        status, said = machine.apply()
        machine.expect(f"apply exits {want}", [] if status == want else [f"it exits {status}:", said])
        if want == 3:
            pretend_restart()
    before, began, statuses = left(machine), time.monotonic(), {}
    for _ in range(ROUNDS):
        done = subprocess.run([AGENT, "check"], input=b"", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        statuses.setdefault(done.returncode, done.stdout.decode(errors="replace"))
    took = time.monotonic() - began
    machine.expect(f"{ROUNDS} checks exit 0 ({took:.0f} s)",
                   [f"exit status {status}:\n{said}" for status, said in statuses.items() if status])
    after = left(machine)
    machine.expect("they change nothing and leave nothing behind",
                   [f"{what}:\n{before[what]}\nand then:\n{after[what]}" for what in before if before[what] != after[what]])
    machine.apply("--retention-disk", "no such disk")
    machine.expect("what a run of apply leaves would have been seen", [] if left(machine) != after else ["it was not"])
    Machine.end()


main()
