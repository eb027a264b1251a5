"""Opens many connections: half of them say nothing, the others ask for a large page again and again and read nothing.

Usage: silent_callers.py PORT COUNT
Prints "here" once all stand, and stays.
"""
import resource, socket, sys, time

port, count = int(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_NOFILE, (min(count + 100, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
request = b"GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\n"
crowd = []
for index in range(count):
    caller = socket.socket()
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    caller.settimeout(5)
    try:
        caller.connect(("127.0.0.1", port))
        if index % 2:
            caller.sendall(request * 8)
    except OSError:
        pass
    crowd.append(caller)
print("here", flush=True)
time.sleep(600)
