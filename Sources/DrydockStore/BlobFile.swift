// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import Glibc
import Synchronization
import SystemPackage

/// A blob that is being written: a file without a name that others know, until it is whole.
final class BlobFile: BlobWriter {
    private struct Open: ~Copyable {
        var hasher = SHA256Hasher()
        let descriptor: OwnedDescriptor
        var size: Int64 = 0
    }

    private let directory: DataDirectory
    /// Counts it from when it has its name; nil = it is none of an upload.
    private let uploads: PendingUploads?
    private let path: FilePath
    private let state: Mutex<Open?>
    private let written = Mutex<Int64>(0)

    init(_ directory: DataDirectory, uploads: PendingUploads? = nil) throws(StoreError) {
        self.directory = directory
        self.uploads = uploads
        let name = (0..<2).map { _ in String(UInt64.random(in: 0...UInt64.max), radix: 36) }.joined()
        path = directory.newBlobs.appending(name)
        let descriptor = open(path.string, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .system("opening", path, Errno(rawValue: errno)) }
        let owned = OwnedDescriptor(taking: FileDescriptor(rawValue: descriptor))
        state = Mutex(Open(descriptor: owned))
    }

    var size: ByteCount { ByteCount(written.withLock { $0 }) }

    func write(_ bytes: UnsafeRawBufferPointer) throws(StoreError) {
        let problem = state.withLock { state -> StoreError? in
            guard var open = state.take() else { return .blobFinished }
            let problem = open.descriptor.withDescriptor { Self.writeAll(bytes, $0) }
            if problem == nil { open.hasher.update(bytes) }
            state = consume open
            return problem.map { .system("writing", path, $0) }
        }
        if let problem { throw problem }
        written.withLock { $0 += Int64(bytes.count) }
    }

    func finish() throws(StoreError) -> Digest {
        guard let open = state.withLock({ $0.take() }) else { throw .blobFinished }
        let digest = open.hasher.finish()
        let failed = open.descriptor.withDescriptor { file -> Errno? in
            // Read-only from now on: a blob is what its name says.
            guard fchmod(file.rawValue, 0o444) == 0, fsync(file.rawValue) == 0 else {
                return Errno(rawValue: errno)
            }
            return nil
        }
        if let failed {
            unlink(path.string)
            throw .system("syncing", path, failed)
        }
        guard let target = directory.blob(digest) else { throw .blobFinished }
        let folder = target.removingLastComponent()
        try DataDirectory.make(folder)
        if let uploads {
            try uploads.keep(digest) { () throws(StoreError) in try name(target) }
        } else {
            try name(target)
        }
        try syncDirectory(folder)
        return digest
    }

    private func name(_ target: FilePath) throws(StoreError) {
        guard rename(path.string, target.string) == 0 else {
            let reason = Errno(rawValue: errno)
            unlink(path.string)
            throw .system("naming", target, reason)
        }
    }

    func discard() {
        guard state.withLock({ $0.take() }) != nil else { return }
        unlink(path.string)  // what stays behind is swept by a later start
    }

    deinit { discard() }

    private static func writeAll(_ bytes: UnsafeRawBufferPointer, _ file: FileDescriptor) -> Errno? {
        do {
            try file.writeAll(bytes)
            return nil
        } catch {
            return error as? Errno ?? .ioError
        }
    }

    /// Deletes what writers that died left behind more than a day ago.
    static func sweep(_ directory: DataDirectory, now: Timestamp) {
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
