"""Listens as a service manager does: prints what programs tell it, a line each, with its number.

Usage: service_manager.py PATH; a path that begins with @ is a name without a file.
"""
import socket, sys

path = sys.argv[1]
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind("\0" + path[1:] if path.startswith("@") else path)
print("listening", flush=True)
number = 0
while True:
    number += 1
    print(number, listener.recv(4096).decode(), flush=True)
