// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockModel

/// The command `drydock artifacts`.
struct ArtifactsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "artifacts",
        abstract: "Lists what a build made, with the file that holds each one's content; or copies it.",
        discussion: """
            EXAMPLES
              drydock artifacts b_01hq3v8f2x4mzk7e
              drydock artifacts --out dist b_01hq3v8f2x4mzk7e
            """
    )

    /// What `--json` prints of each.
    private struct Listed: Encodable {
        let path: String
        let size: ByteCount
        let digest: Digest
        let content: String
    }

    @OptionGroup var place: PlaceOptions
    @Option(help: ArgumentHelp("Copies them there; made if missing.", valueName: "dir")) var out: String?
    @Flag(help: "One JSON array instead of a table.") var json = false
    @Argument(help: "The build's id.") var build: String

    func run() async throws {
        let store = try await place.requiredStore()
        let found = try await store.require(build)
        let files = try await ArtifactFiles(of: found.id, in: store)
        if let out { try files.copy(to: out) }
        if json { return try Console.json(files.artifacts.map { try listed($0, files) }) }
        if out != nil {
            for line in files.summary(out: out, data: place.data) { Console.wrapped(line, indent: 4) }
            return
        }
        for artifact in files.artifacts {
            let name = TerminalText.plain(artifact.path).padded(to: 32)
            let size = "\(artifact.size)".padded(to: 10)
            Console.wrapped("\(name)  \(size)  \(try files.content(artifact))", indent: 4)
        }
        if files.artifacts.isEmpty { Console.out("\(found.id) made nothing") }
    }

    private func listed(_ artifact: Artifact, _ files: ArtifactFiles) throws -> Listed {
        Listed(
            path: artifact.path,
            size: artifact.size,
            digest: artifact.digest,
            content: try files.content(artifact).string
        )
    }
}
