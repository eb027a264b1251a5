"""Books, looks, moves and cancels as an agent, through the official MCP client, 1.x or 2.x.

Usage: agent.py http URL KEY | agent.py stdio COMMAND [ARGUMENT...]
Prints one JSON object: what the agent saw.
"""
import asyncio, importlib.metadata, json, sys

CLIENT = importlib.metadata.version("mcp")
START = "2027-06-01T10:00:00+02:00"


async def work(client):
    tools = (await client.list_tools()).tools
    offer = await call(client, "list_meeting_types", {})
    why = await call(client, "explain_provider", {"meetingType": "consultation", "owner": "ana"})
    asked = {
        "meetingType": "consultation", "owner": "ana", "start": START, "idempotencyKey": CLIENT,
        "attendees": [{"name": "Bo Li", "email": "bo@example.org"}],
    }
    booked = await call(client, "book_meeting", asked)
    again = await call(client, "book_meeting", asked)
    wrong = await client.call_tool("book_meeting", {"meetingType": "consultaton", "owner": "ana", "start": START, "attendees": []})
    seen = await call(client, "get_booking", {"id": booked["id"]})
    listed = await call(client, "list_bookings", {"owner": "ana", "from": "2027-06-01T00:00:00Z", "to": "2027-06-02T00:00:00Z"})
    moved = await call(client, "reschedule_booking", {"id": booked["id"], "start": "2027-06-02T10:00:00+02:00"})
    cancelled = await call(client, "cancel_booking", {"id": booked["id"]})
    return {
        "tools": [tool.name for tool in tools], "types": [kind["id"] for kind in offer["meetingTypes"]], "why": why["because"],
        "booked": booked, "again": again["id"], "wrong": wrong.content[0].text, "isError": failed(wrong), "seen": seen["id"],
        "listed": [one["id"] for one in listed["items"]],
        "moved": moved["start"], "cancelled": cancelled["status"],
    }


def failed(result):
    return getattr(result, "is_error", None) or getattr(result, "isError", None) or False


async def call(client, name, arguments):
    result = await client.call_tool(name, arguments)
    assert not failed(result), result
    return getattr(result, "structured_content", None) or result.structuredContent


async def first(kind, rest):
    """With mcp 1.x."""
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client
    from mcp.client.streamable_http import streamablehttp_client

    if kind == "http":
        way = streamablehttp_client(rest[0], headers={"Authorization": "Bearer " + rest[1]})
    else:
        import os
        way = stdio_client(StdioServerParameters(command=rest[0], args=rest[1:], env=dict(os.environ)))
    async with way as streams:
        async with ClientSession(streams[0], streams[1]) as session:
            hello = await session.initialize()
            return {"version": hello.protocolVersion} | await work(session)


async def second(kind, rest, **mode):
    """With mcp 2.x."""
    from mcp import Client
    if kind == "http":
        import httpx2
        from mcp.client.streamable_http import streamable_http_client
        way = streamable_http_client(rest[0], http_client=httpx2.AsyncClient(headers={"Authorization": "Bearer " + rest[1]}))
    else:
        import os
        from mcp import StdioServerParameters
        from mcp.client.stdio import stdio_client
        way = stdio_client(StdioServerParameters(command=rest[0], args=rest[1:], env=dict(os.environ)))
    async with Client(way, **mode) as client:
        return {"version": getattr(client, "protocol_version", None)} | await work(client)


def main():
    kind, rest = sys.argv[1], sys.argv[2:]
    if CLIENT.startswith("1."):
        run = first(kind, rest)
    else:
        run = second(kind, rest)
    print(json.dumps(asyncio.run(run)))


main()
