// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

@Suite("where builds are kept and what they made is found", .timeLimit(.minutes(3)))
struct DataDirectoryTests {
    private func project(_ scratch: Scratch) throws -> String {
        let yaml = #"""
            version: 1
            steps:
              - { plugin: script, with: { run: 'mkdir "$DRYDOCK_OUT/d"; echo made > "$DRYDOCK_OUT/d/page.txt"' } }
            """#
        try scratch.write(yaml, to: "project/drydock.yaml")
        return scratch.url("project").path
    }

    @Test("`make run` names no data directory of its own, so that it is the one of every command")
    func makeRun() throws {
        let recipe = try Program.run("/usr/bin/make", ["-n", "run"], in: Program.root).out
        let line = try #require(recipe.split(separator: "\n").first { $0.contains(" serve ") })
        #expect(!line.contains("--data"), "\(line)")
        let named = try Program.run("/usr/bin/make", ["-n", "run", "DATA=/x"], in: Program.root).out
        #expect(named.contains("--data /x"), "\(named)")
    }

    @Test("server and build say which data directory is theirs; with one, the server shows the build")
    func sameDirectory() async throws {
        try await withScratch { scratch in
            let project = try project(scratch)
            let told = "drydock: data directory \(scratch.url("data").path)\n"
            try withServer(scratch) { server in
                let built = try Program.drydock(scratch, "build", "--output", "plain", project)
                #expect(built.status == 0 && built.err.hasPrefix(told), "\(built)")
                #expect(try server.request("/api/v1/builds").text.contains("\"session_id\":\"cli\""))
            }
            let logs = try FileManager.default.contentsOfDirectory(atPath: scratch.folder.path)
                .filter { $0.hasPrefix("serve-") }
            #expect(try scratch.read(try #require(logs.first)).hasPrefix(told))
            let json = try Program.drydock(scratch, "build", "--output", "json", project)
            #expect(json.status == 0 && json.err == "" && !json.out.contains("data directory"), "\(json)")
        }
    }

    @Test("a directory with other things in it is no data directory, and who only looks makes none")
    func foreign() async throws {
        try await withScratch { scratch in
            try scratch.write("a life's work", to: "home/work/thesis.tex")
            let home = scratch.url("home").path
            for command in [
                ["serve", "--listen", "127.0.0.1:0"], ["list"], ["build", try project(scratch)],
            ] {
                let refused = try Program.run(Program.drydock, command + ["--data", home])
                if command == ["list"] {
                    #expect(refused.status == 0 && refused.out == "no builds yet\n", "\(refused)")
                } else {
                    #expect(
                        refused.status == 69 && refused.err.contains("holds other things (work)"),
                        "\(refused)"
                    )
                }
                #expect(try Program.shell("find \(home) -type f") == "\(home)/work/thesis.tex\n")
            }
            let none = scratch.url("none").path
            #expect(try Program.run(Program.drydock, ["list", "--data", none]).out == "no builds yet\n")
            #expect(try Program.run(Program.drydock, ["show", "--data", none, "b_1"]).status == 64)
            #expect(!FileManager.default.fileExists(atPath: none))
            #expect(try Program.run(Program.drydock, ["list", "--data", ""]).status == 64)
        }
    }

    @Test("a build that was killed is not shown as running, and the next one removes what it left")
    func killed() async throws {
        try await withScratch { scratch in
            let yaml = "version: 1\nsteps: [{ plugin: script, with: { run: \"echo begun; sleep 60\" } }]\n"
            try scratch.write(yaml, to: "slow/drydock.yaml")
            let data = scratch.url("data").path
            let started = Process()
            started.executableURL = URL(fileURLWithPath: Program.drydock)
            started.arguments = ["build", "--data", data, scratch.url("slow").path]
            started.standardOutput = FileHandle.nullDevice
            started.standardError = FileHandle.nullDevice
            try started.run()
            while try Program.drydock(scratch, "list").out.contains(" running ") == false { usleep(20_000) }
            kill(started.processIdentifier, SIGKILL)
            started.waitUntilExit()
            #expect(try Program.drydock(scratch, "list").out.contains(" queued "))
            let build = try Program.drydock(scratch, "build", "--output", "plain", try project(scratch))
            #expect(build.status == 0, "\(build)")
            #expect(try Program.shell("ls \(data)/work \(data)/snapshots | grep a_ || true") == "")
            let queued = try Program.drydock(scratch, "list").out.split(separator: "\n").first {
                $0.contains(" queued ")
            }
            let slow = try #require(queued?.split(separator: " ").first)
            #expect(try Program.drydock(scratch, "cancel", String(slow)).out.contains("is cancelled"))
        }
    }

    @Test("a build ends with the paths of what it made, or with the command that fetches it")
    func artifacts() async throws {
        try await withScratch { scratch in
            let project = try project(scratch)
            let dist = scratch.url("dist").path
            let out = try Program.drydock(scratch, "build", "--output", "plain", "--out", dist, project)
            #expect(
                out.out.contains("made 1 file, copied to \(dist):\n  \(dist)/d/page.txt (5B)\n"),
                "\(out)"
            )

            let data = scratch.url("data").path
            let kept = try Program.run(
                Program.drydock,
                ["build", "--data", data, "--output", "plain", project]
            )
            let hint = try #require(kept.out.split(separator: "\n").last, "\(kept)")
            #expect(kept.out.contains("made 1 file:\n  d/page.txt (5B)\n"), "\(kept)")
            let prefix = "copy with: drydock artifacts --data \(data) --out DIR "
            #expect(hint.hasPrefix(prefix), "\(hint)")

            let id = String(hint.dropFirst(prefix.count))
            let listed = try Program.drydock(scratch, "artifacts", id)
            let digest = try #require(listed.out.split(whereSeparator: \.isWhitespace).last)
            #expect(listed.out.hasPrefix("d/page.txt") && digest.hasPrefix("sha256:"), "\(listed)")
            let printed = try Program.drydock(scratch, "artifacts", id, "d/page.txt")
            #expect(printed.out == "made\n" && printed.status == 0, "\(printed)")
            let missing = try Program.drydock(scratch, "artifacts", id, "d/other.txt")
            #expect(missing.status == 2 && missing.err.contains("made no such file"), "\(missing)")
            let fetched = try Program.drydock(scratch, "artifacts", "--out", scratch.url("later").path, id)
            #expect(fetched.status == 0, "\(fetched)")
            #expect(try scratch.read("later/d/page.txt") == "made\n")
        }
    }

    @Test("the example of `make run` shows several steps, and makes a site without dead links")
    func example() async throws {
        try await withScratch { scratch in
            let example = Program.root.appending(path: "examples/tide-tables").path
            try Program.shell("cp -R '\(example)' project", in: scratch.folder)
            // Its pauses are for people to look at.
            try Program.shell("sed -i '/^ *sleep /d' project/drydock.yaml", in: scratch.folder)
            let built = try Program.drydock(
                scratch,
                "build",
                "--output",
                "plain",
                "--out",
                scratch.url("dist").path,
                scratch.url("project").path
            )
            #expect(built.status == 0, "\(built)")
            for step in ["moon", "tides", "pages", "check"] {
                #expect(built.out.contains("\n\(step): succeeded"), "\(built.out)")
            }
            #expect(!built.out.contains("@dd"), "\(built.out)")
            #expect(try scratch.read("dist/site/day7.html").contains("<td>"))
        }
    }
}
