// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// The hosts whose requests the proxy does more with than pass them on, and the TLS that ends in it for that.
struct OpenedHosts: Sendable {
    /// No such hosts.
    static let none = OpenedHosts()

    let secrets: SandboxSecrets
    /// Of whose answers some are kept; nil = of nobody's.
    let cached: CachedHosts?
    /// nil = none ends.
    private let tls: SandboxTLS?

    private init() {
        secrets = SandboxSecrets()
        cached = nil
        tls = nil
    }

    /// For a sandbox that lasts for `time`; `roots` is the file with whom hosts are verified against.
    ///
    /// Blocks: all the roots are read.
    init(
        secrets: [HostSecret] = [],
        cached: CachedHosts? = nil,
        for time: Duration,
        roots: String
    ) throws {
        self.secrets = SandboxSecrets(secrets)
        self.cached = cached
        let targets = Set(self.secrets.targets + (cached?.targets ?? []))
        tls = targets.isEmpty ? nil : try SandboxTLS(endingFor: targets, for: time, roots: roots)
    }

    /// What the sandbox is to trust beside the roots, PEM; nil where no TLS ends.
    var certificate: String? {
        get throws { try tls?.certificate }
    }

    /// The TLS of `target`, where it ends in the proxy.
    func tls(endingFor target: ProxyTarget) -> SandboxTLS? {
        guard let tls, tls.ends(target) else { return nil }
        return tls
    }
}
