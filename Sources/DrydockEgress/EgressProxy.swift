// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
package import DrydockOS
package import NIOCore
import NIOPosix
import SystemPackage

/// The way out of one sandbox: serves its clients until it is ended.
package final class EgressProxy: Sendable {
    private let egress: Egress
    private let door: any Channel

    private init(_ egress: Egress, _ door: any Channel) {
        self.egress = egress
        self.door = door
    }

    /// Serves what connects to `socket`, which listens inside the sandbox: what `policy` allows, as far as `vetting` does.
    package static func start(
        at socket: consuming OwnedDescriptor,
        policy: NetworkPolicy,
        vetting: AddressVetting,
        resolver: any HostResolver = SystemResolver(),
        on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws -> EgressProxy {
        let connector = Connector(policy: policy, vetting: vetting, lookups: LookupCache(resolver))
        let egress = Egress(connector)
        let door = try await ProxyListener.serve(socket.release().rawValue, for: egress, on: group)
        return EgressProxy(egress, door)
    }

    /// Ends all connections and gives up the socket; returns what went through, and what was refused.
    package func stop() async -> [NetworkUse] {
        // One that is closed already is as good.
        try? await door.close()
        await egress.close()
        return egress.ledger.uses
    }
}
