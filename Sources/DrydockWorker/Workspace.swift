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
/// ```
package struct Workspace: Sendable {
    private static let tree = "w"
    private static let temporary = "tmp"
    private static let folders = ["s", "out", "home", "cache"]

    /// The directory that all workspaces lie in.
    private let parent: DirectoryHandle
    private let name: String
    private let path: FilePath
    /// What it lies on, and is removed with; nil: an ordinary directory.
    private let image: DiskImage?

    /// Makes the workspace on an image of its own, which it takes over.
    package init(on image: DiskImage, snapshot: DirectoryHandle?, owner: FileOwner?) throws {
        do {
            // openat2 would not pass a mount point, so it begins behind it.
            try self.init(below: image.mountPoint, name: "b", on: image, snapshot: snapshot, owner: owner)
        } catch {
            try? image.remove()  // the first error is the one to tell
            throw error
        }
    }

    /// Makes the workspace `name` below `path`, with a copy of `snapshot` (nil = nothing) in it that belongs to `owner`.
    ///
    /// After an error nothing of it is left.
    package init(below path: FilePath, name: String, snapshot: DirectoryHandle?, owner: FileOwner?) throws {
        try self.init(below: path, name: name, on: nil, snapshot: snapshot, owner: owner)
    }

    private init(
        below path: FilePath,
        name: String,
        on image: DiskImage?,
        snapshot: DirectoryHandle?,
        owner: FileOwner?
    ) throws {
        parent = try DirectoryHandle(path: path)
        self.name = name
        self.path = path.appending(name)
        self.image = image
        do {
            let root = try parent.makeDirectory(Array(name.utf8)[...], permissions: 0o711)
            try Self.fill(root, snapshot: snapshot, owner: owner)
        } catch {
            try? TreeRemover.remove(name, in: parent)  // the first error is the one to tell
            throw error
        }
    }

    private static func fill(
        _ root: DirectoryHandle,
        snapshot: DirectoryHandle?,
        owner: FileOwner?
    ) throws {
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
        if let snapshot {
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
    func openOut() throws -> DirectoryHandle? {
        let root = try open()
        do throws(Errno) {
            // A build may have closed them.
            let tree = try root.openDirectoryForcing(Array(Self.tree.utf8)[...])
            return try tree.openDirectoryForcing(Array("out".utf8)[...])
        } catch {
            let absent = [Errno.noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels]
            guard absent.contains(error) else { throw error }
            return nil
        }
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
