"""A program that is told of events: prints its port, then one JSON line for each delivery, verified by the standard's own library.

Usage: webhook_sink.py SECRET_FILE [refuse-first]
The file holds the secret that the receiver knows at that moment.
"""
import http.server, json, sys
from standardwebhooks import Webhook

path, refusing = sys.argv[1], "refuse-first" in sys.argv


class Sink(http.server.BaseHTTPRequestHandler):
    refused = set()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            Webhook(open(path).read().strip()).verify(body, {name.lower(): value for name, value in self.headers.items()})
            verified = "yes"
        except Exception as error:
            verified = repr(error)
        id = self.headers["webhook-id"]
        refuse = refusing and not Sink.refused
        if refuse:
            Sink.refused.add(id)
        self.send_response(503 if refuse else 204)
        self.end_headers()
        line = {"id": id, "verified": verified, "refused": refuse, "type": json.loads(body)["type"], "body": body.decode()}
        print(json.dumps(line), flush=True)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
print(server.server_port, flush=True)
server.serve_forever()
