// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockModel
internal import DrydockProtocol
internal import DrydockStore

/// The command `drydock list`.
struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists builds, the newest first.",
        discussion: """
            EXAMPLES
              drydock list
              drydock list --session cli --limit 5
            """
    )

    @OptionGroup var place: PlaceOptions
    @Option(help: "Only builds of this session.") var session: String?
    @Option(help: "Only builds of this project.") var project: String?
    @Option(help: "At most so many (1 to 200).") var limit = 20
    @Flag(help: "One JSON array instead of a table.") var json = false

    func validate() throws {
        guard (1...200).contains(limit) else { throw ValidationError("--limit takes a number from 1 to 200") }
    }

    func run() async throws {
        let store = try await place.existingStore()
        let filter = BuildFilter(
            session: session.map(SessionID.init(rawValue:)),
            project: project.map(ProjectName.init(rawValue:)),
            limit: limit
        )
        let builds = try await store?.builds(filter) ?? []
        if json { return try Console.json(builds.map { BuildView($0, position: nil, preview: nil) }) }
        for build in builds { Console.wrapped(Self.row(build), indent: 4) }
        if builds.isEmpty { Console.out("no builds yet") }
    }

    private static func row(_ build: Build) -> String {
        let state = build.state.rawValue.padded(to: 10)
        let time = build.startedAt.flatMap { start in
            build.finishedAt.map { BuildWords.duration($0.since(start)) }
        }
        return "\(build.id)  \(state)  \((time ?? "").padded(to: 8))  "
            + TerminalText.plain(build.request.title)
    }
}

extension String {
    /// With spaces behind it, to `width` characters; longer text stays as it is.
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}

/// The command `drydock show`.
struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Shows one build as JSON: state, times, why it failed, artifacts.",
        discussion: """
            EXAMPLES
              drydock show b_01hq3v8f2x4mzk7e
              drydock show --for-agent b_01hq3v8f2x4mzk7e
            """
    )

    /// What is printed.
    private struct Shown: Encodable {
        let build: BuildView
        let attempts: [AttemptID]
        let artifacts: [Artifact]
    }

    @OptionGroup var place: PlaceOptions
    @Flag(
        help:
            "Instead: why it failed, as a text for a program that acts on what it reads; what others wrote is quoted."
    ) var forAgent = false
    @Argument(help: "The build's id.") var build: String

    func run() async throws {
        let store = try await place.requiredStore()
        let found = try await store.require(build)
        if forAgent {
            guard let failure = found.failure else {
                throw CommandProblem(
                    .errored,
                    "show \(build)",
                    why: "the build has not failed: it is \(found.state.rawValue)"
                )
            }
            return Console.raw(FailureBrief(of: found.id, found.state, failure).text)
        }
        try Console.json(
            Shown(
                build: BuildView(found, position: try await store.queuePosition(found.id), preview: nil),
                attempts: try await store.attempts(found.id),
                artifacts: try await store.artifacts(found.id)
            )
        )
    }
}

/// The command `drydock logs`.
struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Prints a build's log; follows it while the build runs.",
        discussion: """
            EXAMPLES
              drydock logs b_01hq3v8f2x4mzk7e
              drydock logs --output json b_01hq3v8f2x4mzk7e | jq -c 'select(.kind == "diag")'
            """
    )

    @OptionGroup var place: PlaceOptions
    @Option(help: "plain, or json: the journal's records, one a line.") var output: OutputForm = .plain
    @Argument(help: "The build's id.") var build: String

    func run() async throws {
        let store = try await place.requiredStore()
        let found = try await store.require(build)
        guard let attempt = found.attempt else {
            throw CommandProblem(.errored, "logs of \(build)", why: "the build has not started yet")
        }
        let follower = BuildFollower(store: store, build: found.id, attempt: attempt)
        _ = try await follower.follow(output.followed)
    }
}

/// The command `drydock cancel`.
struct CancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancels a build, whether it waits or runs.",
        discussion: """
            EXAMPLES
              drydock cancel b_01hq3v8f2x4mzk7e
            """
    )

    @OptionGroup var place: PlaceOptions
    @Argument(help: "The build's id.") var build: String

    func run() async throws {
        let store = try await place.requiredStore()
        let found = try await store.require(build)
        switch try await store.requestCancel(found.id, by: "cli", reason: "cancelled on the command line") {
        case .cancelled: Console.out("\(build) was waiting and is cancelled")
        case .requested: Console.out("\(build) is being cancelled")
        case .alreadyFinished: Console.out("\(build) had ended before")
        case .noSuchBuild: throw CommandProblem(.usage, build, why: "there is no such build")
        }
    }
}
