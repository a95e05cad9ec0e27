// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Synchronization

/// What `/metrics` counts.
final class ServerCounters: Sendable {
    /// The numbers at one moment.
    struct Values: Sendable {
        var connections = 0
        var connectionsTotal = 0
        var messages = 0
        var skipped = 0
        var malformed = 0
        var requests: [Int: Int] = [:]
    }

    private let state = Mutex(Values())

    var values: Values { state.withLock { $0 } }

    func connected() {
        state.withLock {
            $0.connections += 1
            $0.connectionsTotal += 1
        }
    }

    func disconnected(skipped: Int) {
        state.withLock {
            $0.connections -= 1
            $0.skipped += skipped
        }
    }

    func sent(messages: Int) { state.withLock { $0.messages += messages } }

    func malformed() { state.withLock { $0.malformed += 1 } }

    func answered(_ status: Int) { state.withLock { $0.requests[status, default: 0] += 1 } }
}
