// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import Synchronization

/// The wish that a build ends before its time, with the reason that becomes its outcome.
///
/// The first wish counts.
final class StopSignal: Sendable {
    private struct State {
        var failure: Failure?
        var handlers: [Int: @Sendable (Failure) -> Void] = [:]
        var nextKey = 0
    }

    private let state = Mutex(State())

    /// Why the build shall end; nil as long as it may go on.
    var failure: Failure? { state.withLock { $0.failure } }

    /// Asks for the end.
    ///
    /// Later calls change nothing.
    func stop(_ failure: Failure) {
        let handlers = state.withLock { state -> [@Sendable (Failure) -> Void] in
            guard state.failure == nil else { return [] }
            state.failure = failure
            return Array(state.handlers.values)
        }
        for handler in handlers { handler(failure) }
    }

    /// Calls `handler` once when the end is asked for, at once if it was already, for as long as `body` runs.
    func whileStoppable<Result: Sendable>(
        _ handler: @escaping @Sendable (Failure) -> Void,
        run body: () async throws -> Result
    ) async rethrows -> Result {
        let (key, failure) = state.withLock { state -> (Int, Failure?) in
            state.nextKey += 1
            state.handlers[state.nextKey] = handler
            return (state.nextKey, state.failure)
        }
        defer { state.withLock { $0.handlers[key] = nil } }
        if let failure { handler(failure) }
        return try await body()
    }

    /// Throws the reason if the end was asked for.
    func check() throws {
        if let failure { throw failure }
    }
}
