// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
package import SystemPackage

/// How a tree is copied.
package struct CopyOptions: Sendable {
    /// What happens to what a copy does not take: links that lead out, devices, fifos, sockets.
    package enum Unfit: Sendable {
        /// The copy throws.
        case refuse
        /// It is left out and named in the summary.
        case leaveOut
    }

    /// Which symbolic links a copy takes.
    package enum Links: Sendable {
        /// Those that lead to a place below.
        case inside
        /// All, as they stand: only for a place whose links nobody but a sandbox follows.
        case all
    }

    /// What the files of a tree are unless somebody changed them: those come as hard links, and are not copied.
    package struct Base: Sendable {
        /// The tree as it was: on the target's file system, and never changed again.
        package var tree: DirectoryHandle
        /// Holds, each at its own path, the files that were changed or are new.
        package var changes: DirectoryHandle

        package init(tree: DirectoryHandle, changes: DirectoryHandle) {
            self.tree = tree
            self.changes = changes
        }
    }

    package var limits: WalkLimits
    /// Names passed over at any depth.
    package var ignoring: [String]
    package var unfit: Unfit
    /// Names at the tree's top that are never left out: who looks for them would take them for missing.
    package var required: [String]
    /// Whom the copies belong to; nil = this process.
    ///
    /// Needs the right to give files away.
    package var owner: FileOwner?
    package var links = Links.inside
    package var base: Base?
    /// What the tree may take up (`CopySummary.size`), whether it is copied or linked.
    package var size = ByteCount(.max)
    /// What may be written of it: what is linked takes nothing.
    package var written = ByteCount(.max)
    /// Asked at each entry: whether nobody wants the copy any more.
    package var isStopped: @Sendable () -> Bool = { false }

    package init(
        limits: WalkLimits = WalkLimits(),
        ignoring: [String] = [],
        unfit: Unfit = .refuse,
        required: [String] = [],
        owner: FileOwner? = nil
    ) {
        self.limits = limits
        self.ignoring = ignoring
        self.unfit = unfit
        self.required = required
        self.owner = owner
    }
}

/// What a copy made.
package struct CopySummary: Sendable, Hashable {
    package var files = 0
    package var bytes: Int64 = 0
    /// What all entries take up: the content of each, in whole blocks of 4 KiB, and one at least for what it is.
    package var size: Int64 = 0
    package var leftOut = 0
    /// The first few of those that were left out, for people.
    package var examplesLeftOut: [String] = []

    package init() {}

    fileprivate mutating func leaveOut(_ path: TreePath) {
        leftOut += 1
        if examplesLeftOut.count < 10 { examplesLeftOut.append(path.description) }
    }
}

/// Why a tree was not copied.
package enum CopyError: Error, Sendable, Hashable {
    case walk(WalkError)
    case linkLeadsOut(TreePath, target: String)
    case special(TreePath, FileKind)
    case writeFailed(TreePath, Errno)
    /// It takes more than `CopyOptions.size`.
    case tooLarge(limit: ByteCount)
    /// More than `CopyOptions.written` would have to be written.
    case noRoom(limit: ByteCount)
    case stopped
}

