"""Writes seeded calendars of one recurring event each, with the times at which python-dateutil lets them recur.

    recurrences.py FIRST LAST

One line of JSON a seed: the calendar, from, to (seconds since 1970), and the starts between them.
"""
import json
import random
import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo", "America/Santiago", "UTC"]
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


def rule(chance, start):
    frequency = chance.choice(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
    parts = ["FREQ=" + frequency]
    if chance.random() < 0.5:
        parts.append(f"INTERVAL={chance.randint(1, 4)}")
    if chance.random() < 0.3:
        parts.append("BYMONTH=" + ",".join(map(str, sorted(chance.sample(range(1, 13), chance.randint(1, 4))))))
    kind = chance.random()
    if frequency == "WEEKLY" or (frequency == "DAILY" and kind < 0.3):
        if chance.random() < 0.7:
            parts.append("BYDAY=" + ",".join(chance.sample(DAYS, chance.randint(1, 4))))
    elif frequency in ("MONTHLY", "YEARLY"):
        if kind < 0.35:
            parts.append("BYDAY=" + ",".join(f"{chance.choice([1, 2, 3, 4, -1, -2])}{day}" for day in chance.sample(DAYS, chance.randint(1, 2))))
        elif kind < 0.55:
            parts.append("BYMONTHDAY=" + ",".join(map(str, sorted(chance.sample([1, 2, 5, 13, 15, 28, 29, 30, 31, -1, -2], chance.randint(1, 3))))))
        elif kind < 0.75:
            parts.append("BYDAY=" + ",".join(chance.sample(DAYS, chance.randint(1, 5))))
            parts.append(f"BYSETPOS={chance.choice([1, 2, -1])}")
    if chance.random() < 0.3:
        parts.append("WKST=" + chance.choice(["MO", "SU"]))
    end = chance.random()
    if end < 0.3:
        parts.append(f"COUNT={chance.randint(1, 40)}")
    elif end < 0.5:
        parts.append("UNTIL")
    return parts, start


def instant(wall, zone):
    """The first of two moments; the moment of the change where clocks skip the time."""
    there = wall.replace(tzinfo=zone, fold=0)
    back = there.astimezone(timezone.utc).astimezone(zone).replace(tzinfo=None)
    if back == wall:
        return int(there.timestamp())
    low, high = int(there.timestamp()) - 172800, int(there.timestamp()) + 172800
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).replace(tzinfo=None) < wall:
            low = middle
        else:
            high = middle
    return high


def case(seed):
    chance = random.Random(seed)
    name = chance.choice(ZONES)
    zone = ZoneInfo(name)
    start = datetime(chance.randint(2023, 2026), chance.randint(1, 12), chance.randint(1, 28), chance.randint(0, 23), chance.choice([0, 15, 30]))
    parts, _ = rule(chance, start)
    begin = datetime(2026, chance.randint(1, 12), 1)
    end = begin + timedelta(days=400)
    written, local = list(parts), list(parts)
    if "UNTIL" in parts:
        last = start + timedelta(days=chance.randint(1, 1200), hours=chance.randint(-3, 3))
        kind = chance.random()
        if kind < 0.5:
            moment = datetime.fromtimestamp(instant(last, zone), timezone.utc)
            written[-1] = "UNTIL=" + moment.strftime("%Y%m%dT%H%M%SZ")
            shown = moment.astimezone(zone).replace(tzinfo=None)
        elif kind < 0.8:
            written[-1], shown = "UNTIL=" + last.strftime("%Y%m%dT%H%M%S"), last
        else:
            written[-1], shown = "UNTIL=" + last.strftime("%Y%m%d"), last.replace(hour=23, minute=59, second=59)
        local[-1] = "UNTIL=" + shown.strftime("%Y%m%dT%H%M%S")
    walls = []
    for wall in rrulestr("RRULE:" + ";".join(local), dtstart=start):
        if wall > end + timedelta(days=3) or len(walls) > 6000:
            break
        walls.append(wall)
    # An event's own start is its first occurrence, whatever its rule says.
    walls = sorted(set(walls + [start]))
    excluded = [wall for wall in walls if chance.random() < 0.1]
    zoned = "" if name == "UTC" else f";TZID={name}"
    mark = "Z" if name == "UTC" else ""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//recurrences//EN", "BEGIN:VEVENT", f"UID:seed-{seed}", "DTSTAMP:20260101T000000Z",
             f"DTSTART{zoned}:{start:%Y%m%dT%H%M%S}{mark}", "DURATION:PT45M", "RRULE:" + ";".join(written)]
    lines += [f"EXDATE{zoned}:{wall:%Y%m%dT%H%M%S}{mark}" for wall in excluded]
    lines += ["END:VEVENT", "END:VCALENDAR", ""]
    low, high = instant(begin, zone), instant(end, zone)
    starts = sorted({instant(wall, zone) for wall in walls if wall not in excluded})
    gone = {instant(wall, zone) for wall in excluded}
    starts = [moment for moment in starts if moment < high and moment + 45 * 60 > low and moment not in gone]
    return {"seed": seed, "calendar": "\r\n".join(lines), "from": low, "to": high, "starts": starts}


for number in range(int(sys.argv[1]), int(sys.argv[2]) + 1):
    print(json.dumps(case(number)))
