"""Takes the README's pictures from a server of its own, so that they stay true. Usage: pictures.py USHER FOLDER"""
import datetime, json, os, re, subprocess, sys, tempfile, time, urllib.parse, urllib.request
from pathlib import Path

import chromium

usher, pictures = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
KEY, PORT = "usher_pictures_0123456789abcdef", 18099
HOME = f"http://127.0.0.1:{PORT}"
CATALOGUE = """\
version: 1
site: { name: Northwind Clinic, from: "Northwind Clinic <bookings@northwind.example>", time-zone: Europe/Berlin, default-provider: room, color: "#0b6e4f" }
providers:
  room: { module: link, url: "https://meet.northwind.example/{code}" }
  zoom: {}
schedules: { day: { weekly: { mon-fri: ["09:00-12:00", "13:00-17:00"] } } }
owners:
  ana: { name: Ana Ruiz, email: ana@northwind.example, time-zone: Europe/Berlin, schedule: day }
meeting-types:
  first-visit: { title: "First visit with {owner.name}", description: "Half an hour to get to know each other.", duration: 30m, slots: {}, hosts: [ana], page: public }
  review: { title: "Review with {owner.name}", duration: 60m, provider: zoom }
"""


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def ask(path, body=None, form=None):
    headers = {"Authorization": f"Bearer {KEY}"} if form is None else {"Content-Type": "application/x-www-form-urlencoded"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    data = json.dumps(body).encode() if body is not None else urllib.parse.urlencode(form).encode() if form is not None else None
    try:
        return urllib.request.build_opener(NoRedirect).open(urllib.request.Request(path if "://" in path else HOME + path, data, headers))
    except urllib.error.HTTPError as answer:
        if answer.code == 303:
            return answer
        raise SystemExit(f"{path}: {answer.code} {answer.read().decode()[:500]}")


def book(kind, day, hour, name):
    start = f"{day.isoformat()}T{hour:02}:00:00"
    person = {"name": name, "email": name.split()[0].lower() + "@example.org", "timeZone": "Europe/London"}
    asked = {"meetingType": kind, "owner": "ana", "start": start, "timeZone": "Europe/Berlin", "attendees": [person]}
    return json.load(ask("/v1/bookings", asked))


def shoot(name, path, width, height, scheme, cookie=None):
    driver = chromium.browser(width, height, scheme, "scripts")
    try:
        if cookie:
            key, value = cookie.split(";")[0].split("=", 1)
            driver.get(HOME + "/book")
            driver.execute_cdp_cmd("Network.setCookie", {"name": key, "value": value, "url": HOME, "path": "/"})
        driver.get(path if "://" in path else HOME + path)
        time.sleep(1)
        driver.save_screenshot(str(pictures / f"{name}.png"))
    finally:
        driver.quit()


with tempfile.TemporaryDirectory() as folder:
    Path(folder, "meeting-types.yaml").write_text(CATALOGUE)
    environment = {
        "PATH": os.environ["PATH"], "USHER_PORT": str(PORT), "USHER_API_KEY": KEY, "USHER_PUBLIC_URL": HOME, "ZOOM_CLIENT_ID": "x",
        "ZOOM_CLIENT_SECRET": "x",
    }
    server = subprocess.Popen([usher, "serve"], cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        while "listening" not in (line := server.stderr.readline()):
            if not line:
                raise SystemExit("the server did not start")
        monday = datetime.date.today() + datetime.timedelta(days=7 - datetime.date.today().weekday())
        guests = ["Bo Li", "Cy Roe", "Dana Fox", "Eli Moss", "Fay Kim", "Gus Orr", "Hana Abe", "Ivo Klein"]
        made = [
            book("first-visit", monday + datetime.timedelta(days=number % 5), 9 + number // 5 * 4, name) for number, name in enumerate(guests)
        ]
        book("review", monday + datetime.timedelta(days=2), 15, "Jo Park")
        time.sleep(3)
        link = json.load(ask("/v1/owners/ana/portal-links", {}))["url"]
        owner = ask(link, form={}).headers["Set-Cookie"]
        admin = ask("/admin", form={"key": KEY}).headers["Set-Cookie"]
        pictures.mkdir(parents=True, exist_ok=True)
        shoot("join", made[0]["joinPage"], 720, 560, "light")
        shoot("book", f"/book/first-visit?day={(monday + datetime.timedelta(days=1)).isoformat()}&timeZone=Europe/London", 720, 900, "light")
        shoot("owner", f"/owners/me?week={monday.isoformat()}", 900, 900, "light", owner)
        shoot("admin", "/admin", 1200, 820, "dark", admin)
    finally:
        server.kill()
