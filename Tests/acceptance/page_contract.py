"""page_contract.py DRYDOCK: opens the page in Chromium and uses it as a person does, with and without tokens.

Exit status: 0 when all checks held; without a Chromium it says so and exits 0. SHOTS=DIR keeps pictures there.
"""
import asyncio
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request

import websockets

from served import Server, archive

failures = 0


def check(what, held, seen=""):
    global failures
    failures += not held
    print(f"{'ok     ' if held else 'FAILED '} {what}{'' if held else f': {seen}'}")


class Browser:
    """One tab of a Chromium without a window, over the DevTools protocol."""

    async def start(self, program, folder):
        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
             "--window-size=1280,860", "--user-data-dir=" + folder, "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        port = next(found[1] for line in self.process.stderr if (found := re.search(r"ws://[^:]+:(\d+)/", line)))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
            tab = next(tab for tab in json.load(answer) if tab["type"] == "page")
        self.socket = await websockets.connect(tab["webSocketDebuggerUrl"], max_size=None)
        self.number = 0

    async def call(self, method, **parameters):
        self.number += 1
        await self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while (answer := json.loads(await self.socket.recv())).get("id") != self.number:
            pass
        return answer.get("result", answer)

    async def value(self, script):
        answer = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        return answer.get("result", {}).get("value", answer)

    async def holds(self, condition):
        """Whether `condition` comes true within 20 seconds; reloads in between are fine."""
        script = f"""new Promise((tell) => {{
            const look = () => {{ try {{ return !!({condition}); }} catch {{ return false; }} }};
            const timer = setInterval(() => {{ if (look()) {{ clearInterval(timer); tell(true); }} }}, 30);
            setTimeout(() => {{ clearInterval(timer); tell(false); }}, 10000); }})"""
        return await self.value(script) is True or await self.value(script) is True

    async def open(self, address):
        await self.call("Page.navigate", url="about:blank")
        await self.call("Page.navigate", url=address)

    async def shot(self, name):
        if folder := os.environ.get("SHOTS"):
            picture = await self.call("Page.captureScreenshot", format="png")
            with open(os.path.join(folder, name + ".png"), "wb") as file:
                file.write(base64.b64decode(picture["data"]))

    async def upload(self, session=""):
        """Chooses a file as a person does; the address's new build."""
        before = await self.value("location.hash")
        bytes_ = list(archive())
        await self.value(f"""(() => {{
            document.getElementById('into').value = {json.dumps(session)};
            const files = new DataTransfer(), field = document.getElementById('file');
            files.items.add(new File([new Uint8Array({bytes_})], 'mine.tar'));
            field.files = files.files;
            field.dispatchEvent(new Event('change')); }})()""")
        await self.holds(f"location.hash !== {json.dumps(before)}")
        return (await self.value("location.hash"))[1:]


TEXT = "document.getElementById('{}').textContent"


async def without_tokens(browser, server):
    old = server.build("first")
    for number in range(51):
        server.build(f"s{number}")
    await browser.open(f"{server.address}/#{old}")
    shown = await browser.holds(TEXT.format("meta") + f".startsWith('{old}')")
    check("a link to a build that is too old for the list shows it", shown, await browser.value(TEXT.format("meta")))
    check("with its log", await browser.holds("document.getElementById('log').childElementCount > 0"))
    await browser.shot("old-build")
    await browser.open(f"{server.address}/#b_nonesuch")
    told = await browser.holds(TEXT.format("welcome-title") + " === 'There is no such build'")
    check("a link to no build says so", told, await browser.value(TEXT.format("welcome-title")))
    check("and shows no other", await browser.value("document.getElementById('build').hidden"))
    await browser.shot("no-such-build")
    await browser.open(f"{server.address}/#{old}")
    await browser.holds(TEXT.format("meta") + f".startsWith('{old}')")
    made = json.loads(server.ask("/api/v1/builds/" + await browser.upload()))
    check("an upload goes into a session of its own", made["session_id"].startswith("page-"), made["session_id"])
    made = json.loads(server.ask("/api/v1/builds/" + await browser.upload("mine")))
    check("or into the one that is named", made["session_id"] == "mine", made["session_id"])
    check("it ends where all see it", await browser.holds(TEXT.format("state") + " === 'succeeded'"))
    await browser.shot("upload")


async def with_tokens(browser, server):
    build = server.build("kept")
    await browser.open(f"{server.address}/#{build}")
    check("a server with tokens is told for one", await browser.holds("!document.getElementById('key').hidden"))
    await browser.shot("token-asked")
    give = "(() => {{ document.getElementById('token').value = '{}'; document.getElementById('key').requestSubmit(); }})()"
    await browser.value(give.format("wrong"))
    check("a wrong token is told", await browser.holds(TEXT.format("key-text") + ".includes('does not know')"))
    await browser.value(give.format(server.token))
    check("with the right one the build is shown", await browser.holds(TEXT.format("meta") + f".startsWith('{build}')"))
    check("its journal is read", await browser.holds("document.getElementById('log').childElementCount > 0"))
    check("its live messages are heard", await browser.holds(TEXT.format("link") + " === 'Live'"))
    made = await browser.upload()
    check("an upload is built", await browser.holds(TEXT.format("state") + " === 'succeeded'"), made)
    await browser.shot("token-given")


async def main(drydock):
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        return print("skipped: no Chromium here (apt-get install chromium)")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser()
        await browser.start(program, os.path.join(folder, "profile"))
        try:
            for token, contract in [(None, without_tokens), ("a-token-for-tests", with_tokens)]:
                place = os.path.join(folder, contract.__name__)
                os.mkdir(place)
                server = Server(drydock, place, token)
                try:
                    await contract(browser, server)
                finally:
                    server.stop()
        finally:
            browser.process.terminate()
            browser.process.wait()


asyncio.run(main(sys.argv[1]))
sys.exit(1 if failures else 0)
