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
