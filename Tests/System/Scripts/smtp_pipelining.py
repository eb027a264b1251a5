"""A relay that offers PIPELINING: prints its port, then for each dialogue how many commands came at once, and whether a mail came.

It answers DATA with 354 even where it has refused the recipient (`550@…`), as RFC 2920 allows."""
import socket

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    connection, _ = listener.accept()
    connection.sendall(b"220 relay.example\r\n")
    try:
        while data := connection.recv(65536):
            if data.startswith(b"EHLO"):
                connection.sendall(b"250-relay.example\r\n250 PIPELINING\r\n")
            elif data.startswith(b"MAIL"):
                answer = b"550 no such mailbox" if b"<550@" in data else b"250 ok"
                connection.sendall(b"250 ok\r\n" + answer + b"\r\n354 go on\r\n")
                body = b""
                while not body.endswith(b"\r\n.\r\n"):
                    part = connection.recv(65536)
                    if not part:
                        break
                    body += part
                print(data.count(b"\r\n"), "mail" if body else "nothing", flush=True)
                if not body:
                    break
                connection.sendall(b"250 taken\r\n")
            else:
                connection.sendall(b"250 ok\r\n")
    except ConnectionResetError:
        pass
    connection.close()
