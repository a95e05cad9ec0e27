// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import NIOCore
import NIOPosix
import SystemPackage

/// The way out of one sandbox: serves its clients until it is ended.
package final class EgressProxy: Sendable {
    private let egress: Egress
    private let doors: [any Channel]

    private init(_ egress: Egress, _ doors: [any Channel]) {
        self.egress = egress
        self.doors = doors
    }

    /// Serves what comes to `sockets`, which were made inside the sandbox: what `policy` allows, as `settings` say, and no
    /// more bytes than `limit`.
    ///
    /// They are taken over, also when this throws: one for each of `doors`, in their order.
    static func start(
        at sockets: [SystemPackage.FileDescriptor],
        doors: [EgressDoor],
        policy: NetworkPolicy,
        settings: EgressSettings,
        opened: OpenedHosts = .none,
        limit: ByteCount = LimitBounds.network.upperBound,
        resolver: any HostResolver = SystemResolver(),
        on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws -> EgressProxy {
        let connector = Connector(policy: policy, settings: settings, lookups: LookupCache(resolver))
        let egress = Egress(connector, opened, NetworkAllowance(limit))
        var served: [any Channel] = []
        var left = sockets[...]
        do {
            for door in doors {
                guard let socket = left.popFirst() else { throw Errno.badFileDescriptor }
                let channel =
                    switch door {
                    case .names: try await NameServer.serve(socket.rawValue, for: egress, on: group)
                    case .clients(let door):
                        try await ProxyListener.serve(socket.rawValue, door, for: egress, on: group)
                    }
                served.append(channel)
            }
            return EgressProxy(egress, served)
        } catch {
            for socket in left { try? socket.close() }  // harmless: see OwnedDescriptor.close
            for channel in served { channel.close(promise: nil) }
            throw error
        }
    }

    /// Ends all connections and gives up the sockets; returns what went through, and what was refused.
    package func stop() async -> [NetworkUse] {
        // One that is closed already is as good.
        for door in doors { try? await door.close() }
        await egress.close()
        return egress.ledger.uses
    }
}
