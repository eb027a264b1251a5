"""Runs the examples of the page /docs as they stand there. Usage: docs_examples.py URL; the key is in USHER_API_KEY.

Prints what each answered, and what the verifiers say of a true delivery, of another body and of an old one.
"""
import base64, datetime, html, json, os, pathlib, re, subprocess, sys, urllib.request
from standardwebhooks.webhooks import Webhook

page = urllib.request.urlopen(sys.argv[1]).read().decode()
examples = {name: html.unescape(text) for name, text in re.findall(r'<pre id="example-([a-z-]+)"[^>]*><code>(.*?)</code></pre>', page, re.S)}


def run(*command, text=None):
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)
    if done.returncode:
        sys.exit(f"{command}: {done.stdout}{done.stderr}")
    return done.stdout


def other(text, hour):
    """The same example at another time, and with another key of its own, so that each makes a booking."""
    return text.replace("T10:00", f"T{hour}:00").replace("order-1001", f"order-{hour}")


pathlib.Path("book.py").write_text(other(examples["python"], 12))
pathlib.Path("book.mjs").write_text(other(examples["javascript"], 14))
seen = {
    "curl": json.loads(run("/bin/sh", "-c", examples["curl"])), "python": json.loads(run(sys.executable, "book.py")),
    "javascript": json.loads(run("node", "book.mjs")),
}

secret = "whsec_" + base64.b64encode(os.urandom(24)).decode()
body = '{"type": "booking.confirmed"}'


def delivery(at):
    signature = Webhook(secret).sign("msg_1", at, body)
    return {"webhook-id": "msg_1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": "v1,AAAA " + signature}


now = datetime.datetime.now(datetime.timezone.utc)
cases = [
    (delivery(now), body), (delivery(now), body + " "), (delivery(now - datetime.timedelta(hours=1)), body), ({}, body),
    ({**delivery(now), "webhook-timestamp": "soon"}, body),
]
pathlib.Path("verify.py").write_text(
    examples["verify-python"] + "\nimport json, sys\nprint(json.dumps([verify(s, h, b.encode()) for s, h, b in json.load(sys.stdin)]))\n")
pathlib.Path("verify.mjs").write_text(
    examples["verify-javascript"]
    + "\nimport fs from 'node:fs';\nconsole.log(JSON.stringify(JSON.parse(fs.readFileSync(0)).map(([s, h, b]) => verify(s, h, Buffer.from(b)))));\n")
asked = json.dumps([[secret, headers, text] for headers, text in cases])
seen["verified"] = {
    "python": json.loads(run(sys.executable, "verify.py", text=asked)), "javascript": json.loads(run("node", "verify.mjs", text=asked)),
}
print(json.dumps(seen))
