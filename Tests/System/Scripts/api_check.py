"""Calls everything that /openapi.json describes, with its own examples, and checks each answer against it.

Usage: api_check.py URL ADMIN_KEY READER_KEY
Prints one JSON object: what did not fit, the codes that were seen, the operations that were called.
Schemas are read as closed ones: a field that the description does not know is a failure.
"""
import concurrent.futures, copy, json, sys, urllib.error, urllib.request
import jsonschema

url, admin, reader = sys.argv[1:4]
failures, codes, called = [], set(), {}


def closed(schema):
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: closed(value) for key, value in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        schema.setdefault("additionalProperties", False)
    return schema


document = json.load(urllib.request.urlopen(url + "/openapi.json"))
schemas = closed(document["components"]["schemas"])
operations = {
    value["operationId"]: (method.upper(), path, value)
    for path, methods in document["paths"].items() for method, value in methods.items()
}


def example(name):
    """The first example of an operation's body."""
    content = operations[name][2]["requestBody"]["content"]["application/json"]["schema"]
    return copy.deepcopy(schemas[content["$ref"].split("/")[-1]]["examples"][0])


def call(name, body=None, query="", key=admin, raw=None, headers=None, **parts):
    method, path, operation = operations[name]
    for part, value in parts.items():
        path = path.replace("{%s}" % part, value)
    data = raw if raw is not None else (None if body is None else json.dumps(body).encode())
    request = urllib.request.Request(url + path + query, method=method, data=data)
    if key:
        request.add_header("Authorization", "Bearer " + key)
    if data is not None:
        request.add_header("Content-Type", "application/json")
    for header, value in (headers or {}).items():
        request.add_header(header, value)
    try:
        answer = urllib.request.urlopen(request, timeout=30)
    except urllib.error.HTTPError as error:
        answer = error
    content = answer.read()
    called[name] = called.get(name, 0) + 1
    return check(name, operation, answer, content)


def check(name, operation, answer, content):
    described = operation["responses"].get(str(answer.status))
    if described is None:
        failures.append(f"{name}: {answer.status} is not described: {content[:200]}")
        return {}
    kinds = described.get("content")
    if not kinds:
        if content:
            failures.append(f"{name}: {answer.status} came with a body")
        return {}
    kind = answer.headers["Content-Type"].split(";")[0]
    if kind not in kinds:
        failures.append(f"{name}: {kind} is not described for {answer.status}")
        return {}
    if not kind.endswith("json"):
        return {}
    value = json.loads(content)
    schema = closed(kinds[kind].get("schema", {}))
    try:
        jsonschema.Draft202012Validator({**schema, "components": {"schemas": schemas}}).validate(value)
    except jsonschema.ValidationError as error:
        failures.append(f"{name}: {answer.status}: {error.json_path}: {error.message[:300]}")
    if kind == "application/problem+json":
        codes.add(value["code"])
        if value["code"] not in described["x-error-codes"]:
            failures.append(f"{name}: {value['code']} is not described for {answer.status}")
    return value


# Owners, and all that belongs to one.
call("putOwner", example("putOwner"), id="eve")
call("getOwner", id="eve")
first = call("listOwners", query="?limit=1")
if first["nextCursor"]:
    second = call("listOwners", query="?limit=1&cursor=" + first["nextCursor"])
    if second["items"][0]["id"] <= first["items"][0]["id"]:
        failures.append("a second page began before the first one's end")
else:
    failures.append("two owners came on a page of one")
call("setDefaultProvider", example("setDefaultProvider"), id="eve")
call("createPortalLink", id="eve", headers={"Idempotency-Key": "portal"})
call("listConnections", id="eve")
call("putApp", example("putApp"), id="eve", provider="zoom")
call("listApps", id="eve")
call("authorizeConnection", example("authorizeConnection"), id="eve", provider="zoom")
call("deleteConnection", id="eve", provider="zoom")
call("deleteApp", id="eve", provider="zoom")
off = call("addTimeOff", example("addTimeOff"), id="eve")
call("addTimeOff", {"from": "2027-12-24", "to": "2027-12-23"}, id="eve")
if [item["to"] for item in call("listTimeOff", id="eve")["items"]] != ["2027-12-31"]:
    failures.append(f"days off were not kept: {off}")
call("deleteTimeOff", id="eve", off=off["id"])
call("deleteTimeOff", id="eve", off=off["id"])
calendars = call("connectCalendars", example("connectCalendars"), id="eve")["items"]
if [calendar["state"] for calendar in calendars] != ["failing"] or "secret" in json.dumps(calendars):
    failures.append(f"a feed that nobody answers for: {calendars}")
call("connectCalendars", {"kind": "caldav", "url": "http://elsewhere.example"}, id="eve")
call("connectCalendars", {"kind": "google"}, id="eve")
call("listCalendars", id="eve")
chosen = call("chooseCalendar", {"counts": False}, id="eve", calendar=calendars[0]["id"])
if chosen.get("counts") is not False:
    failures.append(f"the choice was not kept: {chosen}")
