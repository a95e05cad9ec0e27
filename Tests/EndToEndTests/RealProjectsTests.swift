// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

/// Projects that other people wrote, built through the sandbox.
///
/// `make test` fetches them; nothing of them is committed.
@Suite("real projects", .serialized, .timeLimit(.minutes(10)))
struct RealProjectsTests {
    private static let inputs = URL(
        fileURLWithPath: ProcessInfo.processInfo.environment["DRYDOCK_REAL_PROJECTS"]
            ?? Program.root.appending(path: ".build/real-projects").path
    )

    /// The fetched file whose name begins with `prefix` and has `infix` in it.
    private func input(_ prefix: String, _ infix: String) throws -> URL {
        let files = try FileManager.default.contentsOfDirectory(
            at: Self.inputs,
            includingPropertiesForKeys: nil
        )
        let found = files.first {
            $0.lastPathComponent.hasPrefix(prefix) && $0.lastPathComponent.contains(infix)
                && !$0.lastPathComponent.hasSuffix(".asc")
        }
        return try #require(
            found,
            "\(prefix)…\(infix) is missing: run Tests/RealProjects/fetch \(Self.inputs.path)"
        )
    }

    /// Builds the tree of `folder` on the command line and returns what it printed; artifacts go to `out`.
    private func build(_ scratch: Scratch, _ folder: URL) throws -> Finished {
        let finished = try Program.drydock(
            scratch,
            "build",
            folder.path,
            "--output",
            "plain",
            "--out",
            scratch.url("out").path
        )
        #expect(finished.status == 0, "\(finished.out.suffix(3_000))\n\(finished.err)")
        return finished
    }

    @Test("GNU hello, with autotools, uploaded as Debian's upstream tarball")
    func hello() async throws {
        try await withScratch { scratch in
            try withServer(scratch) { server in
                let build = try server.build(try input("hello_", ".orig.tar."))
                #expect(build["state"] as? String == "succeeded", "\(build)")
                let id = try #require(build["id"] as? String)
                let list = try server.request("/api/v1/builds/\(id)/artifacts").text
                #expect(list.contains("bin/hello"))
                let path = try #require(list.firstMatch(of: /"([^"]*bin\\?\/hello)"/)?.output.1)
                let url =
                    server.address + "/api/v1/builds/\(id)/artifacts/" + path.replacing("\\/", with: "/")
                let program = scratch.url("hello").path
                try Program.shell("curl -sSf -o '\(program)' '\(url)' && chmod +x '\(program)'")
                #expect(try Program.run(program, []).out == "Hello, world!\n")
            }
        }
    }

    @Test("Lua, with a makefile of its own kind, on the command line")
    func lua() async throws {
        try await withScratch { scratch in
            let tarball = try input("lua5.4_", ".orig.tar.")
            try Program.shell(
                "mkdir lua && tar -C lua --strip-components=1 -xf '\(tarball.path)'",
                in: scratch.folder
            )
            let finished = try build(scratch, scratch.url("lua"))
            #expect(finished.out.contains("liblua.a"))
            let lua = try Program.shell("find out -type f -name lua", in: scratch.folder)
                .trimmingCharacters(in: .whitespacesAndNewlines)
            let program = scratch.url(lua).path
            #expect(try Program.run(program, ["-e", "print(6 * 7)"]).out == "42\n")
        }
    }

    @Test("zlib, with a configure script that is not autoconf's, on the command line")
    func zlib() async throws {
        try await withScratch { scratch in
            let tarball = try input("zlib_", ".orig.tar.")
            try Program.shell(
                "mkdir z && tar -C z --strip-components=1 -xf '\(tarball.path)'",
                in: scratch.folder
            )
            _ = try build(scratch, scratch.url("z"))
            let found = try Program.shell("find out -name 'libz.a' | wc -l", in: scratch.folder)
            #expect(found.trimmingCharacters(in: .whitespacesAndNewlines) == "1")
        }
    }

    @Test("a pure Python package from a PyPI source archive becomes a wheel that works")
    func python() async throws {
        try await withScratch { scratch in
            let sdist = try input("toml-", ".tar.gz")
            try Program.shell(
                "mkdir p && tar -C p --strip-components=1 -xf '\(sdist.path)'",
                in: scratch.folder
            )
            _ = try build(scratch, scratch.url("p"))
            let wheel = try Program.shell("find out -name '*.whl'", in: scratch.folder)
                .trimmingCharacters(in: .whitespacesAndNewlines)
            let line = "import sys; sys.path.insert(0, sys.argv[1]); import toml; print(toml.loads('a = 1'))"
            let finished = try Program.run("/usr/bin/python3", ["-c", line, scratch.url(wheel).path])
            #expect(finished.out == "{'a': 1}\n", "\(finished.err)")
        }
    }

    @Test("a Swift package of two targets")
    func swift() async throws {
        try await withScratch { scratch in
            _ = try build(scratch, Program.root.appending(path: "examples/swift-two-targets"))
            let found = try Program.shell("find out -type f -perm -u+x | head -n 1", in: scratch.folder)
            #expect(!found.isEmpty)
        }
    }

    @Test("the examples of the repository", arguments: ["c-hello", "static-site", "python-wordcount"])
    func example(name: String) async throws {
        try await withScratch { scratch in
            _ = try build(scratch, Program.root.appending(path: "examples/\(name)"))
            let files = try Program.shell("find out -type f", in: scratch.folder)
            #expect(!files.isEmpty)
        }
    }

    @Test("a project with a hand-written plugin")
    func ownPlugin() async throws {
        try await withScratch { scratch in
            let example = Program.root.appending(path: "examples/own-plugin")
            let finished = try Program.drydock(
                scratch,
                "build",
                example.appending(path: "project").path,
                "--output",
                "plain",
                "--plugins",
                example.appending(path: "plugins").path,
                "--out",
                scratch.url("out").path
            )
            #expect(finished.status == 0, "\(finished.out)\n\(finished.err)")
            let files = try Program.shell("find out -type f", in: scratch.folder)
            #expect(!files.isEmpty)
        }
    }
}
