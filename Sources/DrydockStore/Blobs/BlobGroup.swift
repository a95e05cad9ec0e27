// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import Glibc
import Synchronization
import SystemPackage

/// Blobs that wait to become durable together.
///
/// Of files whose bytes are on their way to the disk already, the first sync commits what the file system has to remember of
/// all of them, and the others find it done: a thousand small files cost a few journal commits instead of thousands.
final class BlobGroup: BlobBatch {
    private let folder: BlobFolder
    private let whole = Mutex<[Digest: FilePath]>([:])

    init(_ folder: BlobFolder) { self.folder = folder }

    func newBlob() throws -> any BlobWriter {
        try BlobFile(folder) { [self] path, digest in add(path, digest) }
    }

    func add(_ path: FilePath, _ digest: Digest) {
        let isKnown = whole.withLock { whole in
            if whole[digest] != nil { return true }
            whole[digest] = path
            return false
        }
        if isKnown { unlink(path.string) }
    }

    func commit() throws(StoreError) {
        var files = whole.withLock { whole in
            defer { whole = [:] }
            return whole
        }
        defer { for path in files.values { unlink(path.string) } }
        for path in files.values { try Self.sync(path) }
        var folders: Set<FilePath> = []
        // Only whole and synced files get names: what a power cut leaves under a digest has that digest.
        try FileLock.holding(folder.directory.blobLock, shared: true) { () throws(StoreError) in
            while let (digest, path) = files.popFirst() { folders.insert(try folder.name(path, digest)) }
        }
        for folder in folders { try syncDirectory(folder) }
    }

    private static func sync(_ path: FilePath) throws(StoreError) {
        do throws(Errno) {
            let file = try OwnedDescriptor(opening: path, O_RDONLY | O_NOFOLLOW)
            try file.withDescriptor { file throws(Errno) in try FileContents.sync(file) }
        } catch {
            throw .system("syncing", path, error)
        }
    }

    func discard() {
        let files = whole.withLock { whole in
            defer { whole = [:] }
            return whole
        }
        for path in files.values { unlink(path.string) }
    }

    deinit { discard() }
}
