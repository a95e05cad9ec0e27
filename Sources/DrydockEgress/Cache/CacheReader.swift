// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import Synchronization
import SystemPackage

/// A kept answer that is read, and checked as it is: the last bytes are only had when all of it is what was written.
///
/// All calls block, and are made one after the other.
final class CacheReader: Sendable {
    /// An answer in a file no longer than that is checked before anything of it is had.
    static let block = 65_536

    private struct State: ~Copyable {
        var hasher = SHA256Hasher()
        /// The first part of the body, until it is had.
        var first: [UInt8]?
        /// Where the next part of the file begins.
        var offset: Int64
    }

    let head: CachedHead
    /// Bytes of the body.
    let length: Int64
    /// Seconds since 1970: when the host said it, or said that it still holds.
    private let said: Int64
    private let hex: String
    private let file: OwnedDescriptor
    private let size: Int64
    private let state: Mutex<State>

    init(_ file: consuming OwnedDescriptor, of key: CacheKey) throws(CacheDamage) {
        let found: ([UInt8], FileStatus)
        do throws(Errno) {
            found = try file.withDescriptor { file throws(Errno) in
                (try FileContents.read(file, from: 0, count: Self.block), try fileStatus(of: file))
            }
        } catch {
            throw CacheDamage()
        }
        let (block, status) = found
        guard let line = CacheFile.read(block.prefix(CacheFile.lineLength)),
            let (head, headLength) = CachedHead.read(block.dropFirst(CacheFile.lineLength), of: key)
        else { throw CacheDamage() }
        let begin = CacheFile.lineLength + headLength
        size = status.size
        guard size - Int64(begin) == line.length else { throw CacheDamage() }
        self.head = head
        self.length = line.length
        hex = line.hex
        said = status.modified.seconds
        self.file = file
        state = Mutex(State(first: Array(block[begin...]), offset: Int64(block.count)))
        try state.withLock { state throws(CacheDamage) in
            state.hasher.update(block[CacheFile.lineLength...])
            try check(&state)
        }
    }

    /// Seconds since the host said it.
    func age(at now: Int64) -> Int64 { max(now - said, 0) }

    /// Whether the host need not be asked; what it is to have said later was said by another clock.
    func isFresh(at now: Int64) -> Bool { said <= now + 60 && age(at: now) < head.lifetime }

    /// The next part of the body; empty at its end.
    func next() throws(CacheDamage) -> [UInt8] {
        try state.withLock { state throws(CacheDamage) in
            if let first = state.first.take(), !first.isEmpty { return first }
            if state.offset == size { return [] }
            let part: [UInt8]
            do throws(Errno) {
                let offset = state.offset
                part = try file.withDescriptor { file throws(Errno) in
                    try FileContents.read(file, from: offset, count: Self.block)
                }
            } catch {
                throw CacheDamage()
            }
            guard !part.isEmpty, state.offset + Int64(part.count) <= size else { throw CacheDamage() }
            state.hasher.update(part)
            state.offset += Int64(part.count)
            try check(&state)
            return part
        }
    }

    /// At the end: whether it is all that was written.
    private func check(_ state: inout State) throws(CacheDamage) {
        guard state.offset == size else { return }
        var hasher = SHA256Hasher()
        swap(&hasher, &state.hasher)
        guard hasher.finish().hex == hex else { throw CacheDamage() }
    }

    /// It was of use, and is not the next to go.
    func markUsed() {
        // Where that fails, it goes a little earlier.
        file.withDescriptor { try? FileContents.setAccessed($0) }
    }

    /// The host has said, `age` seconds before `now`, that it still holds.
    func markValid(at now: Int64, age: Int64) {
        // Where that fails, the host is asked again.
        file.withDescriptor { try? FileContents.setModified($0, FileTime(seconds: now - age)) }
    }
}
