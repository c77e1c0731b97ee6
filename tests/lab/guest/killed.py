"""Ends apply by SIGKILL again and again: killed.py early|late|both ROUNDS SEED [DISK]

Once before every system call that alters something, then at random instants; each time the next runs must converge.
early: packages and the vendor's script, before the restart. late: format, mount and fstab, after it.
"""

import collections
import random
import signal
import subprocess
import sys
import time

from machine import Machine, pretend_restart

# What the agent's main thread alters the machine with.
CALLS = "fsync,fdatasync,rename,mkdir,unlink,mknodat,mount,umount2"


class Family:
    """All kills in one part of the way."""

    def __init__(self, name, rounds, dice, disk):
        self.want = 3 if name == "early" else 0
        self.rounds = rounds
        self.dice = dice
        self.machine = Machine(disk if name == "late" else None)
        self.tally = collections.Counter()
        self.problems = []

    def judge(self, how, status, whole):
        """After a kill: nothing is torn, and the next runs converge."""
        machine = self.machine
        self.tally["kills" if status in (-signal.SIGKILL, 137) else "missed"] += 1
        machine.wait_for_orphans()
        # Where the script was killed with the agent, what it was writing is its own, and the agent has to ask.
        wrong = machine.torn(("/etc/multipath.conf", "/etc/bashrc") if whole else ())
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
        status, _ = self.machine.apply(prefix=inject)
        self.judge(f"before {name} number {number}", status, False)

    def at_instant(self, seconds, whole):
        started = "ApplyCustomChanges|^rpm|bin/rpm|bin/yum|mkfs|mke2fs|tee -a"

        def killer(process):
            time.sleep(seconds)
            process.kill()
            for _ in range(3 if whole else 0):
                subprocess.run(["pkill", "-KILL", "-f", started], check=False)

        self.machine.put_back()
        status, _ = self.machine.apply(before=killer)
        self.judge(f"after {seconds:.3f} s" + (", with what it had started" if whole else ""), status, whole)

    def learn(self):
        for path in ("/etc/fstab", "/etc/multipath.conf", "/etc/bashrc"):
            self.machine.learn(path)

    def whole_runs(self):
        """How long a run takes that nobody ends, and what it calls."""
        machine = self.machine
        self.learn()
        took = []
        # Twice: what the first one reads from the disk, the next ones find in memory.
        for _ in range(2):
            machine.put_back()
            began = time.monotonic()
            status, said = machine.apply()
            took.append(time.monotonic() - began)
        takes = min(took)
        machine.expect(f"a run that nobody ends exits {self.want}, after {takes:.1f} s",
                       [] if status == self.want else [said])
        self.learn()
        machine.put_back()
        status, said, points = machine.traced(CALLS)
        machine.expect(f"it alters the machine by {len(points)} calls",
                       [] if status == self.want and len(points) > 10 else [said])
        return takes, points

    def play(self):
        began = time.monotonic()
        machine = self.machine
        machine.keep_state()
        takes, points = self.whole_runs()
        most = max(1, self.rounds * 2 // 3)
        chosen = points if len(points) <= most else [points[i * len(points) // most] for i in range(most)]
        for name, number in chosen:
            self.at_call(name, number)
        for number in range(self.rounds - len(chosen)):
            self.at_instant(self.dice.uniform(0, takes), number % 3 == 2)
        machine.put_back()
        kills = self.tally["kills"]
        machine.expect(f"{kills} kills ({len(chosen)} at calls): nothing was torn, each next run converged or asked",
                       self.problems)
        machine.expect("most runs were killed before they had ended",
                       [] if kills > self.rounds / 2 else [f"{self.tally}"])
        print(f"  {self.tally['questions']} questions about the vendor's script, {self.tally['missed']} kills missed, "
              f"{time.monotonic() - began:.0f} s", flush=True)


def main():
    family, rounds, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    disk = sys.argv[4] if len(sys.argv) > 4 else None
    print(f"  seed {seed}", flush=True)
    dice = random.Random(seed)
    for name in ("early", "late") if family == "both" else (family,):
        print(f"  {name}:", flush=True)
        if family == "both" and name == "late":
            Machine().apply()
            pretend_restart()
        Family(name, rounds, dice, disk).play()
    Machine.end()


main()
