# SPDX-License-Identifier: Apache-2.0
# Copyright the Drydock authors
"""Follows the builds of a session over wire profile 1, through lost connections and restarts of the server.

    async for message in Stream("ws://127.0.0.1:8080/ws", "s1"):
        for record in records(message):
            if record["kind"] == "log":
                print(record["text"])

As a program: python drydock_stream.py ws://127.0.0.1:8080/ws SESSION
prints the session's next build, or the one that goes on, from its first line, and ends with it: 0 where it succeeded.

Needs `websockets` 14 or later. The protocol is in docs/wire.md.
"""

import asyncio
import json
import random
import re
import sys

import websockets


class Refused(Exception):
    """The server will not have this client; coming back would not help."""


def records(message):
    """The journal's records in a message."""
    return message["data"]["records"] if message["type"] == "build_event" else []


class Stream:
    """The messages of a session as they come; those that only hold a connection together are not among them.

    `positions` maps a build that has not ended to the last record that was seen of it, and `since` is the newest build. Give
    saved ones to go on where another process stopped: they are true of the messages that were taken out of the stream.
    """

    def __init__(self, url, session, token=None, start="now", positions=None, since=None, longest_wait=30.0):
        self.url = url
        self.session = session
        self.token = token
        self.start = start
        self.positions = dict(positions or {})
        self.since = since
        self.longest_wait = longest_wait
        self.connections = 0
        self._socket = None

    def abort(self):
        """Cuts the connection, as a network might; the stream goes on over another one."""
        if self._socket:
            self._socket.transport.abort()

    async def __aiter__(self):
        failures = 0
        while True:
            wait = None
            try:
                async with self._connect() as socket:
                    self.connections += 1
                    self._socket = socket
                    await socket.send(json.dumps(self._registration()))
                    async for text in socket:
                        failures = 0
                        message = json.loads(text)
                        self._note(message)
                        yield message
                    wait = self._wait_asked_for(socket)
            except websockets.ConnectionClosed as closed:
                wait = self._wait_asked_for(closed.rcvd)
            except websockets.InvalidStatus as refused:
                if refused.response.status_code in (400, 401, 403, 404, 421):
                    raise Refused(refused.response.body.decode(errors="replace")) from refused
            except (OSError, asyncio.TimeoutError, websockets.InvalidHandshake):
                pass  # nobody is there, or went away while it answered: it may come back
            failures += 1
            # Between half and all of it, so that a thousand clients do not come back at one moment.
            longest = min(self.longest_wait, 0.25 * 2 ** min(failures, 10))
            await asyncio.sleep(longest * random.uniform(0.5, 1) if wait is None else wait)

    def _connect(self):
        subprotocols = ["drydock", "bearer." + self.token] if self.token else None
        return websockets.connect(self.url, subprotocols=subprotocols, max_size=None)

    def _registration(self):
        data = {"features": ["events", "resume"], "from": self.start, "builds": self.positions, "since": self.since}
        return {"type": "INIT", "session_id": self.session, "data": data}

    def _note(self, message):
        kind, data = message["type"], message["data"]
        if kind in ("build_event", "build_snapshot") and "attempt" in data:
            self.positions[data["build_id"]] = {"epoch": data["attempt"], "seq": data["seq"]}
        elif kind == "BUILD_STARTED":
            self.positions.setdefault(data["build_id"], {"seq": 0})
            self.since = max(self.since or "", data["build_id"])
        elif kind in ("build_completed", "build_error") or kind == "error" and data.get("code") == "build_unknown":
            self.positions.pop(data.get("build_id"), None)

    @staticmethod
    def _wait_asked_for(closed):
        """Seconds that the server asks to wait; None where it does not say."""
        code = getattr(closed, "code", None) or getattr(closed, "close_code", None) or 1006
        reason = getattr(closed, "reason", None) or getattr(closed, "close_reason", None) or ""
        if code == 1008 or 3500 <= code < 4000 or 4500 <= code < 5000:
            raise Refused(f"{code} {reason}")
        asked = re.search(r"retry_ms=(\d+)", reason)
        return int(asked.group(1)) / 1000 if asked else None


async def main(url, session):
    build = None
    async for message in Stream(url, session, start="start"):
        build = build or message["data"].get("build_id")
        if message["type"] != "error" and message["data"].get("build_id") != build:
            continue
        for record in records(message):
            if record["kind"] == "log":
                print(record["text"], flush=True)
        if message["type"] == "error":
            sys.exit(message["data"]["message"])
        if message["type"] == "gap":
            print("...", message["data"]["reason"], file=sys.stderr)
        if message["type"] in ("build_completed", "build_error"):
            print(message["data"].get("message") or message["data"]["error"], file=sys.stderr)
            return 0 if message["type"] == "build_completed" else 1


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(asyncio.run(main(sys.argv[1], sys.argv[2])))
