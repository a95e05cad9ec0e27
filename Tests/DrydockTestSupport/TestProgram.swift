// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS

/// A program of this machine, as a client in tests.
package enum TestProgram {
    /// Everything that it says, errors too unless they are not wanted, with nothing to read.
    package static func run(
        _ name: String,
        _ arguments: [String],
        withErrors: Bool = true
    ) async throws -> String {
        let errors = withErrors ? "2>&1" : "2>/dev/null"
        return try await Blocking.run {
            Result {
                let ended = try HostCommand(
                    "/bin/sh",
                    ["sh", "-c", "exec \"$@\" \(errors) </dev/null", "sh", name] + arguments,
                    environment: ["PATH=/usr/bin:/bin"],
                    deadline: .now + .seconds(15),
                    longestOutput: 1 << 20
                ).run()
                return String(decoding: ended.output, as: UTF8.self)
            }
        }.get()
    }
}
