// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockArchive
package import DrydockModel
package import DrydockOS
package import DrydockSandbox
package import SystemPackage

/// The writable directory of one build, seen inside as `/w` and `/tmp`, gone afterwards.
///
/// ```
/// work/<attempt>/w/s      the snapshot's copy: $DRYDOCK_SOURCE
/// work/<attempt>/w/out    $DRYDOCK_OUT
/// work/<attempt>/w/home   $HOME
/// work/<attempt>/w/cache  $DRYDOCK_CACHE
/// work/<attempt>/tmp      /tmp
/// work/<attempt>/changes  what was changed in a cache that is shown, and not copied
/// work/<attempt>/scratch  the kernel's own, for that
/// ```
package struct Workspace: Sendable {
    private static let tree = "w"
    private static let temporary = "tmp"
    private static let folders = ["s", "out", "home", WorkspaceCache.name]

    /// The directory that all workspaces lie in.
    private let parent: DirectoryHandle
    private let name: String
    private let path: FilePath
    /// What it lies on, and is removed with; nil: an ordinary directory.
    private let image: DiskImage?
    /// What its cache began as.
    private let cache: WorkspaceCache

    /// What is in it at the beginning.
    package struct Contents: Sendable {
        /// Copied to the source's place; nil = nothing.
        package var snapshot: DirectoryHandle?
        /// Seen in the cache's place.
        package var cache: GivenCache?
        /// Whom everything belongs to; nil = this process.
        package var owner: FileOwner?

        package init(snapshot: DirectoryHandle? = nil, cache: GivenCache? = nil, owner: FileOwner?) {
            self.snapshot = snapshot
            self.cache = cache
            self.owner = owner
        }
    }

    /// Makes the workspace on an image of its own, which it takes over.
    package init(on image: DiskImage, _ contents: Contents) throws {
        do {
            // openat2 would not pass a mount point, so it begins behind it.
            try self.init(below: image.mountPoint, name: "b", on: image, contents)
        } catch {
            try? image.remove()  // the first error is the one to tell
            throw error
        }
    }

    /// Makes the workspace `name` below `path`.
    ///
    /// After an error nothing of it is left.
    package init(below path: FilePath, name: String, _ contents: Contents) throws {
        try self.init(below: path, name: name, on: nil, contents)
    }

    private init(below path: FilePath, name: String, on image: DiskImage?, _ contents: Contents) throws {
        parent = try DirectoryHandle(path: path)
        self.name = name
        self.path = path.appending(name)
        self.image = image
        do {
            let root = try parent.makeDirectory(Array(name.utf8)[...], permissions: 0o711)
            try Self.fill(root, contents)
            cache = try WorkspaceCache(
                in: root,
                at: self.path.appending(Self.tree).appending(WorkspaceCache.name),
                from: contents.cache,
                owner: contents.owner,
                isOnImage: image != nil
            )
        } catch {
            try? TreeRemover.remove(name, in: parent)  // the first error is the one to tell
            throw error
        }
    }

    private static func fill(_ root: DirectoryHandle, _ contents: Contents) throws {
        let owner = contents.owner
        func make(
            _ name: String,
            in parent: DirectoryHandle,
            permissions: UInt32 = 0o755
        ) throws -> DirectoryHandle {
            let bytes = Array(name.utf8)[...]
            let made = try parent.makeDirectory(bytes, permissions: permissions)
            if let owner { try parent.setOwner(of: bytes, owner) }
            return made
        }
        // Not for others: /tmp inside is private to the build, whatever its mode.
        _ = try make(temporary, in: root, permissions: 0o700)
        let tree = try make(tree, in: root)
        var made: [DirectoryHandle] = []
        for folder in folders { made.append(try make(folder, in: tree)) }
        if let snapshot = contents.snapshot {
            // The snapshot was measured when it was made.
            let limits = WalkLimits(entries: .max, bytes: ByteCount(.max), fileSize: ByteCount(.max))
            _ = try TreeCopier.copy(from: snapshot, into: made[0], CopyOptions(limits: limits, owner: owner))
        }
    }

    /// Copies a directory of this machine into the source's place, which is empty yet, for `owner`.
    ///
    /// By the rules for the source of a build, but that the history comes along and no caps hold: whoever names it on
    /// the command line may mean to use both. Throws what is wrong with it, and tells what was left out.
    package func take(_ source: FilePath, owner: FileOwner?) throws -> CopySummary {
        let place = try open().openDirectory(TreePath(parsing: "\(Self.tree)/\(Self.folders[0])".utf8))
        let limits = WalkLimits(
            entries: .max,
            bytes: ByteCount(.max),
            fileSize: ByteCount(.max),
            time: .seconds(3_600)
        )
        return try LocalSource.copy(
            source,
            into: place,
            limits: limits,
            ignoring: [],
            required: [],
            owner: owner
        )
    }

    /// The build's own tree, writable: for the sandboxes that run the project's code.
    package var mounts: [SandboxMount] {
        [
            SandboxMount(
                source: path.appending(Self.tree).string,
                target: InsidePath.workspace,
                access: .readWrite
            ),
            SandboxMount(
                source: path.appending(Self.temporary).string,
                target: InsidePath.temporary,
                access: .readWrite
            ),
        ]
    }

    /// The build's own tree on the host.
    var treePath: String { path.appending(Self.tree).string }

    /// The project to be looked at and not run: for the sandboxes of drivers.
    var driverMounts: [SandboxMount] {
        [
            SandboxMount(
                source: path.appending(Self.tree).string,
                target: InsidePath.workspace,
                access: .readOnly,
                execution: .denied
            )
        ]
    }

    /// A directory that only the host writes to: a step's own files of the host's lie beside what its sandbox sees.
    var parameters: String { path.string }

    /// All of it, for measuring how much it takes up.
    func open() throws -> DirectoryHandle { try parent.openDirectory(TreePath(parsing: Array(name.utf8))) }

    /// Where the build's artifacts are, looked up by name: a build may remove the directory and make it anew.
    ///
    /// Nil when there is no directory of that name, a link to one included.
    ///
    /// Only once none of its sandboxes is alive.
    func openOut() throws -> DirectoryHandle? { try openFolder("out") }

    private func openFolder(_ name: String) throws -> DirectoryHandle? {
        let root = try open()
        do throws(Errno) {
            // A build may have closed them.
            let tree = try root.openDirectoryForcing(Array(Self.tree.utf8)[...])
            return try tree.openDirectoryForcing(Array(name.utf8)[...])
        } catch {
            let absent = [Errno.noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels]
            guard absent.contains(error) else { throw error }
            return nil
        }
    }

    /// Why its cache began with nothing, though there was something to give.
    var cacheProblem: CopyError? { cache.problem }

    /// Whether the cache is another one than at the beginning, as far as that can be told without reading all of it.
    ///
    /// Only once none of its sandboxes is alive.
    func hasNewCache() throws -> Bool {
        guard let now = try cache.seen ?? openFolder(WorkspaceCache.name) else { return cache.isFull }
        return try cache.isChanged(now)
    }

    /// Copies what is now in the cache into `target`, an empty directory; nil where the build left no such directory.
    ///
    /// Only once none of its sandboxes is alive.
    func copyCache(into target: DirectoryHandle, _ bounds: WorkspaceCache.Bounds) throws -> CopySummary? {
        guard let now = try cache.seen ?? openFolder(WorkspaceCache.name) else { return nil }
        return try cache.copy(now, into: target, bounds)
    }

    /// Removes it.
    ///
    /// Only once none of its sandboxes is alive.
    package func remove() throws {
        guard let image else { return try TreeRemover.remove(name, in: parent) }
        try image.remove()
    }

    /// What tells that it was full, where it has an end of its own; nil where it is watched.
    package func gauge(limit: ByteCount) throws -> SpaceGauge? {
        try image.map { try SpaceGauge(of: $0, limit: limit) }
    }
}
