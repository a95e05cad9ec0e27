// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DequeModule
import Synchronization

/// Lets so many pieces of work go on at one time; the others wait in the order in which they came.
package final class Turnstile: Sendable {
    private struct State {
        var free: Int
        var waiting: Deque<CheckedContinuation<Void, Never>> = []
    }

    private let state: Mutex<State>

    package init(places: Int) { state = Mutex(State(free: places)) }

    /// Does `work` when there is a place for it.
    package func pass<Value>(_ work: () async throws -> Value) async rethrows -> Value {
        await enter()
        defer { leave() }
        return try await work()
    }

    private func enter() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.free == 0 else {
                    state.free -= 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    private func leave() {
        let next = state.withLock { state in
            guard let next = state.waiting.popFirst() else {
                state.free += 1
                return CheckedContinuation<Void, Never>?.none
            }
            return next
        }
        next?.resume()
    }
}
