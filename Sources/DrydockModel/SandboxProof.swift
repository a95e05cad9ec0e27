// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// What came of attacking the sandbox of builds on the machine where they run.
package struct SandboxProof: Codable, Hashable, Sendable {
    /// When it was over.
    package var at: Timestamp
    /// Attacks that failed, as they must; by name.
    package var held: [String]
    /// Attacks that succeeded.
    package var breached: [String]
    /// Attacks that could not be made, three times in a row: they say nothing either way.
    package var inconclusive: [String]

    package init(at: Timestamp, held: [String] = [], breached: [String] = [], inconclusive: [String] = []) {
        self.at = at
        self.held = held
        self.breached = breached
        self.inconclusive = inconclusive
    }

    /// Why no build may be started; nil where nothing was breached.
    package var failure: Failure? {
        guard !breached.isEmpty else { return nil }
        return Failure(
            .sandboxUnavailable,
            .platform,
            "the sandbox does not hold on this machine: \(breached.joined(separator: ", ")) succeeded inside of it",
            hint: """
                no build is started; `drydock sandbox prove` tells more, and docs/sandbox.md what each attack is. \
                Mend the machine, then restart Drydock
                """
        )
    }

    /// `51 attacks held`, and what did not.
    package var words: String {
        var parts = ["\(held.count) attacks held"]
        if !breached.isEmpty { parts.append("succeeded: \(breached.joined(separator: ", "))") }
        if !inconclusive.isEmpty {
            parts.append("could not be made: \(inconclusive.joined(separator: ", "))")
        }
        return parts.joined(separator: "; ")
    }
}
