// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockArchive

/// `drydock unpack`: what a worker runs inside a sandbox for every uploaded archive.
struct UnpackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unpack",
        abstract: "Unpacks the archive on stdin into the working directory; prints one line of JSON.",
        shouldDisplay: false
    )

    @Argument(help: "The caps: entries, bytes, bytes of one file.") var caps: [String] = []

    func run() throws {
        let status = ArchiveUnpackCommand.run(arguments: caps)
        if status != 0 { throw ExitCode(status) }
    }
}
