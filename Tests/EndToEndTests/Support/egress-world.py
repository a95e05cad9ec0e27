#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""egress-world.py FOLDER COMMAND…: runs COMMAND in a small world of its own: a network namespace with only the loopback
device, where index.test and others lead to a web server for plain HTTP (80) and one for TLS (443) that serve FOLDER, and
from where nothing else can be reached. `$WORLD_CA` names the certificate to trust. Prints what the servers were asked to
FOLDER/../requests. Below /locked and /git (the repositories of FOLDER/../repositories) it wants to be told me:hunter22; the repositories below FOLDER/open are
for everybody; /locked/say tells
what it was told. Ends with COMMAND's status. As root."""

import http.server
import os
import ssl
import subprocess
import sys
import threading

folder, command = os.path.abspath(sys.argv[1]), sys.argv[2:]
around = os.path.dirname(folder)
if os.environ.get("WORLD") != "inside":
    os.environ["WORLD"] = "inside"
    os.execvp("unshare", ["unshare", "--mount", "--net", sys.executable, __file__, *sys.argv[1:]])

NAMES = ["index.test", "files.test", "other.test", "evil.test"]
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
with open(f"{around}/hosts", "w") as hosts:
    hosts.write("127.0.0.1 localhost\n" + "".join(f"127.0.0.1 {name}\n" for name in NAMES))
    hosts.write("169.254.169.254 metadata.test\n10.9.8.7 inner.test\n")
subprocess.run(["mount", "--bind", f"{around}/hosts", "/etc/hosts"], check=True)
names = ",".join(f"DNS:{name}" for name in NAMES)
subprocess.run(
    ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
     "-keyout", f"{around}/ca.key", "-out", f"{around}/ca.pem", "-subj", "/CN=egress test",
     "-addext", "basicConstraints=critical,CA:TRUE"],
    check=True, stderr=subprocess.DEVNULL)
# One of its own: strict clients take no authority for a host.
subprocess.run(
    ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
     "-CA", f"{around}/ca.pem", "-CAkey", f"{around}/ca.key", "-keyout", f"{around}/key.pem", "-out", f"{around}/host.pem",
     "-subj", "/CN=index.test", "-addext", f"subjectAltName={names}", "-addext", "basicConstraints=critical,CA:FALSE"],
    check=True, stderr=subprocess.DEVNULL)
requests = open(f"{around}/requests", "a", buffering=1)


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, *arguments):
        super().__init__(*arguments, directory=folder)

    def do_GET(self):
        requests.write(f"{self.headers.get('Host')} {self.path}\n")
        told = self.headers.get("Authorization")
        if self.path.startswith(("/locked/", "/git/")) and told != "Basic bWU6aHVudGVyMjI=":
            self.answer(401, b"who are you?", ("WWW-Authenticate", "Basic realm=x"))
        elif self.path.startswith("/git/"):
            self.git(f"{around}/repositories", self.path[len("/git"):])
        elif self.path.startswith("/open/"):
            self.git(folder, self.path)
        elif self.path == "/locked/say":
            self.answer(200, f"you said {told} and mean me:hunter22\n".encode(), ("X-Told", told))
        elif self.path.startswith("/redirect/"):
            self.send_response(302)
            self.send_header("Location", "http://" + self.path[len("/redirect/"):])
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            super().do_GET()

    do_POST = do_PUT = do_GET

    def answer(self, status, body, *fields):
        self.send_response(status)
        for name, value in (("Content-Length", str(len(body))), *fields):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def git(self, root, path):
        """git's own server (man 1 git-http-backend), which lets whoever has a name push."""
        path, _, query = path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        done = subprocess.run(
            ["git", "-c", "safe.directory=*", "http-backend"], input=body, capture_output=True, check=True,
            env={"PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": root, "GIT_HTTP_EXPORT_ALL": "1",
                 "REMOTE_USER": "me", "REQUEST_METHOD": self.command, "PATH_INFO": path, "QUERY_STRING": query,
                 "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                 "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                 "GIT_PROTOCOL": self.headers.get("Git-Protocol", "")})
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n")]
        status = int(dict(fields).get("Status", "200").split()[0])
        self.answer(status, content, *(field for field in fields if field[0] != "Status"))

    def log_message(self, *_):
        pass


plain = http.server.ThreadingHTTPServer(("127.0.0.1", 80), Handler)
tls = http.server.ThreadingHTTPServer(("127.0.0.1", 443), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(f"{around}/host.pem", f"{around}/key.pem")
tls.socket = context.wrap_socket(tls.socket, server_side=True, do_handshake_on_connect=False)
for server in (plain, tls):
    threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ["WORLD_CA"] = f"{around}/ca.pem"
exempt = ",".join(f"{name}=127.0.0.0/8" for name in NAMES) + ",inner.test=10.0.0.0/16,metadata.test=0.0.0.0/0"
os.environ["DRYDOCK_NETWORK_ADDRESSES"] = exempt
sys.exit(subprocess.run(command).returncode)
