"""Announces a body and sends half of it; where the server is full at that moment, once more.

Usage: slow_sender.py PORT KEY
Prints `sent`, and then the first line of the answer.
"""
import socket, sys, time

head = (
    "POST /v1/bookings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    f"Authorization: Bearer {sys.argv[2]}\r\nContent-Length: 100\r\n\r\n"
)
while True:
    line = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    line.sendall(head.encode() + b'{"meetingType":')
    print("sent", flush=True)
    answer = line.recv(1000).split(b"\r\n")[0].decode()
    if " 503 " not in answer:
        break
    time.sleep(0.02)
print(answer, flush=True)
