"""A real SMTP server that writes each mail it takes as one line of JSON. Faults by recipient: `451@…`, `550@…` refuse it."""
import asyncio, base64, errno, json, random, socket, sys
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

log = open(sys.argv[1], "a", buffering=1)
options = set(sys.argv[2:])


class Sink:
    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        for code in ("451", "550"):
            if address.startswith(code):
                return f"{code} this mailbox says {code}"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server, session, envelope):
        log.write(json.dumps({
            "sender": envelope.mail_from, "recipients": envelope.rcpt_tos, "authenticated": bool(session.authenticated),
            "tls": session.ssl is not None, "content": base64.b64encode(envelope.original_content).decode()}) + "\n")
        if "brief" in options:
            # Nobody keeps a connection here.
            asyncio.get_running_loop().call_later(0.05, server.transport.close)
        if "cut" in options:
            options.discard("cut")
            server.transport.abort()
        return "250 taken"


class Server(Controller):
    def factory(self):
        auth = lambda server, session, envelope, mechanism, data: AuthResult(
            success=data.login == b"usher" and data.password == b"correct horse", handled=False)
        return SMTP(self.handler, hostname="sink.example", auth_require_tls=False, authenticator=auth if "auth" in options else None,
                    auth_exclude_mechanism=[] if "auth" in options else ["LOGIN", "PLAIN"])


def started():
    """The server on some port below those that the kernel gives to connections: aiosmtpd cannot be asked for any."""
    for port in random.sample(range(10_000, 12_000), 200):
        # aiosmtpd waits for seconds before it says that a port is taken.
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                continue
        controller = Server(Sink(), hostname="127.0.0.1", port=port)
        try:
            controller.start()
            return controller
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    raise SystemExit("no port is free")


print(started().port, flush=True)
sys.stdin.read()
