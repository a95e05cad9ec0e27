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
        /// Bytes of the file that the cache knows of.
        var reserved: Int64 = 0
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
        // Held as long as this process writes it: by that others know.
        try file.withDescriptor { file throws(Errno) in _ = try file.tryLock() }
        let line = [UInt8](repeating: UInt8(ascii: " "), count: CacheFile.lineLength)
        do throws(Errno) {
            try write(line + head.bytes)
        } catch {
            abandon()
            throw error
        }
        state.withLock { $0.hasher.update(head.bytes) }
    }

    deinit { abandon() }

    /// Writes what comes next of the body.
    ///
    /// `EFBIG` where the answer is not worth so much of the whole.
    func append(_ bytes: [UInt8]) throws(Errno) {
        try write(bytes)
        state.withLock { state in
            state.length += Int64(bytes.count)
            state.hasher.update(bytes)
        }
    }

    /// The body is whole: it can be found from now on.
    func finish() throws(Errno) {
        let line = state.withLock { state in
            var hasher = SHA256Hasher()
            swap(&hasher, &state.hasher)
            return CacheFile.line(hasher.finish(), length: state.length)
        }
        try file.withDescriptor { file throws(Errno) in
            if lseek(file.rawValue, 0, SEEK_SET) != 0 { throw Errno.current }
            try FileContents.write(line[...], to: file)
            let said = Timestamp.now().milliseconds / 1_000 - age
            try FileContents.setModified(file, FileTime(seconds: said))
        }
        try cache.name(path, by: head.key)
        let reserved = state.withLock { state in
            state.isOver = true
            return state.reserved
        }
        cache.ended(reserved, isKept: true)
    }

    /// There is no whole body: the file goes.
    func abandon() {
        let reserved = state.withLock { state -> Int64? in
            defer { state.isOver = true }
            return state.isOver ? nil : state.reserved
        }
        guard let reserved else { return }
        path.withPlatformString { _ = unlink($0) }
        cache.ended(reserved, isKept: false)
    }

    private func write(_ bytes: [UInt8]) throws(Errno) {
        let count = Int64(bytes.count)
        guard cache.reserve(count, soFar: state.withLock { $0.reserved }) else { throw .fileTooLarge }
        state.withLock { $0.reserved += count }
        do throws(Errno) {
            try file.withDescriptor { file throws(Errno) in try FileContents.write(bytes[...], to: file) }
        } catch {
            cache.makeRoom(after: error)
            throw error
        }
    }
}
