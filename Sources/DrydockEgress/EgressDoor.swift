// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockSandbox

/// One socket inside a sandbox, and what is served on it.
enum EgressDoor: Hashable, Sendable {
    /// Those who connect to a host, or to the proxy.
    case clients(ProxyListener.Door)
    /// Those who ask for a name's address.
    case names

    /// Where clients of the proxy find it.
    static let proxyPort: UInt16 = 3_128
    private static let loopback: UInt32 = 0x7F00_0001

    /// Further ports that get a door: a rule with another one is for clients of the proxy only.
    static let mostPorts = 8

    /// The doors of a sandbox with this policy.
    static func all(for policy: NetworkPolicy) -> [EgressDoor] {
        let further = policy.furtherPorts.filter { $0 != proxyPort }.prefix(mostPorts)
        return [.clients(.proxy), .names, .clients(.plain(port: 80)), .clients(.tls(port: 443))]
            + further.map { .clients(.tls(port: $0)) }
    }

    /// The socket that it is served on.
    var listener: SandboxListener {
        switch self {
        case .names: SandboxListener(.udp, address: Self.loopback, port: 53)
        case .clients(.proxy): SandboxListener(.tcp, address: Self.loopback, port: Self.proxyPort)
        // On all addresses there are: each name has one of its own.
        case .clients(.plain(let port)), .clients(.tls(let port)):
            SandboxListener(.tcp, address: 0, port: port)
        }
    }
}
