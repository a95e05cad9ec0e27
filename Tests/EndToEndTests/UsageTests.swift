// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

@Suite("the command line, used wrongly and asked for help")
struct UsageTests {
    @Test(
        "every command explains itself with an example",
        arguments: [
            ["build"], ["run"], ["serve"], ["worker"], ["plan"], ["list"], ["show"], ["logs"], ["cancel"],
            ["artifacts"],
            ["plugin"], ["plugin", "list"], ["sandbox", "spec"], ["sandbox", "explain"], ["doctor"],
        ]
    )
    func help(command: [String]) throws {
        let finished = try Program.run(Program.drydock, command + ["--help"])
        #expect(finished.status == 0)
        #expect(finished.out.contains("EXAMPLES"))
        #expect(finished.out.contains("drydock \(command[0])"))
    }

    @Test(
        "a usage error exits 64 and names the nearest valid word",
        arguments: [
            (["buld", "."], "build"),
            (["build", "--ouput", "json", "."], "--output"),
            (["build", "--output", "jsn", "."], "json"),
            (["run", "--limit", "memori=1GiB", "--", "true"], "memory"),
            (["plugin", "lst"], "list"),
        ]
    )
    func nearest(arguments: [String], word: String) throws {
        let finished = try Program.run(Program.drydock, arguments)
        #expect(finished.status == 64)
        #expect(finished.err.contains(word), "\(finished.err)")
        #expect(finished.err.hasPrefix("drydock: "))
    }

    @Test("a directory that is not there is a usage error that says so")
    func noDirectory() throws {
        let finished = try Program.run(Program.drydock, ["build", "/no/such/directory"])
        #expect(finished.status == 64)
        #expect(finished.err.contains("/no/such/directory"))
    }
}

@Suite("drydock run", .timeLimit(.minutes(2)))
struct RunTests {
    @Test(
        "the exit status is the command's, or says why there was none",
        arguments: [
            ("true", 0), ("sh -c 'exit 7'", 7), ("sh -c 'kill -9 $$'", 137), ("no-such-program", 127),
            ("/etc/passwd", 126), ("sh -c 'echo gone >&2; exit 1'", 1),
        ]
    )
    func status(command: String, status: Int32) throws {
        let finished = try Program.run("/bin/sh", ["-c", "'\(Program.drydock)' run -- \(command)"])
        #expect(finished.status == status, "\(finished.err)")
    }

    @Test("time that is up is status 124, a host that is none is a mistake of usage")
    func refused() throws {
        let late = try Program.run(Program.drydock, ["run", "--limit", "total=1s", "--", "sleep", "3000"])
        #expect(late.status == 124)
        let network = try Program.run(Program.drydock, ["run", "--network", "10.0.0.1", "--", "true"])
        #expect(network.status == 64 && network.err.contains("is an address, not a name"), "\(network)")
    }

    @Test("input that nobody reads and output that nobody takes end nothing the wrong way")
    func pipes() throws {
        let line = "yes 2>/dev/null | '\(Program.drydock)' run -- true; exit ${PIPESTATUS[1]}"
        let input = try Program.run("/bin/bash", ["-c", line])
        #expect(input.status == 0, "\(input.err)")
        let output = try Program.run("/bin/bash", ["-c", "'\(Program.drydock)' run -- yes | head -n 1"])
        #expect(output.status == 0)
        #expect(output.out == "y\n")
    }

    @Test("the workspace is a copy: what a command changes stays inside")
    func workspace() async throws {
        try await withScratch { scratch in
            try scratch.write("before\n", to: "project/file")
            let finished = try Program.run(
                Program.drydock,
                [
                    "run", "--workspace", scratch.url("project").path, "--", "sh", "-c",
                    "echo after > file; cat file",
                ]
            )
            #expect(finished.out == "after\n", "\(finished.err)")
            let kept = try scratch.read("project/file")
            #expect(kept == "before\n")
        }
    }

