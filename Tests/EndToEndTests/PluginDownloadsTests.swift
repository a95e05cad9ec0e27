// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

/// Projects whose plugins fetch what they require, from indexes of the test's own in a network of its own.
@Suite("plugins that download", .serialized, .timeLimit(.minutes(4)))
struct PluginDownloadsTests {
    /// What a project is, which tool it needs here, and the file that a build of it gives out with `fine` in it.
    struct Example: Sendable {
        var plugin: String
        var tool: String
        var preset: String
        var files: [String: String]
        var made: String
        /// What has to be fetched for it.
        var fetched: String
        /// Whether the tool keeps that for the next build: pip does so only where the index says that it may.
        var isCached: Bool
    }

    static let examples = [
        Example(
            plugin: "node",
            tool: "npm",
            preset: "npm",
            files: [
                "package.json": """
                {"name": "thing", "version": "1.0.0", "private": true, "scripts": {"build": "node build.js"},
                 "dependencies": {"drydock-first": "^1.0.0"}}
                """,
                "build.js": """
                const fs = require("fs");
                fs.mkdirSync("dist", { recursive: true });
                fs.writeFileSync("dist/index.html", require("drydock-first"));
                """,
            ],
            made: "site/index.html",
            fetched: "drydock-first-1.0.0.tgz",
            isCached: true
        ),
        Example(
            plugin: "python",
            tool: "python3",
            preset: "pip",
            files: [
                "requirements.txt": "drydock-first==1.0\n",
                "app.py": "import drydock_first\n\nprint(drydock_first.word)  # fine\n",
            ],
            made: "application/app.py",
            fetched: "drydock_first-1.0-py3-none-any.whl",
            isCached: false
        ),
    ]

    @Test(
        "get what is granted and nothing else, and what one build downloaded the next one has",
        arguments: examples
    )
    func downloads(example: Example) async throws {
        let isHere = try Program.run("/bin/sh", ["-c", "PATH=/usr/bin:/bin command -v \(example.tool)"])
        guard geteuid() == 0, isHere.status == 0 else { return }
        try await withScratch { scratch in
            try scratch.write("", to: "site/.keep")
            let indexes = EgressClientTests.support.appending(path: "test-indexes.py").path
            #expect(try Program.run("/usr/bin/python3", [indexes, scratch.url("site").path]).status == 0)
            for (name, text) in example.files { try scratch.write(text, to: "project/\(name)") }
            let first = try build(example, scratch)
            try #require(first.finished.status == 0, "\(first.finished)")
            #expect(first.finished.out.contains("plan: \(example.plugin)"), "\(first.finished.out)")
            #expect(try scratch.read("dist/\(example.made)").contains("fine"))
            #expect(!first.requests.isEmpty && first.requests.allSatisfy { $0.hasPrefix("index.test ") })
            #expect(first.requests.contains { $0.contains(example.fetched) }, "\(first.requests)")
            let second = try build(example, scratch)
            #expect(second.finished.status == 0, "\(second.finished)")
            let isAsked = second.requests.contains { $0.contains(example.fetched) }
            #expect(isAsked != example.isCached, "\(second.requests)")
        }
    }

    private func build(
        _ example: Example,
        _ scratch: Scratch
    ) throws -> (finished: Finished, requests: [Substring]) {
        try? FileManager.default.removeItem(at: scratch.url("requests"))
        let finished = try Program.run(
            "/usr/bin/env",
            [
                "python3", EgressClientTests.support.appending(path: "egress-world.py").path,
                scratch.url("site").path, Program.drydock, "build", "--output", "plain", "--network",
                "preset:\(example.preset)", "--out", scratch.url("dist").path, scratch.url("project").path,
            ],
            environment: [
                "DRYDOCK_DATA": scratch.url("data").path,
                "DRYDOCK_NETWORK_ROOTS": scratch.url("ca.pem").path,
                "DRYDOCK_NETWORK_MIRRORS":
                    "pip=https://index.test/simple,npm=https://index.test/npm/",
            ]
        )
        let requests = (try? scratch.read("requests")) ?? ""
        return (finished, requests.split(separator: "\n"))
    }
}
