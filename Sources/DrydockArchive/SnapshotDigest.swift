// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
package import DrydockOS
import SystemPackage

/// The content digest of a tree: the same for the same content, on every machine and whenever it was made.
///
/// SHA-256 over `drydock-tree 1\n` and a record for every entry below the root, depth first, the names of a directory in
/// the order of their bytes, `LENGTH:BYTES` being a decimal number of bytes, a colon and these bytes:
///
/// ```
/// d LENGTH:PATH\n                        a directory, before what is in it
/// f LENGTH:PATH SIZE sha256:HEX\n        a file and its content; `x` instead of `f` where its owner may execute it
/// l LENGTH:PATH LENGTH:TARGET\n          a symbolic link and its text
/// ```
///
/// Times, owners and the other permission bits do not count. A tree with anything else in it has no digest.
package enum SnapshotDigest {
    /// Reads the whole tree.
    ///
    /// Throws `sourceInvalid` for devices and the like, `sourceTooLarge` beyond the limits.
    package static func digest(
        of root: DirectoryHandle,
        limits: WalkLimits = WalkLimits()
    ) throws(Failure) -> Digest {
        var hasher = SHA256Hasher()
        var refused: CopyError?
        do throws(WalkError) {
            hasher.update("drydock-tree 1\n".utf8)
            var walker = try TreeWalker(root: root, limits: limits)
            while let entry = try walker.next() {
                if case .special(let kind) = entry.kind {
                    refused = .special(entry.path, kind)
                    break
                }
                hasher.update(try record(of: entry, walker))
            }
        } catch {
            throw error.sourceFailure
        }
        if let refused { throw refused.sourceFailure }
        return hasher.finish()
    }

    private static func record(of entry: TreeEntry, _ walker: TreeWalker) throws(WalkError) -> [UInt8] {
        let path = counted(entry.path.bytes)
        switch entry.kind {
        case .directory: return Array("d ".utf8) + path + "\n".utf8
        case .directoryEnd, .special: return []
        case .symlink(let target, _): return Array("l ".utf8) + path + " ".utf8 + counted(target) + "\n".utf8
        case .file:
            let file = try walker.open(entry)
            let (size, digest) = try contentDigest(of: file, entry)
            let head = entry.status.isExecutable ? "x " : "f "
            return Array(head.utf8) + path + " \(size) \(digest)\n".utf8
        }
    }

    private static func counted(_ bytes: [UInt8]) -> [UInt8] { Array("\(bytes.count):".utf8) + bytes }

    private static func contentDigest(
        of file: borrowing OwnedDescriptor,
        _ entry: TreeEntry
    ) throws(WalkError) -> (size: Int64, Digest) {
        var hasher = SHA256Hasher()
        var buffer = [UInt8](repeating: 0, count: 256 * 1_024)
        var size: Int64 = 0
        while true {
            let count: Int
            do throws(Errno) {
                count = try file.withDescriptor { descriptor throws(Errno) in
                    try FileContents.read(descriptor, into: &buffer)
                }
            } catch {
                throw .failed(entry.path, error)
            }
            if count == 0 { return (size, hasher.finish()) }
            hasher.update(buffer[..<count])
            size += Int64(count)
        }
    }
}
