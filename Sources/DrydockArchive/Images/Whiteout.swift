// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import SystemPackage

/// What an entry of a layer takes away of the layers below it.
///
/// Source: OCI image specification, layer.md, "Whiteouts".
enum Whiteout: Hashable {
    /// What is at this path.
    case removed(TreePath)
    /// Everything in this directory.
    case opaque(TreePath)
    /// Nothing: notes of a tool to itself.
    case note

    private static let prefix = Array(".wh.".utf8)
    private static let ownPrefix = Array(".wh..wh.".utf8)
    private static let opaqueName = Array(".wh..wh..opq".utf8)

    /// Nil for an entry that is none; `path` is the entry's.
    init?(_ path: TreePath, of entry: ArchiveEntry) throws(ArchiveProblem) {
        let name = Array(path.name)
        guard name.starts(with: Self.prefix) else { return nil }
        if name == Self.opaqueName {
            self = .opaque(path.parent)
        } else if name.starts(with: Self.ownPrefix) {
            self = .note
        } else {
            let hidden = Array(name.dropFirst(Self.prefix.count))
            // Joined to the directory these would be the directory itself, or the one above.
            if hidden.isEmpty || hidden == Array(".".utf8) || hidden == Array("..".utf8) {
                throw .unsafe(entry: entry.shownName, "is a whiteout of no name")
            }
            self = .removed(path.parent.appending(hidden))
        }
    }

    /// Takes it away below `root`; fine where it is not there.
    func apply(below root: DirectoryHandle, for entry: ArchiveEntry) throws(ArchiveProblem) {
        switch self {
        case .removed(let path):
            try Self.inDirectory(path.parent, below: root, for: entry) { parent throws(RemoveError) in
                try TreeRemover.remove(path.name, in: parent)
            }
        case .opaque(let path):
            try Self.inDirectory(path, below: root, for: entry, TreeRemover.removeContents)
        case .note: break
        }
    }

    /// Nothing where there is no such directory: a link on the way is not followed, and what it leads to lies at another path.
    private static func inDirectory(
        _ path: TreePath,
        below root: DirectoryHandle,
        for entry: ArchiveEntry,
        _ body: (DirectoryHandle) throws(RemoveError) -> Void
    ) throws(ArchiveProblem) {
        let directory: DirectoryHandle
        do throws(Errno) {
            directory = try root.openDirectory(path)
        } catch .noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels {
            return
        } catch {
            throw .write(entry: entry.shownName, error)
        }
        do throws(RemoveError) {
            try body(directory)
        } catch {
            throw .write(entry: entry.shownName, error.errno)
        }
    }
}
