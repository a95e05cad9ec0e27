// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Testing

@Suite("the command line, used wrongly and asked for help")
struct UsageTests {
    @Test(
        "every command explains itself with an example",
        arguments: [
            ["build"], ["run"], ["serve"], ["worker"], ["plan"], ["list"], ["show"], ["logs"], ["cancel"],
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

    @Test("time that is up is status 124, a network that is asked for is refused")
    func refused() throws {
        let late = try Program.run(Program.drydock, ["run", "--limit", "total=1s", "--", "sleep", "3000"])
        #expect(late.status == 124)
        let network = try Program.run(Program.drydock, ["run", "--network", "example.com", "--", "true"])
        #expect(network.status == 69)
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
}
