// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockConfig
internal import DrydockEgress
internal import DrydockModel
internal import FoundationEssentials
internal import Glibc

extension ServerConfiguration {
    /// What builds may do, with what the tools said of their indexes: the policy that is carried and told.
    func policy(_ tools: ToolIndexes) -> Policy {
        var policy = policy
        tools.grant(to: &policy.network)
        return policy
    }
}

extension PlaceOptions {
    /// The configuration, with `change` made to what it says of the network, and what the tools named there say.
    func askedConfiguration(
        _ change: (inout NetworkSettings) -> Void = { _ in }
    ) async throws -> (ServerConfiguration, ToolIndexes) {
        var configuration = try configuration()
        change(&configuration.network)
        let plugins = try PluginOptions.parse([]).all(configuration)
        return (configuration, await configuration.network.askTools(in: plugins))
    }
}

extension NetworkSettings {
    /// What the tools that are named in it say of their indexes, as the operator has configured them.
    func askTools(in plugins: [String]) async -> ToolIndexes {
        let environment = ProcessInfo.processInfo.environment.map { "\($0)=\($1)" }
        return await ToolIndexes(asking: self, in: plugins, environment: environment)
    }
}

extension ToolIndexes {
    /// Of each tool whose index can not be reached, why.
    var words: [String] {
        problems.sorted { $0.key.rawValue < $1.key.rawValue }.map { name, problem in
            "preset \(name): \(problem.message)" + (problem.hint.map { ": \($0)" } ?? "")
        }
    }
}

extension EgressSettings {
    /// The settings of the way out; a problem where the file of roots can not be read.
    init(
        checking settings: NetworkSettings,
        tools: ToolIndexes,
        secrets: [HostSecret]
    ) throws(CommandProblem) {
        if let roots = settings.roots, access(roots, R_OK) != 0 {
            throw CommandProblem(
                .usage,
                "network.roots: \(roots)",
                why: "it can not be read",
                remedy: "name a file with certificates in PEM that everybody may read"
            )
        }
        self.init(settings, tools: tools, secrets: secrets)
        if let host = hostBothCachedAndOpaque {
            throw CommandProblem(
                .usage,
                "network.cache.hosts: \(host)",
                why: "network.opaque has it, too: what is not looked into can not be kept",
                remedy: "take it out of one of them"
            )
        }
        if let why = problemOfRoots {
            let remedy = "name a file with certificates in PEM as network.roots"
            throw CommandProblem(.usage, "secrets and network.cache", why: why, remedy: remedy)
        }
    }
}
