// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import NIOCore
import NIOSSL
import Synchronization

/// The secrets that one sandbox's requests get, and the TLS that ends in the proxy for them.
final class SandboxSecrets: Sendable {
    /// No secrets: all TLS goes through unopened.
    static let none = SandboxSecrets()

    private let secrets: [HostSecret]
    private let authority: SandboxAuthority?
    /// How hosts are asked, whom the operator's roots vouch for.
    private let client: NIOSSLContext?
    private let servers = Mutex<[HostName: NIOSSLContext]>([:])

    private init() {
        secrets = []
        authority = nil
        client = nil
    }

    /// For a sandbox that lasts for `time`; `roots` is the file with whom hosts are verified against.
    ///
    /// Blocks: all the roots are read.
    init(_ secrets: [HostSecret], for time: Duration, roots: String) throws {
        self.secrets = secrets
        authority = try SandboxAuthority(
            over: Set(secrets.map(\.host)).sorted { $0.text < $1.text },
            for: time
        )
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(roots)
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        // We close what we are done with, and its host has nothing to say to that: often it is gone already, and nobody
        // reads its goodbye any more. A sandbox's end waits for it.
        configuration.shutdownTimeout = .milliseconds(100)
        client = try NIOSSLContext(configuration: configuration)
    }

    /// The certificate that the sandbox is to trust beside the roots, PEM; nil where there are no secrets.
    var certificate: String? {
        get throws { try authority?.pem }
    }

    /// Whether TLS for `target` ends in the proxy.
    func ends(_ target: ProxyTarget) -> Bool {
        secrets.contains { $0.isFor(target.host, port: target.port, isSecure: true) }
    }

    /// The handler that is the host for a client.
    func server(for host: HostName) throws -> NIOSSLServerHandler {
        guard let authority else { throw NIOSSLError.failedToLoadCertificate }
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
        guard let client else { throw NIOSSLError.failedToLoadCertificate }
        return try NIOSSLClientHandler(context: client, serverHostname: host.text)
    }

    /// The secret of a request; nil where there is none for its host, and a refusal where there is, but not for this request.
    func secret(
        for target: ProxyTarget,
        isSecure: Bool,
        method: String,
        path: String
    ) throws(Refusal) -> HostSecret? {
        let ofHost = secrets.filter { $0.isFor(target.host, port: target.port, isSecure: isSecure) }
        if ofHost.isEmpty { return nil }
        if let secret = ofHost.first(where: { $0.requests.allow(method: method, uri: path) }) {
            return secret
        }
        throw Refusal(.denied, target, "was sent a method or a path that its secret is not for")
    }
}
