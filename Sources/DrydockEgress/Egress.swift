// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import Glibc
import NIOCore
import Synchronization
import SystemPackage

/// What all connections of one sandbox have in common: its rules, its ledger, and that they end with it.
final class Egress: Sendable {
    /// Which side of the proxy a connection is on.
    enum Side: Sendable {
        case client
        case host
    }

    /// Clients of one sandbox at a time, and as many connections to hosts.
    static let mostClients = 1_024
    /// Of these, what a sandbox has for itself, however many others take.
    static let ownClients = 16

    private struct State {
        var counts: [Side: Int] = [:]
        var channels: [ObjectIdentifier: (channel: any Channel, side: Side)] = [:]
        var tunnels: Set<Relay.Ticket> = []
        /// Those whose client has more room than others.
        var roomy: Set<Relay.Ticket> = []
        /// Kept when the last tunnel is gone.
        var hasNoTunnels: Promise<Void>?
        var isOpen = true
    }

    let connector: Connector
    let opened: OpenedHosts
    let allowance: NetworkAllowance
    let ledger = EgressLedger()
    /// What its own name server has given out.
    let names = NameTable()
    private let pot: ConnectionPot
    private let state = Mutex(State())

    init(
        _ connector: Connector,
        _ opened: OpenedHosts = .none,
        _ allowance: NetworkAllowance = NetworkAllowance(),
        pot: ConnectionPot = .shared
    ) {
        self.connector = connector
        self.opened = opened
        self.allowance = allowance
        self.pot = pot
    }

    /// Takes a client in; false where there are too many, or the sandbox has ended.
    func admit(client channel: any Channel) -> Bool { admit(channel, .client) }

    /// Takes in a connection to a host that is about to be made; false where there are too many, or the sandbox has ended.
    func admit(host channel: any Channel) -> Bool { admit(channel, .host) }

    private func admit(_ channel: any Channel, _ side: Side) -> Bool {
        let id = ObjectIdentifier(channel)
        let isIn = state.withLock { state in
            let count = state.counts[side, default: 0]
            guard state.isOpen, count < Self.mostClients else { return false }
            guard count < Self.ownClients || pot.take() else { return false }
            state.counts[side] = count + 1
            state.channels[id] = (channel, side)
            return true
        }
        guard isIn else { return false }
        channel.closeFuture.whenComplete { _ in
            // After all others who hear of the end: by then it is in the ledger, and `close` has waited for that.
            channel.eventLoop.execute {
                // It lives until then, or another one could have its identity by now.
                withExtendedLifetime(channel) {
                    guard self.state.withLock({ $0.channels.removeValue(forKey: id) }) != nil else { return }
                    self.leave(side)
                }
            }
        }
        return true
    }

    private func leave(_ side: Side) {
        state.withLock { state in
            let count = state.counts[side, default: 0]
            if count > Self.ownClients { pot.giveBack() }
            state.counts[side] = count - 1
        }
    }

    /// Takes the socket out of `channel`, which is closed; nothing may wait to be written to it.
    ///
    /// Called on its event loop.
    func takeOut(_ channel: any Channel) throws -> SeatedSocket {
        let id = ObjectIdentifier(channel)
        let made = try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self
        ) { fcntl($0, F_DUPFD_CLOEXEC, 0) }
        guard let made, made >= 0 else { throw Errno.tooManyOpenFiles }
        let descriptor = OwnedDescriptor(taking: SystemPackage.FileDescriptor(rawValue: made))
        let entry = state.withLock { state in
            state.isOpen ? state.channels.removeValue(forKey: id) : nil
        }
        // One that is not there any more has left its seat, and one of a sandbox that ends is about to.
        guard let side = entry?.side else { throw Errno.badFileDescriptor }
        channel.close(promise: nil)
        return SeatedSocket(descriptor) { self.leave(side) }
    }

    /// Carries what both sides of an open tunnel send until it is over; throws where the sandbox has ended, or may move no more.
    func carry(_ opening: Relay.Opening) throws {
        guard allowance.take(opening.first.count) else { throw allowance.spent }
        let relay = try Relay.shared()
        let ticket = relay.ticket()
        let whenOver = opening.whenOver
        // In one: an end that came before its beginning would find nothing to end.
        try state.withLock { state in
            guard state.isOpen else { throw Errno.badFileDescriptor }
            state.tunnels.insert(ticket)
            let hasRoom = state.roomy.count < SocketRoom.most
            if hasRoom {
                state.roomy.insert(ticket)
                opening.client.makeRoom()
            }
            let counted = Relay.Opening(
                client: opening.client,
                host: opening.host,
                first: opening.first,
                allowance: allowance,
                hasRoom: hasRoom
            ) { bytes in
                whenOver(bytes)
                self.forget(ticket)
            }
            relay.open(counted, ticket)
        }
    }

    private func forget(_ ticket: Relay.Ticket) {
        let promise = state.withLock { state -> Promise<Void>? in
            state.tunnels.remove(ticket)
            state.roomy.remove(ticket)
            return state.tunnels.isEmpty ? state.hasNoTunnels : nil
        }
        promise?.keep(())
    }

    /// Ends every connection, and lets no new one in; returns when all of them are in the ledger.
    func close() async {
        let hasNoTunnels = Promise<Void>()
        let (open, tunnels) = state.withLock { state in
            state.isOpen = false
            state.hasNoTunnels = hasNoTunnels
            return (state.channels.values.map(\.channel), state.tunnels)
        }
        for channel in open { channel.close(promise: nil) }
        // The relay there is no more is one that never was.
        if let relay = try? Relay.shared() { for ticket in tunnels { relay.end(ticket) } }
        // An error there is one of before the close; what was to be done at the end of a connection has been done then.
        for channel in open { try? await channel.closeFuture.get() }
        if !tunnels.isEmpty { await hasNoTunnels.value }
    }
}
