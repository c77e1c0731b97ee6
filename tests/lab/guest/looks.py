"""After a loss of power: is anything torn? Then apply until it is through: looks.py DISK_ID"""

import json
import os
import re
import subprocess
import sys
import threading
import time

from machine import AGENT, MARKER, MOUNT_POINT, QUESTION, RUNS, STATE, Machine, mounted, read, write

BEFORE = "/root/fstab.before"
RERUNS = "/root/reruns"
# A file that somebody has put on the volume, and that this was so.
FILE = MOUNT_POINT + "/file"
FILE_MADE = "/root/file-made"
DISK_ID = sys.argv[1]
OURS = (
    f"# mt-agent keeps the next line: the retention volume on {MOUNT_POINT}\n"
    f"/dev/mapper/{DISK_ID} {MOUNT_POINT} ext4 rw 0 0\n"
)


def fstab():
    before, now = read(BEFORE).decode(), read("/etc/fstab").decode(errors="replace")
    return [] if now in (before, before + OURS) else [f"/etc/fstab is torn: {now!r}"]


def multipath_is_whole():
    text = (read("/etc/multipath.conf") or b"").decode(errors="replace")
    named = re.search(r'wwid "?\^?3', text) is not None
    return text.endswith("}\n") and named and text.count("{") == text.count("}")


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


def kept():
    """What was once on the volume is on it for good."""
    if MOUNT_POINT not in mounted():
        return []
    if not os.path.exists(FILE_MADE):
        write(FILE, b"kept")
        os.sync()
        write(FILE_MADE, b"")
        os.sync()
    return [] if read(FILE) == b"kept" else ["the volume has lost a file"]


def reruns():
    return int(read(RERUNS) or b"0")


def runs():
    count = len((read(RUNS) or b"").split())
    return [f"the vendor's script ran {count} times"] if count > 1 + reruns() else []


def whole():
    return fstab() + multipath() + journal() + records() + kept() + runs()


def tell(step, began):
    # In one piece: two threads tell.
    sys.stdout.write(f"LAB-STEP {step} {time.monotonic() - began:.2f}\n")
    sys.stdout.flush()


def watch(began):
    """Tell when the vendor's script has begun: it says nothing for a while."""
    before = read(RUNS)
    while read(RUNS) == before:
        time.sleep(0.05)
    tell("script", began)


def apply(*arguments):
    """(status, what it said). Each line that a change prints is a step, told to the console with its time."""
    began, said, step = time.monotonic(), "", 0
    tell(0, began)
    threading.Thread(target=watch, args=(began,), daemon=True).start()
    process = subprocess.Popen([AGENT, "apply", "--yes", *arguments], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    for line in process.stdout:
        line = line.decode(errors="replace")
        said += line
        if step >= 0 and (step or re.match(r"1\. ", line)):
            step += 1
            tell(step, began)
            if line.startswith("all that could be changed"):
                last, step = step, -1
    status = process.wait()
    if step < 0:
        tell(last + 1, began)
    return status, said


def through():
    """(status, problems): a person answers the one question."""
    status, said = apply()
    if status not in (0, 3) and QUESTION in said:
        if os.path.exists(MARKER) and multipath_is_whole():
            decision = "accept"
        else:
            decision = "rerun"
            write(RERUNS, str(reruns() + 1).encode())
            os.sync()
        print(f"  a person says: {decision}", flush=True)
        status, said = apply(f"--custom-changes={decision}")
    return status, [] if status in (0, 3) else [f"apply ended with {status}", said]


if (json.loads(read(STATE + "/retention.json") or b"{}")).get("finished") is False:
    print("LAB-FOUND half-made", flush=True)
machine = Machine()
machine.expect("fstab, multipath.conf, journal, records and the volume are whole", whole())
status, problems = through()
machine.expect(f"apply is through with exit {status}", problems + whole())
Machine.end()