/// Copies a tree that nobody has vouched for.
///
/// Every file is a fresh inode (hard links are taken apart), with mode 0644 or 0755 by its owner's execute bit; directories
/// are 0755; times of last change are kept, since make goes by them.
package struct TreeCopier {
    private let options: CopyOptions
    private var summary = CopySummary()
    private var written: Int64 = 0
    /// The directories being filled, outermost first.
    private var targets: [DirectoryHandle]

    private init(into target: DirectoryHandle, _ options: CopyOptions) {
        self.options = options
        targets = [target]
    }

    /// Copies what is in `source` into `target`, an empty directory.
    ///
    /// After an error `target` holds a part of it.
    package static func copy(
        from source: DirectoryHandle,
        into target: DirectoryHandle,
        _ options: CopyOptions = CopyOptions()
    ) throws(CopyError) -> CopySummary {
        var copier = TreeCopier(into: target, options)
        var walker = try walking { () throws(WalkError) in
            try TreeWalker(root: source, limits: options.limits, ignoring: options.ignoring)
        }
        while let entry = try walking({ () throws(WalkError) in try walker.next() }) {
            try copier.take(entry, from: walker)
        }
        return copier.summary
    }

    private mutating func take(_ entry: TreeEntry, from walker: TreeWalker) throws(CopyError) {
        if options.isStopped() { throw .stopped }
        let size = Self.size(of: entry)
        summary.size += size
        if summary.size > options.size.bytes { throw .tooLarge(limit: options.size) }
        if entry.kind != .file { try write(size) }
        switch entry.kind {
        case .directory:
            targets.append(
                try writing(entry) { target throws(Errno) in try target.makeDirectory(entry.path.name) }
            )
        case .directoryEnd:
            let finished = targets.removeLast()
            try writing(entry) { target throws(Errno) in
                if let owner = options.owner { try target.setOwner(of: entry.path.name, owner) }
                try finished.withDescriptor { file throws(Errno) in
                    try FileContents.setModified(file, entry.status.modified)
                }
            }
        case .file:
            if let base = options.base,
                try writing(
                    entry,
                    { target throws(Errno) in
                        try base.link(entry.path, into: target)
                    }
                )
            {
                summary.bytes += entry.status.size
                summary.files += 1
                return
            }
            try write(size)
            let source = try walking { () throws(WalkError) in try walker.open(entry) }
            summary.bytes += try writing(entry) { target throws(Errno) in
                try copyFile(source, entry, into: target)
            }
            summary.files += 1
        case .symlink(let link, let staysInside) where staysInside || options.links == .all:
            try writing(entry) { target throws(Errno) in
                try target.makeLink(entry.path.name, target: link)
                if let owner = options.owner { try target.setOwner(of: entry.path.name, owner) }
            }
        case .symlink(let link, _):
            try leaveOut(entry, or: .linkLeadsOut(entry.path, target: TreePath.shown(link)))
        case .special(let kind):
            try leaveOut(entry, or: .special(entry.path, kind))
        }
    }

    /// What it takes up.
    private static func size(of entry: TreeEntry) -> Int64 {
        switch entry.kind {
        case .directoryEnd: 0
        case .file: max(1, (min(entry.status.size, Int64.max >> 13) + 4_095) >> 12) << 12
        case .directory, .symlink, .special: 4_096
        }
    }

    private mutating func write(_ size: Int64) throws(CopyError) {
        written += size
        if written > options.written.bytes { throw .noRoom(limit: options.written) }
    }

    private mutating func leaveOut(_ entry: TreeEntry, or error: CopyError) throws(CopyError) {
        switch options.unfit {
        case .refuse: throw error
        case .leaveOut where options.required.contains(entry.path.description): throw error
        case .leaveOut: summary.leaveOut(entry.path)
        }
    }

    private func copyFile(
        _ source: borrowing OwnedDescriptor,
        _ entry: TreeEntry,
        into target: DirectoryHandle
    ) throws(Errno) -> Int64 {
        let name = TreePath.root.appending(entry.path.name)
        let copy = try target.openFile(name, .create(permissions: 0o600))
        return try source.withDescriptor { from throws(Errno) in
            try copy.withDescriptor { to throws(Errno) in
                let limit = options.limits.fileSize.bytes
                let bytes = try FileContents.copy(from: from, to: to, atMost: limit)
                if let owner = options.owner { try FileContents.setOwner(to, owner) }
                try FileContents.setPermissions(to, entry.status.isExecutable ? 0o755 : 0o644)
                try FileContents.setModified(to, entry.status.modified)
                return bytes
            }
        }
    }

    /// Runs `body` on the directory being filled.
    private func writing<Result>(
        _ entry: TreeEntry,
        _ body: (DirectoryHandle) throws(Errno) -> Result
    ) throws(CopyError) -> Result {
        do throws(Errno) {
            return try body(targets[targets.count - 1])
        } catch {
            throw .writeFailed(entry.path, error)
        }
    }
}

extension CopyOptions.Base {
    /// Makes the file at `path` one of `directory` too, where nobody changed it; whether that was so.
    fileprivate func link(_ path: TreePath, into directory: DirectoryHandle) throws(Errno) -> Bool {
        do throws(Errno) {
            _ = try changes.openEntry(path)
            return false
        } catch .noSuchFileOrDirectory, .notDirectory {
            // As it was.
        } catch .fileNameTooLong {
            // From the top it has more bytes than a call takes: it is copied.
            return false
        }
        do throws(Errno) {
            let file = try tree.openEntry(path)
            return try file.withDescriptor { file throws(Errno) in
                guard try fileStatus(of: file).kind == .file else { return false }
                try directory.makeHardLink(path.name, to: file)
                return true
            }
        } catch .noSuchFileOrDirectory, .notDirectory, .tooManyLinks {
            return false
        }
    }
}

private func walking<Result: ~Copyable>(
    _ body: () throws(WalkError) -> Result
) throws(CopyError) -> Result {
    do throws(WalkError) {
        return try body()
    } catch {
        throw .walk(error)
    }
}
