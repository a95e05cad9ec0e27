// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import SystemPackage

/// Where the entries of one archive go: below one directory, by names that were checked.
struct EntryPlaces {
    let root: DirectoryHandle
    let caps: ArchiveCaps
    /// The directory of the last entry, which most often is that of the next one.
    private var recent: (path: TreePath, directory: DirectoryHandle)?

    init(root: DirectoryHandle, caps: ArchiveCaps) {
        self.root = root
        self.caps = caps
    }

    /// The path that `name` is, within the caps; `entry` is for messages.
    func path(_ name: some Sequence<UInt8>, of entry: ArchiveEntry) throws(ArchiveProblem) -> TreePath {
        let path: TreePath
        do throws(PathProblem) {
            path = try TreePath(parsing: name)
        } catch {
            throw .unsafe(entry: entry.shownName, "is refused: its name \(error.explanation)")
        }
        if path.depth > caps.depth {
            throw .tooLarge("more than \(caps.depth) directories deep", entry: entry.shownName)
        }
        if path.components.contains(where: { $0.count > caps.nameLength }) {
            throw .tooLarge("a name of more than \(caps.nameLength) bytes", entry: entry.shownName)
        }
        return path
    }

    /// What there is at `path`, in its directory; nil where there is nothing.
    func kind(
        of path: TreePath,
        in parent: DirectoryHandle,
        _ entry: ArchiveEntry
    ) throws(ArchiveProblem) -> FileKind? {
        try entry.writing { () throws(Errno) in
            do throws(Errno) {
                return try parent.status(of: path.name).kind
            } catch .noSuchFileOrDirectory {
                return nil
            }
        }
    }

    /// Opens the directory at `path`, making it and those above it where they are not there.
    mutating func directory(
        _ path: TreePath,
        for entry: ArchiveEntry
    ) throws(ArchiveProblem) -> DirectoryHandle {
        if let recent, recent.path == path { return recent.directory }
        var directory = root
        do throws(Errno) {
            directory = try openOrMake(path)
        } catch .tooManySymbolicLinkLevels {
            throw .unsafe(entry: entry.shownName, "lies behind a symbolic link")
        } catch .notDirectory {
            throw .unsafe(entry: entry.shownName, "needs a directory where the archive has a file")
        } catch {
            throw .write(entry: entry.shownName, error)
        }
        recent = (path, directory)
        return directory
    }

    /// Holds no directory any more: what was there may be moved or removed.
    mutating func forget() { recent = nil }

    private func openOrMake(_ path: TreePath) throws(Errno) -> DirectoryHandle {
        do throws(Errno) {
            return try root.openDirectory(path)
        } catch .noSuchFileOrDirectory {
            // Made below, from the top.
        }
        var directory = root
        for name in path.components {
            do throws(Errno) {
                directory = try directory.openDirectory(TreePath.root.appending(name))
            } catch .noSuchFileOrDirectory {
                directory = try directory.makeDirectory(name)
            }
        }
        return directory
    }
}

extension ArchiveEntry {
    /// Does what writes for this entry; what goes wrong is told with its name.
    func writing<Result: ~Copyable>(
        _ body: () throws(Errno) -> Result
    ) throws(ArchiveProblem) -> Result {
        do throws(Errno) {
            return try body()
        } catch {
            throw .write(entry: shownName, error)
        }
    }
}
