// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockModel
internal import DrydockStore
internal import SystemPackage

/// The command `drydock backup`.
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copies the data directory, while server and worker go on, to one that can be served.",
        discussion: """
            What was made is a data directory: `drydock serve --data DIR` opens it. Builds that run meanwhile start again there.

            EXAMPLES
              drydock backup --to /backup/drydock-monday
            """
    )

    @OptionGroup var place: PlaceOptions
    @Option(help: ArgumentHelp("A directory that is new or empty.", valueName: "dir")) var to: String

    func run() async throws {
        let store = try await place.requiredStore()
        let target = FilePath(to.absolutePath)
        let report: BackupReport?
        do {
            report = try await store.backUp(to: target)
        } catch let error as StoreError {
            throw CommandProblem(
                error.isWrongTarget ? .usage : .errored,
                "backup",
                why: error.message,
                remedy: error.hint
            )
        }
        guard let report else {
            throw CommandProblem(
                .unavailable,
                "backup",
                why: "what is no longer needed is being removed, or another backup is made",
                remedy: "wait until that has ended"
            )
        }
        Console.out(
            "copied the database, \(report.journals) journals and \(report.blobs) blobs (\(report.size)) to \(target)"
        )
    }
}

extension StoreError {
    fileprivate var isWrongTarget: Bool {
        switch self {
        case .notEmpty, .insideItself, .notADirectory: true
        default: false
        }
    }
}
