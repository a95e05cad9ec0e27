// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Glibc
import NIOCore
import Synchronization

/// What all connections of one sandbox have in common: its rules, its ledger, and that they end with it.
final class Egress: Sendable {
    /// Clients of one sandbox at a time, and as many connections to hosts: an eighth of this process's descriptors together,
    /// and not more than 1 024 of each.
    static let mostClients: Int = {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 64 }
        return Int(min(max(limit.rlim_cur / 16, 16), 1_024))
    }()

    private struct State {
        var clients = 0
        var hosts = 0
        /// Those of clients, and those to hosts.
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isOpen = true
    }

    let connector: Connector
    let secrets: SandboxSecrets
    let ledger = EgressLedger()
    /// What its own name server has given out.
    let names = NameTable()
    private let state = Mutex(State())

    init(_ connector: Connector, _ secrets: SandboxSecrets) {
        self.connector = connector
        self.secrets = secrets
    }

    /// Takes a client in; false where there are too many, or the sandbox has ended.
    func admit(client channel: any Channel) -> Bool { admit(channel, \.clients) }

    /// Takes in a connection to a host that is about to be made; false where there are too many, or the sandbox has ended.
    func admit(host channel: any Channel) -> Bool { admit(channel, \.hosts) }

    private func admit(_ channel: any Channel, _ count: any WritableKeyPath<State, Int> & Sendable) -> Bool {
        let id = ObjectIdentifier(channel)
        let isIn = state.withLock { state in
            guard state.isOpen, state[keyPath: count] < Self.mostClients else { return false }
            state[keyPath: count] += 1
            state.channels[id] = channel
            return true
        }
        guard isIn else { return false }
        channel.closeFuture.whenComplete { _ in
            self.state.withLock { state in
                state[keyPath: count] -= 1
                state.channels[id] = nil
            }
        }
        return true
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
