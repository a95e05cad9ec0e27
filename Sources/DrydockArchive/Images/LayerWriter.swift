// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import SystemPackage

/// Places the entries of one layer, one after the other, over what the layers below it left.
struct LayerWriter {
    /// Of what was left out, so many are named.
    private static let examplesNamed = 5

    private let root: DirectoryHandle
    private let reader: TarReader
    private let caps: ArchiveCaps
    private var places: EntryPlaces
    private var contents: EntryContents
    private var entries = 0
    private var skipped = 0
    private var examples: [String] = []

    init(root: DirectoryHandle, reader: TarReader, caps: ArchiveCaps, allowance: Int64) {
        self.root = root
        self.reader = reader
        self.caps = caps
        places = EntryPlaces(root: root, caps: caps)
        contents = EntryContents(caps: caps, allowance: allowance)
    }

    /// What came of it; `content` is the digest of the layer's tar.
    func summary(_ content: Digest) -> LayerSummary {
        LayerSummary(
            files: contents.files,
            bytes: contents.bytes,
            entries: entries,
            skipped: skipped,
            examples: examples,
            content: content
        )
    }

    mutating func run() throws(ArchiveProblem) {
        while let entry = try reader.next() {
            entries += 1
            if entries > caps.entries {
                throw .tooLarge("it has more than \(caps.entries) entries", entry: nil)
            }
            let path = try places.path(entry.nameBelowRoot, of: entry)
            // Whiteouts were applied before.
            if try Whiteout(path, of: entry) == nil { try place(entry, at: path) }
        }
    }

    private mutating func place(_ entry: ArchiveEntry, at path: TreePath) throws(ArchiveProblem) {
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
        case .special(let what):
            skipped += 1
            if examples.count < Self.examplesNamed { examples.append("\(path) (\(what))") }
        }
    }

    private mutating func placeDirectory(_ path: TreePath, _ entry: ArchiveEntry) throws(ArchiveProblem) {
        let parent = try places.directory(path.parent, for: entry)
        let existing = try places.kind(of: path, in: parent, entry)
        if existing == .directory { return }
        try entry.writing { () throws(Errno) in
            if existing != nil { try parent.removeFile(path.name) }
            _ = try parent.makeDirectory(path.name)
        }
    }

    private mutating func placeFile(
        _ path: TreePath,
        _ entry: ArchiveEntry,
        executable: Bool
    ) throws(ArchiveProblem) {
        let parent = try cleared(path, entry)
        let file = try entry.writing { () throws(Errno) in
            try parent.openFile(TreePath.root.appending(path.name), .create(permissions: 0o600))
        }
        try file.withDescriptor { descriptor throws(ArchiveProblem) in
            let bytes = try contents.write(entry, from: reader, to: descriptor)
            try contents.finish(descriptor, entry, executable: executable, bytes: bytes)
        }
    }

    private mutating func placeLink(
        _ path: TreePath,
        _ entry: ArchiveEntry,
        _ target: [UInt8]
    ) throws(ArchiveProblem) {
        if target.isEmpty || target.contains(0) || target.count > PathRule.longestPath {
            throw .unsafe(entry: entry.shownName, "is a symbolic link to a text that can not be one")
        }
        let parent = try cleared(path, entry)
        try entry.writing { () throws(Errno) in try parent.makeLink(path.name, target: target) }
    }

    /// Another name of an earlier entry, of this layer or one below.
    private mutating func placeHardLink(
        _ path: TreePath,
        _ entry: ArchiveEntry,
        _ target: [UInt8]
    ) throws(ArchiveProblem) {
        let refusal = ArchiveProblem.unsafe(
            entry: entry.shownName,
            "is a hard link to '\(TreePath.shown(target))', which is no earlier file of the image"
        )
        guard let targetPath = try? TreePath(parsing: target.drop { $0 == UInt8(ascii: "/") }),
            targetPath != .root, targetPath != path, let original = try? root.openEntry(targetPath)
        else { throw refusal }
        try original.withDescriptor { original throws(ArchiveProblem) in
            switch try entry.writing({ () throws(Errno) in try fileStatus(of: original).kind }) {
            case .file:
                let parent = try cleared(path, entry)
                try entry.writing { () throws(Errno) in try parent.makeHardLink(path.name, to: original) }
            case .symlink:
                let text = try entry.writing { () throws(Errno) in
                    try root.openDirectory(targetPath.parent).linkTarget(of: targetPath.name)
                }
                try placeLink(path, entry, text)
            default: throw refusal
            }
        }
    }

    /// The directory that `path` lies in, where nothing of its name is left.
    private mutating func cleared(
        _ path: TreePath,
        _ entry: ArchiveEntry
    ) throws(ArchiveProblem) -> DirectoryHandle {
        let parent = try places.directory(path.parent, for: entry)
        guard let existing = try places.kind(of: path, in: parent, entry) else { return parent }
        do throws(RemoveError) {
            try TreeRemover.remove(path.name, in: parent)
        } catch {
            throw .write(entry: entry.shownName, error.errno)
        }
        // The directory of the last entry may have gone with it.
        if existing == .directory { places.forget() }
        return parent
    }
}
