// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockArchive
internal import DrydockModel
internal import DrydockOS
internal import DrydockStore
internal import DrydockWorker
internal import FoundationEssentials
internal import Glibc
internal import SystemPackage

/// The command `drydock build`.
struct BuildCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build",
        abstract: "Builds a directory, in this process, with its progress in the terminal.",
        discussion: """
            The exit status tells how it ended: 0 succeeded, 1 failed (the project), 2 errored (a plugin or Drydock),
            3 cancelled or out of time, 69 no sandbox.

            EXAMPLES
              drydock build .
              drydock build --out dist examples/c-hello
              drydock build --output json . | jq -c 'select(.kind == "diag")'
            """
    )

    @OptionGroup var place: PlaceOptions
    @OptionGroup var plugins: PluginOptions

    @Option(help: "tty, plain, or json: the journal's records, one a line. Default: what suits the output.")
    var output: OutputForm?

    @Option(help: ArgumentHelp("Copies the artifacts there; made if missing.", valueName: "dir"))
    var out: String?

    @Option(help: ArgumentHelp("A host that steps may reach; not possible yet.", valueName: "host"))
    var network: [String] = []

    @Argument(help: "The project's directory.")
    var directory: String

    func run() async throws {
        guard network.isEmpty else {
            throw CommandProblem(
                .unavailable,
                "--network \(network[0])",
                why: "builds have no network yet",
                remedy: "put what the build needs into the source"
            )
        }
        let path = try ProjectDirectory.resolve(directory, for: "build")
        let store = try place.openStore()
        let shop = try await place.workshop(store: store, plugins: plugins)
        let request = BuildRequest(
            session: SessionID(rawValue: "cli"),
            project: ProjectName(rawValue: path),
            source: .path(path),
            trigger: .cli,
            title: FilePath(path).lastComponent?.string ?? path
        )
        let worker = WorkerID.make("cli")
        let registration = try await store.register(worker)
        defer { registration.end() }
        let lease = try await store.enqueueLeased(request, to: worker)
        let build = LeasedBuild(lease: lease, shop: shop)
        let outcome = try await follow(build, lease, store)
        if outcome.failure == nil, let out { try await copyArtifacts(of: lease.build.id, store, to: out) }
        let status = ExitStatus(outcome)
        if status != .succeeded { throw status.code }
    }

    /// Runs the build and shows it; Ctrl-C cancels it.
    private func follow(_ build: LeasedBuild, _ lease: Lease, _ store: any Store) async throws -> Outcome {
        let follower = BuildFollower(store: store, build: lease.build.id, attempt: lease.attempt)
        let form = output ?? .suitable
        async let shown = follower.follow(form.followed)
        let outcome = await Interruption.cancelling {
            build.cancel(by: "you", reason: "interrupted")
        } during: {
            await build.run()
        }
        guard let outcome else {
            throw CommandProblem(.errored, "build \(directory)", why: "its end could not be recorded")
        }
        _ = try await shown
        return outcome
    }

    private func copyArtifacts(of build: BuildID, _ store: any Store, to out: String) async throws {
        let artifacts = try await store.artifacts(build)
        do {
            for artifact in artifacts { try copy(artifact, store, to: out) }
        } catch let problem as CommandProblem {
            throw problem
        } catch {
            throw CommandProblem(.errored, "--out \(out)", why: "\(error)")
        }
    }

    private func copy(_ artifact: Artifact, _ store: any Store, to out: String) throws {
        guard let blob = try store.blobPath(artifact.digest) else {
            throw CommandProblem(.errored, artifact.path, why: "its content is no longer in the store")
        }
        let target = FilePath(out).appending(artifact.path)
        let files = FileManager.default
        try files.createDirectory(
            atPath: target.removingLastComponent().string,
            withIntermediateDirectories: true
        )
        // Never a tree: the names are the project's choice, and what stands there may be the user's.
        guard unlink(target.string) == 0 || errno == ENOENT else {
            throw CommandProblem(
                .errored,
                "--out \(out)",
                why: "\(target) is in the way of an artifact",
                remedy: "choose an empty directory"
            )
        }
        try files.copyItem(atPath: blob.string, toPath: target.string)
        try files.setAttributes(
            [.posixPermissions: artifact.executable ? 0o755 : 0o644],
            ofItemAtPath: target.string
        )
    }
}
