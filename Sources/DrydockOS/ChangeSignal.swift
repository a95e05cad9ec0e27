// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Synchronization

/// Wakes tasks after something changed; several may wait, and no change between two looks is lost.
package final class ChangeSignal: Sendable {
    private struct State {
        var generation: UInt64 = 0
        var nextWaiter: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// The number of changes so far; take it before looking, and give it to `wait`.
    package var generation: UInt64 { state.withLock { $0.generation } }

    /// Tells everybody who waits.
    package func raise() {
        let waiting = state.withLock { state in
            state.generation += 1
            defer { state.waiters.removeAll() }
            return state.waiters.values.map(\.self)
        }
        for waiter in waiting { waiter.resume() }
    }

    /// Returns once there was a change after `seen`, or the task was cancelled.
    package func wait(after seen: UInt64) async {
        let ticket = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDue = state.withLock { state in
                    if state.generation != seen || Task.isCancelled { return true }
                    state.waiters[ticket] = continuation
                    return false
                }
                if isDue { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: ticket) }?.resume()
        }
    }
}
