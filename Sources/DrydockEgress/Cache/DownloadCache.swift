// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import DrydockOS
import Glibc
import Synchronization
package import SystemPackage

/// A directory with answers of hosts that are given again, whichever build asks: one file for each.
///
/// Several processes may share it. Nothing waits for the disk: a file that was not whole when the machine went down is found
/// out by its digest. All calls block.
package final class DownloadCache: Sendable {
    /// Files at a time, so that many small ones have an end, too.
    private static let mostFiles = 100_000
    /// What a file takes besides its bytes.
    private static let overhead: Int64 = 4_096
    private static let unfinished = "new-"
    /// Seconds after which nobody writes an unfinished file any more: a silent connection is ended sooner.
    private static let abandoned: Int64 = 3_600

    private struct State {
        /// Bytes, with what is being written.
        var taken: Int64 = 0
        var files = 0
        /// Bytes of what is being written.
        var unfinished: Int64 = 0
        var isSweeping = false

        var kept: Int64 { taken - unfinished }
    }

    private let path: FilePath
    private let size: Int64
    private let state = Mutex(State())

    /// Opens the directory at `path`, and makes it where it is missing; what it holds is counted in a while.
    package init(at path: FilePath, size: ByteCount) throws(Errno) {
        self.path = path
        self.size = size.bytes
        try makeDirectories(path, permissions: 0o700)
        sweepLater()
    }

    // MARK: Reading

    /// The answer that is kept by `key`; nil where there is none, or none that is whole.
    func open(_ key: CacheKey) -> CacheReader? {
        guard let file = try? OwnedDescriptor(opening: path.appending(key.name), O_RDONLY | O_NOFOLLOW) else {
            return nil
        }
        do throws(CacheDamage) {
            return try CacheReader(file, of: key)
        } catch {
            remove(key)
            return nil
        }
    }

    /// Forgets what is kept by `key`.
    func remove(_ key: CacheKey) {
        path.appending(key.name).withPlatformString { _ = unlink($0) }
    }

    // MARK: Writing

    /// The file of an answer that comes; nil where it can not be made.
    func begin(_ head: CachedHead, age: Int64) -> CacheWriter? {
        let name = Self.unfinished + String(UInt64.random(in: .min ... .max), radix: 16)
        do throws(Errno) {
            return try CacheWriter(head, age: age, at: path.appending(name), in: self)
        } catch {
            // Somebody has cleared it away.
            if error == .noSuchFileOrDirectory { try? makeDirectories(path, permissions: 0o700) }
            return nil
        }
    }

    /// Room for `count` bytes more of a file that has `soFar`; false where it would take too much of the whole.
    func reserve(_ count: Int64, soFar: Int64) -> Bool {
        let (isThere, isFull) = state.withLock { state in
            guard soFar + count <= size / 4, state.unfinished + count <= size / 2 else {
                return (false, false)
            }
            state.unfinished += count
            state.taken += count
            return (true, state.taken > size)
        }
        if isFull { sweepLater() }
        return isThere
    }

    /// A file with `count` bytes is there, or has come to nothing.
    func ended(_ count: Int64, isKept: Bool) {
        let isFull = state.withLock { state in
            state.unfinished -= count
            if isKept {
                state.taken += Self.overhead
                state.files += 1
            } else {
                state.taken -= count
            }
            return state.taken > size || state.files > Self.mostFiles
        }
        if isFull { sweepLater() }
    }

    /// Moves a file that is whole to its place.
    func name(_ file: FilePath, by key: CacheKey) throws(Errno) {
        let isNamed = file.withPlatformString { from in
            path.appending(key.name).withPlatformString { rename(from, $0) == 0 }
        }
        if !isNamed { throw Errno.current }
    }

    /// The disk is full: half of what is kept goes.
    func makeRoom() { sweepAlone { $0.kept / 2 } }

    // MARK: Sweeping

    private struct Kept {
        let name: [UInt8]
        let bytes: Int64
        let used: FileTime
    }

    private func sweepLater() {
        Blocking.start { [self] in sweepAlone { size - $0.unfinished } }
    }

    /// Sweeps, unless somebody in this process does already.
    private func sweepAlone(_ most: (State) -> Int64) {
        let most = state.withLock { state -> Int64? in
            if state.isSweeping { return nil }
            state.isSweeping = true
            return most(state)
        }
        guard let most else { return }
        sweep(to: most)
        state.withLock { $0.isSweeping = false }
    }

    /// Counts what is there and, where that is more than `most` bytes, removes what was not used for longest, and a tenth more.
    func sweep(to most: Int64) {
        guard let directory = try? DirectoryHandle(path: path), let names = try? directory.names() else {
            return
        }
        var kept: [Kept] = []
        let now = Timestamp.now().milliseconds / 1_000
        for name in names {
            guard let status = try? directory.status(of: name[...]), status.kind == .file else { continue }
            if name.starts(with: Self.unfinished.utf8) {
                guard status.modified.seconds < now - Self.abandoned else { continue }
                try? directory.removeFile(name[...])
            } else if CacheKey.isName(name) {
                kept.append(
                    Kept(name: name, bytes: status.allocated + Self.overhead, used: status.accessed)
                )
            }
        }
        var bytes = kept.reduce(0) { $0 + $1.bytes }
        var files = kept.count
        if bytes > most || files > Self.mostFiles {
            kept.sort { $0.used < $1.used }
            for file in kept where bytes > most / 10 * 9 || files > Self.mostFiles / 10 * 9 {
                do throws(Errno) {
                    try directory.removeFile(file.name[...])
                } catch {
                    // Another process has; what stays is counted next time.
                    if error != .noSuchFileOrDirectory { continue }
                }
                bytes -= file.bytes
                files -= 1
            }
        }
        state.withLock { state in
            state.taken = bytes + state.unfinished
            state.files = files
        }
    }
}
