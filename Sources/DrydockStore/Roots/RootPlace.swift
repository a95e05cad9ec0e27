// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockOS
internal import FoundationEssentials
internal import Glibc
internal import SystemPackage

/// The directory of all root file systems.
struct RootPlace {
    static let new = "new"
    private static let gone = "gone-"
    private static let longestRecord = 1 << 20

    let path: FilePath

    private var trees: FilePath { path.appending("trees") }
    private var nameFolder: FilePath { path.appending("names") }

    /// Where a tree and what is known of it are.
    func tree(_ digest: Digest) -> FilePath { trees.appending(String(digest.hex)) }

    /// What says which tree `name` is.
    func file(_ name: RootName) -> FilePath { nameFolder.appending(name.rawValue) }

    var isThere: Bool { access(nameFolder.string, F_OK) == 0 }

    func make() throws(Errno) {
        for directory in [path, trees, nameFolder] { try makeDirectories(directory, permissions: 0o700) }
    }

    /// Nil where another process has it.
    func lock() throws(Errno) -> OwnedLock? {
        let file = try OwnedDescriptor(opening: path.appending("lock"), O_RDWR | O_CREAT | O_NOFOLLOW)
            .release()
        do throws(Errno) {
            if try file.tryLock() { return OwnedLock(file) }
        } catch {
            try? file.close()  // the first error is the one to tell
            throw error
        }
        try? file.close()  // nothing was written
        return nil
    }

    // MARK: Names

    /// All names, sorted.
    func names() throws(Errno) -> [RootName] {
        guard isThere else { return [] }
        return try DirectoryHandle(path: nameFolder).sortedNames().compactMap { RootName(rawValue: $0) }
    }

    func entry(_ name: RootName) throws -> RootFileSystems.Entry {
        try Self.read(RootFileSystems.Entry.self, file(name))
    }

    func write(_ entry: RootFileSystems.Entry) throws {
        // No name has a dot.
        let new = nameFolder.appending(".new")
        try Self.write(entry, to: new)
        guard rename(new.string, file(entry.name).string) == 0 else { throw Errno.current }
    }

    static func read<Value: Decodable>(_ type: Value.Type, _ path: FilePath) throws -> Value {
        let file = try OwnedDescriptor(opening: path, O_RDONLY | O_NOFOLLOW)
        let bytes = try file.withDescriptor { try FileContents.all(of: $0, atMost: longestRecord) }
        return try JSONDecoder().decode(type, from: Data(bytes))
    }

    static func write(_ value: some Encodable, to path: FilePath) throws {
        let text = [UInt8](try JSONEncoder().encode(value))
        let file = try OwnedDescriptor(opening: path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW)
        try file.withDescriptor { file in
            try FileContents.write(text[...], to: file)
            try FileContents.sync(file)
        }
    }

    // MARK: Trees

    /// Removes what killed processes left, and trees that nobody needs; with the lock.
    @discardableResult
    func collect() throws -> Int {
        let parent = try DirectoryHandle(path: path)
        try clear(parent)
        // One name that can not be read might need any of them: it throws, and all stay.
        var needed: Set<String> = []
        for name in try names() {
            let entry = try entry(name)
            needed.insert(String(entry.digest.hex))
        }
        var removed = 0
        let all = try DirectoryHandle(path: trees)
        for name in try all.sortedNames() where !needed.contains(name) {
            if try remove(name, of: all, by: parent) { removed += 1 }
        }
        return removed
    }

    /// False where a build uses it.
    private func remove(_ name: String, of all: DirectoryHandle, by parent: DirectoryHandle) throws -> Bool {
        let tree = try DirectoryHandle(path: trees.appending(name))
        let isFree = try tree.withDescriptor { file throws(Errno) in try file.tryLock() }
        if !isFree { return false }
        // Renamed first: what is half removed must not be found.
        let gone = Self.gone + name
        try all.move(Array(name.utf8)[...], to: parent, as: Array(gone.utf8)[...])
        try TreeRemover.remove(gone, in: parent)
        return true
    }

    /// Removes what processes left that were killed; with the lock.
    func clear(_ parent: DirectoryHandle) throws {
        for name in try parent.sortedNames() where name == Self.new || name.hasPrefix(Self.gone) {
            try TreeRemover.remove(name, in: parent)
        }
    }
}
