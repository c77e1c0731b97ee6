"""One practice machine, seen from inside: put back to a known state, changed by mt-agent, looked at.

For scenarios that do this a hundred times, where a shell would take most of the time.
"""

import collections
import ctypes
import glob
import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import time
import uuid

AGENT = "/usr/sbin/mt-agent"
STATE = "/var/lib/mt-agent"
RUNS = "/var/lib/vendor-stand-in.runs"
MARKER = "/etc/.appliedmtcustomchanges"
QUESTION = "--custom-changes=accept"
KEPT = "/root/kept"
TRACE = "/run/lab/out/calls"
MOUNT_POINT = "/mnt/retention"

# Files that apply or the vendor's script write, each put back by itself.
FILES = [
    "/etc/fstab",
    "/etc/bashrc",
    "/etc/multipath.conf",
    MARKER,
    "/.blacklistrootdev",
    "/usr/sbin/blacklistrootdev.sh",
    "/var/log/appliedmtcustomchanges.log",
    "/var/log/mt-agent.log",
    "/var/run/mt-agent.lock",
    RUNS,
]
TREES = [STATE, "/var/lib/rpm", "/root/unified-agent"]
# What the vendor's script appends to /etc/bashrc, each time it runs.
APPENDED = b"ulimit -c unlimited\n"

# From prctl.h.
PR_SET_CHILD_SUBREAPER = 36


def read(path):
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def write(path, content):
    with open(path, "wb") as stream:
        stream.write(content)


def drop(path):
    if os.path.islink(path) or os.path.isfile(path):
        os.remove(path)
    elif os.path.isdir(path):
        shutil.rmtree(path)


def same_tree(source, target):
    """Make target what source is; None: nothing."""
    drop(target)
    if os.path.isdir(source):
        shutil.copytree(source, target, symlinks=True)
        shutil.copystat(source, target)
    elif os.path.exists(source):
        shutil.copy2(source, target)


def keep(path):
    return KEPT + "/" + path.replace("/", "%")


def adopt_orphans():
    """What a program leaves behind that was started here becomes this process's child."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def orphans():
    """Whether one of them, or of what they started, is still at work. Nothing else may have been started meanwhile."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
        return True
    except ChildProcessError:
        return False


