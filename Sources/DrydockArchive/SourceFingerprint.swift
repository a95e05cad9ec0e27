// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockOS

/// What tells the files of two sources apart, so that people can be told what changed.
///
/// Of a file its size, its mode and its content, of which no more than the first MiB is read.
package enum SourceFingerprint {
    private static let mostRead = 1 << 20
    private static let mostFiles = 5_000
    private static let patience = Duration.seconds(3)

    /// Each file and link with its fingerprint, by its path for people; nil for a source that is too large to compare.
    ///
    /// Blocks.
    package static func files(of root: DirectoryHandle) -> [String: String]? {
        var files: [String: String] = [:]
        do {
            var walker = try TreeWalker(root: root, limits: WalkLimits(entries: mostFiles, time: patience))
            while let entry = try walker.next() {
                switch entry.kind {
                case .file: files[name(entry.path)] = try fingerprint(of: entry, walker)
                case .symlink(let target, _): files[name(entry.path)] = "l" + digest(target)
                case .directory, .directoryEnd, .special: break
                }
            }
        } catch {
            return nil
        }
        return files
    }

    /// The path for people; where that is not all of it, with what tells it from others.
    private static func name(_ path: TreePath) -> String {
        let shown = path.description
        return shown.utf8.elementsEqual(path.bytes) ? shown : "\(shown) (\(digest(path.bytes).prefix(8)))"
    }

    private static func fingerprint(of entry: TreeEntry, _ walker: TreeWalker) throws -> String {
        let file = try walker.open(entry)
        let content = try file.withDescriptor { try FileContents.beginning(of: $0, atMost: mostRead) }
        let size = entry.status.size > Int64(mostRead) ? "\(entry.status.size)-" : ""
        return (entry.status.isExecutable ? "x" : "f") + size + digest(content)
    }

    /// Sixteen characters: nobody gains by two files that share them.
    private static func digest(_ bytes: [UInt8]) -> String {
        String(SHA256Hasher.digest(of: bytes).hex.prefix(16))
    }
}
