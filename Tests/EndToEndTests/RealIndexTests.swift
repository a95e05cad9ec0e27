// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

/// Packages from the index that this machine is set to, fetched by a build that may reach nothing else.
@Suite("packages from the index", .serialized, .timeLimit(.minutes(5)))
struct RealIndexTests {
    /// The index of this machine's pip, the hosts that it needs, and where their addresses lie.
    private struct Index {
        var url: String
        var hosts: [String]
        var addresses: String

        init() throws {
            let script = """
                import os, socket, subprocess, sys, urllib.parse
                url = os.environ.get("PIP_INDEX_URL") or subprocess.run(
                    [sys.executable, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True
                ).stdout.strip() or "https://pypi.org/simple"
                parts = urllib.parse.urlsplit(url)
                names = [parts.hostname] + (["files.pythonhosted.org"] if parts.hostname == "pypi.org" else [])
                ports = {None: ""} if parts.port is None else {parts.port: f":{parts.port}"}
                print(url)
                print(" ".join(n + ports.get(parts.port, "") for n in names))
                ranges = []
                for name in names:
                    for answer in socket.getaddrinfo(name, 443, type=socket.SOCK_STREAM):
                        ranges.append(f"{name}={answer[4][0]}")
                print(",".join(ranges))
                """
            let lines = try Program.run("/usr/bin/python3", ["-c", script]).out.split(separator: "\n").map(
                String.init
            )
            try #require(lines.count == 3)
            (url, addresses) = (lines[0], lines[2])
            hosts = lines[1].split(separator: " ").map(String.init)
        }
    }

    private func build(_ scratch: Scratch, _ run: String, _ index: Index) throws -> Finished {
        let lines = run.split(separator: "\n").map { "        " + $0 }.joined(separator: "\n")
        let yaml = """
            version: 1
            env: { PIP_INDEX_URL: '\(index.url)', UV_INDEX_URL: '\(index.url)' }
            steps:
              - plugin: script
                network: [\(index.hosts.map { "'\($0)'" }.joined(separator: ", "))]
                with:
                  run: |
            \(lines)
            """
        try scratch.write(yaml, to: "project/drydock.yaml")
        return try Program.run(
            Program.drydock,
            ["build", "--output", "plain", scratch.url("project").path],
            environment: [
                "DRYDOCK_DATA": scratch.url("data").path,
                "DRYDOCK_NETWORK_ALLOW": index.hosts.joined(separator: ","),
                "DRYDOCK_NETWORK_ADDRESSES": index.addresses,
            ]
        )
    }

    @Test(
        "a Flask application with pinned dependencies is installed by pip and uv, and a package from source"
    )
    func flask() async throws {
        let index = try Index()
        try await withScratch { scratch in
            let pins = """
                Flask==3.1.0
                Werkzeug==3.1.3
                Jinja2==3.1.5
                click==8.1.8
                itsdangerous==2.2.0
                blinker==1.9.0
                MarkupSafe==3.0.2

                """
            try scratch.write(pins, to: "project/requirements.txt")
            try scratch.write(
                "from flask import Flask\napp = Flask(__name__)\napp.get('/')(lambda: 'served')\n",
                to: "project/app.py"
            )
            let run = """
                python3 -m venv /tmp/one && /tmp/one/bin/pip install --quiet uv -r requirements.txt
                /tmp/one/bin/python -c 'import app; print(app.app.test_client().get("/").text)' | tee "$DRYDOCK_OUT/one"
                /tmp/one/bin/uv venv --quiet /tmp/two && export VIRTUAL_ENV=/tmp/two
                /tmp/one/bin/uv pip install --quiet -r requirements.txt
                /tmp/two/bin/python -c 'import app; print(app.app.test_client().get("/").text)' | tee "$DRYDOCK_OUT/two"
                /tmp/one/bin/uv pip install --quiet --reinstall --no-binary :all: itsdangerous==2.2.0
                /tmp/two/bin/python -c 'import itsdangerous' && echo from source | tee "$DRYDOCK_OUT/three"
                """
            let finished = try build(scratch, run, index)
            let said = finished.out + finished.err
            #expect(finished.status == 0 && said.contains("made 3 files"), "\(said.suffix(3_000))")
            #expect(said.contains("from source"), "\(said.suffix(3_000))")
        }
    }

    @Test("a site with a theme is built from nothing")
    func site() async throws {
        let index = try Index()
        try await withScratch { scratch in
            try scratch.write("site_name: Hello\ntheme: { name: material }\n", to: "project/mkdocs.yml")
            try scratch.write("# Hi\n", to: "project/docs/index.md")
            let run = """
                python3 -m venv /tmp/one && /tmp/one/bin/pip install --quiet mkdocs-material
                /tmp/one/bin/mkdocs --quiet build -d "$DRYDOCK_OUT/site"
                """
            let finished = try build(scratch, run, index)
            let said = finished.out + finished.err
            #expect(
                finished.status == 0 && said.contains("artifact: site/index.html"),
                "\(said.suffix(3_000))"
            )
        }
    }
}
