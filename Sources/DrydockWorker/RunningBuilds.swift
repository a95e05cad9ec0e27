// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import Synchronization

/// The builds that a worker has in its slots; closed for good when the worker stops.
final class RunningBuilds: Sendable {
    private struct State {
        var stops: [AttemptID: StopSignal] = [:]
        var isClosed = false
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.stops.count } }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Adds a build; one that comes after `close` is told to stop at once.
    func add(_ attempt: AttemptID, _ stop: StopSignal) {
        let isLate = state.withLock { state in
            state.stops[attempt] = stop
            return state.isClosed
        }
        if isLate { stop.stop(.handedBack) }
    }

    func remove(_ attempt: AttemptID) { state.withLock { $0.stops[attempt] = nil } }

    /// Takes no more, and tells those that run to stop.
    func close() {
        let stops = state.withLock { state in
            state.isClosed = true
            return Array(state.stops.values)
        }
        for stop in stops { stop.stop(.handedBack) }
    }
}
