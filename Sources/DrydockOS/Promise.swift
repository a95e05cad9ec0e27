// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Synchronization

/// A value that comes once, from whatever thread, for all who wait for it.
///
/// A cancelled task waits for it all the same: whoever makes a promise keeps it.
package final class Promise<Value: Sendable>: Sendable {
    private enum State {
        case open(waiting: [CheckedContinuation<Value, Never>])
        case kept(Value)
    }

    private let state = Mutex(State.open(waiting: []))

    package init() {}

    /// The value, where it is there already.
    package var current: Value? {
        state.withLock { if case .kept(let value) = $0 { value } else { nil } }
    }

    /// The value, as soon as it is there.
    package var value: Value {
        get async {
            await withCheckedContinuation { continuation in
                let value = state.withLock { state -> Value? in
                    switch state {
                    case .open(let waiting):
                        state = .open(waiting: waiting + [continuation])
                        return nil
                    case .kept(let value): return value
                    }
                }
                if let value { continuation.resume(returning: value) }
            }
        }
    }

    /// Gives everybody `value`; only the first one counts.
    package func keep(_ value: Value) {
        let waiting = state.withLock { state -> [CheckedContinuation<Value, Never>] in
            guard case .open(let waiting) = state else { return [] }
            state = .kept(value)
            return waiting
        }
        for continuation in waiting { continuation.resume(returning: value) }
    }
}
