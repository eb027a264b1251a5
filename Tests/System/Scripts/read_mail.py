"""Reads a mail on standard input with Python's own parser and icalendar, and says in JSON what a mail program would see."""
import email, email.policy, json, sys
from icalendar import Calendar

message = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
parts = [part for part in message.walk() if not part.is_multipart()]
calendars = [part for part in parts if part.get_content_type() in ("text/calendar", "application/ics")]


def event(part):
    payload = part.get_payload(decode=True)
    calendar = Calendar.from_ical(payload)
    found = [component for component in calendar.walk() if component.name == "VEVENT"][0]
    value = lambda name: str(found.get(name)) if found.get(name) is not None else None
    return {
        "method": str(calendar.get("METHOD")), "uid": value("UID"), "sequence": int(found.get("SEQUENCE")), "status": value("STATUS"),
        "start": found.get("DTSTART").dt.isoformat(), "end": found.get("DTEND").dt.isoformat(), "summary": value("SUMMARY"),
        "location": value("LOCATION"), "organizer": value("ORGANIZER"), "attendee": value("ATTENDEE"), "description": value("DESCRIPTION"),
        "longestLine": max(len(line) for line in payload.split(b"\r\n")), "parameter": part.get_param("method"),
    }


print(json.dumps({
    "subject": message["Subject"], "from": message["From"], "to": message["To"], "replyTo": message["Reply-To"],
    "messageID": message["Message-ID"], "inReplyTo": message["In-Reply-To"], "references": message["References"],
    "autoSubmitted": message["Auto-Submitted"], "date": message["Date"].datetime.isoformat(),
    "types": [part.get_content_type() for part in message.walk()],
    "text": next(part.get_content() for part in parts if part.get_content_type() == "text/plain"),
    "html": next(part.get_content() for part in parts if part.get_content_type() == "text/html"),
    "events": [event(part) for part in calendars], "defects": [str(defect) for part in message.walk() for defect in part.defects],
}))
