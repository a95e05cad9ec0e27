// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
package import DrydockOS
package import SystemPackage

/// What builds of one project leave to its next ones: `$DRYDOCK_CACHE`, as the last build that succeeded left it.
///
/// ```
/// <folder>/<digest of the project's name, and of its root file system>/
///   about.json   the project's name and the size; last written when a build last used it
///   lock         held while a build's cache becomes the newest, or all of it is removed
///   7/           a generation, never changed again; locked (shared) by each build that reads it
///   new/         one in the making
/// ```
/// A project reads its own alone. Files that a build did not change are hard links to those of the generation before.
package struct ProjectCaches: Sendable {
    /// What one project has.
    package struct Entry: Hashable, Sendable {
        package var project: ProjectName
        package var size: ByteCount
        /// When a build last began with it, or left it.
        package var used: Timestamp
        let key: String
    }

    package let limits: ProjectCacheLimits
    private let folder: FilePath

    /// Keeps them in `folder`, which is made where it is missing (0700).
    package init(in folder: FilePath, limits: ProjectCacheLimits) throws(Errno) {
        self.folder = folder
        self.limits = limits
        try Self.make(folder)
    }

    /// What the last build of `project` in the root file system `root` that succeeded left; nil where there is nothing.
    ///
    /// It stays as it is as long as somebody holds it. Blocks.
    package func newest(of project: ProjectName, in root: Digest? = nil) throws(Errno) -> CacheGeneration? {
        let place = place(of: project, in: root)
        // Again only when the newest one was replaced in this moment.
        for _ in 0..<8 {
            guard let number = try place.numbers().last else { return nil }
            guard let generation = try CacheGeneration(number, in: place.path) else { continue }
            place.touch()
            return generation
        }
        return nil
    }

    /// What `fill` puts into an empty directory, to become the project's newest generation; nil while another build of the
    /// project keeps one.
    ///
    /// `fill` returns how many files it put there, and what they take; what it throws leaves everything as it was. Blocks.
    package func prepare(
        _ project: ProjectName,
        in root: Digest? = nil,
        _ fill: (DirectoryHandle) throws -> (files: Int, size: ByteCount)
    ) throws -> NewCache? {
        let place = place(of: project, in: root)
        try Self.make(place.path)
        guard let lock = try place.lock() else { return nil }
        do {
            let parent = try DirectoryHandle(path: place.path)
            // What a process left that was killed here.
            try TreeRemover.remove(CachePlace.new, in: parent)
            do {
                let new = try parent.makeDirectory(Array(CachePlace.new.utf8)[...], permissions: 0o755)
                let filled = try fill(new)
                try place.describe(project, filled.size)
                // Without this the name could outlast a power cut, and the contents not.
                try new.withDescriptor { try FileContents.syncFileSystem(of: $0) }
                return NewCache(
                    files: filled.files,
                    size: filled.size,
                    place: place,
                    parent: parent,
                    lock: lock
                )
            } catch {
                try? TreeRemover.remove(CachePlace.new, in: parent)  // the first error is the one to tell
                throw error
            }
        } catch {
            lock.release()
            throw error
        }
    }

    /// All that is kept, what was used last first.
    ///
    /// Blocks.
    package func entries() throws(Errno) -> [Entry] {
        try DirectoryHandle(path: folder).sortedNames()
            .compactMap { place($0).entry }
            .sorted { $0.used > $1.used }
    }

    /// Removes what newer generations stand for and what killed processes left, and those projects' that were used longest ago
    /// until all take no more than `limits.total`; returns what went of these.
    ///
    /// One that a build reads stays for now. Takes as long as there is to remove: nobody's build waits for it. Blocks.
    @discardableResult
    package func tidy() throws -> [Entry] {
        let removed = try surplus(of: entries()).filter { try self.place($0.key).removeAll() }
        for key in try DirectoryHandle(path: folder).sortedNames() { try place(key).tidy() }
        return removed
    }

    /// Which of `entries`, all there are and the last used first, are beyond what is kept, those first that go first.
    package func surplus(of entries: [Entry]) -> [Entry] {
        var total = entries.reduce(0) { $0 + $1.size.bytes }
        return entries.reversed().filter { entry in
            guard total > limits.total.bytes else { return false }
            total -= entry.size.bytes
            return true
        }
    }

    /// Removes what is kept of `project`, in whatever root file system; false where a build reads any of it at this moment.
    ///
    /// Blocks.
    package func forget(_ project: ProjectName) throws -> Bool {
        let places = try entries().filter { $0.project == project }.map { place($0.key) }
        var isGone = true
        for place in places where try !place.removeAll() { isGone = false }
        return isGone
    }

    /// What was made in one root file system is of no use in another one, and may be harm: it is kept apart.
    private func place(of project: ProjectName, in root: Digest?) -> CachePlace {
        // Its name may hold what no name of a directory does.
        var name = Array(project.rawValue.utf8)
        if let root {
            name.append(0)
            name.append(contentsOf: root.rawValue.utf8)
        }
        return place(String(SHA256Hasher.digest(of: name).hex.prefix(32)))
    }

    private func place(_ key: String) -> CachePlace { CachePlace(path: folder.appending(key), key: key) }

    private static func make(_ path: FilePath) throws(Errno) {
        try makeDirectories(path, permissions: 0o700)
    }
}
