"""Runs a command at a terminal, where a person answers its one question: terminal.py ANSWER COMMAND..."""

import os
import pty
import sys

QUESTION = (b"characters of it: ", b"[y/N] ")

answer, command = sys.argv[1], sys.argv[2:]
process, terminal = pty.fork()
if process == 0:
    os.execvp(command[0], command)
said = b""
asked = False
while True:
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        # Linux tells the end of the last program at a terminal so.
        piece = b""
    if not piece:
        break
    said += piece
    os.write(1, piece.replace(b"\r\n", b"\n"))
    if not asked and said.replace(b"\r\n", b" ").endswith(QUESTION):
        asked = True
        os.write(terminal, answer.encode() + b"\n")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
