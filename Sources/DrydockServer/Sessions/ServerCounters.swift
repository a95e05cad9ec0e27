// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
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
        var builds: [BuildState: Int] = [:]
    }

    private struct State {
        var values = Values()
        /// The builds that may still change.
        var open: [BuildID: BuildState] = [:]
    }

    private let state = Mutex(State())

    var values: Values { state.withLock { $0.values } }

    func connected() {
        state.withLock {
            $0.values.connections += 1
            $0.values.connectionsTotal += 1
        }
    }

    func disconnected(skipped: Int) {
        state.withLock {
            $0.values.connections -= 1
            $0.values.skipped += skipped
        }
    }

    func sent(messages: Int) { state.withLock { $0.values.messages += messages } }

    func malformed() { state.withLock { $0.values.malformed += 1 } }

    func answered(_ status: Int) { state.withLock { $0.values.requests[status, default: 0] += 1 } }

    /// Moves a build from the state it was last seen in to the one it has now.
    func changed(_ build: Build) {
        state.withLock { state in
            if let before = state.open.removeValue(forKey: build.id) {
                state.values.builds[before, default: 0] -= 1
            }
            state.values.builds[build.state, default: 0] += 1
            if !build.state.isTerminal { state.open[build.id] = build.state }
        }
    }
}
