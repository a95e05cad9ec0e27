// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
internal import DrydockOS

/// A generation that is whole and not yet anybody's: either `keep` or `discard` is called, once.
///
/// Meanwhile nobody else keeps one of its project.
package struct NewCache: Sendable {
    /// What it holds.
    package let files: Int
    package let size: ByteCount
    let place: CachePlace
    let parent: DirectoryHandle
    let lock: OwnedLock

    /// Makes it the newest of its project.
    ///
    /// One call on one directory: what came before it goes later (`ProjectCaches.tidy`). After an error nothing of it is left.
    package func keep() throws {
        defer { lock.release() }
        do {
            let number = try (place.numbers().last ?? 0) + 1
            try parent.move(Array(CachePlace.new.utf8)[...], to: parent, as: Array("\(number)".utf8)[...])
        } catch {
            try? TreeRemover.remove(CachePlace.new, in: parent)  // the first error is the one to tell
            throw error
        }
    }

    /// Leaves everything as it was.
    package func discard() throws {
        defer { lock.release() }
        try TreeRemover.remove(CachePlace.new, in: parent)
    }
}
