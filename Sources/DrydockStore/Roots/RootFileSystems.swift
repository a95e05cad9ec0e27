// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
internal import DrydockOS
internal import FoundationEssentials
internal import Glibc
package import SystemPackage

/// The root file systems that the operator imported.
///
/// ```
/// <folder>/
///   lock              held by who imports, removes or tidies
///   names/<name>      which tree that is, and where it came from; replaced as a whole
///   trees/<digest>/   locked (shared) by each build that uses it
///     root.json       its variables
///     tree/           never changed again
///   new/              one in the making
/// ```
package struct RootFileSystems: Sendable {
    /// One that was imported.
    package struct Entry: Codable, Hashable, Sendable {
        package var name: RootName
        package var digest: Digest
        /// What it was made of, as the operator named it.
        package var source: String
        package var imported: Timestamp
        /// Regular files, and their sizes' sum.
        package var files: Int
        package var size: ByteCount

        package init(
            name: RootName,
            digest: Digest,
            source: String,
            imported: Timestamp,
            files: Int,
            size: ByteCount
        ) {
            self.name = name
            self.digest = digest
            self.source = source
            self.imported = imported
            self.files = files
            self.size = size
        }
    }

    /// Somebody else is importing, removing or tidying.
    package struct Busy: Error {}

    private let place: RootPlace

    /// Keeps them in `folder`, which is made with the first one.
    package init(in folder: FilePath) { place = RootPlace(path: folder) }

    /// All there are, by name; one that can not be read throws.
    package func entries() throws -> [Entry] { try place.names().map(place.entry) }

    /// The one called `name`; nil where none is.
    package func find(_ name: RootName) throws -> Entry? {
        try place.names().contains(name) ? try place.entry(name) : nil
    }

    /// The one of this digest, which stays as it is as long as somebody holds it; nil where it is gone.
    package func hold(_ digest: Digest) throws -> HeldRoot? { try HeldRoot(digest, in: place) }

    /// An empty directory for one that is imported.
    ///
    /// Throws `Busy`. Blocks.
    package func begin() throws -> NewRoot {
        try place.make()
        guard let lock = try place.lock() else { throw Busy() }
        do {
            return try NewRoot(in: place, lock)
        } catch {
            lock.release()
            throw error
        }
    }

    /// Removes the name, and the tree where no other name and no build needs it; false where there is no such name.
    ///
    /// Throws `Busy`. Blocks.
    package func remove(_ name: RootName) throws -> Bool {
        guard try place.names().contains(name) else { return false }
        guard let lock = try place.lock() else { throw Busy() }
        defer { lock.release() }
        if unlink(place.file(name).string) != 0, Errno.current != .noSuchFileOrDirectory {
            throw Errno.current
        }
        try place.collect()
        return true
    }

    /// Removes trees that no name and no build needs any more, unless somebody is importing; returns how many.
    ///
    /// Blocks.
    @discardableResult
    package func tidy() throws -> Int {
        guard place.isThere, let lock = try place.lock() else { return 0 }
        defer { lock.release() }
        return try place.collect()
    }
}
