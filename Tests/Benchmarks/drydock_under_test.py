# SPDX-License-Identifier: Apache-2.0
"""A `drydock serve` of one's own, on loopback, for benchmarks and kill loops. Standard library only."""

import io
import json
import os
import re
import signal
import subprocess
import tarfile
import time
import urllib.request


def archive(run, programs={}):
    """A gzipped tar whose only step runs the shell lines `run`, with `programs` (name: bytes) beside."""
    text = "version: 1\nsteps:\n  - id: main\n    plugin: script\n    with:\n      run: |\n"
    text += "".join(f"        {line}\n" for line in run.splitlines())
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for name, content in {"drydock.yaml": text.encode(), **programs}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o755 if name in programs else 0o644
            tar.addfile(entry, io.BytesIO(content))
    return data.getvalue()


def processor(process):
    """Seconds of processor time of the process with that id so far."""
    with open(f"/proc/{process}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Server:
    """Runs until `stop` or `kill`."""

    def __init__(self, program, data, slots=1):
        self.data = data
        os.makedirs(data, mode=0o700, exist_ok=True)
        config = data + ".yaml"
        with open(config, "w") as file:
            file.write(f"slots: {slots}\n")
        self.log = open(data + ".log", "ab")
        command = [program, "serve", "--listen", "127.0.0.1:0", "--data", data, "--config", config]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.address = None
        for line in self.process.stdout:
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            if found:
                self.address = found.group(0)
                break
        if self.address is None:
            raise SystemExit(f"the server did not start: see {self.log.name}")

    def request(self, method, path, body=None, timeout=120):
        request = urllib.request.Request(self.address + path, data=body, method=method)
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.read()

    def json(self, method, path, body=None):
        return json.loads(self.request(method, path, body))

    def ready(self):
        while True:
            try:
                self.request("GET", "/readyz")
                return
            except urllib.error.HTTPError:
                time.sleep(0.05)

    def post(self, body, session):
        return self.json("POST", f"/api/v1/builds?session_id={session}", body)["id"]

    def ended(self, build):
        """Follows the build to its end; the build as it is then."""
        self.request("GET", f"/api/v1/builds/{build}/events")
        return self.json("GET", f"/api/v1/builds/{build}")

    def workers(self):
        """Process ids of the workers that serve this data directory."""
        found = subprocess.run(
            ["pgrep", "-f", f"[d]rydock worker --data {self.data}( |$)"], capture_output=True, text=True
        )
        return [int(line) for line in found.stdout.split()]

    def processor(self):
        """Seconds of processor time of the server itself so far."""
        return processor(self.process.pid)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def kill(self):
        self.process.kill()
        self.process.wait()
