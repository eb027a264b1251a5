"""Switches one guard of the engine off at a time, in a copy of the sources, and sees whether the seeded runs notice.

Usage: mutants.py SOURCES COPY SCRATCH LAST_SEED [NAME…]
Prints a line for each guard: the seed that caught it, or MISSED. Ends with 1 where one was missed.
"""
import os, pathlib, re, shutil, signal, subprocess, sys, time

sources, copy, scratch, last = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4]
chosen = sys.argv[5:]
ROOMS, STEPS = "Engine/Pipeline/Rooms/RoomBook.swift", "Engine/Store/Steps.swift"
PROVISION, DESK = "Engine/Pipeline/Steps/Provision.swift", "Engine/Pipeline/Desk/BookingDesk.swift"

# Name, file, what stands there, what stands there without the guard; every place where it stands.
GUARDS = [
    ("fence: only the holder of a claim writes its outcome down", STEPS,
     "fence = $6 AND claimed_by = $7 AND due_at = $8", "(fence = $6 OR 1) AND (claimed_by = $7 OR 1) AND (due_at = $8 OR 1)"),
    ("intent: a create is written down before it leaves", PROVISION,
     "        try turn.tx.save(room)\n        let (intent, deadline)", "        let (intent, deadline)"),
    ("flight: an empty list counts once the create cannot be under way", PROVISION,
     "let settled = room.flightEnds + provisioner.settles(room.module)", "let settled = Instant(microseconds: 0)"),
    ("unclear: a create without an answer is not one without effect", ROOMS,
     "        if error.isUnclear {\n            room.state = .unclear", "        if error.isUnclear {\n            room.state = .absent"),
    ("twins: the second room of a key is removed", PROVISION,
     "for twin in found where twin.id != kept {", "for twin in found where twin.id != kept && twin.id.isEmpty {"),
    ("repeatable: unclear until a create succeeds", ROOMS,
     "isRepeatable(room.module), error.isUnclear || mayExist {", "isRepeatable(room.module), error.isUnclear && mayExist && room.key.isEmpty {"),
    ("conflict: an owner is in one meeting at a time", DESK,
     "        if other != nil {", "        if other == \"\" {"),
    ("outbox: a mail that was being sent when its process died may have arrived", "Engine/Pipeline/Steps/Deliver.swift",
     "if mail.state == .sending { mail.maybeDelivered = true }", ""),
    ("again: what is asked for while a step runs is looked at when it ends", STEPS,
     "THEN excluded.due_at ELSE steps.again_at END", "THEN steps.again_at ELSE steps.again_at END"),
    ("grants: a pair is stored over its own generation alone", "Engine/Store/Connections.swift",
     "AND provider = $8 AND generation = $9", "AND provider = $8 AND (generation = $9 OR 1)"),
]


def mirror():
    copy.mkdir(parents=True, exist_ok=True)
    for name in ["Engine", "Providers", "Tests"]:
        for path in sorted((sources / name).rglob("*")):
            target = copy / path.relative_to(sources)
            if path.is_dir():
                target.mkdir(parents=True, exist_ok=True)
            elif not target.exists() or target.read_bytes() != path.read_bytes():
                shutil.copy2(path, target)
    for name in ["Package.swift", "meeting-types.yaml"]:
        shutil.copy2(sources / name, copy / name)


def swift(*arguments, **options):
    return subprocess.Popen(
        ["swift", *arguments, "--package-path", str(copy), "--scratch-path", scratch], stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True, **options)


def caught():
    """The first seed that notices; None where none does."""
    run = swift("test", "--skip-build", "--filter", "SimulationTests", env={**os.environ, "USHER_SEED": "1-" + last})
    seed = None
    for line in run.stdout:
        found = re.match(r"seed (\d+): (.{0,100})", line)
        if found or "Caught error" in line:
            seed = found.group(1) if found else "a run that failed"
            os.killpg(run.pid, signal.SIGKILL)
            break
    run.wait()
    return seed


missed = False
for name, file, guard, without in GUARDS:
    if chosen and name.split(":")[0] not in chosen:
        continue
    began = time.time()
    mirror()
    text = (copy / file).read_text()
    if guard not in text:
        sys.exit(f"{file} does not hold the guard '{name}' any more: bring mutants.py up to date")
    (copy / file).write_text(text.replace(guard, without))
    build = swift("build", "--build-tests")
    output = build.communicate()[0]
    if build.returncode:
        sys.exit(f"{name}: the copy does not build\n{output[-3000:]}")
    seed = caught()
    missed = missed or seed is None
    print(f"{'MISSED   ' if seed is None else 'caught   '} {name}  (seed {seed}, {time.time() - began:.0f} s)", flush=True)
sys.exit(1 if missed else 0)
