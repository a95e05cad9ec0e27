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
        let file: OwnedDescriptor
    }

    private let path: FilePath
    /// Gives the whole file its name, now or later.
    private let keep: @Sendable (FilePath, Digest) throws(StoreError) -> Void
    private let state: Mutex<Open?>
    private let written = Atomic<Int64>(0)

    /// `keep` is called once with the file that has this digest, and is its owner from then on.
    init(
        _ folder: BlobFolder,
        keep: @escaping @Sendable (FilePath, Digest) throws(StoreError) -> Void
    ) throws(StoreError) {
        path = folder.newPath()
        self.keep = keep
        state = Mutex(Open(file: try folder.make(path)))
    }

    var size: ByteCount { ByteCount(written.load(ordering: .relaxed)) }

    func write(_ bytes: UnsafeRawBufferPointer) throws(StoreError) {
        let problem = state.withLock { state -> StoreError? in
            guard var open = state.take() else { return .blobFinished }
            let problem = open.file.withDescriptor { Self.writeAll(bytes, $0) }
            if problem == nil { open.hasher.update(bytes) }
            state = consume open
            return problem.map { .system("writing", path, $0) }
        }
        if let problem { throw problem }
        written.add(Int64(bytes.count), ordering: .relaxed)
    }

    func finish() throws(StoreError) -> Digest {
        guard let open = state.withLock({ $0.take() }) else { throw .blobFinished }
        let digest = open.hasher.finish()
        open.file.withDescriptor { file in
            // Read-only from now on: a blob is what its name says. Its owner alone could write to it anyway.
            _ = fchmod(file.rawValue, 0o444)
            FileContents.startWriting(file)
        }
        try keep(path, digest)
        return digest
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
}
