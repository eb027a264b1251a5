"""Many callers at once on bad lines: each books, may lose its line at any moment, and repeats the call until it is answered.

Usage: callers.py PORT KEY CALLERS BOOKINGS_EACH
Prints one JSON object: calls made, lines cut, and per idempotency key the ids that were answered.
"""
import asyncio, json, random, sys

port, key, callers, each = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
dice = random.Random(7)
answers, made = {}, {"calls": 0, "cut": 0, "refused": 0}


async def attempt(name, body):
    """One call; None where the line was cut or the server wants a moment."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    made["calls"] += 1
    try:
        head = (
            f"POST /v1/bookings HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
            f"Idempotency-Key: \"{name}\"\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        cut = dice.random() < 0.05
        message = head.encode() + body
        if cut and dice.random() < 0.5:
            message = message[: dice.randrange(len(message))]
        writer.write(message)
        await writer.drain()
        if cut:
            made["cut"] += 1
            await asyncio.sleep(dice.random() * 0.02)
            writer.transport.abort()
            return None
        answer = await reader.read()
        status = int(answer.split(b" ", 2)[1])
        if status in (429, 503):
            made["refused"] += 1
            return None
        assert status == 201, answer[:500]
        return json.loads(answer.split(b"\r\n\r\n", 1)[1])["id"]
    finally:
        writer.close()


async def caller(number):
    for turn in range(each):
        name = f"{number}-{turn}"
        body = json.dumps({
            "meetingType": "open", "owner": "ana", "start": f"2027-{turn % 12 + 1:02}-{number % 27 + 1:02}T10:00:00Z",
            "attendees": [{"email": f"guest{number}@example.org"}],
        }).encode()
        # Each call is repeated once after its answer, too: a caller that forgot.
        wanted = 2
        while wanted:
            try:
                id = await attempt(name, body)
            except (ConnectionError, IndexError):
                id = None
            if id is None:
                await asyncio.sleep(dice.random() * 0.2)
                continue
            answers.setdefault(name, []).append(id)
            wanted -= 1


async def main():
    await asyncio.gather(*(caller(number) for number in range(callers)))
    print(json.dumps(made | {"answers": answers}))


asyncio.run(main())
