"""Opens connections that announce a large body each, send nearly all of it, and then nothing more; stays until it is stopped.

Usage: large_senders.py PORT COUNT PID
Prints how much memory the process PID then holds, in MiB.
"""
import socket, sys, time

port, count, pid = map(int, sys.argv[1:4])
size = 1 << 20
head = f"POST /v1/bookings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n".encode()
lines = []
for _ in range(count):
    line = socket.create_connection(("127.0.0.1", port))
    line.settimeout(1)
    try:
        line.sendall(head + b" " * (size - 100))
    except OSError:
        pass  # sent away before it was done
    lines.append(line)
time.sleep(0.5)
status = open(f"/proc/{pid}/status").read()
print(int(status.split("VmRSS:")[1].split()[0]) // 1024, "MiB", flush=True)
sys.stdin.read()
