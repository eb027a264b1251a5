"""Switches one guard of the engine off at a time, in a copy of the sources, and sees whether the seeded runs notice.

Usage: mutants.py SOURCES COPY SCRATCH LAST_SEED [NAME…] | mutants.py SOURCES: only sees whether each guard stands where it is looked for.
Prints a line for each guard: the seed that caught it, by the violation that it is to cause, or MISSED. Ends with 1 where one was
missed.
"""
import pathlib, re, shutil, subprocess, sys, time

sources = pathlib.Path(sys.argv[1])
ROOMS, JOBS = "Engine/Pipeline/Rooms/RoomOutcomes.swift", "Engine/Store/Jobs.swift"
PROVISION, BOOKINGS = "Engine/Pipeline/Rooms/ProvisionRooms.swift", "Engine/Pipeline/Bookings/BookingService.swift"
MAIL_PLAN, SCHEMA = "Engine/Pipeline/Mail/MailPlan.swift", "Engine/Store/SchemaHistory.swift"
WORKER, DELIVER = "Engine/Pipeline/Worker/Worker.swift", "Engine/Pipeline/Mail/DeliverMail.swift"

# What looks a second time for rooms that came late hides the lack of other guards: it goes with them.
SECOND_LOOK = ("Engine/Pipeline/Rooms/RoomLooks.swift", "room.duplicateCheckAt = step.now + Self.duplicateChecks[0]", "room.duplicateCheckAt = .never")

# Name, what the violation says, and of each place the file, what stands there, and what stands there without the guard.
GUARDS = [
    ("fence: only the holder of a claim writes its outcome down", "", [
        (JOBS, "fence = $4 AND claimed_by = $5 AND claimed_until = $6", "(fence = $4 OR 1) AND (claimed_by = $5 OR 1) AND (claimed_until = $6 OR 1)"),
        (JOBS, "fence = $7 AND claimed_by = $8 AND claimed_until = $9", "(fence = $7 OR 1) AND (claimed_by = $8 OR 1) AND (claimed_until = $9 OR 1)"),
        (JOBS, "fence = $3 AND claimed_by = $4 AND claimed_until = $5", "(fence = $3 OR 1) AND (claimed_by = $4 OR 1) AND (claimed_until = $5 OR 1)")]),
    ("claim-end: a create leaves while its claim lasts, or not at all", "rooms|belongs to no booking", [
        (WORKER, "let hasTime = context.now + EngineSettings.workLength <= claim.until", "let hasTime = context.now <= .never"),
        (PROVISION, "let (intent, deadline) = (room, step.deadline)", "let (intent, deadline) = (room, step.deadline + .seconds(200))"),
        SECOND_LOOK]),
    ("intent: a create is written down before it leaves", "room", [
        (PROVISION, "        try step.tx.save(room)\n        let (intent, deadline)", "        let (intent, deadline)")]),
    ("flight: an empty list counts once the create cannot be under way", "rooms", [
        (PROVISION, "let settled = provisioner.settled(room)", "let settled = Instant(microseconds: 0)"),
        SECOND_LOOK]),
    ("unclear: a create without an answer is not one without effect", "room", [
        (ROOMS, "        if error.isUnclear {\n            room.state = .unclear", "        if error.isUnclear {\n            room.state = .absent")]),
    ("twins: the second room of a key is removed", "rooms", [
        (PROVISION, "for twin in found where twin.id != kept {", "for twin in found where twin.id != kept && twin.id.isEmpty {")]),
    ("repeatable: unclear until a create succeeds", "", [
        (ROOMS, "isRepeatable(room.module), error.isUnclear || mayExist {",
         "isRepeatable(room.module), error.isUnclear && mayExist && room.key.isEmpty {")]),
    ("conflict: an owner is in one meeting at a time", "overlap", [
        (BOOKINGS, "if try tx.hasConflict(booking) || tx", "if try booking.id.isEmpty || tx"),
        ("Engine/Store/Bookings.swift", "AND status = 'confirmed')", "AND status = 'unknown')")]),
    ("exclusive: a booking that may overlap stands beside none that may not", "overlap", [
        ("Engine/Store/Bookings.swift", "AND id <> $5 AND overlap_allowed = 0 LIMIT 1", "AND id <> $5 AND overlap_allowed = 2 LIMIT 1"),
        ("Engine/Store/Bookings.swift", "AND overlap_allowed = 0)", "AND overlap_allowed = 2)")]),
    ("hold: a time that is held is nobody else's", "hold|lives", [
        ("Engine/Pipeline/Slots/HostReader.swift", "now: now)\n            .filter { $0.id != exempt.hold && $0.end > read.start }",
         "now: now)\n            .filter { $0.id.isEmpty && $0.id != exempt.hold && $0.end > read.start }"),
        ("Engine/Store/Bookings.swift", "AND NOT EXISTS (SELECT 1 FROM holds WHERE owner_id = $25 AND",
         "AND NOT EXISTS (SELECT 1 FROM holds WHERE expires_at < 0 AND owner_id = $25 AND"),
        ("Engine/Store/Bookings.swift", "AND expires_at > $28 AND type <> $29", "AND expires_at > $28 AND type <> $29 AND expires_at < 0")]),
    ("stale: what was not heard of for long is not free", "stands over", [
        ("Engine/Pipeline/Slots/HostReader.swift", "guard now - asOf <= catalog.busy.maxAge ||", "guard now - asOf <= .days(999) ||")]),
    ("phantom: what a calendar server says is gone is looked for twice", "stands over", [
        ("Engine/Pipeline/BusyCalendars/ReadCalendar.swift", "guard source.confirmsRemovals else", "guard source.confirmsRemovals && source.kind.isEmpty else")]),
    ("repeats: a call under a known key makes nothing", "twice|made .* and|somebody was told|could not be settled", [
        ("Engine/Pipeline/Context/IdempotencyKey.swift", "try tx.idempotent(scope: key.scope, key: key.key, now: now)",
         "try tx.idempotent(scope: \"\", key: key.key, now: now)")]),
    ("once: a reader is told of a revision once", "confirmations|times|told of revision", [
        (MAIL_PLAN, "guard !theirs.contains(where: { $0.revision == booking.revision }) else { return nil }", ""),
        (SCHEMA, "CREATE UNIQUE INDEX outbox_once ON outbox (booking_id, revision, reader, about)",
         "CREATE INDEX outbox_once ON outbox (booking_id, revision, reader, about)")]),
    ("news: what a mail said changes with a new revision alone", "was not told", [
        ("Engine/Pipeline/Rooms/RoomNews.swift", "guard try step.tx.mails(of: booking.id).contains(where: { $0.revision == booking.revision }) else { return }",
         "guard booking.revision < 0 else { return }")]),
    ("outbox: a mail that was being sent when its process died may have arrived", "nobody had to|copies", [
        (DELIVER, "if mail.state == .sending { mail.maybeDelivered = true }", "")]),
    ("again: what is asked for while a step runs is looked at when it ends", "minute later|on the owner.s calendar", [
        (JOBS, "THEN excluded.due_at ELSE steps.again_at END", "THEN steps.again_at ELSE steps.again_at END")]),
    ("skew: a clock that is ahead waits for one that is behind", "rooms", [
        ("Engine/Pipeline/Providers/ProviderResolver.swift", "listed(room) + EngineSettings.clockSkew", "listed(room)"), SECOND_LOOK]),
    ("order: a program hears of one thing after the other", "order|past again|confirmation", [
        ("Engine/Store/Webhooks.swift", "state = 'waiting' ORDER BY seq LIMIT 1", "state = 'waiting' ORDER BY seq DESC LIMIT 1")]),
    ("grants: a pair is stored over its own generation alone", "grant|counts as dead", [
        ("Engine/Store/Connections.swift", "AND provider = $8 AND generation = $9", "AND provider = $8 AND (generation = $9 OR 1)")]),
]


