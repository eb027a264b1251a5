"""Stands between clients and a PostgreSQL, as a network would: whatever is sent arrives later.

Usage: slow_wire.py SOCKET_OF_SERVER FOLDER MICROSECONDS. Listens in FOLDER as PostgreSQL does; MICROSECONDS for there and back.
"""
import socket, sys, threading, time
from pathlib import Path

server, folder, wait = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]) / 2_000_000


def carry(source, target):
    try:
        while data := source.recv(1 << 16):
            time.sleep(wait)
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


listener = socket.socket(socket.AF_UNIX)
listener.bind(str(folder / ".s.PGSQL.5432"))
listener.listen(128)
print("ready", flush=True)
while True:
    near, _ = listener.accept()
    far = socket.socket(socket.AF_UNIX)
    far.connect(server)
    for ends in ((near, far), (far, near)):
        threading.Thread(target=carry, args=ends, daemon=True).start()
