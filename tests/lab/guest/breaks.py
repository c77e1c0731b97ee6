"""Ways in which things fail under apply. Each is a context: while it lasts the thing is broken, and it yields the words to
put before the command line of apply.
"""

import contextlib
import os
import re
import subprocess

from machine import drop, write

TRACE = "/run/lab/out/fault"
AWAY = "/root/away"
# What a test can wait for; a machine that is busy with other things has to do all else in it.
DEADLINE_SECONDS = 5


def strace(call, error, number=None, paths=(), follow=False):
    """The call gives the error: each time, or the given number of times it has come."""
    when = f":when={number}" if number else ""
    words = ["strace", "-y", "-o", TRACE, "-e", f"trace={call}", "-e", f"inject={call}:error={error}{when}"]
    for path in paths:
        words += ["-P", path]
    return words + (["-f"] if follow else [])


def injected():
    """What the calls that failed were about, each a path or an empty string; None: nothing failed."""
    try:
        with open(TRACE, encoding="utf-8", errors="replace") as stream:
            lines = [line for line in stream if "(INJECTED)" in line]
    except FileNotFoundError:
        return None
    if not lines:
        return None
    objects = set()
    for line in lines:
        names = re.findall(r'"(/[^"]*)"', line) + re.findall(r"\d<(/[^>]*)>", line)
        objects.add(names[0] if names else "")
    return objects


@contextlib.contextmanager
def call(name, number, error):
    """One call of the main thread."""
    drop(TRACE)
    yield strace(name, error, number)


@contextlib.contextmanager
def on_file(path, name, error):
    """A call on one file, in whatever thread; an interruption comes once."""
    drop(TRACE)
    yield strace(name, error, 1 if error == "EINTR" else None, [path], follow=True)


@contextlib.contextmanager
def execution(path, error):
    """The agent's child cannot become this program."""
    drop(TRACE)
    yield strace("execve", error, None, [path], follow=True)


@contextlib.contextmanager
def full(path, room):
    """What lies at path is on a file system with so much room left in bytes: writes are cut short, then refused."""
    missing = not os.path.isdir(path)
    os.makedirs(path, exist_ok=True)
    tar = ["tar", "--xattrs", "-C", path]
    kept = subprocess.run([*tar, "-c", "."], stdout=subprocess.PIPE, check=True).stdout
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "full", path], check=True)
    subprocess.run([*tar, "-x"], input=kept, check=True)
    used = os.statvfs(path)
    size = (used.f_blocks - used.f_bfree) * used.f_frsize + room
    subprocess.run(["mount", "-o", f"remount,size={size}", path], check=True)
    try:
        yield []
    finally:
        left = subprocess.run([*tar, "-c", "."], stdout=subprocess.PIPE, check=True).stdout
        subprocess.run(["umount", "-l", path], check=True)
        if missing:
            os.chmod(path, 0o700)
        subprocess.run([*tar, "-x"], input=left, check=True)


@contextlib.contextmanager
def limited(size):
    """No file can be written beyond so many bytes (ulimit -f): real short writes, then EFBIG, and SIGXFSZ."""
    yield ["prlimit", f"--fsize={size}"]


@contextlib.contextmanager
def read_only(path):
    subprocess.run(["mount", "--bind", path, path], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", path], check=True)
    try:
        yield []
    finally:
        subprocess.run(["umount", "-l", path], check=True)


@contextlib.contextmanager
def tool(path, content=None, mode=0o755, hangs=False):
    """The tool is missing, or something else lies in its place."""
    away = f"{AWAY}/{os.path.basename(path)}"
    os.makedirs(AWAY, exist_ok=True)
    link = os.readlink(path) if os.path.islink(path) else None
    if link:
        # mkfs.ext4 is mke2fs by another name: moved, a link that is relative would lead nowhere.
        os.symlink(os.path.realpath(path), away)
        os.remove(path)
    else:
        os.rename(path, away)
    drop(TRACE)
    try:
        if content is not None:
            write(path, content)
            os.chmod(path, mode)
        yield ["env", f"MT_AGENT_DEADLINE_SECONDS={DEADLINE_SECONDS}"] if hangs else []
    finally:
        drop(path)
        if link:
            os.remove(away)
            os.symlink(link, path)
        else:
            os.rename(away, path)


def in_tool(path, name, number, error):
    """A call of the tool itself, or of what it starts, fails: the tool is given to strace."""
    words = " ".join([*strace(name, error, number, follow=True), f"{AWAY}/{os.path.basename(path)}", '"$@"'])
    return tool(path, f"#!/bin/sh\nexec {words}\n".encode())


NOISE = "#!/bin/sh\nhead -c 20000000 /dev/urandom\nhead -c 20000000 /dev/urandom >&2\nexit {}\n"
# What lies in a tool's place: (how it is told, context).
RUINS = {
    "is missing": {},
    "is not executable": {"content": b"#!/bin/sh\nexit 0\n", "mode": 0o644},
    "is no program": {"content": b"\x7fELF rubbish"},
    "does nothing": {"content": b"#!/bin/sh\nexit 0\n"},
    "is killed": {"content": b"#!/bin/sh\nkill -9 $$\n"},
    "fails with bytes that are no text": {"content": b"#!/bin/sh\nprintf '\\377\\033[31m\\n' >&2\nexit 9\n"},
    "prints megabytes that are no text": {"content": NOISE.format(0).encode()},
    "prints megabytes and fails": {"content": NOISE.format(1).encode()},
    "hangs": {"content": b"#!/bin/sh\necho begun\nsleep 600 &\nwait\n", "hangs": True},
}
