"""A relay that signs in by XOAUTH2 alone, and the endpoints that give its tokens. Prints both ports.

Usage: xoauth2_relay.py LOG [revoke=N] [scope=refused]
LOG gets a line of JSON for each mail, token and refused sign-in. revoke=N: after each N mails all tokens end, and connections with them.
scope=refused: tokens are given, and the relay takes none of them. Google's endpoint takes what the key beside LOG (LOG.json) has signed.
"""
import asyncio, base64, json, random, re, socket, subprocess, sys, threading, time, urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import MISSING, SMTP, AuthResult

log_path = sys.argv[1]
log, lock = open(log_path, "a", buffering=1), threading.Lock()
options = dict(option.split("=") for option in sys.argv[2:])
alive, mails, issued, servers = set(), 0, 0, set()


def note(**line):
    with lock:
        log.write(json.dumps(line) + "\n")


class Relay:
    async def auth_XOAUTH2(self, server, args):
        servers.add(server)
        text = base64.b64decode(args[1]).decode() if len(args) > 1 else ""
        found = re.fullmatch("user=(.*)\x01auth=Bearer (.*)\x01\x01", text)
        if found and found[1] == "bookings@northwind.example" and found[2] in alive and "scope" not in options:
            return AuthResult(success=True, auth_data=found[2])
        note(refused=found[2] if found else "")
        # The client answers the error with an empty line, or closes.
        await server.challenge_auth(json.dumps({"status": "401", "schemes": "bearer", "scope": "https://mail.example/"}), encode_to_b64=True)
        return AuthResult(success=False, handled=False)

    async def handle_MAIL(self, server, session, envelope, address, mail_options):
        if not session.authenticated:
            return "530 5.7.57 Client not authenticated to send mail"
        envelope.mail_from = address
        return "250 ok"

    async def handle_DATA(self, server, session, envelope):
        global mails
        mails += 1
        note(mail=envelope.rcpt_tos[0], sender=envelope.mail_from)
        if "revoke" in options and mails % int(options["revoke"]) == 0:
            alive.clear()
            for other in list(servers):
                if other is not server and other.transport:
                    asyncio.get_running_loop().call_soon(other.transport.close)
            asyncio.get_running_loop().call_later(0.02, server.transport.close)
        return "250 taken"


class Server(Controller):
    def factory(self):
        return SMTP(self.handler, hostname="relay.example", auth_require_tls=False, auth_exclude_mechanism=["LOGIN", "PLAIN"])


class Tokens(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_POST(self):
        global issued
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["content-length"])).decode()))
        trouble = self.trouble(form)
        if trouble:
            return self.answer(401, {"error": "invalid_client", "error_description": trouble})
        issued += 1
        token = f"token-{issued}"
        alive.add(token)
        note(token=token)
        self.answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600})

    def trouble(self, form):
        if self.path == "/google":
            head, claims, signature = form.get("assertion", "..").split(".")
            read = lambda part: base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
            open(log_path + ".signed", "w").write(f"{head}.{claims}")
            open(log_path + ".signature", "wb").write(read(signature))
            verified = subprocess.run(["openssl", "dgst", "-sha256", "-verify", log_path + ".pub", "-signature", log_path + ".signature",
                                       log_path + ".signed"], capture_output=True).returncode == 0
            said = json.loads(read(claims))
            fine = (verified and json.loads(read(head))["alg"] == "RS256" and said["sub"] == "bookings@northwind.example"
                    and said["iss"] == "usher@project.iam.example" and said["scope"] == "https://mail.google.com/"
                    and said["aud"].endswith("/google") and abs(said["iat"] - time.time()) < 60 and said["exp"] - said["iat"] == 3600
                    and form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer")
            return "" if fine else "the assertion is not valid"
        scopes = {"/tenant-1/oauth2/v2.0/token": "https://outlook.office365.com/.default", "/other": "mail.send"}
        if form.get("grant_type") != "client_credentials" or form.get("scope") != scopes.get(self.path):
            return "another scope was expected"
        return "" if (form.get("client_id"), form.get("client_secret")) == ("client", "secret & more") else "the client is not known"

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


http = ThreadingHTTPServer(("127.0.0.1", 0), Tokens)
threading.Thread(target=http.serve_forever, daemon=True).start()
base = f"http://127.0.0.1:{http.server_port}"
key = subprocess.run(["openssl", "genrsa", "2048"], capture_output=True, check=True, text=True).stdout
subprocess.run(["openssl", "rsa", "-pubout", "-out", log_path + ".pub"], input=key, check=True, text=True, capture_output=True)
with open(log_path + ".json", "w") as file:
    json.dump({"type": "service_account", "client_email": "usher@project.iam.example", "private_key": key, "token_uri": base + "/google"}, file)
for port in random.sample(range(12_000, 14_000), 200):
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            continue
    try:
        controller = Server(Relay(), hostname="127.0.0.1", port=port)
        controller.start()
        break
    except OSError:
        continue
print(controller.port, http.server_port, flush=True)
sys.stdin.read()
