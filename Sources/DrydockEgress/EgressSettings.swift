// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// How sandboxes are let out, whatever they may reach: the operator's settings, and what the tools said of their indexes.
package struct EgressSettings: Hashable, Sendable {
    /// Which addresses are connected to.
    let vetting: AddressVetting
    /// The proxy that all leads through; nil = there is none.
    let upstream: Upstream?
    /// Hosts whose tunnels may carry anything.
    let opaque: [NetworkRule]
    /// The operator's file with the certificates that steps are to trust; nil = the machine's own.
    let roots: String?
    let tools: ToolIndexes

    /// The file that hosts are verified against; nil where there is none.
    var trustedRoots: String? { roots ?? RootsFile.ofMachine }
    /// Hosts whose answers are given again, by name.
    let cached: [NetworkRule]
    /// How long an answer of theirs holds that does not say, in seconds; nil = that is guessed.
    let cacheLifetime: Int64?
    /// What is added to requests: the operator's file, then the passwords of the tools' indexes.
    let secrets: [HostSecret]

    package init(_ settings: NetworkSettings, tools: ToolIndexes, secrets: [HostSecret] = []) {
        vetting = AddressVetting(exempt: settings.addresses)
        upstream = settings.proxy.map { Upstream($0, sparing: Set(settings.addresses.keys)) }
        opaque = settings.opaque
        roots = settings.roots
        self.tools = tools
        cacheLifetime = settings.cache.lifetime?.components.seconds
        cached = settings.cache.hosts.flatMap { rule in
            guard case .preset(let name) = rule.hosts else { return [rule] }
            return tools.answers[name]?.rules.filter(\.isOneName) ?? []
        }
        self.secrets = secrets + tools.secrets
    }

    /// Whether answers of some hosts are given again.
    package var cachesAnswers: Bool { !cached.isEmpty }

    /// A host of the operator's whose connections are to be looked into, and not to be.
    package var hostBothCachedAndOpaque: NetworkRule? {
        cached.first { rule in opaque.contains { rule.narrowed(to: $0) != nil } }
    }

    /// Of whose answers some are kept, for a person; none where that is nobody's.
    package var wordsOfCache: [String] {
        if cached.isEmpty { return [] }
        return [
            "what they get from \(cached.map(\.description).joined(separator: ", ")) is kept for the next one"
        ]
    }

    /// Why no sandbox could be given what it is to trust; nil where all is well.
    ///
    /// Blocks.
    package var problemOfRoots: String? {
        if secrets.isEmpty, cached.isEmpty { return nil }
        guard let roots = trustedRoots else {
            return
                "hosts with secrets or a cache have to be vouched for by roots, and this machine has no list of them"
        }
        do {
            _ = try OpenedHosts(secrets: secrets, for: .zero, roots: roots)
            return nil
        } catch {
            return
                "\(roots) is no list of certificates that hosts with secrets or a cache could be verified against"
        }
    }
}
