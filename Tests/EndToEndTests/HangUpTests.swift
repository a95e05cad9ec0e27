// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

@Suite("a terminal that goes away", .timeLimit(.minutes(2)))
struct HangUpTests {
    /// Runs `line` as a job, hangs up on it twice once it says "begun", and returns its status.
    private func hangUp(on line: String, _ scratch: Scratch, before: String = "") throws -> Finished {
        try scratch.write(
            """
            \(before)
            \(line) > out 2> err & job=$!
            for _ in $(seq 600); do grep -q begun out && break; sleep 0.05; done
            kill -HUP $job
            kill -HUP $job
            wait $job
            echo "status $?"
            """,
            to: "job"
        )
        return try Program.run(
            "/usr/bin/env",
            // Whoever runs the tests may have it ignored, as nohup does.
            ["--default-signal=HUP", "/bin/bash", "job"],
            environment: ["DRYDOCK_DATA": scratch.url("data").path],
            in: scratch.folder
        )
    }

    @Test("cancels a build, which is recorded")
    func build() async throws {
        try await withScratch { scratch in
            let yaml =
                "version: 1\nsteps:\n  - { plugin: script, with: { run: 'echo begun; exec sleep 60' } }\n"
            try scratch.write(yaml, to: "project/drydock.yaml")
            let finished = try hangUp(on: "'\(Program.drydock)' build --output plain project", scratch)
            #expect(finished.out == "status 3\n", "\(finished)")
            #expect(try Program.drydock(scratch, "list").out.contains("cancelled"))
        }
    }

    @Test("ends a command, and is ignored where it was from the start")
    func run() async throws {
        try await withScratch { scratch in
            let line = "'\(Program.drydock)' run -- sh -c 'echo begun; exec sleep"
            let ended = try hangUp(on: line + " 60'", scratch)
            #expect(ended.out == "status 143\n", "\(ended)")
        }
        try await withScratch { scratch in
            let line = "'\(Program.drydock)' run -- sh -c 'echo begun; exec sleep 2'"
            let kept = try hangUp(on: line, scratch, before: "trap '' HUP")
            #expect(kept.out == "status 0\n", "\(kept)")
        }
    }
}
