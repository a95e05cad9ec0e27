// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import NIOCore
import Synchronization

/// What all connections of one sandbox have in common: its rules, its ledger, and that they end with it.
final class Egress: Sendable {
    /// Clients of one sandbox at a time; each takes two descriptors and some KiB here.
    static let mostClients = 1_024

    private struct State {
        var clients = 0
        /// Those of clients, and those to hosts.
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isOpen = true
    }

    let connector: Connector
    let ledger = EgressLedger()
    /// What its own name server has given out.
    let names = NameTable()
    private let state = Mutex(State())

    init(_ connector: Connector) { self.connector = connector }

    /// Takes a client in; false where there are too many, or the sandbox has ended.
    func admit(client channel: any Channel) -> Bool {
        let isIn = state.withLock { state in
            guard state.isOpen, state.clients < Self.mostClients else { return false }
            state.clients += 1
            state.channels[ObjectIdentifier(channel)] = channel
            return true
        }
        guard isIn else { return false }
        channel.closeFuture.whenComplete { _ in
            self.state.withLock { state in
                state.clients -= 1
                state.channels[ObjectIdentifier(channel)] = nil
            }
        }
        return true
    }

    /// Takes in the connection to a host; one that comes after the end is closed.
    func admit(host channel: any Channel) {
        let id = ObjectIdentifier(channel)
        let isOpen = state.withLock { state in
            if state.isOpen { state.channels[id] = channel }
            return state.isOpen
        }
        guard isOpen else { return channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in self.state.withLock { $0.channels[id] = nil } }
    }

    /// Ends every connection, and lets no new one in; returns when all of them are in the ledger.
    func close() async {
        let open = state.withLock { state in
            state.isOpen = false
            return Array(state.channels.values)
        }
        for channel in open { channel.close(promise: nil) }
        // An error there is one of before the close; what was to be done at the end of a connection has been done then.
        for channel in open { try? await channel.closeFuture.get() }
    }
}
