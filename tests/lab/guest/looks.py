"""After a loss of power: is anything torn? Then apply until it is through: looks.py DISK_ID"""

import json
import os
import re
import sys
import time

from machine import MARKER, QUESTION, RUNS, STATE, Machine, read, write

BEFORE = "/root/fstab.before"
RERUNS = "/root/reruns"
disk_id = sys.argv[1]


def fstab():
    before, now = read(BEFORE).decode(), read("/etc/fstab").decode(errors="replace")
    ours = f"# mt-agent keeps the next line: the retention volume on /mnt/retention\n/dev/mapper/{disk_id} /mnt/retention ext4 rw,nofail 0 0\n"
    return [] if now in (before, before + ours) else [f"/etc/fstab is torn: {now!r}"]


def multipath_is_whole():
    text = (read("/etc/multipath.conf") or b"").decode(errors="replace")
    return text.endswith("}\n") and 'wwid "' in text and text.count("{") == text.count("}")


def multipath():
    if not os.path.exists("/etc/multipath.conf") or multipath_is_whole():
        return []
    # What the vendor's script was writing is its own: as long as nobody takes it for done.
    record = json.loads(read(STATE + "/custom-changes.json") or b"{}")
    if record.get("outcome") == "started":
        return []
    return [f"/etc/multipath.conf is torn: {read('/etc/multipath.conf')!r}, and the record is {record}"]


def journal():
    """A torn line is the last one of its boot."""
    wrong, torn, boot = [], None, None
    for number, line in enumerate((read(STATE + "/journal.jsonl") or b"").split(b"\n"), 1):
        if not line:
            continue
        try:
            entry = json.loads(line)
        except ValueError:
            torn = number
            continue
        if torn and entry["boot_id"] == boot:
            wrong.append(f"line {torn} of the journal is torn, and the same boot wrote after it")
        torn, boot = None, entry["boot_id"]
    return wrong


def records():
    wrong = []
    for name in os.listdir(STATE) if os.path.isdir(STATE) else []:
        if name.endswith(".json") and not name.startswith("."):
            try:
                json.loads(read(f"{STATE}/{name}"))
            except ValueError:
                wrong.append(f"{name} is torn: {read(STATE + '/' + name)!r}")
    return wrong


def reruns():
    return int(read(RERUNS) or b"0")


def runs():
    count = len((read(RUNS) or b"").split())
    return [f"the vendor's script ran {count} times"] if count > 1 + reruns() else []


def through(machine):
    """(status, problems): a person answers the one question."""
    said = ""
    for _ in range(5):
        status, said = machine.apply(seconds=300)
        if status in (0, 3):
            return status, runs()
        if QUESTION not in said:
            break
        if os.path.exists(MARKER) and multipath_is_whole():
            decision = "accept"
        else:
            decision = "rerun"
            write(RERUNS, str(reruns() + 1).encode())
            os.sync()
        print(f"  a person says: {decision}", flush=True)
        status, said = machine.apply(f"--custom-changes={decision}", seconds=300)
        if status in (0, 3):
            return status, runs()
    return status, [f"apply ended with {status}", said]


machine = Machine()
machine.expect("fstab, multipath.conf, journal and records are whole", fstab() + multipath() + journal() + records() + runs())
print("LAB-APPLY", flush=True)
began = time.monotonic()
status, problems = through(machine)
print(f"LAB-TOOK {time.monotonic() - began:.1f}", flush=True)
machine.expect(f"apply is through with exit {status}", problems + fstab() + multipath() + journal() + records())
Machine.end()
