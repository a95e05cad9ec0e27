// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import NIOCore
import Synchronization

/// Counts the open connections, in all and by address, so that none can take the descriptors that the others need.
final class ConnectionLedger: Sendable {
    private struct State {
        var open = 0
        /// Only addresses of other machines: behind this one's own stands a proxy, or its owner.
        var byAddress: [[UInt8]: Int] = [:]
    }

    private let most: Int
    private let mostPerAddress: Int
    private let state = Mutex(State())

    init(most: Int, perAddress: Int) {
        self.most = most
        self.mostPerAddress = perAddress
    }

    /// How many connections may be open where there are so many descriptors: less than half, for each may hold a file that
    /// is sent over it, and the store has its own.
    static func most(of descriptors: Int) -> Int { descriptors * 2 / 5 }

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

    /// Whom the connection counts for: an address, or the network of an IPv6 address, of which one machine has 2^64; nil
    /// for this machine's own.
    private static func key(_ address: SocketAddress?) -> [UInt8]? {
        switch address {
        case .v4(let address): return key(v4: withUnsafeBytes(of: address.address.sin_addr) { Array($0) })
        case .v6(let address):
            let bytes = withUnsafeBytes(of: address.address.sin6_addr) { Array($0) }
            if bytes.starts(with: mapped) { return key(v4: Array(bytes.suffix(4))) }
            let isLoopback = bytes.last == 1 && bytes.dropLast().allSatisfy { $0 == 0 }
            return isLoopback ? nil : Array(bytes.prefix(8))
        case .unixDomainSocket, nil: return nil
        }
    }

    /// What stands before an IPv4 address that is written as one of IPv6 (RFC 4291, section 2.5.5.2).
    private static let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]

    private static func key(v4 bytes: [UInt8]) -> [UInt8]? { bytes.first == 127 ? nil : bytes }
}
