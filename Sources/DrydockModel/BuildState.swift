// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Where a build is in its life.
///
/// ```
/// queued → preparing → running → finishing → succeeded | failed | errored | cancelled | superseded | timedOut
/// ```
package enum BuildState: String, Codable, Sendable, CaseIterable {
    case queued
    case preparing
    case running
    case finishing
    case succeeded
    case failed
    case errored
    case cancelled
    case superseded
    case timedOut

    /// Nothing follows a terminal state.
    package var isTerminal: Bool {
        switch self {
        case .queued, .preparing, .running, .finishing: false
        case .succeeded, .failed, .errored, .cancelled, .superseded, .timedOut: true
        }
    }

    /// Whether nobody appends any more to the journal of `attempt`, of a build in this state whose newest attempt is `newest`:
    /// the build has ended, waits again, or has a newer one.
    package func isOver(_ attempt: AttemptID, newest: AttemptID?) -> Bool {
        isTerminal || self == .queued || newest != attempt
    }

    /// Whether a build may go from this state to `next`.
    ///
    /// Back to `queued` is the retry of an attempt whose worker was lost; `superseded` only from the queue.
    package func allows(_ next: BuildState) -> Bool {
        switch (self, next) {
        case (.queued, .preparing), (.preparing, .running), (.running, .finishing), (.finishing, .succeeded):
            true
        case (.queued, .superseded): true
        case (.preparing, .queued), (.running, .queued), (.finishing, .queued): true
        case (_, .failed), (_, .errored), (_, .cancelled), (_, .timedOut): !isTerminal
        default: false
        }
    }
}

/// Where a step is in its life.
package enum StepState: String, Codable, Sendable, CaseIterable, FieldReadable {
    case pending
    case blocked
    case running
    case succeeded
    case failed
    case errored
    case timedOut
    case cancelled
    case skipped
    case reused

    /// Nothing follows a terminal state.
    package var isTerminal: Bool {
        switch self {
        case .pending, .blocked, .running: false
        case .succeeded, .failed, .errored, .timedOut, .cancelled, .skipped, .reused: true
        }
    }

    /// Whether the steps that need this one may start.
    package var letsOthersGoOn: Bool { self == .succeeded || self == .reused }
}
