// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockArchive

/// `drydock fetch`: what a worker runs inside a sandbox for every git source.
struct FetchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fetch",
        abstract: "Fetches a git revision into the working directory; prints one line of JSON.",
        shouldDisplay: false
    )

    @Argument(help: "Entries, bytes, bytes of one file, seconds, scratch directory, URL, revision.")
    var arguments: [String] = []

    func run() throws {
        let status = GitFetchCommand.run(arguments: arguments)
        if status != 0 { throw ExitCode(status) }
    }
}
