// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import Glibc
import SystemPackage

/// Where blobs lie: `sha256/ab/cdef…` under their digests, and in `new` those that have none yet.
///
/// On one file system, so that giving a blob its name is a rename.
struct BlobFolder: Sendable {
    let directory: DataDirectory

    /// Where a new blob can lie until it has its digest.
    func newPath() -> FilePath {
        let name = (0..<2).map { _ in String(UInt64.random(in: 0...UInt64.max), radix: 36) }.joined()
        return directory.newBlobs.appending(name)
    }

    /// The file of a new blob.
    func make(_ path: FilePath) throws(StoreError) -> OwnedDescriptor {
        do throws(Errno) {
            return try OwnedDescriptor(opening: path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
        } catch {
            throw .system("opening", path, error)
        }
    }

    /// The blob, open; nil when there is none.
    func open(_ digest: Digest) throws(StoreError) -> Blob? {
        guard let path = directory.blob(digest) else { return nil }
        do throws(Errno) {
            return try Blob(taking: try OwnedDescriptor(opening: path, O_RDONLY | O_NOFOLLOW))
        } catch .noSuchFileOrDirectory {
            return nil
        } catch {
            throw .system("opening", path, error)
        }
    }

    /// Gives a whole and synced file its name; one that is there is replaced by its equal, and by that becomes new again,
    /// which keeps it from being collected.
    ///
    /// Returns the directory whose sync makes the name durable.
    func name(_ new: FilePath, _ digest: Digest) throws(StoreError) -> FilePath {
        guard let target = directory.blob(digest) else { throw .blobFinished }
        let folder = target.removingLastComponent()
        try DataDirectory.make(folder)
        guard rename(new.string, target.string) == 0 else {
            let reason = Errno.current
            unlink(new.string)
            throw .system("naming", target, reason)
        }
        return folder
    }

    // MARK: Removing

    struct Kept: Sendable {
        var size: Int64
        /// When it last got its name.
        var changedAt: Timestamp
    }

    /// All blobs there are; what is no folder of blobs goes to `stray`.
    func all(stray: (FilePath) -> Void) throws(StoreError) -> [Digest: Kept] {
        let root = directory.blobs.appending("sha256")
        var found: [Digest: Kept] = [:]
        for prefix in try DataDirectory.folders(in: root, stray: stray) {
            let folder = root.appending(prefix)
            do throws(Errno) {
                let handle = try DirectoryHandle(path: folder)
                for name in try handle.names() {
                    let digest = Digest(rawValue: "sha256:" + prefix + String(decoding: name, as: UTF8.self))
                    guard directory.blob(digest) != nil, let status = try? handle.status(of: name[...]) else {
                        continue  // it went in this moment, or is none of ours
                    }
                    found[digest] = Kept(size: status.size, changedAt: status.changed)
                }
            } catch {
                throw .system("listing", folder, error)
            }
        }
        return found
    }

    /// Removes those of `digests` that got their names longer ago than `age`, and returns which these were.
    ///
    /// No blob gets its name meanwhile, so that none is taken that somebody has just brought again.
    func remove(_ digests: [Digest], olderThan age: Duration, now: Timestamp) throws(StoreError) -> [Digest] {
        try FileLock.holding(directory.blobLock) {
            digests.filter { digest in
                guard let path = directory.blob(digest), let status = try? fileStatus(at: path),
                    now.since(status.changed) > age
                else { return false }
                return unlink(path.string) == 0
            }
        }
    }

    /// Deletes what writers that died left behind more than a day ago.
    func sweep(now: Timestamp) {
        // A sweep that fails leaves garbage, which the next one takes.
        for name in (try? DataDirectory.names(in: directory.newBlobs)) ?? [] {
            let path = directory.newBlobs.appending(name)
            var status = stat()
            guard lstat(path.string, &status) == 0 else { continue }
            let changed = Timestamp(milliseconds: Int64(status.st_mtim.tv_sec) * 1_000)
            if now.since(changed) > .seconds(24 * 60 * 60) { unlink(path.string) }
        }
    }
}
