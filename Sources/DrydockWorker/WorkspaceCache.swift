// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockOS
internal import DrydockStore
internal import SystemPackage

/// What a build's `$DRYDOCK_CACHE` begins as, and how it was seen.
///
/// A project's cache is shown through an overlay on the build's own disk where it has one: nothing is copied but what
/// the build changes, and that counts as its own. Elsewhere it is copied.
struct WorkspaceCache: Sendable {
    static let name = "cache"
    private static let changes = "changes"
    private static let scratch = "scratch"

    /// What it began as; held, so that it stays.
    private let base: CacheGeneration?
    private let owner: FileOwner?
    /// The overlay, and what was changed through it; nil where there is none.
    private let overlay: (seen: DirectoryHandle, changes: DirectoryHandle)?
    /// Bytes that were copied into the workspace.
    let copied: ByteCount

    /// Puts `base` into the place of the cache, an empty directory at `path` in the workspace `root`.
    init(
        in root: DirectoryHandle,
        at path: FilePath,
        from base: CacheGeneration?,
        owner: FileOwner?,
        isOnImage: Bool
    ) throws {
        self.base = base
        self.owner = owner
        guard let base else {
            (overlay, copied) = (nil, ByteCount(0))
            return
        }
        if isOnImage, let overlay = try Self.mount(base, in: root, at: path, owner: owner) {
            (self.overlay, copied) = (overlay, ByteCount(0))
            return
        }
        overlay = nil
        // It was measured when it was kept.
        let limits = WalkLimits(entries: .max, bytes: ByteCount(.max), fileSize: ByteCount(.max))
        let target = try DirectoryHandle(path: path)
        let summary = try TreeCopier.copy(from: base.directory, into: target, Self.options(limits, owner))
        copied = ByteCount(summary.bytes)
    }

    /// Nil where this machine makes no such overlay.
    private static func mount(
        _ base: CacheGeneration,
        in root: DirectoryHandle,
        at path: FilePath,
        owner: FileOwner?
    ) throws -> (seen: DirectoryHandle, changes: DirectoryHandle)? {
        let changes = try root.makeDirectory(Array(changes.utf8)[...])
        if let owner { try root.setOwner(of: Array(Self.changes.utf8)[...], owner) }
        let scratch = try root.makeDirectory(Array(scratch.utf8)[...], permissions: 0o700)
        guard (try? Overlay.mount(base.directory, changes: changes, scratch: scratch, at: path)) != nil else {
            return nil
        }
        return (try DirectoryHandle(path: path), changes)
    }

    /// What is seen in its place; nil where it is an ordinary directory of the workspace.
    var seen: DirectoryHandle? { overlay?.seen }

    /// Whether there was something in it at the beginning.
    var isFull: Bool { base != nil }

    /// Whether `now`, what it has become, may be another one.
    func isChanged(_ now: DirectoryHandle) throws -> Bool {
        if let overlay { return try !overlay.changes.sortedNames().isEmpty }
        return try isFull || !now.sortedNames().isEmpty
    }

    /// Copies `now`, what the cache has become, into `target`, an empty directory beside `base`.
    func copy(_ now: DirectoryHandle, into target: DirectoryHandle, limits: WalkLimits) throws -> CopySummary
    {
        var options = Self.options(limits, owner)
        if let overlay, let base {
            options.base = CopyOptions.Base(tree: base.directory, changes: overlay.changes)
        }
        return try TreeCopier.copy(from: now, into: target, options)
    }

    private static func options(_ limits: WalkLimits, _ owner: FileOwner?) -> CopyOptions {
        var options = CopyOptions(limits: limits, unfit: .leaveOut, owner: owner)
        // Followed in sandboxes alone: a virtual environment's lead to the machine's programs.
        options.links = .all
        return options
    }
}
