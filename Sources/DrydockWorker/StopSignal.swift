// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import Synchronization

/// Why a build shall end before its time.
enum StopReason: Sendable, Hashable {
    /// It ends with this.
    case ends(Failure)
    /// Its worker stops: it goes back to the queue.
    case handedBack
    /// Its lease lapsed, and another worker may have it.
    case leaseLost

    /// The same for those that work on it.
    var failure: Failure {
        switch self {
        case .ends(let failure): failure
        case .handedBack:
            Failure(
                .lost,
                .platform,
                "the worker is stopping; the build goes back to the queue",
                hint: "it starts again with the next worker"
            )
        case .leaseLost:
            Failure(.lost, .platform, "the lease lapsed, and another worker may have the build")
        }
    }

    /// Whether the build is still its worker's to end.
    var isOurs: Bool { if case .ends = self { true } else { false } }
}

/// The wish that a build ends before its time, with the reason.
///
/// The first wish counts.
final class StopSignal: Sendable {
    private struct State {
        var reason: StopReason?
        var handlers: [Int: @Sendable (Failure) -> Void] = [:]
        var nextKey = 0
    }

    private let state = Mutex(State())

    /// Why the build shall end; nil as long as it may go on.
    var reason: StopReason? { state.withLock { $0.reason } }

    /// The same for those that work on it.
    var failure: Failure? { reason?.failure }

    /// Asks for the end.
    ///
    /// Later calls change nothing.
    func stop(_ reason: StopReason) {
        let handlers = state.withLock { state -> [@Sendable (Failure) -> Void] in
            guard state.reason == nil else { return [] }
            state.reason = reason
            return Array(state.handlers.values)
        }
        for handler in handlers { handler(reason.failure) }
    }

    /// The same for a build that ends with `failure`.
    func stop(_ failure: Failure) { stop(.ends(failure)) }

    /// Calls `handler` once when the end is asked for, at once if it was already, for as long as `body` runs.
    func whileStoppable<Result: Sendable>(
        _ handler: @escaping @Sendable (Failure) -> Void,
        run body: () async throws -> Result
    ) async rethrows -> Result {
        let (key, failure) = state.withLock { state -> (Int, Failure?) in
            state.nextKey += 1
            state.handlers[state.nextKey] = handler
            return (state.nextKey, state.reason?.failure)
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
