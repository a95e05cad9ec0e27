// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import DrydockOS
import Synchronization

/// A clock that moves only when a test says so, with the wall clock of the same moment.
package final class ManualClock: MonotonicClock {
    private struct Sleeper {
        var deadline: Instant
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var passed = Duration.zero
        /// What the clock on the wall is ahead by.
        var ahead = Duration.zero
        var sleepers: [Int: Sleeper] = [:]
        /// Those that were cancelled before they slept.
        var cancelled: Set<Int> = []
        var nextKey = 0
    }

    private let origin = ContinuousClock.now
    private let wallOrigin: Timestamp
    private let state = Mutex(State())

    /// A clock whose wall shows `wall` at first.
    package init(wall: Timestamp = Timestamp(milliseconds: 1_766_000_000_000)) { wallOrigin = wall }

    package var now: ContinuousClock.Instant { origin.advanced(by: state.withLock(\.passed)) }
    package var minimumResolution: Duration { .zero }

    /// What a clock on the wall shows.
    package var wall: Timestamp { state.withLock { wallOrigin.advanced(by: $0.passed + $0.ahead) } }

    /// Moves the clock on the wall alone: nobody who sleeps wakes up.
    package func advanceWall(by duration: Duration) { state.withLock { $0.ahead += duration } }

    /// Whether somebody sleeps for exactly so long from now.
    package func hasSleeper(for duration: Duration) -> Bool {
        state.withLock { state in
            let deadline = origin.advanced(by: state.passed + duration)
            return state.sleepers.values.contains { $0.deadline == deadline }
        }
    }

    /// Moves the time; those whose deadline it reaches wake up.
    package func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.passed += duration
            let now = origin.advanced(by: state.passed)
            let due = state.sleepers.filter { $0.value.deadline <= now }
            for key in due.keys { state.sleepers[key] = nil }
            return due.values.map(\.continuation)
        }
        for continuation in due { continuation.resume() }
    }

    package func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let key = state.withLock { state in
            state.nextKey += 1
            return state.nextKey
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let answer = state.withLock { state -> Result<Void, any Error>? in
                    if state.cancelled.remove(key) != nil { return .failure(CancellationError()) }
                    if deadline <= origin.advanced(by: state.passed) { return .success(()) }
                    state.sleepers[key] = Sleeper(deadline: deadline, continuation: continuation)
                    return nil
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                if state.sleepers[key] == nil { state.cancelled.insert(key) }
                return state.sleepers.removeValue(forKey: key)
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }
}
