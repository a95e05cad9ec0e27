// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
package import DrydockOS
package import SystemPackage

/// A root file system in the making: kept under a name, or discarded.
package final class NewRoot: Sendable {
    /// Empty, to be filled.
    package let path: FilePath
    package let directory: DirectoryHandle
    private let place: RootPlace
    private let parent: DirectoryHandle
    private let own: DirectoryHandle
    private let lock: OwnedLock

    init(in place: RootPlace, _ lock: OwnedLock) throws {
        self.place = place
        self.lock = lock
        parent = try DirectoryHandle(path: place.path)
        try place.clear(parent)
        own = try parent.makeDirectory(Array(RootPlace.new.utf8)[...], permissions: 0o755)
        directory = try own.makeDirectory(Array("tree".utf8)[...], permissions: 0o755)
        path = place.path.appending(RootPlace.new).appending("tree")
    }

    /// Makes it what `entry.name` stands for from now on; builds that run keep what they have.
    ///
    /// Blocks. Not to be used any more then.
    package func keep(_ entry: RootFileSystems.Entry, environment: [String: String]) throws {
        defer { lock.release() }
        do {
            let about = place.path.appending(RootPlace.new).appending("root.json")
            try RootPlace.write(HeldRoot.About(environment: environment), to: about)
            // Without this the name could outlast a power cut, and the contents not.
            try directory.withDescriptor { try FileContents.syncFileSystem(of: $0) }
            try moveIn(entry.digest)
            try place.write(entry)
        } catch {
            try? TreeRemover.remove(RootPlace.new, in: parent)  // the first error is the one to tell
            throw error
        }
        try place.collect()
    }

    /// Removes what there is of it.
    ///
    /// Blocks. Not to be used any more then.
    package func discard() throws {
        defer { lock.release() }
        try TreeRemover.remove(RootPlace.new, in: parent)
    }

    /// Gives the tree its place, unless the same is there: by another name, or once more.
    ///
    /// `collect` removes this copy then.
    private func moveIn(_ digest: Digest) throws(Errno) {
        let trees = try DirectoryHandle(path: place.path.appending("trees"))
        let (old, new) = (Array(RootPlace.new.utf8), Array(String(digest.hex).utf8))
        do throws(Errno) {
            try parent.move(old[...], to: trees, as: new[...])
        } catch .fileExists {
            return
        }
    }
}
