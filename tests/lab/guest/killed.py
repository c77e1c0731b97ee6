"""Ends apply by SIGKILL again and again: killed.py early|late|both LEAST MOST SECONDS SEED [DISK]

Once before every system call that alters something, in the middle of the vendor's script, then at random instants; each
time the next runs must converge.
early: packages and the vendor's script, before the restart. late: format, mount and fstab, after it.
Of each as many kills as there are seconds for, but LEAST at least and MOST at most.
"""

import collections
import os
import random
import select
import signal
import subprocess
import sys
import time

from machine import MARKER, Machine, pretend_restart, read

# What the agent's main thread alters the machine with.
CALLS = "fsync,fdatasync,rename,mkdir,unlink,mknodat,mount,umount2"
# What it may have started, for kills of the whole.
STARTED = "ApplyCustomChanges|^rpm|bin/rpm|bin/yum|mkfs|mke2fs|tee -a"
# What the vendor's script writes, in this order: as soon as one is there or has changed, it is in the middle of its way.
WRITTEN = ("/var/log/appliedmtcustomchanges.log", "/etc/bashrc", "/etc/multipath.conf", "/.blacklistrootdev", MARKER)


def ended_within(process, seconds):
    """Whether it ends by itself; told at once."""
    descriptor = os.pidfd_open(process.pid)
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def end(process, whole):
    process.kill()
    for _ in range(3 if whole else 0):
        subprocess.run(["pkill", "-KILL", "-f", STARTED], check=False)


class Family:
    """All kills in one part of the way."""

    def __init__(self, name, least, most, seconds, dice, disk):
        self.name = name
        self.least = least
        self.most = most
        self.until = time.monotonic() + seconds
        self.want = 3 if name == "early" else 0
        self.dice = dice
        self.machine = Machine(disk if name == "late" else None)
        self.tally = collections.Counter()
        self.problems = []
        # Seconds that a run takes which nobody ends.
        self.takes = 0

    def judge(self, how, status, said, whole):
        """After a kill: nothing is torn, and the next runs converge."""
        machine = self.machine
        wrong = []
        if status == -signal.SIGKILL:
            self.tally["kills"] += 1
        else:
            self.tally["too late"] += 1
            if status != self.want:
                wrong = [f"it ended by itself, with {status}, not {self.want}:", said]
        machine.wait_for_orphans()
        # What a killed mkfs left in memory is written some time: while that goes on, the disk is refused as in use.
        os.sync()
        # What the script was writing when it was killed with the agent is its own, and the agent has to ask.
        wrong += machine.torn(("/etc/multipath.conf",) if whole else ())
        wrong += machine.vendor_problem(1)
        if not wrong:
            wrong, questions = machine.converge(self.want)
            self.tally["questions"] += questions
            wrong += machine.torn()
        if wrong:
            self.problems.append(f"killed {how}: " + "\n".join(wrong))

    def at_call(self, name, number):
        inject = ["strace", "-o", "/dev/null", "-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={number}"]
        self.machine.put_back()
        status, said = self.machine.apply(prefix=inject)
        self.judge(f"before {name} number {number}", status, said, False)

    def at_file(self, path):
        """When the vendor's script has written it, with the script."""
        def killer(process):
            while read(path) == before and not ended_within(process, 0.001):
                pass
            end(process, True)

        self.machine.put_back()
        before = read(path)
        status, said = self.machine.apply(before=killer)
        self.judge(f"with the script when {path} had changed", status, said, True)

    def at_instant(self, whole):
        seconds = self.dice.uniform(0, self.takes)

        def killer(process):
            if ended_within(process, seconds):
                # The machine has become faster since.
                self.takes = time.monotonic() - began
            else:
                end(process, whole)

        self.machine.put_back()
        began = time.monotonic()
        status, said = self.machine.apply(before=killer)
        self.judge(f"after {seconds:.3f} s" + (", with what it had started" if whole else ""), status, said, whole)

    def learn(self):
        for path in ("/etc/fstab", "/etc/multipath.conf", "/etc/bashrc"):
            self.machine.learn(path)

    def whole_run(self):
        """One that nobody ends: what it takes now is what instants are drawn from."""
        self.machine.put_back()
        began = time.monotonic()
        status, said = self.machine.apply()
        self.takes = time.monotonic() - began
        return [] if status == self.want else [f"it exits {status}:", said]

    def whole_runs(self):
        """What a run calls that nobody ends."""
        machine = self.machine
        self.learn()
        # Twice: what the first one reads from the disk, the next ones find in memory.
        wrong = self.whole_run() + self.whole_run()
        machine.expect(f"a run that nobody ends exits {self.want}, after {self.takes:.2f} s", wrong)
        self.learn()
        machine.put_back()
        status, said, points = machine.traced(CALLS)
        machine.expect(f"it alters the machine by {len(points)} calls",
                       [] if status == self.want and len(points) > 10 else [f"it exits {status}:", said])
        return points

    def enough(self):
        # A run that has ended before is no kill.
        kills = self.tally["kills"]
        return kills >= self.most or kills >= self.least and time.monotonic() > self.until

    def at_instants(self):
        begun, left = self.tally["kills"], 3 * self.most
        while not self.enough() and left:
            # The machine may have become slower: the end of the way would be out of reach.
            if left % 10 == 0:
                self.problems += self.whole_run()
            left -= 1
            self.at_instant((self.tally["kills"] - begun) % 3 == 2)

    def play(self):
        began = time.monotonic()
        machine = self.machine
        machine.keep_state()
        points = self.whole_runs()
        most = max(1, self.most * 2 // 3)
        chosen = points if len(points) <= most else [points[i * len(points) // most] for i in range(most)]
        for name, number in chosen:
            self.at_call(name, number)
        at_calls = self.tally["kills"]
        for path in WRITTEN if self.name == "early" else ():
            self.at_file(path)
        self.at_instants()
        machine.put_back()
        kills = self.tally["kills"]
        machine.expect(f"{kills} kills ({at_calls} at calls): nothing was torn, each next run converged or asked",
                       self.problems)
        machine.expect(f"they are {self.least} or more, one at each of {len(chosen)} calls",
                       [] if kills >= self.least and at_calls == len(chosen) else [f"{self.tally}, {at_calls} at calls"])
        print(f"  {self.tally['questions']} questions about the vendor's script, {self.tally['too late']} kills came too "
              f"late, a run takes {self.takes:.2f} s, {time.monotonic() - began:.0f} s", flush=True)


def main():
    family, (least, most, seconds, seed) = sys.argv[1], map(int, sys.argv[2:6])
    disk = sys.argv[6] if len(sys.argv) > 6 else None
    print(f"  seed {seed}", flush=True)
    dice = random.Random(seed)
    for name in ("early", "late") if family == "both" else (family,):
        print(f"  {name}:", flush=True)
        if family == "both" and name == "late":
            Machine().apply()
            pretend_restart()
        Family(name, least, most, seconds, dice, disk).play()
    Machine.end()


main()
