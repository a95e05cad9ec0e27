// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
package import SystemPackage

/// How far a walk goes before it gives up.
package struct WalkLimits: Sendable, Hashable {
    /// Entries of all kinds.
    package var entries: Int
    /// Sum of the apparent sizes of all regular files.
    package var bytes: ByteCount
    /// Apparent size of one regular file.
    package var fileSize: ByteCount
    /// Names in a path; also the descriptors a walk holds.
    package var depth: Int
    package var time: Duration

    package init(
        entries: Int = 200_000,
        bytes: ByteCount = .gibibytes(4),
        fileSize: ByteCount = .gibibytes(2),
        depth: Int = 128,
        time: Duration = .seconds(10 * 60)
    ) {
        self.entries = entries
        self.bytes = bytes
        self.fileSize = fileSize
        self.depth = depth
        self.time = time
    }
}

/// One step of a walk.
package struct TreeEntry: Sendable {
    package enum Kind: Sendable, Hashable {
        /// A directory, before what is in it.
        case directory
        /// The same directory, after what is in it; costs nothing and is not counted.
        case directoryEnd
        case file
        /// A symbolic link, its text, and whether that leads to a place below the root (`TreePath.linkStaysInside`).
        case symlink(target: [UInt8], staysInside: Bool)
        /// A device, fifo or socket: never opened.
        case special(FileKind)
    }

    package var path: TreePath
    package var kind: Kind
    package var status: FileStatus
}

/// Why a walk ended early.
package enum WalkError: Error, Sendable, Hashable {
    case tooManyEntries(limit: Int)
    case tooManyBytes(limit: ByteCount)
    case fileTooLarge(TreePath, size: ByteCount, limit: ByteCount)
    case tooDeep(TreePath, limit: Int)
    case tookTooLong(limit: Duration)
    /// The call on this entry failed; `EXDEV` for a mount point in the tree.
    case failed(TreePath, Errno)
}

