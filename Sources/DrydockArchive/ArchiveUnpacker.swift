// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
package import DrydockOS
package import SystemPackage

/// Unpacks archives that nobody has vouched for.
package enum ArchiveUnpacker {
    /// Unpacks `archive`, an open regular file, into `directory`, an empty one.
    ///
    /// Tar, tar.gz and zip, told by the first bytes. Every entry ends up below `directory` as a directory of mode 0755, a file
    /// of mode 0644 or 0755, or a symbolic link to a place inside; anything else is refused by the entry's name, and what
    /// was unpacked until then stays for the caller to remove. A top-level directory in which everything lies is left out
    /// (GitHub's and Debian's archives have one). Throws `sourceInvalid` and `sourceTooLarge` for what is the archive's fault.
    package static func unpack(
        archive: FileDescriptor,
        into directory: DirectoryHandle,
        caps: ArchiveCaps = ArchiveCaps()
    ) throws(Failure) -> UnpackSummary {
        do throws(ArchiveProblem) {
            let size = try regularSize(of: archive)
            let reader = try ArchiveFormat.reader(archive, size: size, caps: caps)
            let allowance = caps.allowance(archiveSize: size)
            var unpacking = EntryWriter(root: directory, reader: reader, caps: caps, allowance: allowance)
            return try unpacking.run()
        } catch {
            throw error.failure
        }
    }

    private static func regularSize(of archive: FileDescriptor) throws(ArchiveProblem) -> Int64 {
        do throws(Errno) {
            let status = try fileStatus(of: archive)
            if status.kind != .file { throw .illegalSeek }
            return status.size
        } catch {
            throw .read(error)
        }
    }
}

/// Writes the entries of one archive, one after the other.
private struct EntryWriter {
    private static let bufferSize = 256 * 1_024

    private let root: DirectoryHandle
    private let reader: any ArchiveReader
    private let caps: ArchiveCaps
    /// Bytes that all files together may have.
    private let allowance: Int64
    private var summary = UnpackSummary()
    private var entries = 0
    private var buffer = [UInt8](repeating: 0, count: EntryWriter.bufferSize)
    /// The directory of the last entry, which most often is that of the next one.
    private var recent: (path: TreePath, directory: DirectoryHandle)?
    /// The first link that climbs up to the top level: it would lead out if that were stripped.
    private var linkToTop: String?

    init(root: DirectoryHandle, reader: any ArchiveReader, caps: ArchiveCaps, allowance: Int64) {
        self.root = root
        self.reader = reader
        self.caps = caps
        self.allowance = allowance
    }

    mutating func run() throws(ArchiveProblem) -> UnpackSummary {
        while let entry = try reader.next() {
            entries += 1
            if entries > caps.entries {
                throw .tooLarge("it has more than \(caps.entries) entries", entry: nil)
            }
            try place(entry)
        }
        if entries == 0 { throw .corrupt("it holds no entries", entry: nil) }
        let stripping = Stripping(root: root, linkToTop: linkToTop)
        recent = nil
        summary.stripped = try stripping.run()
        return summary
    }

    private mutating func place(_ entry: ArchiveEntry) throws(ArchiveProblem) {
        let path = try checkedPath(entry.name, of: entry)
        if path == .root {
            if entry.kind == .directory { return }
            throw .unsafe(entry: entry.shownName, "has no name")
        }
        switch entry.kind {
        case .directory: try placeDirectory(path, entry)
        case .file(let size, let executable):
            try check(size, entry)
            try placeFile(path, entry, executable: executable)
        case .symlink(let target): try placeLink(path, entry, target)
        case .hardLink(let target): try placeHardLink(path, entry, target)
        case .special(let what): throw .unsafe(entry: entry.shownName, "is \(what)")
        }
    }

