// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockConfig
internal import DrydockModel
internal import DrydockOS
internal import DrydockSandbox
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

    @Option(help: ArgumentHelp("A host it may reach; not possible yet.", valueName: "host"))
    var network: [String] = []

    @Option(help: "strict, debug or browser.")
    var profile: SandboxProfile = .strict

    @Option(
        help: ArgumentHelp(
            "memory=512MiB, processes=64, files=1024, file-size=1GiB, disk=2GiB, cpus=1.5 or total=90s (repeatable).",
            valueName: "k=v"
        )
    )
    var limit: [String] = []

    /// A spec, and the workspace that it needs.
    struct Prepared {
        let spec: SandboxSpec
        let workspace: Workspace
        fileprivate let folder: RunFolder

        /// Removes the workspace; once the sandbox has ended.
        func discard() {
            do {
                try workspace.remove()
                try folder.remove()
            } catch {
                Console.error("drydock: \(folder.path): could not be removed: \(error)")
            }
        }
    }

    /// Makes the workspace and the spec that runs `command` in it.
    func prepare(_ command: [String], _ lifetime: RunFolder.Lifetime) throws -> Prepared {
        guard profile != .browser else {
            throw CommandProblem(.unavailable, "--profile browser", why: "there is no such profile yet")
        }
        let limits = try parsedLimits()
        let environment = try parsedEnvironment()
        guard network.isEmpty else {
            throw CommandProblem(
                .unavailable,
                "--network \(network[0])",
                why: "sandboxes have no network yet",
                remedy: "bring what the command needs in with --workspace or --read-only"
            )
        }
        let snapshot = try workspace.map { try Self.directory($0) }
        let folder = try RunFolder(lifetime)
        let made: Workspace
        do {
            let disk = lifetime == .process ? limits.disk : nil
            made = try Self.workspace(in: folder, snapshot: snapshot, disk: disk)
        } catch {
            try? folder.remove()  // the first error is the one to tell
            if let failure = error as? Failure { throw CommandProblem("run", failure) }
            throw error
        }
        let shown = readOnly.map {
            SandboxMount(source: $0.absolutePath, target: $0.absolutePath, access: .readOnly)
        }
        let spec = SandboxSpec(
            argv: command,
            environment: environment,
            mounts: made.mounts + shown,
            profile: profile,
            limits: limits
        )
        return Prepared(spec: spec, workspace: made, folder: folder)
    }

    /// On a disk of its own that holds `disk`, where this machine can do that; one that stays is a directory.
    private static func workspace(
        in folder: RunFolder,
        snapshot: DirectoryHandle?,
        disk: ByteCount?
    ) throws -> Workspace {
        let owner = Installation.workspaceOwner
        if let disk, DiskImageCheck.tryOut(in: folder.path) == nil,
            case .made(let image) = try WorkspaceDisk(.own).make("run", in: folder.path, holding: disk)
        {
            return try Workspace(on: image, snapshot: snapshot, owner: owner)
        }
        return try Workspace(below: folder.path, name: "run", snapshot: snapshot, owner: owner)
    }

    private static func directory(_ path: String) throws -> DirectoryHandle {
        do {
            return try DirectoryHandle(path: FilePath(path))
        } catch {
            throw CommandProblem(.usage, path, why: "\(error)", remedy: "name a directory that can be read")
        }
    }

    private func parsedEnvironment() throws -> [String: String] {
        var variables = StepEnvironment.standard(path: Installation.pathInside(toolchain: []))
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

    private func parsedLimits() throws -> Limits {
        var limits = Limits()
        for entry in limit {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
                String.init
            )
            let name = parts[0]
            guard let (key, apply) = Self.settings.first(where: { $0.0 == name }) else {
                let nearest = Spelling.nearest(name, in: Self.settings.map(\.0))
                throw CommandProblem(
                    .usage,
                    "--limit \(entry)",
                    why: "there is no limit of that name",
                    remedy: nearest.map { "did you mean \($0)?" }
                        ?? Self.settings.map(\.0).joined(separator: ", ")
                )
            }
            guard parts.count == 2, apply(&limits, parts[1]) else {
                throw CommandProblem(
                    .usage,
                    "--limit \(entry)",
                    why: "the value is not one that \(key) takes"
                )
            }
        }
        return limits
    }

    /// The limits by name; each takes a text and says whether it was one of its values.
    private static let settings: [(String, @Sendable (inout Limits, String) -> Bool)] = [
        ("memory", { $0.set(\.memory, ByteCount(text: $1)) }),
        ("processes", { $0.set(\.processes, Int($1).flatMap { $0 > 0 ? $0 : nil }) }),
        ("files", { $0.set(\.openFiles, Int($1).flatMap { $0 > 0 ? $0 : nil }) }),
        ("file-size", { $0.set(\.fileSize, ByteCount(text: $1)) }),
        ("disk", { $0.set(\.disk, ByteCount(text: $1)) }),
        ("cpus", { $0.set(\.cpus, Double($1).flatMap { $0 > 0 && $0.isFinite ? .some($0) : nil }) }),
        ("total", { $0.set(\.total, Duration(setting: $1)) }),
    ]
}

extension Limits {
    fileprivate mutating func set<Value>(_ limit: WritableKeyPath<Limits, Value>, _ value: Value?) -> Bool {
        guard let value else { return false }
        self[keyPath: limit] = value
        return true
    }
}

extension SandboxProfile: ExpressibleByArgument {}

extension String {
    /// This path, seen from `/`.
    var absolutePath: String {
        hasPrefix("/") ? self : FileManager.default.currentDirectoryPath + "/" + self
    }
}
