"""Runs a program at a terminal of its own, so many columns wide, and prints what it wrote there.

Usage: terminal.py COLUMNS PROGRAM [ARGUMENT ...]
"""
import fcntl, os, pty, struct, sys, termios

columns, program = int(sys.argv[1]), sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    # The size is there before the program looks.
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    os.execv(program[0], program)
written = b""
while True:
    try:
        part = os.read(terminal, 4096)
    except OSError:  # What Linux says when the program has ended.
        break
    if not part:
        break
    written += part
sys.stdout.buffer.write(written)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
