// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockOS
internal import Glibc
internal import SystemPackage

/// A project's cache as one build left it: to be read, and there as long as somebody holds this.
package final class CacheGeneration: Sendable {
    package let directory: DirectoryHandle

    /// Nil where it is gone, or just goes.
    init?(_ number: Int, in path: FilePath) throws(Errno) {
        let path = path.appending("\(number)")
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
        guard isHeld else { return nil }
    }
}
