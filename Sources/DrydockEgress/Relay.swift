// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import Synchronization
import SystemPackage

/// Carries the bytes of open tunnels, those of all sandboxes, on one thread.
///
/// A tunnel that is open has nothing to be looked at any more: what it takes is two sockets, and no memory but for bytes that
/// one end does not take.
final class Relay: Sendable {
    /// A tunnel that is open now.
    struct Opening: Sendable {
        let client: SeatedSocket
        let host: SeatedSocket
        /// What the client has sent already.
        let first: [UInt8]
        /// What it is charged to, but for `first`.
        var allowance = NetworkAllowance()
        /// Whether the client's socket has more room than others, and ends only when that is given back.
        var hasRoom = false
        /// How much of `first` the host has.
        fileprivate(set) var sent = 0
        /// Called once, in the relay's thread, when both sockets are closed.
        let whenOver: @Sendable (RelayedBytes) -> Void
    }

    /// A number for a tunnel, of which there is no second one.
    struct Ticket: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    /// A tunnel that nothing came through for so long is over.
    static let silence = Duration.seconds(300)

    private static let common = Mutex<Relay?>(nil)

    private let orders: RelayOrders

    /// The relay of this process.
    static func shared() throws(Errno) -> Relay {
        try common.withLock { relay throws(Errno) in
            if let relay { return relay }
            let made = try Relay()
            relay = made
            return made
        }
    }

    /// Starts the thread, which uses so many pipes at most.
    init(silence: Duration = Relay.silence, pipes: Int = RelayPipes.most) throws(Errno) {
        let orders = try RelayOrders()
        self.orders = orders
        try SystemThread.start(name: "drydock-relay") {
            RelayLoop(orders, silence: silence, pipes: pipes).run()
        }
    }

    deinit { orders.give(.stop) }

    /// A ticket for `open`.
    func ticket() -> Ticket { Ticket(number: orders.nextNumber()) }

    func open(_ opening: Opening, _ ticket: Ticket) {
        var opening = opening
        // While the thread wakes, it is on its way. What fails here fails there.
        let outcome = opening.first.isEmpty ? .waits : opening.first.withUnsafeBytes(opening.host.send)
        if case .moved(let count) = outcome { opening.sent = count }
        orders.give(.open(ticket.number, opening))
    }

    /// Ends a tunnel, if it is still there.
    func end(_ ticket: Ticket) { orders.give(.end(ticket.number)) }
}

/// What the relay's thread is told by others.
final class RelayOrders: Sendable {
    enum Order: Sendable {
        case open(UInt64, Relay.Opening)
        case end(UInt64)
        /// Ends all tunnels, and the thread.
        case stop
    }

    private struct State {
        var waiting: [Order] = []
        var number: UInt64 = 0
    }

    let ready: ReadySet
    private let state = Mutex(State())

    init() throws(Errno) { ready = try ReadySet() }

    func nextNumber() -> UInt64 {
        state.withLock { state in
            state.number += 1
            return state.number
        }
    }

    func give(_ order: Order) {
        state.withLock { $0.waiting.append(order) }
        ready.wake()
    }

    /// Those that were given since the last time.
    func take() -> [Order] {
        state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
    }
}
