"""A `drydock serve` of its own for a contract: starts on a free loopback port, builds, and is ended."""
import hashlib
import io
import json
import os
import re
import subprocess
import tarfile
import urllib.request


def archive():
    """A site of two files, as a tar."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for name, text in {"index.html": b"<p>hi", "style.css": b"p {}"}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text))
    return data.getvalue()


class Server:
    def __init__(self, drydock, folder, token=None):
        self.token = token
        config = os.path.join(folder, "config.yaml")
        with open(config, "w") as file:
            if token:
                digest = hashlib.sha256(token.encode()).hexdigest()
                with open(config + ".tokens", "w") as tokens:
                    tokens.write(f"sha256:{digest}\n")
                file.write(f"tokens: {config}.tokens\n")
            file.write("slots: 2\n")
        arguments = ["serve", "--listen", "127.0.0.1:0", "--data", os.path.join(folder, "data"), "--config", config]
        self.process = subprocess.Popen(
            [drydock] + arguments, stdout=subprocess.PIPE, stderr=open(os.path.join(folder, "serve.err"), "w"), text=True
        )
        self.address = re.search(r"http://[\d.]+:\d+", self.process.stdout.readline())[0]

    def ask(self, path, body=None):
        request = urllib.request.Request(self.address + path, data=body)
        if self.token:
            request.add_header("authorization", "Bearer " + self.token)
        if body:
            request.add_header("content-type", "application/octet-stream")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read().decode()

    def build(self, session):
        """A finished build in `session`; its id."""
        made = json.loads(self.ask(f"/api/v1/builds?session_id={session}", archive()))
        self.ask(f"/api/v1/builds/{made['id']}/events")
        return made["id"]

    def stop(self):
        self.process.terminate()
        self.process.wait()
