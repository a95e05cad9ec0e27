// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// The secrets that one sandbox's requests get.
struct SandboxSecrets: Sendable {
    private let secrets: [HostSecret]

    init(_ secrets: [HostSecret] = []) { self.secrets = secrets }

    /// The hosts whose TLS has to end in the proxy for them.
    var targets: [ProxyTarget] {
        secrets.map { ProxyTarget(host: $0.host, port: $0.port ?? ProxyTarget.securePort) }
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