    private func checkedPath(_ name: [UInt8], of entry: ArchiveEntry) throws(ArchiveProblem) -> TreePath {
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

    private func check(_ size: Int64, _ entry: ArchiveEntry) throws(ArchiveProblem) {
        if size > caps.fileSize.bytes {
            throw .tooLarge("a file may have \(caps.fileSize), not \(size) bytes", entry: entry.shownName)
        }
        let (total, overflow) = summary.bytes.bytes.addingReportingOverflow(size)
        if overflow || total > caps.bytes.bytes {
            throw .tooLarge("more than \(caps.bytes) in all", entry: entry.shownName)
        }
        if total > allowance {
            throw .tooLarge("it unpacks to over \(caps.ratio) times its own size", entry: entry.shownName)
        }
    }

    // MARK: Kinds

    private mutating func placeDirectory(_ path: TreePath, _ entry: ArchiveEntry) throws(ArchiveProblem) {
        _ = try directory(path, for: entry)
    }

    private mutating func placeFile(
        _ path: TreePath,
        _ entry: ArchiveEntry,
        executable: Bool
    ) throws(ArchiveProblem) {
        let file = try createFile(path, entry)
        try file.withDescriptor { descriptor throws(ArchiveProblem) in
            let bytes = try writeContent(of: entry, to: descriptor)
            try finishFile(descriptor, entry, executable: executable, bytes: bytes)
        }
    }

    /// A fresh file; an earlier one of the same name goes, as with tar, where the last one counts.
    private mutating func createFile(
        _ path: TreePath,
        _ entry: ArchiveEntry
    ) throws(ArchiveProblem) -> OwnedDescriptor {
        let parent = try directory(path.parent, for: entry)
        if let existing = try existingKind(path, in: parent, entry) {
            guard existing == .file else {
                throw .unsafe(entry: entry.shownName, "would replace a \(existing.rawValue) by a file")
            }
            try writing(entry) { () throws(Errno) in try parent.removeFile(path.name) }
        }
        return try writing(entry) { () throws(Errno) in
            try parent.openFile(TreePath.root.appending(path.name), .create(permissions: 0o600))
        }
    }

    private mutating func finishFile(
        _ file: FileDescriptor,
        _ entry: ArchiveEntry,
        executable: Bool,
        bytes: Int64
    ) throws(ArchiveProblem) {
        try writing(entry) { () throws(Errno) in
            try FileContents.setPermissions(file, executable ? 0o755 : 0o644)
            try FileContents.setModified(file, entry.modified.clamped)
        }
        summary.files += 1
        summary.bytes = ByteCount(summary.bytes.bytes + bytes)
    }

    private mutating func writeContent(
        of entry: ArchiveEntry,
        to file: FileDescriptor
    ) throws(ArchiveProblem) -> Int64 {
        var total: Int64 = 0
        while true {
            let count = try reader.readContent(into: &buffer)
            if count == 0 { return total }
            total += Int64(count)
            try check(total, entry)
            try writing(entry) { () throws(Errno) in try FileContents.write(buffer[..<count], to: file) }
        }
    }

    private mutating func placeLink(
        _ path: TreePath,
        _ entry: ArchiveEntry,
        _ target: [UInt8]
    ) throws(ArchiveProblem) {
        guard target.count <= PathRule.longestPath, path.linkStaysInside(target: target) else {
            throw .unsafe(
                entry: entry.shownName,
                "is a symbolic link that leads out of the archive, to '\(TreePath.shown(target))'"
            )
        }
        if linkToTop == nil, path.depth > 1, !path.withoutTop.linkStaysInside(target: target) {
            linkToTop = entry.shownName
        }
        let parent = try directory(path.parent, for: entry)
        if let existing = try existingKind(path, in: parent, entry) {
            throw .unsafe(entry: entry.shownName, "would replace a \(existing.rawValue) by a symbolic link")
        }
        try writing(entry) { () throws(Errno) in try parent.makeLink(path.name, target: target) }
    }

    /// Copies the earlier entry: a build that writes to one name must not change the other.
    private mutating func placeHardLink(
        _ path: TreePath,
        _ entry: ArchiveEntry,
        _ target: [UInt8]
    ) throws(ArchiveProblem) {
        let refusal = ArchiveProblem.unsafe(
            entry: entry.shownName,
            "is a hard link to '\(TreePath.shown(target))', which is no earlier file of the archive"
        )
        guard let targetPath = try? TreePath(parsing: target), targetPath != path,
            let original = try? root.openFile(targetPath, .read)
        else { throw refusal }
        try original.withDescriptor { from throws(ArchiveProblem) in
            guard let status = try? fileStatus(of: from), status.kind == .file else { throw refusal }
            try check(status.size, entry)
            let file = try createFile(path, entry)
            try file.withDescriptor { to throws(ArchiveProblem) in
                let bytes = try writing(entry) { () throws(Errno) in
                    try FileContents.copy(from: from, to: to, atMost: status.size)
                }
                try finishFile(to, entry, executable: status.isExecutable, bytes: bytes)
            }
        }
    }

    // MARK: Places

    private func existingKind(
        _ path: TreePath,
        in parent: DirectoryHandle,
        _ entry: ArchiveEntry
    ) throws(ArchiveProblem) -> FileKind? {
        try writing(entry) { () throws(Errno) in
            do throws(Errno) {
                return try parent.status(of: path.name).kind
            } catch .noSuchFileOrDirectory {
                return nil
            }
        }
    }

    /// Opens the directory at `path`, making it and those above it where they are not there.
    private mutating func directory(
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

    private func writing<Result: ~Copyable>(
        _ entry: ArchiveEntry,
        _ body: () throws(Errno) -> Result
    ) throws(ArchiveProblem) -> Result {
        do throws(Errno) {
            return try body()
        } catch {
            throw .write(entry: entry.shownName, error)
        }
    }
}

extension FileTime {
    /// Within what every file system can store: 1970 to 2446, the end of ext4's time.
    fileprivate var clamped: FileTime {
        FileTime(seconds: min(max(seconds, 0), 15_032_385_535), nanoseconds: nanoseconds)
    }
}

extension TreePath {
    /// The path below its first name.
    fileprivate var withoutTop: TreePath {
        components.dropFirst().reduce(.root) { $0.appending($1) }
    }
}
