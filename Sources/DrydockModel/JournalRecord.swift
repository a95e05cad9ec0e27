// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// One fact about a build, with its place in the journal; appended once, never changed.
package struct JournalRecord: Sendable, Hashable {
    /// Dense within the attempt, from 1.
    package var seq: UInt64
    package var at: Timestamp
    package var build: BuildID
    /// The epoch: `seq` starts again with each attempt.
    package var attempt: AttemptID
    /// Who says so.
    package var via: Via
    /// The step it belongs to; nil for the build as a whole.
    package var step: StepID?
    package var event: Event

    package init(
        seq: UInt64,
        at: Timestamp,
        build: BuildID,
        attempt: AttemptID,
        via: Via,
        step: StepID?,
        event: Event
    ) {
        self.seq = seq
        self.at = at
        self.build = build
        self.attempt = attempt
        self.via = via
        self.step = step
        self.event = event
    }
}

/// The channel a fact came through, from the most to the least authority.
package enum Via: String, Codable, Sendable, CaseIterable, FieldReadable {
    /// The host saw it itself: exit statuses, times, files on disk.
    case host
    /// A driver plugin says so, on a channel of its own.
    case declared
    /// A guest plugin says so, from inside the sandbox.
    case advised
    /// Read off the output of the project's commands.
    case observed
}

/// A place in a build's journal: `<attempt>:<seq>`.
package struct Cursor: Hashable, Sendable, CustomStringConvertible {
    package var attempt: AttemptID
    /// The last record that was seen; 0 = none.
    package var seq: UInt64

    package init(attempt: AttemptID, seq: UInt64) {
        self.attempt = attempt
        self.seq = seq
    }

    /// Reads `<attempt>:<seq>`; nil for anything else.
    package init?(text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, let seq = UInt64(parts[1]) else { return nil }
        self.init(attempt: AttemptID(rawValue: String(parts[0])), seq: seq)
    }

    package var description: String { "\(attempt):\(seq)" }
}
