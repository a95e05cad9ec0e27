// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockArchive
internal import DrydockModel
internal import DrydockOS
internal import DrydockStore
internal import DrydockWorker
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
              drydock build --network pypi.org --network files.pythonhosted.org .
              drydock build --directory services/api --param target=release .
              drydock build --output json . | jq -c 'select(.kind == "diag")'
            """
    )

    @OptionGroup var place: PlaceOptions
    @OptionGroup var plugins: PluginOptions
    @OptionGroup var project: ProjectOptions

    @Option(help: "tty, plain, or json: the journal's records, one a line. Default: what suits the output.")
    var output: OutputForm?

    @Option(help: ArgumentHelp("Copies the artifacts there; made if missing.", valueName: "dir"))
    var out: String?

    @Option(
        help: ArgumentHelp(
            "A host that every step may reach, \(NetworkOption.example) (repeatable).",
            valueName: "host"
        )
    )
    var network: [String] = []

    @Argument(help: "The project's directory.")
    var directory: String

    func run() async throws {
        let network = try NetworkOption(network)
        let parameters = try project.parameters()
        let path = try ProjectDirectory.resolve(directory, for: "build")
        let part = try project.part()
        let own = part == .top ? path : "\(path)/\(part)"
        let store = try place.openStore()
        if form != .json { PlaceOptions.announce(store) }
        var shop = try await place.workshop(store: store, plugins: plugins, presets: network.presets)
        shop.options.policy.network.add(network.rules)
        shop.options.network = network.rules
        try await shop.settle()
        let request = BuildRequest(
            session: SessionID(rawValue: "cli"),
            project: ProjectName(rawValue: own),
            source: .path(path),
            directory: part,
            parameters: parameters,
            trigger: .cli,
            title: FilePath(own).lastComponent?.string ?? own
        )
        let worker = WorkerID.make("cli")
        let registration = try await store.register(worker)
        defer { registration.end() }
        let lease = try await store.enqueueLeased(request, to: worker)
        let build = LeasedBuild(lease: lease, shop: shop)
        let outcome = try await follow(build, lease, store)
        if outcome.failure == nil { try await give(lease.build.id, store) }
        // No server beside it may do so; what goes wrong is gone over again by the next one.
        let caches = shop.options.caches
        _ = try? await Blocking.run { try caches?.tidy() }
        let status = ExitStatus(outcome)
        if status != .succeeded { throw status.code }
    }

    private var form: OutputForm { output ?? .suitable }

    /// Copies what was made to `--out`, and says where it is now.
    private func give(_ build: BuildID, _ store: any Store) async throws {
        let files = try await ArtifactFiles(of: build, in: store)
        if let out { try await files.copy(to: out) }
        guard form != .json else { return }
        for line in files.summary(out: out, data: place.data) { Console.wrapped(line, indent: 4) }
    }

    /// Runs the build and shows it; Ctrl-C cancels it.
    private func follow(_ build: LeasedBuild, _ lease: Lease, _ store: any Store) async throws -> Outcome {
        let follower = BuildFollower(store: store, build: lease.build.id, attempt: lease.attempt)
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
}
