// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

/// What can not be read or written is told in words, and nothing that was to be printed is lost in silence.
@Suite("files and output that fail", .timeLimit(.minutes(3)))
struct LostOutputTests {
    private let yaml =
        "version: 1\nsteps:\n  - { plugin: script, with: { run: 'echo x > $DRYDOCK_OUT/x' } }\n"

    @Test(
        "a configuration that can not be read is told in words",
        arguments: ["/nothere", "/dev/null/x", "/etc"]
    )
    func configuration(path: String) throws {
        let finished = try Program.run(Program.drydock, ["sandbox", "explain", "--config", path])
        #expect(finished.status == 64 && finished.err.hasPrefix("drydock: \(path): "), "\(finished)")
        #expect(!finished.err.contains("Error Domain") && !finished.err.contains("UserInfo"), "\(finished)")
    }

    @Test("a file of tokens that can not be read is told in words")
    func tokens() async throws {
        try await withScratch { scratch in
            let finished = try Program.run(
                Program.drydock,
                ["serve"],
                environment: ["DRYDOCK_TOKENS": "/nothere", "DRYDOCK_DATA": scratch.url("data").path]
            )
            #expect(
                finished.status == 64 && finished.err.contains("No such file or directory"),
                "\(finished)"
            )
            #expect(!finished.err.contains("Error Domain"), "\(finished)")
        }
    }

    @Test(
        "a directory for artifacts that can not be made is told in words; one that can, is, with its parents"
    )
    func out() async throws {
        try await withScratch { scratch in
            let failed = try Program.build(scratch, yaml: yaml, "--out", "/dev/null/x")
            #expect(failed.status == 2 && failed.err.contains("Not a directory"), "\(failed)")
            #expect(!failed.err.contains("Error Domain"), "\(failed)")
            let out = scratch.url("a/b/c").path
            let made = try Program.build(scratch, yaml: yaml, "--out", out)
            #expect(made.status == 0, "\(made)")
            let again = try Program.build(scratch, yaml: yaml, "--out", out + "/")
            #expect(try again.status == 0 && scratch.read("a/b/c/x") == "x\n", "\(again)")
        }
    }

    @Test("a spec that can not be written is told in words")
    func spec() throws {
        let finished = try Program.run(
            Program.drydock,
            ["sandbox", "spec", "--output", "/dev/null/x", "--", "true"]
        )
        #expect(finished.status == 2 && finished.err.contains("Not a directory"), "\(finished)")
        #expect(!finished.err.contains("Error Domain"), "\(finished)")
    }

    @Test(
        "output that can not be written is status 74, and said",
        arguments: ["list", "--help", "--version", "doctor", "run -- yes", "run -- echo hello"]
    )
    func full(command: String) async throws {
        try await withScratch { scratch in
            let finished = try Program.run(
                "/bin/sh",
                ["-c", "timeout 60 '\(Program.drydock)' \(command) > /dev/full"],
                environment: ["DRYDOCK_DATA": scratch.url("data").path]
            )
            #expect(finished.status == 74, "\(finished)")
            #expect(
                finished.err.contains("drydock: standard output: No space left on device"),
                "\(finished)"
            )
        }
    }

    @Test("a build whose output is lost is status 74; a reader that goes away is none")
    func build() async throws {
        try await withScratch { scratch in
            try scratch.write(yaml, to: "project/drydock.yaml")
            let line = "timeout 60 '\(Program.drydock)' build --output plain project"
            let environment = ["DRYDOCK_DATA": scratch.url("data").path]
            let full = try Program.run(
                "/bin/sh",
                ["-c", line + " > /dev/full"],
                environment: environment,
                in: scratch.folder
            )
            #expect(full.status == 74 && full.err.contains("standard output"), "\(full)")
            let gone = try Program.run(
                "/bin/bash",
                ["-c", line + " | true; exit ${PIPESTATUS[0]}"],
                environment: environment,
                in: scratch.folder
            )
            #expect(gone.status == 0 && !gone.err.contains("standard output"), "\(gone)")
        }
    }

    @Test("started without standard descriptors it works, and writes into nothing else that it opens")
    func closed() async throws {
        try await withScratch { scratch in
            try scratch.write(yaml, to: "project/drydock.yaml")
            let build = "'\(Program.drydock)' build --data data --output plain project"
            try Program.shell("\(build) <&- >&- 2>&-", in: scratch.folder)
            let list = try Program.drydock(scratch, "list")
            #expect(list.status == 0 && list.out.contains(" succeeded "), "\(list)")
        }
    }
}