def mirror():
    copy.mkdir(parents=True, exist_ok=True)
    for name in ["Engine", "Providers", "Tests"]:
        for path in sorted((copy / name).rglob("*"), reverse=True):
            if not (sources / path.relative_to(copy)).exists():
                path.rmdir() if path.is_dir() else path.unlink()
        for path in sorted((sources / name).rglob("*")):
            target = copy / path.relative_to(sources)
            if path.is_dir():
                target.mkdir(parents=True, exist_ok=True)
            elif not target.exists() or target.read_bytes() != path.read_bytes():
                shutil.copy2(path, target)
    for name in ["Package.swift", "meeting-types.yaml"]:
        shutil.copy2(sources / name, copy / name)


def build():
    command = ["swift", "build", "-c", "release", "--product", "usher-simulate", "--package-path", str(copy), "--scratch-path", scratch]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode:
        sys.exit(f"the copy does not build\n{(done.stdout + done.stderr)[-3000:]}")


def violation(pattern):
    """The first violation that fits; None where there is none. A run that ends otherwise proves nothing, and is an error."""
    command = ["timeout", "1800", f"{scratch}/release/usher-simulate", "1-" + last]
    others = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace") as run:
        for line in run.stdout:
            if found := re.match(r"seed (\d+): (.*)", line):
                if re.search(pattern, found.group(2)):
                    # Each of its parts is a process group of its own.
                    subprocess.run(["pkill", "-KILL", "-f", f"{scratch}/.*usher-simulate"])
                    return found
                others.append(found.group(0)[:100])
        code = run.wait()
    if code not in (0, 1):
        sys.exit(f"usher-simulate ended with {code}")
    for other in others[:3]:
        print(f"         {other}", flush=True)
    return None


for name, _, changes in GUARDS:
    for file, guard, _ in changes:
        if guard not in (sources / file).read_text():
            sys.exit(f"{file} does not hold the guard '{name}' any more: bring mutants.py up to date")
if len(sys.argv) == 2:
    sys.exit(0)
copy, scratch, last, chosen = pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5:]

mirror()
build()
if found := violation(""):
    sys.exit(f"with every guard in place, {found.group(0)}")
print(f"clean    with every guard in place, to seed {last}", flush=True)
missed = False
for name, pattern, changes in GUARDS:
    if chosen and name.split(":")[0] not in chosen:
        continue
    mirror()
    for file, guard, without in changes:
        (copy / file).write_text((copy / file).read_text().replace(guard, without))
    build()
    began = time.time()
    found = violation(pattern)
    missed = missed or found is None
    how = f"seed {found.group(1)}, {time.time() - began:.0f} s: {found.group(2)[:100]}" if found else f"{time.time() - began:.0f} s"
    print(f"{'caught' if found else 'MISSED':<9}{name}  ({how})", flush=True)
sys.exit(1 if missed else 0)
