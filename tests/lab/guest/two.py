"""Two at once: two.py (on the desk)"""

import json
import os
import re
import select
import signal
import subprocess
import time

from machine import AGENT, STATE, Machine, read, write

LOCK = "/var/run/mt-agent.lock"
SLOW_YUM = """#!/bin/bash
# Stops the run in the middle of a change until it is let go on.
while [ ! -e /run/lab/go ]; do sleep 0.05; done
exec /usr/bin/yum.quick "$@"
"""


def run(*arguments):
    done = subprocess.run([AGENT, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, timeout=600)
    return done.returncode, done.stdout.decode(errors="replace")


def start():
    return subprocess.Popen([AGENT, "apply", "--yes"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)


def intent_written():
    until = time.monotonic() + 600
    while b'"intent"' not in (read(STATE + "/journal.jsonl") or b""):
        if time.monotonic() > until:
            raise SystemExit("two.py: the first run does not begin")
        time.sleep(0.02)


def heard(process, words):
    """What it says until it has said these words, or for ten minutes."""
    said, until = b"", time.monotonic() + 600
    while words not in said and select.select([process.stdout], [], [], max(0, until - time.monotonic()))[0]:
        piece = os.read(process.stdout.fileno(), 4096)
        if not piece:
            break
        said += piece
    return said


def holds(machine, text, condition, said):
    machine.expect(text, [] if condition else [said])


def one_works_the_other_says_who(machine):
    first = start()
    intent_written()
    status, said = run("apply", "--yes")
    boot_id = (read("/proc/sys/kernel/random/boot_id") or b"").decode().strip()
    wanted = rf"another run is in progress \(pid {first.pid}, apply, since \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ, boot {boot_id}\)"
    holds(machine, "a second apply exits 2 and says who holds the lock, since when, in which boot",
          status == 2 and re.search(wanted, said), said)
    before = read(STATE + "/journal.jsonl")
    for verb in ("check", "plan"):
        status, said = run(verb)
        holds(machine, f"{verb} works meanwhile and says that a run is in progress",
              status == 1 and f"pid {first.pid}" in said and "in progress" in said, f"exit {status}: {said}")
    status, said = run("check", "--format", "json")
    holds(machine, "check --format json is one document meanwhile",
          status == 1 and json.loads(said[said.index("{"):said.rindex("}") + 1])["verdict"] == "not-ready", said)
    holds(machine, "none of them wrote to the journal", before == read(STATE + "/journal.jsonl"), "it did")
    write("/run/lab/go", b"")
    said, _ = first.communicate(timeout=600)
    holds(machine, "the first goes on undisturbed and exits 3", first.returncode == 3, said.decode())
    holds(machine, "the vendor's script ran once", machine.vendor_runs() == 1, str(machine.vendor_runs()))


def many_at_the_same_instant(machine):
    write("/run/lab/go", b"")
    machine.put_back()
    runs = [start() for _ in range(8)]
    said = [process.communicate(timeout=600)[0].decode() for process in runs]
    codes = sorted(process.returncode for process in runs)
    worked = [code for code in codes if code == 3]
    refused = [text for process, text in zip(runs, said) if process.returncode == 2]
    holds(machine, "of eight at the same instant at least one works, and each other one is told why not",
          worked and len(worked) + len(refused) == 8 and all("another run is in progress" in text for text in refused),
          f"{codes}\n" + "\n".join(refused))
    holds(machine, "the vendor's script ran once", machine.vendor_runs() == 1, str(machine.vendor_runs()))
    lines = (read(STATE + "/journal.jsonl") or b"").splitlines()
    begun = {json.loads(line)["pid"] for line in lines if json.loads(line)["event"] == "begin"}
    intents = {json.loads(line)["pid"] for line in lines if json.loads(line)["event"] == "intent"}
    holds(machine, "the journal has one run's intents", len(intents) == 1 and begun >= intents, f"{begun} {intents}")


def a_dead_holder_does_not_block(machine):
    os.remove("/run/lab/go")
    machine.put_back()
    first = start()
    intent_written()
    first.kill()
    first.communicate()
    holds(machine, "the lock still names the killed run", f"pid {first.pid}," in (read(LOCK) or b"").decode(), str(read(LOCK)))
    status, said = run("check")
    holds(machine, "check does not take a dead run for one that is in progress", "in progress" not in said, said)
    write("/run/lab/go", b"")
    machine.wait_for_orphans()
    status, said = run("apply", "--yes")
    holds(machine, "the next apply works", status == 3, said)
    # A lock file that a run of another boot left, with the id of a process that lives.
    machine.put_back()
    write(LOCK, f"pid {os.getpid()}, apply, since 2026-01-01T00:00:00Z, boot 0\n".encode())
    status, said = run("apply", "--yes")
    holds(machine, "a lock file alone does not block", status == 3, said)


def a_signal_ends_it_after_the_change(machine):
    os.remove("/run/lab/go")
    machine.put_back()
    first = start()
    intent_written()
    first.send_signal(signal.SIGTERM)
    # The change may be over before another thread of a busy machine has seen the signal.
    said = heard(first, b"ending after the change that is under way")
    write("/run/lab/go", b"")
    said += first.communicate(timeout=600)[0]
    holds(machine, "SIGTERM ends it after the change under way: exit 2, recorded, run again to resume",
          first.returncode == 2 and b"interrupted" in said and b'"interrupted"' in read(STATE + "/journal.jsonl"),
          f"{first.returncode} {said.decode()}")
    status, said = run("apply", "--yes")
    holds(machine, "the next apply resumes", status == 3 and machine.vendor_runs() == 1, said)


machine = Machine()
os.rename("/usr/bin/yum", "/usr/bin/yum.quick")
write("/usr/bin/yum", SLOW_YUM.encode())
os.chmod("/usr/bin/yum", 0o755)
machine.keep_state()
one_works_the_other_says_who(machine)
many_at_the_same_instant(machine)
a_dead_holder_does_not_block(machine)
a_signal_ends_it_after_the_change(machine)
Machine.end()
