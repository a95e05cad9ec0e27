// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

/// The tools that builds fetch with, against indexes of our own over TLS, in a network without a way out
/// (egress-world.py, test-indexes.py).
@Suite("egress, by the tools that builds fetch with", .timeLimit(.minutes(3)))
struct EgressClientTests {
    private static let support = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
        path: "Support"
    )

    /// Each prints `fine` at the end; the first is what it needs.
    static let clients: [(tool: String, network: String, script: String)] = [
        (
            "python3", "preset:pip",
            """
            python3 -m venv --without-pip /tmp/v && PYTHONUSERBASE=/tmp/u python3 -m pip install --quiet --user \
            --break-system-packages drydock-first >&2 && PYTHONUSERBASE=/tmp/u python3 -c 'import drydock_first as d; print(d.word)'
            """
        ),
        (
            "python3", "index.test",
            "python3 -c 'from pip._vendor import requests; print(requests.get(\"https://index.test/file.txt\").text, end=\"\")'"
        ),
        (
            "npm", "preset:npm",
            "npm install --silent --no-audit --no-fund drydock-first >&2 && node -e 'console.log(require(\"drydock-first\"))'"
        ),
        (
            "node", "index.test",
            "node -e 'require(\"https\").get(\"https://index.test/file.txt\", a => a.pipe(process.stdout))'"
        ),
        (
            "git", "index.test",
            "git clone -q https://index.test/open/repo.git /tmp/r >&2 && cat /tmp/r/file.txt"
        ),
        (
            "go", "index.test",
            """
            printf 'package main\nimport ("io"; "net/http"; "os")\nfunc main() { a, e := http.Get("https://index.test/file.txt"); if e != nil { panic(e) }; io.Copy(os.Stdout, a.Body) }\n' > main.go
            GOCACHE=/tmp/c go run main.go
            """
        ),
    ]

    @Test(
        "each reaches what it was granted by the operator's names for it, and nothing is refused",
        arguments: clients
    )
    func fetches(tool: String, network: String, script: String) async throws {
        guard geteuid() == 0, try Program.run("/bin/sh", ["-c", "command -v \(tool)"]).status == 0 else {
            return
        }
        try await withScratch { scratch in
            try scratch.write("fine\n", to: "site/file.txt")
            try scratch.write("", to: "work/.keep")
            let indexes = Self.support.appending(path: "test-indexes.py").path
            #expect(try Program.run("/usr/bin/python3", [indexes, scratch.url("site").path]).status == 0)
            let finished = try Program.run(
                "/usr/bin/env",
                [
                    "python3", Self.support.appending(path: "egress-world.py").path, scratch.url("site").path,
                    Program.drydock, "run", "--network", network, "--workspace", ".", "--limit", "total=90s",
                    "--", "sh", "-c", script,
                ],
                environment: [
                    "DRYDOCK_DATA": scratch.url("data").path,
                    "DRYDOCK_NETWORK_ROOTS": scratch.url("ca.pem").path,
                    "DRYDOCK_NETWORK_MIRRORS":
                        "pip=https://index.test/simple,npm=https://index.test/npm/",
                ],
                in: scratch.url("work")
            )
            #expect(finished.status == 0 && finished.out == "fine\n", "\(finished)")
            #expect(!finished.err.contains("(refused)"), "\(finished.err)")
            let requests = try scratch.read("requests").split(separator: "\n")
            #expect(!requests.isEmpty && requests.allSatisfy { $0.hasPrefix("index.test ") }, "\(requests)")
        }
    }
}
