# SPDX-License-Identifier: Apache-2.0
"""yardstick.py: what a live build log costs in one Python process, written the usual way: the other side of bench-stream.

Serves /ws on a free loopback port, which it prints. A session's viewers get `build_progress` with the newest 20 lines for
each line, and a terminal message; who joins later gets the present one. `BUILD` with `argv` runs a program, unconfined."""

import asyncio
import collections
import json
import time
import uuid

import websockets

viewers = collections.defaultdict(set)
present = {}


def message(session, kind, data):
    return json.dumps(
        {"id": str(uuid.uuid4()), "type": kind, "data": data, "timestamp": time.time(), "session_id": session}
    )


async def tell(session, kind, data):
    text = present[session] = message(session, kind, data)
    for viewer in list(viewers[session]):
        try:
            await viewer.send(text)
        except websockets.ConnectionClosed:
            viewers[session].discard(viewer)


async def build(session, argv):
    start = time.time()
    lines = []
    await tell(session, "BUILD_STARTED", {"title": argv[0]})
    process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    async for raw in process.stdout:
        lines.append(raw.decode("utf-8", "replace").rstrip("\n"))
        await tell(session, "build_progress", {"type": "build_progress", "message": lines[-1], "logs": lines[-20:]})
    if await process.wait() == 0:
        await tell(session, "build_completed", {"status": "success", "build_time": time.time() - start})
    else:
        await tell(session, "build_error", {"status": "error", "error": f"exit {process.returncode}"})


async def connection(socket):
    session = None
    builds = set()
    try:
        async for text in socket:
            asked = json.loads(text)
            if asked["type"] == "INIT":
                session = asked["session_id"]
                viewers[session].add(socket)
                if session in present:
                    await socket.send(present[session])
            elif asked["type"] == "BUILD":
                builds.add(asyncio.create_task(build(asked["session_id"], asked["argv"])))
    except websockets.ConnectionClosed:
        pass
    finally:
        viewers[session].discard(socket)


async def main():
    async with websockets.serve(connection, "127.0.0.1", 0, compression=None, backlog=1024) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().create_future()


asyncio.run(main())
