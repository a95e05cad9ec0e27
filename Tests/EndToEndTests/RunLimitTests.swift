// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

/// What `drydock run` takes for limits and paths, and what it says to everything else.
@Suite("limits and paths of drydock run", .timeLimit(.minutes(2)))
struct RunLimitTests {
    @Test(
        "a limit that no sandbox could keep is refused for what it is",
        arguments: [
            ("memory=1B", "4MiB"), ("memory=3MiB", "4MiB"), ("files=3", "16"), ("processes=0", "1000000"),
            ("processes=99999999999", "1000000"), ("disk=1KiB", "1MiB"), ("cpus=nan", "cores"),
            ("cpus=1e-9", "0.01"), ("total=1", "90s"), ("memory", "512MiB"),
        ]
    )
    func bounds(limit: String, word: String) throws {
        let finished = try Program.run(Program.drydock, ["run", "--limit", limit, "--", "true"])
        #expect(finished.status == 64, "\(finished)")
        #expect(finished.err.contains("--limit \(limit)") && finished.err.contains(word), "\(finished)")
    }

    @Test("the least of each limit is enough for a small program")
    func least() throws {
        let limits = ["memory=4MiB", "files=16", "disk=1MiB", "cpus=0.01"].flatMap { ["--limit", $0] }
        let finished = try Program.run(Program.drydock, ["run"] + limits + ["--", "/bin/true"])
        #expect(finished.status == 0, "\(finished)")
    }

    @Test("a path that is not there, or leads over a link, is a usage error that says so")
    func paths() throws {
        let path = try Program.run(Program.drydock, ["run", "--read-only", "no-such", "--", "true"])
        #expect(path.status == 64 && path.err.contains("No such file or directory"), "\(path)")
        let link = try Program.run(Program.drydock, ["run", "--read-only", "/proc/self", "--", "true"])
        #expect(link.status == 64 && link.err.contains("symbolic link"), "\(link)")
    }

    @Test("a relative path is shown where it is")
    func relative() async throws {
        try await withScratch { scratch in
            try scratch.write("seen", to: "shown/file")
            let shown = scratch.url("shown").path
            let finished = try Program.run(
                Program.drydock,
                ["run", "--read-only", "../shown/.", "--", "cat", "\(shown)/file"],
                in: scratch.url("shown")
            )
            #expect(finished.status == 0 && finished.out == "seen", "\(finished)")
        }
    }
}
