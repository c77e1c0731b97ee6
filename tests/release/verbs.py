#!/usr/bin/env python3
"""verbs.py BINARY: every verb says and answers under the floor (see there) what it says and answers without it.

Each command runs three times: without, with, without. What differs between the first and the last differs by nature
(times, free memory) and is not compared; all else must be the same.
"""

import json
import os
import re
import subprocess
import sys

FLOOR = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lab/guest/floor.py")

# What each verb is tried with. `apply` alters a machine: tests/lab runs it under the floor, on the desk.
ARGUMENTS = {
    "check": ["", "--format json", "--format nagios", "--only retention --verbose", "--root /", "--stage image", "--facts {facts}",
              "--profile nowhere", "--only no-such-requirement"],
    "plan": ["", "--format json"],
    "apply": ["--help", "--format json"],
    "disks": ["", "--format json", "--probe", "--probe {disk}"],
    "facts": ["", "--root /"],
    "kickstart": ["", "--hostname localhost", "--profile {profile} --allow-unsafe-profile --hostname mt1"
                  " --address 10.0.0.5/24 --gateway 10.0.0.1 --dns 10.0.0.2 --root-hash-file {hash}"],
    "explain": ["", "retention.disk", "95226", "95226 --format json", "no-such-id"],
    "profile": ["list", "show", "show --format json", "check {profile}", "schema"],
    "seal": ["--list", "--list --format json", "--dry-run", "--dry-run --format json", "--only no-such-step"],
    "history": ["", "--format json"],
    "state": ["", "--format json", "check --root /", "repair --dry-run"],
}

# Where nothing else is the same, how many lines may differ by nature.
MOST_BY_NATURE = 40


def lines_of(output):
    """A report's lines; of a JSON document, one for each value, with its path."""
    try:
        document = json.loads(output)
    except ValueError:
        return {number: line for number, line in enumerate(output.splitlines())}
    found = {}

    def walk(path, value):
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(f"{path}.{key}", inner)
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                walk(f"{path}[{index}]", inner)
        else:
            found[path] = repr(value)

    walk("", document)
    return found


def run(command):
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TERM": "dumb"}
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                          timeout=6000, env=environment)
    # Names of temporary files and numbers of processes are new in each run.
    stderr = re.sub(r"pid \d+", "pid N", done.stderr.decode(errors="replace"))
    return done.returncode, lines_of(done.stdout.decode(errors="replace")), stderr


def difference(command):
    """What the floor alone changes, and how many lines differ by nature."""
    before, below, after = run(command), run([FLOOR, *command]), run(command)
    (code, lines, said), (low_code, low_lines, low_said) = before, below
    if code != after[0] or set(lines) != set(after[1]):
        return ["two runs without the floor are not alike"], 0
    nature = {key for key in lines if lines[key] != after[1][key]}
    wrong = []
    if low_code != code:
        wrong.append(f"it exits {low_code}, and {code} without the floor")
    if low_said != said:
        wrong.append(f"it complains: {low_said!r}, and without the floor: {said!r}")
    for key in sorted(set(lines) | set(low_lines), key=str):
        if key not in nature and lines.get(key) != low_lines.get(key):
            wrong.append(f"{key}: {low_lines.get(key)}\n    without: {lines.get(key)}")
    if not lines and not said:
        wrong.append("it says nothing")
    return wrong, len(nature)


