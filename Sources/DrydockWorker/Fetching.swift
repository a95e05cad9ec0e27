// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockArchive
internal import DrydockModel
internal import DrydockOS
internal import DrydockSandbox
internal import SystemPackage

/// Fetches a git source in a sandbox, which can reach the repository's host and no other.
struct Fetching {
    /// Where inside the repository is, which does not become part of the source.
    private static let scratch = "/w/git"
    private static let patience = Duration.seconds(5 * 60)

    let run: BuildRun
    /// The empty directory on the host that it fetches into, and one for the repository; the sandbox's user may write to both.
    let target: FilePath
    let repository: FilePath

    /// Fetches the revision, or throws what was wrong with it.
    func fetch(_ url: String, _ revision: String?) async throws -> GitFetchCommand.Summary {
        let options = run.shop.options
        let hosts = run.lease.build.request.trigger == .cli ? nil : options.allowed.gitHosts
        let host = try GitAddress(options: GitOptions(hosts: hosts)).check(url)
        if let revision { try GitSource.checkRevision(revision) }
        let tool = SourceTool(
            run: run,
            work: "fetching the repository",
            arguments: ["fetch"]
                + GitFetchCommand.arguments(
                    for: url,
                    revision,
                    scratch: Self.scratch,
                    caps: options.sourceCaps,
                    timeout: Self.patience
                ),
            mounts: [
                ConfinedTool.filled(target, at: InsidePath.source),
                ConfinedTool.filled(repository, at: Self.scratch),
            ],
            network: NetworkPolicy([try Self.rule(host)]),
            // git holds what it unpacks in memory.
            memory: options.policy.limits.memory
        )
        return try GitFetchCommand.summary(fromReply: try await tool.reply { try .null() })
    }

    private static func rule(_ host: String) throws(Failure) -> NetworkRule {
        do throws(FieldProblem) {
            let rule = try NetworkRule(parsing: host)
            guard case .name = rule.hosts else { throw FieldProblem("'\(host)' is no host's name") }
            return rule
        } catch {
            throw Failure(.sourceInvalid, .user, "the git URL: \(error.message)", hint: error.hint)
        }
    }
}
