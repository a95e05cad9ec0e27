// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import SystemPackage

/// Why a tree could not be removed: the name of the entry, and what the call said.
package struct RemoveError: Error, Sendable, Hashable {
    /// The entry's name alone: a path could be longer than memory is good for.
    package var name: String
    package var errno: Errno
}

/// Removes what hostile code left behind.
///
/// Links are removed, never followed; directories nobody may enter are opened up first; a directory of a million names is
/// read in chunks; one that is deeper than the descriptors allow is cut: the deep part is moved up to the top, and removed
/// from there. Mount points are not entered (`EXDEV`). Only once nothing that could still write into the tree is alive.
package enum TreeRemover {
    /// Removes the entry `name` of `parent`, whatever it is; one that is not there is no error.
    package static func remove(_ name: String, in parent: DirectoryHandle) throws(RemoveError) {
        try remove(Array(name.utf8)[...], in: parent)
    }

    /// The same for a name that need not be text.
    package static func remove(_ name: ArraySlice<UInt8>, in parent: DirectoryHandle) throws(RemoveError) {
        let kind = try naming(name) { () throws(Errno) -> FileKind? in
            do throws(Errno) {
                return try parent.status(of: name).kind
            } catch .noSuchFileOrDirectory {
                return nil
            }
        }
        guard let kind else { return }
        if kind != .directory {
            return try naming(name) { () throws(Errno) in try parent.removeFile(name) }
        }
        guard let directory = try? parent.openDirectoryForcing(name) else {
            return try naming(name) { () throws(Errno) in try parent.removeDirectory(name) }
        }
        try removeContents(of: directory)
        try naming(name) { () throws(Errno) in try parent.removeDirectory(name) }
    }

    /// Empties a directory, and leaves it.
    package static func removeContents(of directory: DirectoryHandle) throws(RemoveError) {
        let root: DirectoryHandle = try naming([]) { () throws(Errno) in try directory.openDirectory(.root) }
        var removal = Removal(root: root)
        try removal.run()
    }
}

/// Adds the name to what a call threw.
private func naming<Result>(
    _ name: ArraySlice<UInt8>,
    _ body: () throws(Errno) -> Result
) throws(RemoveError) -> Result {
    do throws(Errno) {
        return try body()
    } catch {
        throw RemoveError(name: name.isEmpty ? "." : TreePath.shown(name), errno: error)
    }
}

/// The state of one removal.
private struct Removal {
    private struct Frame {
        let directory: DirectoryHandle
        /// Its name in the directory above.
        let name: [UInt8]
        var names: [[UInt8]] = []
        /// Whether this pass over the directory saw anything; it is empty after a pass that did not.
        var sawEntries = false
    }

    /// Descriptors held at one time, far below any limit on them.
    private static let openDirectories = 48

    private let reader = DirectoryReader()
    private var frames: [Frame]
    private var moved = 0

    init(root: DirectoryHandle) { frames = [Frame(directory: root, name: [])] }

    mutating func run() throws(RemoveError) {
        while var frame = frames.popLast() {
            if let name = frame.names.popLast() {
                frames.append(frame)
                try removeEntry(name[...], of: frame.directory)
            } else {
                try refill(frame)
            }
        }
    }

    /// Reads on in a directory whose chunk is used up, or removes it when a whole pass saw nothing.
    private mutating func refill(_ frame: Frame) throws(RemoveError) {
        var frame = frame
        frame.names = try naming(frame.name[...]) { () throws(Errno) in
            try reader.nextNames(of: frame.directory)
        }
        if !frame.names.isEmpty {
            frame.sawEntries = true
            frames.append(frame)
        } else if frame.sawEntries {
            // Removing while reading may have made the kernel pass over some.
            try naming(frame.name[...]) { () throws(Errno) in try reader.rewind(frame.directory) }
            frame.sawEntries = false
            frames.append(frame)
        } else if let parent = frames.last?.directory {
            try naming(frame.name[...]) { () throws(Errno) in try parent.removeDirectory(frame.name[...]) }
        }
    }

    private mutating func removeEntry(
        _ name: ArraySlice<UInt8>,
        of directory: DirectoryHandle
    ) throws(RemoveError) {
        let isDirectory = try naming(name) { () throws(Errno) in
            do throws(Errno) {
                try directory.removeFile(name)
                return false
            } catch .isDirectory {
                return true
            } catch .noSuchFileOrDirectory {
                return false
            }
        }
        if !isDirectory { return }
        let opened = try naming(name) { () throws(Errno) in try directory.openDirectoryForcing(name) }
        if frames.count < Removal.openDirectories {
            frames.append(Frame(directory: opened, name: Array(name)))
        } else {
            try moveToTop(name, of: directory)
        }
    }

    /// Puts a directory that lies too deep into the topmost one, whose next pass finds it.
    private mutating func moveToTop(
        _ name: ArraySlice<UInt8>,
        of directory: DirectoryHandle
    ) throws(RemoveError) {
        while true {
            moved += 1
            let newName = Array(".drydock-removing-\(moved)".utf8)[...]
            let top = frames[0].directory
            let done = try naming(name) { () throws(Errno) in
                do throws(Errno) {
                    try directory.move(name, to: top, as: newName)
                    return true
                } catch .fileExists {
                    return false
                }
            }
            if done { break }
        }
        frames[0].sawEntries = true
    }
}
