// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Synchronization

/// Counts the open connections, in all, by address and by token, so that none can take the descriptors that the others need.
final class ConnectionLedger: Sendable {
    /// Whom a connection counts for.
    private enum Holder: Hashable {
        case address([UInt8])
        case token(String)
    }

    private struct State {
        var open = 0
        /// Those of them that hold no file.
        var fileless = 0
        /// Only addresses of other machines: behind this one's own stands a proxy, or its owner.
        var byHolder: [Holder: Int] = [:]
    }

    private let most: Int
    private let mostPerAddress: Int
    private let mostPerToken: Int
    private let state = Mutex(State())

    /// `most` connections of which each may hold a file may be open; of those that hold none, twice as many.
    init(most: Int, perAddress: Int, perToken: Int = .max) {
        self.most = most
        self.mostPerAddress = perAddress
        self.mostPerToken = perToken
    }

    /// How many connections may be open where there are so many descriptors: less than half, for each may hold a file that
    /// is sent over it (`keepsNoFile`), and the store has its own.
    static func most(of descriptors: Int) -> Int { descriptors * 2 / 5 }

    /// Enters a connection, nil = one that counts for nobody yet; false when there are enough, and nothing was entered.
    func enter(_ address: IPAddress?) -> Bool {
        state.withLock { state in
            // Each takes a descriptor, and another one where it may come to hold a file.
            guard 2 * (state.open + 1) - state.fileless <= 2 * most, hold(Self.holder(address), &state) else {
                return false
            }
            state.open += 1
            return true
        }
    }

    /// Takes out a connection that was entered.
    func leave(_ address: IPAddress?) {
        state.withLock { state in
            state.open -= 1
            release(Self.holder(address), &state)
        }
    }

    /// A connection that was entered will not hold a file any more: leaves its room to others.
    func keepsNoFile() { state.withLock { $0.fileless += 1 } }

    /// A connection of which that was said is about to leave.
    func takesBackRoom() { state.withLock { $0.fileless -= 1 } }

    /// Open connections of which it was said that they hold no file.
    var fileless: Int { state.withLock { $0.fileless } }

    /// Counts a connection that was entered for nobody: it turned out to be this one's, behind a proxy.
    func attribute(to address: IPAddress?) -> Bool { state.withLock { hold(Self.holder(address), &$0) } }

    /// Takes back what `attribute` counted; the connection itself leaves by `leave`.
    func forget(_ address: IPAddress?) { state.withLock { release(Self.holder(address), &$0) } }

    /// Counts a connection, which was entered, for the token that it was opened with.
    func attribute(to caller: Caller) -> Bool { state.withLock { hold(Self.holder(caller), &$0) } }

    func forget(_ caller: Caller) { state.withLock { release(Self.holder(caller), &$0) } }

    private func hold(_ holder: Holder?, _ state: inout State) -> Bool {
        guard let holder else { return true }
        let most =
            switch holder {
            case .address: mostPerAddress
            case .token: mostPerToken
            }
        guard state.byHolder[holder, default: 0] < most else { return false }
        state.byHolder[holder, default: 0] += 1
        return true
    }

    private func release(_ holder: Holder?, _ state: inout State) {
        guard let holder, let count = state.byHolder[holder] else { return }
        state.byHolder[holder] = count > 1 ? count - 1 : nil
    }

    /// An address, or the network of an IPv6 address, of which one machine has 2^64; nil for this machine's own.
    private static func holder(_ address: IPAddress?) -> Holder? {
        guard let address = address?.plain, !address.isLoopback else { return nil }
        return .address(address.isVersion4 ? address.bytes : Array(address.bytes.prefix(8)))
    }

    private static func holder(_ caller: Caller) -> Holder? {
        caller.scope.isEmpty ? nil : .token(caller.scope)
    }
}
