// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

/// The server as an operator meets it: started wrongly, killed, started again.
@Suite("the server's life", .serialized, .timeLimit(.minutes(5)))
struct ServerLifeTests {
    private func archive(_ scratch: Scratch, run: String, name: String = "project") throws -> URL {
        let lines = run.split(separator: "\n").map { "        \($0)" }.joined(separator: "\n")
        try scratch.write(
            "version: 1\nsteps:\n  - id: main\n    plugin: script\n    with:\n      run: |\n\(lines)\n",
            to: "\(name)/drydock.yaml"
        )
        try Program.shell("tar -C \(name) -czf \(name).tar.gz drydock.yaml", in: scratch.folder)
        return scratch.url("\(name).tar.gz")
    }

    @Test("a port that is taken is a clear error")
    func portInUse() async throws {
        try await withScratch { scratch in
            try withServer(scratch) { server in
                let port = server.address.split(separator: ":").last ?? ""
                let second = try Program.run(
                    Program.drydock,
                    ["serve", "--listen", "127.0.0.1:\(port)", "--data", scratch.url("other").path]
                )
                #expect(second.status == 69)
                #expect(
                    second.err.contains("127.0.0.1:\(port)") && second.err.contains("another program"),
                    "\(second.err)"
                )
            }
        }
    }

    @Test("a data directory that can not be written is a clear error")
    func dataDirectory() async throws {
        try await withScratch { scratch in
            try scratch.write("a file", to: "file")
            let finished = try Program.run(
                Program.drydock,
                ["serve", "--listen", "127.0.0.1:0", "--data", scratch.url("file/data").path]
            )
            #expect(finished.status == 69, "\(finished.err)")
            #expect(finished.err.contains("file/data"), "\(finished.err)")
        }
    }

    @Test("builds, logs and artifacts are there after a restart")
    func restart() async throws {
        try await withScratch { scratch in
            let archive = try archive(scratch, run: "echo kept line\necho content > $DRYDOCK_OUT/file.txt")
            let id = try withServer(scratch) { try #require(try $0.build(archive)["id"] as? String) }
            try withServer(scratch) { server in
                let build = try server.request("/api/v1/builds/\(id)")
                #expect(build.json["state"] as? String == "succeeded")
                let log = try server.request("/api/v1/builds/\(id)/logs")
                #expect(log.text.contains("kept line"))
                let file = try server.request("/api/v1/builds/\(id)/artifacts/file.txt")
                #expect(file.text == "content\n")
            }
        }
    }

    @Test("a build outlives a server that is killed in the middle, and the next one shows it whole")
    func killed() async throws {
        try await withScratch { scratch in
            let archive = try archive(scratch, run: "for i in $(seq 1 40); do echo tick $i; sleep 0.1; done")
            let first = try RunningServer(scratch)
            let id = try #require(try first.post(archive).json["id"] as? String)
            // Its first line is there: the build is in the middle of it.
            try Program.shell(
                "curl -sN '\(first.address)/api/v1/builds/\(id)/events' | grep -m1 -q 'tick 3'"
            )
            first.kill()
            try withServer(scratch) { server in
                let build = try server.ended(id)
                #expect(build["state"] as? String == "succeeded", "\(build)")
                #expect(build["attempts"] as? Int == 1)
                let log = try server.request("/api/v1/builds/\(id)/logs").text
                let ticks = log.split(separator: "\n").filter { $0.contains("tick ") }
                #expect(ticks.count == 40, "\(ticks.count)")
            }
        }
    }

    @Test("a running build is cancelled within seconds")
    func cancel() async throws {
        try await withScratch { scratch in
            let archive = try archive(
                scratch,
                run: "echo busy\nwhile true; do sleep 1; done"
            )
            try withServer(scratch) { server in
                let id = try #require(try server.post(archive).json["id"] as? String)
                try Program.shell(
                    "curl -sN '\(server.address)/api/v1/builds/\(id)/events' | grep -m1 -q busy"
                )
                #expect(try server.request("/api/v1/builds/\(id)", "--request", "DELETE").status == 202)
                let started = ContinuousClock.now
                #expect(try server.ended(id)["state"] as? String == "cancelled")
                #expect(ContinuousClock.now - started < .seconds(15))
            }
        }
    }

    @Test("a static site is served on its own host, and nowhere else")
    func preview() async throws {
        try await withScratch { scratch in
            let run = "mkdir $DRYDOCK_OUT/site\necho '<h1>Hi</h1>' > $DRYDOCK_OUT/site/index.html"
            try scratch.write(
                """
                version: 1
                steps:
                  - { id: main, plugin: script, with: { run: "\(run.replacing("\n", with: "; "))" } }
                preview: { root: site }
                """,
                to: "site/drydock.yaml"
            )
            try Program.shell("tar -C site -czf site.tar.gz drydock.yaml", in: scratch.folder)
            try withServer(scratch) { server in
                let build = try server.build(scratch.url("site.tar.gz"))
                let urls = try #require(build["urls"] as? [String: Any])
                let preview = try #require(urls["preview"] as? String, "\(build)")
                let host = try #require(URL(string: preview)?.host())
                #expect(host.hasPrefix("d-") && host.hasSuffix(".localhost"))
                let port = server.address.split(separator: ":").last ?? ""
                let page = try server.request("/", "--header", "Host: \(host):\(port)")
                #expect(page.status == 200 && page.text.contains("<h1>Hi</h1>"), "\(page)")
                let other = try server.request("/", "--header", "Host: d-000000000000.localhost:\(port)")
                #expect(other.status == 404)
            }
        }
    }
}
