// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockModel
internal import DrydockSandbox

/// The command `drydock sandbox`.
struct SandboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox",
        abstract: "The sandbox itself: its policy in words, its spec as a file.",
        discussion: """
            EXAMPLES
              drydock sandbox explain
              drydock sandbox spec --output true.spec -- true
              drydock sandbox prove
            """,
        subcommands: [SandboxExplainCommand.self, SandboxSpecCommand.self, SandboxProveCommand.self]
    )
}

/// The command `drydock sandbox explain`.
struct SandboxExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Puts the policy into words.",
        discussion: """
            EXAMPLES
              drydock sandbox explain
            """
    )

    @OptionGroup var place: PlaceOptions

    func run() async throws {
        let (configuration, tools) = try await place.askedConfiguration()
        Console.out(PolicyExplanation.text(of: configuration.policy(tools)))
    }
}

/// The command `drydock sandbox spec`.
struct SandboxSpecCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spec",
        abstract: "Writes the spec that `run` would use, for `drydock-jail --spec FILE -- ARGV`.",
        discussion: """
            The workspace that it names stays: remove it when the spec is no longer used.

            EXAMPLES
              drydock sandbox spec --output true.spec -- true
              drydock-jail --spec true.spec -- true
            """
    )

    @OptionGroup var sandbox: SandboxOptions
    @Option(help: ArgumentHelp("Where to write it.", valueName: "file")) var output: String
    @Argument(parsing: .postTerminator, help: "The command and its arguments, after `--`.") var command:
        [String] = []

    func validate() throws {
        if command.isEmpty { throw ValidationError("there is no command: write it after `--`") }
    }

    func run() async throws {
        let prepared = try await sandbox.prepare(command, .kept)
        do {
            try NamedFile.write(try prepared.spec.encoded(), to: output)
        } catch {
            prepared.discard()
            if let error = error as? SandboxError { throw error.problem("sandbox spec", command: command[0]) }
            throw CommandProblem(
                .errored,
                "--output \(output)",
                why: "it can not be written: \(error)",
                remedy: "name a file in a directory that this user may write to"
            )
        }
    }
}
