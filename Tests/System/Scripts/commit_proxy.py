"""Stands between a client and a PostgreSQL, and breaks the first connection that commits an INSERT.

commit_proxy.py SOCKET_OF_SERVER FOLDER lost|dropped: listens in FOLDER as PostgreSQL does. `lost`: the commit reaches the server, and its
answer is lost. `dropped`: the commit never arrives."""
import asyncio, sys

server, folder, mode = sys.argv[1:]
left = 1


async def serve(reader, writer):
    theirs, ours = await asyncio.open_unix_connection(server)
    is_broken = False

    async def forward():
        global left
        nonlocal is_broken
        while data := await reader.read(65536):
            if left and b"COMMIT\0" in data and b"things" in data:
                left -= 1
                is_broken = True
                if mode == "lost":
                    ours.write(data)
                    await ours.drain()
                    # Until the server has done it.
                    await asyncio.sleep(0.3)
                break
            ours.write(data)
            await ours.drain()
        writer.transport.abort()
        ours.transport.abort()

    async def back():
        while data := await theirs.read(65536):
            if not is_broken:
                writer.write(data)
                await writer.drain()

    await asyncio.gather(forward(), back(), return_exceptions=True)
    writer.transport.abort()


async def main():
    await asyncio.start_unix_server(serve, folder + "/.s.PGSQL.5432")
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