    @Test(
        "what it takes of the disk ends at a limit, however it hides",
        arguments: [
            "head -c 16777216 /dev/zero > file",
            "exec 3> file; rm file; head -c 16777216 /dev/zero >&3 || { sleep 0.3; false; }",
            "mkdir $(seq 4000)",
            """
            python3 -c 'import os
            for _ in range(300): os.mkdir("d"); os.chdir("d")
            open("file", "wb").write(bytes(16 << 20))'
            """,
        ]
    )
    func disk(attack: String) throws {
        // Where it is only watched it goes on until it is ended; nobody writes into the pipe.
        let script = "mkfifo pipe; exec 9<>pipe; \(attack); read -r line <&9"
        let run = "'\(Program.drydock)' run --limit disk=8MiB --limit total=60s -- sh -c \"$SCRIPT\""
        let watched = try Program.withoutLoopDevices(run, environment: ["SCRIPT": script])
        #expect(watched.status == 137 && watched.err.contains("--limit disk"), "\(watched)")
        guard try Program.hasDiskImages() else { return }
        let ends = "(\(attack)) || exit 9; echo got through"
        let full = try Program.run("/bin/sh", ["-c", run], environment: ["SCRIPT": ends])
        #expect(full.status == 9 && full.out.isEmpty, "\(full)")
        #expect(full.err.contains("No space left") && full.err.contains("--limit disk"), "\(full)")
    }

    @Test("what fits on the disk is no more than was asked for")
    func fits() throws {
        let script =
            "mkdir $(seq 500); head -c 4000000 /dev/zero > file; rm -r file 1; exec 3> x; rm x; echo >&3"
        let fits = try Program.run(
            Program.drydock,
            ["run", "--limit", "disk=8MiB", "--", "sh", "-c", script]
        )
        #expect(fits.status == 0, "\(fits)")
    }

    @Test("a terminal gets colours of a command and nothing that could steer it; a file gets the bytes")
    func terminal() throws {
        let text = "\\033]0;title\\007\\033[31mred\\033[0m\\033[2J\\303\\244\\033[5;5H\\033P+q\\033\\\\end\\n"
        let run = "'\(Program.drydock)' run -- printf '\(text)'"
        let script = try Program.run(
            "/usr/bin/script",
            ["--quiet", "--return", "--command", run, "/dev/null"],
            environment: ["TERM": "xterm", "NO_COLOR": ""]
        )
        #expect(script.out == "\u{1B}[31mred\u{1B}[0mäend\r\n", "\(script)")
        let piped = try Program.run("/bin/sh", ["-c", run])
        #expect(piped.out.hasPrefix("\u{1B}]0;title\u{07}\u{1B}[31mred"), "\(piped)")
    }

    @Test("a terminal gets its own colours back before the host's words, and none where none are wanted")
    func colours() throws {
        let script = "printf \"\\033[8;31mhid\"; kill -9 $$"
        let run = "'\(Program.drydock)' run -- sh -c '\(script)'"
        for (environment, expected) in [
            (["TERM": "xterm", "NO_COLOR": ""], "\u{1B}[31mhid\u{1B}[0m"),
            (["TERM": "xterm", "NO_COLOR": "1"], "hid"),
        ] {
            let finished = try Program.run(
                "/usr/bin/script",
                ["--quiet", "--return", "--command", run, "/dev/null"],
                environment: environment
            )
            #expect(finished.status == 137 && finished.out == expected, "\(finished)")
        }
    }

    @Test("its copy is closed to other users, and gone with the next run where it was killed")
    func killed() async throws {
        try await withScratch { scratch in
            try scratch.write("secret", to: "project/file")
            try FileManager.default.createDirectory(
                at: scratch.url("tmp"),
                withIntermediateDirectories: false
            )
            let process = Process()
            process.executableURL = URL(fileURLWithPath: Program.drydock)
            process.arguments = [
                "run", "--workspace", scratch.url("project").path, "--", "sh", "-c", "echo up; sleep 1000",
            ]
            let environment = ["TMPDIR": scratch.url("tmp").path]
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
            let out = Pipe()
            process.standardOutput = out
            try process.run()
            #expect(String(decoding: out.fileHandleForReading.availableData, as: UTF8.self) == "up\n")
            let names = try FileManager.default.contentsOfDirectory(atPath: scratch.url("tmp").path)
            let folder = scratch.url("tmp").appending(path: try #require(names.first)).path
            let attributes = try FileManager.default.attributesOfItem(atPath: folder)
            #expect(attributes[.posixPermissions] as? Int == 0o700)
            // A neighbour does not take it for a leftover, and leaves nothing itself.
            _ = try Program.run(Program.drydock, ["run", "--", "true"], environment: environment)
            #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.url("tmp").path) == names)
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            _ = try Program.run(Program.drydock, ["run", "--", "true"], environment: environment)
            #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.url("tmp").path).isEmpty)
        }
    }
}
