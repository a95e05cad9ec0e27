// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import NIOSSL
import Synchronization

/// The TLS of one sandbox that ends in the proxy, and goes on from there as another connection.
final class SandboxTLS: Sendable {
    /// Whose TLS ends; all other goes through unopened.
    private let targets: Set<ProxyTarget>
    private let authority: SandboxAuthority
    /// How hosts are asked, whom the operator's roots vouch for.
    private let client: NIOSSLContext
    private let servers = Mutex<[HostName: NIOSSLContext]>([:])

    /// For a sandbox that lasts for `time`; `roots` is the file with whom hosts are verified against.
    ///
    /// Blocks: all the roots are read.
    init(endingFor targets: Set<ProxyTarget>, for time: Duration, roots: String) throws {
        self.targets = targets
        authority = try SandboxAuthority(
            over: Set(targets.map(\.host)).sorted { $0.text < $1.text },
            for: time
        )
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(roots)
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        // The answer has told its end by itself: a host is told of ours, and not waited for.
        configuration.shutdownTimeout = .zero
        client = try NIOSSLContext(configuration: configuration)
    }

    /// The certificate that the sandbox is to trust beside the roots, PEM.
    var certificate: String {
        get throws { try authority.pem }
    }

    /// Whether TLS for `target` ends in the proxy.
    func ends(_ target: ProxyTarget) -> Bool { targets.contains(target) }

    /// The handler that is the host for a client.
    func server(for host: HostName) throws -> NIOSSLServerHandler {
        let context = try servers.withLock { servers in
            if let known = servers[host] { return known }
            let made = try authority.server(for: host)
            servers[host] = made
            return made
        }
        return NIOSSLServerHandler(context: context)
    }

    /// The handler that makes a connection one by TLS with `host`, and none where it is not that host.
    func client(for host: HostName) throws -> NIOSSLClientHandler {
        try NIOSSLClientHandler(context: client, serverHostname: host.text)
    }
}