def processes():
    """All there are, for a message."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as stream:
                line = stream.read().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
        found.append(path.split("/")[2] + " " + line)
    return found


def mounted():
    with open("/proc/self/mountinfo", encoding="utf-8") as stream:
        return [line.split()[4] for line in stream]


def null_again():
    """The vendor's script takes /dev/null away; killed with the agent, nobody has put it back."""
    try:
        there = stat.S_ISCHR(os.lstat("/dev/null").st_mode)
    except FileNotFoundError:
        there = False
    if not there:
        os.mknod("/dev/.null", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
        os.chmod("/dev/.null", 0o666)
        os.rename("/dev/.null", "/dev/null")


def pretend_restart():
    """On the desk alone: the boot id is a file of ours."""
    write("/run/lab/boot_id", (str(uuid.uuid4()) + "\n").encode())
    null_again()


class Machine:
    """What it is put back to, and what has been found out about it."""

    expectations = 0
    failures = 0

    def __init__(self, disk=None):
        adopt_orphans()
        self.disk = disk
        self.good = {}
        self.torn_lines = set()
        self.twice = None

    # Telling

    def ok(self, text):
        Machine.expectations += 1
        print(f"  ok      {text}", flush=True)

    def not_ok(self, text, detail=""):
        Machine.expectations += 1
        Machine.failures += 1
        print(f"  NOT OK  {text}", flush=True)
        if detail:
            print("          " + detail.strip().replace("\n", "\n          "), flush=True)

    def expect(self, text, problems):
        if problems:
            self.not_ok(text, "\n".join(problems))
        else:
            self.ok(text)

    @staticmethod
    def end():
        with open("/run/lab/out/rounds", "w", encoding="utf-8") as stream:
            stream.write(f"{Machine.expectations} {Machine.failures}\n")

    # Putting back

    def keep_state(self):
        drop(KEPT)
        os.mkdir(KEPT)
        for path in FILES + TREES:
            same_tree(path, keep(path))

    def put_back(self):
        self.wait_for_orphans()
        null_again()
        while MOUNT_POINT in mounted():
            subprocess.run(["umount", MOUNT_POINT], check=True)
        drop(MOUNT_POINT)
        for path in FILES + TREES:
            same_tree(keep(path), path)
        self.torn_lines = set()
        self.twice = None
        for path in glob.glob("/etc/.*.mt-agent-new") + glob.glob("/dev/.mt-agent-*"):
            drop(path)
        if self.disk:
            self.wipe()

    def wipe(self):
        subprocess.run(["blkdiscard", "--zeroout", "--force", self.disk], stderr=subprocess.DEVNULL, check=True)
        subprocess.run(["udevadm", "settle"], check=False)

    def wait_for_orphans(self, seconds=60):
        until = time.monotonic() + seconds
        while orphans():
            if time.monotonic() > until:
                raise SystemExit("machine.py: still at work: " + "\n".join(processes()))
            time.sleep(0.005)

    def fingerprint(self):
        """What all that can be put back is like now, but for the lock and the log of what was said."""
        digest = hashlib.sha256()
        paths = [path for path in FILES if path not in ("/var/run/mt-agent.lock", "/var/log/mt-agent.log")]
        for top in TREES:
            for directory, _, names in sorted(os.walk(top)):
                paths += [directory] + [f"{directory}/{name}" for name in sorted(names)]
        for path in paths:
            there = os.lstat(path).st_mode if os.path.lexists(path) else 0
            content = (read(path) or b"") if os.path.isfile(path) else b""
            digest.update(f"{path} {there} {len(content)} ".encode() + content)
        if self.disk:
            with open(self.disk, "rb") as stream:
                while piece := stream.read(1 << 22):
                    digest.update(piece)
        return digest.hexdigest() + str(MOUNT_POINT in mounted())

    # Changing

    def apply(self, *arguments, prefix=(), before=None, seconds=120):
        """Run apply to its end; (status, what it said). A status under 0 is the signal that ended it, 124: we did."""
        command = [*prefix, AGENT, "apply", "--yes", *arguments]
        # Not DEVNULL: after a kill there may be no /dev/null.
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        process.stdin.close()
        process.stdin = None
        if before:
            before(process)
        try:
            said, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
            said += b"\n(it did not end within %d s)" % seconds
            return 124, said.decode(errors="replace")
        return process.returncode, said.decode(errors="replace")

    def traced(self, calls):
        """A whole run; also what its main thread called: (name, how often it had been called by then), in order."""
        status, said = self.apply(prefix=["strace", "-o", TRACE, "-e", f"trace={calls}"])
        seen = collections.Counter()
        found = []
        with open(TRACE, encoding="utf-8", errors="replace") as stream:
            for line in stream:
                name = re.match(r"(\w+)\(", line)
                if name:
                    seen[name[1]] += 1
                    found.append((name[1], seen[name[1]]))
        return status, said, found

    # Looking

    def learn(self, path):
        """What the file is now is one of the contents that are whole."""
        self.good.setdefault(path, set()).add(read(path))

    def torn(self, left_out=()):
        """What is wrong with the files that must never be torn."""
        wrong = []
        for path, contents in self.good.items():
            now = read(path)
            if now not in contents and path not in left_out and (path != "/etc/bashrc" or now != self.twice):
                wrong.append(f"{path} is torn: {now!r}")
        lines = (read(STATE + "/journal.jsonl") or b"").split(b"\n")
        tail = lines.pop() if lines else b""
        for number, line in enumerate(lines, 1):
            try:
                json.loads(line)
            except ValueError:
                # A torn line that the next run has ended.
                if number not in self.torn_lines:
                    wrong.append(f"journal line {number} is torn: {line!r}")
        if tail:
            self.torn_lines.add(len(lines) + 1)
        for name in glob.glob(STATE + "/*.json"):
            try:
                json.loads(read(name))
            except ValueError:
                wrong.append(f"{name} is torn: {read(name)!r}")
        return wrong

    def vendor_runs(self):
        return len((read(RUNS) or b"").split())

    def converge(self, want, allowed=1):
        """Apply until the exit status is `want`; a person answers the one question. (problems, questions)"""
        questions = 0
        for _ in range(4):
            status, said = self.apply()
            if status == want:
                return self.vendor_problem(allowed + questions), questions
            if QUESTION in said and not questions:
                wrong = self.vendor_problem(1)
                if wrong:
                    return wrong, questions
                questions += 1
                decision = "accept" if os.path.exists(MARKER) else "rerun"
                if decision == "rerun":
                    self.twice = (read("/etc/bashrc") or b"") + APPENDED
                status, said = self.apply(f"--custom-changes={decision}")
                if status == want:
                    return self.vendor_problem(2), questions
            return [f"apply ended with {status}, not {want}:", said], questions
        return ["it does not converge"], questions

    def vendor_problem(self, most):
        runs = self.vendor_runs()
        return [f"the vendor's script ran {runs} times"] if runs > most else []
