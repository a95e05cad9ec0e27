// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
package import DrydockOS
internal import Glibc
package import SystemPackage

/// An imported root file system: to be used, and there as long as somebody holds this.
package final class HeldRoot: Sendable {
    package let digest: Digest
    /// What is to be `/`.
    package let path: FilePath
    /// What its image sets for every process, `PATH` among it.
    package let environment: [String: String]
    private let holder: DirectoryHandle

    /// What root.json holds.
    struct About: Codable {
        var environment: [String: String]
    }

    /// Nil where it is gone, or just goes.
    init?(_ digest: Digest, in place: RootPlace) throws {
        let own = place.tree(digest)
        guard let directory = try Self.hold(own) else { return nil }
        holder = directory
        path = own.appending("tree")
        environment = try RootPlace.read(About.self, own.appending("root.json")).environment
        self.digest = digest
    }

    private static func hold(_ path: FilePath) throws(Errno) -> DirectoryHandle? {
        let directory: DirectoryHandle
        do throws(Errno) {
            directory = try DirectoryHandle(path: path)
        } catch .noSuchFileOrDirectory {
            return nil
        }
        let isHeld = try directory.withDescriptor { file throws(Errno) in
            // Whoever removes it has it alone, and gives it another name first.
            guard try file.tryLock(shared: true) else { return false }
            return try file.isNamed(path)
        }
        return isHeld ? directory : nil
    }

    /// Its tree, opened.
    package func open() throws(Errno) -> DirectoryHandle { try DirectoryHandle(path: path) }
}
