// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// Whose answers one sandbox shares with others, and where they are kept.
struct CachedHosts: Sendable {
    let cache: DownloadCache
    /// How long an answer holds that does not say, in seconds; nil = that is guessed.
    let lifetime: Int64?
    /// With names, not wildcards.
    private let rules: [NetworkRule]

    /// Of the operator's list what a sandbox with this policy may reach; nil where that is nothing.
    init?(
        _ rules: [NetworkRule],
        lifetime: Int64? = nil,
        for policy: NetworkPolicy,
        in cache: DownloadCache
    ) {
        let reached = rules.flatMap { rule in policy.rules.compactMap(rule.narrowed) }
        if reached.isEmpty { return nil }
        self.rules = reached
        self.cache = cache
        self.lifetime = lifetime
    }

    /// The hosts whose TLS has to end in the proxy for that.
    var targets: [ProxyTarget] {
        rules.compactMap { rule in
            guard case .name(let host) = rule.hosts else { return nil }
            return ProxyTarget(host: host, port: rule.port ?? ProxyTarget.securePort)
        }
    }

    /// What a request's answer is kept by; nil where it is none that is shared.
    func key(of request: ProxyRequest, path: String) -> CacheKey? {
        let target = request.target
        guard rules.contains(where: { $0.allows(target.host, port: target.port) }) else { return nil }
        return CacheKey(target, isSecure: request.isSecure, request.asked, path: path)
    }
}