call("chooseCalendar", {"counts": "yes"}, id="eve", calendar=calendars[0]["id"])
call("deleteCalendar", id="eve", calendar=calendars[0]["id"])
call("deleteCalendar", id="eve", calendar=calendars[0]["id"])
call("putOwner", example("putOwner"), id="ana")
call("deleteOwner", id="eve")
call("getOwner", id="eve")

# The catalogue.
for name in ["listMeetingTypes", "listProviders", "live", "ready", "metrics", "openapi", "docs"]:
    call(name)
call("listAudit", query="?limit=2")
call("exportPerson", example("exportPerson"))
call("erasePerson", example("erasePerson"))
call("erasePerson", {"email": "nobody"})
call("resolve", query="?meetingType=consultation&owner=ana")
call("resolve", query="?meetingType=consultation&owner=nobody")
call("resolve", query="?meetingTyp=consultation")

# Webhooks.
hook = call("createWebhook", example("createWebhook"))["id"]
call("listWebhooks")
call("getWebhook", id=hook)
call("rotateWebhookSecret", id=hook)
call("enableWebhook", id=hook)

# Bookings, each code on the way.
wanted = example("createBooking")
booked = call("createBooking", wanted, headers={"Idempotency-Key": "one", "Prefer": "wait=5"})
again = call("createBooking", wanted, headers={"Idempotency-Key": "one"})
if booked.get("id") != again.get("id"):
    failures.append("a repeated call made another booking")
id = booked["id"]
call("createBooking", {**wanted, "note": "other"}, headers={"Idempotency-Key": "one"})
call("createBooking", wanted)
call("createBooking", {**wanted, "start": "2020-01-01T10:00:00Z"})
call("createBooking", {"meetingTyp": "x"})
call("createBooking", raw=b"{")
call("createBooking", raw=b"{}" + b" " * (1 << 20))
call("createBooking", raw=b"{}", headers={"Content-Type": "text/plain"})
call("createBooking", wanted, key=None)
call("createBooking", wanted, key="usher_nobody")
call("createBooking", wanted, key=reader)
# Slots and holds.
held = call("createHold", example("createHold"), headers={"Idempotency-Key": "hold"})
call("createHold", example("createHold"), headers={"Idempotency-Key": "hold"})
refused = call("createHold", example("createHold"))
if not refused.get("nearest") or refused["hosts"][0]["reasons"] != ["busy-hold", "capacity"]:
    failures.append(f"a held time was not refused with its reasons: {refused}")
slots = call("listSlots", query="?meetingType=visit&from=2027-12-01&to=2027-12-01&timeZone=Europe/Berlin&limit=3")
if [slot["start"][11:] for slot in slots["items"]] != ["08:00:00+01:00", "08:30:00+01:00", "09:00:00+01:00"]:
    failures.append(f"not the first slots of the day: {slots}")
more = call("listSlots", query="?meetingType=visit&from=2027-12-01&to=2027-12-01&timeZone=Europe/Berlin&cursor=" + slots["nextCursor"])
if more["items"][0]["start"][11:] != "09:30:00+01:00" or "11:00:00+01:00" in [slot["start"][11:] for slot in more["items"]]:
    failures.append(f"not the next slots of the day: {more}")
call("listSlots", query="?meetingType=consultation")
call("listSlots", query="?meetingType=visit&from=2027-12-01&to=2028-12-01")
call("explainSlot", query="?meetingType=visit&start=2027-12-01T10:00:00Z")
call("explainSlot", query="?meetingType=visit")
kept = call("createBooking", {"hold": held["id"], "attendees": wanted["attendees"]})
if kept.get("owner", {}).get("because") != "pool" or kept.get("start") != held["start"]:
    failures.append(f"the hold was not booked: {kept}")
other = call("createHold", {**example("createHold"), "start": "2027-12-01T12:00:00+01:00"})
call("deleteHold", id=other["id"])
call("deleteHold", id=other["id"])
call("getBooking", id=id, key=reader)
call("getBooking", id="bk_none")
call("listBookings", query="?limit=1&status=confirmed&from=2027-01-01T00:00:00Z")
call("listBookings", query="?limit=0&limit=1&stat=x")
call("getTimeline", id=id)
call("rescheduleBooking", example("rescheduleBooking"), id=id)
call("retryBooking", id=id)
if call("cancelBooking", {"reason": "typo"}, id=id).get("code") != "validation.failed":
    failures.append("a body that means nothing was ignored")
call("cancelBooking", id=id, headers={"Idempotency-Key": "two"})
call("cancelBooking", id=id, headers={"Idempotency-Key": "two"})
call("rescheduleBooking", example("rescheduleBooking"), id=id)
sent = call("listDeliveries", id=hook, query="?limit=3")["items"]
call("replayDelivery", id=hook, delivery=sent[0]["id"])
call("deleteWebhook", id=hook)
call("mcp", example("mcp"))

# More calls than a key may make.
with concurrent.futures.ThreadPoolExecutor(16) as pool:
    list(pool.map(lambda _: None if "rate-limited" in codes else call("listMeetingTypes", key=reader), range(5_000)))

print(json.dumps({"failures": failures, "codes": sorted(codes), "called": sorted(called), "all": sorted(operations)}))
