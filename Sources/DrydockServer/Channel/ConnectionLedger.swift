// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import NIOCore
import Synchronization

/// Counts the open connections, in all and by address, so that none can take the descriptors that the others need.
final class ConnectionLedger: Sendable {
    private struct State {
        var open = 0
        /// Only addresses of other machines: behind this one's own stands a proxy, or its owner.
        var byAddress: [String: Int] = [:]
    }

    private let most: Int
    private let mostPerAddress: Int
    private let state = Mutex(State())

    init(most: Int, perAddress: Int) {
        self.most = most
        self.mostPerAddress = perAddress
    }

    /// Enters a connection; false when there are enough, and nothing was entered.
    func enter(_ address: SocketAddress?) -> Bool {
        let key = Self.key(address)
        return state.withLock { state in
            guard state.open < most else { return false }
            if let key {
                guard state.byAddress[key, default: 0] < mostPerAddress else { return false }
                state.byAddress[key, default: 0] += 1
            }
            state.open += 1
            return true
        }
    }

    /// Takes out a connection that was entered.
    func leave(_ address: SocketAddress?) {
        let key = Self.key(address)
        state.withLock { state in
            state.open -= 1
            guard let key, let count = state.byAddress[key] else { return }
            state.byAddress[key] = count > 1 ? count - 1 : nil
        }
    }

    /// Whom the connection counts for; nil for this machine's own addresses.
    private static func key(_ address: SocketAddress?) -> String? {
        guard let ip = address?.ipAddress, ip != "::1", !ip.hasPrefix("127."), !ip.hasPrefix("::ffff:127.")
        else { return nil }
        return ip
    }
}
