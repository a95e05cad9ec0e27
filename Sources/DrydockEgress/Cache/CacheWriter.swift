// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import Glibc
import Synchronization
import SystemPackage

/// The file of an answer while it comes; all calls block, and are made one after the other.
final class CacheWriter: Sendable {
    private struct State: ~Copyable {
        var hasher = SHA256Hasher()
        /// Bytes of the body.
        var length: Int64 = 0
        var isOver = false
    }

    private let head: CachedHead
    private let age: Int64
    private let file: OwnedDescriptor
    private let path: FilePath
    private let cache: DownloadCache
    private let state = Mutex(State())

    /// Makes the file at `path`, for an answer that was `age` seconds under way.
    init(_ head: CachedHead, age: Int64, at path: FilePath, in cache: DownloadCache) throws(Errno) {
        self.head = head
        self.age = age
        self.path = path
        self.cache = cache
        file = try OwnedDescriptor(opening: path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
        let line = [UInt8](repeating: UInt8(ascii: " "), count: CacheFile.lineLength)
        try write(line + head.bytes)
        state.withLock { $0.hasher.update(head.bytes) }
    }

    deinit { abandon() }

    /// Writes what comes next of the body.
    ///
    /// `EFBIG` where the answer is not worth so much of the whole.
    func append(_ bytes: [UInt8]) throws(Errno) {
        let length = state.withLock { $0.length }
        guard cache.reserve(Int64(bytes.count), soFar: length) else { throw .fileTooLarge }
        state.withLock { state in
            state.length += Int64(bytes.count)
            state.hasher.update(bytes)
        }
        do throws(Errno) {
            try write(bytes)
        } catch {
            if error == .noSpace || error == .diskQuotaExceeded { cache.makeRoom() }
            throw error
        }
    }

    /// The body is whole: it can be found from now on.
    func finish() throws(Errno) {
        let (line, length) = state.withLock { state in
            var hasher = SHA256Hasher()
            swap(&hasher, &state.hasher)
            return (CacheFile.line(hasher.finish(), length: state.length), state.length)
        }
        try file.withDescriptor { file throws(Errno) in
            if lseek(file.rawValue, 0, SEEK_SET) != 0 { throw Errno.current }
            try FileContents.write(line[...], to: file)
            let said = Timestamp.now().milliseconds / 1_000 - age
            try FileContents.setModified(file, FileTime(seconds: said))
        }
        try cache.name(path, by: head.key)
        state.withLock { $0.isOver = true }
        cache.ended(length, isKept: true)
    }

    /// There is no whole body: the file goes.
    func abandon() {
        let length = state.withLock { state -> Int64? in
            defer { state.isOver = true }
            return state.isOver ? nil : state.length
        }
        guard let length else { return }
        path.withPlatformString { _ = unlink($0) }
        cache.ended(length, isKept: false)
    }

    private func write(_ bytes: [UInt8]) throws(Errno) {
        try file.withDescriptor { file throws(Errno) in try FileContents.write(bytes[...], to: file) }
    }
}
