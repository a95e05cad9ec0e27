#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""egress-world.py FOLDER COMMAND…: runs COMMAND in a small world of its own: a network namespace with only the loopback
device, where index.test and others lead to a web server for plain HTTP (80) and one for TLS (443) that serve FOLDER, and
from where nothing else can be reached. What lies below FOLDER/git is served as git repositories. `$WORLD_CA` names the certificate to trust. Prints what the servers were asked to
FOLDER/../requests. Ends with COMMAND's status. As root."""

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
     "-keyout", f"{around}/key.pem", "-out", f"{around}/ca.pem", "-subj", "/CN=egress test", "-addext", f"subjectAltName={names}",
     "-addext", "basicConstraints=critical,CA:TRUE"],
    check=True, stderr=subprocess.DEVNULL)
requests = open(f"{around}/requests", "a", buffering=1)


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, *arguments):
        super().__init__(*arguments, directory=folder)

    def do_GET(self):
        requests.write(f"{self.headers.get('Host')} {self.path}\n")
        if self.path.startswith("/git/"):
            self.repository()
        elif self.path.startswith("/redirect/"):
            self.send_response(302)
            self.send_header("Location", "http://" + self.path[len("/redirect/"):])
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            super().do_GET()

    def do_POST(self):
        requests.write(f"{self.headers.get('Host')} {self.path}\n")
        self.repository()

    def repository(self):
        """Answers by git's own CGI program (man 1 git-http-backend)."""
        path, _, query = self.path.partition("?")
        length = int(self.headers.get("Content-Length") or 0)
        variables = {
            "GIT_PROJECT_ROOT": folder, "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path, "QUERY_STRING": query,
            "REQUEST_METHOD": self.command, "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(length),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""), "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
        }
        answer = subprocess.run(
            ["git", "http-backend"], input=self.rfile.read(length), env=os.environ | variables, capture_output=True).stdout
        head, _, body = answer.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


plain = http.server.ThreadingHTTPServer(("127.0.0.1", 80), Handler)
tls = http.server.ThreadingHTTPServer(("127.0.0.1", 443), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(f"{around}/ca.pem", f"{around}/key.pem")
tls.socket = context.wrap_socket(tls.socket, server_side=True, do_handshake_on_connect=False)
for server in (plain, tls):
    threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ["WORLD_CA"] = f"{around}/ca.pem"
exempt = ",".join(f"{name}=127.0.0.0/8" for name in NAMES) + ",inner.test=10.0.0.0/16,metadata.test=0.0.0.0/0"
os.environ["DRYDOCK_NETWORK_ADDRESSES"] = exempt
sys.exit(subprocess.run(command).returncode)
