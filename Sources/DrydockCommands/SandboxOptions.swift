// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockConfig
internal import DrydockEgress
internal import DrydockModel
internal import DrydockOS
internal import DrydockSandbox
internal import DrydockStore
internal import DrydockWorker
internal import FoundationEssentials
internal import SystemPackage

/// What `run` and `sandbox spec` say about a sandbox.
struct SandboxOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Copied in, and the working directory.",
            discussion: "Default: empty.",
            valueName: "dir"
        )
    )
    var workspace: String?

    @Option(help: ArgumentHelp("Seen inside at the same path (repeatable).", valueName: "dir"))
    var readOnly: [String] = []

    @Option(help: ArgumentHelp("A variable of its environment (repeatable).", valueName: "k=v"))
    var env: [String] = []

    @Option(
        help: ArgumentHelp("A host it may reach, \(NetworkOption.example) (repeatable).", valueName: "host")
    )
    var network: [String] = []

    @Option(
        help: ArgumentHelp(
            "An imported root file system to run in (`drydock rootfs list`).",
            discussion: "Default: this machine's own toolchain.",
            valueName: "name"
        )
    )
    var rootfs: String?

    @Option(help: "strict, debug or browser.")
    var profile: SandboxProfile = .strict

    @Option(
        help: ArgumentHelp(
            "memory=512MiB, processes=64, files=1024, file-size=1GiB, disk=2GiB, network=10GiB, cpus=1.5 or total=90s (repeatable).",
            valueName: "k=v"
        )
    )
    var limit: [String] = []

    /// A spec, and the workspace that it needs.
    struct Prepared {
        let spec: SandboxSpec
        let place: RunWorkspace
        /// How it is let out.
        let egress: EgressSettings
        /// There as long as this is.
        let root: HeldRoot?
        var workspace: Workspace { place.workspace }

        /// Removes the workspace; once the sandbox has ended.
        func discard() { place.discard() }
    }

    /// Makes the workspace and the spec that runs `command` in it.
    func prepare(_ command: [String], _ lifetime: RunFolder.Lifetime) async throws -> Prepared {
        guard profile != .browser else {
            throw CommandProblem(.unavailable, "--profile browser", why: "there is no such profile yet")
        }
        let network = try NetworkOption(network)
        // Whoever types the command is the operator: what is named there is granted, and nothing else is.
        let (configuration, tools) = try await PlaceOptions.parse([]).askedConfiguration { settings in
            settings.presets = network.presets
            settings.mirrors = settings.mirrors.filter { network.presets.contains($0.key) }
        }
        // The operator's `minimum_level` holds for a single command as for builds.
        var policy = Policy(minimumLevel: configuration.policy.minimumLevel)
        policy.limits = try LimitSetting.limits(limit)
        let root = try heldRoot(configuration)
        let environment = try parsedEnvironment(root)
        policy.network = try network.policy(tools)
        let egress = try EgressSettings(
            checking: configuration.network,
            tools: tools,
            secrets: try SecretsReading.secrets(configuration)
        )
        let shown = try readOnly.map { path in try ShownPath.mount(path) }
        if let workspace { try Self.checkDirectory(workspace) }
        let place = try RunWorkspace(lifetime, copyOf: workspace, disk: policy.limits.disk)
        let spec = SandboxSpec(
            argv: command,
            environment: environment,
            mounts: place.workspace.mounts + shown,
            root: root.map { .directory($0.path.string) } ?? .hostToolchain(additional: []),
            profile: profile,
            policy: policy
        )
        return Prepared(spec: spec, place: place, egress: egress, root: root)
    }

    private static func checkDirectory(_ path: String) throws(CommandProblem) {
        do throws(Errno) {
            _ = try DirectoryHandle(path: FilePath(path))
        } catch {
            throw CommandProblem(
                .usage,
                "--workspace \(path)",
                why: "\(error)",
                remedy: "name a directory that can be read"
            )
        }
    }

    private func heldRoot(_ configuration: ServerConfiguration) throws -> HeldRoot? {
        guard let rootfs else { return nil }
        let roots = RootFileSystems(in: PlaceOptions.dataDirectory(configuration).appending("rootfs"))
        let entries = try roots.entries()
        if let entry = entries.first(where: { $0.name.rawValue == rootfs }),
            let held = try roots.hold(entry.digest)
        {
            return held
        }
        let names = entries.map(\.name.rawValue)
        throw CommandProblem(
            .usage,
            "--rootfs \(rootfs)",
            why: "no root file system of that name was imported",
            remedy: names.isEmpty
                ? "`drydock rootfs import NAME PATH` imports one"
                : "there are: " + names.joined(separator: ", ")
        )
    }

    private func parsedEnvironment(_ root: HeldRoot?) throws -> [String: String] {
        let path = root.map(StepEnvironment.path) ?? Installation.pathInside(toolchain: [])
        var variables = StepEnvironment.standard(path: path)
        variables.merge(root?.environment ?? [:]) { ours, _ in ours }
        for entry in env {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw CommandProblem(
                    .usage,
                    "--env \(entry)",
                    why: "it has no NAME=",
                    remedy: "write --env NAME=value"
                )
            }
            variables[String(parts[0])] = String(parts[1])
        }
        return variables
    }
}

extension SandboxProfile: ExpressibleByArgument {}

extension String {
    /// This path, seen from `/`.
    var absolutePath: String {
        hasPrefix("/") ? self : FileManager.default.currentDirectoryPath + "/" + self
    }
}
