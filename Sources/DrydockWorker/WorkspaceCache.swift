// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
internal import DrydockOS
package import DrydockStore
internal import SystemPackage

/// What a build's `$DRYDOCK_CACHE` is to begin as.
package struct GivenCache: Sendable {
    package var generation: CacheGeneration
    /// What may be copied of it, where it can not be shown as it is: it counts as the build's own.
    package var most: ByteCount
    package var isStopped: @Sendable () -> Bool

    package init(
        _ generation: CacheGeneration,
        most: ByteCount,
        isStopped: @escaping @Sendable () -> Bool = { false }
    ) {
        self.generation = generation
        self.most = most
        self.isStopped = isStopped
    }
}

/// What a build's `$DRYDOCK_CACHE` began as, and how it was seen.
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
    /// Why it began with nothing, though there was something.
    let problem: CopyError?

    /// Puts `given` into the place of the cache, an empty directory at `path` in the workspace `root`; nothing where that can
    /// not be done.
    init(
        in root: DirectoryHandle,
        at path: FilePath,
        from given: GivenCache?,
        owner: FileOwner?,
        isOnImage: Bool
    ) throws {
        self.owner = owner
        guard let given else {
            (base, overlay, problem) = (nil, nil, nil)
            return
        }
        if isOnImage, let overlay = try Self.mount(given.generation, in: root, at: path, owner: owner) {
            (base, self.overlay, problem) = (given.generation, overlay, nil)
            return
        }
        overlay = nil
        let target = try DirectoryHandle(path: path)
        do throws(CopyError) {
            try Self.copy(given, into: target, owner)
            (base, problem) = (given.generation, nil)
        } catch {
            try TreeRemover.removeContents(of: target)
            (base, problem) = (nil, error)
        }
    }

    /// What stays free for everybody else does so here, too.
    private static func copy(
        _ given: GivenCache,
        into target: DirectoryHandle,
        _ owner: FileOwner?
    ) throws(CopyError) {
        // It was measured when it was kept.
        let limits = WalkLimits(entries: .max, bytes: ByteCount(.max), fileSize: ByteCount(.max))
        var options = options(limits, owner)
        options.size = given.most
        options.written = try room(in: target)
        options.isStopped = given.isStopped
        _ = try TreeCopier.copy(from: given.generation.directory, into: target, options)
    }

    private static func room(in directory: DirectoryHandle) throws(CopyError) -> ByteCount {
        do throws(Errno) {
            return DiskWatch.room(of: try directory.freeSpace())
        } catch {
            throw .writeFailed(.root, error)
        }
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

    /// What bounds a copy of it, and nothing else.
    struct Bounds {
        var limits: WalkLimits
        var size: ByteCount
        var written: ByteCount
        var isStopped: @Sendable () -> Bool
    }

    /// Copies `now`, what the cache has become, into `target`, an empty directory beside `base`.
    func copy(_ now: DirectoryHandle, into target: DirectoryHandle, _ bounds: Bounds) throws -> CopySummary {
        var options = Self.options(bounds.limits, owner)
        options.size = bounds.size
        options.written = bounds.written
        options.isStopped = bounds.isStopped
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
