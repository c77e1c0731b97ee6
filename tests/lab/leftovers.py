"""Looks for words in the bytes of a raw image: leftovers.py IMAGE NAME=WORD...; prints each NAME that is found."""

import os
import sys

PIECE = 16 << 20


def segments(descriptor, size):
    """What the image holds, without its holes."""
    at = 0
    while at < size:
        try:
            start = os.lseek(descriptor, at, os.SEEK_DATA)
        except OSError:
            return
        at = os.lseek(descriptor, start, os.SEEK_HOLE)
        yield start, at


def main():
    wanted = [word.split("=", 1) for word in sys.argv[2:]]
    words = [(name, word.encode()) for name, word in wanted]
    longest = max(len(word) for _, word in words)
    found = set()
    with open(sys.argv[1], "rb") as image:
        for start, end in segments(image.fileno(), os.fstat(image.fileno()).st_size):
            image.seek(start)
            tail = b""
            while image.tell() < end:
                piece = tail + image.read(min(PIECE, end - image.tell()))
                found.update(name for name, word in words if word in piece)
                tail = piece[-longest:]
    print("\n".join(sorted(found)))


main()