def the_floor_holds():
    """The filter refuses what it is to refuse, and nothing that 2.6.32 has."""
    script = """
import ctypes, errno, os, tempfile
libc = ctypes.CDLL(None, use_errno=True)
def call(*arguments):
    ctypes.set_errno(0)
    return errno.errorcode.get(ctypes.get_errno(), '0') if libc.syscall(*arguments) == -1 else 'answers'
file = tempfile.TemporaryFile()
fd, buffer = file.fileno(), ctypes.create_string_buffer(256)
print(call(332, fd, b'', 0x1000, 0x7ff, buffer), call(318, buffer, 8, 0), call(302, 0, 7, 0, buffer),
      call(326, fd, 0, fd, 0, 1, 0), call(435, 0, 0), call(0x40000000 + 39))
print(call(72, fd, 37, buffer), call(72, fd, 1032), call(157, 36, 1, 0, 0, 0), call(228, 7, buffer), call(8, fd, 0, 4),
      call(257, -100, b'/tmp', 0o20200002, 0o600), call(40, fd, fd, 0, 1), call(285, fd, 3, 0, 4096))
print(call(39), call(72, fd, 1030, 0), call(157, 16, buffer), call(228, 1, buffer), call(8, fd, 0, 2), call(285, fd, 1, 0, 1),
      call(280, -100, b'/none', 0, 0))
"""
    wanted = ("ENOSYS ENOSYS ENOSYS ENOSYS ENOSYS ENOSYS\n"
              "EINVAL EINVAL EINVAL EINVAL EINVAL EISDIR EINVAL ENOTSUP\n"
              "answers answers answers answers answers answers ENOENT\n")
    done = subprocess.run([FLOOR, sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, timeout=600)
    said = done.stdout.decode()
    return [] if said == wanted else [f"the floor lets through or refuses what it should not:\n{said}"]


def verbs_of(binary):
    """The verbs that the binary itself names."""
    text = subprocess.run([binary, "--help"], stdout=subprocess.PIPE, check=True, timeout=600).stdout.decode()
    section = text.split("Commands:\n", 1)[1].split("\n\n", 1)[0]
    return re.findall(r"^  ([a-z-]+) ", section, re.MULTILINE)


def commands(binary, work):
    facts, profile, hash_file = (os.path.join(work, name) for name in ("facts.json", "profile.yaml", "hash"))
    with open(facts, "wb") as file:
        subprocess.run([binary, "facts"], stdout=file, check=True, timeout=600)
    with open(profile, "w", encoding="ascii") as file:
        file.write("extends: centos-6.6\nsources: {xfs: true}\nos: {timezone: Europe/Berlin}\n")
    with open(hash_file, "w", encoding="ascii") as file:
        file.write(f"$6$salt${'a' * 86}\n")
    disk = next((name for name in sorted(os.listdir("/sys/block")) if not name.startswith(("loop", "ram"))), "sda")
    yield [binary, "--version"]
    yield [binary, "--help"]
    yield [binary, "no-such-verb"]
    for verb in verbs_of(binary):
        yield [binary, verb, "--help"]
        for words in ARGUMENTS.get(verb, []):
            yield [binary, verb, *words.format(facts=facts, profile=profile, disk=disk, hash=hash_file).split()]


def main():
    binary, work = os.path.abspath(sys.argv[1]), sys.argv[2]
    failed = the_floor_holds()
    count, by_nature = 0, 0
    for command in commands(binary, work):
        # Somebody else's process or device may come or go between two of the three runs; it does not do so each time.
        for _ in range(4):
            wrong, nature = difference(command)
            if not wrong:
                break
        count += 1
        by_nature += nature
        if wrong:
            failed.append(f"$ {' '.join(command)}\n  " + "\n  ".join(wrong[:10]))
        if nature > MOST_BY_NATURE:
            failed.append(f"$ {' '.join(command)}: {nature} lines differ from run to run: nothing is proven by the rest")
    print(f"{count} commands with and without the system calls that came after 2.6.32: {len(failed)} differ "
          f"({by_nature} values that differ in each run left out)")
    for text in failed:
        print(text)
    for verb in sorted(set(verbs_of(binary)) - set(ARGUMENTS)):
        print(f"note: {verb} is tried with --help alone: tests/release/verbs.py names no arguments for it")
    if not count > 20:
        sys.exit("verbs.py: too few commands: has the help changed?")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
