#!/usr/bin/env python3
"""floor.py COMMAND ARGUMENT...: runs a command as a kernel of CentOS 6 (2.6.32) would let it.

Every x86-64 system call that came after perf_event_open, 2.6.32's last, answers ENOSYS, and what older calls have
learnt since answers as an el6 kernel was seen to. It is a seccomp filter: it holds for all that the command starts, and
nobody gets rid of it.
"""

import ctypes
import errno
import os
import struct
import sys

LAST = 298  # perf_event_open
AUDIT_ARCH_X86_64 = 0xC000003E
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
RET_ALLOW, RET_ERRNO, RET_KILL = 0x7FFF0000, 0x00050000, 0x80000000
LOAD, RETURN = 0x20, 0x06
TESTS = {"==": 0x15, ">=": 0x35, "&": 0x45}
NUMBER, ARCH, ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data

# (what, system call, argument, test, value, errno): the call's low 32 bits decide.
RULES = [
    ("F_OFD_GETLK, 3.15", 72, 1, "==", 36, errno.EINVAL),
    ("F_OFD_SETLK, 3.15", 72, 1, "==", 37, errno.EINVAL),
    ("F_OFD_SETLKW, 3.15", 72, 1, "==", 38, errno.EINVAL),
    ("F_SETPIPE_SZ and later, 2.6.35", 72, 1, ">=", 1031, errno.EINVAL),
    ("prctl: all options after PR_MCE_KILL_GET, 3.3", 157, 0, ">=", 35, errno.EINVAL),
    ("CLOCK_BOOTTIME and later, 2.6.39", 228, 0, ">=", 7, errno.EINVAL),
    ("CLOCK_BOOTTIME and later, clock_getres", 229, 0, ">=", 7, errno.EINVAL),
    ("CLOCK_BOOTTIME and later, clock_nanosleep", 230, 0, ">=", 7, errno.EINVAL),
    ("SEEK_DATA and SEEK_HOLE, 3.1", 8, 2, ">=", 3, errno.EINVAL),
    ("O_TMPFILE, 3.11: the rest of its bits is O_DIRECTORY", 257, 2, "&", 0x400000, errno.EISDIR),
    ("O_TMPFILE through open", 2, 1, "&", 0x400000, errno.EISDIR),
    ("sendfile to a file, 2.6.33", 40, 0, ">=", 0, errno.EINVAL),
    ("fallocate: holes and what came after, 2.6.38", 285, 1, ">=", 2, errno.EOPNOTSUPP),
    ("waitid: P_PIDFD, 5.4", 247, 0, "==", 3, errno.EINVAL),
]


def program():
    """The filter as a list of BPF instructions."""
    code = []

    def add(operation, value, otherwise=0, then=0):
        code.append(struct.pack("<HBBI", operation, then, otherwise, value))

    add(LOAD, ARCH)
    add(TESTS["=="], AUDIT_ARCH_X86_64, then=1)
    add(RETURN, RET_KILL)
    add(LOAD, NUMBER)
    # x32's numbers are larger still.
    add(TESTS[">="], LAST + 1, otherwise=1)
    add(RETURN, RET_ERRNO | errno.ENOSYS)
    for _, number, argument, test, value, answer in RULES:
        add(LOAD, NUMBER)
        add(TESTS["=="], number, otherwise=3)
        add(LOAD, ARGUMENTS + 8 * argument)
        add(TESTS[test], value, otherwise=1)
        add(RETURN, RET_ERRNO | answer)
    add(RETURN, RET_ALLOW)
    return code


def enter():
    """Puts this process under the filter."""
    libc = ctypes.CDLL(None, use_errno=True)
    code = b"".join(program())
    held = ctypes.create_string_buffer(code)
    head = struct.pack("<HxxxxxxQ", len(code) // 8, ctypes.addressof(held))
    zero = ctypes.c_ulong(0)
    if os.geteuid() != 0:
        libc.prctl(PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), zero, zero, zero)
    filter_ = ctypes.create_string_buffer(head)
    if libc.prctl(PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), filter_, zero, zero) != 0:
        sys.exit(f"floor.py: the kernel takes no filter: {os.strerror(ctypes.get_errno())}")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    enter()
    try:
        os.execvp(sys.argv[1], sys.argv[1:])
    except OSError as error:
        sys.exit(f"floor.py: {sys.argv[1]}: {error.strerror}")


if __name__ == "__main__":
    main()
