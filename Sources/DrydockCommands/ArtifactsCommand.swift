// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockModel

/// The command `drydock artifacts`.
struct ArtifactsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "artifacts",
        abstract: "Lists what a build made; or copies it, or prints one file of it.",
        discussion: """
            EXAMPLES
              drydock artifacts b_01hq3v8f2x4mzk7e
              drydock artifacts --out dist b_01hq3v8f2x4mzk7e
              drydock artifacts b_01hq3v8f2x4mzk7e site/index.html
            """
    )

    /// What `--json` prints of each.
    private struct Listed: Encodable {
        let path: String
        let size: ByteCount
        let digest: Digest

        init(_ artifact: Artifact) {
            path = artifact.path
            size = artifact.size
            digest = artifact.digest
        }
    }

    @OptionGroup var place: PlaceOptions
    @Option(help: ArgumentHelp("Copies them there; made if missing.", valueName: "dir")) var out: String?
    @Flag(help: "One JSON array instead of a table.") var json = false
    @Argument(help: "The build's id.") var build: String
    @Argument(help: "Prints the content of this one.") var path: String?

    func run() async throws {
        let store = try await place.requiredStore()
        let found = try await store.require(build)
        let files = try await ArtifactFiles(of: found.id, in: store)
        if let path { return try await files.print(path) }
        if let out { try await files.copy(to: out) }
        if json { return try Console.json(files.artifacts.map(Listed.init)) }
        if out != nil {
            for line in files.summary(out: out, data: place.data) { Console.wrapped(line, indent: 4) }
            return
        }
        for artifact in files.artifacts {
            let name = TerminalText.plain(artifact.path).padded(to: 32)
            let size = "\(artifact.size)".padded(to: 10)
            Console.wrapped("\(name)  \(size)  \(artifact.digest)", indent: 4)
        }
        if files.artifacts.isEmpty { Console.out("\(found.id) made nothing") }
    }
}