/// Walks a tree that hostile code made, in an order that is the same on every machine.
///
/// The one reader of such trees: for collecting, digesting and copying. Depth first, the names of a directory in the order
/// of their bytes; iterative; by descriptors only, so that a directory swapped for a link while it is walked is an error
/// and never a way out. Regular files, directories and links are reported, all else as `special`.
package struct TreeWalker {
    private struct Frame {
        var directory: DirectoryHandle
        var entry: TreeEntry
        /// What is left, last first.
        var names: [[UInt8]]
    }

    private let limits: WalkLimits
    private let ignored: Set<[UInt8]>
    private let deadline: ContinuousClock.Instant
    private var frames: [Frame] = []
    /// Reported so far.
    private var entries = 0
    /// Listed, and still to be reported.
    private var pending = 0
    private var bytes: Int64 = 0

    /// Starts at `root`, which is not itself reported; entries named as in `ignoring`, at any depth, are passed over.
    package init(
        root: DirectoryHandle,
        limits: WalkLimits = WalkLimits(),
        ignoring: [String] = []
    ) throws(WalkError) {
        self.limits = limits
        ignored = Set(ignoring.map { Array($0.utf8) })
        deadline = ContinuousClock.now.advanced(by: limits.time)
        let own: DirectoryHandle
        let status: FileStatus
        do throws(Errno) {
            // A descriptor of its own: two walks of one handle must not share a read position.
            own = try root.openDirectory(.root)
            status = try own.status()
        } catch {
            throw .failed(.root, error)
        }
        try push(own, TreeEntry(path: .root, kind: .directoryEnd, status: status))
    }

    /// The next entry; nil at the end.
    package mutating func next() throws(WalkError) -> TreeEntry? {
        guard var frame = frames.popLast() else { return nil }
        guard let name = frame.names.popLast() else {
            return frames.isEmpty ? nil : frame.entry
        }
        frames.append(frame)
        return try report(name, in: frame)
    }

    /// The directory that the last reported entry lies in; for a `directory`, the directory itself.
    package var directory: DirectoryHandle? { frames.last?.directory }

    /// Opens the regular file that was just reported, and makes sure that it still is that file.
    package func open(_ entry: TreeEntry) throws(WalkError) -> OwnedDescriptor {
        guard let directory = frames.last?.directory else { throw .failed(entry.path, .badFileDescriptor) }
        do throws(Errno) {
            let name = TreePath.root.appending(entry.path.name)
            let opened = try directory.openFile(name, .read)
            let status = try opened.withDescriptor { descriptor throws(Errno) in
                try fileStatus(of: descriptor)
            }
            guard status.kind == .file, status.inode == entry.status.inode else { throw .staleNFSFileHandle }
            return opened
        } catch {
            throw .failed(entry.path, error)
        }
    }

    private mutating func report(_ name: [UInt8], in frame: Frame) throws(WalkError) -> TreeEntry {
        entries += 1
        pending -= 1
        if ContinuousClock.now > deadline { throw .tookTooLong(limit: limits.time) }
        let path = frame.entry.path.appending(name)
        let entry: TreeEntry
        do throws(Errno) {
            entry = try examine(name[...], path, in: frame.directory)
        } catch {
            throw .failed(path, error)
        }
        if path.depth > limits.depth { throw .tooDeep(path, limit: limits.depth) }
        switch entry.kind {
        case .directory: try descend(into: entry, from: frame.directory)
        case .file: try count(entry)
        case .directoryEnd, .symlink, .special: break
        }
        return entry
    }

    private func examine(
        _ name: ArraySlice<UInt8>,
        _ path: TreePath,
        in directory: DirectoryHandle
    ) throws(Errno) -> TreeEntry {
        let status = try directory.status(of: name)
        let kind: TreeEntry.Kind
        switch status.kind {
        case .file: kind = .file
        case .directory: kind = .directory
        case .symlink:
            let target = try directory.linkTarget(of: name)
            kind = .symlink(target: target, staysInside: path.linkStaysInside(target: target))
        case .fifo, .socket, .characterDevice, .blockDevice, .unknown: kind = .special(status.kind)
        }
        return TreeEntry(path: path, kind: kind, status: status)
    }

    private mutating func count(_ entry: TreeEntry) throws(WalkError) {
        let size = ByteCount(entry.status.size)
        if size > limits.fileSize {
            throw .fileTooLarge(entry.path, size: size, limit: limits.fileSize)
        }
        bytes += size.bytes
        if bytes > limits.bytes.bytes { throw .tooManyBytes(limit: limits.bytes) }
    }

    private mutating func descend(into entry: TreeEntry, from parent: DirectoryHandle) throws(WalkError) {
        let opened: DirectoryHandle
        do throws(Errno) {
            opened = try parent.openDirectory(TreePath.root.appending(entry.path.name))
        } catch {
            throw .failed(entry.path, error)
        }
        try push(opened, TreeEntry(path: entry.path, kind: .directoryEnd, status: entry.status))
    }

    /// Reads the directory's names, no more of them than the caps leave, and sorts them.
    private mutating func push(_ directory: DirectoryHandle, _ entry: TreeEntry) throws(WalkError) {
        let reader = DirectoryReader()
        var names: [[UInt8]] = []
        while true {
            let chunk: [[UInt8]]
            do throws(Errno) {
                chunk = try reader.nextNames(of: directory)
            } catch {
                throw .failed(entry.path, error)
            }
            if chunk.isEmpty { break }
            names += chunk.lazy.filter { !ignored.contains($0) }
            if entries + pending + names.count > limits.entries {
                throw .tooManyEntries(limit: limits.entries)
            }
        }
        names.sort { $1.lexicographicallyPrecedes($0) }
        pending += names.count
        frames.append(Frame(directory: directory, entry: entry, names: names))
    }
}
