// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import DrydockOS
import Glibc
package import SystemPackage

/// What a backup holds.
package struct BackupReport: Hashable, Sendable {
    package var journals: Int
    package var blobs: Int
    /// Bytes of both.
    package var size: ByteCount
}

extension EmbeddedStore {
    private static let unfinished = "db.sqlite.new"

    /// Copies everything that lasts to `target`, a directory that is new or empty, while builds go on.
    ///
    /// First the database, as it stands at one moment, then the journals, then the blobs: what a row refers to was there
    /// before it, and nothing is removed meanwhile. Journals may know more than the rows, as after a power cut. Only when
    /// all of it is on the disk does the database get its name, and `target` becomes a data directory: what is
    /// interrupted can not be taken for a backup.
    ///
    /// Nil when somebody collects what is no longer needed.
    package func backUp(to target: FilePath) async throws -> BackupReport? {
        guard let lock = try await garbageLock() else { return nil }
        defer { withExtendedLifetime(lock) {} }
        return try await Blocking.run { [self] in try backUpNow(to: target) }
    }

    private func backUpNow(to target: FilePath) throws(StoreError) -> BackupReport {
        try makeTarget(target)
        do throws(StoreError) {
            let copied = target.appending(Self.unfinished)
            try database.backUp(to: copied)
            var journals = BackupCopy()
            // None changes its form meanwhile.
            try FileLock.holding(directory.sealingLock) { () throws(StoreError) in
                try journals.copyFolders(of: directory.segments, to: target.appending("segments"))
            }
            try DataDirectory.make(target.appending("blobs"))
            var blobs = BackupCopy()
            try blobs.copyFolders(
                of: directory.blobs.appending("sha256"),
                to: target.appending("blobs").appending("sha256")
            )
            try Self.syncFileSystem(of: target)
            guard rename(copied.string, target.appending("db.sqlite").string) == 0 else {
                throw .system("naming", copied, Errno.current)
            }
            try syncDirectory(target)
            return BackupReport(
                journals: journals.files,
                blobs: blobs.files,
                size: ByteCount(journals.bytes + blobs.bytes)
            )
        } catch {
            Self.clear(target)
            throw error
        }
    }

    private func makeTarget(_ target: FilePath) throws(StoreError) {
        let isNew = access(target.string, F_OK) != 0
        do throws(Errno) {
            try makeDirectories(target, permissions: 0o700)
        } catch {
            throw .system("making", target, error)
        }
        if let own = realPathOf(directory.path.string), let real = realPathOf(target.string),
            PathRule.isWithin(real.utf8, own.utf8)
        {
            if isNew { rmdir(target.string) }
            throw .insideItself(target)
        }
        // A disk of its own, freshly made, has this one.
        if let other = try DataDirectory.names(in: target).first(where: { $0 != "lost+found" }) {
            throw .notEmpty(target, example: other)
        }
        guard chmod(target.string, 0o700) == 0 else {
            throw .system("closing", target, Errno.current)
        }
    }

    /// All files that were copied at once: one by one they would wait for the disk as often as there are files.
    private static func syncFileSystem(of target: FilePath) throws(StoreError) {
        do throws(Errno) {
            try DirectoryHandle(path: target).withDescriptor { directory throws(Errno) in
                try FileContents.syncFileSystem(of: directory)
            }
        } catch {
            throw .system("syncing", target, error)
        }
    }

    /// Removes what a backup that failed has made; what stays behind keeps the next one out, and is told by that.
    private static func clear(_ target: FilePath) {
        guard let handle = try? DirectoryHandle(path: target) else { return }
        for name in [
            "segments", "blobs", unfinished, unfinished + "-journal", unfinished + "-wal",
            unfinished + "-shm",
        ] {
            try? TreeRemover.remove(name, in: handle)
        }
    }
}
