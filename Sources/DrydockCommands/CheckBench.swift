// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockConfig
internal import DrydockModel
internal import DrydockOS
internal import DrydockStore
internal import DrydockWorker
internal import FoundationEssentials
internal import SystemPackage

/// A data directory that lasts as long as a check of a plugin: what is tried leaves nothing among the user's builds.
struct CheckBench {
    let shop: Workshop
    private let folder: RunFolder
    private let store: EmbeddedStore

    init(_ configuration: ServerConfiguration, plugins: [String]) async throws {
        folder = try RunFolder.made(.process, for: "plugin check", orExit: .unavailable)
        do {
            store = try EmbeddedStore(opening: folder.path.appending("data"))
            shop = try await .make(configuration, plugins: plugins, store: store, label: "drydock.check")
        } catch {
            try? folder.remove()  // the first error is the one to tell
            throw error
        }
    }

    /// A new, empty directory.
    func folder(_ name: String) throws -> FilePath {
        let path = folder.path.appending(name)
        try makeDirectories(path, permissions: 0o755)
        return path
    }

    /// Removes all of it.
    func discard() {
        do {
            try store.close()
            try folder.remove()
        } catch {
            Console.error("drydock: \(folder.path): could not be removed: \(error)")
        }
    }
}
