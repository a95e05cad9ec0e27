// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import DrydockOS
import Glibc
package import SystemPackage

/// The directory that holds everything Drydock keeps: `db.sqlite segments/ blobs/ snapshots/ work/ bells/ holders/` and the
/// locks of server and worker.
package struct DataDirectory: Hashable, Sendable {
    package let path: FilePath

    /// Opens `path`, and makes it (0700, for its owner alone) with all that belongs into it where it is missing.
    ///
    /// A directory that holds other things is nobody's to close and to clear up, and refused.
    package init(opening path: FilePath) throws(StoreError) {
        self.path = path
        do throws(Errno) {
            try makeDirectories(path, permissions: 0o700)
        } catch {
            throw .system("making", path, error)
        }
        try check()
        for directory in [
            segments, blobs, blobs.appending("sha256"), newBlobs, snapshots, work, bells, holders,
        ] {
            try Self.make(directory)
        }
        // What is found there without an owner is removed.
        for directory in [snapshots, work] where try Self.status(directory).st_mode & S_IFMT != S_IFDIR {
            throw .linked(directory)
        }
        guard access(path.string, W_OK | X_OK) == 0 else { throw .notWritable(path) }
    }

    package var database: FilePath { path.appending("db.sqlite") }
    package var segments: FilePath { path.appending("segments") }
    package var blobs: FilePath { path.appending("blobs") }
    package var snapshots: FilePath { path.appending("snapshots") }
    package var work: FilePath { path.appending("work") }
    /// What hosts answered, where the operator has that kept.
    package var cache: FilePath { path.appending("cache") }
    /// What builds of one project leave to its next ones.
    package var projectCaches: FilePath { path.appending("project-caches") }
    /// The root file systems that the operator imported.
    package var roots: FilePath { path.appending("rootfs") }
    /// Files that are written to wake other processes.
    package var bells: FilePath { path.appending("bells") }
    /// A lock for each process that may hold leases, named by its `WorkerID`.
    var holders: FilePath { path.appending("holders") }
    /// Held by the server of this directory.
    package var serverLock: FilePath { path.appending("server.lock") }
    /// Held by the worker that the server started.
    package var workerLock: FilePath { path.appending("worker.lock") }
    /// Blobs that have no name yet; on the same file system, so that naming them is a rename.
    var newBlobs: FilePath { blobs.appending("new") }
    /// Held while somebody collects what is no longer needed, makes a backup, or makes the index again.
    var garbageLock: FilePath { path.appending("garbage.lock") }
    /// Held while a journal is sealed, and while journals are copied or removed.
    var sealingLock: FilePath { path.appending("sealing.lock") }
    /// Held, shared, while blobs get their names; alone, while some are removed.
    var blobLock: FilePath { blobs.appending("lock") }
    /// Held while the database is opened and migrated.
    var openingLock: FilePath { path.appending("opening.lock") }

    /// The directory of a build's segments.
    func segments(of build: BuildID) -> FilePath { segments.appending(build.rawValue) }

    /// An attempt's segment file.
    package func segment(_ build: BuildID, _ attempt: AttemptID) -> FilePath {
        segments(of: build).appending(attempt.rawValue + ".ndjson")
    }

    /// Where a blob's bytes stand; nil for what is no SHA-256 digest.
    func blob(_ digest: Digest) -> FilePath? {
        let hex = digest.hex
        let isHex = hex.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        guard digest.rawValue == "sha256:" + hex, hex.utf8.count == 64, isHex else { return nil }
        return blobs.appending("sha256").appending(String(hex.prefix(2))).appending(String(hex.dropFirst(2)))
    }

    /// Makes one directory for the owner alone; fine when it is there.
    static func make(_ path: FilePath) throws(StoreError) {
        guard mkdir(path.string, 0o700) != 0 else { return }
        let reason = Errno.current
        guard reason == .fileExists else { throw .system("making", path, reason) }
    }

    /// Whether there is a data directory at `path`.
    package static func exists(at path: FilePath) -> Bool {
        access(path.appending("db.sqlite").string, F_OK) == 0
            || access(path.appending("opening.lock").string, F_OK) == 0
    }

    private func check() throws(StoreError) {
        var status = stat()
        guard stat(path.string, &status) == 0 else {
            throw .system("opening", path, Errno.current)
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw .notADirectory(path) }
        guard status.st_uid == geteuid() else { throw .ownedByAnother(path, owner: status.st_uid) }
        try adopt(status)
        // Whoever made it: a service manager or a `mkdir` leaves it open to all users of the machine.
        if status.st_mode & 0o077 != 0, chmod(path.string, 0o700) != 0 {
            throw .system("closing", path, Errno.current)
        }
    }

    /// Marks an empty directory as a data directory; throws where it is neither.
    private func adopt(_ status: stat) throws(StoreError) {
        if Self.exists(at: path) { return }
        if status.st_mode & (S_ISVTX | 0o002) != 0 { throw .shared(path) }
        // A disk of its own, freshly made, has this one.
        if let other = try Self.names(in: path).first(where: { $0 != "lost+found" }) {
            // Another process may have marked it since the first look; its mark stands before all else it makes.
            if Self.exists(at: path) { return }
            throw .holdsOther(path, example: other)
        }
        do throws(Errno) {
            _ = try OwnedDescriptor(opening: openingLock, O_WRONLY | O_CREAT | O_NOFOLLOW)
        } catch {
            throw .system("marking", path, error)
        }
    }

    private static func status(_ path: FilePath) throws(StoreError) -> stat {
        var status = stat()
        guard lstat(path.string, &status) == 0 else { throw .system("opening", path, Errno.current) }
        return status
    }
}
