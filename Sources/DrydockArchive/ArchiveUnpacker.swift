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
    private let root: DirectoryHandle
    private let reader: any ArchiveReader
    private let caps: ArchiveCaps
    private var places: EntryPlaces
    private var contents: EntryContents
    private var entries = 0
    /// The first link that climbs up to the top level: it would lead out if that were stripped.
    private var linkToTop: String?

    init(root: DirectoryHandle, reader: any ArchiveReader, caps: ArchiveCaps, allowance: Int64) {
        self.root = root
        self.reader = reader
        self.caps = caps
        places = EntryPlaces(root: root, caps: caps)
        contents = EntryContents(caps: caps, allowance: allowance)
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
        places.forget()
        return UnpackSummary(files: contents.files, bytes: contents.bytes, stripped: try stripping.run())
    }

    private mutating func place(_ entry: ArchiveEntry) throws(ArchiveProblem) {
        let path = try places.path(entry.name, of: entry)
        if path == .root {
            if entry.kind == .directory { return }
            throw .unsafe(entry: entry.shownName, "has no name")
        }
        switch entry.kind {
        case .directory: try placeDirectory(path, entry)
        case .file(let size, let executable):
            try contents.check(size, entry)
            try placeFile(path, entry, executable: executable)
        case .symlink(let target): try placeLink(path, entry, target)
        case .hardLink(let target): try placeHardLink(path, entry, target)
        case .special(let what): throw .unsafe(entry: entry.shownName, "is \(what)")
        }
    }

    // MARK: Kinds

    private mutating func placeDirectory(_ path: TreePath, _ entry: ArchiveEntry) throws(ArchiveProblem) {
        _ = try places.directory(path, for: entry)
    }

    private mutating func placeFile(
        _ path: TreePath,
        _ entry: ArchiveEntry,
        executable: Bool
    ) throws(ArchiveProblem) {
        let file = try createFile(path, entry)
        try file.withDescriptor { descriptor throws(ArchiveProblem) in
            let bytes = try contents.write(entry, from: reader, to: descriptor)
            try contents.finish(descriptor, entry, executable: executable, bytes: bytes)
        }
    }

    /// A fresh file; an earlier one of the same name goes, as with tar, where the last one counts.
    private mutating func createFile(
        _ path: TreePath,
        _ entry: ArchiveEntry
    ) throws(ArchiveProblem) -> OwnedDescriptor {
        let parent = try places.directory(path.parent, for: entry)
        if let existing = try places.kind(of: path, in: parent, entry) {
            guard existing == .file else {
                throw .unsafe(entry: entry.shownName, "would replace a \(existing.rawValue) by a file")
            }
            try entry.writing { () throws(Errno) in try parent.removeFile(path.name) }
        }
        return try entry.writing { () throws(Errno) in
            try parent.openFile(TreePath.root.appending(path.name), .create(permissions: 0o600))
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
        let parent = try places.directory(path.parent, for: entry)
        if let existing = try places.kind(of: path, in: parent, entry) {
            throw .unsafe(entry: entry.shownName, "would replace a \(existing.rawValue) by a symbolic link")
        }
        try entry.writing { () throws(Errno) in try parent.makeLink(path.name, target: target) }
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
            try contents.check(status.size, entry)
            let file = try createFile(path, entry)
            try file.withDescriptor { to throws(ArchiveProblem) in
                let bytes = try entry.writing { () throws(Errno) in
                    try FileContents.copy(from: from, to: to, atMost: status.size)
                }
                try contents.finish(to, entry, executable: status.isExecutable, bytes: bytes)
            }
        }
    }
}

extension TreePath {
    /// The path below its first name.
    fileprivate var withoutTop: TreePath {
        components.dropFirst().reduce(.root) { $0.appending($1) }
    }
}
