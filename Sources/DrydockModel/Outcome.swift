// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// How a build or a step ended: a terminal state and, unless it succeeded, why.
package struct Outcome: Codable, Hashable, Sendable {
    /// A terminal state.
    package var state: BuildState
    /// Why it did not succeed; nil exactly when it did.
    package var failure: Failure?

    /// The build did what was asked.
    package static let succeeded = Outcome(state: .succeeded, failure: nil)

    private init(state: BuildState, failure: Failure?) {
        self.state = state
        self.failure = failure
    }

    /// The outcome that `failure` means: the user's fault is `failed`, the others' `errored`; cancelling, replacing
    /// and running out of time (the build's, a step's, or that without output) have states of their own.
    package init(_ failure: Failure) {
        self.failure = failure
        switch failure.code {
        case .cancelled: state = .cancelled
        case .superseded: state = .superseded
        case .stepTimeout, .silenceTimeout, .totalTimeout: state = .timedOut
        default: state = failure.fault == .user ? .failed : .errored
        }
    }
}
